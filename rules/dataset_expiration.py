"""The tables that the vendor writes are not deleted by a default expiration of their dataset."""

from datetime import timedelta

from preflight import (
    Dataset,
    Datasets,
    DatasetSettings,
    Evidence,
    Maybe,
    Profile,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    dataset_page,
    passed,
    rule,
    shell,
    skipped,
    unknown,
    warned,
)


@rule(
    title="The vendor's datasets keep their tables",
    why="A default expiration deletes each synced table, or each partition of it, some time after it is made, and the "
    "views over it break.",
    severity=Severity.RECOMMENDED,
    requirements=("H8", "H9"),
    since="0.1",
    after=("project-active", "bigquery-api-enabled"),
    order=86,
)
def datasets_keep_tables(datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Looks at the defaults of the destination and of the vendor's companion dataset, as far as they exist; single
    tables may have an expiration of their own."""
    if target.dataset is None:
        return skipped("no --dataset given: a new dataset has no default expiration")
    fine: list[Evidence] = []
    expiring: list[tuple[Dataset, DatasetSettings]] = []
    unseen: list[Unknown] = []
    for name in profile.dataset.companions(target.dataset):
        found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
        if found is None:
            continue
        settings = found.settings if isinstance(found, Dataset) else found
        if isinstance(settings, Unknown):
            unseen.append(settings)
        elif isinstance(found, Dataset) and (settings.table_expiration_ms or settings.partition_expiration_ms):
            expiring.append((found, settings))
        elif isinstance(found, Dataset):
            fine.append(found.provenance.saw(f"{found.id} has no default expiration"))
    if expiring:
        return warned(
            "; ".join(f"{_said(settings)} in {dataset.id}" for dataset, settings in expiring),
            *(dataset.provenance.saw(f"{dataset.id}: {_said(settings)}") for dataset, settings in expiring),
            remedy=tuple(_mend(dataset, settings, target) for dataset, settings in expiring),
        )
    if unseen:
        reason = unseen[0].reason
        seen = (evidence for gap in unseen for evidence in gap.seen())
        return unknown(f"the defaults of a dataset could not be read: {reason.describe()}", reason, *fine, *seen)
    if not fine:
        return skipped(f"{target.dataset} doesn't exist yet: a new dataset has no default expiration")
    return passed("no default expiration", *fine)


def _said(settings: DatasetSettings) -> str:
    what = (("tables", settings.table_expiration_ms), ("partitions", settings.partition_expiration_ms))
    return " and ".join(f"{name} are deleted after {_span(ms)}" for name, ms in what if ms)


def _span(milliseconds: int) -> str:
    span = timedelta(milliseconds=milliseconds)
    if span >= timedelta(days=1):
        days = span / timedelta(days=1)
        return f"{days:g} day{'' if days == 1 else 's'}"
    hours = span / timedelta(hours=1)
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


def _mend(dataset: Dataset, settings: DatasetSettings, target: Target) -> Remedy:
    options = []
    lines = []
    # 0 takes the default away (bq's reference of `bq update`).
    if settings.table_expiration_ms:
        options.append("--default_table_expiration=0")
        lines.append("default_table_expiration_ms     = null")
    if settings.partition_expiration_ms:
        options.append("--default_partition_expiration=0")
        lines.append("default_partition_expiration_ms = null")
    if len(lines) == 1:
        lines = [lines[0].replace("     =", " =")]
    return Remedy(
        summary=f"Take the default expiration of {dataset.id} away; it acts on what is made from then on. Tables that "
        "are there keep theirs.",
        commands=(shell("bq", "update", "--dataset", *options, f"{target.project}:{dataset.id}"),),
        terraform="\n".join(lines),
        console_url=dataset_page(target.project, dataset.id),
    )

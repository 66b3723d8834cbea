"""No dataset is open to everybody."""

from preflight import (
    AccessEntry,
    Dataset,
    Datasets,
    Evidence,
    Profile,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    dataset_page,
    grant_on_dataset,
    passed,
    revoke_on_dataset,
    rule,
    skipped,
    unknown,
    warned,
)

EVERYBODY = {"allUsers": "everybody on the internet", "allAuthenticatedUsers": "everybody with a Google account"}


@rule(
    title="No dataset is open to everybody",
    why="What the vendor writes is your customers' data; a dataset that is open to all shows it to all.",
    severity=Severity.RECOMMENDED,
    since="0.1",
    after=("project-active", "bigquery-api-enabled"),
    order=88,
)
def datasets_are_private(datasets: Datasets, profile: Profile, target: Target) -> Verdict:
    """Looks through the access lists that were read: those of the destination and the vendor's companion dataset, and
    of others where the source tells them. Google itself refuses such members in a project's policy."""
    wanted = profile.dataset.companions(target.dataset) if target.dataset else ()
    open_: list[tuple[Dataset, AccessEntry]] = []
    closed: list[Evidence] = []
    unseen: list[Unknown] = []
    for name in dict.fromkeys((*wanted, *datasets.datasets)):
        found = datasets.get(name)
        entries = found.access if isinstance(found, Dataset) else found
        if entries is None:
            continue
        if isinstance(entries, Unknown):
            if name in wanted:
                unseen.append(entries)
            continue
        if not isinstance(found, Dataset):
            continue
        to_all = [(found, entry) for entry in entries if entry.member in EVERYBODY and not entry.authorized]
        open_ += to_all
        if to_all:
            continue
        if found.access_completeness.gap:
            if name in wanted:
                where = found.access_completeness.provenance or found.provenance
                unseen.append(Unknown(found.access_completeness.gap, where))
        else:
            many = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
            closed.append(found.provenance.saw(f"{found.id} is open to nobody in general: {many}"))
    if open_:
        return warned(
            "; ".join(f"{dataset.id} is open to {EVERYBODY[entry.member]} as {entry.role}" for dataset, entry in open_),
            *(dataset.shows(entry, f"{entry.role} is given to {entry.member} in {dataset.id}")
              for dataset, entry in open_),
            remedy=(
                *_keep_the_vendor(open_, wanted, profile, target),
                *_close(open_, target),
            ),
        )  # fmt: skip
    if unseen:
        reason = unseen[0].reason
        seen = (evidence for gap in unseen for evidence in gap.seen())
        return unknown(f"who may read the vendor's dataset could not be read: {reason.describe()}", reason, *seen)
    if not closed:
        return skipped("no dataset's access list was read: the destination doesn't exist, or none was named")
    none = f"none of {len(closed)} datasets whose access was read is open to all"
    return passed(none if len(closed) > 1 else "the one dataset whose access was read isn't open to all", *closed[:10])


def _keep_the_vendor(
    open_: list[tuple[Dataset, AccessEntry]], wanted: tuple[str, ...], profile: Profile, target: Target
) -> tuple[Remedy, ...]:
    """Where all may write to a dataset of the vendor's, it may be by that alone that the vendor can: then it gets a
    grant of its own before that goes."""
    writable = dict.fromkeys(dataset for dataset, entry in open_ if entry.role != "READER" and dataset.id in wanted)
    role = profile.dataset.write_role
    return tuple(
        grant_on_dataset(
            target.project,
            dataset,
            target.principal,
            role,
            f"First let the vendor's account write to {dataset.id} by itself.",
        )
        for dataset in writable
        if isinstance(dataset.access, tuple)
        and not any(
            entry.member.casefold() == target.principal.casefold()
            and (entry.role in {"WRITER", "OWNER"} or entry.role_name == role)
            and not entry.condition
            for entry in dataset.access
        )
    )


def _close(open_: list[tuple[Dataset, AccessEntry]], target: Target) -> tuple[Remedy, ...]:
    """One remedy for each role in each dataset: one command takes away what several entries give."""
    once = {(dataset.id, entry.role_name, entry.member): (dataset, entry) for dataset, entry in open_}
    return tuple(
        Remedy(
            summary=f"Take {entry.role} in {dataset.id} away from {entry.member}, unless all are meant to have it.",
            commands=(revoke_on_dataset(target.project, dataset, entry),),
            console_url=dataset_page(target.project, dataset.id),
        )
        for dataset, entry in once.values()
    )

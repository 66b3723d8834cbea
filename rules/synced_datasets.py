"""After the first sync, the destination and the datasets that the vendor keeps beside it are together."""

from preflight import (
    Dataset,
    Evidence,
    Profile,
    Remedy,
    Severity,
    Synced,
    SyncedDataset,
    Target,
    Unknown,
    Verdict,
    dataset_page,
    failed,
    passed,
    rule,
    skipped,
    unknown,
)


@rule(
    title="The synced datasets are there, in one location",
    why="A query can't join across locations, so views in one can't read what lies in the other; and where one of the "
    "datasets is gone, so is what was to be queried there.",
    severity=Severity.IMPORTANT,
    requirements=("H8",),
    since="0.2",
    after=("project-active", "bigquery-api-enabled"),
    order=90,
)
def datasets_are_together(synced: Synced, profile: Profile, target: Target) -> Verdict:
    """Two datasets in different locations fail, whatever is in them. That one is missing counts only after the first
    sync: when the destination holds a view with the table behind it, or one that needs none, or a companion holds any
    view. Before that, where it is missing, empty, or holds only what is somebody else's, the rule is skipped."""
    here = [part.dataset for part in synced.parts if isinstance(part.dataset, Dataset)]
    if len({dataset.location.casefold() for dataset in here}) > 1:
        return failed(
            f"{_list([f'{dataset.id} is in {dataset.location}' for dataset in here])}: no view can read across",
            *(dataset.seen("id", "location") for dataset in here),
            remedy=_ask(synced.parts, profile, target, "which of them to make anew: a dataset can't be moved"),
        )
    if synced.moot:
        return skipped(synced.moot)
    if synced.gap is not None:
        reason = synced.gap.reason
        return unknown(f"whether anything was synced can't be told: {reason.describe()}", reason, *synced.gap.seen())
    if synced.sign is None:
        return skipped(synced.before)
    missing = [part for part in synced.parts if part.dataset is None]
    if missing:
        names = _list([part.name for part in missing])
        return failed(
            f"there was a sync, and {names} {'are' if len(missing) > 1 else 'is'} not there",
            synced.sign,
            *_absences(missing),
            remedy=_ask(missing, profile, target, "to sync anew, unless the first sync is still under way"),
        )
    unseen = [part.dataset for part in synced.parts if isinstance(part.dataset, Unknown)]
    if unseen:
        reason = unseen[0].reason
        seen = dict.fromkeys(evidence for gap in unseen for evidence in gap.seen())
        return unknown(f"one of the datasets could not be read: {reason.describe()}", reason, synced.sign, *seen)
    where = f"in {here[0].location}"
    return passed(
        f"{_list([dataset.id for dataset in here])} {'are' if len(here) > 1 else 'is'} there, {where}",
        synced.sign,
        *(dataset.seen("id", "location") for dataset in here),
    )


def _absences(missing: list[SyncedDataset]) -> list[Evidence]:
    return [part.absence for part in missing if part.absence is not None]


def _list(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ask(parts: list[SyncedDataset] | tuple[SyncedDataset, ...], profile: Profile, target: Target, what: str) -> Remedy:
    return Remedy(
        summary=f"Ask {profile.support.name} ({profile.support.email}) {what}. Delete nothing before.",
        console_url=dataset_page(target.project, parts[-1].name),
    )

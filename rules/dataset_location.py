"""The location is one that the vendor supports, and the one that the destination already has."""

from preflight import (
    Dataset,
    Datasets,
    Evidence,
    LocationClass,
    Maybe,
    Profile,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    failed,
    passed,
    rule,
    skipped,
    unknown,
    warned,
)


@rule(
    title="The location is supported",
    why="The vendor syncs only to certain locations, and a dataset can never be moved to another one.",
    severity=Severity.REQUIRED,
    requirements=("H4",),
    since="0.1",
    after=("project-active", "bigquery-api-enabled"),
    order=70,
)
def location_is_supported(datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Judges --location, else the location of the existing destination; where both are there, they must be the
    same. With neither, other datasets in unsupported locations are a warning: queries can't join across."""
    given = Evidence("option", "--location", None, target.location) if target.location else None
    destination = _destination(datasets, target)
    if given is None:
        if isinstance(destination, Dataset):
            return _of(destination.location, (destination.seen("id", "location"),), profile)
        if isinstance(destination, Unknown):
            return unknown(
                f"no --location given, and whether {target.dataset} exists could not be read: "
                f"{destination.reason.describe()}",
                destination.reason,
                *destination.seen(),
                remedy=Remedy(summary="Or give --location."),
            )
        return _of_the_others(datasets, profile)
    location = given.detail
    if isinstance(destination, Dataset) and destination.location.casefold() != location.casefold():
        return failed(
            f"{destination.id} exists in {destination.location}, not in {location}, and a dataset can't be moved",
            given,
            destination.seen("id", "location"),
            remedy=Remedy(summary=_elsewhere(destination.location, profile)),
        )
    verdict = _of(location, (given, *_where(destination)), profile)
    if isinstance(destination, Unknown) and verdict.status in {"pass", "warn"}:
        return unknown(
            f"{location} is fine, but whether {target.dataset} exists elsewhere could not be read: "
            f"{destination.reason.describe()}",
            destination.reason,
            given,
            *destination.seen(),
        )
    return verdict


def _elsewhere(location: str, profile: Profile) -> str:
    """What to do about a destination that is in another location than the one that was given."""
    group = profile.location_group(location)
    if group is not None and group.status is LocationClass.SUPPORTED:
        return f"Connect with {location}, or choose a --dataset that doesn't exist yet."
    contact = f"{profile.support.name} ({profile.support.email})"
    return f"Choose a --dataset that doesn't exist yet, or ask {contact} whether {location} can be connected."


def _destination(datasets: Maybe[Datasets], target: Target) -> Dataset | Unknown | None:
    if target.dataset is None:
        return None
    return datasets if isinstance(datasets, Unknown) else datasets.get(target.dataset)


def _where(destination: Dataset | Unknown | None) -> tuple[Evidence, ...]:
    return (destination.seen("id", "location"),) if isinstance(destination, Dataset) else ()


def _of(location: str, evidence: tuple[Evidence, ...], profile: Profile) -> Verdict:
    group = profile.location_group(location)
    contact = f"{profile.support.name} ({profile.support.email})"
    if group is None:
        return failed(
            f"{location} is not among the locations that this version lists for {profile.vendor}",
            *evidence,
            remedy=Remedy(summary=f"Use {_supported(profile)}, or ask {contact} whether {location} is supported."),
        )
    if group.status is LocationClass.SUPPORTED:
        return passed(f"{location} is supported", *evidence)
    if group.status is LocationClass.CONFIRM:
        return warned(
            f"{location} is {group.note}",
            *evidence,
            remedy=Remedy(summary=f"Ask {contact} to confirm {location}, or use {_supported(profile)}."),
        )
    return failed(
        f"{location} is not supported without asking first: {group.note}",
        *evidence,
        remedy=Remedy(summary=f"Contact {contact} before connecting, or use {_supported(profile)}."),
    )


def _of_the_others(datasets: Maybe[Datasets], profile: Profile) -> Verdict:
    choice = f"choose one with --location: {_supported(profile)}"
    if isinstance(datasets, Unknown):
        return skipped(f"no location chosen; {choice}")
    elsewhere = [
        dataset
        for dataset in datasets.datasets.values()
        if isinstance(dataset, Dataset) and not _fine(dataset.location, profile)
    ]
    if not elsewhere:
        return skipped(f"no location chosen; {choice}")
    places = ", ".join(sorted({dataset.location for dataset in elsewhere}))
    count = f"{len(elsewhere)} dataset{'s are' if len(elsewhere) > 1 else ' is'}"
    return warned(
        f"{count} in {places}, which {profile.vendor} does not support: its data can't be joined with theirs",
        *(dataset.seen("id", "location") for dataset in elsewhere[:10]),
        remedy=Remedy(
            summary=f"To choose: {choice}. To join across locations, copy those datasets, or ask "
            f"{profile.support.name} ({profile.support.email}) about {places}."
        ),
    )


def _fine(location: str, profile: Profile) -> bool:
    group = profile.location_group(location)
    return group is not None and group.status is not LocationClass.CONTACT_FIRST


def _supported(profile: Profile) -> str:
    return " or ".join(
        name for group in profile.locations if group.status is LocationClass.SUPPORTED for name in group.names
    )

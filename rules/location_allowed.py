"""The organization lets the vendor's data be where it is to be."""

from preflight import (
    Dataset,
    Datasets,
    Evidence,
    Maybe,
    OrgPolicies,
    Profile,
    Project,
    Remedy,
    Severity,
    Target,
    Unknown,
    Unresolved,
    Verdict,
    allows,
    failed,
    let_value,
    location_matches,
    passed,
    rule,
    skipped,
    unclear,
    unknown,
)

CONSTRAINT = "gcp.resourceLocations"


@rule(
    title="The organization allows the location",
    why="Where the organization allows only some locations, the vendor's dataset is refused in any other one.",
    severity=Severity.IMPORTANT,
    requirements=("H4",),
    since="0.1",
    order=72,
)
def location_is_allowed(
    org_policies: Maybe[OrgPolicies],
    datasets: Maybe[Datasets],
    project: Maybe[Project],
    profile: Profile,
    target: Target,
) -> Verdict:
    """Compares --location, else the destination's own location, with the constraint on locations, Google's value
    groups included. It acts on new datasets only. A group or location that this version doesn't know is unknown."""
    if isinstance(project, Project) and project.parent is None:
        return skipped("the project is in no organization, so that no organization policy acts on it")
    location, evidence = _location(datasets, target)
    if isinstance(location, Unknown):
        return unknown(
            f"no --location given, and where {target.dataset} is could not be read: {location.reason.describe()}",
            location.reason,
            *location.seen(),
            remedy=Remedy("Or give --location."),
        )
    if location is None:
        return skipped("no location chosen, and no destination that has one")
    policy = org_policies if isinstance(org_policies, Unknown) else org_policies.of(CONSTRAINT)
    if isinstance(policy, Unknown):
        return unknown(policy.reason.describe(), policy.reason, *policy.seen())
    there = _all_there(datasets, profile, target)
    if there:
        return passed("the datasets are there already, and the constraint acts on new ones only", *there)

    def matches(value: str) -> bool | None:
        return location_matches(value, location)

    answer = allows(policy, matches)
    if answer is None:
        what = ", ".join(unclear(policy, matches))
        reason = Unresolved(
            f"whether {CONSTRAINT} allows {location} hangs on what this version can't tell: {what}",
            "See in Google's list of value groups, or by the project's tags, whether it does.",
        )
        return unknown(reason.describe(), reason, *evidence, policy.shows())
    if answer:
        return passed(f"{location} is allowed", *evidence, policy.shows())
    return failed(
        f"{CONSTRAINT} refuses new datasets in {location}",
        *evidence,
        policy.shows(),
        remedy=let_value(target.project, policy, location.casefold(), matches),
    )


def _location(datasets: Maybe[Datasets], target: Target) -> tuple[str | Unknown | None, tuple[Evidence, ...]]:
    if target.location:
        return target.location, (Evidence("option", "--location", None, target.location),)
    if target.dataset is None:
        return None, ()
    found = datasets if isinstance(datasets, Unknown) else datasets.get(target.dataset)
    if isinstance(found, Dataset):
        return found.location, (found.seen("id", "location"),)
    return found, ()


def _all_there(datasets: Maybe[Datasets], profile: Profile, target: Target) -> tuple[Evidence, ...]:
    """Evidence that the vendor has no dataset to make: the destination and its companions exist."""
    if target.dataset is None or isinstance(datasets, Unknown):
        return ()
    found = [datasets.get(name) for name in profile.dataset.companions(target.dataset)]
    there = [dataset for dataset in found if isinstance(dataset, Dataset)]
    return tuple(dataset.seen("id", "location") for dataset in there) if len(there) == len(found) else ()

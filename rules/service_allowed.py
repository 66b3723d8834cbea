"""The organization lets the project use the APIs that the vendor calls."""

from collections.abc import Callable

from preflight import (
    Maybe,
    OrgPolicies,
    Profile,
    Project,
    Severity,
    Target,
    Unknown,
    Unresolved,
    Verdict,
    allows,
    failed,
    let_value,
    passed,
    rule,
    skipped,
    unclear,
    unknown,
)

CONSTRAINT = "gcp.restrictServiceUsage"


@rule(
    title="The organization allows the vendor's APIs",
    why="An API that the organization restricts refuses every call, though it is enabled in the project.",
    severity=Severity.IMPORTANT,
    requirements=("H3",),
    since="0.1",
    order=32,
)
def services_are_allowed(
    org_policies: Maybe[OrgPolicies], project: Maybe[Project], profile: Profile, target: Target
) -> Verdict:
    """Looks for each API of the profile among those that the constraint on service usage allows or denies."""
    if isinstance(project, Project) and project.parent is None:
        return skipped("the project is in no organization, so that no organization policy acts on it")
    policy = org_policies if isinstance(org_policies, Unknown) else org_policies.of(CONSTRAINT)
    if isinstance(policy, Unknown):
        return unknown(policy.reason.describe(), policy.reason, *policy.seen())
    answers = {api: allows(policy, _names(api)) for api in profile.apis}
    refused = [api for api, answer in answers.items() if answer is False]
    if refused:
        return failed(
            f"{CONSTRAINT} refuses {' and '.join(refused)} in {target.project}",
            policy.shows(),
            remedy=tuple(let_value(target.project, policy, api, _names(api)) for api in refused),
        )
    open_ = [api for api, answer in answers.items() if answer is None]
    if open_:
        what = dict.fromkeys(point for api in open_ for point in unclear(policy, _names(api)))
        reason = Unresolved(
            f"whether {CONSTRAINT} allows {' and '.join(open_)} hangs on what this version can't tell: "
            f"{', '.join(what)}",
            "See in the console what the policy comes to on the project.",
        )
        return unknown(reason.describe(), reason, policy.shows())
    return passed(f"{' and '.join(profile.apis)} may be used", policy.shows())


def _names(api: str) -> Callable[[str], bool | None]:
    """Whether a value names the API. Google documents no groups of services: what `in:` stands for isn't known."""

    def matches(value: str) -> bool | None:
        written = value.strip().casefold()
        return None if written.startswith("in:") else written.removeprefix("is:") == api.casefold()

    return matches

"""The caller can see all that the selected rules need."""

from preflight import (
    QUOTA_PROJECT_PERMISSION,
    ApiDisabled,
    CallerIdentity,
    Denied,
    Evidence,
    Gap,
    Maybe,
    Reason,
    Remedy,
    Severity,
    Target,
    Unknown,
    Unseen,
    Verdict,
    passed,
    role_for,
    rule,
    shell,
    skipped,
    unknown,
    warned,
)

_MOST_TOLD = 3


@rule(
    title="The caller sees all that the rules need",
    why="What the caller can't see stays unknown, and a project can't be called ready on what nobody saw.",
    severity=Severity.RECOMMENDED,
    since="0.1",
    order=900,
)
def caller_sees_all(unseen: Unseen, identity: Maybe[CallerIdentity], target: Target) -> Verdict:
    """Gathers every refused call of this run and turns it into the grants and APIs that are missing: on the
    project, on its folders and organization, and in the quota project. Deny policies that can't be read count only
    where --unread-deny says so; else it is noted that none is assumed."""
    member = "user:YOU@EXAMPLE.COM" if isinstance(identity, Unknown) else identity.member
    seen = [gap for gap in unseen.gaps if gap.fact != "caller_identity"]
    assumed = [] if target.unread_deny_blocks else [gap for gap in seen if gap.fact == "deny_policies"]
    gaps = [gap for gap in seen if gap not in assumed]
    if not unseen.asked:
        return skipped("the selected rules ask nothing of Google")
    note = "; deny policies could not be read, and none is assumed" if assumed else ""
    if not gaps:
        shown = dict.fromkeys(_evidence(gap) for gap in assumed)
        return passed(
            f"nothing that the selected rules need was out of sight{note}", _all_seen(assumed, target), *shown
        )
    denied = [gap for gap in gaps if isinstance(gap.reason, Denied)]
    disabled = [gap for gap in gaps if isinstance(gap.reason, ApiDisabled)]
    evidence = tuple(dict.fromkeys(_evidence(gap) for gap in gaps))
    others = list(dict.fromkeys(gap.reason for gap in gaps if gap not in denied and gap not in disabled))
    if not denied and not disabled:
        return unknown(
            f"not all could be read: {_told(others)}{note}",
            others[0],
            *evidence,
            remedy=tuple(dict.fromkeys(Remedy(reason.settle()) for reason in others[1:])),
        )
    reasons = [gap.reason for gap in denied if isinstance(gap.reason, Denied)]
    grants = _grants(reasons, member, target)
    unnamed = tuple(dict.fromkeys(r for r in reasons if role_for(r.permission, _grantable(r, target)) is None))
    apis = _apis([gap.reason for gap in disabled if isinstance(gap.reason, ApiDisabled)])
    missing = len(grants) + len(unnamed)
    what = [
        f"{missing} grant{'s are' if missing > 1 else ' is'} missing" if missing else "",
        f"{len(apis)} API{'s are' if len(apis) > 1 else ' is'} off" if apis else "",
        _told(others),
    ]
    return warned(
        f"the caller can't see all that the rules need: {' and '.join(w for w in what if w)}{note}",
        *evidence,
        remedy=(
            *(
                (Remedy("Give the caller sight; someone who administers IAM there has to run this.", grants),)
                if grants
                else ()
            ),
            *(Remedy(reason.settle()) for reason in unnamed),
            *((Remedy("Enable the APIs, or use another quota project with --quota-project.", apis),) if apis else ()),
            *dict.fromkeys(Remedy(reason.settle()) for reason in others),
        ),
    )


def _all_seen(assumed: list[Gap], target: Target) -> Evidence:
    but = ", those for deny policies apart" if assumed else ""
    return Evidence("preflight", f"projects/{target.project}", None, f"no call of this run was refused{but}")


def _told(reasons: list[Reason]) -> str:
    """What no grant and no API would mend: a perimeter's refusal with its identifier, an answer that didn't come."""
    said = list(dict.fromkeys(reason.describe() for reason in reasons))
    rest = len(said) - _MOST_TOLD
    return "; ".join(said[:_MOST_TOLD]) + (f"; and {rest} more" if rest > 0 else "")


def _evidence(gap: Gap) -> Evidence:
    detail = gap.reason.describe()
    if gap.provenance is None:
        return Evidence("preflight", gap.about or gap.fact, None, detail)
    return gap.provenance.saw(detail)


def _grants(reasons: list[Denied], member: str, target: Target) -> tuple[str, ...]:
    """One command a role and resource; a permission that no narrow role of ours holds is named instead."""
    commands = {}
    for reason in reasons:
        resource = _grantable(reason, target)
        role = role_for(reason.permission, resource)
        if role is not None:
            commands[resource, role] = _grant(resource, member, role)
    return tuple(commands.values())


def _grantable(reason: Denied, target: Target) -> str:
    """The resource that a grant is made on: a dataset's project stands for the dataset."""
    words = reason.resource.split("/")
    if reason.permission == QUOTA_PROJECT_PERMISSION:
        return "/".join(words[:2]) if len(words) > 1 else "projects/QUOTA_PROJECT"  # Google doesn't always name it
    if words[0] in {"folders", "organizations"}:
        return "/".join(words[:2])
    return f"projects/{target.project}"


def _grant(resource: str, member: str, role: str) -> str:
    kind, _, name = resource.partition("/")
    group = {"folders": ("resource-manager", "folders"), "organizations": ("organizations",)}.get(kind, ("projects",))
    return shell(
        "gcloud",
        *group,
        "add-iam-policy-binding",
        name,
        f"--member={member}",
        f"--role={role}",
        "--condition=None",
    )


def _apis(reasons: list[ApiDisabled]) -> tuple[str, ...]:
    commands = {}
    for reason in reasons:
        project = reason.project.removeprefix("projects/") or "QUOTA_PROJECT"
        commands[reason.api, project] = shell("gcloud", "services", "enable", reason.api, f"--project={project}")
    return tuple(commands.values())

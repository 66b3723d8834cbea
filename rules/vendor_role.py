"""The vendor's account has the role that the vendor asks for, or the minimum."""

from collections.abc import Iterable

from preflight import (
    Answer,
    Decision,
    EffectiveAccess,
    Evidence,
    Maybe,
    Profile,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    failed,
    grant_role,
    passed,
    rule,
    unknown,
    warned,
)


@rule(
    title="The vendor's account has its role",
    why="Without the role the vendor can neither make its dataset nor load into it.",
    severity=Severity.REQUIRED,
    requirements=("H6", "H7"),
    since="0.1",
    order=40,
)
def has_its_role(access: Maybe[EffectiveAccess], profile: Profile, target: Target) -> Verdict:
    """Looks for the vendor's preferred role, else for the minimum (its roles, and its permissions by whatever
    role), on the project and all its ancestors. A grant by a condition or through a group is unknown. Accounts
    that only look like the vendor's don't count, and are named."""
    grant = _grant(profile, target)
    if isinstance(access, Unknown):
        return unknown(access.reason.describe(), access.reason, *access.seen(), remedy=grant)
    preferred = access.holds_role(profile.grant.role)
    if preferred.answer is Answer.GRANTED:
        return passed(f"{target.principal} has {profile.grant.role}", *preferred.evidence)
    halves = {
        **{role: access.holds_role(role) for role in profile.grant.minimum_roles},
        **{permission: access.holds(permission) for permission in profile.grant.minimum_permissions},
    }
    if all(half.answer is Answer.GRANTED for half in halves.values()):
        return passed(
            f"{target.principal} has the minimum: {' and '.join(halves)}",
            *_unique(half.evidence for half in halves.values()),
        )
    broad = [access.holds(permission) for permission in profile.grant.broad_permissions]
    if all(decision.answer is Answer.GRANTED for decision in broad):
        roles = ", ".join(access.roles_held())
        return warned(
            f"{target.principal} can do its work, but not by the role asked for; it has {roles}",
            *_unique(decision.evidence for decision in broad),
            remedy=Remedy(
                summary=f"Grant {profile.grant.role}, then take away what is more than that.",
                commands=grant[0].commands,
                terraform=grant[0].terraform,
                console_url=grant[0].console_url,
            ),
        )
    return _not_passed(access, preferred, halves, grant, target)


def _not_passed(
    access: EffectiveAccess,
    preferred: Decision,
    halves: dict[str, Decision],
    grant: tuple[Remedy, ...],
    target: Target,
) -> Verdict:
    lookalikes = tuple(lookalike.evidence for lookalike in access.lookalikes)
    named = "".join(f"; {lookalike.member} is {lookalike.how}" for lookalike in access.lookalikes[:3])
    lacking = [name for name, half in halves.items() if half.answer is Answer.NOT_GRANTED]
    there = [name for name, half in halves.items() if half.answer is Answer.GRANTED]
    if preferred.answer is Answer.NOT_GRANTED and lacking:
        half = f" (it has {' and '.join(there)}; {' and '.join(lacking)} is missing)" if there else ""
        return failed(
            f"{target.principal} has neither the role asked for nor the minimum{half}{named}",
            *_unique([*(half.evidence for half in halves.values()), preferred.evidence, lookalikes]),
            remedy=grant,
        )
    # A half that is surely missing says nothing more once the preferred role is open, and the other way round.
    open_ = [d for d in (preferred, *halves.values()) if d.answer is Answer.UNKNOWN]
    reason = open_[0].reason
    return unknown(
        f"whether {target.principal} has its role can't be told: {reason.describe()}{named}",
        reason,
        *_unique([*(decision.evidence for decision in open_), lookalikes]),
        remedy=grant,
    )


def _grant(profile: Profile, target: Target) -> tuple[Remedy, ...]:
    return (
        grant_role(
            target.project,
            target.principal,
            profile.grant.role,
            f"Grant {profile.grant.role} on the project. It takes a minute or two to act.",
        ),
    )


def _unique(groups: Iterable[tuple[Evidence, ...]]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for group in groups for evidence in group))

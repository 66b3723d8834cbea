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
    because,
    failed,
    grant_by_custom_role,
    grant_role,
    open_points,
    passed,
    paths,
    rule,
    settling,
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
    role), on the project and all its ancestors, through groups whose members are known, and by conditions that hold
    now. What a deny rule takes away from the role is told here and judged by jobs-create and dataset-writable.
    Accounts that only look like the vendor's don't count, and are named."""
    if isinstance(access, Unknown):
        return unknown(
            access.reason.describe(), access.reason, *access.seen(), remedy=_grant(profile, target, settling=True)
        )
    preferred = access.holds_role(profile.grant.role)
    if preferred.answer is Answer.GRANTED:
        needed = (access.holds(permission) for permission in profile.permissions if access.denied_to_some(permission))
        taken = [d for d in needed if d.denied and any(link.formula is True for link in d.links)]
        denied = "".join(f"; but {why}" for why in dict.fromkeys(map(because, taken)))
        return passed(
            f"{target.principal} has {profile.grant.role}{denied}",
            *_unique([preferred.evidence, *(decision.evidence for decision in taken)]),
            access=paths(preferred, *taken),
        )
    halves = {
        **{role: access.holds_role(role) for role in profile.grant.minimum_roles},
        **{permission: access.holds(permission) for permission in profile.grant.minimum_permissions},
    }
    if halves and all(half.answer is Answer.GRANTED for half in halves.values()):
        return passed(
            f"{target.principal} has the minimum: {' and '.join(halves)}",
            *_unique(half.evidence for half in halves.values()),
            access=paths(*halves.values()),
        )
    broad = [access.holds(permission) for permission in profile.grant.broad_permissions]
    if broad and all(decision.answer is Answer.GRANTED for decision in broad):
        roles = ", ".join(access.roles_held())
        grant = _grant(profile, target)
        return warned(
            f"{target.principal} can do its work, but by more than the role asked for; it has {roles}",
            *_unique(decision.evidence for decision in broad),
            remedy=Remedy(
                summary=f"Grant {profile.grant.role}, then take away what is more than that.",
                commands=grant.commands,
                terraform=grant.terraform,
                console_url=grant.console_url,
            ),
            access=paths(*broad),
        )
    return _not_passed(access, preferred, halves, broad, profile, target)


def _not_passed(
    access: EffectiveAccess,
    preferred: Decision,
    halves: dict[str, Decision],
    broad: list[Decision],
    profile: Profile,
    target: Target,
) -> Verdict:
    lookalikes = tuple(lookalike.evidence for lookalike in access.lookalikes)
    named = "".join(f"; {lookalike.member} is {lookalike.how}" for lookalike in access.lookalikes[:3])
    lacking = [name for name, half in halves.items() if half.answer is Answer.NOT_GRANTED]
    there = [name for name, half in halves.items() if half.answer is Answer.GRANTED]
    no_more = not broad or any(decision.answer is Answer.NOT_GRANTED for decision in broad)
    if preferred.answer is Answer.NOT_GRANTED and (lacking or not halves) and no_more:
        half = f" (it has {' and '.join(there)}; {' and '.join(lacking)} is missing)" if there else ""
        reasons = dict.fromkeys(because(d) for d in (preferred, *halves.values()) if d.answer is Answer.NOT_GRANTED)
        why = "".join(f"; {reason}" for reason in reasons if reason)
        return failed(
            f"{access.principal} has neither the role asked for nor the minimum{half}{why}{named}",
            *_unique([*(half.evidence for half in halves.values()), preferred.evidence, lookalikes]),
            remedy=(_grant(profile, target), *_minimum(halves, profile, target)),
            access=paths(preferred, *halves.values()),
        )
    # A half that is surely missing says nothing more once the preferred role is open, and the other way round;
    # and with Owner through a group that may hold the account it has more than it needs, not too little.
    open_ = [d for d in (preferred, *halves.values(), *broad) if d.answer is Answer.UNKNOWN]
    reason = open_[0].reason
    return unknown(
        f"whether {access.principal} has its role can't be told: {open_points(*open_)}{named}",
        reason,
        *_unique([*(decision.evidence for decision in open_), lookalikes]),
        remedy=(*settling(open_, reason), _grant(profile, target, settling=True)),
        access=paths(*open_),
    )


def _grant(profile: Profile, target: Target, *, settling: bool = False) -> Remedy:
    return grant_role(target.project, target.principal, profile.grant.role, settling=settling)


def _minimum(halves: dict[str, Decision], profile: Profile, target: Target) -> tuple[Remedy, ...]:
    """What is wanting of the minimum, as a custom role for its permissions; nothing where a deny rule would take
    those away again."""
    roles = [name for name in profile.grant.minimum_roles if halves[name].answer is not Answer.GRANTED]
    permissions = [name for name in profile.grant.minimum_permissions if halves[name].answer is not Answer.GRANTED]
    if any(denial.formula is not False for name in permissions for denial in halves[name].denials) or not halves:
        return ()
    wanted = f"Or grant what is wanting of the minimum instead: {' and '.join((*roles, *permissions))}"
    parts = [grant_role(target.project, target.principal, role) for role in roles]
    if permissions:
        wanted += ", the permissions by a custom role"
        vendor = (profile.name, profile.vendor)
        parts.insert(0, grant_by_custom_role(target.project, target.principal, vendor, permissions, ""))
    return (
        Remedy(
            summary=f"{wanted}.",
            commands=tuple(command for part in parts for command in part.commands),
            terraform="\n\n".join(part.terraform for part in parts if part.terraform),
            console_url=parts[0].console_url,
        ),
    )


def _unique(groups: Iterable[tuple[Evidence, ...]]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for group in groups for evidence in group))

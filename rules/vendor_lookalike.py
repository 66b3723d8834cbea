"""No member of the policies looks like the vendor's account without being it."""

from preflight import (
    EffectiveAccess,
    Remedy,
    Severity,
    Target,
    Verdict,
    console_on,
    passed,
    remove_binding,
    rule,
    unknown,
    warned,
)


@rule(
    title="Nobody looks like the vendor's account",
    why="A grant to a misspelt, deleted or foreign account of the same name gives the vendor nothing, and may give "
    "a stranger access.",
    severity=Severity.RECOMMENDED,
    since="0.1",
    order=42,
)
def nobody_looks_alike(access: EffectiveAccess, target: Target) -> Verdict:
    """Compares every member of the policies that were read with the vendor's account: same name elsewhere, nearly the
    same name, a wrong kind before it, a deleted account."""
    if access.lookalikes:
        # Of several bindings of one role, one command takes the member out: with `--all` where a condition is on any.
        taken: dict[tuple[str, str, str], bool] = {}
        for found in access.lookalikes:
            key = (found.resource, found.member, found.role)
            taken[key] = taken.get(key, False) or found.conditional
        return warned(
            "; ".join(dict.fromkeys(f"{found.member} is {found.how}" for found in access.lookalikes)),
            *(found.evidence for found in access.lookalikes),
            remedy=tuple(
                Remedy(
                    summary=f"Take {role} on {resource} away from {member}, unless you know it; the vendor's account "
                    f"is {target.principal}.",
                    commands=(remove_binding(resource, member, role, conditional=conditional),),
                    console_url=console_on("iam-admin/iam", resource),
                )
                for (resource, member, role), conditional in taken.items()
            ),
        )
    if access.unseen:
        reason = access.unseen[0].unknown.reason
        seen = (evidence for fact in access.unseen for evidence in fact.unknown.seen())
        return unknown(f"nobody in what could be read; not all could: {reason.describe()}", reason, *seen)
    return passed(f"nobody looks like {target.principal}", *access.read)

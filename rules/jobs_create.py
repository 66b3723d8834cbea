"""The vendor's account may run BigQuery jobs in the project."""

from functools import partial

from preflight import (
    Answer,
    CallerIdentity,
    CallerPermissions,
    EffectiveAccess,
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
    make_exceptions,
    open_points,
    passed,
    paths,
    rule,
    settling,
    unknown,
)

PERMISSION = "bigquery.jobs.create"


@rule(
    title="The vendor's account may run jobs",
    why="Loads and queries are jobs. Without this permission each sync fails at its first statement.",
    severity=Severity.REQUIRED,
    requirements=("H6", "H7"),
    since="0.1",
    order=50,
)
def may_run_jobs(
    access: Maybe[EffectiveAccess],
    identity: Maybe[CallerIdentity],
    permissions: Maybe[CallerPermissions],
    profile: Profile,
    target: Target,
) -> Verdict:
    """Computes it from the bindings on the project and its ancestors, their conditions and the permissions of their
    roles, and the deny policies, which win. Only if the tool runs as that very account does testIamPermissions answer,
    because it speaks for the caller."""
    grant = partial(grant_role, target.project, target.principal, profile.grant.role)
    own = _own_answer(identity, permissions, target.principal)
    if own is not None:
        seen = own.provenance.saw(f"asked as {target.principal} itself: {PERMISSION} {_held(own)}")
        if own.holds(PERMISSION):
            return passed(f"{target.principal} itself was asked, and holds {PERMISSION}", seen)
        return failed(f"{target.principal} itself was asked, and does not hold {PERMISSION}", seen, remedy=grant())
    if isinstance(access, Unknown):
        return unknown(access.reason.describe(), access.reason, *access.seen(), remedy=grant(settling=True))
    decision = access.holds(PERMISSION)
    way = paths(decision)
    if decision.answer is Answer.GRANTED:
        return passed(
            f"{target.principal} holds {PERMISSION}, computed from bindings and roles", *decision.evidence, access=way
        )
    given = any(link.formula is True for link in decision.links)
    exceptions = make_exceptions([decision])
    if decision.answer is Answer.NOT_GRANTED:
        why = because(decision)
        base = f"no role of {target.principal} on the project or above holds {PERMISSION}"
        if given:
            base = f"{target.principal} is given {PERMISSION}, and does not hold it"
        elif why:
            base = f"{target.principal} does not hold {PERMISSION} now"
        return failed(
            f"{base} (computed from bindings and roles)" + (f": {why}" if why else ""),
            *decision.evidence,
            remedy=exceptions if given else (grant(), *(exceptions or (_just_that(profile, target),))),
            access=way,
        )
    return unknown(
        f"whether {target.principal} holds {PERMISSION} can't be told: {open_points(decision)}",
        decision.reason,
        *decision.evidence,
        remedy=(*settling([decision], decision.reason), *(() if given else (grant(settling=True),)), *exceptions),
        access=way,
    )


def _just_that(profile: Profile, target: Target) -> Remedy:
    vendor = (profile.name, profile.vendor)
    summary = f"Or grant just {PERMISSION}, by a custom role."
    return grant_by_custom_role(target.project, target.principal, vendor, (PERMISSION,), summary)


def _own_answer(
    identity: Maybe[CallerIdentity], permissions: Maybe[CallerPermissions], principal: str
) -> CallerPermissions | None:
    """The caller's permissions, if the caller is the principal and was asked about this one."""
    if isinstance(identity, Unknown) or isinstance(permissions, Unknown):
        return None
    is_principal = identity.member.casefold() == principal.casefold()
    return permissions if is_principal and permissions.holds(PERMISSION) is not None else None


def _held(permissions: CallerPermissions) -> str:
    return "is held" if permissions.holds(PERMISSION) else "is not held"

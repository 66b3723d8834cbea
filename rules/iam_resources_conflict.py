"""No two Terraform resources fight over the same grants."""

from preflight import (
    IamResource,
    IamResources,
    Maybe,
    NotCollected,
    Remedy,
    Severity,
    Unknown,
    Verdict,
    failed,
    passed,
    rule,
    skipped,
    unknown,
)


@rule(
    title="No two Terraform resources fight over a grant",
    why="A resource that sets a whole policy or a whole role takes away what another one grants there, with each apply "
    "anew: the vendor's role comes and goes.",
    severity=Severity.RECOMMENDED,
    requirements=("H6", "H7"),
    since="0.2",
    order=59,
)
def each_grant_has_one_manager(iam: Maybe[IamResources]) -> Verdict:
    """Looks for a `_policy` beside any other resource on the same project, folder, organization or dataset, and for a
    `_binding` beside another `_binding` or a `_member` of the same role and condition. Roles that are only known after
    apply are not compared. Only Terraform tells which resources there are; of other sources nothing is judged."""
    if isinstance(iam, Unknown):
        if isinstance(iam.reason, NotCollected):
            return skipped(iam.reason.describe())
        return unknown(iam.reason.describe(), iam.reason, *iam.seen())
    fights = [
        (resource, one, other)
        for resource, managing in iam.resources.items()
        for place, one in enumerate(managing)
        for other in managing[place + 1 :]
        if _fight(one, other)
    ]
    if fights:
        said = dict.fromkeys(f"{one.address} and {other.address} on {resource}" for resource, one, other in fights)
        first, *rest = said
        more = f"; and {len(rest)} more" if rest else ""
        return failed(
            f"resources manage the same grants: {first}{more}",
            *dict.fromkeys(one.seen() for _, *both in fights for one in both),
            remedy=tuple(dict.fromkeys(_mend(resource, one, other) for resource, one, other in fights)),
        )
    gap = iam.completeness.gap
    if gap is not None:
        where = iam.completeness.provenance
        seen = (where.saw(gap.describe()),) if where else ()
        return unknown(f"none that were read; not all could be: {gap.describe()}", gap, *seen)
    managing = [one for found in iam.resources.values() for one in found]
    if not managing:
        return skipped("no Terraform resource manages grants on the project or above")
    several = f"{len(managing)} resources manage grants, none of them another's"
    return passed(several if len(managing) > 1 else "1 resource manages grants", *(o.seen() for o in managing[:10]))


def _fight(one: IamResource, other: IamResource) -> bool:
    if one.address == other.address:
        return False
    if "policy" in {one.manner, other.manner}:
        return True
    same = (one.role, one.condition) == (other.role, other.condition)
    return bool(one.role) and same and "binding" in {one.manner, other.manner}


def _mend(resource: str, one: IamResource, other: IamResource) -> Remedy:
    if "policy" in {one.manner, other.manner}:
        whole, part = (one, other) if one.manner == "policy" else (other, one)
        return Remedy(
            f"On {resource}, put what {part.address} grants into {whole.address} and remove it, or give up managing "
            "the whole policy."
        )
    if one.manner == other.manner:
        return Remedy(f"On {resource}, put the members of {one.address} and {other.address} into one resource.")
    whole, part = (one, other) if one.manner == "binding" else (other, one)
    return Remedy(
        f"On {resource}, add the member of {part.address} to {whole.address} and remove it, or replace {whole.address} "
        "by a member resource for each of its members."
    )

"""Allow policies of projects, folders and organizations, from the resources that manage them."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition, PossibleBinding
from preflight.facts.project import Ancestry
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, Provenance, Unknown, Unresolved
from preflight.sources.terraform.kinds import POLICY_IAM, Manner
from preflight.sources.terraform.resources import Place, Resource, Unsettled
from preflight.sources.terraform.semantics.grants import Claim, Given, Settlement
from preflight.sources.terraform.semantics.home import Home, about, doubted
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import Values, condition, first_unsettled, text, texts, truth

_BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_PARENT = {"folders": "folder", "organizations": "org_id"}


def types_of(resource: str) -> tuple[str, ...]:
    """The types that manage the policy of a resource such as `folders/12`."""
    level = resource.partition("/")[0]
    return tuple(kind for kind, (of, _) in POLICY_IAM.items() if of == level)


def taking_away(resource: str) -> tuple[str, ...]:
    """Those of them that take away what they don't give."""
    return tuple(kind for kind in types_of(resource) if POLICY_IAM[kind][1] != "member")


def allow_policies(world: World, home: Home, ancestry: Ancestry | Unknown) -> AllowPolicies:
    """The project's own and those of what it is known to be in."""
    above = () if isinstance(ancestry, Unknown) else ancestry.resources
    gap = Completeness(ancestry.reason, ancestry.provenance) if isinstance(ancestry, Unknown) else ancestry.completeness
    return AllowPolicies(
        policies={name: allow_policy(world, name, home) for name in (home.own, *above)}, completeness=gap
    )


def allow_policy(world: World, resource: str, home: Home) -> AllowPolicy | Unknown:
    """What is declared of one policy; Unknown where nothing is."""
    types = types_of(resource)
    claims = list(claims_on(world, resource, home))
    if not claims:
        return world.undeclared(types, f"who holds what on {resource}")
    omitted = world.omission(types)
    settlement = Settlement(claims, world.omission(taking_away(resource)))
    completeness, by_role = _completeness(world, settlement, resource, omitted)
    whole = settlement.whole
    return put_together(settlement, resource, whole.seen if whole else world.root, completeness, by_role)


def policy_after(world: World, now: AllowPolicy | Unknown, resource: str, home: Home) -> AllowPolicy | Unknown:
    """A policy as it is now, once these changes are applied to it."""
    claims = list(claims_on(world, resource, home))
    omitted = world.omission(types_of(resource))
    taking = world.omission(taking_away(resource))
    if not claims and omitted is None:
        return now
    if isinstance(now, Unknown):
        after = allow_policy(world, resource, home)
        if isinstance(after, Unknown) or after.completeness.complete:
            return now if isinstance(after, Unknown) else after
        return replace(after, completeness=Completeness(now.reason, now.provenance))
    where = Resource(address=f"the policy of {resource}", type="", values={}, place=Place(now.provenance.resource))
    given = tuple(
        Given(binding.role, member, binding.condition, seen=now.place_of(binding))
        for binding in now.bindings
        for member in binding.members
    )
    settlement = Settlement([Claim(Item(where, {}), "member", given, existing=True), *claims], taking)
    if settlement.whole is not None and omitted is None:
        return put_together(settlement, resource, now.provenance, COMPLETE, {})
    gap = Completeness(omitted.reason, omitted.provenance) if omitted else now.completeness
    after = put_together(settlement, resource, now.provenance, gap, now.by_role)
    return replace(after, possible=(*after.possible, *now.possible))


def put_together(
    settlement: Settlement,
    resource: str,
    seen: Provenance,
    completeness: Completeness,
    by_role: dict[str, Completeness],
) -> AllowPolicy:
    """A policy of what a settlement comes to."""
    sure = _bindings(settlement)
    return AllowPolicy(
        provenance=seen,
        resource=resource,
        bindings=tuple(binding for binding, _ in sure),
        completeness=completeness,
        by_role=by_role,
        possible=tuple(
            PossibleBinding(
                why=one.why,
                role=one.given.role,
                members=(one.given.member,) if one.given.member else (),
                condition=one.given.condition,
            )
            for one in settlement.perhaps
        ),
        places=tuple(sure),
    )


def _bindings(settlement: Settlement) -> list[tuple[Binding, Provenance]]:
    """One for each resource, role and condition, in their order."""
    found: dict[tuple[int, Provenance, str, Condition | None], list[str]] = {}
    for one in settlement.standing:
        where = one.given.seen or one.claim.seen
        found.setdefault((id(one.claim), where, one.given.role, one.given.condition), []).append(one.given.member)
    return [(Binding(role, tuple(members), only_if), where) for (_, where, role, only_if), members in found.items()]


def _completeness(
    world: World, settlement: Settlement, resource: str, omitted: Unknown | None
) -> tuple[Completeness, dict[str, Completeness]]:
    if omitted is not None:
        return Completeness(omitted.reason, omitted.provenance), {}
    if settlement.whole is not None:
        return COMPLETE, {}
    by_role: dict[str, Completeness] = {}
    for claim in settlement.claims:
        # That something goes says that it no longer gives, not that nothing else does.
        if claim.item.gone and claim.manner == "member" and claim.doubt is None:
            for given in claim.given:
                why = (
                    f"{claim.item.address} is deleted, which takes {given.role} away from {given.member}; whether "
                    f"something else grants it on {resource} isn't declared"
                )
                by_role[given.role] = Completeness(Unresolved(why, _settle(resource)), claim.seen)
    for claim in settlement.completing():
        if claim.completes is None:
            continue
        role, expression = claim.completes
        if role in _BASIC:
            by_role[role] = COMPLETE  # Google takes no condition on a basic role
            continue
        under = f"on the condition {expression}" if expression else "without a condition"
        why = f"{claim.item.address} says who has {role} {under}; others may have it on another one"
        by_role.setdefault(role, Completeness(Incomplete(why, _settle(resource)), claim.seen))
    why = f"{world.declared.root} doesn't declare all of the policy of {resource}: there may be more grants"
    return Completeness(Incomplete(why, _settle(resource)), world.root), by_role


def _settle(resource: str) -> str:
    kind, _, name = resource.partition("/")
    group = {"folders": "resource-manager folders", "organizations": "organizations"}.get(kind, "projects")
    return f"Look at it with: gcloud {group} get-iam-policy {name}"


def claims_on(world: World, resource: str, home: Home) -> list[Claim]:
    """All that resources say of one policy, also those that only may be about it."""
    found = []
    for kind in types_of(resource):
        for item in world.of(kind):
            concerned = _concerned(item, resource, home)
            if concerned is not False:
                doubt = concerned if isinstance(concerned, Unsettled) else None
                found.append(_claim(item, POLICY_IAM[kind][1], doubt))
    return found


def _concerned(item: Item, resource: str, home: Home) -> bool | Unsettled:
    level, _, name = resource.partition("/")
    if level == "projects":
        return about(item, home)
    named = text(item.values, _PARENT[level])
    if named is None:
        return Unsettled(f"{item.address} names no {_PARENT[level]}")
    if isinstance(named, Unsettled):
        return named
    return doubted(item, named.removeprefix(f"{level}/") == name)


def _claim(item: Item, manner: Manner, doubt: Unsettled | None) -> Claim:
    if manner == "policy":
        if truth(item.values, "authoritative") is False:
            manner = "member"  # it merged, before version 2 of the provider; later ones show a null
        given = policy_data(item.values, item.address)
        if isinstance(given, Unsettled):
            return Claim(item, manner, (), None, doubt, given)
        return Claim(item, manner, given, None, doubt)
    return bound(item, manner, doubt)


def bound(item: Item, manner: Manner, doubt: Unsettled | None) -> Claim:
    """What a `_binding` or `_member` says: `role`, `members` or `member`, `condition`."""
    role, only_if = text(item.values, "role"), condition(item.values)
    if role is None:
        role = Unsettled(f"{item.address} names no role")
    members = texts(item.values, "members") if manner == "binding" else [_member(item)]
    unsettled = first_unsettled((role, only_if))
    name = role if isinstance(role, str) else ""
    under = only_if if isinstance(only_if, Condition) else None
    completes = (name, under.expression if under else "") if manner == "binding" and unsettled is None else None
    if isinstance(members, Unsettled):
        return Claim(item, manner, (), completes, doubt, members)
    given = tuple(
        Given(
            name,
            "" if isinstance(member, Unsettled) else member,
            under,
            unsettled or (member if isinstance(member, Unsettled) else None),
        )
        for member in members
    )
    return Claim(item, manner, given, completes, doubt)


def _member(item: Item) -> str | Unsettled:
    return text(item.values, "member") or Unsettled(f"{item.address} names no member")


class _Condition(Struct):
    expression: str = ""
    title: str = ""


class _Binding(Struct):
    role: str
    members: tuple[str, ...] = ()
    condition: _Condition | None = None


class _Policy(Struct):
    bindings: tuple[_Binding, ...] | None = None


def policy_data(values: Values, address: str) -> tuple[Given, ...] | Unsettled:
    """What a whole policy gives: IAM's JSON, inside a string."""
    data = text(values, "policy_data")
    if isinstance(data, Unsettled):
        return data
    if data is None:
        return Unsettled(f"{address} has no policy_data")
    try:
        policy = msgspec.json.decode(data, type=_Policy)
    except (msgspec.MsgspecError, RecursionError):
        return Unsettled(f"the policy_data of {address} is no policy that can be read")
    return tuple(
        Given(one.role, member, Condition(one.condition.expression, one.condition.title) if one.condition else None)
        for one in policy.bindings or ()
        for member in one.members
    )

"""Organization policies, from the resources of both APIs: what each level sets, and what that comes to."""

import msgspec

from preflight.facts.organization import KNOWN_CONSTRAINTS, OrgPolicies, OrgPolicy, PolicyRule
from preflight.facts.policy import Condition
from preflight.facts.project import Ancestry
from preflight.facts.seen import Provenance, Unknown, Unresolved
from preflight.sources.set_policies import SetPolicy, merged
from preflight.sources.terraform.kinds import OLD_ORG_POLICIES, ORG_POLICY
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.home import Home, about, doubted
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import Values, block, blocks, condition, text, texts, truth

_TYPES = (ORG_POLICY, *OLD_ORG_POLICIES)
_PARENT = {"folders": "folder", "organizations": "org_id"}


def org_policies(world: World, home: Home, ancestry: Ancestry | Unknown) -> OrgPolicies:
    """What each known constraint comes to on the project."""
    above = () if isinstance(ancestry, Unknown) else ancestry.resources
    levels = [(resource, set_on(world, resource, home)) for resource in (home.own, *above)]
    return OrgPolicies(policies={name: _effective(world, name, levels) for name in KNOWN_CONSTRAINTS})


def _effective(
    world: World, constraint: str, levels: list[tuple[str, dict[str, SetPolicy | Unknown]]]
) -> OrgPolicy | Unknown:
    sets: list[SetPolicy] = []
    for resource, level in levels:
        found = level.get(constraint)
        if found is None:
            return world.undeclared(_TYPES, f"what {constraint} comes to on {resource}")
        if isinstance(found, Unknown):
            return found
        sets.append(found)
        if not found.inherits:
            return merged(constraint, sets)
    outermost = levels[-1][0]
    if outermost.startswith("organizations/"):
        return merged(constraint, sets)
    return world.undeclared(_TYPES, f"what {constraint} comes to above {outermost}")


def set_on(world: World, resource: str, home: Home) -> dict[str, SetPolicy | Unknown]:
    """What one level sets, by constraint without `constraints/`; what isn't declared isn't in it."""
    found: dict[str, SetPolicy | Unknown] = {}
    takers: dict[str, Item] = {}
    for item in world.of(*_TYPES):
        concerned = _concerned(item, resource, home)
        constraint = _constraint(item)
        if concerned is False or (item.gone and constraint in found):
            continue
        if isinstance(constraint, Unsettled):
            found |= {name: item.unknown(constraint) for name in KNOWN_CONSTRAINTS if name not in found}
        elif isinstance(concerned, Unsettled):
            found[constraint] = item.unknown(concerned)
        elif item.gone:
            why = Unsettled(f"{item.address} is deleted: what {constraint} then comes to on {resource} isn't declared")
            found[constraint] = item.unknown(why)
        elif constraint in takers:
            why_both = f"{takers[constraint].address} and {item.address} both set {constraint} on {resource}"
            found[constraint] = Unknown(Unresolved(why_both, "Leave one of them."), item.seen())
        else:
            takers[constraint] = item
            found[constraint] = _set(item)
    return found


def _constraint(item: Item) -> str | Unsettled:
    if item.resource.type == ORG_POLICY:
        name = text(item.values, "name")
        name = name.rpartition("/")[2] if isinstance(name, str) else name
    else:
        name = text(item.values, "constraint")
        name = name.removeprefix("constraints/") if isinstance(name, str) else name
    return Unsettled(f"{item.address} names no constraint") if name is None else name


def _concerned(item: Item, resource: str, home: Home) -> bool | Unsettled:
    level, _, name = resource.partition("/")
    if item.resource.type == ORG_POLICY:
        parent = text(item.values, "parent")
        if not isinstance(parent, str):
            return parent or Unsettled(f"{item.address} names no parent")
        if level == "projects":
            found = home.is_it(parent) if parent.startswith("projects/") else False
            return found if found is False else doubted(item, found)
        return doubted(item, parent == resource)
    if OLD_ORG_POLICIES[item.resource.type] != level:
        return False
    if level == "projects":
        return about(item, home)
    named = text(item.values, _PARENT[level])
    if not isinstance(named, str):
        return named or Unsettled(f"{item.address} names no {_PARENT[level]}")
    return doubted(item, named.removeprefix(f"{level}/") == name)


def _set(item: Item) -> SetPolicy | Unknown:
    try:
        return _new(item) if item.resource.type == ORG_POLICY else _old(item)
    except _UnsettledError as error:
        return item.unknown(error.why)


class _UnsettledError(Exception):
    """Something that the policy hangs on isn't settled."""

    def __init__(self, why: Unsettled) -> None:
        super().__init__(why.why)
        self.why = why


def _block(values: Values, key: str) -> Values | None:
    found = block(values, key)
    if isinstance(found, Unsettled):
        raise _UnsettledError(found)
    return found


def _truth(values: Values, key: str) -> bool | None:
    found = truth(values, key)
    if isinstance(found, Unsettled):
        raise _UnsettledError(found)
    return found


def _texts(values: Values | None, key: str) -> tuple[str, ...]:
    found = texts(values or {}, key)
    if isinstance(found, Unsettled):
        raise _UnsettledError(found)
    for one in found:
        if isinstance(one, Unsettled):
            raise _UnsettledError(one)
    return tuple(one for one in found if isinstance(one, str))


def _old(item: Item) -> SetPolicy:
    """Resource Manager's v1 form."""
    seen: Provenance = item.seen("constraint")
    boolean, listed = _block(item.values, "boolean_policy"), _block(item.values, "list_policy")
    if boolean is not None:
        return SetPolicy((PolicyRule(enforce=_truth(boolean, "enforced") is True),), False, seen)
    if listed is None:
        return SetPolicy((), False, seen)  # it restores Google's default
    allow, deny = _block(listed, "allow"), _block(listed, "deny")
    rule = PolicyRule(
        allow_all=_truth(allow or {}, "all") is True,
        deny_all=_truth(deny or {}, "all") is True,
        allowed=_texts(allow, "values"),
        denied=_texts(deny, "values"),
    )
    return SetPolicy((rule,), _truth(listed, "inherit_from_parent") is True, seen)


def _new(item: Item) -> SetPolicy | Unknown:
    """Org Policy's v2 form."""
    seen: Provenance = item.seen("spec")
    spec = _block(item.values, "spec")
    if spec is None:
        # Tried out (`dry_run_spec`) it sets nothing.
        return item.unknown(Unsettled(f"{item.address} sets nothing: what is inherited isn't declared"))
    if _truth(spec, "reset"):
        return SetPolicy((), False, seen)
    rules = blocks(spec, "rules")
    if isinstance(rules, Unsettled):
        raise _UnsettledError(rules)
    return SetPolicy(tuple(_rule(one) for one in rules), _truth(spec, "inherit_from_parent") is True, seen)


def _rule(given: Values | Unsettled) -> PolicyRule:
    if isinstance(given, Unsettled):
        raise _UnsettledError(given)
    values, only_if = _block(given, "values"), condition(given)
    if isinstance(only_if, Unsettled):
        raise _UnsettledError(only_if)
    return PolicyRule(
        allow_all=_truth(given, "allow_all") is True,
        deny_all=_truth(given, "deny_all") is True,
        allowed=_texts(values, "allowed_values"),
        denied=_texts(values, "denied_values"),
        enforce=_truth(given, "enforce"),
        parameters=_parameters(given),
        condition=only_if if isinstance(only_if, Condition) else None,
    )


def _parameters(given: Values) -> dict[str, tuple[str, ...]]:
    written = text(given, "parameters")
    if written is None:
        return {}
    if isinstance(written, Unsettled):
        raise _UnsettledError(written)
    try:
        whole = msgspec.json.decode(written, type=dict[str, list[str] | str | bool | float | None])
    except (msgspec.MsgspecError, RecursionError):
        raise _UnsettledError(Unsettled("its parameters are no JSON that can be read")) from None
    return {
        name: tuple(value)
        if isinstance(value, list)
        else (str(value).lower() if isinstance(value, bool) else str(value),)
        for name, value in whole.items()
    }

"""Deny policies, from `google_iam_deny_policy`."""

from urllib.parse import unquote

from preflight.facts.deny import ANY_PERMISSION, AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.policy import Condition
from preflight.facts.project import Ancestry
from preflight.facts.seen import Completeness, Unknown
from preflight.sources.terraform.kinds import DENY_POLICY
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.home import Home, doubted
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import Values, block, blocks, condition, text, texts

_HOST = "cloudresourcemanager.googleapis.com/"
_EVERYBODY = "principalSet://goog/public:all"


def deny_policies(world: World, home: Home, ancestry: Ancestry | Unknown) -> DenyPolicies | Unknown:
    """Those that are declared for the project and what it is known to be in; there may be others."""
    above = () if isinstance(ancestry, Unknown) else ancestry.resources
    attached: dict[str, AttachedDenyPolicies | Unknown] = {}
    for resource in (home.own, *above):
        policies: dict[str, DenyPolicy | Unknown] = {}
        for item in world.of(DENY_POLICY):
            concerned = _concerned(item, resource, home)
            if concerned is not False and not item.gone:
                doubt = concerned if isinstance(concerned, Unsettled) else None
                name = text(item.values, "name")
                policies[name if isinstance(name, str) else item.address] = _policy(item, doubt)
        if policies:
            gap = _gap(world, resource)
            attached[resource] = AttachedDenyPolicies(
                provenance=world.root,
                resource=resource,
                policies=policies,
                completeness=Completeness(gap.reason, gap.provenance),
            )
    if not attached:
        return _gap(world, home.own)
    for resource in (home.own, *above):
        attached.setdefault(resource, _gap(world, resource))
    if isinstance(ancestry, Unknown):
        return DenyPolicies(attached=attached, completeness=Completeness(ancestry.reason, ancestry.provenance))
    return DenyPolicies(attached=attached, completeness=ancestry.completeness)


def changed_on(world: World, resource: str, home: Home) -> tuple[dict[str, DenyPolicy], set[str]]:
    """Of a world of changes: the policies that come to be attached to a resource, and the names of those that go."""
    come: dict[str, DenyPolicy] = {}
    gone: set[str] = set()
    for item in world.of(DENY_POLICY):
        concerned = _concerned(item, resource, home)
        if concerned is False:
            continue
        name = text(item.values, "name")
        known = name if isinstance(name, str) else item.address
        if item.gone:
            gone.add(known)
        else:
            come[known] = _policy(item, concerned if isinstance(concerned, Unsettled) else None)
            gone.add(known)
    return come, gone


def _gap(world: World, resource: str) -> Unknown:
    return world.undeclared((DENY_POLICY,), f"which deny policies {resource} has")


def _concerned(item: Item, resource: str, home: Home) -> bool | Unsettled:
    parent = text(item.values, "parent")
    if parent is None:
        return Unsettled(f"{item.address} names no parent")
    if isinstance(parent, Unsettled):
        return parent
    named = unquote(parent).removeprefix(_HOST)
    if resource == home.own and named.startswith("projects/"):
        found = home.is_it(named)
        return found if found is False else doubted(item, found)
    return doubted(item, named == resource)


def _policy(item: Item, doubt: Unsettled | None) -> DenyPolicy:
    name = text(item.values, "name")
    found = blocks(item.values, "rules")
    rules = (
        (_anything(item, found),)
        if isinstance(found, Unsettled)
        else tuple(rule for one in found if (rule := _rule(item, one, doubt)) is not None)
    )
    return DenyPolicy(provenance=item.seen("rules"), name=name if isinstance(name, str) else item.address, rules=rules)


def _anything(item: Item, why: Unsettled) -> DenyRule:
    return DenyRule((_EVERYBODY,), (ANY_PERMISSION,), doubt=item.unknown(why))


def _rule(item: Item, given: Values | Unsettled, doubt: Unsettled | None) -> DenyRule | None:
    """One rule; None for a block that denies nothing."""
    if isinstance(given, Unsettled):
        return _anything(item, given)
    deny = block(given, "deny_rule")
    if deny is None:
        return None
    if isinstance(deny, Unsettled):
        return _anything(item, deny)
    denied, what = texts(deny, "denied_principals"), texts(deny, "denied_permissions")
    spared, allowed = texts(deny, "exception_principals"), texts(deny, "exception_permissions")
    only_if = condition(deny, "denial_condition")
    open_ = [
        doubt,
        *(found for found in (denied, what, spared, allowed) if isinstance(found, Unsettled)),
        *(one for found in (denied, what, spared, allowed) if isinstance(found, list) for one in found),
        only_if,
    ]
    why = next((one for one in open_ if isinstance(one, Unsettled)), None)
    return DenyRule(
        denied_principals=_all(denied, _EVERYBODY),
        denied_permissions=_all(what, ANY_PERMISSION),
        exception_principals=_sure(spared),
        exception_permissions=_sure(allowed),
        condition=only_if if isinstance(only_if, Condition) else None,
        doubt=None if why is None else item.unknown(why),
    )


def _all(found: list[str | Unsettled] | Unsettled, instead: str) -> tuple[str, ...]:
    """The most that it may be."""
    if isinstance(found, Unsettled):
        return (instead,)
    return tuple(instead if isinstance(one, Unsettled) else one for one in found)


def _sure(found: list[str | Unsettled] | Unsettled) -> tuple[str, ...]:
    """The least that it may be."""
    return () if isinstance(found, Unsettled) else tuple(one for one in found if isinstance(one, str))

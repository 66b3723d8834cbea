"""Who may do what: how policies, roles, datasets' lists and deny policies changed, a grant or rule at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial

from preflight.comparison.changes import (
    Change,
    Kind,
    Thing,
    asked_of_both,
    completeness,
    keyed,
    listed,
    maybe,
    only_one,
    value,
)
from preflight.facts.dataset import AccessEntry, Dataset, Datasets, DatasetSettings
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.iam_resources import IamResource, IamResources
from preflight.facts.policy import AllowPolicies, AllowPolicy, Condition, PossibleBinding, Role, Roles
from preflight.facts.seen import COMPLETE, Completeness, Unknown

_ABOVE = "folders and organization above the project"

Grants = dict[tuple[str, str], set[str]]
"""The conditions under which a member has a role; an empty one: always."""


def allow_policies(before: AllowPolicies, after: AllowPolicies) -> Iterator[Change]:
    """Allow policies of the project and above."""
    gaps = before.completeness, after.completeness
    yield from completeness(Thing("allow_policies", _ABOVE, "policy"), *gaps)

    def thing(name: str) -> Thing:
        return Thing("allow_policies", name, "policy")

    yield from keyed(thing, before.policies, after.policies, gaps, _allow_policy, _counted)


def _counted(policy: AllowPolicy) -> str:
    number = sum(len(binding.members) for binding in policy.bindings)
    return f"{number} {'grant' if number == 1 else 'grants'}"


def _allow_policy(thing: Thing, before: AllowPolicy, after: AllowPolicy) -> Iterator[Change]:
    grant = thing.of("grant")
    yield from completeness(grant, before.completeness, after.completeness)
    for role in dict.fromkeys((*before.by_role, *after.by_role)):
        yield from completeness(thing.of(f"grant of {role}"), before.completeness_of(role), after.completeness_of(role))

    def gaps(role: str) -> tuple[Completeness, Completeness]:
        return before.completeness_of(role), after.completeness_of(role)

    old, new = _grants_of(before), _grants_of(after)
    for role, member in dict.fromkeys((*old, *new)):
        name = f"{role} to {member}"
        yield from _conditions(grant, name, old.get((role, member)), new.get((role, member)), gaps(role))
    possible = thing.of("possible grant")
    yield from listed(possible, map(_possible, before.possible), map(_possible, after.possible))


def _grants_of(policy: AllowPolicy) -> Grants:
    found: Grants = defaultdict(set)
    for binding in policy.bindings:
        for member in binding.members:
            found[binding.role, member].add(condition_text(binding.condition))
    return found


def condition_text(condition: Condition | None) -> str:
    """A condition as it is told; empty: there is none."""
    if condition is None:
        return ""
    return f"{condition.expression} ({condition.title})" if condition.title else condition.expression


def _conditions(
    thing: Thing,
    name: str,
    before: set[str] | None,
    after: set[str] | None,
    gaps: tuple[Completeness, Completeness],
) -> Iterator[Change]:
    """The same grant under other conditions is one change, not two."""
    if before == after:
        return
    if before and after:
        yield thing.of("condition of the grant").change(
            Kind.CHANGED, name=name, before=_joined(before), after=_joined(after)
        )
    else:
        found = after or before or set()
        told = "" if found == {""} else _joined(found)
        yield only_one(thing, name, gaps, appeared=bool(after), told=told or None)


def _joined(conditions: set[str]) -> str:
    return "; or ".join(sorted(one or "none" for one in conditions))


def _possible(grant: PossibleBinding) -> str:
    under = f", only if {condition_text(grant.condition)}" if grant.condition else ""
    who = ", ".join(grant.members) or "anybody"
    return f"{grant.role or 'any role'} to {who}{under}: {grant.why.reason.describe()}"


def roles(before: Roles, after: Roles) -> Iterator[Change]:
    """What roles hold. Which roles were looked at follows from the policies."""

    def thing(name: str) -> Thing:
        return Thing("roles", name, "definition")

    yield from asked_of_both(thing, before.roles, after.roles, _role)


def _role(thing: Thing, before: Role, after: Role) -> Iterator[Change]:
    yield from value(thing.of("title"), before.title, after.title)
    yield from value(thing.of("deleted"), before.deleted, after.deleted)
    yield from value(thing.of("disabled"), before.disabled, after.disabled)
    yield from listed(thing.of("permission"), sorted(before.permissions), sorted(after.permissions))


def groups(before: Groups, after: Groups) -> Iterator[Change]:
    """Who is in groups. Which groups were looked at follows from the policies."""

    def thing(name: str) -> Thing:
        return Thing("groups", f"group {name}", "members")

    yield from asked_of_both(thing, before.groups, after.groups, _group)


def _group(thing: Thing, before: Group, after: Group) -> Iterator[Change]:
    gaps = before.completeness, after.completeness
    member = thing.of("member")
    yield from completeness(member, *gaps)
    yield from listed(member, before.members, after.members, gaps)
    for name in before.checked:
        was, now = before.checked[name], after.checked.get(name)
        if now is not None and was is not now:
            yield only_one(member, name, (COMPLETE, COMPLETE), appeared=now)


def deny_policies(before: DenyPolicies, after: DenyPolicies) -> Iterator[Change]:
    """Deny policies of the project and above, a rule at a time."""
    gaps = before.completeness, after.completeness
    yield from completeness(Thing("deny_policies", _ABOVE, "deny policy"), *gaps)

    def thing(name: str) -> Thing:
        return Thing("deny_policies", name, "deny policies")

    old, new = before.attached, after.attached
    was = {name: found for name, found in old.items() if name in new or _says_something(found)}
    now = {name: found for name, found in new.items() if name in old or _says_something(found)}
    yield from keyed(thing, was, now, gaps, _attached, lambda one: ", ".join(one.policies))


def _says_something(attached: AttachedDenyPolicies | Unknown) -> bool:
    """That there is no deny policy on what was looked at once is no change."""
    return not isinstance(attached, AttachedDenyPolicies) or bool(attached.policies)


def _attached(thing: Thing, before: AttachedDenyPolicies, after: AttachedDenyPolicies) -> Iterator[Change]:
    gaps = before.completeness, after.completeness
    yield from completeness(thing.of("deny policy"), *gaps)

    def own(name: str) -> Thing:
        return thing.of(f"deny policy {name}")

    yield from keyed(own, before.policies, after.policies, gaps, _deny_policy, _rules_of)


def _rules_of(policy: DenyPolicy) -> str:
    return "; ".join(map(_deny_rule, policy.rules))


def _deny_policy(thing: Thing, before: DenyPolicy, after: DenyPolicy) -> Iterator[Change]:
    rule = thing.of(f"rule of {thing.what}")
    yield from listed(rule, map(_deny_rule, before.rules), map(_deny_rule, after.rules))


def _deny_rule(rule: DenyRule) -> str:
    parts = [f"denies {', '.join(rule.denied_permissions)} to {', '.join(rule.denied_principals)}"]
    if rule.exception_principals:
        parts.append(f"but not to {', '.join(rule.exception_principals)}")
    if rule.exception_permissions:
        parts.append(f"but not {', '.join(rule.exception_permissions)}")
    if rule.condition:
        parts.append(f"only if {condition_text(rule.condition)}")
    if rule.doubt:
        parts.append(f"in doubt: {rule.doubt.reason.describe()}")
    return ", ".join(parts)


def datasets(before: Datasets, after: Datasets) -> Iterator[Change]:
    """The datasets, where they are, and who may do what in them."""
    gaps = before.completeness, after.completeness
    yield from completeness(Thing("datasets", "the project", "dataset"), *gaps)

    def thing(name: str) -> Thing:
        return Thing("datasets", f"dataset {name}", "dataset")

    yield from keyed(thing, before.datasets, after.datasets, gaps, _dataset, lambda one: f"in {one.location}")
    deleted = Thing("datasets", "the plan", "dataset that is deleted")
    yield from listed(deleted, before.absent, after.absent)


def _dataset(thing: Thing, before: Dataset, after: Dataset) -> Iterator[Change]:
    # BigQuery writes US and EU, files say us and eu.
    if before.location.casefold() != after.location.casefold():
        yield from value(thing.of("location"), before.location, after.location)
    gaps = before.access_completeness, after.access_completeness

    def access(old: tuple[AccessEntry, ...], new: tuple[AccessEntry, ...]) -> Iterator[Change]:
        grant = thing.of("grant")
        yield from completeness(grant, *gaps)
        was, now = _entries(old), _entries(new)
        for name in dict.fromkeys((*was, *now)):
            yield from _conditions(grant, name, was.get(name), now.get(name), gaps)

    yield from maybe(thing.of("access list"), before.access, after.access, access)
    yield from maybe(thing.of("settings"), before.settings, after.settings, partial(_settings, thing))


def _entries(access: Iterable[AccessEntry]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for entry in access:
        name = f"authorized {entry.authorized}" if entry.authorized else f"{entry.role_name} to {entry.member}"
        found[name].add(condition_text(entry.condition))
    return found


def _settings(thing: Thing, before: DatasetSettings, after: DatasetSettings) -> Iterator[Change]:
    for what, old, new in (
        ("expiration of tables", before.table_expiration_ms, after.table_expiration_ms),
        ("expiration of partitions", before.partition_expiration_ms, after.partition_expiration_ms),
    ):
        yield from value(thing.of(what), _period(old), _period(new))
    yield from value(thing.of("encryption key"), before.kms_key, after.kms_key)


_DAY = 24 * 60 * 60 * 1000


def _period(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "never"
    days = milliseconds / _DAY
    return f"{days:g} {'day' if days == 1 else 'days'}" if days >= 1 else f"{milliseconds / 1000:g} s"


def iam_resources(before: IamResources, after: IamResources) -> Iterator[Change]:
    """What a repository manages grants by."""
    thing = Thing("iam_resources", "", "resource that manages grants")
    yield from completeness(thing._replace(about="the repository"), before.completeness, after.completeness)
    for name in dict.fromkeys((*before.resources, *after.resources)):
        old, new = (map(_iam_resource, one.resources.get(name, ())) for one in (before, after))
        yield from listed(thing._replace(about=name), old, new, (before.completeness, after.completeness))


def _iam_resource(one: IamResource) -> str:
    role = f" of {one.role}" if one.role else ""
    return f"{one.address} ({one.manner}{role}{f', only if {one.condition}' if one.condition else ''})"

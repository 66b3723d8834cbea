"""The facts that changed between two snapshots of one project. When and where each was read is no change."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from preflight.comparison import policies
from preflight.comparison.changes import (
    Change,
    Kind,
    Thing,
    asked,
    asked_of_both,
    completeness,
    listed,
    maybe,
    value,
    values,
)
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.iam_resources import IamResources
from preflight.facts.organization import Organization, OrgPolicies, OrgPolicy, Tags
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Service, Services
from preflight.facts.second_opinion import SecondOpinion, SecondOpinions
from preflight.facts.seen import Maybe, Provenance
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.facts.tables import TableList, Tables


class FactChanges(Struct, frozen=True):
    """How the facts of two snapshots differ."""

    changes: tuple[Change, ...]
    not_in_both: tuple[str, ...]
    """The kinds of facts that just one of them was asked for."""


TITLES = {
    "project": "project",
    "billing": "billing",
    "services": "APIs",
    "ancestry": "place in the hierarchy",
    "allow_policies": "allow policies",
    "roles": "roles",
    "deny_policies": "deny policies",
    "groups": "groups",
    "tags": "tags",
    "organization": "organization",
    "org_policies": "organization policies",
    "datasets": "datasets",
    "tables": "tables and views",
    "caller_identity": "caller",
    "caller_permissions": "caller's permissions",
    "second_opinions": "Policy Troubleshooter's answers",
    "iam_resources": "resources that manage grants",
}
"""What people call a kind of fact."""


def compared(before: Snapshot, after: Snapshot, *, names: bool = True) -> FactChanges:
    """What changed. Without `names`, as where they are replaced in one of the snapshots, what has none is compared."""
    changes: list[Change] = []
    not_in_both: list[str] = []
    for kind, field in FIELD_OF.items():
        old, new = getattr(before, field), getattr(after, field)
        if asked(old) != asked(new):
            not_in_both.append(field)
        elif names:
            changes += maybe(Thing(field, "the project", TITLES.get(field, field)), old, new, COMPARED[kind])
        elif kind in NAMELESS:
            nameless = NAMELESS[kind]
            changes += maybe(Thing(field, "the project", TITLES.get(field, field)), old, new, nameless)
    return FactChanges(tuple(changes), tuple(not_in_both))


def _project(before: Project, after: Project) -> Iterator[Change]:
    thing = Thing("project", "the project", "")
    yield from value(thing.of("ID"), before.id, after.id)
    yield from value(thing.of("number"), before.number, after.number)
    yield from value(thing.of("display name"), before.name, after.name)
    yield from value(thing.of("state"), before.state, after.state)
    parent = thing.of("parent")
    yield from maybe(parent, before.parent, after.parent, partial(value, parent))


def _state(before: Project, after: Project) -> Iterator[Change]:
    yield from value(Thing("project", "the project", "state"), before.state, after.state)


def _billing(before: Billing, after: Billing) -> Iterator[Change]:
    yield from _billing_on(before, after)
    yield from value(Thing("billing", "billing", "account"), before.account, after.account)


def _billing_on(before: Billing, after: Billing) -> Iterator[Change]:
    yield from value(Thing("billing", "billing", "enabled"), before.enabled, after.enabled)


def _services(before: Services, after: Services) -> Iterator[Change]:
    yield from asked_of_both(lambda name: Thing("services", name, "state"), before.services, after.services, _service)


def _service(thing: Thing, before: Service, after: Service) -> Iterator[Change]:
    yield from value(thing, before.state.value, after.state.value)


def _ancestry(before: Ancestry, after: Ancestry) -> Iterator[Change]:
    thing = Thing("ancestry", "the project", "folder or organization above it")
    yield from completeness(thing, before.completeness, after.completeness)
    if before.completeness.complete and after.completeness.complete:
        lies = thing.of("place in the hierarchy")
        yield from value(lies, before.resources, after.resources)
    else:
        yield from listed(thing, before.resources, after.resources, (before.completeness, after.completeness))


def _tags(before: Tags, after: Tags) -> Iterator[Change]:
    thing = Thing("tags", "the project", "tag")
    if before.tags != after.tags:
        yield from values(thing, before.tags, after.tags)
    else:  # the same by other names
        yield from values(thing, before.ids, after.ids)


def _organization(before: Organization, after: Organization) -> Iterator[Change]:
    thing = Thing("organization", "the organization", "")
    yield from value(thing.of("name"), before.name, after.name)
    yield from value(thing.of("domain"), before.domain, after.domain)
    yield from value(thing.of("directory customer ID"), before.directory_customer_id, after.directory_customer_id)


def _org_policies(before: OrgPolicies, after: OrgPolicies) -> Iterator[Change]:
    yield from asked_of_both(
        lambda name: Thing("org_policies", name, "organization policy"), before.policies, after.policies, _org_policy
    )


def _org_policy(thing: Thing, before: OrgPolicy, after: OrgPolicy) -> Iterator[Change]:
    old, new = (tuple(rule.said for rule in policy.rules) for policy in (before, after))
    if sorted(old) != sorted(new):
        yield thing.change(Kind.CHANGED, before="; ".join(old) or "nothing set", after="; ".join(new) or "nothing set")


def _caller_identity(before: CallerIdentity, after: CallerIdentity) -> Iterator[Change]:
    yield from value(Thing("caller_identity", "the caller", "account"), before.email, after.email)


def _caller_permissions(before: CallerPermissions, after: CallerPermissions) -> Iterator[Change]:
    if before.resource != after.resource:
        return
    both = before.asked & after.asked
    thing = Thing("caller_permissions", f"the caller on {before.resource}", "permission")
    yield from listed(thing, sorted(before.granted & both), sorted(after.granted & both))


def _second_opinions(before: SecondOpinions, after: SecondOpinions) -> Iterator[Change]:
    def thing(name: str) -> Thing:
        return Thing("second_opinions", name, "Policy Troubleshooter's answer")

    if before.principal == after.principal:
        yield from asked_of_both(thing, before.answers, after.answers, _second_opinion)


def _second_opinion(thing: Thing, before: SecondOpinion, after: SecondOpinion) -> Iterator[Change]:
    if before.resource == after.resource:
        yield from value(thing, before.answer.value, after.answer.value)


def _tables(before: Tables, after: Tables) -> Iterator[Change]:
    datasets = dict.fromkeys((*before.datasets, *before.absent, *after.datasets, *after.absent))
    for name in datasets:
        thing = Thing("tables", f"dataset {name}", "table or view")
        looks = (_in_dataset(before, name), _in_dataset(after, name))
        yield from maybe(thing, *looks, partial(_table_list, thing))


def _in_dataset(tables: Tables, name: str) -> Maybe[TableList]:
    """A dataset that isn't there holds nothing."""
    found = tables.get(name)
    return TableList(provenance=Provenance("", ""), dataset=name, tables={}) if found is None else found


def _table_list(thing: Thing, before: TableList, after: TableList) -> Iterator[Change]:
    gaps = (before.completeness, after.completeness)
    yield from completeness(thing, *gaps)
    yield from values(thing, before.tables, after.tables, gaps)


Comparing = Callable[[Any, Any], Iterable[Change]]

COMPARED: dict[type[Fact], Comparing] = {
    Project: _project,
    Billing: _billing,
    Services: _services,
    Ancestry: _ancestry,
    AllowPolicies: policies.allow_policies,
    Roles: policies.roles,
    DenyPolicies: policies.deny_policies,
    Groups: policies.groups,
    Tags: _tags,
    Organization: _organization,
    OrgPolicies: _org_policies,
    Datasets: policies.datasets,
    Tables: _tables,
    CallerIdentity: _caller_identity,
    CallerPermissions: _caller_permissions,
    SecondOpinions: _second_opinions,
    IamResources: policies.iam_resources,
}
"""How each kind of fact is compared."""

NAMELESS: dict[type[Fact], Comparing] = {Project: _state, Billing: _billing_on, Services: _services}
"""The same where names can't be: what is left of a fact without them."""

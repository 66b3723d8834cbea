"""Facts of a repository that alone decides some parts of a project: what it doesn't declare of them isn't there.

Only silence is closed. What is declared and can't be resolved stays unknown, and so does what wasn't read.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from preflight.configuration.model import Part
from preflight.errors import close_to
from preflight.facts.catalogue import role_catalogue
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies
from preflight.facts.groups import Group, Groups
from preflight.facts.policy import AllowPolicies, AllowPolicy, Roles
from preflight.facts.project import Billing, Project, Service, Services, ServiceState
from preflight.facts.seen import (
    COMPLETE,
    Completeness,
    Incomplete,
    NotCollected,
    Provenance,
    Reason,
    Unknown,
    Unresolved,
)
from preflight.facts.snapshot import Snapshot

SOURCE = "owned, not declared"
"""What evidence calls the source of an absence."""
ABSENT = "ABSENT"
"""The state of a project that should be declared, and isn't."""

# BigQuery's reference of datasets (`access[]`): what it fills in where none is given when a dataset is made. The one
# who makes it becomes an owner too.
_FILLED_IN = (
    AccessEntry(role="OWNER", special_group="projectOwners"),
    AccessEntry(role="WRITER", special_group="projectWriters"),
    AccessEntry(role="READER", special_group="projectReaders"),
)

Seen = TypeVar("Seen")


def silent(reason: Reason) -> bool:
    """Whether something is unknown just because nothing is said of it."""
    return isinstance(reason, NotCollected | Incomplete)


def closed(snapshot: Snapshot, owned: Mapping[Part, Provenance], project: str) -> Snapshot:
    """The snapshot with the owned parts' silence taken for absence; `owned` says where each is owned."""
    for part, where in owned.items():
        snapshot = _CLOSE[part](snapshot, where, project)
    return snapshot


def _silent(fact: object) -> bool:
    return isinstance(fact, Unknown) and silent(fact.reason)


def _project(snapshot: Snapshot, where: Provenance, project: str) -> Snapshot:
    if not _silent(snapshot.project):
        return snapshot
    return replace(snapshot, project=Project(provenance=where, id=project, number="", state=ABSENT, parent=None))


def _billing(snapshot: Snapshot, where: Provenance, _project: str) -> Snapshot:
    fact = snapshot.billing
    # That an account is linked, and whether it is open isn't told, is more than silence.
    if not isinstance(fact, Unknown) or not isinstance(fact.reason, NotCollected):
        return snapshot
    return replace(snapshot, billing=Billing(provenance=where, enabled=False, account=None))


def _api(snapshot: Snapshot, where: Provenance, _project: str) -> Snapshot:
    if isinstance(snapshot.services, Unknown):
        return snapshot
    states = {
        api: Service(provenance=where, name=api, state=ServiceState.DISABLED) if _silent(state) else state
        for api, state in snapshot.services.services.items()
    }
    return replace(snapshot, services=Services(services=states))


def _iam(snapshot: Snapshot, where: Provenance, project: str) -> Snapshot:
    snapshot = replace(snapshot, deny_policies=_no_more_denied(snapshot.deny_policies, where, f"projects/{project}"))
    if isinstance(snapshot.allow_policies, Unknown):
        return snapshot
    policies: dict[str, AllowPolicy | Unknown] = {}
    for name, policy in snapshot.allow_policies.policies.items():
        if isinstance(policy, Unknown):
            absent = AllowPolicy(provenance=where, resource=name, bindings=())
            policies[name] = absent if silent(policy.reason) else policy
        else:
            policies[name] = _whole(policy, where)
    completeness = _closed(snapshot.allow_policies.completeness)
    return replace(
        snapshot,
        allow_policies=AllowPolicies(policies=policies, completeness=completeness),
        roles=_of_unknown_meaning(snapshot.roles, policies),
    )


def _whole(policy: AllowPolicy, where: Provenance) -> AllowPolicy:
    gap = policy.completeness.gap
    if gap is None or not silent(gap):
        return policy
    # What is deleted leaves open whether something else gives the same: where it is owned nothing does; where that is
    # only supposed it stays open, for a deletion is no silence.
    by_role = {} if where.source == SOURCE else {role: _closed(known) for role, known in policy.by_role.items()}
    return replace(policy, provenance=where, completeness=COMPLETE, by_role=by_role)


def _closed(known: Completeness) -> Completeness:
    return COMPLETE if known.gap is not None and silent(known.gap) else known


def _of_unknown_meaning(roles: Roles | Unknown, policies: Mapping[str, AllowPolicy | Unknown]) -> Roles | Unknown:
    """The roles, with those that are bound and of which it isn't known what they give, custom ones that aren't
    declared and predefined ones that this version doesn't know: that is open, not absent."""
    if isinstance(roles, Unknown):
        return roles
    found = dict(roles.roles)
    known = role_catalogue().roles
    for policy in policies.values():
        for binding, place in policy.places if isinstance(policy, AllowPolicy) else ():
            if binding.role not in found and binding.role not in known:
                found[binding.role] = Unknown(_unknown_role(binding.role), place)
    return Roles(roles=found)


def _unknown_role(role: str) -> Unresolved:
    if not role.startswith("roles/"):
        return Unresolved(f"what {role} gives isn't declared here", "Declare the role here.")
    meant = close_to(role, tuple(role_catalogue().roles))
    hint = f"Did you mean {meant}? " if meant else ""
    return Unresolved(
        f"this version of preflight knows no role {role}", f"{hint}If it is new, judge it with: preflight run"
    )


def _no_more_denied(known: DenyPolicies | Unknown, where: Provenance, own: str) -> DenyPolicies | Unknown:
    if isinstance(known, Unknown):
        if not silent(known.reason):
            return known
        none = AttachedDenyPolicies(provenance=where, resource=own, policies={})
        return DenyPolicies(attached={own: none})
    attached: dict[str, AttachedDenyPolicies | Unknown] = {}
    for name, policies in known.attached.items():
        if isinstance(policies, Unknown):
            none = AttachedDenyPolicies(provenance=where, resource=name, policies={})
            attached[name] = none if silent(policies.reason) else policies
        else:
            attached[name] = replace(policies, completeness=_closed(policies.completeness))
    return DenyPolicies(attached=attached, completeness=_closed(known.completeness))


def _dataset(snapshot: Snapshot, where: Provenance, _project: str) -> Snapshot:
    datasets = snapshot.datasets
    if isinstance(datasets, Unknown):
        none = Datasets(provenance=where, datasets={})
        return replace(snapshot, datasets=none if silent(datasets.reason) else datasets)
    found = {name: _filled_in(one) if isinstance(one, Dataset) else one for name, one in datasets.datasets.items()}
    gap = datasets.completeness.gap
    if gap is None or not silent(gap):
        return replace(snapshot, datasets=replace(datasets, datasets=found))
    whole = replace(datasets, provenance=where, datasets=found, completeness=COMPLETE)
    return replace(snapshot, datasets=whole)


def _filled_in(dataset: Dataset) -> Dataset:
    """A dataset with the access list that it gets where none is declared."""
    if isinstance(dataset.access, Unknown):
        return replace(dataset, access=_FILLED_IN) if silent(dataset.access.reason) else dataset
    gap = dataset.access_completeness.gap
    if gap is None or not silent(gap):
        return dataset
    return replace(dataset, access=(*dataset.access, *_FILLED_IN), access_completeness=COMPLETE)


_CLOSE = {
    Part.PROJECT: _project,
    Part.BILLING: _billing,
    Part.API: _api,
    Part.IAM: _iam,
    Part.DATASET: _dataset,
}


def without_groups(snapshot: Snapshot, principal: str) -> Snapshot:
    """The snapshot as if the principal were in none of the groups that anything is granted to."""
    if isinstance(snapshot.allow_policies, Unknown):
        return snapshot
    policies = [one for one in snapshot.allow_policies.policies.values() if isinstance(one, AllowPolicy)]
    members = [member for one in policies for binding in one.bindings for member in binding.members]
    members += [member for one in policies for possible in one.possible for member in possible.members]
    if isinstance(snapshot.datasets, Datasets):
        access = [one.access for one in snapshot.datasets.datasets.values() if isinstance(one, Dataset)]
        members += [entry.member for entries in access if not isinstance(entries, Unknown) for entry in entries]
    where = Provenance(SOURCE, "")
    groups: dict[str, Group | Unknown] = {
        email: Group(provenance=where, email=email, checked={principal: False})
        for email in (member.partition(":")[2].casefold() for member in members if member.startswith("group:"))
    }
    return replace(snapshot, groups=Groups(groups=groups))

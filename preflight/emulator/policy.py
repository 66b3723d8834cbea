"""Who holds which permission: computed from the world's policies, with nothing taken from the engine.

Allow is the union over a resource and its ancestors of the bindings whose member matches, whose role holds the
permission and whose condition is true; deny is looked at first and wins (IAM evaluation, as Google documents
it). A dataset's own access list grants too.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from preflight.emulator import conditions
from preflight.emulator.directory import Directory
from preflight.emulator.members import Members
from preflight.emulator.world import (
    Binding,
    Caller,
    Condition,
    Dataset,
    DenyRule,
    Group,
    Node,
    Project,
    ServiceAccount,
)

DATASET_ROLES = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}
"""A dataset's own role names, and the predefined roles that they stand for."""

_SEEN_BY_AUDITOR = (".get", ".list", ".getIamPolicy")
_TYPES = {"projects": "Project", "folders": "Folder", "organizations": "Organization"}


class _Standing(msgspec.Struct, frozen=True):
    """What the policies say of one caller, permission and place; the conditions decide if nothing else does."""

    denied: bool
    granted: bool
    conditions: tuple[Condition, ...]


class Access:
    """The permissions of callers in one world."""

    def __init__(self, directory: Directory, withheld_permissions: Callable[[Node], frozenset[str]]) -> None:
        self._directory = directory
        self._members = Members(directory)
        self._withheld = withheld_permissions
        self._held: dict[int, tuple[Any, frozenset[str]]] = {}
        self._standings: dict[tuple[str, str, str, str], _Standing] = {}

    def holds(self, caller: Caller, permission: str, node: Node, dataset: Dataset | None = None) -> bool:
        """Whether `caller` holds `permission` on a project, folder or organisation, or on a project's dataset."""
        if permission in self._withheld(node):
            return False
        if caller.sees_all and (permission.endswith(_SEEN_BY_AUDITOR) or permission == "serviceusage.services.use"):
            return True
        standing = self._standing(caller, permission, node)
        if standing.denied:
            return False
        if standing.granted or any(self._is_true(condition, node, dataset) for condition in standing.conditions):
            return True
        if dataset is None or not isinstance(node, Project):
            return False
        return any(self._entry_grants(entry, caller, permission, node, dataset) for entry in dataset.access)

    def _standing(self, caller: Caller, permission: str, node: Node) -> "_Standing":
        """What the policies say, apart from conditions: kept, for neither the world nor its tags change."""
        key = (caller.email.lower(), permission, node.name, node.id if isinstance(node, Project) else "")
        standing = self._standings.get(key)
        if standing is None:
            granting = [
                binding.condition
                for place in self._directory.chain(node)
                for binding in place.bindings
                if self._grants(binding, place, caller, permission)
            ]
            standing = self._standings[key] = _Standing(
                denied=self._denied(caller, permission, node),
                granted=None in granting,
                conditions=tuple(condition for condition in granting if condition is not None),
            )
        return standing

    def _grants(self, binding: Binding, place: Node, caller: Caller, permission: str) -> bool:
        """Whether a binding gives the permission to the caller, if its condition is true."""
        role = self._directory.usable_role(binding, place)
        if role is None or permission not in self._permissions(role.permissions):
            return False
        return any(self._members.matches(member, caller) for member in binding.members)

    def _permissions(self, listed: tuple[str, ...]) -> frozenset[str]:
        """As a set, made once for each role: some hold thousands."""
        kept = self._held.get(id(listed))
        if kept is None:
            kept = self._held[id(listed)] = (listed, frozenset(listed))
        return kept[1]

    def _entry_grants(
        self, entry: dict[str, Any], caller: Caller, permission: str, project: Project, dataset: Dataset
    ) -> bool:
        named = str(entry.get("role", ""))
        role = self._directory.usable_role(Binding(role=DATASET_ROLES.get(named, named)), project)
        if role is None or permission not in self._permissions(role.permissions):
            return False
        if not self._members.in_access_entry(entry, caller, project):
            return False
        condition = entry.get("condition")
        if condition is None:
            return True
        if not isinstance(condition, dict):
            return False
        return self._is_true(Condition(expression=str(condition.get("expression", ""))), project, dataset)

    def _is_true(self, condition: Condition, node: Node, dataset: Dataset | None) -> bool:
        """A condition that can't be evaluated doesn't grant."""
        try:
            return conditions.holds(condition.expression, self._circumstances(node, dataset))
        except conditions.UnevaluableError:
            return False

    def is_member(self, member: str, who: Caller) -> bool:
        """Whether a member of a policy stands for somebody."""
        return self._members.matches(member, who)

    def in_group(self, who: Caller, group: Group) -> bool:
        """Whether somebody is in a group, nested ones included."""
        return self._members.matches(f"group:{group.email}", who)

    def sees_group(self, caller: Caller, group: Group) -> bool:
        """Whether a caller may see who is in a group: its members and viewers may."""
        return self.in_group(caller, group) or any(self._members.matches(one, caller) for one in group.viewers)

    def tags(self, node: Node) -> dict[str, str]:
        """The tags that a node has or inherits: of one key the nearest value."""
        tags: dict[str, str] = {}
        for place in reversed(self._directory.chain(node)):
            tags.update(place.tags)
        return tags

    def _circumstances(self, node: Node, dataset: Dataset | None) -> conditions.Circumstances:
        tags = self.tags(node)
        # Google documents `projects/<id>` for a project, not its number.
        name = f"projects/{node.id}" if isinstance(node, Project) else node.name
        service = "cloudresourcemanager.googleapis.com"
        kind = f"{service}/{_TYPES[node.name.partition('/')[0]]}"
        if dataset is not None:
            service = "bigquery.googleapis.com"
            name, kind = f"{name}/datasets/{dataset.id}", f"{service}/Dataset"
        if isinstance(node, ServiceAccount):
            service, kind = "iam.googleapis.com", "iam.googleapis.com/ServiceAccount"
        moment = self._directory.world.now or datetime.now(UTC)
        return conditions.Circumstances(time=moment, name=name, type=kind, service=service, tags=tags)

    def _denied(self, caller: Caller, permission: str, node: Node) -> bool:
        form = deny_form(permission)
        for place in self._directory.chain(node):
            for policy in place.deny:
                if any(self._rule_denies(rule, caller, form, node) for rule in policy.rules):
                    return True
        return False

    def _rule_denies(self, rule: DenyRule, caller: Caller, form: str, node: Node) -> bool:
        if not any(deny_matches(pattern, form) for pattern in rule.denied_permissions):
            return False
        if any(deny_matches(pattern, form) for pattern in rule.exception_permissions):
            return False
        if not any(self._members.matches(principal, caller) for principal in rule.denied_principals):
            return False
        if any(self._members.matches(principal, caller) for principal in rule.exception_principals):
            return False
        if rule.condition is None:
            return True
        try:
            # Deny conditions may look at tags only; one that can't be evaluated applies (Google's documentation).
            return conditions.holds(rule.condition.expression, self._circumstances(node, None))
        except conditions.UnevaluableError:
            return True


def deny_form(permission: str) -> str:
    """``bigquery.jobs.create`` as deny policies write it: ``bigquery.googleapis.com/jobs.create``."""
    service, _, rest = permission.partition(".")
    # Resource Manager's permissions carry another prefix than its host.
    host = "cloudresourcemanager" if service == "resourcemanager" else service
    return f"{host}.googleapis.com/{rest}"


def deny_matches(pattern: str, form: str) -> bool:
    """Exact, or with the wildcards ``svc/*.*``, ``svc/resource.*``, ``svc/*.verb``."""
    host, _, rest = pattern.partition("/")
    form_host, _, form_rest = form.partition("/")
    if host != form_host:
        return False
    resource, _, verb = rest.rpartition(".")
    form_resource, _, form_verb = form_rest.rpartition(".")
    return resource in {"*", form_resource} and verb in {"*", form_verb}

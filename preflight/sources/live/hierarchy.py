"""The project, what it is in, their allow policies, and the roles in them that matter for the principal.

A chain: each answer names what to ask next, which is asked at once. What was asked and not told stays in the
facts as Unknown, or as a gap.
"""

import re
from collections.abc import Callable
from typing import Any

from preflight.access.effective import may_cover
from preflight.facts.methods import (
    FOLDER_GET,
    FOLDER_POLICY,
    ORGANIZATION_POLICY,
    ORGANIZATION_ROLE,
    PREDEFINED_ROLE,
    PROJECT_GET,
    PROJECT_POLICY,
    PROJECT_ROLE,
    ApiMethod,
)
from preflight.facts.policy import AllowPolicies, AllowPolicy, Role, Roles
from preflight.facts.project import Ancestry, Project
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, NotFound, Unknown
from preflight.sources.live import answers
from preflight.sources.live.calls import Call, Calls

DEEPEST = 16
"""Google allows ten levels of folders."""
_POLICY_METHODS = {"projects": PROJECT_POLICY, "folders": FOLDER_POLICY, "organizations": ORGANIZATION_POLICY}
_ROLE_METHODS = (
    (re.compile(r"(roles)/[A-Za-z0-9_.]+"), PREDEFINED_ROLE),
    (re.compile(r"(projects/[^/]+)/roles/[A-Za-z0-9_.]+"), PROJECT_ROLE),
    (re.compile(r"(organizations/[0-9]+)/roles/[A-Za-z0-9_.]+"), ORGANIZATION_ROLE),
)


class Hierarchy:
    """Reads from the project upwards."""

    def __init__(self, calls: Calls, principal: str, *, folders: bool, policies: bool, roles: bool) -> None:
        self._calls = calls
        self._principal = principal
        self._want_folders = folders
        self._want_policies = policies
        self._want_roles = roles
        self.project: Project | Unknown | None = None
        self._ancestors: list[str] = []
        self._gap: Completeness = COMPLETE
        self._policies: dict[str, AllowPolicy | Unknown] = {}
        self._roles: dict[str, Role | Unknown] = {}

    def read_project(self, project: str, then: Callable[[Project | Unknown], None]) -> None:
        """Asks for the project; its parents follow."""

        def told(found: Project | Unknown) -> None:
            self.project = found
            then(found)
            if not self._want_folders:
                return
            if isinstance(found, Unknown):
                self._gap = Completeness(found.reason, found.provenance)
            elif found.parent:
                self._climb(found.parent)

        self._calls.start(
            Call(
                PROJECT_GET,
                f"projects/{project}",
                f"projects/{project}",
                "projects",
                lambda client, seconds: client.get_project(name=f"projects/{project}", retry=None, timeout=seconds),
                answers.project,
                told,
            )
        )

    def read_policy(self, resource: str) -> None:
        """Asks for a resource's allow policy, in the version that shows conditions; its roles follow."""
        if not self._want_policies or resource in self._policies:
            return
        kind = resource.partition("/")[0]
        request = {"resource": resource, "options": {"requested_policy_version": 3}}

        def told(found: AllowPolicy | Unknown) -> None:
            self._policies[resource] = found
            if isinstance(found, AllowPolicy):
                for binding in found.bindings:
                    for member in binding.members:
                        self.bound(binding.role, member)

        self._calls.start(
            Call(
                _POLICY_METHODS[kind],
                resource,
                resource,
                kind,
                lambda client, seconds: client.get_iam_policy(request=request, retry=None, timeout=seconds),
                answers.policy,
                told,
            )
        )

    def bound(self, role: str, member: str) -> None:
        """Reads a role once, if it is bound to a member that is the principal or might be."""
        if self._want_roles and role not in self._roles and may_cover(member, self._principal):
            self.read_role(role)

    def read_role(self, role: str) -> None:
        """Asks for a role, once."""
        if not self._want_roles or role in self._roles:
            return
        method, holder = _role_method(role)
        if method is None:
            self._roles[role] = Unknown(NotFound(role))  # no name that a role can have
            return
        self._roles[role] = Unknown(Incomplete("it is being read"))

        def told(found: Role | Unknown) -> None:
            self._roles[role] = found

        self._calls.start(
            Call(
                method,
                role,
                holder,
                "roles",
                lambda client, seconds: client.get_role(request={"name": role}, retry=None, timeout=seconds),
                answers.role,
                told,
            )
        )

    def _climb(self, parent: str) -> None:
        if parent in self._ancestors or len(self._ancestors) >= DEEPEST:
            self._gap = Completeness(Incomplete(f"the folders above the project do not end: {parent} comes again"))
            return
        self._ancestors.append(parent)
        self.read_policy(parent)
        if parent.startswith("organizations/"):
            return

        def told(found: str | Unknown) -> None:
            if isinstance(found, Unknown):
                self._gap = Completeness(found.reason, found.provenance)
            else:
                self._climb(found)

        self._calls.start(
            Call(
                FOLDER_GET,
                parent,
                parent,
                "folders",
                lambda client, seconds: client.get_folder(name=parent, retry=None, timeout=seconds),
                answers.folder_parent,
                told,
            )
        )

    def ancestry(self) -> Ancestry | Unknown:
        """What the project is in."""
        if isinstance(self.project, Unknown):
            return self.project
        return Ancestry(resources=tuple(self._ancestors), completeness=self._gap)

    def allow_policies(self) -> AllowPolicies:
        """The policies that were read or refused, nearest first."""
        near = [resource for resource in self._policies if resource.startswith("projects/")]
        order = [*near, *(resource for resource in self._ancestors if resource in self._policies)]
        return AllowPolicies(policies={name: self._policies[name] for name in order}, completeness=self._gap)

    def roles(self) -> Roles | Unknown:
        """The roles that were read; Unknown where no policy at all could tell which ones matter."""
        policies: list[Any] = list(self._policies.values())
        if policies and not self._roles and all(isinstance(policy, Unknown) for policy in policies):
            refused: Unknown = policies[0]
            return refused
        return Roles(roles=dict(sorted(self._roles.items())))  # in whichever order they came


def _role_method(role: str) -> tuple[ApiMethod | None, str]:
    """The method that reads the role, and the resource on which its permission is needed."""
    for pattern, method in _ROLE_METHODS:
        if match := pattern.fullmatch(role):
            return method, "" if method is PREDEFINED_ROLE else match[1]
    return None, ""

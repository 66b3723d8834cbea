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

    def __init__(
        self,
        calls: Calls,
        principal: str,
        on_ancestor: Callable[[str], None],
        *,
        folders: bool,
        policies: bool,
        roles: bool,
        every_role: bool = False,
    ) -> None:
        """`on_ancestor` is told of each folder and the organisation as they become known."""
        self._calls = calls
        self._on_ancestor = on_ancestor
        self._every_role = every_role
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
            elif isinstance(found.parent, str) and found.parent:
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
        """Reads a role once, if it is bound to a member that is the principal or might be, or every role is wanted."""
        if not self._want_roles or role in self._roles:
            return
        if self._every_role or may_cover(member, self._principal):
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
        self._on_ancestor(parent)
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

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The folders and the organisation that are known so far, nearest first."""
        return tuple(self._ancestors)

    @property
    def gap(self) -> Completeness:
        """Whether there may be more of them, and why."""
        return self._gap

    def read_policies(self) -> tuple[AllowPolicy, ...]:
        """The policies that were read so far."""
        return tuple(policy for policy in self._policies.values() if isinstance(policy, AllowPolicy))

    def read_roles(self) -> dict[str, Role | Unknown]:
        """The roles that were read or refused so far."""
        return self._roles

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
        blind = self.blind()
        if blind and not self._roles:
            return blind
        return Roles(roles=dict(sorted(self._roles.items())))  # in whichever order they came

    def blind(self) -> Unknown | None:
        """Why no policy at all could be read; None if one was, or none was asked for."""
        policies: list[Any] = list(self._policies.values())
        return policies[0] if policies and all(isinstance(policy, Unknown) for policy in policies) else None


def _role_method(role: str) -> tuple[ApiMethod | None, str]:
    """The method that reads the role, and the resource on which its permission is needed."""
    for pattern, method in _ROLE_METHODS:
        if match := pattern.fullmatch(role):
            return method, "" if method is PREDEFINED_ROLE else match[1]
    return None, ""

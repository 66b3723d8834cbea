"""Whom a member of a policy stands for. E-mails compare case-insensitively; ``deleted:`` stands for nobody."""

from collections.abc import Callable
from typing import Any

from preflight.emulator.directory import Directory
from preflight.emulator.world import Caller, Project

_GROUPS = {"projectOwners": "roles/owner", "projectWriters": "roles/editor", "projectReaders": "roles/viewer"}
_CONVENIENCE = {"projectOwner": "roles/owner", "projectEditor": "roles/editor", "projectViewer": "roles/viewer"}
_RESOURCE_SETS = "principalSet://cloudresourcemanager.googleapis.com/"


class Members:
    """Matches callers with members, in allow policies, deny policies and access lists."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        account = "principal://iam.googleapis.com/projects/-/serviceAccounts/"
        self._prefixes: tuple[tuple[str, Callable[[str, Caller], bool]], ...] = (
            ("principal://goog/subject/", self._subject),
            (account, self._account),
            ("principalSet://goog/group/", self._in_group),
            ("principalSet://goog/cloudIdentityCustomerId/", self._customer),
            (_RESOURCE_SETS, self._of_resource),
            ("user:", self._subject),
            ("serviceAccount:", self._account),
            ("group:", self._in_group),
            ("domain:", self._domain),
        )

    def matches(self, member: str, caller: Caller) -> bool:
        """Whether `member` stands for `caller`; unknown forms stand for nobody."""
        if member in {"allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all"}:
            return True
        for prefix, stands_for in self._prefixes:
            if member.startswith(prefix):
                return stands_for(member[len(prefix) :], caller)
        kind, _, project_id = member.partition(":")
        project = self._directory.project(project_id) if kind in _CONVENIENCE else None
        return project is not None and self.has_basic_role(caller, _CONVENIENCE[kind], project)

    def in_access_entry(self, entry: dict[str, Any], caller: Caller, project: Project) -> bool:
        """Whether an entry of a dataset's access list names `caller`; authorised views name nobody."""
        special = str(entry.get("specialGroup", ""))
        if special in _GROUPS:
            return self.has_basic_role(caller, _GROUPS[special], project)
        if special:
            return special in {"allAuthenticatedUsers", "allUsers"}
        if "userByEmail" in entry:  # service accounts too
            return _same(str(entry["userByEmail"]), caller.email)
        if "groupByEmail" in entry:
            return self._in_group(str(entry["groupByEmail"]), caller)
        if "domain" in entry:
            return self._domain(str(entry["domain"]), caller)
        return "iamMember" in entry and self.matches(str(entry["iamMember"]), caller)

    def has_basic_role(self, caller: Caller, role: str, project: Project) -> bool:
        """Whether the project's own policy gives the basic role, by members that are no convenience values."""
        members = (member for binding in project.bindings if binding.role == role for member in binding.members)
        return any(self.matches(member, caller) for member in members if not member.startswith("project"))

    def _subject(self, email: str, caller: Caller) -> bool:
        return caller.kind == "user" and _same(email, caller.email)

    def _account(self, email: str, caller: Caller) -> bool:
        return caller.kind == "service_account" and _same(email, caller.email)

    def _domain(self, domain: str, caller: Caller) -> bool:
        # Never includes service accounts.
        return caller.kind == "user" and _same(domain, caller.email.rpartition("@")[2])

    def _in_group(self, email: str, caller: Caller) -> bool:
        waiting, seen = [email.lower()], set()
        while waiting:
            name = waiting.pop()
            group = self._directory.groups.get(name)
            if group is None or name in seen:
                continue
            seen.add(name)
            for member in group.members:
                if member.startswith("group:"):
                    waiting.append(member.removeprefix("group:").lower())
                elif self.matches(member, caller):
                    return True
        return False

    def _customer(self, customer: str, caller: Caller) -> bool:
        domains = [
            organization.display_name
            for organization in self._directory.world.organizations
            if organization.directory_customer_id == customer
        ]
        return any(self._domain(domain, caller) for domain in domains)

    def _of_resource(self, rest: str, caller: Caller) -> bool:
        """``projects/N/type/ServiceAccount`` and the folder's and organisation's: the accounts of that scope."""
        name, separator, _ = rest.partition("/type/ServiceAccount")
        home = self._directory.home(caller) if caller.kind == "service_account" else None
        if not separator or home is None:
            return False
        return name in {place.name for place in self._directory.chain(home)}


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()

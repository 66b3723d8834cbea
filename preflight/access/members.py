"""Whether a member of a policy covers a principal: yes, no, or a formula of what can't be told from here.

The kinds of members are those of Google's documentation of IAM principals ("Principal identifiers", and "Principal
identifiers for deny policies"). A principal is a user or service account as a rule; the audit asks about whatever
a policy names, and then a member covers just its like, and the public ones everybody.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

from preflight.access.formula import Formula, OpenFact, either
from preflight.facts.groups import Group, Groups
from preflight.facts.seen import Completeness, Evidence, NotCollected, Unknown, Unresolved

PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all"})
"""Members that cover every account, every service account included."""
PEOPLE = frozenset({"user", "serviceAccount"})
"""Kinds of principals that groups, domains and sets may hold."""
CONVENIENCE = {"projectOwner": "roles/owner", "projectEditor": "roles/editor", "projectViewer": "roles/viewer"}
"""Members that stand for those who hold a basic role on a project."""

_FEDERATED = re.compile(r"//iam\.googleapis\.com/.*/(workloadIdentityPools|workforcePools)/")
_SUBJECT = "principal://goog/subject/"
_ACCOUNT = re.compile(r"principal://iam\.googleapis\.com/projects/[^/]+/serviceAccounts/(.+)")
_GROUP = "principalSet://goog/group/"
_RESOURCE_SET = re.compile(r"principalSet://cloudresourcemanager\.googleapis\.com/([a-z]+)/([^/]+)/type/ServiceAccount")
_HOMES = (
    re.compile(r"[^@]+@(?P<id>[a-z0-9-]+)\.iam\.gserviceaccount\.com"),
    re.compile(r"(?P<id>[a-z0-9-]+)@appspot\.gserviceaccount\.com"),
    re.compile(r"(?P<number>[0-9]+)-compute@developer\.gserviceaccount\.com"),
)


def kind_of(principal: str) -> str:
    """`user`, `serviceAccount`, `group` …: what stands before the colon."""
    return principal.partition(":")[0]


def email_of(principal: str) -> str:
    """The e-mail of a user, service account or group."""
    return principal.partition(":")[2]


@lru_cache(maxsize=65536)
def canonical(member: str) -> str:
    """One text for all ways to write the same member."""
    if member.startswith(_SUBJECT):
        return f"subject:{member[len(_SUBJECT) :].casefold()}"
    if account := _ACCOUNT.fullmatch(member):
        return f"account:{account[1].casefold()}"
    if member.startswith(_GROUP):
        return f"group:{member[len(_GROUP) :].casefold()}"
    kind, colon, name = member.partition(":")
    if colon and kind in {"user", "serviceAccount", "group", "domain"}:
        return f"{kind}:{name.casefold()}"
    return member


@lru_cache(maxsize=65536)
def names_of(principal: str) -> tuple[str, ...]:
    """The canonical members that name the principal itself, and no one else."""
    own = canonical(principal)
    email = email_of(principal).casefold()
    if kind_of(principal) == "serviceAccount":
        return (own, f"subject:{email}", f"account:{email}")
    if kind_of(principal) == "user":
        return (own, f"subject:{email}")
    return (own,)


def names_one(member: str) -> bool:
    """Whether a member names one user or service account, so that no other principal can be meant."""
    return canonical(member).partition(":")[0] in {"user", "serviceAccount", "subject", "account", "deleted"}


class Home(Struct, frozen=True):
    """The project in question and where it is: what sets of service accounts by resource are compared with."""

    project: str
    number: str | None
    ancestors: tuple[str, ...]
    gap: Completeness
    """Whether these are all ancestors."""


class Listed(Struct, frozen=True):
    """A group whose members are told by their names, those of nested groups included."""

    names: frozenset[str]
    """Canonical."""
    open: tuple[str, ...]
    """Which of the group and those nested in it may hold others as well, by e-mail."""


class Members:
    """Matches principals with members."""

    def __init__(
        self, home: Home, groups: Groups | Unknown, holds_basic_role: Callable[[str, str, str], Formula]
    ) -> None:
        """`holds_basic_role(principal, role, member)` answers for `projectOwner:…` of the project in question."""
        self._home = home
        self.groups = groups
        """What is known of groups."""
        self._holds_basic_role = holds_basic_role
        self._found: dict[tuple[str, str], Formula] = {}
        self._listed: dict[str, Listed | None] = {}
        self._listing: dict[str, list[str]] | None = None

    def covers(self, member: str, principal: str) -> Formula:
        """Whether `member`, as written in a policy, covers `principal`."""
        key = (member, principal)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._covers(member, principal)
        return found

    def _covers(self, member: str, principal: str) -> Formula:
        if principal.startswith("deleted:") or member.startswith("deleted:"):
            return False  # even when an account of that e-mail exists again: it is another identity
        if member in PUBLIC or canonical(member) in names_of(principal):
            return True
        if names_one(member):
            return False
        kind = kind_of(member)
        if kind in CONVENIENCE:  # a group can be owner, too: then those in it are
            if canonical(member).partition(":")[2] != self._home.project:
                return _open(member, "stands for the holders of a role on another project, which is not seen here")
            return self._holds_basic_role(principal, CONVENIENCE[kind], member)
        return self._wide(member, principal) if kind_of(principal) in PEOPLE else False

    def names_itself(self, member: str) -> bool:
        """Whether a member covers what it names, and nothing else of which it may be asked: an account, or
        federated identities, which are neither users nor service accounts."""
        return _names_itself(member)

    def _wide(self, member: str, principal: str) -> Formula:
        kind, colon, name = canonical(member).partition(":")
        if kind == "group":
            return self.in_group(name, principal)
        if self.names_itself(member):
            return False
        if kind == "domain" and kind_of(principal) == "serviceAccount":
            return False
        if resource := _RESOURCE_SET.fullmatch(member):
            return self._at_home(member, resource[1], resource[2], principal)
        if not colon:
            return _open(member, "is not a member this version knows")
        return _open(member, "may include the principal; that can't be told from here")

    def in_group(self, email: str, principal: str) -> Formula:
        """Whether the principal is in the group, nested ones included."""
        if isinstance(self.groups, Unknown):
            return _unlisted(email.casefold(), principal, self.groups)
        return self._within(email.casefold(), principal, set())

    def listed(self, email: str) -> Listed | None:
        """Who is in a group, by its e-mail in lower case; None where names don't tell, and `in_group` has to."""
        if isinstance(self.groups, Unknown):
            return _of_nobody(email)
        if email not in self._listed:
            self._listed[email] = self._flattened(email)
        return self._listed[email]

    def groups_listing(self, name: str) -> Sequence[str]:
        """The groups in which somebody surely is, by canonical names; of those that are `listed`."""
        if self._listing is None:
            self._listing = {}
            for email in self.groups.groups if isinstance(self.groups, Groups) else ():
                listed = self.listed(email)
                for one in listed.names if listed is not None else ():
                    self._listing.setdefault(one, []).append(f"group:{email}")
        return self._listing.get(name, ())

    def _flattened(self, email: str) -> Listed | None:
        names: set[str] = set()
        open_ended: list[str] = []
        seen = {email}
        left = [email]
        while left:
            one = left.pop()
            group = self._group(one)
            if not isinstance(group, Group):
                open_ended.append(one)
                continue
            if group.checked:
                return None
            if group.completeness.gap:
                open_ended.append(one)
            for member in group.members:
                own = canonical(member)
                nested = own.removeprefix("group:")
                if nested != own:
                    if nested not in seen:
                        seen.add(nested)
                        left.append(nested)
                elif self.names_itself(member):
                    names.add(own)
                else:
                    return None
        return Listed(frozenset(names), tuple(open_ended))

    def _group(self, email: str) -> Group | Unknown | None:
        return self.groups.groups.get(email) if isinstance(self.groups, Groups) else self.groups

    def membership(self, member: str, principal: str) -> tuple[Evidence, ...]:
        """What tells that the principal is in the group that the member is: one observation a group on the way."""
        kind, _, email = canonical(member).partition(":")
        if kind != "group" or canonical(member) in names_of(principal):
            return ()
        return self._way_in(email, principal, set()) or ()

    def absence(self, member: str, principal: str) -> tuple[Evidence, ...]:
        """What tells that the principal is not in the group that the member is; empty where that isn't known."""
        kind, _, email = canonical(member).partition(":")
        group = self._group(email) if kind == "group" else None
        if not isinstance(group, Group) or self.in_group(email, principal) is not False:
            return ()
        return (group.provenance.saw(f"{principal} is not a member of {group.email}"),)

    def _way_in(self, email: str, principal: str, seen: set[str]) -> tuple[Evidence, ...] | None:
        group = self._group(email)
        if email in seen or not isinstance(group, Group):
            return None
        seen.add(email)
        if any(yes and canonical(name) == canonical(principal) for name, yes in group.checked.items()):
            return (group.provenance.saw(f"{principal} is a member of {group.email}"),)
        for member in group.members:
            own = canonical(member)
            if own.startswith("group:"):
                further = self._way_in(own.removeprefix("group:"), principal, seen)
                if further is not None:
                    return (group.provenance.saw(f"{member} is a member of {group.email}"), *further)
            elif self.covers(member, principal) is True:
                return (group.provenance.saw(f"{member} is a member of {group.email}"),)
        return None

    def _within(self, email: str, principal: str, seen: set[str]) -> Formula:
        if email in seen:
            return False
        seen.add(email)
        if (listed := self.listed(email)) is not None:
            if not listed.names.isdisjoint(names_of(principal)):
                return True
            return either(*(self._may_be_in(one, principal) for one in listed.open))
        group = self._group(email)
        if not isinstance(group, Group):
            return self._may_be_in(email, principal)
        for name, is_member in group.checked.items():
            if canonical(name) == canonical(principal):
                return is_member
        formulas: list[Formula] = []
        for member in group.members:
            own = canonical(member)
            if own.startswith("group:"):
                formulas.append(self._within(own.removeprefix("group:"), principal, seen))
            else:
                formulas.append(self.covers(member, principal))
        if group.completeness.gap:
            formulas.append(self._may_be_in(email, principal))
        return either(*formulas)

    def _may_be_in(self, email: str, principal: str) -> OpenFact:
        group = self._group(email)
        if isinstance(group, Group):
            return OpenFact("group", email, _not_listed(email, principal, group))
        return _unlisted(email, principal, group)

    def _at_home(self, member: str, kind: str, name: str, principal: str) -> Formula:
        """`principalSet://cloudresourcemanager.googleapis.com/projects/N/type/ServiceAccount` and its like: all
        service accounts that belong to a project, or to the projects of a folder or organisation."""
        if kind_of(principal) != "serviceAccount":
            return False
        home = next((found for form in _HOMES if (found := form.fullmatch(email_of(principal).casefold()))), None)
        parts = home.groupdict() if home else {}
        here = parts and (parts.get("id") == self._home.project or parts.get("number", "-") == self._home.number)
        whole = _open(member, "covers service accounts by where they belong, which can't be told from here")
        if here:
            if kind == "projects":
                if self._home.number is None and name != self._home.project:
                    return whole
                return name in {self._home.number, self._home.project}
            if f"{kind}/{name}" in self._home.ancestors:
                return True
            return whole if self._home.gap.gap else False
        if kind == "projects" and parts and name in {self._home.number, self._home.project}:
            # An account belongs to one project. That it isn't this one its e-mail says, if it has the ID in it.
            return whole if "number" in parts and self._home.number is None else False
        if kind == "projects" and parts.get("number") and name.isdigit():
            return name == parts["number"]
        return whole


@lru_cache(maxsize=65536)
def _names_itself(member: str) -> bool:
    kind = kind_of(canonical(member))
    return names_one(member) or kind == "principal" or (kind != "group" and bool(_FEDERATED.search(member)))


def _open(member: str, why: str) -> OpenFact:
    settle = f"Grant the role to the principal directly, beside {member}."
    return OpenFact("member", member, Unknown(Unresolved(f"{member} {why}", settle)))


@lru_cache(maxsize=65536)
def _of_nobody(email: str) -> Listed:
    return Listed(frozenset(), (email,))


@lru_cache(maxsize=65536)
def _unlisted(email: str, principal: str, found: Unknown | None) -> OpenFact:
    """That it isn't known who is in the group: the same for all projects of an organization."""
    return OpenFact("group", email, _not_listed(email, principal, found))


def _not_listed(email: str, principal: str, found: Group | Unknown | None) -> Unknown:
    why = f"{principal} may be a member of group:{email}, whose members are not known here"
    settle = (
        f"See whether {email_of(principal)} is a member of {email} and say so with --group-members, or grant the "
        "role to it directly."
    )
    if isinstance(found, Unknown) and not isinstance(found.reason, NotCollected):
        return Unknown(Unresolved(f"{why}: {found.reason.describe()}", settle), found.provenance)
    if isinstance(found, Group) and found.completeness.gap:
        return Unknown(Unresolved(f"{why}: {found.completeness.gap.describe()}", settle), found.provenance)
    return Unknown(Unresolved(why, settle))

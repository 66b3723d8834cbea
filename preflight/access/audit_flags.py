"""What stands out about a member of a policy: the audit's flags."""

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from preflight.access.members import CONVENIENCE, PUBLIC, email_of, kind_of
from preflight.access.project_access import AccessFacts
from preflight.facts.organization import Organization
from preflight.facts.seen import Unknown


class FlagKind(StrEnum):
    """The flags, by the words that `--fail-on` and the reports use."""

    PUBLIC = "public"
    OUTSIDE = "outside"
    OTHER_PROJECT = "other-project"
    PERMANENT_ADMIN = "permanent-admin"
    DELETED = "deleted"
    BROAD_ROLE = "broad-role"


MEANINGS = {
    FlagKind.PUBLIC: "everybody on the internet, or everybody with a Google account",
    FlagKind.OUTSIDE: "of another domain than the organization's",
    FlagKind.OTHER_PROJECT: "a service account that isn't this project's own",
    FlagKind.PERMANENT_ADMIN: "can change access, by a grant that doesn't expire",
    FlagKind.DELETED: "an account that was deleted, left behind in a policy",
    FlagKind.BROAD_ROLE: "has one of the basic roles owner, editor and viewer",
}


class Flag(Struct, frozen=True):
    """One flag of one member."""

    kind: FlagKind
    detail: str
    """What is meant in this case. Text from outside: renderers escape it."""


class Grantee(Struct, frozen=True):
    """A member, and the roles that name it."""

    member: str
    principal: str
    roles: list[tuple[str, str]]
    """Each with the resource on which it is granted."""
    perhaps: list[tuple[str, str]]
    """The same for grants of which it isn't known whether they stand."""


_BASIC_ROLES = frozenset(CONVENIENCE.values())
_IN_PROJECT = re.compile(r"@(?P<id>[a-z0-9-]+)(?:\.(?P<domain>[a-z0-9.-]+))?\.iam\.gserviceaccount\.com")
_APP_ENGINE = re.compile(r"(?P<id>[a-z0-9-]+)(?:\.(?P<domain>[a-z0-9.-]+))?@appspot\.gserviceaccount\.com")
# Google's own agents for a project carry its number: service-N@gcp-sa-…, N@cloudservices, N-compute@developer.
_BY_NUMBER = re.compile(r"(?:service-)?(?P<number>[0-9]+)(?:-compute)?@[a-z0-9.-]+\.gserviceaccount\.com")
_POOL = re.compile(r"//iam\.googleapis\.com/projects/(?P<number>[0-9]+)/")


class Judge:
    """Flags members of one project's policies."""

    def __init__(self, facts: AccessFacts, organization: Organization | Unknown) -> None:
        self._project = facts.project
        self._number = facts.number
        self._domain = None if isinstance(organization, Unknown) else organization.domain.casefold()

    def flags(self, grantee: Grantee, *, administers: tuple[str, ...] | None) -> Iterator[Flag]:
        """All flags of a member. `administers`: where it can change access for good: the names of datasets, or
        none of them for the whole project; None: nowhere."""
        member = grantee.principal
        if member in PUBLIC:
            who = "everybody with a Google account" if member == "allAuthenticatedUsers" else "everybody"
            yield Flag(FlagKind.PUBLIC, f"{who}: {_named(grantee)}")
        yield from self._outside(member)
        if administers is not None:
            where = f"of {', '.join(administers)}" if administers else "of the whole project"
            yield Flag(FlagKind.PERMANENT_ADMIN, f"can change access {where}, without an end")
        if member.startswith("deleted:"):
            left = f" is still named for {_listed(grantee.roles)}" if grantee.roles else " is still named"
            yield Flag(FlagKind.DELETED, f"the deleted account{left}; a new one of its name gets nothing by that")
        broad = [(role, resource) for role, resource in grantee.roles if role in _BASIC_ROLES]
        if broad:
            yield Flag(FlagKind.BROAD_ROLE, _listed(broad))

    def _outside(self, member: str) -> Iterator[Flag]:
        kind = kind_of(member)
        if kind == "serviceAccount":
            if other := self._other_project(email_of(member).casefold()):
                yield Flag(FlagKind.OTHER_PROJECT, other)
        elif kind in {"user", "group", "domain"}:
            domain = email_of(member).casefold().rpartition("@")[2]
            if self._domain and domain and domain != self._domain:
                yield Flag(FlagKind.OUTSIDE, f"{domain} is not {self._domain}, the organization's primary domain")
        elif (pool := _POOL.search(member)) and pool["number"] != self._number:
            yield Flag(FlagKind.OTHER_PROJECT, f"identities of a pool in project {pool['number']}")

    def _other_project(self, email: str) -> str | None:
        """What is to be said of a service account that isn't known to be this project's."""
        if by_number := _BY_NUMBER.fullmatch(email):
            number = by_number["number"]
            if self._number is None:
                return f"the account of project number {number}; this project's number is not known"
            return None if number == self._number else f"the account of project number {number}"
        for form in (_IN_PROJECT, _APP_ENGINE):
            if found := form.search(email):
                project = f"{found['domain']}:{found['id']}" if found["domain"] else found["id"]
                return None if project == self._project else f"the account of project {project}"
        return "an account of Google's, or of a project that its name doesn't tell"


def _named(grantee: Grantee) -> str:
    sure, perhaps = _listed(grantee.roles), _listed(grantee.perhaps)
    return "; ".join(filter(None, (sure, perhaps and f"perhaps {perhaps}"))) or "named by a deny rule"


def _listed(roles: list[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(f"{role} on {resource}" for role, resource in roles))

"""Groups: whether the vendor's principal is in those that matter. Asked last, when it is known which do."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from google.api_core.exceptions import from_http_response

from preflight.facts.deny import DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.methods import GROUP_CHECK, GROUP_LOOKUP
from preflight.facts.policy import Role
from preflight.facts.seen import Completeness, Incomplete, NotCollected, Provenance, Unknown
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

_GROUP = re.compile(r"(?:group:|principalSet://goog/group/)(.+@.+)", re.IGNORECASE)
_NAME = re.compile(r"groups/[A-Za-z0-9_-]+")


def groups_to_ask(
    bound: Iterable[tuple[str, str]],
    roles: Mapping[str, Role | Unknown],
    rules: Iterable[DenyRule],
    permissions: Iterable[str],
) -> tuple[str, ...]:
    """The groups, by e-mail in lower case, on which an answer may hang: those that have a role (`bound`: role and
    member) that holds one of the permissions, or may hold it, and those that a deny rule names."""
    asked = frozenset(permissions)
    members = [member for role, member in bound if _may_hold(roles.get(role), asked)]
    for rule in rules:
        members += [*rule.denied_principals, *rule.exception_principals]
    return tuple(sorted({match[1].lower() for member in members if (match := _GROUP.fullmatch(member))}))


def _may_hold(role: Role | Unknown | None, permissions: frozenset[str]) -> bool:
    return not isinstance(role, Role) or bool(role.granted & permissions)


class GroupReader:
    """Asks Cloud Identity v1 about one principal's membership in groups, nested ones included."""

    def __init__(self, calls: Calls, principal: str) -> None:
        self._calls = calls
        self._principal = principal
        self._groups: dict[str, Group | Unknown] = {}

    def read(self, email: str) -> None:
        """Asks for the group's name, and by that whether the principal is in it; once."""
        if email in self._groups:
            return
        self._groups[email] = Unknown(Incomplete("it is being read"))

        def told(name: str | Unknown) -> None:
            if isinstance(name, Unknown):
                self._groups[email] = name
            else:
                self._check(email, name)

        def fetch(client: Any, seconds: float) -> Any:
            session, base = client
            return _answer(session.get(f"{base}/groups:lookup", params={"groupKey.id": email}, timeout=seconds))

        resource = f"group:{email}"
        self._calls.start(Call(GROUP_LOOKUP, resource, resource, "groups", fetch, _name, told))

    def _check(self, email: str, name: str) -> None:
        who = self._principal.partition(":")[2].replace("\\", r"\\").replace("'", r"\'")

        def told(found: Group | Unknown) -> None:
            self._groups[email] = found

        def fetch(client: Any, seconds: float) -> Any:
            session, base = client
            address = f"{base}/{name}/memberships:checkTransitiveMembership"
            return _answer(session.get(address, params={"query": f"member_key_id == '{who}'"}, timeout=seconds))

        def read(answer: Any, seen: Provenance) -> Group:
            return Group(
                provenance=seen,
                email=email,
                checked={self._principal: _membership(answer)},
                completeness=Completeness(NotCollected(f"only {self._principal} was asked about"), seen),
            )

        resource = f"group:{email}"
        self._calls.start(Call(GROUP_CHECK, resource, resource, "groups", fetch, read, told))

    def groups(self) -> Groups:
        """The groups that were asked about."""
        return Groups(groups=dict(sorted(self._groups.items())))


def _answer(response: Any) -> Any:
    if response.status_code >= 400:
        raise from_http_response(response)  # type: ignore[no-untyped-call]
    return response.json()


def _name(answer: Any, seen: Provenance) -> str:
    """Cloud Identity v1 `LookupGroupNameResponse`."""
    del seen
    name = answer["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UnreadableError("it names no group")
    return name


def _membership(answer: Any) -> bool:
    """Cloud Identity v1 `CheckTransitiveMembershipResponse`. Google's JSON may leave out a field that is false, so an
    empty object says no; that no gateway answers so in Google's place, the look-up just before it has shown."""
    member = answer.get("hasMembership", False)
    if not isinstance(member, bool) or answer.keys() - {"hasMembership"}:
        raise UnreadableError("it doesn't tell about a membership")
    return member

"""The bindings that may give somebody something, by permission and by role.

They can be asked about anybody; about one principal that was named beforehand they are asked again and again, for
project after project, and what the policies of folders and the organization are to that one is worked out once.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from preflight.access.bindings import Bindings, Bound, IndexedPolicy, remembered
from preflight.access.formula import Formula, both
from preflight.access.held_roles import HeldRoles
from preflight.access.members import Members
from preflight.access.question import Candidate
from preflight.access.reach import Covering, Reach
from preflight.facts.policy import AllowPolicies

_Covered: TypeAlias = tuple[Bound, Formula]
"""A binding, and whether its member covers the principal."""


class Candidates:
    """The bindings on a project and above."""

    def __init__(self, allow: AllowPolicies, own: str, roles: HeldRoles, members: Members, mostly: str | None) -> None:
        """`own` is the project as a resource; `mostly` is the principal about whom nearly all questions are."""
        self._given = (allow, own, roles, members)
        self._roles = roles
        self._members = members
        self._mostly = mostly
        self.bindings = Bindings(allow, own, roles, members, mostly)
        """All of them, but for those that surely are about others than `mostly`."""
        self._every = self.bindings if mostly is None else None
        self._sorted = [_sorted_out(one, members, mostly) for one in self.bindings.indexed] if mostly else []
        self._by_role: tuple[str, dict[str, list[_Covered]]] = ("", {})

    def about(self, principal: str) -> Bindings:
        """The bindings that may be about the principal, and perhaps others."""
        if principal == self._mostly:
            return self.bindings
        if self._every is None:
            self._every = Bindings(*self._given)
        return self._every

    def likely(self, principal: str, permission: str) -> Iterator[Candidate]:
        """Those that may turn out to give a permission for sure."""
        if principal == self._mostly:
            for one in self._sorted:
                yield from one.holding(permission, self._roles).itself
            for one in self._sorted:
                yield from one.holding(permission, self._roles).listing
        else:
            for _, covers, bounds in self.about(principal).reach.naming(principal):
                yield from _giving(((bound, covers) for bound in bounds), permission, self._roles)
        for member, holding in self.about(principal).asked(permission):
            covers = self._members.covers(member, principal)
            if covers is not False:
                for bound, holds in holding:
                    yield Candidate(bound, covers, both(holds, covers))

    def possible(self, principal: str, permission: str) -> Iterator[Candidate]:
        """Those that give it if the principal is in a group of which that isn't known."""
        if principal == self._mostly:
            for one in self._sorted:
                yield from one.holding(permission, self._roles).open
            return
        for member, holding in self.about(principal).open(permission):
            covers = self._members.covers(member, principal)
            if not isinstance(covers, bool):  # sure members were found by name
                for bound, holds in holding:
                    yield Candidate(bound, covers, both(holds, covers))

    def by_role(self, principal: str) -> dict[str, list[_Covered]]:
        """All whose member is the principal, or may be, by role. What was worked out for the last principal is
        remembered: rules ask for one of them, role by role."""
        if self._by_role[0] != principal:
            found: dict[str, list[_Covered]] = {}
            for bound, covers in self._all(principal):
                found.setdefault(bound.binding.role, []).append((bound, covers))
            self._by_role = (principal, found)
        return self._by_role[1]

    def _all(self, principal: str) -> Iterator[_Covered]:
        if principal != self._mostly:
            yield from _flat(self.about(principal).reach.all(principal))
            return
        for one in self._sorted:
            yield from one.itself
        for one in self._sorted:
            yield from one.listing
        yield from _flat(self.bindings.reach.asking(principal))
        for one in self._sorted:
            yield from one.open


class _Holding(Struct, frozen=True):
    """Those that are about one permission."""

    itself: tuple[Candidate, ...]
    listing: tuple[Candidate, ...]
    open: tuple[Candidate, ...]


class _SortedOut:
    """What one policy's bindings are to one principal, as far as that hangs on no project. See `Reach`."""

    def __init__(self, indexed: IndexedPolicy, members: Members, principal: str) -> None:
        reach = Reach(members, parts=[indexed.all])
        self.groups = members.groups
        self.itself = _flat(reach.itself(principal))
        self.listing = _flat(reach.listing(principal))
        self.open = _flat(reach.possible(principal))
        self._roles: HeldRoles | None = None
        self._holding: dict[str, _Holding] = {}

    def holding(self, permission: str, roles: HeldRoles) -> _Holding:
        """Those that are about a permission. Worked out once, for the same roles."""
        if self._roles is not roles:
            self._roles, self._holding = roles, {}
        found = self._holding.get(permission)
        if found is None:
            parts = (tuple(_giving(part, permission, roles)) for part in (self.itself, self.listing, self.open))
            found = self._holding[permission] = _Holding(*parts)
        return found


def _sorted_out(indexed: IndexedPolicy, members: Members, principal: str) -> _SortedOut:
    found = remembered(indexed.policy, ("sorted out", principal), lambda: _SortedOut(indexed, members, principal))
    return found if found.groups is members.groups else _SortedOut(indexed, members, principal)


def _flat(found: "Iterable[Covering[Bound]]") -> list[_Covered]:
    return [(bound, covers) for _, covers, bounds in found for bound in bounds]


def _giving(covered: Iterable[_Covered], permission: str, roles: HeldRoles) -> Iterator[Candidate]:
    for bound, covers in covered:
        holds = roles.holds(bound.binding.role, permission)
        if holds is not False:
            yield Candidate(bound, covers, both(holds, covers))

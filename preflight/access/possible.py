"""Grants that may stand: what they may give, and to whom. Whether one does is an open fact of its own."""

from collections.abc import Sequence

from msgspec import Struct

from preflight.access.formula import Formula, OpenFact, both, either
from preflight.access.held_roles import HeldRoles
from preflight.access.members import CONVENIENCE, Members, kind_of
from preflight.facts.policy import AllowPolicy, PossibleBinding


class Possible(Struct, frozen=True):
    """A grant that may stand."""

    resource: str
    binding: PossibleBinding
    stands: OpenFact
    """Whether it does."""


def possible_in(policy: AllowPolicy) -> tuple[Possible, ...]:
    """Those of one policy."""
    # By its number: what one hangs on may be what another hangs on, but that can't be told from here.
    return tuple(
        Possible(policy.resource, one, OpenFact("binding", f"{policy.resource}#{number}", one.why))
        for number, one in enumerate(policy.possible)
    )


class PossibleGrants:
    """All of them on a project and above. A condition of theirs is not looked at: they may stand or not anyway."""

    def __init__(self, grants: Sequence[Possible], roles: HeldRoles, members: Members) -> None:
        self.all = tuple(grants)
        self._roles = roles
        self._members = members

    def of_role(self, role: str, principal: str) -> tuple[Formula, ...]:
        """Whether they give the principal this very role."""
        return tuple(both(one.stands, self._covers(one, principal)) for one in self._with(role))

    def of_basic_role(self, role: str, principal: str) -> list[tuple[str, Formula]]:
        """The same for a basic role, each with its resource, without the convenience members that stand for it."""
        return [
            (one.resource, both(one.stands, self._covers(one, principal, convenience=False)))
            for one in self._with(role)
        ]

    def of_permission(self, permission: str, principal: str) -> tuple[Formula, ...]:
        """Whether they give the principal a permission, by whatever role."""
        return tuple(both(one.stands, self._holds(one, permission), self._covers(one, principal)) for one in self.all)

    def concerning(self, principal: str) -> tuple[OpenFact, ...]:
        """Whether those stand that give the principal some role, or may."""
        return tuple(one.stands for one in self.all if self._covers(one, principal) is not False)

    def _with(self, role: str) -> list[Possible]:
        return [one for one in self.all if one.binding.role in {"", role}]

    def _holds(self, one: Possible, permission: str) -> Formula:
        return not one.binding.role or self._roles.holds(one.binding.role, permission)

    def _covers(self, one: Possible, principal: str, *, convenience: bool = True) -> Formula:
        if not one.binding.members:
            return not principal.startswith("deleted:")
        named = (m for m in one.binding.members if convenience or kind_of(m) not in CONVENIENCE)
        return either(*(self._members.covers(member, principal) for member in named))

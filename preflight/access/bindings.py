"""The bindings on a project and above, found by member and by permission: what a question has to look at."""

from msgspec import Struct

from preflight.access.decision import Grant
from preflight.access.formula import Formula, OpenFact
from preflight.access.held_roles import HeldRoles
from preflight.access.members import CONVENIENCE, Members, kind_of
from preflight.access.reach import Reach
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition
from preflight.facts.seen import Evidence, NotCollected, Unknown


class Bound:
    """One member of one binding. Its evidence is made when a proof asks for it."""

    __slots__ = ("binding", "member", "policy")

    def __init__(self, policy: AllowPolicy, binding: Binding, member: str) -> None:
        self.policy = policy
        self.binding = binding
        self.member = member

    @property
    def role(self) -> str:
        """What is granted."""
        return self.binding.role

    @property
    def condition(self) -> Condition | None:
        """On what the grant hangs."""
        return self.binding.condition

    def grant(self, covers: Formula) -> Grant:
        """It as a grant to a principal whom its member covers, or may."""
        evidence = self.policy.shows(self.binding, self.member)
        return Grant(self.policy.resource, self.role, self.member, evidence, covers, self.condition)


class Holding(Struct, frozen=True):
    """The bindings whose role holds a permission, or may, and whose members aren't found by name; by member, each
    with which of the two."""

    asked: "dict[str, list[tuple[Bound, bool | OpenFact]]]"
    """See `Reach`."""
    open: "dict[str, list[tuple[Bound, bool | OpenFact]]]"


class Bindings:
    """All of them, indexed once."""

    def __init__(self, allow: AllowPolicies, own: str, roles: HeldRoles, members: Members) -> None:
        """`own` is the project as a resource."""
        self._roles = roles
        self._holding: dict[str, Holding] = {}
        self.reach: Reach[Bound] = Reach(members)
        """Every binding by its members."""
        self.basic = {role: Reach[Bound](members) for role in CONVENIENCE.values()}
        """Those of owner, editor and viewer by role, but for convenience members, which stand for them."""
        self.read: list[Evidence] = []
        """The policies that were read."""
        self.blind: list[OpenFact] = []
        """Policies that could not be read, or not whole: they may hold grants that are not here."""
        for resource, policy in allow.policies.items():
            if isinstance(policy, Unknown):
                self.blind.append(OpenFact("policy", resource, policy))
            else:
                self._add(policy)
        if allow.completeness.gap:
            gap = Unknown(allow.completeness.gap, allow.completeness.provenance)
            self.blind.append(OpenFact("ancestors", "", gap))
        if own not in allow.policies:
            why = Unknown(NotCollected(f"the policy of {own} was not read"))
            self.blind.append(OpenFact("policy", own, why))

    def _add(self, policy: AllowPolicy) -> None:
        if policy.completeness.gap:
            where = policy.completeness.provenance or policy.provenance
            self.blind.append(OpenFact("policy", policy.resource, Unknown(policy.completeness.gap, where)))
        count = len(policy.bindings)
        whole = f"the whole policy of {policy.resource}: {count} {'binding' if count == 1 else 'bindings'}"
        self.read.append(policy.provenance.saw(whole))
        for binding in policy.bindings:
            for member in dict.fromkeys(binding.members):
                bound = Bound(policy, binding, member)
                self.reach.add(member, bound)
                if binding.role in self.basic and kind_of(member) not in CONVENIENCE:
                    self.basic[binding.role].add(member, bound)

    def holding(self, permission: str) -> Holding:
        """Those that are about a permission. Worked out once."""
        found = self._holding.get(permission)
        if found is None:
            asked, open_ = (self._of(permission, bounds) for bounds in (self.reach.asked, self.reach.open))
            found = self._holding[permission] = Holding(asked, open_)
        return found

    def _of(self, permission: str, bounds: dict[str, list[Bound]]) -> dict[str, list[tuple[Bound, bool | OpenFact]]]:
        found: dict[str, list[tuple[Bound, bool | OpenFact]]] = {}
        for member, of_member in bounds.items():
            for bound in of_member:
                holds = self._roles.holds(bound.role, permission)
                if holds is not False:
                    found.setdefault(member, []).append((bound, holds))
        return found

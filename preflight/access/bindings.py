"""The bindings on a project and above, found by member and by permission: what a question has to look at."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

from preflight.access.decision import Grant, Link
from preflight.access.formula import Formula, OpenFact
from preflight.access.held_roles import HeldRoles
from preflight.access.members import CONVENIENCE, Members, email_of, kind_of
from preflight.access.possible import PossibleGrants, possible_in
from preflight.access.reach import Carried, Reach
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition
from preflight.facts.seen import Completeness, Evidence, NotCollected, Unknown

T = TypeVar("T")


class Bound:
    """One member of one binding. Its evidence is made when a proof asks for it."""

    __slots__ = ("_evidence", "_grant", "binding", "links", "member", "policy")

    def __init__(self, policy: AllowPolicy, binding: Binding, member: str) -> None:
        self.policy = policy
        self.binding = binding
        self.member = member
        self._evidence: Evidence | None = None
        self._grant: Grant | None = None
        self.links: dict[str, Link] = {}
        """What it gave when it was asked about last, for those who remember it: by permission or role."""

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
        if self._evidence is None:
            self._evidence = self.policy.shows(self.binding, self.member)
        if self._grant is None or self._grant.covers is not covers:
            self._grant = Grant(self.policy.resource, self.role, self.member, self._evidence, covers, self.condition)
        return self._grant


class Holding(Struct, frozen=True):
    """The bindings whose role holds a permission, or may, and whose members aren't found by name; by member, each
    with which of the two."""

    asked: "dict[str, list[tuple[Bound, bool | OpenFact]]]"
    """See `Carried`."""
    open: "dict[str, list[tuple[Bound, bool | OpenFact]]]"


_ACCOUNTS = ("user:", "serviceAccount:", "deleted:")


class IndexedPolicy:
    """One policy's bindings, by their members."""

    def __init__(self, policy: AllowPolicy, members: Members, alone: str | None = None) -> None:
        """`alone` is the one principal about whom will be asked: members that surely are another are left out."""
        self.policy = policy
        self.groups = members.groups
        self.all: Carried[Bound] = Carried()
        self._bounds: list[Bound] = []
        self._basic: dict[str, Carried[Bound]] = {}
        self._holding: dict[str, Holding] = {}
        self._roles: HeldRoles | None = None
        self.possible = possible_in(policy)
        self.gap = _gap(policy)
        """Not None: it may hold grants that are neither here nor possible."""
        count = len(policy.bindings)
        what = "what is declared" if self.gap or self.possible else "the whole policy"
        bindings = f"{count} {'binding' if count == 1 else 'bindings'}"
        self.read = policy.provenance.saw(f"{what} of {policy.resource}: {bindings}")
        email = "" if alone is None else email_of(alone).casefold()
        for binding in policy.bindings:
            for member in dict.fromkeys(binding.members):
                if member.startswith(_ACCOUNTS) and not member.casefold().endswith(email):
                    continue
                bound = Bound(policy, binding, member)
                self.all.add(member, bound, members)
                self._bounds.append(bound)

    def basic(self, role: str, members: Members) -> Carried[Bound]:
        """Those of owner, editor or viewer, but for convenience members, which stand for them. Seldom asked for."""
        if role not in self._basic:
            found = self._basic[role] = Carried[Bound]()
            for bound in self._bounds:
                if bound.role == role and kind_of(bound.member) not in CONVENIENCE:
                    found.add(bound.member, bound, members)
        return self._basic[role]

    def gap_of(self, role: str) -> OpenFact | None:
        """The same for grants of this very role."""
        return _missing(self.policy, self.policy.completeness_of(role)) if self.gap else None

    def holding(self, permission: str, roles: HeldRoles) -> Holding:
        """Those that are about a permission. Worked out once, for the same roles."""
        if self._roles is not roles:
            self._roles, self._holding = roles, {}
        found = self._holding.get(permission)
        if found is None:
            asked, open_ = (_of(permission, bounds, roles) for bounds in (self.all.asked, self.all.open))
            found = self._holding[permission] = Holding(asked, open_)
        return found


def _gap(policy: AllowPolicy) -> OpenFact | None:
    gaps = (_missing(policy, known) for known in (policy.completeness, *policy.by_role.values()))
    return next((gap for gap in gaps if gap is not None), None)


def _missing(policy: AllowPolicy, known: Completeness) -> OpenFact | None:
    if known.gap is None:
        return None
    return OpenFact("policy", policy.resource, Unknown(known.gap, known.provenance or policy.provenance))


def _of(
    permission: str, bounds: dict[str, list[Bound]], roles: HeldRoles
) -> dict[str, list[tuple[Bound, bool | OpenFact]]]:
    found: dict[str, list[tuple[Bound, bool | OpenFact]]] = {}
    for member, of_member in bounds.items():
        for bound in of_member:
            holds = roles.holds(bound.role, permission)
            if holds is not False:
                found.setdefault(member, []).append((bound, holds))
    return found


_SHARED: OrderedDict[int, tuple[AllowPolicy, dict[Hashable, Any]]] = OrderedDict()
_MOST_SHARED = 1024


def remembered(policy: AllowPolicy, what: Hashable, make: Callable[[], T]) -> T:
    """What was worked out of a policy. That of folders and organizations is remembered: many projects are in them."""
    if policy.resource.startswith("projects/"):
        return make()
    _, known = _SHARED.setdefault(id(policy), (policy, {}))  # kept alive here, so that no other has its identity
    if len(_SHARED) > _MOST_SHARED:
        _SHARED.popitem(last=False)
    if what not in known:
        known[what] = make()
    found: T = known[what]
    return found


def _indexed(policy: AllowPolicy, members: Members, alone: str | None) -> IndexedPolicy:
    found = remembered(policy, ("index", alone), lambda: IndexedPolicy(policy, members, alone))
    return found if found.groups is members.groups else IndexedPolicy(policy, members, alone)


class Bindings:
    """All of them, found through the indexes of the policies."""

    def __init__(
        self, allow: AllowPolicies, own: str, roles: HeldRoles, members: Members, alone: str | None = None
    ) -> None:
        """`own` is the project as a resource; `alone` is the one principal about whom will be asked, None: anybody."""
        self._roles = roles
        self.blind: list[OpenFact] = []
        """Policies that could not be read, or not whole: they may hold grants that are not here."""
        self.indexed: list[IndexedPolicy] = []
        """Those that were read."""
        for resource, policy in allow.policies.items():
            if isinstance(policy, Unknown):
                self.blind.append(OpenFact("policy", resource, policy))
                continue
            indexed = _indexed(policy, members, alone)
            if indexed.gap:
                self.blind.append(indexed.gap)
            self.indexed.append(indexed)
        if allow.completeness.gap:
            gap = Unknown(allow.completeness.gap, allow.completeness.provenance)
            self.blind.append(OpenFact("ancestors", "", gap))
        if own not in allow.policies:
            why = Unknown(NotCollected(f"the policy of {own} was not read"))
            self.blind.append(OpenFact("policy", own, why))
        self._members = members
        self.reach = Reach(members, parts=[one.all for one in self.indexed] or [Carried()])
        """Every binding by its members."""
        self.possible = PossibleGrants([grant for one in self.indexed for grant in one.possible], roles, members)
        """Those of which it isn't known whether they stand."""
        self.read = [one.read for one in self.indexed]
        """What was read."""

    def blind_to(self, role: str) -> list[OpenFact]:
        """Where further bindings of this very role may be: of some roles more is known than of the whole policy."""
        told = {one.gap.key: one.gap_of(role) for one in self.indexed if one.gap}
        return [gap for fact in self.blind if (gap := told.get(fact.key, fact)) is not None]

    def basic(self, role: str) -> Reach[Bound]:
        """Those of owner, editor or viewer, but for convenience members, which stand for them."""
        return Reach(self._members, parts=[one.basic(role, self._members) for one in self.indexed] or [Carried()])

    def asked(self, permission: str) -> Iterator[tuple[str, list[tuple[Bound, bool | OpenFact]]]]:
        """Those that are about a permission, by members that have to be asked."""
        for one in self.indexed:
            yield from one.holding(permission, self._roles).asked.items()

    def open(self, permission: str) -> Iterator[tuple[str, list[tuple[Bound, bool | OpenFact]]]]:
        """Those that are about a permission, by groups that may hold others than is known."""
        for one in self.indexed:
            yield from one.holding(permission, self._roles).open.items()

    def groups_about(self, asked: str) -> Iterator[str]:
        """The members that aren't found by name (groups among them) to whom they give a permission, or a role."""
        for part in self.reach.parts:
            for members in (*part.listed.values(), part.asked, part.open):
                for member, bounds in members.items():
                    if any(self._about(bound.role, asked) for bound in bounds):
                        yield member

    def _about(self, role: str, asked: str) -> bool:
        return role == asked if "/" in asked else self._roles.holds(role, asked) is not False

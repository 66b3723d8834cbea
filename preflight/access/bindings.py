"""The bindings on a project and above, found by member and by permission: what a question has to look at."""

from collections.abc import Iterator

from msgspec import Struct

from preflight.access.decision import Grant
from preflight.access.formula import Formula, OpenFact, both, either
from preflight.access.held_roles import HeldRoles
from preflight.access.members import CONVENIENCE, Members, canonical, names_of, names_one
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition, PossibleBinding
from preflight.facts.seen import Evidence, NotCollected, Unknown

_BASIC = frozenset(CONVENIENCE.values())


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


class Possible(Struct, frozen=True):
    """A grant that may stand."""

    resource: str
    binding: PossibleBinding
    stands: OpenFact
    """Whether it does."""


class Bindings:
    """All of them, indexed once."""

    def __init__(self, allow: AllowPolicies, own: str, roles: HeldRoles) -> None:
        """`own` is the project as a resource."""
        self._roles = roles
        self._named: dict[str, list[Bound]] = {}
        """By the one principal that the member names."""
        self._wide: dict[str, list[Bound]] = {}
        """By members that may cover several: groups, sets, everybody."""
        self._wide_holding: dict[str, list[tuple[str, list[tuple[Bound, bool | OpenFact]]]]] = {}
        self.basic: list[Bound] = []
        """Those of owner, editor and viewer, but for convenience members, which stand for them."""
        self.read: list[Evidence] = []
        """The policies that were read."""
        self.blind: list[OpenFact] = []
        """Policies that could not be read, or not whole: they may hold grants that are not here."""
        self.possible: list[Possible] = []
        self._policies = tuple(policy for policy in allow.policies.values() if isinstance(policy, AllowPolicy))
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
        what = "what is declared" if policy.completeness.gap or policy.possible else "the whole policy"
        bindings = f"{count} {'binding' if count == 1 else 'bindings'}"
        self.read.append(policy.provenance.saw(f"{what} of {policy.resource}: {bindings}"))
        for number, possible in enumerate(policy.possible):
            # By its number: what one hangs on may be what another hangs on, but that can't be told from here.
            stands = OpenFact("binding", f"{policy.resource}#{number}", possible.why)
            self.possible.append(Possible(policy.resource, possible, stands))
        for binding in policy.bindings:
            for member in dict.fromkeys(binding.members):
                bound = Bound(policy, binding, member)
                if names_one(member):
                    self._named.setdefault(canonical(member), []).append(bound)
                else:
                    self._wide.setdefault(member, []).append(bound)
                if binding.role in _BASIC and member.partition(":")[0] not in CONVENIENCE:
                    self.basic.append(bound)

    def blind_to(self, role: str) -> list[OpenFact]:
        """Where further grants of this very role may be."""
        if not self.blind:
            return []
        found = [fact for fact in self.blind if not any(policy.resource == fact.about for policy in self._policies)]
        for policy in self._policies:
            known = policy.completeness_of(role)
            if known.gap:
                why = Unknown(known.gap, known.provenance or policy.provenance)
                found.append(OpenFact("policy", policy.resource, why))
        return found

    def may_give(self, role: str, principal: str, members: Members) -> list[Formula]:
        """The possible grants of this very role to the principal."""
        return [
            both(one.stands, _covers(one, principal, members))
            for one in self.possible
            if one.binding.role in {"", role}
        ]

    def may_make_basic(self, role: str, principal: str, members: Members) -> list[tuple[str, Formula]]:
        """The same for a basic role, each with its resource, without the convenience members that stand for it."""
        return [
            (one.resource, both(one.stands, _covers(one, principal, members, convenience=False)))
            for one in self.possible
            if one.binding.role in {"", role}
        ]

    def may_hold(self, permission: str, principal: str, members: Members) -> list[Formula]:
        """The possible grants to the principal whose role holds the permission, or may."""
        return [
            both(
                one.stands,
                not one.binding.role or self._roles.holds(one.binding.role, permission),
                _covers(one, principal, members),
            )
            for one in self.possible
        ]

    def may_concern(self, principal: str, members: Members) -> list[OpenFact]:
        """The possible grants of whatever role that may be to the principal."""
        return [one.stands for one in self.possible if _covers(one, principal, members) is not False]

    def naming(self, principal: str) -> Iterator[Bound]:
        """Those whose member names the principal itself, and nobody else."""
        for name in names_of(principal):
            yield from self._named.get(name, ())

    def wide(self) -> Iterator[tuple[str, list[Bound]]]:
        """All others, by member: whether it covers a principal is for `Members` to say."""
        yield from self._wide.items()

    def wide_holding(self, permission: str) -> list[tuple[str, list[tuple[Bound, bool | OpenFact]]]]:
        """Of these just those whose role holds the permission, or may, with which of the two."""
        found = self._wide_holding.get(permission)
        if found is None:
            found = self._wide_holding[permission] = []
            for member, bounds in self._wide.items():
                judged = [(bound, self._roles.holds(bound.role, permission)) for bound in bounds]
                holding: list[tuple[Bound, bool | OpenFact]] = [one for one in judged if one[1] is not False]
                if holding:
                    found.append((member, holding))
        return found

    def members(self) -> Iterator[str]:
        """Every member as first written, each once by its canonical name."""
        seen: set[str] = set()
        for bounds in (*self._named.values(), *self._wide.values()):
            name = canonical(bounds[0].member)
            if name not in seen:
                seen.add(name)
                yield bounds[0].member


def _covers(one: Possible, principal: str, members: Members, *, convenience: bool = True) -> Formula:
    if not one.binding.members:
        return not principal.startswith("deleted:")
    named = (m for m in one.binding.members if convenience or m.partition(":")[0] not in CONVENIENCE)
    return either(*(members.covers(member, principal) for member in named))

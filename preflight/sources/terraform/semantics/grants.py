"""What several resources that manage one policy or access list come to, once all of them are applied.

A `_policy` completes all, a `_binding` its role under its condition, a `_member` nothing (the provider's
documentation of `google_project_iam`). Where one would take away what another gives, which of them wins is a matter
of order: such a grant may stand, and no more is said.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from preflight.facts.policy import Condition
from preflight.facts.seen import Provenance, Unknown, Unresolved
from preflight.sources.terraform.kinds import Manner
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.items import Item

Key = tuple[str, str]
"""A role and the expression of its condition."""


class Given(Struct, frozen=True):
    """One role for one member. Empty: it isn't known which role, or whom."""

    role: str
    member: str
    condition: Condition | None = None
    unsettled: Unsettled | None = None
    """What of it isn't known."""
    payload: Any = None
    """What a caller wants back with it."""
    seen: Provenance | None = None
    """Where it was seen, if not where its claim was."""

    @property
    def key(self) -> Key:
        """What a `_binding` completes."""
        return self.role, self.condition.expression if self.condition else ""

    @property
    def is_whole(self) -> bool:
        """Whether all of it is known."""
        return self.unsettled is None


class Claim(Struct, frozen=True):
    """What one resource says of the policy or list."""

    item: Item
    manner: Manner
    given: tuple[Given, ...]
    """Of a resource that goes: what it gave."""
    completes: Key | None = None
    """Of a `_binding`: what it completes; None also where that isn't known."""
    doubt: Unsettled | None = None
    """Whether it exists, or is about this policy at all, hangs on this."""
    open: Unsettled | None = None
    """It may hold more than is given: its contents aren't settled."""
    existing: bool = False
    """It is what is there before the change, not what a resource demands: what others take away surely goes."""

    @property
    def seen(self) -> Provenance:
        """Where it is said."""
        return self.item.seen()

    @property
    def unsure(self) -> Unsettled | None:
        """Why it isn't sure what it takes away."""
        if self.manner == "binding" and self.completes is None:
            return Unsettled(f"the role of {self.item.address}, or its condition, is not known")
        return self.doubt or self.open


class Standing(Struct, frozen=True):
    """A grant that surely stands."""

    given: Given
    claim: Claim


class Perhaps(Struct, frozen=True):
    """A grant that may stand, and why that isn't sure."""

    given: Given
    claim: Claim
    why: Unknown


class Settlement:
    """What claims on one policy or list come to."""

    def __init__(self, claims: Iterable[Claim], omitted: Unknown | None = None) -> None:
        """`omitted` is what wasn't read and may take away."""
        self.claims = tuple(claims)
        self._takers = _Takers(self.claims)
        self.standing: list[Standing] = []
        self.perhaps: list[Perhaps] = []
        for claim in self.claims:
            if not claim.item.gone:
                self._settle(claim, omitted)

    def _settle(self, claim: Claim, omitted: Unknown | None) -> None:
        for given in claim.given:
            why = claim.doubt or given.unsettled
            if why is not None:
                self.perhaps.append(Perhaps(given, claim, claim.item.unknown(why)))
            elif (threat := self._threat(given, claim)) is not None:
                if not claim.existing or threat.unsure is not None:
                    self.perhaps.append(Perhaps(given, claim, _contested(given, claim, threat)))
            elif omitted is not None:
                self.perhaps.append(Perhaps(given, claim, omitted))
            else:
                self.standing.append(Standing(given, claim))
        if claim.open is not None:
            anything = Given(claim.completes[0] if claim.completes else "", "", unsettled=claim.open)
            self.perhaps.append(Perhaps(anything, claim, claim.item.unknown(claim.open)))

    def _threat(self, given: Given, own: Claim) -> Claim | None:
        """Another resource that takes the grant away, or may; one that surely does comes first."""
        found: Claim | None = None
        for other in self._takers.of(given):
            if other.item.resource is own.item.resource or other.item.left:
                continue
            if not other.item.gone and any(_same(one, given) for one in other.given):
                continue
            if other.unsure is None:
                return other
            found = found or other
        return found

    def completing(self) -> Iterator[Claim]:
        """The claims that surely complete something, also by going."""
        for claim in self.claims:
            if claim.manner != "member" and claim.doubt is None and not claim.item.left:
                yield claim

    @property
    def whole(self) -> Claim | None:
        """One that completes all."""
        return next((claim for claim in self.completing() if claim.manner == "policy"), None)


class _Takers:
    """The resources that take away what they don't give, found by what they reach."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._all: list[Claim] = []
        """Whole policies, and bindings of which it isn't known what they are of."""
        self._of_key: dict[Key, list[Claim]] = {}
        self._of_grant: dict[tuple[Key, str], list[Claim]] = {}
        """Members that go take just their own grant with them."""
        for claim in claims:
            if claim.manner == "policy" or (claim.manner == "binding" and claim.completes is None):
                self._all.append(claim)
            elif claim.completes is not None:
                self._of_key.setdefault(claim.completes, []).append(claim)
            elif claim.item.gone:
                for given in claim.given:
                    self._of_grant.setdefault((given.key, given.member.casefold()), []).append(claim)

    def of(self, given: Given) -> Iterator[Claim]:
        """Those that reach a grant like this."""
        yield from self._all
        yield from self._of_key.get(given.key, ())
        yield from self._of_grant.get((given.key, given.member.casefold()), ())


def _contested(given: Given, own: Claim, other: Claim) -> Unknown:
    """Why it isn't sure that a grant stands which another resource takes away."""
    why = f"{own.item.address} gives {given.role} to {given.member}, and {_takes(other)}"
    settle = f"Let either {own.item.address} or {other.item.address} manage it."
    return Unknown(Unresolved(why, settle), other.seen)


def _takes(other: Claim) -> str:
    address = other.item.address
    if other.unsure is not None:
        return f"{address} may take it away: {other.unsure.why}"
    return (
        f"{address} is deleted, which takes it away" if other.item.gone else f"{address}, which doesn't, takes it away"
    )


def _same(one: Given, other: Given) -> bool:
    return one.is_whole and one.key == other.key and one.member.casefold() == other.member.casefold()

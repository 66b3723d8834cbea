"""An answer about access, and the proof that a person can follow."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import ConditionValue
from preflight.access.formula import Formula, OpenFact
from preflight.facts.access_path import Level
from preflight.facts.deny import DenyRule
from preflight.facts.policy import Condition
from preflight.facts.seen import Evidence, Reason, Unresolved


class Answer(StrEnum):
    """Whether the principal holds something."""

    GRANTED = "granted"
    NOT_GRANTED = "not granted"
    UNKNOWN = "unknown"


class Grant(Struct, frozen=True):
    """A binding, or an entry of a dataset's access list, that covers the principal or may."""

    resource: str
    """Where it is: `projects/ID`, `folders/N`, `organizations/N`, or a dataset's name."""
    role: str
    member: str
    """As written there."""
    evidence: Evidence
    covers: Formula = True
    """Whether the member covers the principal."""
    condition: Condition | None = None


class Link(Struct, frozen=True):
    """One grant on the way from the principal to the permission, and what it comes to."""

    grant: Grant
    formula: Formula
    """Whether it gives the permission, as far as is known."""
    role_evidence: tuple[Evidence, ...] = ()
    """What tells that the role holds the permission, and another source that disagrees."""
    membership: tuple[Evidence, ...] = ()
    """What tells that the principal is in the group that is the member."""
    condition: ConditionValue | None = None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that this link rests on."""
        return (self.grant.evidence, *self.membership, *self.role_evidence)


class Denial(Struct, frozen=True):
    """A deny rule that takes the permission away, or may."""

    resource: str
    policy: str
    rule: DenyRule
    evidence: Evidence
    formula: Formula


class Decision(Struct, frozen=True):
    """An answer with what it rests on."""

    answer: Answer
    evidence: tuple[Evidence, ...]
    """The grants that decide it, the rule that denies, the policies that hold none, or what is open."""
    missing: tuple[OpenFact, ...] = ()
    """With unknown: the smallest set of facts that would settle it."""
    principal: str = ""
    permission: str = ""
    """Or the role, where a role was asked about."""
    resource: str = ""
    moment: datetime | None = None
    """The moment for which it holds: conditions look at the time."""
    links: tuple[Link, ...] = ()
    """Every grant whose role holds the permission, or may."""
    denials: tuple[Denial, ...] = ()
    """Every deny rule that is about the permission and the principal, or may be."""
    read: tuple[Evidence, ...] = ()
    """The policies that were read in full; with not granted, also the groups that have it without the principal."""
    levels: tuple[Level, ...] = ()
    """Where the policies and lists that bear on it are, nearest first."""
    assumptions: tuple[Evidence, ...] = ()
    """What was not seen and is taken for absent."""
    changes_at: datetime | None = None
    """When the answer changes by itself, for a condition on the time; None: never, as far as is known."""
    ended_at: datetime | None = None
    """With not granted: when it ceased to be granted by itself, for a condition on the time."""
    recurring: bool = False
    """It hangs on the hour or the weekday, and changes over and over."""

    @property
    def reason(self) -> Reason:
        """The first thing that is missing; what was denied comes before what is merely unresolved."""
        reasons = [fact.unknown.reason for fact in self.missing]
        return next((r for r in reasons if not isinstance(r, Unresolved)), reasons[0])

    @property
    def denied(self) -> bool:
        """Whether a deny rule is what takes it away."""
        return any(denial.formula is True for denial in self.denials)


def with_evidence(decision: Decision) -> Decision:
    """The decision with what it rests on: the grants that decide it, the rule that denies, or all that was read."""
    links, denials = decision.links, decision.denials
    through = [e for link in links for e in link.evidence]
    denying = [denial.evidence for denial in denials]
    if decision.answer is Answer.GRANTED:
        sure = [e for link in links if link.formula is True for e in link.evidence]
        evidence = [*(sure or through), *decision.assumptions]
    elif decision.answer is Answer.NOT_GRANTED:
        evidence = [*denying, *through, *decision.read]
    else:
        missing = [e for fact in decision.missing for e in fact.unknown.seen()]
        evidence = [*through, *denying, *decision.read, *missing]
    return replace(decision, evidence=tuple(dict.fromkeys(evidence)))

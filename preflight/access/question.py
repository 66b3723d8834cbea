"""A question about access with all that bears on its answer: grants that may count, and deny rules."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from preflight.access.bindings import Bound
from preflight.access.conditions import Place, moments_of
from preflight.access.decision import Grant
from preflight.access.deny_rules import AttachedRule
from preflight.access.formula import Formula, OpenFact
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.policy import Condition
from preflight.facts.seen import Evidence, Unknown


class Candidate(Struct, frozen=True):
    """A grant whose role holds the permission, or may, to a member who is the principal, or may be."""

    source: "Bound | Entry"
    covers: Formula
    formula: Formula
    """Both together; what is left is the condition."""


class Entry(Struct, frozen=True):
    """An entry of a dataset's access list."""

    dataset: Dataset
    entry: AccessEntry

    @property
    def role(self) -> str:
        """What it gives."""
        return self.entry.role_name

    @property
    def condition(self) -> Condition | None:
        """On what it hangs."""
        return self.entry.condition

    def grant(self, covers: Formula) -> Grant:
        """It as a grant to a principal whom its member covers, or may."""
        entry = self.entry
        given = f"{entry.role or entry.role_name} is given to {entry.member} in {self.dataset.id}"
        condition = f", only if {entry.condition.expression}" if entry.condition else ""
        evidence = self.dataset.shows(entry, given + condition)
        return Grant(self.dataset.id, entry.role_name, entry.member, evidence, covers, entry.condition)


def unlisted_in(dataset: Dataset) -> OpenFact | None:
    """What a dataset's list may give beyond the entries that were read; None where it was read whole."""
    if isinstance(dataset.access, Unknown):
        return OpenFact("dataset access", dataset.id, dataset.access)
    known = dataset.access_completeness
    if known.gap is None:
        return None
    return OpenFact("dataset access", dataset.id, Unknown(known.gap, known.provenance or dataset.provenance))


def list_of(dataset: Dataset, count: int) -> Evidence:
    """That so many entries of a dataset's list were read."""
    entries = f"{count} {'entry' if count == 1 else 'entries'}"
    what = "what is declared of the access list" if dataset.access_completeness.gap else "the whole access list"
    return dataset.provenance.saw(f"{what} of {dataset.id}: {entries}")


class Question(Struct, frozen=True, kw_only=True):
    """A question, and what has to be looked at. An answer alone reads the candidates once at most, as far as it needs
    to; for a proof they are `kept`."""

    principal: str
    asked: str
    """The permission or the role."""
    resource: str
    place: Place
    likely: Iterable[Candidate]
    """Grants that may turn out to be sure."""
    possible: Iterable[Candidate] = ()
    """Grants to groups of which it isn't known whether the principal is in them: sure they never are."""
    blind: tuple[Formula, ...] = ()
    """Where further grants may be."""
    rules: tuple[AttachedRule, ...] = ()
    """The deny rules about the permission."""
    unread_deny: tuple[OpenFact, ...] = ()
    dataset: Dataset | None = None

    def kept(self) -> "KeptQuestion":
        """The same with its candidates at hand."""
        return KeptQuestion(**{**asdict(self), "likely": tuple(self.likely), "possible": tuple(self.possible)})


class KeptQuestion(Question, frozen=True, kw_only=True):
    """A question that can be asked for several moments."""

    likely: tuple[Candidate, ...]
    possible: tuple[Candidate, ...] = ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All of them."""
        return self.likely + self.possible

    @property
    def conditional(self) -> bool:
        """Whether the moment may matter."""
        return bool(self._conditions)

    @property
    def moments(self) -> list[datetime]:
        """Every moment that a condition names, ascending."""
        return sorted({moment for condition in self._conditions for moment in moments_of(condition.expression)[0]})

    @property
    def _conditions(self) -> list[Condition]:
        stated = [*(c.source.condition for c in self.candidates), *(r.rule.condition for r in self.rules)]
        return [condition for condition in stated if condition is not None]

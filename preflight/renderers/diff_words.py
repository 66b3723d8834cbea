"""What a comparison says, in words that more than one format shows. Nothing is escaped here."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from preflight.comparison.changes import Change, Kind, same_reason
from preflight.comparison.facts import TITLES
from preflight.comparison.sides import Comparison, Look
from preflight.comparison.verdicts import Judged, VerdictChange
from preflight.renderers.words import when

LABELS = {
    Kind.APPEARED: "new",
    Kind.VANISHED: "gone",
    Kind.CHANGED: "changed",
    Kind.HIDDEN: "unseen",
    Kind.SHOWN: "seen",
}
"""What is said of a fact before it is told."""
_MOST_NAMED = 10
"""One call that is refused can hide thousands of things: they aren't all told."""


class Line(Struct, frozen=True):
    """A fact that changed, or several that could be seen by one of the two for the same reason."""

    label: str
    text: str


def look(one: Look) -> str:
    """A file, what it is and when its facts were read."""
    moment = f", {when(one.moment)}" if one.moment else ""
    return f"{one.file} ({one.kind}, {one.source}{moment})"


def verdict_label(change: VerdictChange) -> str:
    """What became of a verdict, in a word."""
    if change.worse:
        return "worse"
    if change.better:
        return "better"
    if change.before is None or change.after is None:
        return "one only"
    return "still" if change.same_status else "changed"


def verdict(change: VerdictChange) -> str:
    """The answer, and what it was."""
    if change.same_status and change.after is not None:
        return change.after.status.value.upper()
    return f"{_answer(change.after)}, was {_answer(change.before)}"


def _answer(judged: Judged | None) -> str:
    return "not judged" if judged is None else judged.status.value.upper()


def said(change: VerdictChange) -> str:
    """What is found now; where only the words differ, what was found before, too."""
    if change.after is None:
        return change.before.message if change.before else ""
    if change.same_status and change.before is not None and change.before.message != change.after.message:
        return f"{change.after.message}; before: {change.before.message}"
    return change.after.message


def subject(change: Change) -> str:
    """What changed, without how."""
    named = f"{change.what} {change.name}" if change.name else change.what
    return f"{change.about}: {named}" if change.about else named


def fact_lines(changes: Iterable[Change]) -> Iterator[Line]:
    """The facts that changed, then what could be seen by one of the two only, by why."""
    in_one: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        if change.reason is None:
            yield Line(LABELS[change.kind], _told(change))
        else:
            in_one.setdefault((change.kind, *same_reason(change.reason)), []).append(change)
    for group in in_one.values():
        yield Line(LABELS[group[0].kind], _in_one(group))


def _told(change: Change) -> str:
    if change.kind is Kind.CHANGED:
        return f"{subject(change)}: {change.after}, was {change.before}"
    state = change.before if change.kind is Kind.VANISHED else change.after
    return f"{subject(change)} ({state})" if state else subject(change)


def _in_one(group: list[Change]) -> str:
    named = [subject(change) for change in group[:_MOST_NAMED]]
    more = f"; and {len(group) - _MOST_NAMED:,} more" if len(group) > _MOST_NAMED else ""
    reason = group[0].reason
    why = reason.describe() if reason else ""
    tense = "" if group[0].kind is Kind.HIDDEN else "before: "
    return f"{'; '.join(named)}{more} ({tense}{why})"


def notes(made: Comparison) -> Iterator[str]:
    """What couldn't be compared, and why, in sentences."""
    if not made.names.alike:
        yield f"Names can't be compared: {made.names.why_not}. Verdicts can, and facts in which there are no names."
    elif made.before.redacted and made.before.dataset != made.after.dataset:
        yield "The destination is not the same: a dataset may have its name in one and a pseudonym in the other."
    if made.facts is None:
        yield "Facts were not compared: a report holds none. Bundles do."
    elif made.facts.not_in_both:
        kinds = ", ".join(TITLES.get(field, field) for field in made.facts.not_in_both)
        yield f"Only one of the two was asked for these, so they were not compared: {kinds}."


def answer(made: Comparison) -> str:
    """What it comes to, in a word or two."""
    if made.worse:
        return "WORSE"
    if made.better:
        return "BETTER"
    return "CHANGED" if made.verdicts or (made.facts and made.facts.changes) or made.asked else "NO CHANGE"


def counts(made: Comparison) -> str:
    """How much changed, as the middle of a sentence."""
    worse = sum(change.worse for change in made.verdicts)
    better = sum(change.better for change in made.verdicts)
    told = [
        f"{number} {'verdict' if number == 1 else 'verdicts'} got {how}"
        for number, how in ((worse, "worse"), (better, "better"))
        if number
    ] or ["no verdict got worse"]
    if made.facts is not None:
        kinds = [change.kind for change in made.facts.changes]
        number = sum(kind not in {Kind.HIDDEN, Kind.SHOWN} for kind in kinds)
        told.append(f"{number:,} {'fact' if number == 1 else 'facts'} changed" if number else "no fact changed")
        told += [
            f"{kinds.count(kind):,} {what}"
            for kind, what in ((Kind.HIDDEN, "could not be seen any longer"), (Kind.SHOWN, "could be seen only now"))
            if kind in kinds
        ]
    return ", ".join(told)

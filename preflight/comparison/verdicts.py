"""The verdicts that changed between two reports on one project."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from preflight.report import Severity, Status

URGENCY = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIP)
"""What is wrong first."""
_TROUBLE = (Status.FAIL, Status.UNKNOWN, Status.WARN)


class Judged(Struct, frozen=True, kw_only=True):
    """One rule's answer, as far as it is compared."""

    rule: str
    title: str
    severity: Severity
    status: Status
    message: str
    reason: str = ""
    """With unknown: the kind of its reason."""
    because: str = ""
    """With skip: the rule that failed, where that is why."""


class VerdictChange(Struct, frozen=True, kw_only=True):
    """A rule that answers otherwise, or for another reason, or that just one of the two reports has."""

    rule: str
    title: str
    severity: Severity
    before: Judged | None
    after: Judged | None

    @property
    def worse(self) -> bool:
        """Whether what is to be mended grew: not so where a rule is new, or applies again and passes."""
        if self.before is None or self.after is None or self.after.status not in _TROUBLE:
            return False
        return URGENCY.index(self.after.status) < URGENCY.index(self.before.status)

    @property
    def better(self) -> bool:
        """Whether it was wrong, and is less so, or not at all. That it can't be told any more is nothing better."""
        if self.before is None or self.after is None or self.before.status not in _TROUBLE:
            return False
        if self.after.status is Status.UNKNOWN or self.after.because:
            return False
        return URGENCY.index(self.after.status) > URGENCY.index(self.before.status)

    @property
    def same_status(self) -> bool:
        """The answer is the same, and what is said of it isn't."""
        return self.before is not None and self.after is not None and self.before.status is self.after.status


def compared(before: Iterable[Judged], after: Iterable[Judged], *, names: bool = True) -> tuple[VerdictChange, ...]:
    """The rules that answer otherwise, what got worse first. Without `names` what is said can't be compared."""
    return tuple(sorted(_changes(before, after, names=names), key=_order))


def _changes(before: Iterable[Judged], after: Iterable[Judged], *, names: bool) -> Iterator[VerdictChange]:
    old, new = ({one.rule: one for one in side} for side in (before, after))
    for rule in dict.fromkeys((*new, *old)):
        was, now = old.get(rule), new.get(rule)
        known = now or was
        if known is not None and not _same(was, now, names=names):
            yield VerdictChange(rule=rule, title=known.title, severity=known.severity, before=was, after=now)


def _same(before: Judged | None, after: Judged | None, *, names: bool) -> bool:
    if before is None or after is None or before.status is not after.status:
        return False
    if before.status not in _TROUBLE:
        return True
    return before.reason == after.reason and (not names or before.message == after.message)


def _order(change: VerdictChange) -> tuple[int, int]:
    kinds = (change.worse, change.before is not None and change.after is not None and not change.same_status)
    place = 0 if kinds[0] else 1 if kinds[1] else 2 if change.same_status else 3
    return place, URGENCY.index(change.after.status) if change.after else len(URGENCY)

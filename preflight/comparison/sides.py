"""Two looks at one project, and how they compare: what a look has to say, and whether two have names in common."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from preflight.comparison import facts, verdicts
from preflight.comparison.changes import Change, Thing, value
from preflight.comparison.facts import FactChanges
from preflight.comparison.verdicts import Judged, VerdictChange
from preflight.facts.snapshot import Snapshot
from preflight.report import Severity, Status


class Look(Struct, frozen=True, kw_only=True):
    """What was known of the project at one time."""

    file: str
    kind: Literal["report", "snapshot", "bundle"]
    project: str | None
    """Its ID; None where that isn't known."""
    principal: str
    profile: str
    location: str | None
    dataset: str | None
    source: str
    """Where the facts come from: `live`."""
    moment: datetime | None
    """When the last fact was read, in UTC."""
    judged: tuple[Judged, ...]
    snapshot: Snapshot | None = None
    """None: a report, in which there are no facts."""
    redacted: bool = False
    """Names in it are pseudonyms."""
    key_id: str | None = None
    """Of the key that they were made with; None where that isn't told."""
    pseudonyms: frozenset[str] = frozenset()
    """Those in it, where the key isn't told."""

    @property
    def status(self) -> Status:
        """The verdict, as a report has it."""
        found = [(one.status, one.severity) for one in self.judged]
        if any(status is Status.FAIL and weight is not Severity.RECOMMENDED for status, weight in found):
            return Status.FAIL
        if (Status.UNKNOWN, Severity.REQUIRED) in found:
            return Status.UNKNOWN
        return Status.WARN if any(status is Status.WARN for status, _ in found) else Status.PASS


class Names(Struct, frozen=True):
    """Whether the names in two looks can be compared."""

    alike: bool
    why_not: str = ""


class Comparison(Struct, frozen=True, kw_only=True):
    """Two looks, and what changed from one to the other."""

    before: Look
    after: Look
    names: Names
    asked: tuple[Change, ...]
    """What the two were asked that isn't the same: the profile, the location, the dataset."""
    verdicts: tuple[VerdictChange, ...]
    facts: FactChanges | None
    """None: there are facts in one of the two at most."""

    @property
    def worse(self) -> bool:
        """Whether a verdict got worse."""
        return any(change.worse for change in self.verdicts)

    @property
    def better(self) -> bool:
        """Whether a verdict got better."""
        return any(change.better for change in self.verdicts)


def compare(before: Look, after: Look) -> Comparison:
    """What changed. That both are about one project and principal is seen to by `differ`."""
    names = names_of(before, after)
    old, new = before.snapshot, after.snapshot
    return Comparison(
        before=before,
        after=after,
        names=names,
        asked=tuple(_asked(before, after)),
        verdicts=verdicts.compared(before.judged, after.judged, names=names.alike),
        facts=None if old is None or new is None else facts.compared(old, new, names=names.alike),
    )


def differ(before: Look, after: Look) -> str:
    """Why the two have nothing to do with each other, as the middle of a sentence; empty: they have."""
    if before.project is not None and after.project is not None and before.project != after.project:
        return f"one is about {before.project}, the other about {after.project}"
    if before.principal.casefold() != after.principal.casefold():
        return f"one is about {before.principal}, the other about {after.principal}"
    return ""


def names_of(before: Look, after: Look) -> Names:
    """Names as they are compare with each other, and pseudonyms of one key with each other."""
    if not before.redacted and not after.redacted:
        return Names(alike=True)
    if before.redacted != after.redacted:
        which = "the first" if before.redacted else "the second"
        return Names(alike=False, why_not=f"names are replaced in {which} of the two only")
    if before.key_id is not None and after.key_id is not None:
        same = before.key_id == after.key_id
    else:
        same = not before.pseudonyms or not after.pseudonyms or bool(before.pseudonyms & after.pseudonyms)
    return Names(alike=True) if same else Names(alike=False, why_not="names are replaced in each with another key")


def _asked(before: Look, after: Look) -> Iterator[Change]:
    thing = Thing("asked", "", "")
    for what in ("profile", "location", "dataset"):
        yield from value(thing.of(what), getattr(before, what), getattr(after, what))

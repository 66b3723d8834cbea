"""What may change between two looks at a project: each change says what it is about, and how."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from preflight.facts.seen import COMPLETE, Completeness, Maybe, NotCollected, Reason, Unknown

T = TypeVar("T")


class Kind(StrEnum):
    """What became of something."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"
    HIDDEN = "hidden"
    """It was known, and isn't any longer: nothing is said of whether it changed."""
    SHOWN = "shown"
    """It wasn't known, and now is."""


class Change(Struct, frozen=True, kw_only=True):
    """One fact that changed, or that could be seen by just one of two looks."""

    fact: str
    """The kind of fact, by its name in a snapshot: `allow_policies`."""
    kind: Kind
    about: str
    """What it is about: `projects/acme`, `dataset heap_production`."""
    what: str
    """What of that: `grant`, `location`, `deny rule`."""
    name: str = ""
    """Which one, of what there may be several of."""
    before: str | None = None
    """What it was, in words; None: nothing, or not known."""
    after: str | None = None
    reason: Reason | None = None
    """With hidden: why it isn't known any longer. With shown: why it wasn't."""


class Thing(NamedTuple):
    """What is compared: its kind of fact, what it is about, and what of that."""

    fact: str
    about: str
    what: str

    def of(self, what: str) -> "Thing":
        """Another part of the same."""
        return self._replace(what=what)

    def change(self, kind: Kind, **more: Any) -> Change:
        """A change of it."""
        return Change(fact=self.fact, about=self.about, what=self.what, kind=kind, **more)


def value(thing: Thing, before: object, after: object) -> Iterator[Change]:
    """A value that both looks saw."""
    if before != after:
        yield thing.change(Kind.CHANGED, before=in_words(before), after=in_words(after))


def in_words(found: object) -> str:
    """A value as a person reads it."""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if found is None or found == "":
        return "none"
    return ", ".join(map(str, found)) if isinstance(found, tuple | list) else str(found)


def maybe(
    thing: Thing, before: Maybe[T], after: Maybe[T], both: Callable[[T, T], Iterable[Change]]
) -> Iterator[Change]:
    """What each look may know, or not. `both` compares what both know; what nobody asked for is no change."""
    if not asked(before) or not asked(after):
        return
    if isinstance(before, Unknown):
        if isinstance(after, Unknown):
            yield from _other_reason(thing, before.reason, after.reason)
        else:
            yield thing.change(Kind.SHOWN, reason=before.reason)
    elif isinstance(after, Unknown):
        yield thing.change(Kind.HIDDEN, reason=after.reason)
    else:
        yield from both(before, after)


def asked(found: object) -> bool:
    """Whether somebody asked for it."""
    return not (isinstance(found, Unknown) and isinstance(found.reason, NotCollected))


def _other_reason(thing: Thing, before: Reason, after: Reason) -> Iterator[Change]:
    if same_reason(before) != same_reason(after):
        why = thing.of(f"why the {thing.what} is not known")
        yield why.change(Kind.CHANGED, before=before.describe(), after=after.describe())


_OF_ONE_CALL = ("seconds", "identifier", "detail", "settled_by")


def same_reason(reason: Reason) -> tuple[object, ...]:
    """What two reasons that are the same have in common: not what is another with every call."""
    told = tuple(getattr(reason, name) for name in reason.__struct_fields__ if name not in _OF_ONE_CALL)
    return (reason.kind, *told) if told else (reason.kind, reason.describe())


def completeness(thing: Thing, before: Completeness, after: Completeness) -> Iterator[Change]:
    """Whether a list is all there is."""
    old, new = gap_of(before), gap_of(after)
    whole = thing.of(f"whether that is every {thing.what}")
    if old is not None and new is not None:
        yield from _other_reason(whole, old, new)
    elif new is not None:
        yield whole.change(Kind.HIDDEN, reason=new)
    elif old is not None:
        yield whole.change(Kind.SHOWN, reason=old)


def gap_of(found: Completeness) -> Reason | None:
    """Why there may be more; None where there isn't, or where nobody asked for more."""
    return None if isinstance(found.gap, NotCollected) else found.gap


def only_one(
    thing: Thing,
    name: str,
    gaps: tuple[Completeness, Completeness],
    *,
    appeared: bool,
    told: str | None = None,
) -> Change:
    """What just one of two looks has in a list. Where the other's list may lack something, it may have been there."""
    gap = gap_of(gaps[0] if appeared else gaps[1])
    if appeared:
        kind = Kind.SHOWN if gap else Kind.APPEARED
        return thing.change(kind, name=name, after=told, reason=gap)
    return thing.change(Kind.HIDDEN if gap else Kind.VANISHED, name=name, before=told, reason=gap)


NO_GAPS = (COMPLETE, COMPLETE)


def listed(
    thing: Thing,
    before: Iterable[str],
    after: Iterable[str],
    gaps: tuple[Completeness, Completeness] = NO_GAPS,
) -> Iterator[Change]:
    """Two lists of names or statements, in any order."""
    old, new = list(dict.fromkeys(before)), list(dict.fromkeys(after))
    was, now = set(old), set(new)
    yield from (only_one(thing, name, gaps, appeared=False) for name in old if name not in now)
    yield from (only_one(thing, name, gaps, appeared=True) for name in new if name not in was)


def keyed(
    thing: Callable[[str], Thing],
    before: Mapping[str, Maybe[T]],
    after: Mapping[str, Maybe[T]],
    gaps: tuple[Completeness, Completeness],
    both: Callable[[Thing, T, T], Iterable[Change]],
    told: Callable[[T], str | None] = lambda _: None,
) -> Iterator[Change]:
    """Two lists of what has names; `thing` is what one of these is called, `told` what is said of one that is new."""
    for name in dict.fromkeys((*before, *after)):
        own = thing(name)
        if name in before and name in after:
            yield from maybe(own, before[name], after[name], partial(both, own))
            continue
        found = after[name] if name in after else before[name]
        if not isinstance(found, Unknown):
            yield only_one(own, "", gaps, appeared=name in after, told=told(found))
        elif asked(found):
            yield own.change(Kind.HIDDEN if name in after else Kind.SHOWN, reason=found.reason)


def asked_of_both(
    thing: Callable[[str], Thing],
    before: Mapping[str, Maybe[T]],
    after: Mapping[str, Maybe[T]],
    both: Callable[[Thing, T, T], Iterable[Change]],
) -> Iterator[Change]:
    """As `keyed`, of what is in the lists because somebody asked for it: what just one was asked for is no change."""
    for name in before:
        if name in after:
            own = thing(name)
            yield from maybe(own, before[name], after[name], partial(both, own))


def values(
    thing: Thing,
    before: Mapping[str, str],
    after: Mapping[str, str],
    gaps: tuple[Completeness, Completeness] = NO_GAPS,
) -> Iterator[Change]:
    """Two lists of names that each have a value."""
    for name in dict.fromkeys((*before, *after)):
        if name in before and name in after:
            if before[name] != after[name]:
                yield thing.change(Kind.CHANGED, name=name, before=before[name], after=after[name])
        else:
            appeared = name in after
            yield only_one(thing, name, gaps, appeared=appeared, told=(after if appeared else before)[name])

"""How a principal comes by a permission, or what keeps it from it: a decision of `access`, as a report carries it.

`access.decision` holds the whole proof, with formulas and facts. A finding keeps only this much of it: names and
answers, small and frozen, so that a report stays data, and whoever draws it needs to know nothing of how it was found.
"""

from datetime import datetime

from msgspec import Struct


class Level(Struct, frozen=True):
    """A place whose policy or list bears on the answer."""

    resource: str
    """`organizations/N`, `folders/N`, `projects/ID` or `projects/ID/datasets/NAME`."""
    read: bool
    """Whether it was read in full; if not, there may be grants that nobody saw."""


class Way(Struct, frozen=True, kw_only=True):
    """One grant on the way from the principal to what is wanted."""

    resource: str
    """The level at which it stands."""
    role: str
    member: str
    """As written there."""
    gives: bool | None
    """Whether it gives what is wanted, before any denial; None: that can't be told."""
    covers: bool | None
    """Whether the member is the principal, or includes it."""
    role_holds: bool | None
    """Whether the role holds what is wanted."""
    condition: str = ""
    """The expression of its condition; empty: it has none."""
    title: str = ""
    """The condition's title."""
    holds: bool | None = None
    """What the condition comes to."""


class Barrier(Struct, frozen=True, kw_only=True):
    """A deny rule that takes away what is wanted, or may."""

    policy: str
    resource: str
    """What it is attached to."""
    acts: bool
    """Surely; else perhaps."""
    condition: str = ""
    """The expression of its condition; empty: it has none."""


class OpenPoint(Struct, frozen=True):
    """Something that isn't known and on which the answer hangs."""

    why: str
    settle: str
    """What would settle it."""


class AccessPath(Struct, frozen=True, kw_only=True):
    """One question about access, its answer, and the grants and denials between them."""

    principal: str
    wanted: tuple[str, ...]
    """The permissions, or the role; all of them go the same way."""
    resource: str
    """On what: `projects/ID` or `projects/ID/datasets/NAME`."""
    granted: bool | None
    """None: that can't be told."""
    levels: tuple[Level, ...]
    """From the organization down, as far as they are known."""
    ways: tuple[Way, ...] = ()
    """What gives it first, then what may, then what would if its condition held."""
    more_ways: int = 0
    """How many others there are that are not here."""
    barriers: tuple[Barrier, ...] = ()
    open: tuple[OpenPoint, ...] = ()
    """With unknown: the smallest set of facts that would settle it."""
    changes_at: datetime | None = None
    """When the answer changes by itself; None: never, as far as is known."""

"""A stored snapshot as the engine sees it: facts wanted, snapshot out. It asks nobody."""

from typing import Any

from msgspec.structs import replace

from preflight.bundle.contents import StoredSnapshot
from preflight.facts.project import Fact
from preflight.facts.seen import NotCollected, Unknown
from preflight.facts.snapshot import FIELD_OF, NOT_ASKED, Snapshot

_LACKING = Unknown(
    NotCollected(
        "the snapshot does not hold it: no rule that ran then needed it",
        "Collect again with this version of preflight.",
    )
)


def stored_facts(stored: StoredSnapshot, wanted: frozenset[type[Fact]]) -> Snapshot:
    """The facts of the snapshot. What these rules need and it lacks is unknown: it has to be collected again."""
    lacking: dict[str, Any] = {
        FIELD_OF[kind]: _LACKING for kind in wanted if getattr(stored.facts, FIELD_OF[kind]) == NOT_ASKED
    }
    return replace(stored.facts, **lacking) if lacking else stored.facts

"""The audit as JSON: what other programs read. Names stay; a new minor version may add fields."""

import json
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from preflight.access.audit import Audit, Row, State
from preflight.access.audit_flags import MEANINGS
from preflight.renderers.access_tree import LIMITS
from preflight.renderers.access_wire import WORDS, AnswerWord, Proof, proof_of
from preflight.renderers.audit_words import rows_shown
from preflight.renderers.json_report import document
from preflight.renderers.wire import Model, Reason, Text, Tool, reason_of
from preflight.renderers.words import utc
from preflight.version import __version__

SCHEMA_VERSION: Final = "1.0"
SCHEMA_ID = f"urn:preflight:audit:{SCHEMA_VERSION}"

FlagWord = Literal["public", "outside", "other-project", "permanent-admin", "deleted", "broad-role"]
_STATES: dict[State, AnswerWord] = {
    State.GRANTED: "granted",
    State.UNKNOWN: "unknown",
    State.NOT_GRANTED: "not_granted",
}

_MOST_UNKNOWN = 100
"""One group that nobody may look into can leave thousands of datasets open, for everybody: they aren't repeated."""


class AuditCapability(Model):
    """Something that one may be able to do: a column."""

    id: Text
    """Its name in rows."""
    title: Text
    """The same for people."""
    permissions: tuple[Text, ...]
    """Any of these is enough."""


class AuditCell(Model):
    """Whether a member has a capability, and where."""

    state: AnswerWord
    """`not_granted` only where that is known."""
    on_project: AnswerWord
    """By the policies of the project and above: everywhere in it."""
    datasets: tuple[Text, ...]
    """The datasets whose own list gives it, where the project's policies don't."""
    unknown_datasets: tuple[Text, ...]
    """The datasets for which it can't be told, though it can for the project as a whole: the first hundred."""
    unknown_datasets_count: int
    """How many these are in all."""
    more: bool
    """Whether it may be given by more datasets than these."""
    until: AwareDatetime | None
    """When the last grant of it on the project or above ends; null: it doesn't, as far as is known."""
    proofs: tuple[Proof, ...]
    """What it rests on: with `--path`, else empty."""


class AuditFlag(Model):
    """What stands out about a member."""

    kind: FlagWord
    """Which flag."""
    meaning: Text
    """What the flag means."""
    detail: Text
    """What is meant in this case."""


class AuditRow(Model):
    """One member of a policy."""

    member: Text
    """As it is first written in a policy."""
    principal: Text
    """The same in the form of IAM's allow policies."""
    cells: dict[str, AuditCell]
    """One for each capability, by its id."""
    flags: tuple[AuditFlag, ...]
    """What stands out."""


class AuditGap(Model):
    """One thing that was not seen."""

    kind: Text
    """What: `policy`, `ancestors`, `datasets`, `dataset access`, `role`, `group`, `condition`, `member` …"""
    about: Text
    """Of what; may be empty."""
    weighs: bool
    """Whether cells are unknown for it. False: it is taken for absent, or concerns a flag alone."""
    reason: Reason
    """Why it was not seen, and what would settle it."""


class AuditDocument(Model):
    """The audit of one project's access."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    """The version of this schema. A higher minor version adds fields; a higher major one may change them."""
    tool: Tool
    """The program that wrote it."""
    project: Text
    """The project's ID."""
    moment: AwareDatetime
    """For when it holds: conditions look at the time."""
    complete: bool
    """Whether all that bears on it was seen."""
    capabilities: tuple[AuditCapability, ...]
    """The columns."""
    rows: tuple[AuditRow, ...]
    """The members: what is flagged first, then who can do most."""
    not_seen: tuple[AuditGap, ...]
    """What was not seen."""
    limits: Annotated[tuple[Text, ...], Field(min_length=1)]
    """What no answer of this tool can take into account."""


def render(
    audit: Audit, *, only_flagged: bool = False, rows: Iterable[Row] | None = None, proofs: Iterable[str] = ()
) -> str:
    """The audit as indented JSON: all rows or these, with the proofs of these capabilities' cells."""
    chosen = rows_shown(audit, only_flagged=only_flagged) if rows is None else tuple(rows)
    wanted = frozenset(proofs)
    return document(
        AuditDocument(
            tool=Tool(version=__version__),
            project=audit.project,
            moment=utc(audit.moment),
            complete=not audit.blind,
            capabilities=tuple(
                AuditCapability(id=c.id, title=c.title, permissions=c.permissions) for c in audit.capabilities
            ),
            rows=tuple(_row(audit, row, wanted) for row in chosen),
            not_seen=tuple(
                AuditGap(kind=p.kind, about=p.about, weighs=p.weighs, reason=reason_of(p.unknown.reason))
                for p in audit.open_points
            ),
            limits=LIMITS,
        )
    )


def schema() -> str:
    """The JSON Schema, as it is published."""
    described = AuditDocument.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **described}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _row(audit: Audit, row: Row, proofs: frozenset[str]) -> AuditRow:
    cells = {}
    for capability, cell in zip(audit.capabilities, row.cells, strict=True):
        unknown = cell.open_datasets
        shown = audit.decisions(row, capability) if capability.id in proofs else ()
        cells[capability.id] = AuditCell(
            state=_STATES[cell.state],
            on_project=WORDS[cell.on_project],
            datasets=cell.datasets,
            unknown_datasets=unknown[:_MOST_UNKNOWN],
            unknown_datasets_count=len(unknown),
            more=cell.more,
            until=None if cell.until is None else utc(cell.until),
            proofs=tuple(map(proof_of, shown)),
        )
    flags = tuple(AuditFlag(kind=f.kind.value, meaning=MEANINGS[f.kind], detail=f.detail) for f in row.flags)
    return AuditRow(member=row.member, principal=row.principal, cells=cells, flags=flags)

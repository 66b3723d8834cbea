"""The audit as Markdown for a ticket: the table, the flags, what was not seen."""

from collections.abc import Iterator

from preflight.access.audit import Audit
from preflight.renderers import audit_words, words
from preflight.renderers.markdown import cell, code, prose
from preflight.version import __version__


def render(audit: Audit, *, only_flagged: bool = False) -> str:
    """The audit as GitHub-flavoured Markdown."""
    return "\n\n".join(_blocks(audit, only_flagged=only_flagged)) + "\n"


def _blocks(audit: Audit, *, only_flagged: bool) -> Iterator[str]:
    rows = audit_words.rows_shown(audit, only_flagged=only_flagged)
    yield f"## Who can do what in BigQuery in {code(audit.project)}"
    yield prose(audit_words.summary(audit, len(rows)))
    if rows:
        titles = " | ".join(capability.title for capability in audit.capabilities)
        lines = [f"| Member | {titles} | Flags |", "|---" * (len(audit.capabilities) + 2) + "|"]
        for row in rows:
            cells = " | ".join(audit_words.cell_text(one) for one in row.cells)
            flags = ", ".join(flag.kind.value for flag in row.flags)
            lines.append(f"| {cell(code(row.member))} | {cells} | {flags} |")
        yield "\n".join(lines)
        yield f"{audit_words.LEGEND}."
    for kind, meaning, found in audit_words.flagged(audit):
        yield f"### {kind.value}"
        yield f"{meaning[:1].upper()}{meaning[1:]}:"
        yield "\n".join(f"- {code(row.member)}: {prose(flag.detail)}" for row, flag in found)
    for weighing, title in ((True, "Not seen"), (False, "Not seen, and not counted")):
        gaps = list(audit_words.gaps(audit, weighing=weighing))
        if gaps:
            yield f"### {title}"
            yield "\n".join(f"- {prose(said)} {prose(settle)}" for said, settle in gaps)
    yield "---"
    yield f"As of {words.when(audit.moment)}. Made by preflight {code(__version__)}."

"""The audit as CSV, for a spreadsheet: one line a member, then one for each thing that was not seen.

Spreadsheets take a cell that begins with one of a few characters for a formula, whoever wrote it; such a cell gets
an apostrophe before it, as OWASP advises ("CSV Injection").
"""

import csv
import io

from preflight.access.audit import Audit, Cell, State
from preflight.renderers import audit_words
from preflight.renderers.visible import visible
from preflight.renderers.words import utc

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width ones do it too


def render(audit: Audit, *, only_flagged: bool = False) -> str:
    """The audit with a line of headings. The first column tells members (`member`) from gaps (`not seen`)."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["record", "member", *(c.id for c in audit.capabilities), "flags", "detail"])
    for row in audit_words.rows_shown(audit, only_flagged=only_flagged):
        flags = " ".join(flag.kind.value for flag in row.flags)
        detail = "; ".join(f"{flag.kind.value}: {flag.detail}" for flag in row.flags)
        writer.writerow(map(_safe, ["member", row.member, *map(_cell, row.cells), flags, detail]))
    for said, settle in audit_words.gaps(audit, weighing=True):
        writer.writerow(map(_safe, ["not seen", "", *("" for _ in audit.capabilities), "", f"{said} {settle}"]))
    return output.getvalue()


def _cell(cell: Cell) -> str:
    if cell.state is State.UNKNOWN:
        return "unknown"
    if cell.state is State.NOT_GRANTED:
        return ""
    if cell.datasets:
        return f"in {' '.join(cell.datasets)}{' and perhaps more' if cell.more else ''}"
    return f"granted until {utc(cell.until):%Y-%m-%dT%H:%M:%SZ}" if cell.until else "granted"


def _safe(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown

"""Many projects at a glance: one line each, and the totals. Pure functions, like those of a single report."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from preflight.errors import ExitCode
from preflight.renderers.visible import visible
from preflight.renderers.words import utc
from preflight.report import Report, Status
from preflight.version import __version__

SCHEMA_VERSION = "1.0"
_ORDER = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIP)
_WORDS = {
    Status.FAIL: "not ready",
    Status.UNKNOWN: "can't tell",
    Status.WARN: "ready, with warnings",
    Status.PASS: "ready",
}
_AS_ASKED = {Status.WARN: "OK as far as asked, with warnings", Status.PASS: "OK as far as asked"}
"""Where rules were left out that could stand in the way."""


class Row(Struct, frozen=True):
    """One project in a line: what is kept of its report."""

    project: str
    status: Status
    exit_code: ExitCode
    counts: tuple[int, ...]
    """In the order of `_ORDER`."""
    rule: str
    """The first rule that stands in the way; empty: none."""
    message: str
    partial: bool
    """Rules that could stand in the way were left out."""

    @classmethod
    def of(cls, report: Report) -> "Row":
        """A report in a line."""
        first = next((f for f in report.findings if f.blocks), None) or next(
            (f for f in report.findings if f.blinds), None
        )
        found = Counter(finding.status for finding in report.findings)
        counts = tuple(found[status] for status in _ORDER)
        rule, message = (first.rule, first.verdict.message) if first else ("", "")
        return cls(report.target.project, report.status, report.exit_code, counts, rule, message, bool(report.unasked))


def exit_code(rows: Iterable[Row]) -> ExitCode:
    """The worst: an internal error before a failure before what can't be told."""
    codes = {row.exit_code for row in rows}
    order = (ExitCode.INTERNAL, ExitCode.NOT_READY, ExitCode.CANNOT_TELL)
    return next((code for code in order if code in codes), ExitCode.READY)


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """What is wrong first; among equals by ID."""
    return sorted(rows, key=lambda row: (_ORDER.index(row.status), row.project))


def totals(rows: list[Row]) -> str:
    """How many projects are what, in a sentence."""
    found = Counter(row.status for row in rows)
    named = _WORDS | _AS_ASKED if any(row.partial for row in rows) else _WORDS
    told = [f"{found[status]:,} {named[status]}" for status in _ORDER if found[status]]
    return f"{len(rows):,} {'project' if len(rows) == 1 else 'projects'}: {', '.join(told)}."


def terminal(rows: list[Row], *, width: int = 100) -> str:
    """One line a project, what is wrong first, then the totals."""
    from tabulate import tabulate  # only here: a check of a repository counts by these rows, and starts light

    ordered = worst_first(rows)
    longest = max((len(visible(row.project)) for row in ordered), default=0)
    room = max(width - longest - 35, 20)
    headers = ("", "project", *(status.value for status in _ORDER[:4]), "first in the way")
    table = [
        (row.status.value.upper(), visible(row.project), *row.counts[:4], _shortened(_why(row), room))
        for row in ordered
    ]
    align = ("left", "left", "right", "right", "right", "right", "left")
    text = tabulate(table, headers=headers, tablefmt="plain", disable_numparse=True, colalign=align)
    rules = "".join(f"{count:6,} x {rule}\n" for rule, count in in_the_way(rows))
    return f"{text}\n\n{rules}{totals(rows)}\n"


def _why(row: Row) -> str:
    return f"{row.rule}: {row.message}" if row.rule else ""


def _shortened(text: str, room: int) -> str:
    shown = visible(text)
    return shown if len(shown) <= room else f"{shown[: room - 3].rstrip()}..."


def in_the_way(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Which rules stand in the way first, and of how many projects; the most frequent first."""
    return Counter(row.rule for row in rows if row.rule).most_common()


def markdown(rows: list[Row], first: Report, source: str, *, most: int | None = None) -> str:
    """The same as GitHub-flavoured Markdown, with `most` projects at most in the table.

    `first` is any of the reports: what all have in common is told by it.
    """
    from preflight.renderers.markdown import code, prose  # only here, for the same reason

    lines = [
        "| Result | Project | Fails | Unknown | Warns | Passes | First in the way |",
        "|---|---|---|---|---|---|---|",
    ]
    shown = worst_first(rows)[:most]
    for row in shown:
        counts = " | ".join(str(count) for count in row.counts[:4])
        why = f"{code(row.rule)} {prose(row.message)}".replace("|", r"\|") if row.rule else ""
        lines.append(f"| {row.status.value.upper()} | {code(row.project)} | {counts} | {why} |")
    table = "\n".join(lines)
    reasons = "\n".join(f"- {code(rule)}: {count:,}" for rule, count in in_the_way(rows))
    footer = (
        f"Judged for {code(first.target.principal)} by the profile {code(first.profile)} version "
        f"{code(first.profile_version)}. Facts: {prose(first.source)}, {code(source)}, "
        f"{utc(first.started_at):%Y-%m-%d %H:%M:%S} UTC. Made by preflight {code(__version__)}."
    )
    left = len(rows) - len(shown)
    more = f"{left:,} more {'is' if left == 1 else 'are'} not in this table." if left else ""
    heading = f"## {len(rows):,} project{'s' * (len(rows) != 1)} for {prose(first.vendor)}"
    blocks = [heading, totals(rows), table, more, reasons, "---", footer]
    return "\n\n".join(block for block in blocks if block) + "\n"


JSON_START = f'{{\n"schema_version": "{SCHEMA_VERSION}",\n"reports": [\n'
JSON_BETWEEN = ",\n"
JSON_END = "\n]\n}\n"
JSON_WITH = "\n],\n"
"""Around and between the JSON reports, which are written as they come; the last one where more follows."""

"""The audit for a person at a terminal: the table, then the flags, then what was not seen."""

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator

import click
from tabulate import tabulate

from preflight.access.audit import Audit, Row
from preflight.renderers import audit_words, words
from preflight.renderers.visible import visible

_NARROWEST = 40
_WIDE = 100
"""From here on flags have a column, and capabilities their full names."""
_SHORT_TITLES = {
    "run-jobs": "jobs",
    "create-datasets": "create",
    "read-data": "read",
    "write-data": "write",
    "change-access": "access",
}
_GOOGLE = re.compile(r"\.iam\.gserviceaccount\.com(?=$|\?)")
_SHORT_KINDS = {"serviceAccount:": "sa:", "principalSet://": "set://", "deleted:": "del:"}
_DAY = re.compile(r"(?<=^to \d{4}-\d{2})-\d{2}$")
_UID = re.compile(r"\?uid=\d+$")
_INDENT = "  "

Paint = Callable[..., str]


def render(audit: Audit, *, only_flagged: bool = False, colour: bool = False, width: int = 80) -> str:
    """The audit as lines of at most `width` columns where names allow."""
    paint: Paint = click.style if colour else _plain
    width = max(width, _NARROWEST)
    rows = audit_words.rows_shown(audit, only_flagged=only_flagged)
    title = f"Who can do what in BigQuery in {visible(audit.project)}, as of {words.when(audit.moment)}"
    blocks = [
        paint(_wrapped(title, width), bold=True),
        _table(audit, rows, paint, width) if rows else "",
        _wrapped(audit_words.LEGEND, width) if rows else "",
        *_flags(audit, paint, width),
        *_gaps(audit, paint, width),
        _wrapped(visible(audit_words.summary(audit, len(rows))), width),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(audit: Audit, rows: tuple[Row, ...], paint: Paint, width: int) -> str:
    wide = width >= _WIDE
    titles = ["\n".join(c.title.split()) if wide else _SHORT_TITLES[c.id] for c in audit.capabilities]
    body = [[_short(audit_words.cell_text(cell), wide=wide) for cell in row.cells] for row in rows]
    widths = [
        max(*(len(line) for line in title.splitlines()), *(len(cells[at]) for cells in body))
        for at, title in enumerate(titles)
    ]
    flags = [", ".join(flag.kind.value for flag in row.flags) for row in rows]
    last = max([5, *map(len, flags)]) if wide else 0
    room = max(width - sum(widths) - 2 * len(widths) - (last + 2 if wide else 3), 12)
    names = _names([visible(row.member) for row in rows], room)
    first = max([6, *(len(line) for name in names for line in name.splitlines())])
    # Headings are rows, since tabulate pads its own by two columns each.
    lines = [["member", *titles, "flags"], ["-" * columns for columns in (first, *widths, last)]]
    for at, (name, cells) in enumerate(zip(names, body, strict=True)):
        painted = [paint(cell, fg=_colour(cell)) if cell else "" for cell in cells]
        lines.append([name, *painted, paint(flags[at], fg="yellow") if flags[at] else ""])
    if not wide:
        marks = ["", "-", *("!" if row.flags else "" for row in rows)]
        lines = [[mark, *line[:-1]] for mark, line in zip(marks, lines, strict=True)]
    # Blanks at the ends of lines are tabulate's, to fill the last column.
    return "\n".join(line.rstrip() for line in tabulate(lines, tablefmt="plain", disable_numparse=True).splitlines())


def _short(text: str, *, wide: bool) -> str:
    return text if wide else _DAY.sub("", text.replace(" datasets", " ds").replace(" dataset", " ds"))


def _colour(cell: str) -> str:
    return "magenta" if cell == "?" else "yellow" if cell.startswith("to ") else "green"


def _names(members: list[str], room: int) -> list[str]:
    """Members as they fit: what all of Google's accounts end in goes first, then the long names of kinds, then the
    middle; but no two members may look alike, so then both are shown whole, over several lines."""
    short = [_elided(_UID.sub("?uid=…", _GOOGLE.sub("…", member)), room) for member in members]
    times = Counter(short)
    return [
        one if times[one] == 1 else "\n".join(textwrap.wrap(member, room, break_on_hyphens=False))
        for one, member in zip(short, members, strict=True)
    ]


def _elided(text: str, room: int) -> str:
    if len(text) > room:
        for kind, letters in _SHORT_KINDS.items():
            text = text.replace(kind, letters, 1)
    if len(text) <= room:
        return text
    ahead = (room - 1) * 2 // 3
    return f"{text[:ahead]}…{text[len(text) - (room - 1 - ahead) :]}"


def _flags(audit: Audit, paint: Paint, width: int) -> Iterator[str]:
    for kind, meaning, found in audit_words.flagged(audit):
        head = _wrapped(f"{kind.value}: {meaning}", width)
        lines = [paint(kind.value, fg="yellow", bold=True) + head.removeprefix(kind.value)]
        lines += [_indented(f"{visible(row.member)}: {visible(flag.detail)}", width) for row, flag in found]
        yield "\n".join(lines)


def _gaps(audit: Audit, paint: Paint, width: int) -> Iterator[str]:
    for weighing, title in ((True, "Not seen"), (False, "Not seen, and not counted")):
        lines = [
            line
            for said, settle in audit_words.gaps(audit, weighing=weighing)
            for line in (_indented(visible(said), width), _indented(f"To settle it: {visible(settle)}", width, 2))
        ]
        if lines:
            yield "\n".join([paint(title, fg="magenta", bold=True), *lines])


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False, break_long_words=False)


def _indented(text: str, width: int, depth: int = 1) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=_INDENT * depth,
        subsequent_indent=_INDENT * (depth + 1),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _plain(text: str, **_style: object) -> str:
    return text

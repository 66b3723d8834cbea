"""The matrix as a table to read: in the documents, and in the terminal of who runs it."""

import re
from collections.abc import Iterable, Iterator

from tabulate import tabulate

from tests.torture.matrix import AUDITOR, CALLED, HARMLESS, KINDS, SLACK, TIMEOUT, Cell, Outcome, cells, columns

TITLES = {
    "good": "A project that is ready, by pieces from everywhere",
    "own": "A project that is ready by its dataset's own access list",
    "bad": "A project in which little is right",
}
_ABREAST = 7
_HEAD = f"""<!-- made by scripts/make_fault_table.py; don't edit -->
# What comes of each fault

Every kind of fault on every method that the tool may call, over each transport that it calls it by: {{size}} runs of
`preflight run --cross-check --timeout {TIMEOUT}` against the stand-in, in which that one method always goes wrong in
that one way.
A cell is the exit code, the report's verdict, and the kinds of reason that its findings then give; `=`: every rule
says the same as without the fault (deny policies that were not seen are then noted in the evidence, and `--unread-deny
unknown` makes more of it). Where the transports differ, both are told. `huge` is an answer of 50 MB, and
`endless_pages` concerns lists alone; both are given ten times as long.

What held in every cell: no traceback; a report that fits its schema, on stdout and in both files; no finding that is
anything but what it is without the fault, or unknown; nothing that passes or fails by the answer that was not given;
an end within {SLACK:g} s after the timeout.
"""


def document(outcomes: Iterable[Outcome]) -> str:
    """`docs/faults.md`: of the whole matrix, and without a time in it."""
    found = list(outcomes)
    parts = [_HEAD.format(size=len(found))]
    for world, title in TITLES.items():
        parts.append(f"## {title}\n")
        parts += [f"{text}\n" for text in _tables(world, found, "github")]
    parts.append("## What each method's loss leaves unknown\n")
    parts.append("Beside `auditor-access`, which then tells what was not seen. All other rules keep their verdict.\n")
    rows = [[f"`{method}`", *(_lost(found, world, method) for world in TITLES)] for method, _ in _each_method()]
    parts.append(tabulate(rows, ["method", "ready by pieces", "ready by its dataset", "little right"], "github") + "\n")
    return "\n".join(parts)


def for_terminal(outcomes: Iterable[Outcome]) -> str:
    """The same for who runs it: with the longest time of each row."""
    found = list(outcomes)
    parts = []
    for world, title in TITLES.items():
        parts += [title, *_tables(world, found, "simple", times=True)]
    return "\n\n".join(parts)


def documented(text: str) -> dict[tuple[str, str, str], str]:
    """What a document says: the cell's text by world, kind and method."""
    said = {}
    for world, title in TITLES.items():
        section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
        for table in re.split(r"\n\n+", section.strip()):
            lines = [[part.strip() for part in line.strip("|").split("|")] for line in table.splitlines()]
            methods = [head.strip("`") for head in lines[0][1:]]
            for row in lines[2:]:
                said.update({(world, row[0], method): cell for method, cell in zip(methods, row[1:], strict=True)})
    return said


def agrees(said: str, outcome: Outcome) -> bool:
    """Whether a cell of the document tells this outcome."""
    if ": " in said:
        return f"{outcome.cell.transport}: {outcome.text}" in said.split("; ")
    return said == outcome.text


def _each_method() -> Iterator[tuple[str, tuple[str, ...]]]:
    for method in CALLED:
        yield method.id, tuple(transport for name, transport in columns() if name == method.id)


def _tables(world: str, found: list[Outcome], style: str, *, times: bool = False) -> Iterator[str]:
    by_cell = {outcome.cell: outcome for outcome in found}
    there = [(name, over) for name, over in _each_method() if Cell(KINDS[0], name, over[0], world) in _ALL]
    for start in range(0, len(there), _ABREAST):
        some = there[start : start + _ABREAST]
        rows = []
        for kind in KINDS:
            cells_of = [[by_cell.get(Cell(kind, name, t, world)) for t in transports] for name, transports in some]
            ran = [[outcome for outcome in outcomes if outcome] for outcomes in cells_of]
            row = [kind, *(_merged(outcomes) if outcomes else "" for outcomes in ran)]
            if times:
                row.append(f"{max((o.seconds for outcomes in ran for o in outcomes), default=0):.1f} s")
            rows.append(row)
        heads = [_head(name, style) for name, _ in some]
        yield tabulate(rows, ["fault", *heads, *(["longest"] if times else [])], style, disable_numparse=True)


_ALL = frozenset(cells())


def _merged(outcomes: list[Outcome]) -> str:
    texts = {outcome.cell.transport: outcome.text for outcome in outcomes}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{transport}: {text}" for transport, text in sorted(texts.items()))


def _head(method: str, style: str) -> str:
    if style == "github":
        return f"`{method}`"
    return method.replace("cloudresourcemanager.", "").replace(".", ".\n", 1)


def _lost(found: list[Outcome], world: str, method: str) -> str:
    of = [o for o in found if (o.cell.world, o.cell.method) == (world, method) and o.cell.kind not in HARMLESS]
    if not of:
        return "not tried"
    rules = {rule for outcome in of for rule in outcome.changed} - {AUDITOR}
    return ", ".join(f"`{rule}`" for rule in sorted(rules)) or "nothing"

"""A comparison for a person at a terminal: verdicts, facts, then what it comes to."""

import textwrap
from collections.abc import Callable, Iterable, Iterator

import click
from tabulate import tabulate

from preflight.comparison.sides import Comparison
from preflight.comparison.verdicts import VerdictChange
from preflight.renderers import diff_words as words
from preflight.renderers.visible import visible
from preflight.renderers.words import shortened

_NARROWEST = 40
_MOST_LINES = 500
_COLOURS = {"worse": "red", "better": "green", "unseen": "magenta", "gone": "yellow", "new": "yellow"}
_LABELS = 8

Paint = Callable[..., str]


def render(made: Comparison, *, colour: bool = False, width: int = 80) -> str:
    """The comparison as lines of about `width` columns."""
    paint: Paint = click.style if colour else _plain
    width = max(width, _NARROWEST)
    return "\n\n".join(_sections(made, paint, width)) + "\n"


def _plain(text: str, **_style: object) -> str:
    return text


def _sections(made: Comparison, paint: Paint, width: int) -> Iterator[str]:
    project = made.after.project or made.before.project or "whose ID can't be told"
    about = [
        made.after.principal,
        f"before: {words.look(made.before)}, verdict {made.before.status.value}",
        f"after: {words.look(made.after)}, verdict {made.after.status.value}",
    ]
    title = paint(_wrapped(visible(f"What changed in project {project}?"), width), bold=True)
    yield "\n".join([title, *(paint(_wrapped(visible(line), width), dim=True) for line in about)])
    if made.asked:
        yield _list("What was asked", words.fact_lines(made.asked), paint, width)
    if made.verdicts:
        rows = [
            (_painted(words.verdict_label(one), paint), words.verdict(one), visible(one.rule)) for one in made.verdicts
        ]
        room = max(width - 4 - max(sum(map(len, map(click.unstyle, row))) + 6 for row in rows), 30)
        table = [
            (*row, "\n".join(_wrapped_said(one, made, room))) for row, one in zip(rows, made.verdicts, strict=True)
        ]
        yield f"{paint('Verdicts', bold=True)}\n{tabulate(table, tablefmt='plain', disable_numparse=True)}"
    if made.facts is not None and made.facts.changes:
        yield _list("Facts", words.fact_lines(made.facts.changes), paint, width)
    if notes := list(words.notes(made)):
        yield "\n".join(_wrapped(visible(note), width) for note in notes)
    answer = words.answer(made)
    colours = {"WORSE": "red", "BETTER": "green", "CHANGED": "yellow", "NO CHANGE": "green"}
    whole = _wrapped(f"{answer}: {words.counts(made)}.", width)
    yield paint(answer, fg=colours[answer], bold=True) + whole.removeprefix(answer)


def _wrapped_said(change: VerdictChange, made: Comparison, room: int) -> list[str]:
    # The heading names the account in full.
    said = shortened(words.said(change), made.after.principal)
    return textwrap.wrap(visible(said), room, break_on_hyphens=False, break_long_words=False)


def _list(title: str, lines: Iterable[words.Line], paint: Paint, width: int) -> str:
    told = list(lines)
    shown = [_line(line, paint, width) for line in told[:_MOST_LINES]]
    if len(told) > _MOST_LINES:
        shown.append(f"and {len(told) - _MOST_LINES:,} more: see --format json")
    return "\n".join([paint(title, bold=True), *shown])


def _line(line: words.Line, paint: Paint, width: int) -> str:
    label = f"{line.label:<{_LABELS}}"
    text = textwrap.fill(
        visible(line.text),
        width,
        initial_indent=" " * _LABELS,
        subsequent_indent=" " * _LABELS,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return _painted(label, paint) + text.removeprefix(" " * _LABELS)


def _painted(label: str, paint: Paint) -> str:
    return paint(label, fg=_COLOURS.get(label.strip()), bold=label.strip() == "worse")


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False, break_long_words=False)

"""How help, tables and sentences fit the terminal that they are shown on. What goes elsewhere keeps its shape."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TextIO

import click

WIDEST = 96
"""Columns of running text: longer lines are hard to read."""
_GLUE = "\u00a0"
"""A space at which no line ends."""
_NARROW_HELP = 70
_NARROW_CELL = 24
_COMMAND = re.compile(r"\b(?:gcloud|bq|preflight|export) .*?(?=[,;.] |$)")


class Formatter(click.HelpFormatter):
    """Leaves the explanations of options most of a narrow terminal."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """As click; an option that is longer than a third of a narrow line has that line for itself."""
        super().write_dl(rows, self.width // 3 if self.width < _NARROW_HELP else col_max, col_spacing)


class Context(click.Context):
    """A command's, whose help fits."""

    formatter_class = Formatter


class Group(click.Group):
    """A group whose help has what its commands do in full, where click would cut it."""

    context_class = Context

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands in the order in which they are defined."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in self.commands.items()])

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds one, whose help is to fit as well."""
        cmd.context_class = Context
        super().add_command(cmd, name)


def columns(otherwise: int) -> int:
    """How many stdout's terminal has, or `COLUMNS` says: as `shutil` tells it, which loads every kind of archive."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return (sys.__stdout__ and os.get_terminal_size(sys.__stdout__.fileno()).columns) or otherwise
    except (ValueError, OSError):  # closed, or no terminal
        return otherwise


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """For stdout. On a terminal that is too narrow the last column is wrapped, or each row told line by line."""
    plain = _tabulated(rows, headers)
    width = columns(80)
    if not sys.stdout.isatty() or max(map(len, plain.splitlines())) <= width:
        return plain
    room = width - sum(len(dashes) + 2 for dashes in plain.splitlines()[1].split()[:-1])
    longest_word = max((len(word) for row in rows for word in row[-1].split()), default=0)
    if room >= max(_NARROW_CELL, longest_word):
        return _tabulated([(*row[:-1], "\n".join(_wrapped(row[-1], room))) for row in rows], headers)
    label = max(map(len, headers[1:]))
    parts = []
    for row in rows:
        lines = [row[0]]
        for header, cell in zip(headers[1:], row[1:], strict=True):
            first, *more = _wrapped(cell, width - label - 4) or [""]
            lines += [f"  {header:<{label}}  {first}", *(" " * (label + 4) + line for line in more)] if cell else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def paragraph(text: str) -> str:
    """Running text for stdout, wrapped at words."""
    width = columns(WIDEST) if sys.stdout.isatty() else WIDEST
    return "\n".join(_wrapped(text, min(width, WIDEST)))


def sentence(text: str, stream: TextIO) -> str:
    """What is told on stderr: wrapped at words if that is a terminal, but for a command in it, which one may copy."""
    if not stream.isatty():
        return text
    try:
        width = os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return text
    lines = _wrapped(_COMMAND.sub(lambda found: found[0].replace(" ", _GLUE), text), width)
    return "\n".join(lines).replace(_GLUE, " ")


def _tabulated(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    from tabulate import tabulate

    return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)


def _wrapped(text: str, columns: int) -> list[str]:
    return wrap(text, max(columns, 20), break_long_words=False, break_on_hyphens=False)

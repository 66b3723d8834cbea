"""What stdout can show: colours, columns, and characters beyond ASCII; and what to do if it takes nothing."""

import os
import sys
from collections.abc import Callable, Iterable

import click

from preflight.cli import forget_stdout, layout, unwritten
from preflight.errors import OutputError
from preflight.renderers.visible import visible

_WIDEST = 140


def colour() -> bool:
    """Whether to colour: only a terminal, and only if nothing says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The columns to fill."""
    return min(layout.columns(100), _WIDEST)


def draws_boxes() -> bool:
    """Whether lines can be drawn with Unicode's characters for that."""
    try:
        "├─└│…".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def shown(show_it: Callable[[], None]) -> OutputError | None:
    """Shows it. What stdout doesn't take, the files and the exit code tell all the same."""
    try:
        show_it()
    except BrokenPipeError:  # the reader has gone, as `head` does
        forget_stdout()
    except OSError as error:
        forget_stdout()
        return unwritten(error)
    return None


def warn(warnings: Iterable[str]) -> None:
    """What a user has to know about a file, on stderr."""
    for warning in warnings:
        click.echo(f"Warning: {visible(warning)}", err=True)

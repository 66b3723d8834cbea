"""What a run says on stderr beside its report: what it waits for, and with `--verbose` what it called."""

import os
import sys
import time
import unicodedata
from collections.abc import Sequence
from shutil import get_terminal_size
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from preflight.renderers.visible import visible

if TYPE_CHECKING:
    from preflight.sources.live import TracedCall

QUIET_SECONDS = 5.0
"""Where lines can't be rewritten, so long passes between two of them."""


class Progress:
    """One line on stderr, if that is a terminal, that says what is waited for; nothing of it is left behind.

    With NO_COLOR or TERM=dumb no control codes are written: then it is a plain line every few seconds.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._rewrites = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown and self._rewrites:
            click.echo("\r\x1b[K", nl=False, err=True, color=True)

    def tell(self, what: str) -> None:
        """Says what is waited for; called again and again while that lasts."""
        if not self._terminal:
            return
        line = shortened(f"Waiting for {visible(what)}", _width() - 1)  # a full line would wrap
        if self._rewrites:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True, color=True)
        elif not self._shown or time.monotonic() - self._last >= QUIET_SECONDS:
            click.echo(line, err=True)
            self._last = time.monotonic()
        self._shown = True


def _width() -> int:
    """The columns of stderr's terminal, as it is now."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return get_terminal_size((80, 24)).columns


def shortened(text: str, columns: int) -> str:
    """The text in so many columns at most, with an ellipsis in the place of what doesn't fit."""
    if columns_of(text) <= columns:
        return text
    kept = ""
    for character in text:
        if columns_of(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…" if columns > 0 else ""


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        2 if unicodedata.east_asian_width(one) in "WF" else 0 if unicodedata.combining(one) else 1 for one in text
    )


def show_calls(calls: "Sequence[TracedCall]") -> None:
    """The calls of a run on stderr, in the order in which they were begun; on a terminal as wide as that is."""
    from tabulate import tabulate

    rows = [
        [visible(call.method), visible(call.resource), call.outcome, str(call.milliseconds), str(call.attempts)]
        for call in calls
    ]
    if not rows:
        click.echo("No call was made.\n", err=True)
        return
    headers = ("call", "about", "outcome", "ms", "tries")
    if sys.stderr.isatty():
        # How a call ended and how long it took is what one looks for: names give way. (tabulate pads headers by 2.)
        widths = [
            max(len(one) + (2 if one in headers else 0) for one in each) for each in zip(headers, *rows, strict=True)
        ]
        room = _width() - sum(widths[2:]) - 2 * (len(headers) - 1)
        first = min(widths[0], max(10, room // 2, room - widths[1]))
        for row in rows:
            row[0] = _end(row[0], first)
            row[1] = _end(row[1], max(10, room - first))
    table = tabulate(
        rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=(*["left"] * 3, "right", "right")
    )
    click.echo(f"{table}\n", err=True)


def _end(text: str, columns: int) -> str:
    """The end of a name, which tells more than its beginning."""
    return text if len(text) <= columns else f"…{text[len(text) - columns + 1 :]}"

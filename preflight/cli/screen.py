"""What stdout can show: colours, columns, and characters beyond ASCII."""

import os
import sys
from shutil import get_terminal_size

_WIDEST = 140


def colour() -> bool:
    """Whether to colour: only a terminal, and only if nothing says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The columns to fill."""
    return min(get_terminal_size((100, 24)).columns, _WIDEST)


def draws_boxes() -> bool:
    """Whether lines can be drawn with Unicode's characters for that."""
    try:
        "├─└│…".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True

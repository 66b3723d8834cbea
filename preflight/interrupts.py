"""How a signal ends the process: SIGINT with 130, SIGTERM with 143, after one sentence and with nothing half done.

The first signal is raised where the program is, so that everything on the way out is cleaned up; where something
swallows that, or takes too long over it, or another signal comes, the process ends at once. Loaded before all
else, so it imports next to nothing.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

PATIENCE = 3.0
"""Seconds for cleaning up."""
_SENTENCES = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}


class Interrupted(BaseException):
    """A signal has come. No KeyboardInterrupt: click and others have their own ideas of what to do with that."""


class _State:
    installed = False
    number = 0
    """The signal that has come."""
    holds = 0
    """How many parts of the program wish to come to an end first."""
    waiting = False


def install() -> None:
    """From now on the process ends by a signal as described. A signal that is ignored, as under nohup, stays so."""
    if _State.installed:
        return
    _State.installed = True
    for number in _SENTENCES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)
    atexit.register(_too_late_to_hear)  # the first to be registered is the last to be called


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What is short and must not be cut in two, is done before the process ends."""
    _State.holds += 1
    try:
        yield
    finally:
        _State.holds -= 1
        if _State.waiting and not _State.holds:
            _State.waiting = False
            _raise()


def heard() -> bool:
    """Whether a signal has come: an exception since then may be all that something made of it."""
    return _State.number != 0


def _too_late_to_hear() -> None:
    # All is done, and Python only clears up its memory, which takes a while; it would die of a signal silently.
    for number in _SENTENCES:
        signal.signal(number, signal.SIG_IGN)


def _hear(number: int, _frame: FrameType | None) -> None:
    if _State.number and not _State.holds:
        end()
    _State.number = _State.number or number
    if _State.holds:
        _State.waiting = True
    else:
        _raise()


def _raise() -> NoReturn:
    """Raises Interrupted, and takes care that it ends the process wherever it gets lost."""
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    if "threading" in sys.modules:
        import threading

        threading.excepthook = _nothing  # what other threads stumble over from now on is no news
    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    raise Interrupted


def _uncaught(kind: type[BaseException], _error: BaseException, _trace: Any) -> None:
    # Another exception than Interrupted came of cleaning up in a hurry.
    end()


def _unraisable(lost: Any) -> None:
    if lost.exc_type is not None and issubclass(lost.exc_type, Interrupted):
        end()


def _too_late(_number: int, _frame: FrameType | None) -> None:
    end()


def _nothing(_arguments: Any) -> None:
    pass


def end() -> NoReturn:
    """Says why, and ends the process at once."""
    with contextlib.suppress(OSError):
        os.write(2, f"{_SENTENCES[signal.Signals(_State.number)]}\n".encode())
    os._exit(128 + _State.number)

"""Equal parts of work, done by as many processes as there are processors; the results come back in their order.

A forked process has all that was read before, without making it again or copying it. Where processes can't be
forked safely, or there is little to do, the work is done here, one part after another: the results are the same.
"""

import contextlib
import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")
FEW = 500
"""So many parts aren't worth a process."""
_MOST = 8
"""Processes. What one process does for all of them, such as reading, takes longer than the rest with more."""
_BATCH = 16
"""Parts that a process does before another one's turn comes."""


def spread(work: Callable[[int], T], parts: range, few: int = FEW) -> Generator[T, None, None]:
    """What `work` makes of each part. Close it to end the processes early."""
    count = _processes() if len(parts) > few else 1
    if count == 1:
        yield from map(work, parts)
        return
    batches = [parts[at : at + _BATCH] for at in range(0, len(parts), _BATCH)]
    helpers: list[_Helper[T]] = []
    try:
        for place in range(count):
            helpers.append(_Helper(work, batches[place::count], helpers))
        for number, batch in enumerate(batches):
            yield from helpers[number % count].results(batch)
    finally:
        for helper in helpers:
            helper.end()


def _processes() -> int:
    # Other systems' libraries may not live through a fork; nor does what another thread was about to do.
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


class _Helper(Generic[T]):
    """A forked process that does its batches in turn and waits where nobody takes the results."""

    def __init__(self, work: Callable[[int], T], batches: Sequence[range], others: "Sequence[_Helper[T]]") -> None:
        self._work = work
        self._pid = 0
        self._made: io.BufferedIOBase = io.BytesIO()
        with contextlib.suppress(OSError):  # no process is to be had: `results` does it all
            out, into = os.pipe()
            self._made = os.fdopen(out, "rb")
            with os.fdopen(into, "wb") as to:
                self._pid = os.fork()
                if not self._pid:
                    _help(work, batches, to, [self._made, *(one._made for one in others)])

    def results(self, batch: range) -> list[T]:
        """Those of its next batch. What it couldn't do is done here, so that the reason for that shows itself."""
        try:
            made: list[T] = pickle.load(self._made)  # noqa: S301  this program's own
        except (EOFError, OSError, pickle.UnpicklingError):
            self._made.close()
            self._made = io.BytesIO()
            made = [self._work(part) for part in batch]
        return made

    def end(self) -> None:
        """Ends the process, done or not."""
        self._made.close()
        if self._pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)


def _help(
    work: Callable[[int], T], batches: Sequence[range], to: io.BufferedIOBase, inherited: Sequence[io.BufferedIOBase]
) -> NoReturn:
    """What the forked process does. It never comes back into the program, and leaves all of its state alone."""
    try:
        # Ctrl-C reaches it too; the process that it helps decides, and ends it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for one in inherited:
            one.close()  # else nobody would notice that the process which reads there has gone
        for batch in batches:
            pickle.dump([work(part) for part in batch], to, pickle.HIGHEST_PROTOCOL)
            to.flush()
    finally:
        os._exit(0)

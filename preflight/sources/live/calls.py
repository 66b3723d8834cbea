"""Calls that run at once, each with retries and timeouts, all of them within the run's deadline.

The threads are daemons of our own: those of ThreadPoolExecutor are joined when the process ends, so that a
server that sends a byte a second would keep it alive past any timeout.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from google.api_core.retry import Retry
from msgspec import Struct

from preflight.facts.methods import ApiMethod
from preflight.facts.seen import Malformed, Provenance, TimedOut, Unknown
from preflight.sources.live.guard import UnreadableError
from preflight.sources.live.refusals import Asked, DeadlineError, Payers, is_timeout, is_transient, reason_for
from preflight.sources.live.trace import TracedCall

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Calls on the wire at the same time, at most."""
RETRY_SECONDS = 6.0
"""For so long a call that fails is tried again. What does not answer is tried again until the deadline."""
SHORTEST_ATTEMPT = 1.0


class Call(Struct, eq=False):
    """One call: what is asked, whom, how, and what to do with the outcome."""

    method: ApiMethod
    resource: str
    """What is asked for, as the provenance says it."""
    holder: str
    """The resource on which the caller needs the method's permission."""
    client: str
    """The client's name in `Clients`."""
    fetch: Callable[[Any, float], Any]
    """Sends it once, with the client and the seconds that it may take."""
    read: Callable[[Any, Provenance], Any]
    """Turns the answer into facts. Raises UnreadableError, or what comes of a missing key or odd type."""
    then: Callable[[Any], None]
    """Takes what was read, or Unknown. One at a time, under the lock; it may start further calls."""
    due: float = 0.0
    attempts: int = 0
    failure: BaseException | None = None
    """How it failed so far."""


class Calls:
    """Runs calls, and knows which are still out."""

    def __init__(
        self,
        client: Callable[[str, float], Any],
        payers: Payers,
        seconds: float,
        ends: float,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        """`ends` is the deadline on the monotonic clock, `seconds` what the user is told of it."""
        self._client = client
        self._payers = payers
        self._seconds = seconds
        self._ends = ends
        self._on_wait = on_wait
        self._changed = threading.Condition(threading.RLock())
        self._open: dict[Call, None] = {}
        self._due: SimpleQueue[Call | None] = SimpleQueue()
        self._threads = 0
        self._closed = False
        self._defect: Exception | None = None
        self.trace: list[TracedCall] = []

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; never negative."""
        return max(0.0, self._ends - time.monotonic())

    def start(self, call: Call) -> None:
        """Sends the call as soon as its client is there. After the deadline it is Unknown at once."""
        with self._changed:
            call.due = time.monotonic()
            if self._closed:
                self._settle(call, self._late(call))
                return
            self._open[call] = None
            self._due.put(call)
            if self._threads < min(AT_ONCE, len(self._open)):
                self._threads += 1
                threading.Thread(target=self._work, name=f"preflight-call-{self._threads}", daemon=True).start()

    def wait(self, afterwards: Callable[[], None] | None = None) -> bool:
        """Waits until every call is settled or the deadline has come; then those left are Unknown.

        `afterwards` runs when none is left, and may start further calls, which are waited for; before that once half
        of the time is over, so that a call that hangs doesn't cost those too; and after the deadline, when they are
        Unknown. Returns whether none was left. Raises what a `then` raised: a defect.
        """
        then, last_told = afterwards, time.monotonic()
        early = afterwards
        while True:
            with self._changed:
                if self._open and self.remaining and not self._defect:
                    self._changed.wait(min(self.remaining, 0.5))
                if early and self.remaining < self._seconds / 2 and not self._defect:
                    early()
                    early = None
                if not self._open and not self._defect and then:
                    then()
                    then = None
                finished = not self._open
                if finished or not self.remaining or self._defect:
                    break
                waiting = next(iter(self._open))
                others = len(self._open) - 1
            if self._on_wait and time.monotonic() - last_told >= 0.5:
                last_told = time.monotonic()
                self._on_wait(f"{waiting.method.id} on {waiting.resource}" + (f" and {others} more" if others else ""))
        self.close()
        if then and not self._defect:
            with self._changed:
                then()
        if self._defect:
            raise self._defect
        return finished

    def close(self) -> None:
        """Settles what is left as Unknown, and lets the threads end."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            for call in list(self._open):
                self._settle(call, self._late(call))
            for _ in range(self._threads):
                self._due.put(None)

    def _late(self, call: Call) -> Unknown:
        if call.failure is not None and not is_timeout(call.failure):
            return self._refused(call, call.failure)  # it was answered, over and over, until the time was over
        return Unknown(TimedOut(call.method.id, self._seconds), _provenance(call))

    def _refused(self, call: Call, error: BaseException) -> Unknown:
        asked = Asked(call.method, call.resource, call.holder)
        return Unknown(reason_for(error, asked, self._payers, time.monotonic() - call.due), _provenance(call))

    def _work(self) -> None:
        while (call := self._due.get()) is not None:
            if call in self._open:
                outcome = self._outcome(call)
                with self._changed:
                    # Not in it any more: the deadline has settled it.
                    if call in self._open:
                        self._settle(call, outcome)

    def _settle(self, call: Call, outcome: Any) -> None:
        self._open.pop(call, None)
        kind = outcome.reason.kind if isinstance(outcome, Unknown) else "ok"
        took = round(1000 * (time.monotonic() - call.due))
        self.trace.append(TracedCall(call.method.id, call.resource, kind, took, call.attempts))
        log.debug("%s on %s: %s, %d ms, attempts: %d", call.method.id, call.resource, kind, took, call.attempts)
        try:
            call.then(outcome)
        except Exception as error:  # noqa: BLE001  a defect of ours: told by `wait`, where the user sees it
            self._defect = self._defect or error
        self._changed.notify_all()

    def _outcome(self, call: Call) -> Any:
        try:
            answer = self._fetched(call)
        except Exception as error:  # noqa: BLE001  whatever a client raises has a reason; what has none is Internal
            return self._refused(call, call.failure or error)
        seen = _provenance(call)
        try:
            return call.read(answer, seen)
        except UnreadableError as error:
            return Unknown(Malformed(call.method.id, str(error)), seen)
        except (AttributeError, KeyError, TypeError, ValueError):
            return Unknown(Malformed(call.method.id, "it is not the JSON of this method"), seen)

    def _fetched(self, call: Call) -> Any:
        client = self._client(call.client, self.remaining)
        first = sent = time.monotonic()

        def attempt() -> Any:
            nonlocal sent
            sent, remaining = time.monotonic(), self.remaining
            if not remaining:
                raise DeadlineError
            call.attempts += 1
            # Half of what is left, so that there is time for another try where no answer comes.
            return call.fetch(client, min(remaining, max(remaining / 2, SHORTEST_ATTEMPT)))

        def again(error: BaseException) -> bool:
            # A last attempt that the deadline cut short tells less than the failures before it.
            cut = is_timeout(error) and time.monotonic() - sent < SHORTEST_ATTEMPT
            if call.failure is None or not (cut or isinstance(error, DeadlineError)):
                call.failure = error
            return is_transient(error) and (is_timeout(error) or time.monotonic() - first < RETRY_SECONDS)

        retry = Retry(predicate=again, initial=0.1, multiplier=2.0, maximum=1.5, timeout=self.remaining)
        return retry(attempt)()


def _provenance(call: Call) -> Provenance:
    return Provenance(call.method.id, call.resource, datetime.now(UTC))

"""The live source as the engine sees it: facts wanted, snapshot out, within the time given."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from preflight.errors import CredentialsError
from preflight.facts.project import Fact
from preflight.facts.seen import Unavailable
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.live.settings import LiveSettings, Scope
from preflight.sources.live.trace import TracedCall

if TYPE_CHECKING:  # Google's libraries load when it collects, not before
    from preflight.sources.live.credentials import RunCredentials


class LiveSource:
    """Reads a project's facts from Google's APIs. It calls only what `preflight.facts.methods` allows."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, also if a number was given."""
    trace: tuple[TracedCall, ...]
    """After `collect`: every call, in the order in which they ended."""
    started: tuple[TracedCall, ...]
    """The same in the order in which they were begun, and before them what the credentials called for a token."""
    outage: tuple[str, str] | None
    """After `collect`, if the network let no call through: one sentence about it, and what to do."""

    def __init__(
        self,
        settings: LiveSettings,
        profile: Profile,
        target: Target,
        on_wait: Callable[[str], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
        credentials: "RunCredentials | None" = None,
        scope: Scope = Scope(),  # noqa: B008  it is frozen
    ) -> None:
        """`on_wait` is told, twice a second at most, what is waited for. `meanwhile` runs once on the calling
        thread while calls are on the way: for imports that are needed later anyhow. `credentials`: those to use,
        where they were found already. `scope`: whether more is read than tells about the principal.
        """
        self.settings = settings
        self.profile = profile
        self.target = target
        self.trace = ()
        self.started = ()
        self.outage = None
        self._credentials = credentials
        self._scope = scope
        self._on_wait = on_wait
        self._meanwhile = meanwhile

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts; returns within the timeout, with what was not told by then Unknown.

        Raises CredentialsError if there are no credentials, or no token can be had with them.
        """
        started = datetime.now(UTC)
        ends = time.monotonic() + self.settings.timeout
        from preflight.sources.live.quiet import keep_quiet

        keep_quiet()
        credentials = CredentialsSoon(self.settings, self._credentials)

        # The longest chain of calls starts with these imports; the clients are imported while calls run.
        from preflight.sources.live.calls import Call, Calls
        from preflight.sources.live.clients import Clients
        from preflight.sources.live.collector import Collector, clients_for
        from preflight.sources.live.refusals import Payers

        clients = Clients(self.settings, clients_for(wanted, self.target.project))
        payers = Payers(self.target.project, self.target.project if self.target.project.isdigit() else None)
        begun: list[Call] = []

        class InOrder(Calls):
            def start(self, call: Call) -> None:
                begun.append(call)
                super().start(call)

        calls = InOrder(clients.get, payers, self.settings.timeout, ends, self._on_wait)
        collector = Collector(calls, self.target, self.profile, wanted, payers, self._scope)
        finished = False
        try:
            collector.start()
            clients.prepare()
            found = credentials.get(ends, self._on_wait)
            payers.quota_project = found.quota_project_id
            collector.identify(found.account)
            clients.build(found)
            if self._meanwhile:
                self._meanwhile()
            finished = calls.wait(collector.ask_what_matters)
        finally:
            if not finished:
                clients.fail(CredentialsError("The run was given up."))
            calls.close()
            clients.close()
            self.trace = tuple(calls.trace)
            order = {(call.method.id, call.resource): place for place, call in reversed(list(enumerate(begun)))}
            in_order = sorted(self.trace, key=lambda call: order[call.method, call.resource])
            self.started = (*credentials.trace, *in_order)
        self.target = collector.target
        snapshot = collector.snapshot(started)
        self.outage = self._outage(snapshot)
        return snapshot

    def _outage(self, snapshot: Snapshot) -> tuple[str, str] | None:
        from preflight.sources.live.network import outage

        if not {call.outcome for call in self.trace} <= {"unavailable", "timeout"}:
            return None
        details = [gap.reason.detail for gap in snapshot.gaps() if isinstance(gap.reason, Unavailable)]
        return outage(details, self.settings)


class CredentialsSoon:
    """The credentials, and a token; got in a thread of its own beside the imports, for it may take a call or two."""

    def __init__(self, settings: LiveSettings, found: "RunCredentials | None" = None) -> None:
        """`found`: those to use; else they are looked for."""
        self.found = found
        """The credentials once they are found, also if they gave no token."""
        self._settings = settings
        self._error: Exception | None = None
        self._done = threading.Event()
        threading.Thread(target=self._get, name="preflight-credentials", daemon=True).start()

    def _get(self) -> None:
        try:
            from preflight.sources.live.credentials import find_credentials

            self.found = self.found or find_credentials(self._settings)
            self.found.ready()
        except Exception as error:  # noqa: BLE001  it is raised where they are asked for
            self._error = error
        finally:
            self._done.set()

    @property
    def trace(self) -> tuple[TracedCall, ...]:
        """The calls for a token so far."""
        return self.found.trace if self.found else ()

    def get(self, ends: float, on_wait: Callable[[str], None] | None = None) -> "RunCredentials":
        """The credentials, ready. Raises CredentialsError, also if they are not ready at `ends`."""
        while not self._done.wait(min(0.5, max(0.0, ends - time.monotonic()))):
            if time.monotonic() >= ends:
                raise CredentialsError(
                    f"No access token could be had within {self._settings.timeout:g} s.",
                    "Check the network and the proxy settings, or give it longer with --timeout.",
                )
            if on_wait:
                on_wait("an access token")
        if self._error:
            raise self._error
        if self.found is None:
            raise CredentialsError("The thread that gets the access token was ended.", "Run again.")
        return self.found

"""The live source as the engine sees it: facts wanted, snapshot out, within the time given."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from preflight.errors import CredentialsError
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.live.settings import LiveSettings
from preflight.sources.live.trace import TracedCall

if TYPE_CHECKING:  # Google's libraries load when it collects, not before
    from preflight.sources.live.credentials import RunCredentials


class LiveSource:
    """Reads a project's facts from Google's APIs. It calls only what `preflight.facts.methods` allows."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, also if a number was given."""
    trace: tuple[TracedCall, ...]
    """After `collect`: every call, in the order in which they ended."""

    def __init__(
        self,
        settings: LiveSettings,
        profile: Profile,
        target: Target,
        on_wait: Callable[[str], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """`on_wait` is told, twice a second at most, what is waited for. `meanwhile` runs once on the calling
        thread while calls are on the way: for imports that are needed later anyhow.
        """
        self.settings = settings
        self.profile = profile
        self.target = target
        self.trace = ()
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
        credentials = self._credentials_soon()

        # The longest chain of calls starts with these imports; the clients are imported while calls run.
        from preflight.sources.live.calls import Calls
        from preflight.sources.live.clients import Clients
        from preflight.sources.live.collector import Collector, clients_for
        from preflight.sources.live.refusals import Payers

        clients = Clients(self.settings, clients_for(wanted, self.target.project))
        payers = Payers(self.target.project, self.target.project if self.target.project.isdigit() else None)
        calls = Calls(clients.get, payers, self.settings.timeout, ends, self._on_wait)
        collector = Collector(calls, self.target, self.profile, wanted, payers)
        finished = False
        try:
            collector.start()
            clients.prepare()
            found = self._ready(credentials, ends)
            payers.quota_project = found.quota_project_id
            collector.identify(found.account)
            clients.build(found)
            if self._meanwhile:
                self._meanwhile()
            finished = calls.wait()
        finally:
            if not finished:
                clients.fail(CredentialsError("The run was given up."))
            calls.close()
            clients.close()
            self.trace = tuple(calls.trace)
        self.target = collector.target
        return collector.snapshot(started)

    def _credentials_soon(self) -> "Future[RunCredentials]":
        """The credentials, with a token; got beside the imports, for it may take a call or two."""
        future: Future[RunCredentials] = Future()

        def get() -> None:
            from preflight.sources.live.credentials import find_credentials

            try:
                credentials = find_credentials(self.settings)
                credentials.ready()
                future.set_result(credentials)
            except Exception as error:  # noqa: BLE001  it is raised where they are asked for
                future.set_exception(error)

        threading.Thread(target=get, name="preflight-credentials", daemon=True).start()
        return future

    def _ready(self, credentials: "Future[RunCredentials]", ends: float) -> "RunCredentials":
        try:
            return credentials.result(max(0.0, ends - time.monotonic()))
        except TimeoutError:
            raise CredentialsError(
                f"No access token could be had within {self.settings.timeout:g} s.",
                "Check the network and the proxy settings, or give it longer with --timeout.",
            ) from None

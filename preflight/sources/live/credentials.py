"""Whose credentials the calls carry: a given access token, else Google's application default credentials; and,
if so asked, those of a service account that is impersonated with them.

What they need over the network to get a token (token endpoint, metadata server, STS, generateAccessToken) goes
through a session of its own, with a list of its own: `credential_session`.
"""

import subprocess
import threading
import time
from typing import Any

import google.auth.credentials
import google.auth.exceptions
import requests

from preflight.errors import CredentialsError
from preflight.facts.credential_methods import GENERATE_ACCESS_TOKEN, STS_TOKEN
from preflight.sources.live.credential_files import found_credentials, impersonated
from preflight.sources.live.credential_refusals import LOGIN, Origin, explain
from preflight.sources.live.credential_session import CredentialRequest, CredentialSession
from preflight.sources.live.guard import NotAllowedError
from preflight.sources.live.network import environment_verify
from preflight.sources.live.settings import TOKEN_VARIABLE, LiveSettings
from preflight.sources.live.trace import TracedCall

TRIES = 3
"""How often a server that fails is asked for a token, where Google's library asks it once."""
_FAILURES = (
    google.auth.exceptions.GoogleAuthError,
    requests.RequestException,
    NotAllowedError,
    subprocess.SubprocessError,
    AttributeError,
    ValueError,
    TypeError,
    KeyError,
    OSError,
)


class RunCredentials(google.auth.credentials.Credentials):
    """The run's credentials, shared by all clients: refreshed by one at a time, over one session."""

    def __init__(self, inner: Any, session: CredentialSession, origin: Origin, chain: tuple[str, ...] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._session = session
        self._lock = threading.Lock()
        self._request = CredentialRequest(session)
        self.origin = origin
        """Where they were found."""
        self.chain = chain
        """The service accounts that `--impersonate-service-account` names; the last is the caller."""

    def __repr__(self) -> str:
        return f"RunCredentials({type(self._inner).__name__})"

    @property
    def kind(self) -> str:
        """The class of the credentials underneath, such as `google.oauth2.service_account.Credentials`."""
        return f"{type(self._inner).__module__}.{type(self._inner).__name__}"

    @property
    def quota_project_id(self) -> str | None:
        """The project that calls are charged to; None: told by the credentials' owner."""
        return self._inner.quota_project_id or None

    @property
    def universe_domain(self) -> str:
        """`googleapis.com`, or the domain of another Google Cloud universe."""
        return str(self._inner.universe_domain)

    @property
    def account(self) -> str | None:
        """The service account's e-mail; None for users, and where it isn't known without asking."""
        email = getattr(self._inner, "service_account_email", None)
        return str(email) if email and "@" in str(email) else None

    @property
    def trace(self) -> tuple[TracedCall, ...]:
        """The calls that these credentials made to get a token."""
        return tuple(self._session.trace)

    def ready(self) -> None:
        """Gets a token if there is none yet. Raises CredentialsError."""
        with self._lock:
            if self._inner.valid:
                return
            for again in reversed(range(TRIES)):
                try:
                    self._inner.refresh(self._request)
                except _FAILURES as error:
                    refusal = self._session.refusal
                    failed = refusal is not None and (refusal.status >= 500 or refusal.status == 429)
                    if again and failed and refusal and refusal.method in {GENERATE_ACCESS_TOKEN, STS_TOKEN}:
                        time.sleep(0.3)
                        continue
                    chain = self.chain or ((self.account,) if self.account else ())
                    raise explain(error, refusal, self.origin, chain) from None
                return

    def access_token(self) -> str:
        """The token itself, for the one call that asks whose it is."""
        return str(self._inner.token)

    def before_request(self, request: Any, method: str, url: str, headers: Any) -> None:
        """Puts token and quota project into the headers, with a new token where one is due."""
        with self._lock:
            # Not `before_request` of theirs: it asks besides, in a thread of its own, from which locations a
            # service account may be used (generateAccessToken's API, `allowedLocations`).
            if not self._inner.valid:
                self._inner.refresh(self._request)
            self._inner.apply(headers)

    def refresh(self, request: Any) -> None:
        """Gets another token, as after a 401."""
        with self._lock:
            self._inner.refresh(self._request)


def find_credentials(settings: LiveSettings) -> RunCredentials:
    """The credentials of the environment, not yet asked for a token.

    Raises CredentialsError where there are none, or none that can be read.
    """
    session = CredentialSession(environment_verify())
    if settings.token:
        inner, origin = _given(settings), Origin(place="token")
    else:
        inner, origin = found_credentials(settings, session)
    if settings.impersonate:
        # The quota project of the file is the signed-in user's; the impersonated account has its own.
        inner = impersonated(inner, settings.impersonate, settings, session, settings.quota_project)
    return RunCredentials(inner, session, origin, settings.impersonate)


def _given(settings: LiveSettings) -> Any:
    import google.oauth2.credentials

    token = settings.token.reveal() if settings.token else ""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError(f"{TOKEN_VARIABLE} does not hold an access token.", LOGIN)
    return google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]
        token=token, quota_project_id=settings.quota_project, universe_domain=settings.universe
    )

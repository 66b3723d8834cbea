"""Whose credentials the calls carry: a given access token, else Google's application default credentials.

What they need over the network to get a token (token endpoint, metadata server, STS) goes through a session of
its own, which knows nothing of the list of allowed methods.
"""

import os
import threading
import warnings
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.exceptions
import google.auth.transport.requests
import requests

from preflight.errors import CredentialsError
from preflight.sources.live.network import environment_verify
from preflight.sources.live.refusals import network_detail
from preflight.sources.live.settings import TOKEN_VARIABLE, LiveSettings

# Of what the tool calls, Billing and IAM's roles accept no read-only scope (Google's reference pages): that it
# only reads is held by the list of allowed methods instead.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
LOGIN = "Sign in with: gcloud auth application-default login"


class RunCredentials(google.auth.credentials.Credentials):
    """The run's credentials, shared by all clients: refreshed by one at a time, over one session."""

    def __init__(self, inner: Any, session: requests.Session) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._lock = threading.Lock()
        self._request = google.auth.transport.requests.Request(session)

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

    def ready(self) -> None:
        """Gets a token if there is none yet. Raises CredentialsError."""
        with self._lock:
            if self._inner.valid:
                return
            try:
                self._inner.refresh(self._request)
            except google.auth.exceptions.GoogleAuthError as error:
                raise _refused(error) from None
            except requests.RequestException as error:
                raise _unreachable(error) from None
            except (AttributeError, ValueError, TypeError, KeyError, OSError):
                raise CredentialsError("The credentials cannot be used: they are malformed.", LOGIN) from None

    def access_token(self) -> str:
        """The token itself, for the one call that asks whose it is."""
        return str(self._inner.token)

    def before_request(self, request: Any, method: str, url: str, headers: Any) -> None:
        """Puts token and quota project into the headers, with a new token where one is due."""
        with self._lock:
            self._inner.before_request(self._request, method, url, headers)

    def refresh(self, request: Any) -> None:
        """Gets another token, as after a 401."""
        with self._lock:
            self._inner.refresh(self._request)


def find_credentials(settings: LiveSettings) -> RunCredentials:
    """The credentials of the environment, not yet asked for a token.

    Raises CredentialsError where there are none, or none that can be read.
    """
    session = requests.Session()
    session.verify = environment_verify()
    return RunCredentials(_given(settings) if settings.token else _application_default(settings, session), session)


def _given(settings: LiveSettings) -> Any:
    import google.oauth2.credentials

    token = settings.token.reveal() if settings.token else ""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError(f"{TOKEN_VARIABLE} does not hold an access token.", LOGIN)
    return google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]
        token=token, quota_project_id=settings.quota_project
    )


def _application_default(settings: LiveSettings, session: requests.Session) -> Any:
    try:
        with warnings.catch_warnings():
            # It advises users without a quota project; the facts name that trouble where it occurs.
            warnings.simplefilter("ignore")
            found, _ = google.auth.default(
                scopes=SCOPES,
                request=google.auth.transport.requests.Request(session),
                quota_project_id=settings.quota_project,
            )
    except google.auth.exceptions.TransportError as error:
        raise _unreachable(error) from None
    except (google.auth.exceptions.GoogleAuthError, AttributeError, ValueError, TypeError, KeyError, OSError):
        if path := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            raise CredentialsError(
                f"GOOGLE_APPLICATION_CREDENTIALS names {path}, which does not hold usable credentials.",
                "Correct the path, or unset it and sign in with: gcloud auth application-default login",
            ) from None
        raise CredentialsError(
            "No Google Cloud credentials were found.", f"{LOGIN}, or set {TOKEN_VARIABLE}."
        ) from None
    return found


def _refused(error: google.auth.exceptions.GoogleAuthError) -> CredentialsError:
    if isinstance(error, google.auth.exceptions.TransportError) or (
        error.__cause__ is not None
        and isinstance(error.__cause__, requests.RequestException | google.auth.exceptions.TransportError)
    ):
        return _unreachable(error)
    return CredentialsError("Google did not accept the credentials: they are invalid, expired or revoked.", LOGIN)


def _unreachable(error: BaseException) -> CredentialsError:
    return CredentialsError(
        f"No access token could be had: {network_detail(error)}.",
        "Check the network, the proxy settings and the certificates (HTTPS_PROXY, REQUESTS_CA_BUNDLE).",
    )

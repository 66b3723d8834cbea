"""How credentials get their tokens: a session that sends the calls it was told of, and nothing else.

Google's library decides what credentials ask, and would ask more than a token: a workload's project from Resource
Manager, the locations a service account may be used from. This session refuses what is not one of
`preflight.facts.methods.CREDENTIAL_CALLS` at an address of the credentials at hand. It also remembers how the last
call was refused, so that the error can say why without quoting what the server wrote.
"""

import io
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import google.auth.exceptions
import google.auth.transport
import requests
import urllib3.exceptions
from msgspec import Struct

from preflight.facts.credential_methods import METADATA
from preflight.facts.methods import ApiMethod
from preflight.sources.live.guard import NotAllowedError
from preflight.sources.live.network import is_loopback
from preflight.sources.live.trace import TracedCall

MOST_BYTES = 1 << 20
LONGEST = 30.0
"""Seconds for one call; the run's own deadline is shorter or longer as the user says."""
METADATA_HOSTS = frozenset({"metadata.google.internal", "169.254.169.254", "fd20:ce::254", "fd00:ec2::254"})
"""On the machine's own link, Google's and Amazon's: no proxy leads there."""


class Permit(Struct, frozen=True):
    """One address that one credentials call may have."""

    method: ApiMethod
    url: str
    below: bool = False
    """What lies under the address is meant as well."""
    verbs: frozenset[str] = frozenset()
    """Other verbs than the method's."""

    def covers(self, verb: str, url: str) -> bool:
        """Whether this request is meant; the query may differ."""
        if verb not in (self.verbs or {self.method.verb}):
            return False
        asked, own = urlsplit(url), urlsplit(self.url)
        if (asked.scheme, asked.netloc) != (own.scheme, own.netloc):
            return False
        if not self.below:
            return (asked.path or "/") == (own.path or "/")
        return asked.path.startswith(own.path) and ".." not in asked.path and "%" not in asked.path


class Refusal(Struct, frozen=True):
    """How a credentials call was refused; `body` is the server's, and never shown."""

    method: ApiMethod
    host: str
    status: int
    body: Mapping[str, Any]


class CredentialSession(requests.Session):
    """Sends the credentials calls that it has a permit for."""

    def __init__(self, verify: str | bool) -> None:
        super().__init__()
        self.verify = verify
        self.auth = _as_it_is
        self.permits: list[Permit] = []
        self.refusal: Refusal | None = None
        """The last answer, if it was no success."""
        self.trace: list[TracedCall] = []
        self._trusted: dict[str, str | bool] = {}

    def permit(self, *permits: Permit) -> None:
        """Opens these addresses."""
        self.permits.extend(permits)

    def trust(self, base: str, verify: str | bool) -> None:
        """Gives a stand-in's address the certificates it is known by."""
        self._trusted[base] = verify

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Sends what a permit covers, and reads its answer within bounds. Raises NotAllowedError."""
        verb, url = request.method or "", request.url or ""
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        permit = next((one for one in self.permits if one.covers(verb, url)), None)
        if permit is None:
            raise NotAllowedError(f"{verb} {base}{parts.path} is not a call that these credentials need")
        host = parts.hostname or ""
        if permit.method == METADATA or is_loopback(host) or host in METADATA_HOSTS:
            kwargs["proxies"] = {}
        kwargs["verify"] = self._trusted.get(base, kwargs.get("verify", True))
        # A redirect would take the token, or the key's signature, to an address that nobody named.
        kwargs.update(stream=True, allow_redirects=False)
        begun, outcome = time.monotonic(), "unavailable"
        self.refusal = None
        try:
            response = super().send(request, **kwargs)
            body = _body(response, begun + LONGEST)
            outcome = "ok" if response.status_code == 200 else f"HTTP {response.status_code}"
        finally:
            took = round(1000 * (time.monotonic() - begun))
            self.trace.append(TracedCall(permit.method.id, host, outcome, took, 1))
        if outcome != "ok":
            self.refusal = Refusal(permit.method, host, response.status_code, _object(body))
        response.raw = io.BytesIO(body)
        return response


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials but those of the call: requests would look for some in ~/.netrc."""
    return request


def _body(response: requests.Response, ends: float) -> bytes:
    received = bytearray()
    try:
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            received += chunk
            if len(received) > MOST_BYTES:
                raise requests.exceptions.ContentDecodingError
            if time.monotonic() > ends:
                raise requests.ReadTimeout
    except urllib3.exceptions.ReadTimeoutError:
        raise requests.ReadTimeout from None
    except urllib3.exceptions.HTTPError:
        raise requests.exceptions.ChunkedEncodingError from None
    finally:
        response.close()
    return bytes(received)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class CredentialResponse(google.auth.transport.Response):
    """An answer in the form that Google's library reads."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, found in any case."""
        return self._response.headers

    @property
    def data(self) -> bytes:
        """The body."""
        return self._response.content


class CredentialRequest(google.auth.transport.Request):
    """The session in the form that Google's library calls. Unlike the library's own, it logs no body."""

    def __init__(self, session: CredentialSession) -> None:
        self.session = session

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> CredentialResponse:
        """Sends it. Raises TransportError where no answer came."""
        seconds = min(timeout or LONGEST, LONGEST)
        try:
            return CredentialResponse(
                self.session.request(method, url, data=body, headers=headers, timeout=seconds, **kwargs)
            )
        except requests.RequestException as error:
            # The text of theirs may hold the address; ours is told by kind (`network_detail`).
            raise google.auth.exceptions.TransportError("no answer") from error  # type: ignore[no-untyped-call]

"""Nothing but the allowed methods is ever sent: the list is `preflight.facts.methods.ALLOWED`.

The check sits on the wire, below Google's clients: an interceptor on each gRPC channel, an adapter under each
REST session. What it refuses is a defect of this tool, and no call. Requests for credentials (token, metadata,
STS) go their own way, past these sessions.
"""

import io
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import grpc
import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from preflight.facts.methods import ALLOWED, ApiMethod

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes. The largest honest answer, a page of 1,000 datasets or the largest role, is below one megabyte."""


class NotAllowedError(Exception):
    """A call that is not on the list. It was not sent."""


class UnreadableError(Exception):
    """An answer that isn't what the API sends. The text is one of a few of our own, never the server's."""


_GRPC_ALLOWED = frozenset(method.grpc for method in ALLOWED if method.grpc)


def check_grpc(name: str) -> None:
    """Raises NotAllowedError unless the full method name is allowed."""
    if name not in _GRPC_ALLOWED:
        raise NotAllowedError(f"gRPC {name} is not an allowed method")


class GrpcGuard(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Lets allowed methods through. None of them streams."""

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Checks, then sends."""
        check_grpc(_text(client_call_details.method))
        return continuation(client_call_details, request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Refuses."""
        raise NotAllowedError(f"gRPC {_text(client_call_details.method)} streams")

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        """Refuses."""
        raise NotAllowedError(f"gRPC {_text(client_call_details.method)} streams")

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        """Refuses."""
        raise NotAllowedError(f"gRPC {_text(client_call_details.method)} streams")


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


@cache
def _rest_patterns() -> tuple[tuple[ApiMethod, re.Pattern[str]], ...]:
    return tuple((method, re.compile("".join(map(_pattern, _parts(method.path))))) for method in ALLOWED)


_TWICE = re.compile("%252F", re.IGNORECASE)


def _pattern(part: str) -> str:
    # A placeholder is one segment, and none that holds a slash in disguise.
    return r"(?:(?!(?i:%2f|%5c))[^/\\])+" if part[:1] == "{" else re.escape(part)


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"(\{[^}]*\})", path) if part]


def check_rest(verb: str, url: str, base_of: Callable[[ApiMethod], str]) -> ApiMethod:
    """The allowed method that a request calls; `base_of` tells where a method's API is (scheme and host).

    Raises NotAllowedError if there is none.
    """
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    # Google's clients write the percent sign of `%2F` as `%25`; servers leave `%2F` as it is, so both mean the same
    # (google.api.http, on paths of several segments).
    path = _TWICE.sub("%2F", parts.path)
    # A segment that a client or server on the way would resolve to another path, however it is written.
    if not {".", ".."} & set(unquote(path).split("/")):
        for method, pattern in _rest_patterns():
            if method.verb == verb and base == base_of(method) and pattern.fullmatch(path):
                return method
    raise NotAllowedError(f"{verb} {base}{parts.path} is not an allowed method")  # the query may hold a token


class GuardedAdapter(HTTPAdapter):
    """Checks each request before it is sent, and reads its answer within bounds of time and size.

    `verify` and `direct` (no proxy) outrank what requests finds in the environment.
    """

    def __init__(self, base_of: Callable[[ApiMethod], str], verify: str | bool, direct: bool) -> None:
        super().__init__(pool_maxsize=32)
        self._base_of = base_of
        self._verify = verify
        self._direct = direct

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Sends an allowed request and returns its whole answer."""
        check_rest(request.method or "", request.url or "", self._base_of)
        ends = time.monotonic() + _seconds(timeout)
        response = super().send(request, True, timeout, self._verify, cert, {} if self._direct else proxies)
        try:
            body = _body(response, ends)
        finally:
            response.close()
        # From here on it is read from memory, so that nothing above can block on the network.
        response.raw = io.BytesIO(body)
        return response


def _seconds(timeout: Any) -> float:
    if isinstance(timeout, tuple):
        timeout = timeout[-1]
    return float(timeout) if timeout is not None else 60.0


def _body(response: requests.Response, ends: float) -> bytes:
    status = response.status_code
    if response.is_redirect or 300 <= status < 400:
        raise UnreadableError("a redirect to another address")
    # Google's front end answers 429 and 5xx in HTML at times: there the status alone says enough.
    if status < 500 and status not in {407, 429} and not _is_json(response.headers.get("Content-Type", "")):
        raise UnreadableError(f"HTTP {status} that is not JSON")
    received = bytearray()
    try:
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            received += chunk
            if len(received) > MAX_ANSWER:
                raise UnreadableError("an answer beyond all bounds")
            if time.monotonic() > ends:
                raise requests.ReadTimeout
    except urllib3.exceptions.ReadTimeoutError:
        raise requests.ReadTimeout from None
    except urllib3.exceptions.DecodeError:
        raise UnreadableError("a body that cannot be decompressed") from None
    except urllib3.exceptions.ProtocolError:
        raise requests.exceptions.ChunkedEncodingError from None
    return bytes(received)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().casefold()
    return kind == "application/json" or kind.endswith("+json")

"""The REST server: HTTP/1.1 on loopback, a thin skin over the core."""

import contextlib
import json
import re
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from preflight.emulator import routes
from preflight.emulator.core import TOKENINFO, Answer, Call, Core

_LISTS = frozenset({"names", "permissions"})
_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing then sends RST instead of FIN."""


class RestServer(ThreadingHTTPServer):
    """Serves a core. The settings are measured: with the defaults, 100 connections at once lose some."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, core: Core, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.core = core
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Bind, and no more than that."""
        # HTTPServer.server_bind looks up the host's full name, which can take seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own until `stop`."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening, then cut the connections that are still open."""
        self.shutdown()
        self.server_close()
        with self._lock:
            still_open, self._open = self._open, set()
        for connection in still_open:
            with contextlib.suppress(OSError):  # it may have closed itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and remember it for `stop`."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else is a defect here and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        """Every verb is served alike; the base class looks for ``do_VERB``."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Silent: the record of exchanges is the log."""

    @property
    def _core(self) -> Core:
        return cast("RestServer", self.server).core

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = decoded(parts.path)
        method, fields, writes = routes.rest(self.command, path)
        query = _query(parts.query)
        body, malformed = _json(raw, self.headers.get("Content-Type", ""))
        # A token may be in the query of tokeninfo alone; the record never shows it.
        shown = {key: "…" if key == "access_token" else value for key, value in query.items()}
        request = None if method == TOKENINFO else body
        call = Call(
            method=method,
            transport="rest",
            params={**query, **(body or {}), **fields},
            token=_bearer(self.headers.get("Authorization", "")),
            quota_project=self.headers.get("X-Goog-User-Project", ""),
            writes=writes,
            malformed=malformed,
            request=request,
            path=f"{self.command} {path}",
            query=shown,
        )
        self._send(self._core.answer(call))

    def _send(self, answer: Answer) -> None:
        kind = answer.wire.kind if answer.wire else ""
        if kind == "hang":
            self._core.stopping.wait()
            self.close_connection = True
            return
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()
            self.close_connection = True
            return
        content_type, payload = "application/json; charset=UTF-8", json.dumps(answer.body).encode()
        if answer.padding:
            payload += b" " * answer.padding
        status = answer.status
        if kind == "wrong_content_type":
            status, content_type, payload = 200, "text/html; charset=utf-8", _HTML
        elif kind == "not_json":
            payload = b'{"name": "projects/1", "state": ' + b"\x00oops"
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if status == 401:
            challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "truncated":
            payload = payload[: len(payload) // 2]
            self.close_connection = True
        if kind == "drip":
            self._drip(payload)
            return
        self.wfile.write(payload)

    def _drip(self, payload: bytes) -> None:
        """A byte a second: each resets a reader's timeout, so only a bound on the whole call ends it."""
        self.wfile.flush()
        for index in range(len(payload)):
            self.wfile.write(payload[index : index + 1])
            self.wfile.flush()
            if self._core.stopping.wait(1.0):
                self.close_connection = True
                return


def decoded(path: str) -> str:
    """The path in plain characters, but for a slash within a segment, which stays `%2F` and is no separator."""
    return unquote(re.sub("%2f", "%252F", path, flags=re.IGNORECASE))


def _bearer(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _query(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        if key in _LISTS:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


def _json(raw: bytes, content_type: str) -> tuple[dict[str, Any] | None, bool]:
    """The request's body as an object, and whether it is none. Form bodies are read as queries."""
    if not raw.strip():
        return None, False
    if "form-urlencoded" in content_type:
        return dict(_query(raw.decode("utf-8", "replace"))), False
    try:
        value = json.loads(raw)
    except ValueError:
        return None, True
    return (value, False) if isinstance(value, dict) else (None, True)

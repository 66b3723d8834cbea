"""The record of what was asked and answered: what tests look at to see what was on the wire."""

import threading
from typing import Any, Literal

import msgspec

Transport = Literal["rest", "grpc"]


class Exchange(msgspec.Struct, frozen=True):
    """One call. `method` is an API method id, or ``VERB /path`` (``/package.Service/Rpc``) where none is known.

    `status` is the HTTP status in both transports, 0 where nothing was answered; `request` is the body of a REST
    call or the whole message of a gRPC call; `fault` names the injected faults. No token is ever in it.
    """

    method: str
    transport: Transport
    caller: str
    resource: str
    status: int
    request: dict[str, Any] | None
    response: dict[str, Any]
    path: str = ""
    query: dict[str, Any] = {}
    fault: tuple[str, ...] = ()


class Exchanges:
    """A list that many threads append to and anyone may copy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Exchange] = []

    def add(self, exchange: Exchange) -> None:
        """Append one."""
        with self._lock:
            self._all.append(exchange)

    def snapshot(self) -> list[Exchange]:
        """A copy, in the order in which the calls were answered."""
        with self._lock:
            return list(self._all)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._all.clear()

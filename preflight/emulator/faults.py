"""Faults by injection: what to do wrong, for which calls, how often.

Three sorts: refusals (another answer), wire faults (the same answer, badly sent; the skins act on them), and
distortions of a good answer (`endless_pages`, `huge`, `slow`).
"""

import threading
from difflib import get_close_matches
from typing import Literal, get_args

import msgspec

from preflight.emulator import errors
from preflight.emulator.errors import ApiError
from preflight.emulator.exchanges import Transport

Kind = Literal[
    "denied",
    "api_disabled",
    "user_project_denied",
    "vpc_service_controls",
    "not_found",
    "quota",
    "error_500",
    "unavailable_503",
    "unauthenticated_401",
    "slow",
    "hang",
    "drip",
    "reset",
    "truncated",
    "wrong_content_type",
    "not_json",
    "endless_pages",
    "huge",
]

REFUSALS = frozenset(
    {
        "denied",
        "api_disabled",
        "user_project_denied",
        "vpc_service_controls",
        "not_found",
        "quota",
        "error_500",
        "unavailable_503",
        "unauthenticated_401",
    }
)
WIRE = frozenset({"hang", "drip", "reset", "truncated", "wrong_content_type", "not_json"})


class Fault(msgspec.Struct, frozen=True):
    """What to do wrong. `method` is an API method id or ``*``; without `times` it stays until cleared.

    `delay` is for `slow` (seconds), `size` for `huge` (bytes), `consumer` for the refusals that name a project
    (``projects/N``; if empty, the quota project or else the one asked about). Raises ValueError for an unknown
    kind or transport.
    """

    method: str = "*"
    kind: Kind = "denied"
    times: int | None = None
    transport: Transport | None = None
    delay: float = 1.0
    size: int = 50_000_000
    consumer: str = ""

    def __post_init__(self) -> None:
        kinds = get_args(Kind)
        if self.kind not in kinds:
            near = get_close_matches(self.kind, kinds, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(kinds)}"
            raise ValueError(f"no fault {self.kind!r}; {hint}")
        if self.transport not in {None, "rest", "grpc"}:
            raise ValueError(f"no transport {self.transport!r}; there are: rest, grpc")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it counts from 1, and None means always")

    def refusal(self, service: str, method: str, resource: str, consumer: str) -> ApiError:
        """The error that this fault answers with; only for the kinds in `REFUSALS`.

        `consumer` is the project that the call is charged to, unless the fault names another.
        """
        consumer = self.consumer or consumer
        match self.kind:
            case "denied" if service == errors.BIGQUERY:
                return errors.permission_denied(f"Access Denied: {resource}: User does not have permission.")
            case "api_disabled":
                return errors.service_disabled(service, consumer)
            case "user_project_denied":
                return errors.user_project_denied(service, consumer.removeprefix("projects/"))
            case "vpc_service_controls":
                return errors.perimeter_blocked(service, consumer)
            case "not_found":
                return errors.not_found(f"Not found: {resource}" if resource else "Requested entity was not found.")
            case "quota":
                return errors.quota_exceeded(service, consumer)
            case "error_500":
                return ApiError("INTERNAL", "Internal error encountered.")
            case "unavailable_503":
                return ApiError("UNAVAILABLE", "The service is currently unavailable.")
            case "unauthenticated_401":
                return errors.unauthenticated(service, method, "ACCESS_TOKEN_EXPIRED")
        return errors.permission_denied()


class FaultBook:
    """The faults in force. Several may hit one call; each that does is counted down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Fault, int | None]] = []

    def inject(self, fault: Fault) -> None:
        """Put one in force."""
        with self._lock:
            self._left.append((fault, fault.times))

    def clear(self) -> None:
        """Take all back."""
        with self._lock:
            self._left.clear()

    def take(self, method: str, transport: Transport) -> tuple[Fault, ...]:
        """The faults that hit this call, in the order in which they were injected."""
        hit: list[Fault] = []
        with self._lock:
            kept: list[tuple[Fault, int | None]] = []
            for fault, times in self._left:
                hits = fault.method in {"*", method} and fault.transport in {None, transport}
                if hits:
                    hit.append(fault)
                left = times - 1 if hits and times is not None else times
                if left != 0:
                    kept.append((fault, left))
            self._left = kept
        return tuple(hit)

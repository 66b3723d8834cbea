"""Why a call failed: each exception of Google's clients and what they stand on, as a typed reason.

A reason holds nothing that a server wrote but the names of permissions and projects, and those only if they
look like such names: error texts may hold addresses with tokens, and come from whoever answers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import google.api_core.exceptions as api
import google.auth.exceptions
import google.protobuf.json_format
import requests
from google.rpc.error_details_pb2 import PreconditionFailure
from msgspec import Struct

from preflight.errors import CredentialsError
from preflight.facts.methods import QUOTA_PROJECT_PERMISSION, ApiMethod
from preflight.facts.seen import (
    ApiDisabled,
    Denied,
    Internal,
    Malformed,
    NotFound,
    PerimeterBlocked,
    QuotaExceeded,
    Reason,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from preflight.sources.live.guard import NotAllowedError, UnreadableError


class Asked(Struct, frozen=True):
    """What a failed call was about."""

    method: ApiMethod
    resource: str
    """What was asked for, such as `projects/acme/datasets/heap`."""
    holder: str
    """Where the caller needs the method's permission, such as `projects/acme`."""


class Payers(Struct):
    """The projects that an error can name as its consumer."""

    project: str
    """The project asked about, by ID."""
    number: str | None = None
    """Its number, once known."""
    quota_project: str | None = None
    """The one that the credentials name."""

    def is_other(self, consumer: str, method: ApiMethod) -> bool:
        """Whether a consumer (`projects/…`) is the quota project, and not the project asked about."""
        name = consumer.removeprefix("projects/")
        if not name or name in {self.project, self.number}:
            return False
        if self.number or not name.isdigit():
            return True
        # A number that can't be compared: BigQuery is charged to the project in its path, unless told otherwise.
        return self.quota_project != self.project if self.quota_project else not method.id.startswith("bigquery.")


class DeadlineError(Exception):
    """The run's time was over before the call could be sent."""


def reason_for(error: BaseException, asked: Asked, payers: Payers, seconds: float) -> Reason:
    """The reason that an exception stands for; `seconds` is how long the call was waited for."""
    if isinstance(error, api.RetryError) and error.cause is not None:
        error = error.cause
    name = asked.method.id
    if isinstance(error, NotAllowedError):
        return Internal(f"{name} was refused by the tool's own list of allowed methods")
    if isinstance(error, UnreadableError):
        return Malformed(name, str(error))
    if isinstance(error, google.protobuf.json_format.ParseError | requests.JSONDecodeError):
        return Malformed(name, "it is not the JSON of this method")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return Malformed(name, "it was cut off")
    if isinstance(error, requests.Timeout | DeadlineError | TimeoutError | api.DeadlineExceeded | api.RetryError):
        return TimedOut(name, round(seconds, 1))
    if isinstance(error, requests.RequestException):
        return Unavailable(name, network_detail(error))
    if isinstance(error, api.GoogleAPICallError):
        return _answered(error, asked, payers)
    if isinstance(error, google.auth.exceptions.TransportError):
        return Unavailable(name, network_detail(error))
    if isinstance(error, google.auth.exceptions.GoogleAuthError | CredentialsError):
        return Unauthenticated(name)
    return Internal(f"{name} raised {type(error).__name__}")


def is_transient(error: BaseException) -> bool:
    """Whether the same call may well succeed a moment later."""
    if isinstance(error, api.GoogleAPICallError):
        if _grpc_trouble(error) in {"not gRPC", "too large", "token", _UNTRUSTED, _PROXY}:
            return False
        return _code(error) in {408, 429, 499} or _code(error) >= 500 or _bigquery_reason(error) in _BIGQUERY_QUOTA
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return False
    return isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError)


def is_timeout(error: BaseException) -> bool:
    """Whether an attempt ended because no answer came."""
    return isinstance(error, requests.Timeout | api.DeadlineExceeded)


_PERMISSION = re.compile(r"[a-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+")
_CONSUMER = re.compile(r"projects/([a-z0-9.-]+:)?[a-z0-9-]+")
_BIGQUERY_QUOTA = frozenset({"quotaExceeded", "rateLimitExceeded"})


def _answered(error: api.GoogleAPICallError, asked: Asked, payers: Payers) -> Reason:
    method, metadata = asked.method, _metadata(error)
    consumer = _named(_CONSUMER, metadata.get("consumer", ""))
    reason, bigquery = _info_reason(error), _bigquery_reason(error)
    if (perimeter := _perimeter(error, metadata)) is not None:
        return PerimeterBlocked(method.id, perimeter)
    match reason:
        case "SERVICE_DISABLED":
            api_name = _named(re.compile(r"[a-z0-9.-]+"), metadata.get("service", "")) or method.api
            return ApiDisabled(api_name, consumer, quota_project=payers.is_other(consumer, method))
        case "USER_PROJECT_DENIED":
            return Denied(QUOTA_PROJECT_PERMISSION, consumer, quota_project=True)
        case "CONSUMER_INVALID" | "CONSUMER_SUSPENDED" if payers.is_other(consumer, method):
            return Denied(QUOTA_PROJECT_PERMISSION, consumer, quota_project=True)
        case "BILLING_DISABLED":
            return Unavailable(method.id, "billing is off in the project that pays for the call")
        case "ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "ACCESS_TOKEN_EXPIRED" | "ACCESS_TOKEN_TYPE_UNSUPPORTED":
            return Unauthenticated(method.id)
        case "RATE_LIMIT_EXCEEDED":
            return QuotaExceeded(method.id)
    if bigquery == "accessNotConfigured":
        return ApiDisabled(method.api, consumer, quota_project=payers.is_other(consumer, method))
    if bigquery in _BIGQUERY_QUOTA:
        return QuotaExceeded(method.id)
    return _by_code(error, asked, _named(_PERMISSION, metadata.get("permission", "")))


def _perimeter(error: api.GoogleAPICallError, metadata: Mapping[str, str]) -> str | None:
    """The unique identifier of a refusal by VPC Service Controls, empty if it isn't told; None for other errors.

    Google words it in three ways (its troubleshooting guide, and errors that users posted): an ErrorInfo with
    SECURITY_POLICY_VIOLATED, a PreconditionFailure of the type VPC_SERVICE_CONTROLS, BigQuery's `policyViolation`;
    each has the identifier in its message too.
    """
    if _code(error) != 403:
        return None
    message, violations = str(error.message), list(_violations(error))
    if not (_BY_PERIMETER.search(message) or violations or _info_reason(error) == "SECURITY_POLICY_VIOLATED"):
        return None
    told = _PERIMETER.search(message)
    candidates = (told[1] if told else "", *violations, metadata.get("uid", ""))
    return next((name for one in candidates if (name := _named(_IDENTIFIER, one))), "")


def _violations(error: api.GoogleAPICallError) -> Iterator[Any]:
    """What the error's PreconditionFailure says of VPC Service Controls: a message over gRPC, JSON over REST."""
    for detail in error.details:
        if isinstance(detail, PreconditionFailure):
            yield from (one.description for one in detail.violations if one.type == _CONTROLS)
        elif isinstance(detail, Mapping) and isinstance(detail.get("violations"), list):
            found = [one for one in detail["violations"] if isinstance(one, Mapping)]
            yield from (one.get("description") for one in found if one.get("type") == _CONTROLS)


_CONTROLS = "VPC_SERVICE_CONTROLS"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{8,200}")
_PERIMETER = re.compile(r"vpcServiceControlsUniqueIdentifier: *([A-Za-z0-9_-]+)")
_BY_PERIMETER = re.compile("VPC Service Controls: |vpcServiceControlsUniqueIdentifier")


def _by_code(error: api.GoogleAPICallError, asked: Asked, permission: str) -> Reason:
    method = asked.method
    trouble = _grpc_trouble(error)
    if trouble == "token":
        return Unauthenticated(method.id)
    if trouble in _FINAL:
        return Malformed(method.id, _FINAL[trouble])
    code = _code(error)
    if code == 401:
        return Unauthenticated(method.id)
    if code == 403 or (code == 404 and method.id.startswith("cloudresourcemanager.")):
        # Resource Manager documents 403 alike for what may not be seen and what does not exist.
        return Denied(method.permission or method.beyond or permission or "resourcemanager.projects.get", asked.holder)
    if code in {400, 404}:
        return NotFound(asked.resource)  # Google answers 400 where a name can't be one
    if code == 429:
        return QuotaExceeded(method.id)
    return Unavailable(method.id, trouble or f"HTTP {code}")


def _code(error: api.GoogleAPICallError) -> int:
    return int(error.code or 500)


def _metadata(error: api.GoogleAPICallError) -> Mapping[str, str]:
    found: Any = getattr(error, "metadata", None)
    return found if isinstance(found, Mapping) else {}


def _info_reason(error: api.GoogleAPICallError) -> str:
    found: Any = getattr(error, "reason", None)
    return found if isinstance(found, str) else ""


def _bigquery_reason(error: api.GoogleAPICallError) -> str:
    """BigQuery's own style: `errors[0].reason`. Over gRPC `errors` holds the gRPC error instead."""
    first = next(iter(error.errors or ()), None)
    found = first.get("reason") if isinstance(first, Mapping) else None
    return found if isinstance(found, str) else ""


def _named(pattern: re.Pattern[str], text: Any) -> str:
    return text if isinstance(text, str) and len(text) < 300 and pattern.fullmatch(text) else ""


_FINAL = {
    "unparsable": "it is not the message of this method",
    "not gRPC": "it is an HTTP answer and no gRPC",
    "too large": "an answer beyond all bounds",
}
_UNTRUSTED = "the server's certificate is not trusted"
_PROXY = "the proxy refused the connection"
_GRPC_TROUBLES = (
    # What gRPC itself writes, not the server; the first that occurs in the text.
    ("Getting metadata from plugin failed", "token"),
    ("deserializ", "unparsable"),
    ("larger than max", "too large"),
    ("invalid content-type", "not gRPC"),
    ("content-type", "not gRPC"),
    ("http2 header with status: 5", "the server, or a gateway before it, failed"),
    ("http2 header with status", "not gRPC"),
    ("HTTP proxy returned response code", _PROXY),
    ("CERTIFICATE_VERIFY_FAILED", _UNTRUSTED),
    ("SSL_ERROR", _UNTRUSTED),
    ("Ssl handshake failed", _UNTRUSTED),
    ("Connection refused", "the connection was refused"),
    ("Connection reset", "the connection was lost"),
    ("Socket closed", "the connection was lost"),
    ("GOAWAY", "the connection was lost"),
    ("Broken pipe", "the connection was lost"),
    ("DNS", "its name could not be resolved"),
    ("Domain name not found", "its name could not be resolved"),
    ("failed to connect", "no connection could be made"),
)


def _grpc_trouble(error: api.GoogleAPICallError) -> str:
    """What gRPC itself ran into, in a word or sentence of ours; empty for the server's own answers."""
    code = getattr(error.grpc_status_code, "name", "")
    if code in {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "UNAUTHENTICATED",
                "UNIMPLEMENTED", "CANCELLED"}:  # fmt: skip
        text = str(error.message)
        local = code not in {"RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"}
        for part, trouble in _GRPC_TROUBLES:
            if part in text and (local or trouble in {"not gRPC", "too large"}):
                return trouble
    return ""


def network_detail(error: BaseException) -> str:
    """What kind of network trouble an exception is, in a sentence of ours."""
    chain = list(_chain(error))
    names = {type(one).__name__ for one in chain}
    text = " ".join(str(one) for one in chain)
    if names & {"ProxyError", "ProxySchemeUnknown", "InvalidProxyURL"} or "Tunnel connection failed" in text:
        return "the proxy refused the connection, or could not be reached"
    if names & {"SSLError", "SSLCertVerificationError"}:
        return _UNTRUSTED
    if names & {"gaierror", "NameResolutionError"}:
        return "its name could not be resolved"
    if "ConnectionRefusedError" in names:
        return "the connection was refused"
    if names & {"ConnectionResetError", "RemoteDisconnected", "BrokenPipeError", "ProtocolError"}:
        return "the connection was lost"
    if names & {"Timeout", "ConnectTimeout", "ReadTimeout"}:
        return "no answer came in time"
    return "no connection could be made"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]

"""The gRPC server: TLS on loopback, a thin skin over the core.

Requests and answers are Google's own messages, found by name in the descriptor pool that their client packages
fill; JSON is what the core speaks.
"""

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError

from preflight.emulator import certificates, routes
from preflight.emulator.core import Answer, Call, Core

_CODES = {code.name: code for code in grpc.StatusCode}
_DETAILS = "grpc-status-details-bin"
_GARBAGE = b"\xff\xff\xff\xff not a message"
_UNKNOWN_FIELD = 20_000
_HTML = "Received http2 header with status: 200, content-type text/html; charset=utf-8"


@cache
def _fill_pool() -> None:
    """Import what registers the messages. Google's packages take a third of a second, so not before it's needed."""
    import google.cloud.billing_v1
    import google.cloud.iam_admin_v1
    import google.cloud.resourcemanager_v3
    import google.cloud.service_usage_v1
    import google.rpc.error_details_pb2
    import google.rpc.status_pb2  # noqa: F401 - all of these are imported for what importing them does


_LATER = {
    "google.iam.v2.": "google.cloud.iam_v2",
    "google.cloud.orgpolicy.v2.": "google.cloud.orgpolicy_v2",
    "google.cloud.policytroubleshooter.iam.v3.": "google.cloud.policytroubleshooter_iam_v3",
}
"""Packages whose messages few calls need, which are imported when the first of these comes."""


@cache
def _message(name: str) -> Any:
    """The class of a message by its full name; KeyError for one that no package describes."""
    _fill_pool()
    for package, module in _LATER.items():
        if name.startswith(package):
            importlib.import_module(module)
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def _names(rpc: str) -> tuple[str, str]:
    """The names of an rpc's request and answer, by the rule that Google's protos follow.

    By rule, because the pool can't be asked: the packages made with proto-plus describe messages, not services.
    """
    service, _, name = rpc.strip("/").partition("/")
    package = service.rpartition(".")[0]
    match name:
        case "GetIamPolicy" | "SetIamPolicy":
            return f"google.iam.v1.{name}Request", "google.iam.v1.Policy"
        case "TestIamPermissions":
            return f"google.iam.v1.{name}Request", f"google.iam.v1.{name}Response"
        case "GetEffectivePolicy":
            return f"{package}.{name}Request", f"{package}.Policy"
    answer = name.removeprefix("Get") if name.startswith("Get") else f"{name}Response"
    return f"{package}.{name}Request", f"{package}.{answer}"


class GrpcServer:
    """Serves a core over gRPC with TLS."""

    def __init__(self, core: Core, port: int = 0) -> None:
        _fill_pool()
        self._pool = ThreadPoolExecutor(max_workers=64, thread_name_prefix="emulator-grpc")
        options = (("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1))
        self._server = grpc.server(self._pool, handlers=[_Handlers(core)], options=options)
        credentials = grpc.ssl_server_credentials([certificates.for_loopback()])
        self.port = int(self._server.add_secure_port(f"127.0.0.1:{port}", credentials))

    def start(self) -> None:
        """Serve until `stop`."""
        self._server.start()

    def stop(self) -> None:
        """Cut what is still under way."""
        self._server.stop(grace=None).wait(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, core: Core) -> None:
        self._core = core

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """A handler for every name: what isn't served must be in the record too."""
        rpc = details.method

        def behaviour(request: bytes, context: grpc.ServicerContext) -> bytes:
            return _answer(self._core, rpc, request, context)

        return grpc.unary_unary_rpc_method_handler(behaviour)  # bytes in, bytes out


def _answer(core: Core, rpc: str, raw: bytes, context: grpc.ServicerContext) -> bytes:
    metadata = {key.lower(): value for key, value in context.invocation_metadata()}
    authorization = str(metadata.get("authorization", ""))
    scheme, _, token = authorization.partition(" ")
    params = _params(rpc, raw)
    method = routes.GRPC_READS.get(rpc) or routes.GRPC_WRITES.get(rpc) or rpc
    call = Call(
        method=routes.narrowed(method, params),
        transport="grpc",
        params=params,
        token=token if scheme.lower() == "bearer" else None,
        quota_project=str(metadata.get("x-goog-user-project", "")),
        writes=rpc not in routes.GRPC_READS,
        request=params,
        path=rpc,
    )
    answer = core.answer(call)
    return _spoilt(core, answer, context) or _encoded(rpc, answer, context)


def _params(rpc: str, raw: bytes) -> dict[str, Any]:
    try:
        request = _message(_names(rpc)[0]).FromString(raw)
    except (KeyError, DecodeError):
        return {}  # no message that we know: the name alone is recorded
    fields: dict[str, Any] = json_format.MessageToDict(request)
    return fields


def _spoilt(core: Core, answer: Answer, context: grpc.ServicerContext) -> bytes | None:
    """What a wire fault does here; the ones that make no sense over gRPC do what is nearest."""
    match answer.wire.kind if answer.wire else "":
        case "hang" | "drip":
            # An answer of one message can't drip: it doesn't come before the caller's deadline either.
            _until_gone(core, context)
            context.abort(grpc.StatusCode.CANCELLED, "The caller went away.")
        case "reset":
            context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
        case "wrong_content_type":
            context.abort(grpc.StatusCode.UNKNOWN, _HTML)
        case "truncated" | "not_json":
            return _GARBAGE
    return None


def _until_gone(core: Core, context: grpc.ServicerContext) -> None:
    gone = threading.Event()
    wake: Callable[[], None] = gone.set
    if context.add_callback(wake):
        while not (gone.wait(0.05) or core.stopping.is_set()):
            pass


def _encoded(rpc: str, answer: Answer, context: grpc.ServicerContext) -> bytes:
    if answer.status != 200:
        error = answer.body["error"]
        code = _CODES[error["status"]]
        context.set_trailing_metadata(((_DETAILS, _status(code, error)),))
        context.abort(code, error["message"])
    message = _message(_names(rpc)[1])()
    json_format.ParseDict(answer.body, message, ignore_unknown_fields=True)
    encoded: bytes = message.SerializeToString()
    return encoded + _padding(answer.padding)


def _status(code: grpc.StatusCode, error: dict[str, Any]) -> bytes:
    """google.rpc.Status with its details, as gRPC's trailers carry it."""
    from google.rpc import status_pb2

    fields = {"code": code.value[0], "message": error["message"], "details": error.get("details", [])}
    encoded: bytes = json_format.ParseDict(fields, status_pb2.Status()).SerializeToString()
    return encoded


def _padding(size: int) -> bytes:
    """A field that no message has, of `size` bytes: readers skip it."""
    return _varint(_UNKNOWN_FIELD << 3 | 2) + _varint(size) + bytes(size) if size else b""


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

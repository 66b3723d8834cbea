"""One call in, one answer out: authentication, quota project, faults, the method itself, the record.

Both servers are skins over `Core.answer`; nothing here knows of sockets.
"""

import threading
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import msgspec

from preflight.emulator import errors
from preflight.emulator.directory import Directory
from preflight.emulator.errors import BIGQUERY, ApiError, Json
from preflight.emulator.exchanges import Exchange, Exchanges, Transport
from preflight.emulator.faults import REFUSALS, WIRE, Fault, FaultBook
from preflight.emulator.methods import METHODS, Ask, Method, withheld_permissions
from preflight.emulator.methods.serviceusage import state_of
from preflight.emulator.policy import Access
from preflight.emulator.world import Caller, Project, World

TOKENINFO = "oauth2.tokeninfo"
_ENDLESS = "endless-"
_SCOPES = "https://www.googleapis.com/auth/cloud-platform"
_CLIENT_PROJECT = "projects/764086051850"
"""Whose client user credentials are of, when nothing else is charged; from public error reports, not checked."""
_PAGED = (".list", ".listPolicies", ".search")


class Call(msgspec.Struct, frozen=True):
    """A call as a server read it off the wire.

    `method` is an API method id; of one that the stand-in doesn't answer, any name will do, and `writes` tells
    whether it would change something; `malformed`, that its body could not be read. `params` has the JSON names
    of the request's fields.
    """

    method: str
    transport: Transport
    params: dict[str, Any]
    token: str | None = None
    quota_project: str = ""
    writes: bool = False
    malformed: bool = False
    request: dict[str, Any] | None = None
    path: str = ""
    query: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True):
    """What to send back; `wire` says how to send it badly, `padding` how many bytes to add."""

    status: int
    body: Json
    wire: Fault | None = None
    padding: int = 0


class Core:
    """Answers calls about one world. Thread-safe: the world is frozen, the record and the faults are locked."""

    def __init__(self, world: World, latency: float = 0.0) -> None:
        self.directory, self.access = _view(world)
        self.exchanges = Exchanges()
        self.faults = FaultBook()
        self.latency = latency
        self.stopping = threading.Event()
        self._changes: dict[str, Iterator[tuple[Directory, Access]]] = {}
        self._lock = threading.Lock()

    def spread(self, world: World, method: str, seen: tuple[bool, ...]) -> None:
        """Lets a change spread as grants do: which of the next calls of a method see the other world. The last one's
        word holds for all after it."""
        before, after = (self.directory, self.access), _view(world)
        looks = chain((after if one else before for one in seen), repeat(after if seen[-1] else before))
        with self._lock:
            self._changes[method] = looks

    def _seen_by(self, method: str) -> tuple[Directory, Access]:
        with self._lock:
            looks = self._changes.get(method)
            return (self.directory, self.access) if looks is None else next(looks)

    def answer(self, call: Call) -> Answer:
        """The answer to one call, which is then in the record. Takes as long as latency and faults say."""
        faults = self.faults.take(call.method, call.transport)
        pause = self.latency + sum(fault.delay for fault in faults if fault.kind == "slow")
        if pause:
            self.stopping.wait(pause)  # ends early when the server stops
        caller = self.directory.caller(call.token or "")
        status, body = self._status_and_body(call, caller, faults)
        padding = sum(fault.size for fault in faults if fault.kind == "huge")
        wire = next((fault for fault in faults if fault.kind in WIRE), None)
        unanswered = wire is not None and wire.kind in {"hang", "reset"}
        self.exchanges.add(
            Exchange(
                method=call.method,
                transport=call.transport,
                caller=caller.email if caller else "",
                resource=resource_of(call.params),
                status=0 if unanswered else status,
                request=call.request,
                response={} if unanswered else _shown(body),
                path=call.path,
                query=call.query,
                fault=tuple(fault.kind for fault in faults),
            )
        )
        return Answer(status, body, wire, padding)

    def _status_and_body(self, call: Call, caller: Caller | None, faults: tuple[Fault, ...]) -> tuple[int, Json]:
        method = METHODS.get(call.method)
        service = method.service if method else service_of(call.method)
        try:
            for fault in faults:
                if fault.kind in REFUSALS:
                    raise fault.refusal(service, call.method, resource_of(call.params), self._consumer(call))
            if call.method == TOKENINFO:
                return self._tokeninfo(str(call.params.get("access_token", "")))
            if call.writes:
                raise errors.permission_denied("The stand-in refuses every write. The caller does not have permission")
            if call.malformed:
                raise errors.invalid("Invalid JSON payload received.")
            if method is None:
                raise errors.not_found("Method not found.")
            return 200, self._ask(call, method, caller, endless=any(f.kind == "endless_pages" for f in faults))
        except ApiError as error:
            return error.http_status, error.body(service)

    def _ask(self, call: Call, method: Method, caller: Caller | None, *, endless: bool) -> Json:
        if caller is None or caller.expired:
            reason = "ACCESS_TOKEN_EXPIRED" if caller else "ACCESS_TOKEN_TYPE_UNSUPPORTED"
            raise errors.unauthenticated(method.service, method.id, reason if call.token else "CREDENTIALS_MISSING")
        self._check_projects(call, method, caller)
        params = dict(call.params)
        token = str(params.get("pageToken", ""))
        if token.startswith(_ENDLESS):
            del params["pageToken"]
        body = method.handle(Ask(method, caller, params, *self._seen_by(method.id)))
        if endless and method.id.endswith(_PAGED):
            count = int(token.removeprefix(_ENDLESS)) if token.removeprefix(_ENDLESS).isdigit() else 0
            body = body | {"nextPageToken": f"{_ENDLESS}{count + 1}"}
        return body

    def _check_projects(self, call: Call, method: Method, caller: Caller) -> None:
        """The project that pays, and for BigQuery the project asked: may the caller, and is the API on?"""
        named = call.quota_project
        quota = self.directory.project(named) if named else None
        if named and (quota is None or not self.access.holds(caller, "serviceusage.services.use", quota)):
            raise errors.user_project_denied(method.service, named.removeprefix("projects/"))
        payer: Project | None
        if method.service == BIGQUERY:
            payer = self.directory.project(str(call.params.get("projectId", "")))
        else:
            # Service accounts use their own project; a user without a quota project uses none here.
            payer = quota or (self.directory.home(caller) if caller.kind == "service_account" else None)
        for project in (quota, payer):
            if project is not None and project.state != "ACTIVE":
                raise errors.consumer_invalid(method.service, project.id)
        if payer is not None and state_of(payer, method.service) == "DISABLED":
            raise errors.service_disabled(method.service, payer.name)

    def _consumer(self, call: Call) -> str:
        """The project that an error about quota or a disabled API names: by its number, where it is known."""
        parts = resource_of(call.params).split("/")
        key = call.quota_project or (parts[1] if parts[0] == "projects" and len(parts) > 1 else "")
        project = self.directory.project(key) if key else None
        if project is not None:
            return project.name
        return f"projects/{key.removeprefix('projects/')}" if key else _CLIENT_PROJECT

    def _tokeninfo(self, token: str) -> tuple[int, Json]:
        """What https://oauth2.googleapis.com/tokeninfo tells: the e-mail only where the token has the scope."""
        caller = self.directory.caller(token)
        if caller is None or caller.expired:
            return 400, {"error": "invalid_token", "error_description": "Invalid Value"}
        scopes = _SCOPES
        if caller.email_scope:
            scopes += " https://www.googleapis.com/auth/userinfo.email"
        body = {
            "azp": "stand-in.apps.googleusercontent.com",
            "aud": "stand-in.apps.googleusercontent.com",
            "scope": scopes,
            "exp": "4102444800",
            "expires_in": "3599",
            "access_type": "online",
        }
        if caller.email_scope:
            body |= {"email": caller.email, "email_verified": "true"}
        return 200, body


def _view(world: World) -> tuple[Directory, Access]:
    directory = Directory(world)
    return directory, Access(directory, withheld_permissions)


def _shown(body: Json) -> Json:
    """A token that is given is not in the record."""
    return body | {"accessToken": "…"} if "accessToken" in body else body


def service_of(method: str) -> str:
    """The host of an API method id; of a raw path, the style that nearly all APIs share."""
    prefix = method.partition(".")[0]
    return f"{prefix}.googleapis.com" if prefix.isalnum() else "unknown.googleapis.com"


def resource_of(params: dict[str, Any]) -> str:
    """The name of what a call is about, from its request."""
    if "projectId" in params:
        name = f"projects/{params['projectId']}"
        return name + "".join(
            f"/{kind}/{params[key]}"
            for key, kind in (("datasetId", "datasets"), ("tableId", "tables"))
            if key in params
        )
    tuple_ = params.get("accessTuple")
    if isinstance(tuple_, dict):
        return f"{tuple_.get('fullResourceName', '')} {tuple_.get('permission', '')}"
    for field in ("name", "resource", "parent", "groupKey.id"):
        if params.get(field):
            return str(params[field])
    return ""

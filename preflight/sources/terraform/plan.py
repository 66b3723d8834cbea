"""Plans in JSON (`terraform show -json`): only resources of relevant types are ever decoded.

The format is Terraform's "JSON Output Format": versions 0.1, 0.2 and 1.x. Neither `variables` nor `prior_state`, in
which secrets stand in clear, are decoded at all.
"""

import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from preflight.errors import UsageError
from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.plan_file import SHOW, plan_bytes
from preflight.sources.terraform.plan_providers import Configuration, Providers
from preflight.sources.terraform.plan_values import laid_over, marked, without
from preflight.sources.terraform.resources import Change, Declared, Omission, Place, Resource, Unsettled, Value

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.[0-9]+")
_NEWEST = 1
_ABSENT = Raw()
_ACTIONS = {
    ("no-op",): Change.NO_OP,
    ("create",): Change.CREATE,
    ("read",): Change.READ,
    ("update",): Change.UPDATE,
    ("delete",): Change.DELETE,
    ("delete", "create"): Change.REPLACE,
    ("create", "delete"): Change.REPLACE,
    ("forget",): Change.FORGET,
    ("create", "forget"): Change.CREATE,  # the old one stays in the cloud
    ("forget", "create"): Change.CREATE,
}


class _Type(Struct):
    type: str = ""


class _Version(Struct):
    format_version: str = ""
    version: int | str = ""
    """A state's own format."""
    values: Raw = _ABSENT
    """A state's resources, as `terraform show -json` without a plan prints them."""


class _Plan(_Version):
    resource_changes: list[Raw] = field(default_factory=list)
    deferred_changes: list[Raw] = field(default_factory=list)
    configuration: Raw = _ABSENT
    errored: bool = False


class _Change(Struct):
    actions: tuple[str, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None


class _Element(Struct):
    change: _Change
    address: str = ""
    mode: str = "managed"
    type: str = ""


class _Deferred(Struct):
    reason: str = ""
    resource_change: Raw = _ABSENT


_decode_type = msgspec.json.Decoder(_Type).decode
_decode_element = msgspec.json.Decoder(_Element).decode


def read_plan(path: Path) -> Declared:
    """All relevant resources of a plan, as they will be once it is applied.

    Raises UsageError for what is no plan in JSON, or one of a newer format than this version reads.
    """
    with plan_bytes(path) as content:
        try:
            return _declared(content, path)
        except RecursionError:
            raise UsageError(f"'{path}' is nested too deeply to be a plan.", _MAKE) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise _no_plan(content, path, error) from None


_MAKE = f"Make it again with: {SHOW}"


def _declared(content: memoryview, path: Path) -> Declared:
    plan = msgspec.json.decode(content, type=_Plan)
    _refuse_others(plan, path)
    place = Place(path.as_posix())
    kept = [_decode_element(raw) for raw in plan.resource_changes if _decode_type(raw).type in RELEVANT]
    deferred = [
        (one.reason, _decode_element(one.resource_change))
        for one in (msgspec.json.decode(raw, type=_Deferred) for raw in plan.deferred_changes)
        if _decode_type(one.resource_change).type in RELEVANT
    ]
    providers = Providers(_configuration(plan.configuration, [*kept, *(one for _, one in deferred)]))
    resources = [_resource(one, providers, place) for one in kept]
    resources += [
        _resource(one, providers, place, Unsettled(f"Terraform deferred {one.address} to a later plan ({reason})"))
        for reason, one in deferred
    ]
    omissions: tuple[Omission, ...] = ()
    if plan.errored:
        omissions = (Omission(f"planning ended in an error, so {place} is not whole", "plan again", place),)
    return Declared(root=place, resources=tuple(resources), omissions=omissions)


def _configuration(raw: Raw, elements: list[_Element]) -> Configuration:
    """Decoded only if somebody has to ask it."""
    if raw is _ABSENT or not any(_lacks_project(one.change) for one in elements):
        return Configuration()
    return msgspec.json.decode(raw, type=Configuration)


def _lacks_project(change: _Change) -> bool:
    shown = change.after if change.after is not None else change.before
    return (shown or {}).get("project") is None or _top(change.after_unknown, "project") is True


def _top(tree: Any, key: str) -> Any:
    return tree.get(key) if isinstance(tree, dict) else None


def _resource(element: _Element, providers: Providers, place: Place, maybe: Unsettled | None = None) -> Resource:
    change, address = element.change, element.address
    what = _ACTIONS.get(change.actions)
    if what is None:
        said = ", ".join(change.actions) or "none"
        maybe = maybe or Unsettled(f"what the plan does with {address} is not known to this version: {said}")
        what = Change.UPDATE
    secrets = marked(change.before, change.before_sensitive) | marked(change.after, change.after_sensitive)
    before = None
    if change.before is not None:
        before = _values(change.before, None, change.before_sensitive, address, secrets)
    if what in {Change.DELETE, Change.FORGET}:
        values = before or {}
    else:
        unknown = change.after_unknown
        if _top(unknown, "project") is True and providers.leaves_project(address):
            # What the provider fills in is not known to the plan, but it is said which project that is.
            unknown = {key: part for key, part in unknown.items() if key != "project"}
        values = _values(change.after or {}, unknown, change.after_sensitive, address, secrets)
    return Resource(
        address=address,
        type=element.type,
        data=element.mode == "data",
        values=values,
        before=before,
        change=what,
        place=place,
        maybe=maybe,
        providers_project=providers.project_of(address),
    )


def _values(shown: dict[str, Any], unknown: Any, sensitive: Any, address: str, secrets: set[str]) -> dict[str, Value]:
    whole = laid_over(shown, unknown, sensitive, address)
    if not isinstance(whole, dict):
        # All of it is unknown or secret, key by key.
        return dict.fromkeys(shown, whole)
    return {key: without(value, secrets, f"{address}.{key}") for key, value in whole.items()} if secrets else whole


def _refuse_others(plan: _Version, path: Path) -> None:
    if plan.values is not _ABSENT or (plan.version != "" and not plan.format_version):
        raise UsageError(f"'{path}' is a state, not a plan.", f"Plan first: terraform plan -out=plan, then: {SHOW}")
    if not plan.format_version:
        raise UsageError(f"'{path}' is no Terraform plan: it has no format_version.", _MAKE)
    version = _VERSION.fullmatch(plan.format_version)
    if version is None:
        raise UsageError(f"'{path}' has a format_version that is none.", _MAKE)
    if int(version[1]) > _NEWEST:
        raise UsageError(
            f"'{path}' is of format {plan.format_version}; this version reads plans up to {_NEWEST}.x.",
            "Update preflight, or make the plan with an older Terraform.",
        )


def _no_plan(content: memoryview, path: Path, error: Exception) -> UsageError:
    start = bytes(content[:4096]).lstrip()
    if start.startswith(b'{"@'):
        return UsageError(
            f"'{path}' is the log of terraform plan -json, not a plan.",
            f"Run: terraform plan -out=plan, then: {SHOW}",
        )
    try:
        # Another format may look otherwise: then its version is what is wrong.
        _refuse_others(msgspec.json.decode(content, type=_Version), path)
    except UsageError as refused:
        return refused
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    if start[:1] != b"{":
        return UsageError(f"'{path}' is no plan in JSON.", _MAKE)
    if "truncated" in str(error):
        return UsageError(f"'{path}' is cut off: its JSON doesn't end.", _MAKE)
    return UsageError(f"'{path}' is no plan that can be read: {error}.", _MAKE)

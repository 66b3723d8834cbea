"""`count` and `for_each`: which instances a block has."""

from typing import Any

from msgspec import Struct

from preflight.sources.terraform.hcl.evaluate import outcome
from preflight.sources.terraform.hcl.kinds import NUMBER, STRING
from preflight.sources.terraform.hcl.numbers import is_number
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.syntax import Attribute, Body
from preflight.sources.terraform.hcl.types import typed
from preflight.sources.terraform.hcl.values import RefusedError, SetValue, kind, sorted_keys, to_whole
from preflight.sources.terraform.resources import Unsettled

InstanceKey = str | int | None


class Expansion(Struct):
    """A block's instances: for each its key and the names that its body sees (`each`, `count`)."""

    mode: str
    """single, count or for_each."""
    instances: list[tuple[InstanceKey, dict[str, Any]]]
    open: Unsettled | None = None
    """There may be more, and which hangs on this."""
    symbol: dict[str, Any] = {}
    """The names that one of these would see."""


def expand(body: Body, scope: Scope) -> Expansion:
    """The instances of a block with this body."""
    if count := body.attributes.get("count"):
        return _counted(count, scope.inside(count.source))
    if for_each := body.attributes.get("for_each"):
        return _each(for_each, scope.inside(for_each.source))
    return Expansion("single", [(None, {})])


def _counted(count: Attribute, scope: Scope) -> Expansion:
    value = outcome(count.expr, scope)
    number = 0
    if not isinstance(value, Unsettled):
        try:
            number = to_whole(value)
        except RefusedError as refusal:
            value = Unsettled(f"Terraform refuses this count: {refusal}", "correct it", count.place)
    limit = scope.budget.limits.instances
    if number > limit:
        value = Unsettled(f"count = {number} is past the limit of {limit} instances here", "a plan", count.place)
    if isinstance(value, Unsettled):
        return Expansion("count", [], value, {"count": {"index": typed(value, NUMBER)}})
    scope.budget.spend(max(number, 0))
    return Expansion("count", [(index, {"count": {"index": index}}) for index in range(number)])


def _each(for_each: Attribute, scope: Scope) -> Expansion:
    value = outcome(for_each.expr, scope)
    limit = scope.budget.limits.instances
    if isinstance(value, list | dict) and len(value) > limit:
        why = f"for_each has {len(value)} elements, past the limit of {limit} instances here"
        value = Unsettled(why, "a plan", for_each.place)
    if isinstance(value, dict):
        scope.budget.spend(len(value))
        return Expansion("for_each", [(key, _names(key, value[key])) for key in sorted_keys(value)])
    if isinstance(value, SetValue):
        texts = [one for one in value if isinstance(one, str)]
        if len(texts) + sum(isinstance(one, Unsettled) for one in value) == len(value):
            found = Expansion("for_each", [(key, _names(key, key)) for key in texts], value.open)
            if value.open:
                found.symbol = _names(typed(value.open, STRING), typed(value.open, STRING))
            return found
    if not isinstance(value, Unsettled):
        what = "a set of other things than texts" if isinstance(value, SetValue) else kind(value)
        value = Unsettled(f"Terraform refuses this for_each: {what}", "give a map or a set of texts", for_each.place)
    return Expansion("for_each", [], value, _names(typed(value, STRING), value))


def _names(key: object, value: object) -> dict[str, Any]:
    return {"each": {"key": key, "value": value}}


def key_text(key: InstanceKey) -> str:
    """The key as addresses write it: nothing, `[0]` or `["a"]`."""
    if key is None:
        return ""
    if is_number(key):
        return f"[{key}]"
    text = str(key).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'["{text}"]'


SYMBOL = "[*]"
"""Stands in addresses for the key of an instance that may exist."""

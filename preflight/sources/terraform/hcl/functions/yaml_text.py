"""`yamldecode()`: YAML as go-cty-yaml reads it, which is neither 1.1 nor 1.2; PyYAML finds the structure.

Tried with terraform 1.11: `yes`, `on` and `y` are true, `0o17` is 15, `017` is 17, `1_000` and `1:30` are texts, a
date becomes a timestamp's text.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from preflight.sources.terraform.hcl.numbers import parse_number
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.values import RefusedError, UnsettledError, to_text
from preflight.sources.terraform.resources import Unsettled

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_NESTED = 100
_TRUE = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_NULL = {"", "~", "null", "Null", "NULL"}
_TAG = "tag:yaml.org,2002:"
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_INFINITE = re.compile(r"[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE = object()


def from_yaml(text: str, scope: Scope) -> Any:
    """The value of a document. Raises RefusedError for what is no YAML, else UnsettledError."""
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER), scope).document()
    except yaml.YAMLError as error:
        raise RefusedError(f"this is not YAML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise UnsettledError(Unsettled("YAML that is nested too deep")) from None


class _Reader:
    """Builds values from PyYAML's events; what an anchor holds is paid for each time it is used."""

    def __init__(self, events: Iterator[Any], scope: Scope) -> None:
        self.events = events
        self.budget = scope.budget
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.size = 0

    def document(self) -> Any:
        """The one document of the stream."""
        value: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise RefusedError("only a single YAML document is allowed")
                value = self.node(next(self.events), 0)
        if not documents:
            raise RefusedError("this is no YAML document")
        return None if value is _MERGE else value

    def node(self, event: Any, depth: int) -> Any:
        """The value that begins with an event."""
        if depth > _MOST_NESTED:
            raise UnsettledError(Unsettled(f"YAML nested more than {_MOST_NESTED} deep"))
        self.budget.spend(1)
        before = self.size
        self.size += 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise RefusedError(f"YAML refers to an anchor that is not there: {event.anchor}")
            value, size = self.anchors[event.anchor]
            self.size += size
            if self.size > self.budget.limits.elements * 5:
                raise UnsettledError(Unsettled("YAML whose aliases unfold past the limit here"))
            return value
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                value.append(self.node(inner, depth + 1))
        else:
            value = self.mapping(depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.size - before)
        return value

    def mapping(self, depth: int) -> dict[str, Any]:
        """A mapping, what is merged into it with `<<` included: its own keys win."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(inner := next(self.events), yaml.MappingEndEvent):
            key = self.node(inner, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if key is _MERGE:
                for one in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(one, dict):
                        raise RefusedError("YAML merges what is no mapping")
                    merged.update(one)
            else:
                own[to_text(key)] = value
        return {**merged, **own}


def _scalar(event: Any) -> Any:
    text: str = event.value
    tag: str | None = event.tag
    if tag and tag not in {"!", _TAG + "str"}:
        if tag not in {_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null"}:
            raise UnsettledError(Unsettled(f"the YAML tag {tag} is not known here"))
    elif tag or not event.implicit[0]:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text == "<<":
        return _MERGE
    if text[:1] not in "+-.0123456789":
        return text
    if _INFINITE.fullmatch(text) or _DATE.match(text):
        return _date(text)
    if text[:2] == "0x" and len(text) < 17:
        return int(text, 16) if re.fullmatch(r"0x[0-9a-fA-F]+", text) else text
    if text[:2] == "0o" and len(text) < 20:
        return int(text, 8) if re.fullmatch(r"0o[0-7]+", text) else text
    number = parse_number(text)
    return text if number is None else number


def _date(text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return f"{text}T00:00:00Z"
    raise UnsettledError(Unsettled("a YAML timestamp or infinity, which is not read here"))

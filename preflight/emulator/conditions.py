"""IAM conditions: the part of CEL that policies use, evaluated on what the stand-in can know.

Known: ``request.time``, ``resource.name``, ``resource.type``, ``resource.service`` and the tags that the world
declares (``resource.matchTag``, ``resource.hasTagKey``). Everything else raises `UnevaluableError`: its caller
decides what that means (an allow binding then does not grant, a deny rule then applies).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<op>&&|\|\||[<>=!]=|[-<>!()\[\],.+?:]))"""
)
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(h|ms|m|s))")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class UnevaluableError(Exception):
    """The expression hangs on what is not known here, or is no CEL that policies use."""


class Circumstances(msgspec.Struct, frozen=True):
    """What an expression may ask about: the moment and the resource. What is None or empty is not known."""

    time: datetime | None
    name: str
    type: str
    service: str
    tags: Mapping[str, str] = {}


def holds(expression: str, circumstances: Circumstances) -> bool:
    """Whether the condition is true; `UnevaluableError` if that can't be told."""
    value = _evaluate(_parse(expression), circumstances)
    if not isinstance(value, bool):
        raise UnevaluableError(f"not a boolean: {expression}")
    return value


# A node is a tuple whose first element names it; the others are nodes or plain values.
_Node = tuple[Any, ...]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise UnevaluableError(f"can't read {text[position:]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if not token or (wanted and token not in wanted):
            raise UnevaluableError(f"expected {' or '.join(wanted) or 'more'}, found {token or 'the end'}")
        self.at += 1
        return token

    def whole(self) -> _Node:
        node = self.either()
        if self.at < len(self.tokens):
            raise UnevaluableError(f"unexpected {self.peek()}")
        return node

    def either(self) -> _Node:
        node = self.both()
        while self.peek() == "||":
            self.take()
            node = ("||", node, self.both())
        return node

    def both(self) -> _Node:
        node = self.relation()
        while self.peek() == "&&":
            self.take()
            node = ("&&", node, self.relation())
        return node

    def relation(self) -> _Node:
        node = self.sum()
        while self.peek() in {"<", "<=", ">", ">=", "==", "!=", "in"}:
            node = ("relation", self.take(), node, self.sum())
        return node

    def sum(self) -> _Node:
        node = self.unary()
        while self.peek() in {"+", "-"}:
            node = ("sum", self.take(), node, self.unary())
        return node

    def unary(self) -> _Node:
        if self.peek() == "!":
            self.take()
            return ("!", self.unary())
        return self.member()

    def member(self) -> _Node:
        node = self.primary()
        while self.peek() == ".":
            self.take()
            name = self.take()
            node = ("call", node, name, self.arguments(")")) if self.peek() == "(" else ("field", node, name)
        return node

    def primary(self) -> _Node:
        if self.at >= len(self.tokens):
            raise UnevaluableError("unexpected end")
        kind, text = self.tokens[self.at]
        if text == "(":
            self.take()
            node = self.either()
            self.take(")")
            return node
        if text == "[":
            return ("list", self.arguments("]"))
        self.take()
        if kind == "string":
            return ("value", re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind == "number":
            return ("value", int(text))
        if text in {"true", "false"}:
            return ("value", text == "true")
        if kind != "name":
            raise UnevaluableError(f"unexpected {text}")
        return ("call", None, text, self.arguments(")")) if self.peek() == "(" else ("name", text)

    def arguments(self, end: str) -> tuple[_Node, ...]:
        self.take("(", "[")
        nodes: list[_Node] = []
        while self.peek() != end:
            nodes.append(self.either())
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return tuple(nodes)


@lru_cache(maxsize=1024)
def _parse(expression: str) -> _Node:
    return _Parser(expression).whole()


def _evaluate(node: _Node, known: Circumstances) -> Any:
    try:
        return _value(node, known)
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError, KeyError, re.error) as error:
        raise UnevaluableError(str(error)) from error


def _value(node: _Node, known: Circumstances) -> Any:
    match node:
        case ("value", value):
            return value
        case ("list", items):
            return [_value(item, known) for item in items]
        case ("!", inner):
            return not _boolean(_value(inner, known))
        case ("&&", left, right):
            return _logic(left, right, known, deciding=False)
        case ("||", left, right):
            return _logic(left, right, known, deciding=True)
        case ("relation", operator, left, right):
            return _relation(operator, _value(left, known), _value(right, known))
        case ("sum", operator, left, right):
            a, b = _value(left, known), _value(right, known)
            return a + b if operator == "+" else a - b
        case ("field", ("name", owner), field):
            return _attribute(f"{owner}.{field}", known)
        case ("call", None, name, arguments):
            return _function(name, [_value(argument, known) for argument in arguments])
        case ("call", ("name", "resource"), name, arguments):
            return _tag(name, [_value(argument, known) for argument in arguments], known)
        case ("call", target, name, arguments):
            return _method(_value(target, known), name, [_value(argument, known) for argument in arguments])
    raise UnevaluableError(f"not known here: {node}")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnevaluableError(f"not a boolean: {value!r}")
    return value


def _logic(left: _Node, right: _Node, known: Circumstances, *, deciding: bool) -> bool:
    """CEL's && and || are commutative: one side that decides outweighs an error on the other."""
    failure: UnevaluableError | None = None
    for side in (left, right):
        try:
            if _boolean(_evaluate(side, known)) is deciding:
                return deciding
        except UnevaluableError as error:
            failure = error
    if failure is not None:
        raise failure
    return not deciding


def _relation(operator: str, left: Any, right: Any) -> bool:
    if operator == "in":
        return left in right
    if type(left) is not type(right):
        raise UnevaluableError(f"{left!r} and {right!r} can't be compared")
    if operator in {"==", "!="}:
        return bool((left == right) is (operator == "=="))
    return _COMPARE[operator](left, right)


def _attribute(name: str, known: Circumstances) -> Any:
    told = {
        "request.time": known.time,
        "resource.name": known.name,
        "resource.type": known.type,
        "resource.service": known.service,
    }.get(name)
    if not told:
        raise UnevaluableError(f"{name} is not known here")
    return told


def _function(name: str, arguments: list[Any]) -> Any:
    match name, arguments:
        case "timestamp", [str(text)]:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise UnevaluableError(f"a timestamp needs a time zone: {text}")
            return moment
        case "duration", [str(text)]:
            if not text or _DURATION.sub("", text):
                raise UnevaluableError(f"no duration: {text}")
            return timedelta(seconds=sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(text)))
        case "size", [str() | list() as value]:
            return len(value)
    raise UnevaluableError(f"function {name} is not known here")


def _tag(name: str, arguments: list[Any], known: Circumstances) -> bool:
    match name, arguments:
        case "matchTag", [str(key), str(value)]:
            return known.tags.get(key) == value
        case "hasTagKey", [str(key)]:
            return key in known.tags
        case (("startsWith" | "endsWith"), _):
            raise UnevaluableError("resource is no text")
    raise UnevaluableError(f"resource.{name} is not known here")


def _method(target: Any, name: str, arguments: list[Any]) -> Any:
    if isinstance(target, str):
        match name, arguments:
            case "startsWith", [str(text)]:
                return target.startswith(text)
            case "endsWith", [str(text)]:
                return target.endswith(text)
            case "contains", [str(text)]:
                return text in target
            case "matches", [str(text)]:
                return re.search(text, target) is not None
            case "size", []:
                return len(target)
    if isinstance(target, datetime):
        moment = target.astimezone(ZoneInfo(arguments[0] if arguments else "UTC"))
        parts = {
            "getFullYear": moment.year,
            "getMonth": moment.month - 1,  # CEL counts months, days of the month and of the year from 0
            "getDayOfMonth": moment.day - 1,
            "getDate": moment.day,
            "getDayOfYear": moment.timetuple().tm_yday - 1,
            "getDayOfWeek": moment.isoweekday() % 7,  # Sunday is 0
            "getHours": moment.hour,
            "getMinutes": moment.minute,
            "getSeconds": moment.second,
        }
        if name in parts:
            return parts[name]
    raise UnevaluableError(f"{name} is not known here")

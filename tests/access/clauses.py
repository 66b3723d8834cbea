"""Conditions as nested tuples whose truth can be told without reading CEL, and the CEL text of each.

("time", "<", "2026-03-04T05:06:07Z", 0)   with a number of hours that is added to the timestamp
("hours", ">=", 8), ("name", "==" or "startsWith" or "endsWith" or "contains", TEXT), ("type", TEXT), ("service", TEXT)
("matchTag", KEY, VALUE), ("hasTagKey", KEY), ("matchTagId", KEY, VALUE), ("constant", True)
("unseen", TEXT)    a comparison with something that nobody outside can see
("broken", TEXT)    no CEL, or none that IAM takes; whole conditions only
("and", A, B), ("or", A, B), ("not", A)
"""

import operator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

Clause: TypeAlias = tuple[Any, ...]

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
PROJECT = "cloudresourcemanager.googleapis.com/Project"


class Place(NamedTuple):
    """The resource that a permission is checked on."""

    name: str
    """With `some`, the beginning of the name: which resource of that type below it isn't said."""
    type: str
    service: str
    some: bool = False


def truth(clause: Clause, place: Place, moment: datetime, tags: Any) -> bool | None:
    """True, False, or None where it can't be told. `tags` is the project's `Tags`, None if they weren't read.

    Of some resource below a place, it is true or false only if it is so whatever the resource is called. Searches in
    a name that isn't known are beyond what is promised: with one, nothing is told.
    """
    if place.some and any(how in {"endsWith", "contains"} for how, _ in _names_in(clause)):
        return None
    values = {_value(clause, place._replace(name=name), moment, tags) for name in _possible_names(clause, place)}
    return values.pop() if len(values) == 1 else None


def _possible_names(clause: Clause, place: Place) -> set[str]:
    """All names, or, of any number, one for each way in which the clause's texts can tell them apart: a name begins
    with one of the texts, or it is one, or neither."""
    if not place.some:
        return {place.name}
    texts = {text for _, text in _names_in(clause) if text.startswith(place.name)}
    return {place.name + "~", *(text + "~" for text in texts), *(texts - {place.name})}


def _names_in(clause: Clause) -> list[tuple[str, str]]:
    if clause[0] in {"and", "or", "not"}:
        return [found for part in clause[1:] for found in _names_in(part)]
    return [clause[1:]] if clause[0] == "name" else []


def _value(clause: Clause, place: Place, moment: datetime, tags: Any) -> bool | None:
    match clause:
        case ("and", left, right):
            sides = _value(left, place, moment, tags), _value(right, place, moment, tags)
            return False if False in sides else None if None in sides else True
        case ("or", left, right):
            sides = _value(left, place, moment, tags), _value(right, place, moment, tags)
            return True if True in sides else None if None in sides else False
        case ("not", inner):
            value = _value(inner, place, moment, tags)
            return None if value is None else not value
        case ("constant", value):
            return bool(value)
        case ("time", compare, stamp, hours):
            return bool(_COMPARE[compare](moment, datetime.fromisoformat(stamp) + timedelta(hours=hours)))
        case ("hours", compare, hour):
            return bool(_COMPARE[compare](moment.hour, hour))
        case ("name", "==", text):
            return bool(place.name == text)
        case ("name", "startsWith", text):
            return place.name.startswith(text)
        case ("name", "endsWith", text):
            return place.name.endswith(text)
        case ("name", "contains", text):
            return text in place.name
        case ("type", text):
            return bool(place.type == text)
        case ("service", text):
            return bool(place.service == text)
        case ("unseen" | "broken", _):
            return None
    # What is left looks at tags. The project's are read, a dataset's or table's are not.
    if tags is None or place.type != PROJECT:
        return None
    match clause:
        case ("hasTagKey", key):
            return key in tags.names
        case ("matchTag", key, value):
            return bool(tags.names.get(key) == f"{key}/{value}")
        case ("matchTagId", key, value):
            # A source may tell the names of tags and not their IDs.
            return bool(tags.ids.get(key) == value) if tags.ids or not tags.names else None
    raise AssertionError(clause)


def text(clause: Clause) -> str:
    """The condition in CEL, with no more parentheses than it needs."""
    match clause:
        case ("and", left, right):
            return f"{_within(left, 'or')} && {_within(right, 'or', 'and')}"
        case ("or", left, right):
            return f"{text(left)} || {_within(right, 'or')}"
        case ("not", inner):
            return f"!({text(inner)})" if inner[0] not in _CALLS else f"!{text(inner)}"
        case ("constant", value):
            return str(value).lower()
        case ("time", compare, stamp, hours):
            later = f' + duration("{hours}h")' if hours else ""
            return f'request.time {compare} timestamp("{stamp}"){later}'
        case ("hours", compare, hour):
            return f'request.time.getHours("UTC") {compare} {hour}'
        case ("name", "startsWith" | "endsWith" | "contains" as function, literal):
            return f"resource.name.{function}('{literal}')"
        case ("name" | "type" | "service" as attribute, *_, literal):
            return f'resource.{attribute} == "{literal}"'
        case ("unseen" | "broken", literal):
            return str(literal)
        case (function, *arguments):
            return f"resource.{function}({', '.join(map(repr, arguments))})"
    raise AssertionError(clause)


_CALLS = {"matchTag", "hasTagKey", "matchTagId", "constant"}


def _within(clause: Clause, *wrapped: str) -> str:
    return f"({text(clause)})" if clause[0] in wrapped else text(clause)

"""The evaluator's values, and how they compare and turn into one another.

Text, bool, null and numbers (`numbers.py`) are Python's own. Terraform tells collections apart that print alike, and
so do we: `list` is a tuple, `dict` an object; `ListValue`, `SetValue` and `MapValue` are what `tolist()`, `toset()`,
`tomap()` and variables' types make. `Lazy` is a resource's instance or a module: its attributes are worked out one by
one. Anywhere in it a value may be `Unsettled`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from preflight.sources.terraform.hcl.kinds import Type
from preflight.sources.terraform.hcl.numbers import Number, as_plain, is_number, number_text, parse_number
from preflight.sources.terraform.resources import Unsettled, Value


class RefusedError(Exception):
    """What Terraform itself refuses: an index out of range, a wrong argument. `try()` and `can()` catch it."""


class Typed(Unsettled, frozen=True):
    """An unsettled value whose type is known."""

    type: Type | None = None


def plain(value: Unsettled) -> Unsettled:
    """An unsettled value without what is known of its type."""
    return Unsettled(value.why, value.settled_by, value.place, value.sensitive)


class UnsettledError(Exception):
    """A value is unsettled, or a limit was met: what needs it is unsettled too. Nothing in Terraform catches it."""

    def __init__(self, unsettled: Unsettled) -> None:
        super().__init__(unsettled.why)
        self.unsettled = plain(unsettled)
        """Of no known type: what needed the value is another value."""


class ListValue(list[Any]):
    """A list: its elements are of one type."""

    element: Type | None = None
    """Their type, where it is known and they don't tell it."""


class SetValue(list[Any]):
    """A set: settled elements first, in Terraform's order, each once; then the unsettled ones."""

    element: Type | None = None

    @property
    def open(self) -> Unsettled | None:
        """The first unsettled element: with one, nobody knows how many there are."""
        return self[-1] if self and isinstance(self[-1], Unsettled) else None


class MapValue(dict[str, Any]):
    """A map: its elements are of one type."""

    element: Type | None = None


class Lazy:
    """An object whose attributes are found when asked for."""

    __slots__ = ()

    def get(self, name: str) -> object:
        """One attribute's value, perhaps unsettled."""
        raise NotImplementedError

    def all(self) -> "dict[str, object] | Unsettled":
        """All attributes; unsettled where their names aren't known."""
        raise NotImplementedError


def unsettled_in(value: object) -> Unsettled | None:
    """The first unsettled part of a value; None if it is settled throughout."""
    if isinstance(value, Unsettled):
        return value
    if isinstance(value, Lazy):
        value = value.all()
        if isinstance(value, Unsettled):
            return value
    parts: Iterable[object] = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for part in parts:
        if found := unsettled_in(part):
            return found
    return None


def parts_of(value: object, most: int) -> int:
    """How many values are in a value, counted up to `most` and a little more; what is shared counts each time."""
    count = 0
    pending: list[Any] = [value]
    while pending and count <= most:
        part = pending.pop()
        if isinstance(part, dict):
            part = part.values()
        elif not isinstance(part, list):
            continue
        count += len(part)
        pending += [inner for inner in part if isinstance(inner, list | dict)]
    return count


def settled(value: object) -> Any:
    """The value, if it is itself settled (parts of it may not be); else raises `UnsettledError`."""
    if isinstance(value, Unsettled):
        raise UnsettledError(value)
    return value


def worked_out(value: object) -> Any:
    """The value, worked out if it is lazy, and itself settled; else raises `UnsettledError`."""
    return settled(unlazy(value) if isinstance(value, Lazy) else value)


def whole(value: object) -> Any:
    """The value, if it is settled throughout, without anything lazy; else raises `UnsettledError`."""
    if found := unsettled_in(value):
        raise UnsettledError(found)
    return unlazy(value)


def unlazy(value: object) -> Any:
    """The value with its lazy parts worked out."""
    if isinstance(value, Lazy):
        return value.all()
    if isinstance(value, list) and any(isinstance(part, Lazy | list | dict) for part in value):
        return type(value)(unlazy(part) for part in value)
    if isinstance(value, dict) and any(isinstance(part, Lazy | list | dict) for part in value.values()):
        return type(value)((key, unlazy(part)) for key, part in value.items())
    return value


def kind(value: object) -> str:
    """The word for a value's kind, for messages and comparisons: `string`, `number`, `list`, `tuple`, …."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "string"
        case ListValue():
            return "list"
        case SetValue():
            return "set"
        case MapValue():
            return "map"
        case list():
            return "tuple"
        case dict() | Lazy():
            return "object"
    return "number" if is_number(value) else "unsettled"


def to_text(value: object) -> str:
    """A value as text, as Terraform converts it; raises RefusedError (null, collections), UnsettledError."""
    match settled(value):
        case str(text):
            return text
        case bool(truth):
            return "true" if truth else "false"
        case number if is_number(number):
            text_or_none = number_text(number)
            if text_or_none is None:
                raise UnsettledError(Unsettled("a number whose digits Terraform rounds"))
            return text_or_none
    raise RefusedError(f"string required, not {kind(value)}")


def to_number(value: object) -> Number:
    """A value as number; a text must be one written out."""
    given = settled(value)
    if is_number(given):
        return given
    if isinstance(given, str):
        parsed = parse_number(given)
        if parsed is not None:
            return parsed
        if len(given) > 100:
            raise UnsettledError(Unsettled("a number too long to be read exactly"))
    raise RefusedError(f"a number is required, not {kind(value)}")


def to_whole(value: object) -> int:
    """A value as whole number."""
    number = to_number(value)
    if isinstance(number, int):
        return number
    raise RefusedError("a whole number is required")


def to_bool(value: object) -> bool:
    """A value as bool."""
    given = settled(value)
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given in {"true", "1", "false", "0"}:
        return given in {"true", "1"}
    raise RefusedError(f"a bool is required, not {kind(value)}")


def equal(left: object, right: object) -> "bool | Unsettled":
    """Whether two values are equal, in Terraform's sense: of the same type, and alike.

    Unsettled where that hangs on an unsettled part, or on a type that can't be seen (two empty lists may differ in
    their elements' type).
    """
    if isinstance(left, Unsettled):
        return left
    if isinstance(right, Unsettled):
        return right
    if left is None or right is None:
        return left is right
    left, right = unlazy(left), unlazy(right)
    for side in (left, right):
        if isinstance(side, Unsettled):
            return side
    if kind(left) != kind(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        if isinstance(left, SetValue) and (unknown := unsettled_in(left) or unsettled_in(right)):
            return unknown
        if not left and not right and type(left) is not list:
            return Unsettled("whether the elements of two empty collections are of one type")
        return _all_equal(zip(left, right, strict=True)) if len(left) == len(right) else False
    if isinstance(left, dict) and isinstance(right, dict):
        if not left and not right and type(left) is not dict:
            return Unsettled("whether the elements of two empty collections are of one type")
        return _all_equal((left[key], right[key]) for key in left) if left.keys() == right.keys() else False
    if is_number(left) and is_number(right):
        return _numbers_equal(left, right)
    return bool(left == right)


def _numbers_equal(left: Number, right: Number) -> "bool | Unsettled":
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    # Beyond whole numbers and halves, the last of Terraform's 512 bits may tell apart what is equal on paper.
    difference: Any = abs(left - right)
    if difference * 10**100 > 1:
        return False
    if left == right and left.denominator & (left.denominator - 1) == 0:
        return True
    return Unsettled("whether two fractions are equal in Terraform's precision")


def _all_equal(pairs: Iterable[tuple[object, object]]) -> "bool | Unsettled":
    unknown: Unsettled | None = None
    for left, right in pairs:
        same = equal(left, right)
        if same is False:
            return False
        if isinstance(same, Unsettled):
            unknown = unknown or same
    return unknown or True


def identity(value: object) -> object:
    """What two settled values of one type share exactly if they are equal; it can be hashed."""
    value = unlazy(value)
    if isinstance(value, list):
        return (kind(value), *(identity(part) for part in value))
    if isinstance(value, dict):
        return (kind(value), *((key, identity(value[key])) for key in sorted(value)))
    return (kind(value), value)


def as_set(elements: Iterable[object]) -> SetValue:
    """A set of these: texts and numbers in order, bools false first, others in the order given; each once.

    Terraform orders other elements by a hash of theirs: nothing may hang on that, so it is not worked out.
    """
    found: dict[object, Any] = {}
    unknown: list[Unsettled] = []
    for element in elements:
        if open_part := unsettled_in(element):
            unknown.append(open_part)
        else:
            found.setdefault(identity(element), unlazy(element))
    settled_ones = list(found.values())
    if all(isinstance(one, str) for one in settled_ones):
        settled_ones.sort(key=str.encode)  # Go compares bytes
    elif all(isinstance(one, bool) for one in settled_ones) or all(is_number(one) for one in settled_ones):
        settled_ones.sort()
    return SetValue([*settled_ones, *unknown])


def ordered(collection: SetValue) -> bool:
    """Whether a set's order is known: not with unsettled elements, nor with elements other than texts and numbers."""
    return collection.open is None and all(isinstance(one, str | bool) or is_number(one) for one in collection)


def items(value: object) -> Iterator[tuple[object, object]]:
    """A collection's keys and elements, as `for` sees them; RefusedError for anything else.

    Maps come in the order of their keys; a set's keys are its elements. A set whose order isn't known raises
    UnsettledError.
    """
    value = worked_out(value)
    if isinstance(value, SetValue):
        if not ordered(value) and len(value) > 1:
            raise UnsettledError(value.open or Unsettled("the order of a set of objects"))
        return ((element, element) for element in value)
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict):
        return ((key, value[key]) for key in sorted_keys(value))
    raise RefusedError(f"a collection is required, not {kind(value)}")


def sorted_keys(value: dict[str, Any]) -> list[str]:
    """A map's keys in Terraform's order: by their UTF-8 bytes, which is by code points."""
    return sorted(value)


def export(value: object) -> Value:
    """The value as the rest of the project sees it: plain lists and dicts, int and float."""
    match value:
        case Typed():
            return Unsettled(value.why, value.settled_by, value.place, value.sensitive)
        case str() | bool() | None | Unsettled():
            return value
        case Lazy():
            return export(value.all())
        case list():
            return [export(part) for part in value]
        case dict():
            return {key: export(part) for key, part in value.items()}
    return as_plain(value) if is_number(value) else Unsettled("a value of a kind that is not known")

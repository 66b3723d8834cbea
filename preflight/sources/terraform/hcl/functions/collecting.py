"""Functions of lists, maps and objects. Most of them look only at what they need, so that the rest may be unsettled."""

from typing import Any

from preflight.sources.terraform.hcl.functions.registry import MANY, Registry
from preflight.sources.terraform.hcl.kinds import ANY, BOOL, NUMBER, STRING, Type
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.types import alike, common, convert, type_of
from preflight.sources.terraform.hcl.values import (
    ListValue,
    MapValue,
    RefusedError,
    SetValue,
    Typed,
    UnsettledError,
    equal,
    identity,
    items,
    kind,
    settled,
    sorted_keys,
    to_bool,
    to_text,
    to_whole,
    unsettled_in,
    worked_out,
)
from preflight.sources.terraform.resources import Unsettled

COLLECTING = Registry()
_add = COLLECTING.add
_TEXTS = Type("list", STRING)


def as_list(value: object, name: str) -> list[Any]:
    """The elements of a list, tuple or set, in order."""
    plain = settled(value)
    if not isinstance(plain, list):
        raise RefusedError(f"{name}() takes a list, not {kind(plain)}")
    return [element for _, element in items(plain)] if isinstance(plain, SetValue) else plain


def as_dict(value: object, name: str) -> dict[str, Any]:
    """The elements of a map or object."""
    plain = worked_out(value)
    if not isinstance(plain, dict):
        raise RefusedError(f"{name}() takes a map, not {kind(plain)}")
    return plain


@_add("length", 1, returns=NUMBER, partial=True)
def _length(value: object) -> object:
    plain = worked_out(value)
    if isinstance(plain, SetValue) and plain.open:
        raise UnsettledError(plain.open)
    if isinstance(plain, str) and not plain.isascii():
        raise UnsettledError(Unsettled("a text of composed characters"))
    if isinstance(plain, str | list | dict):
        return len(plain)
    raise RefusedError(f"length() takes a text or a collection, not {kind(plain)}")


@_add("keys", 1, returns=Type("list", STRING), partial=True)
def _keys(value: object) -> object:
    mapping = as_dict(value, "keys")
    names = sorted_keys(mapping)
    return ListValue(names) if isinstance(mapping, MapValue) else names


@_add("values", 1, partial=True)
def _values(value: object) -> object:
    mapping = as_dict(value, "values")
    found = [mapping[key] for key in sorted_keys(mapping)]
    return ListValue(found) if isinstance(mapping, MapValue) else found


@_add("lookup", 2, 3, partial=True, nulls=True)
def _lookup(value: object, key: object, *default: object) -> object:
    mapping = as_dict(value, "lookup")
    name = to_text(key)
    if name in mapping:
        return mapping[name]
    if not default:
        raise RefusedError(f'lookup() found no key "{name}"')
    if isinstance(mapping, MapValue) and mapping and default[0] is not None:
        return convert(default[0], common([type_of(one) for one in mapping.values()]) or STRING)
    return default[0]


@_add("element", 2, partial=True)
def _element(value: object, index: object) -> object:
    elements = as_list(value, "element")
    number = to_whole(index)
    if not elements:
        raise RefusedError("element() takes a list that is not empty")
    if number < 0:
        # Up to Terraform 1.10 refused, then counted from the end.
        raise UnsettledError(Unsettled("a negative index, which hangs on Terraform's version"))
    return elements[number % len(elements)]


@_add("index", 2, returns=NUMBER, partial=True)
def _index(value: object, wanted: object) -> object:
    for at, element in enumerate(as_list(value, "index")):
        same = equal(element, wanted)
        if isinstance(same, Unsettled):
            raise UnsettledError(same)
        if same:
            return at
    raise RefusedError("index() did not find the element")


@_add("contains", 2, returns=BOOL, partial=True)
def _contains(value: object, wanted: object) -> object:
    plain = settled(value)
    if not isinstance(plain, list):
        raise RefusedError(f"contains() takes a list, not {kind(plain)}")
    unknown: Unsettled | None = None
    for element in plain:
        same = equal(element, wanted)
        if same is True:
            return True
        if isinstance(same, Unsettled):
            unknown = unknown or same
    if unknown:
        raise UnsettledError(unknown)
    return False


@_add("coalesce", 1, MANY, partial=True, nulls=True)
def _coalesce(*values: object) -> object:
    shared = common([type_of(value) for value in values])
    if shared is None:
        raise RefusedError("the arguments of coalesce() have no type in common")
    for value in values:
        if isinstance(value, Unsettled):
            raise UnsettledError(value)
        if value is not None and value != "":
            return convert(value, shared)
    raise RefusedError("coalesce() found no argument that is neither null nor empty")


@_add("coalescelist", 1, MANY, partial=True)
def _coalescelist(*values: object) -> object:
    for value in values:
        if isinstance(value, Unsettled) or as_list(value, "coalescelist"):
            return settled(value)
    raise RefusedError("coalescelist() found no list with elements")


@_add("concat", 1, MANY, partial=True, scoped=True)
def _concat(scope: Scope, *lists: object) -> object:
    found: list[Any] = []
    for one in lists:
        found += as_list(one, "concat")
        scope.budget.room(len(found))
    if all(isinstance(one, ListValue) for one in lists):
        shared = common([type_of(one) for one in lists])
        if shared is None:
            raise RefusedError("the lists of concat() have no type in common")
        return convert(ListValue(found), shared)
    return found


@_add("flatten", 1, partial=True, scoped=True)
def _flatten(scope: Scope, value: object) -> object:
    found: list[Any] = []
    pending = list(reversed(as_list(value, "flatten")))
    while pending:
        scope.budget.spend(1)
        element = pending.pop()
        if isinstance(element, list):
            pending += reversed(as_list(element, "flatten"))
        elif isinstance(element, Unsettled):
            raise UnsettledError(element)  # it may be a list of any length
        else:
            found.append(element)
            scope.budget.room(1)
    return found


@_add("merge", 0, MANY, partial=True, nulls=True, scoped=True)
def _merge(scope: Scope, *maps: object) -> object:
    found: dict[str, Any] = {}
    given = [one for one in maps if one is not None]
    for one in given:
        found.update(as_dict(one, "merge"))
        scope.budget.room(len(found))
    if given and all(isinstance(one, MapValue) for one in given):
        elements = [found_type.element or ANY for found_type in map(type_of, given)]
        if all(one in (ANY, elements[0]) for one in elements[1:]) or elements[0] == ANY:
            return MapValue(found)
    return found  # maps of different types make an object


@_add("zipmap", 2, partial=True)
def _zipmap(keys: object, values: object) -> object:
    names, elements = as_list(keys, "zipmap"), as_list(values, "zipmap")
    if len(names) != len(elements):
        raise RefusedError("zipmap() takes lists of one length")
    pairs = zip([to_text(name) for name in names], elements, strict=True)
    return MapValue(pairs) if isinstance(values, ListValue) else dict(pairs)


@_add("one", 1, partial=True, nulls=True)
def _one(value: object) -> object:
    plain = settled(value)
    if not isinstance(plain, list):
        raise RefusedError(f"one() takes a list, not {kind(plain)}")
    if isinstance(plain, SetValue) and plain.open:
        raise UnsettledError(plain.open)
    if len(plain) > 1:
        raise RefusedError("one() takes a list of one element at most")
    return plain[0] if plain else None


@_add("reverse", 1, partial=True)
def _reverse(value: object) -> object:
    if isinstance(value, Typed) and value.type and value.type.kind == "list":
        return value
    elements = as_list(value, "reverse")
    return (ListValue if isinstance(value, ListValue | SetValue) else list)(elements[::-1])


@_add("slice", 3, partial=True)
def _slice(value: object, start: object, end: object) -> object:
    elements, low, high = as_list(value, "slice"), to_whole(start), to_whole(end)
    if not 0 <= low <= high <= len(elements):
        raise RefusedError("slice() goes past the ends of its list")
    return (ListValue if isinstance(value, ListValue) else list)(elements[low:high])


@_add("chunklist", 2, partial=True)
def _chunklist(value: object, size: object) -> object:
    elements, length = alike(as_list(value, "chunklist")), to_whole(size)
    if length < 0:
        raise RefusedError("chunklist() takes a size that is not negative")
    if length == 0:
        return ListValue([ListValue(elements)]) if elements else ListValue()
    return ListValue(ListValue(elements[at : at + length]) for at in range(0, len(elements), length))


@_add("distinct", 1, returns=Type("list", ANY))
def _distinct(value: object) -> object:
    found: dict[object, Any] = {}
    for element in alike(as_list(value, "distinct")):
        found.setdefault(identity(element), element)
    return ListValue(found.values())


@_add("matchkeys", 3)
def _matchkeys(values: object, keys: object, wanted: object) -> object:
    elements, names = alike(as_list(values, "matchkeys")), as_list(keys, "matchkeys")
    compared = alike([*names, *as_list(wanted, "matchkeys")])
    names, search = compared[: len(names)], compared[len(names) :]
    if len(elements) != len(names):
        raise RefusedError("matchkeys() takes lists of one length")
    wanted_ones = {identity(one) for one in search}
    pairs = zip(elements, names, strict=True)
    return ListValue(element for element, name in pairs if identity(name) in wanted_ones)


@_add("transpose", 1)
def _transpose(value: object) -> object:
    found: dict[str, list[str]] = {}
    mapping = as_dict(value, "transpose")
    for key in sorted_keys(mapping):
        for name in as_list(mapping[key], "transpose"):
            found.setdefault(to_text(name), []).append(key)
    return MapValue((name, ListValue(found[name])) for name in sorted(found))


@_add("alltrue", 1, returns=BOOL, partial=True)
def _alltrue(value: object) -> object:
    return _decided(as_list_in_any_order(value, "alltrue"), by=False)


@_add("anytrue", 1, returns=BOOL, partial=True)
def _anytrue(value: object) -> object:
    return _decided(as_list_in_any_order(value, "anytrue"), by=True)


def as_list_in_any_order(value: object, name: str) -> list[Any]:
    """The elements of a list or set, where nothing hangs on their order."""
    plain = settled(value)
    if not isinstance(plain, list):
        raise RefusedError(f"{name}() takes a list, not {kind(plain)}")
    return plain


def _decided(elements: list[Any], *, by: bool) -> bool:
    unknown: Unsettled | None = None
    for element in elements:
        if isinstance(element, Unsettled):
            unknown = unknown or element
        elif (element is not None and to_bool(element)) is by:
            return by
    if unknown:
        raise UnsettledError(unknown)
    return not by


@_add("setproduct", 1, MANY, scoped=True)
def _setproduct(scope: Scope, *sets: object) -> object:
    lists = [as_list(one, "setproduct") for one in sets]
    if len(lists) < 2:
        raise RefusedError("setproduct() takes at least two sets")
    size = 1
    for one in lists:
        size *= len(one)
        scope.budget.room(size)
    rows: list[list[Any]] = [[]]
    for one in lists:
        rows = [[*row, element] for row in rows for element in one]
    if all(isinstance(one, SetValue) for one in sets):
        return SetValue(rows)
    return ListValue(rows)


def whole_list(value: object, name: str) -> list[Any]:
    """The elements of a list or set that is settled throughout."""
    if unknown := unsettled_in(value):
        raise UnsettledError(unknown)
    return as_list_in_any_order(value, name)

"""Terraform's types: constraints of variables with `optional()`, conversion to them, and what two types have in common.

The rules are those of "Type Constraints" in Terraform's documentation and of go-cty's `convert`, which it is made of.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from preflight.sources.terraform.hcl.kinds import ANY, BOOL, NUMBER, STRING, Type
from preflight.sources.terraform.hcl.numbers import is_number
from preflight.sources.terraform.hcl.syntax import Call, Expr, Literal, Name, ObjectOf, TupleOf, literal_text
from preflight.sources.terraform.hcl.values import (
    Lazy,
    ListValue,
    MapValue,
    RefusedError,
    SetValue,
    Typed,
    as_set,
    kind,
    plain,
    settled,
    to_bool,
    to_number,
    to_text,
    unlazy,
)
from preflight.sources.terraform.resources import Unsettled

_PRIMITIVE = {"string": STRING, "number": NUMBER, "bool": BOOL, "any": ANY}
_COLLECTIONS = {"list", "set", "map"}
_SCALARS = {"string", "number", "bool"}

Evaluate = Callable[[Expr], object]
C = TypeVar("C", bound=ListValue | SetValue | MapValue)


def parse_type(expr: Expr | None) -> Type:
    """The type that a variable's `type` says; `any` where it says none. Raises RefusedError for what is no type."""
    match expr:
        case None:
            return ANY
        case Name(name=name) if name in _PRIMITIVE:
            return _PRIMITIVE[name]
        case Name(name=name) if name in _COLLECTIONS:
            return Type(name, ANY)
        case Literal(value=str(name)) if name in _PRIMITIVE:
            return _PRIMITIVE[name]
        case Literal(value=str(name)) if name in _COLLECTIONS:
            return Type(name, ANY)
        case Call(name=name, arguments=(element,)) if name in _COLLECTIONS:
            return Type(name, parse_type(element))
        case Call(name="tuple", arguments=(TupleOf(items=items),)):
            return Type("tuple", attributes={str(index): parse_type(item) for index, item in enumerate(items)})
        case Call(name="object", arguments=(ObjectOf(items=pairs),)):
            return _object_type(pairs)
    raise RefusedError("this is no type")


def _object_type(pairs: Sequence[tuple[Expr, Expr]]) -> Type:
    attributes: dict[str, Type] = {}
    optional: dict[str, Expr | None] = {}
    for key, said in pairs:
        name = literal_text(key)
        if name is None:
            raise RefusedError("an attribute's name in a type is a plain name")
        if isinstance(said, Call) and said.name == "optional" and 1 <= len(said.arguments) <= 2:
            attributes[name] = parse_type(said.arguments[0])
            optional[name] = said.arguments[1] if len(said.arguments) == 2 else None
        else:
            attributes[name] = parse_type(said)
    return Type("object", attributes=attributes, optional=optional)


def convert(value: object, to: Type, evaluate: Evaluate | None = None) -> object:
    """The value as `to`: its defaults filled in by `evaluate`, its elements converted.

    Null and the unsettled stay what they are (the latter knows its type afterwards). Raises RefusedError
    where Terraform refuses.
    """
    if isinstance(value, Unsettled):
        return typed(value, to)
    if value is None or to.kind == "any":
        return value
    if to.kind == "string":
        return to_text(value)
    if to.kind == "number":
        return to_number(value)
    if to.kind == "bool":
        return to_bool(value)
    value = settled(unlazy(value))
    if to.kind == "object":
        return _as_object(value, to, evaluate)
    if to.kind == "tuple":
        return _as_tuple(value, to, evaluate)
    element = to.element or ANY
    if to.kind == "map":
        if not isinstance(value, dict):
            raise RefusedError(f"a map is required, not {kind(value)}")
        parts = [convert(part, element, evaluate) for part in value.values()]
        return of_type(MapValue(zip(value, alike(parts), strict=True)), element)
    if not isinstance(value, list):
        raise RefusedError(f"a {to.kind} is required, not {kind(value)}")
    if isinstance(value, SetValue) and to.kind == "list" and value.open:
        return typed(plain(value.open), to)
    known = getattr(value, "element", None)
    if not value and known and element.kind in _SCALARS and common([known, element]) is None:
        raise RefusedError(f"its elements are no {element.kind}s")
    parts = alike([convert(part, element, evaluate) for part in value])
    return of_type(as_set(parts) if to.kind == "set" else ListValue(parts), element)


def of_type(value: C, element: Type) -> C:
    """The collection, which remembers its elements' type if it has none that tell it."""
    if not value and element.kind != "any":
        value.element = element
    return value


def _as_object(value: object, to: Type, evaluate: Evaluate | None) -> dict[str, object]:
    if not isinstance(value, dict):
        raise RefusedError(f"an object is required, not {kind(value)}")
    result: dict[str, object] = {}
    for name, wanted in to.attributes.items():
        given = value.get(name)
        if name not in value and name not in to.optional:
            raise RefusedError(f'attribute "{name}" is required')
        default = to.optional.get(name)
        if given is None and default is not None:
            given = evaluate(default) if evaluate else None
        result[name] = convert(given, wanted, evaluate)
    return result


def _as_tuple(value: object, to: Type, evaluate: Evaluate | None) -> list[object]:
    if not isinstance(value, list) or isinstance(value, SetValue) or len(value) != len(to.attributes):
        raise RefusedError(f"a tuple of {len(to.attributes)} is required")
    return [convert(part, to.attributes[str(index)], evaluate) for index, part in enumerate(value)]


def typed(value: Unsettled, of: Type) -> Unsettled:
    """The unsettled value, of a known type."""
    if of.kind == "any" or (isinstance(value, Typed) and value.type is not None):
        return value
    return Typed(value.why, value.settled_by, value.place, value.sensitive, of)


def type_of(value: object) -> Type:
    """A value's type; `any` for null and for the unsettled of unknown type."""
    if isinstance(value, Typed):
        return value.type or ANY
    if value is None or isinstance(value, Unsettled):
        return ANY
    if isinstance(value, Lazy):
        return ANY
    if isinstance(value, ListValue | SetValue):
        return Type(kind(value), common([type_of(part) for part in value]) or ANY if value else value.element or ANY)
    if isinstance(value, MapValue):
        found = common([type_of(part) for part in value.values()]) if value else value.element
        return Type("map", found or ANY)
    if isinstance(value, list):
        return Type("tuple", attributes={str(index): type_of(part) for index, part in enumerate(value)})
    if isinstance(value, dict):
        return Type("object", attributes={name: type_of(part) for name, part in value.items()})
    if isinstance(value, bool):
        return BOOL
    return NUMBER if is_number(value) else STRING


def common(types: Sequence[Type]) -> Type | None:
    """The type that values of all these types can be converted to, as cty's `UnifyUnsafe` finds it, or None.

    `any` among them is left out: a null fits everywhere, an unsettled value may.
    """
    types = [one for one in types if one.kind != "any"]
    if not types:
        return ANY
    first = types[0]
    kinds = {one.kind for one in types}
    if kinds <= _SCALARS:
        return first if len(kinds) == 1 else (STRING if "string" in kinds else None)
    if kinds == {"object"}:
        return _common_object(types)
    if kinds == {"tuple"}:
        return _common_tuple(types)
    if kinds <= {"object", "map"}:
        return _of("map", [part for one in types for part in _parts(one)])
    if kinds <= {"tuple", "list"}:
        return _of("list", [part for one in types for part in _parts(one)])
    if kinds <= {"tuple", "list", "set"}:
        return _of("set", [part for one in types for part in _parts(one)])
    return None


def _parts(one: Type) -> list[Type]:
    return [one.element] if one.element else list(one.attributes.values())


def _of(collection: str, parts: Sequence[Type]) -> Type | None:
    element = common(parts)
    return Type(collection, element) if element else None


def _common_object(types: Sequence[Type]) -> Type | None:
    names = types[0].attributes.keys()
    if any(one.attributes.keys() != names for one in types):
        return _of("map", [part for one in types for part in _parts(one)])
    attributes = {name: common([one.attributes[name] for one in types]) for name in names}
    if all(attributes.values()):
        return Type("object", attributes={name: one for name, one in attributes.items() if one})
    return _of("map", [part for one in types for part in _parts(one)])


def _common_tuple(types: Sequence[Type]) -> Type | None:
    length = len(types[0].attributes)
    if any(len(one.attributes) != length for one in types):
        return _of("list", [part for one in types for part in _parts(one)])
    found = {str(index): common([one.attributes[str(index)] for one in types]) for index in range(length)}
    if all(found.values()):
        return Type("tuple", attributes={name: one for name, one in found.items() if one})
    return _of("list", [part for one in types for part in _parts(one)])


def alike(values: list[Any]) -> list[Any]:
    """The values, converted to the type that they have in common. Raises RefusedError if there is none."""
    if len(values) < 2 or all(isinstance(one, str) for one in values):
        return values
    shared = common([type_of(one) for one in values])
    if shared is None:
        raise RefusedError("all elements must be of one type")
    return [convert(one, shared) for one in values]

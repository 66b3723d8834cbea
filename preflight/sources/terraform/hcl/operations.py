"""What operators and steps do with values that are there: no expression is evaluated here."""

from collections.abc import Callable
from typing import Any, TypeVar

from preflight.sources.terraform.hcl.kinds import ANY, BOOL, NUMBER, STRING, Type
from preflight.sources.terraform.hcl.numbers import Number, is_exact, simplest
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.syntax import Attr, Binary, Call, Expr, Index, Name, Node, Template
from preflight.sources.terraform.hcl.types import typed
from preflight.sources.terraform.hcl.values import Lazy, RefusedError, Typed, UnsettledError, kind
from preflight.sources.terraform.resources import Unsettled

T = TypeVar("T")


def element(of: object, name: str) -> object:
    """An attribute of an object, or a map's element. Raises RefusedError if there is none, UnsettledError."""
    if isinstance(of, Lazy):
        return of.get(name)
    if isinstance(of, dict):
        if name in of:
            return of[name]
        raise RefusedError(f'there is no attribute or key "{name}"')
    if isinstance(of, Unsettled):
        raise UnsettledError(part_of(of, name))
    raise RefusedError(f'{kind(of)} has no attribute "{name}"')


def part_of(of: Unsettled, key: object) -> Unsettled:
    """An element of an unsettled value; of its type, as far as that is known."""
    known = of.type if isinstance(of, Typed) else None
    of = Unsettled(of.why, of.settled_by, of.place, of.sensitive)
    if known and known.element:
        return typed(of, known.element)
    return typed(of, known.attributes.get(str(key), ANY)) if known else of


def calculated(operator: str, one: Any, other: Any) -> Number:
    """The result of an arithmetic operator. Raises UnsettledError for a division by zero."""
    if operator in {"/", "%"} and other == 0:
        raise UnsettledError(Unsettled("a division by zero"))  # infinity, or the dividend: no value to go by
    match operator:
        case "+":
            result = one + other
        case "-":
            result = one - other
        case "*":
            result = one * other
        case "/":
            from fractions import Fraction  # few configurations divide

            result = simplest(Fraction(one) / other)
        case _:
            # The sign is the dividend's, where Python's is the divisor's.
            rest = abs(one) % abs(other)
            result = simplest(-rest if one < 0 else rest)
    if result == 0 and (one < 0 or other < 0) and operator in "*/%":
        raise UnsettledError(Unsettled("zero, which Terraform may write -0"))
    if not is_exact(result):
        raise UnsettledError(Typed("a number with more digits than Terraform keeps", type=NUMBER))
    return simplest(result)


def located(value: T, expr: Node, scope: Scope) -> T | Unsettled:
    """An unsettled value is told with the first place that met it."""
    if isinstance(value, Unsettled) and value.place is None:
        known = value.type if isinstance(value, Typed) else ANY
        place = scope.source.place(expr.at)
        return typed(Unsettled(value.why, value.settled_by, place, value.sensitive), known or ANY)
    return value


def type_all_the_same(expr: Expr) -> Type | None:
    """The type that Terraform sees in an expression which it refuses: it hangs on how far it got. None: not known."""
    match expr:
        case Template(wrapped=False):
            return STRING
        case Binary(operator=operator):
            return NUMBER if operator in ARITHMETIC else BOOL
        case Call() | Name():
            return ANY
        case Attr(of=of) | Index(of=of):
            return type_all_the_same(of) and ANY
    return None


ARITHMETIC = frozenset("+-*/%")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}

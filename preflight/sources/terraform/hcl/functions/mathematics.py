"""Functions of numbers, and those that change a value's type."""

from typing import Any

from preflight.sources.terraform.hcl.functions.registry import MANY, Registry
from preflight.sources.terraform.hcl.kinds import ANY, BOOL, NUMBER, STRING, Type
from preflight.sources.terraform.hcl.numbers import Number, is_exact, simplest
from preflight.sources.terraform.hcl.operations import calculated
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.types import convert
from preflight.sources.terraform.hcl.values import (
    ListValue,
    RefusedError,
    UnsettledError,
    settled,
    to_number,
    to_text,
    to_whole,
    unsettled_in,
)
from preflight.sources.terraform.resources import Unsettled

MATHEMATICS = Registry()
_add = MATHEMATICS.add


@_add("abs", 1, returns=NUMBER)
def _abs(number: object) -> object:
    return abs(to_number(number))


@_add("ceil", 1, returns=NUMBER)
def _ceil(number: object) -> object:
    value = to_number(number)
    return calculated("*", -value // 1, -1)


@_add("floor", 1, returns=NUMBER)
def _floor(number: object) -> object:
    return to_number(number) // 1


@_add("max", 1, MANY, returns=NUMBER)
def _max(*numbers: object) -> object:
    return max(to_number(number) for number in numbers)


@_add("min", 1, MANY, returns=NUMBER)
def _min(*numbers: object) -> object:
    return min(to_number(number) for number in numbers)


@_add("signum", 1, returns=NUMBER)
def _signum(number: object) -> object:
    value = to_whole(number)
    return (value > 0) - (value < 0)


@_add("pow", 2, returns=NUMBER)
def _pow(base: object, exponent: object) -> object:
    one, power = to_number(base), to_number(exponent)
    # Terraform computes in 64-bit floats here: whole numbers below 2**53 come out the same.
    if not isinstance(one, int) or not isinstance(power, int) or not 0 <= power <= 64 or abs(one) > 1 << 53:
        raise UnsettledError(Unsettled("a power that Terraform rounds"))
    result = one**power
    if abs(result) >= 1 << 53:
        raise UnsettledError(Unsettled("a power that Terraform rounds"))
    return result


@_add("parseint", 2, returns=NUMBER)
def _parseint(text: object, base: object) -> object:
    digits, radix = to_text(text), to_whole(base)
    if not 2 <= radix <= 36 or len(digits) > 200:
        raise UnsettledError(Unsettled("a base or length that is not read here"))
    if "_" in digits or digits != digits.strip():
        raise RefusedError("this is no number in that base")
    try:
        return int(digits, radix)
    except ValueError:
        raise RefusedError("this is no number in that base") from None


@_add("sum", 1, returns=NUMBER)
def _sum(numbers: object) -> object:
    if not isinstance(numbers, list) or not numbers:
        raise RefusedError("sum() takes a list of at least one number")
    total: Number = 0
    for number in numbers:
        total = simplest(total + to_number(number))
    if not is_exact(total):
        raise UnsettledError(Unsettled("a number with more digits than Terraform keeps"))
    return total


def _range_step(start: Number, limit: Number) -> Number:
    return 1 if limit >= start else -1


@_add("range", 1, 3, scoped=True)
def _range(scope: Scope, *bounds: object) -> object:
    numbers = [to_number(bound) for bound in bounds]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else _range_step(start, limit)
    if step == 0 or (limit - start) * step < 0:
        if limit == start:
            return ListValue()
        raise RefusedError("range() never gets there with this step")
    count = -((start - limit) // step)
    if count > 1024:
        raise RefusedError("range() makes 1024 elements at most")
    scope.budget.room(int(count))
    return ListValue(simplest(start + step * index) for index in range(int(count)))


def _to(type_: Type) -> Any:
    def run(value: object) -> object:
        return convert(settled(value), type_) if value is not None else None

    return run


for _name, _type in {
    "tostring": STRING,
    "tonumber": NUMBER,
    "tobool": BOOL,
    "tolist": Type("list", ANY),
    "toset": Type("set", ANY),
    "tomap": Type("map", ANY),
}.items():
    _add(_name, 1, returns=_type, partial=True, nulls=True)(_to(_type))


@_add("sensitive", 1, partial=True, nulls=True)
def _sensitive(value: object) -> object:
    raise UnsettledError(Unsettled("it is marked as sensitive", "a plan", sensitive=True))


@_add("nonsensitive", 1, partial=True, nulls=True)
@_add("ephemeralasnull", 1, partial=True, nulls=True)
def _nonsensitive(value: object) -> object:
    return value


@_add("issensitive", 1, returns=BOOL, partial=True, nulls=True)
def _issensitive(value: object) -> object:
    if unknown := unsettled_in(value):
        raise UnsettledError(unknown)
    return False

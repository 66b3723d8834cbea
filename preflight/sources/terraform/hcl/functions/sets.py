"""Functions of sets."""

from typing import Any

from preflight.sources.terraform.hcl.functions.collecting import whole_list
from preflight.sources.terraform.hcl.functions.registry import MANY, Registry
from preflight.sources.terraform.hcl.types import alike
from preflight.sources.terraform.hcl.values import as_set, identity

SETS = Registry()
_add = SETS.add


def _alike(values: tuple[object, ...], name: str) -> list[list[Any]]:
    """The sets' elements, all converted to one type, as Terraform does before it compares them."""
    lists = [whole_list(value, name) for value in values]
    together = iter(alike([element for one in lists for element in one]))
    return [[next(together) for _ in one] for one in lists]


def _identities(elements: list[Any]) -> set[object]:
    return {identity(element) for element in elements}


@_add("setunion", 1, MANY)
def _setunion(*values: object) -> object:
    return as_set(element for one in _alike(values, "setunion") for element in one)


@_add("setintersection", 1, MANY)
def _setintersection(*values: object) -> object:
    first, *others = _alike(values, "setintersection")
    kept = [_identities(other) for other in others]
    return as_set(element for element in first if all(identity(element) in other for other in kept))


@_add("setsubtract", 2)
def _setsubtract(left: object, right: object) -> object:
    first, other = _alike((left, right), "setsubtract")
    gone = _identities(other)
    return as_set(element for element in first if identity(element) not in gone)


@_add("setsymmetricdifference", 1, MANY)
def _setsymmetricdifference(*values: object) -> object:
    result, *others = _alike(values, "setsymmetricdifference")
    for other in others:
        here, there = _identities(result), _identities(other)
        result = [one for one in result if identity(one) not in there]
        result += [one for one in other if identity(one) not in here]
    return as_set(result)

"""Functions of sets."""

from collections.abc import Callable
from typing import Any

from preflight.sources.terraform.hcl.functions.collecting import whole_list
from preflight.sources.terraform.hcl.functions.registry import MANY, Registry
from preflight.sources.terraform.hcl.kinds import ANY, Type
from preflight.sources.terraform.hcl.types import alike, common, of_type, type_of, typed
from preflight.sources.terraform.hcl.values import as_set, identity, plain, unsettled_in

SETS = Registry()
Elements = list[Any]


def _add(name: str, least: int, most: int = 0) -> Callable[[Callable[..., Elements]], None]:
    """Registers a function of lists that are settled, of one type and to be made a set of."""

    def decorate(run: Callable[..., Elements]) -> None:
        def of_values(*values: object) -> object:
            """The set; unsettled, but of a known type, if an element is."""
            shared = common([type_of(value) for value in values])
            element = (shared.element if shared else None) or ANY
            if unknown := next(filter(None, map(unsettled_in, values)), None):
                return typed(plain(unknown), Type("set", element))
            lists = [whole_list(value, name) for value in values]
            together = iter(alike([one for elements in lists for one in elements]))
            return of_type(as_set(run(*([next(together) for _ in elements] for elements in lists))), element)

        SETS.add(name, least, most, partial=True)(of_values)

    return decorate


def _identities(elements: Elements) -> set[object]:
    return {identity(element) for element in elements}


@_add("setunion", 1, MANY)
def _setunion(*sets: Elements) -> Elements:
    return [element for one in sets for element in one]


@_add("setintersection", 1, MANY)
def _setintersection(first: Elements, *others: Elements) -> Elements:
    kept = [_identities(other) for other in others]
    return [element for element in first if all(identity(element) in other for other in kept)]


@_add("setsubtract", 2)
def _setsubtract(first: Elements, other: Elements) -> Elements:
    gone = _identities(other)
    return [element for element in first if identity(element) not in gone]

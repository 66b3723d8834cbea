"""A resource's values in a plan, with what is not known yet and what is secret laid over them as Unsettled.

`after` leaves unknown values out and `after_unknown` is a tree of `true` over it; `after_sensitive` is another such
tree (Terraform's "JSON Output Format", "Change Representation"). Lists and maps are laid over position by position.
"""

from collections.abc import Iterator
from typing import Any

from preflight.sources.terraform.resources import Unsettled, Value


def laid_over(value: Any, unknown: Any, sensitive: Any, name: str) -> Value:
    """The value with the two trees over it. Where a tree contradicts the value, it is unsettled.

    `name` says what it is: `google_project.main.number`.
    """
    if sensitive is True:
        return Unsettled(f"{name} is marked as sensitive", sensitive=True)
    if unknown is True:
        return Unsettled(f"{name} is known after apply")
    if isinstance(value, dict) or _says(unknown, dict) or _says(sensitive, dict):
        return _mapped(value, unknown, sensitive, name)
    if isinstance(value, list) or _says(unknown, list) or _says(sensitive, list):
        return _listed(value, unknown, sensitive, name)
    plain: Value = value
    return plain


def _says(tree: Any, kind: type[Any]) -> bool:
    """Whether a tree of this kind says anything at all; an empty or all-false one doesn't."""
    return isinstance(tree, kind) and _marks(tree)


def _marks(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(_marks(part) for part in tree.values())
    if isinstance(tree, list):
        return any(_marks(part) for part in tree)
    return tree is True


def _mapped(value: Any, unknown: Any, sensitive: Any, name: str) -> Value:
    values, unknowns, secrets = _dict(value), _dict(unknown), _dict(sensitive)
    if values is None or unknowns is None or secrets is None:
        return Unsettled(f"{name} contradicts itself in the plan")
    # A key of a tree alone matters only if it marks something: `labels: {}` says nothing.
    keys = [*values, *(key for tree in (unknowns, secrets) for key in tree if key not in values and _marks(tree[key]))]
    return {
        key: laid_over(values.get(key), unknowns.get(key), secrets.get(key), f"{name}.{key}")
        for key in dict.fromkeys(keys)
    }


def _listed(value: Any, unknown: Any, sensitive: Any, name: str) -> Value:
    values, unknowns, secrets = _list(value), _list(unknown), _list(sensitive)
    if values is None or unknowns is None or secrets is None:
        return Unsettled(f"{name} contradicts itself in the plan")
    marked = max(_last_mark(unknowns), _last_mark(secrets))
    return [
        laid_over(_at(values, place), _at(unknowns, place), _at(secrets, place), f"{name}[{place}]")
        for place in range(max(len(values), marked))
    ]


def _last_mark(tree: list[Any]) -> int:
    """How far a tree marks something: beyond the values' end there are elements that are not shown."""
    return max((place + 1 for place, part in enumerate(tree) if _marks(part)), default=0)


def _dict(found: Any) -> dict[str, Any] | None:
    """As a map; nothing at all is an empty one, and what isn't a map is None."""
    if isinstance(found, dict):
        return found
    return {} if found is None or found is False else None


def _list(found: Any) -> list[Any] | None:
    if isinstance(found, list):
        return found
    return [] if found is None or found is False else None


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


_SHORTEST = 4
"""Shorter secrets are looked for as whole values only: they are in too many texts by chance."""


def marked(value: Any, sensitive: Any) -> set[str]:
    """The texts that a tree marks as sensitive."""
    if sensitive is True:
        return set(_texts_in(value))
    found: set[str] = set()
    if isinstance(sensitive, dict) and isinstance(value, dict):
        for key, tree in sensitive.items():
            found |= marked(value.get(key), tree)
    elif isinstance(sensitive, list) and isinstance(value, list):
        for place, tree in enumerate(sensitive):
            found |= marked(_at(value, place), tree)
    return found


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts_in(inner)


def without(value: Value, secrets: set[str], name: str) -> Value:
    """The value without what holds a secret: providers copy marked arguments into attributes that aren't marked."""
    if isinstance(value, str):
        if value in secrets or any(len(one) >= _SHORTEST and one in value for one in secrets):
            return Unsettled(f"{name} holds what is marked as sensitive", sensitive=True)
        return value
    if isinstance(value, dict):
        return {key: without(inner, secrets, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [without(inner, secrets, f"{name}[{place}]") for place, inner in enumerate(value)]
    return value

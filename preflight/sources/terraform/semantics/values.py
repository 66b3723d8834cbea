"""Arguments of resources, read by what they should be; whatever isn't that is Unsettled, never a default."""

from collections.abc import Iterable

from preflight.facts.policy import Condition
from preflight.sources.terraform.resources import Unsettled, Value

Values = dict[str, Value]


def text(values: Values, key: str) -> str | Unsettled | None:
    """A string; numbers are taken as Terraform would write them. None: it isn't given, or empty."""
    value = values.get(key)
    if isinstance(value, Unsettled) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, str):
        return value or None
    return Unsettled(f"{key} is no text")


def truth(values: Values, key: str) -> bool | Unsettled | None:
    """A Boolean, also one that is written as a string."""
    found = text(values, key)
    if found is None or isinstance(found, Unsettled):
        return found
    if found.casefold() in {"true", "false"}:
        return found.casefold() == "true"
    return Unsettled(f"{key} is neither true nor false")


def number(values: Values, key: str) -> int | Unsettled | None:
    """A whole number, also one that is written as a string."""
    found = text(values, key)
    if found is None or isinstance(found, Unsettled):
        return found
    return int(found) if found.lstrip("-").isdecimal() else Unsettled(f"{key} is no whole number")


def texts(values: Values, key: str) -> list[str | Unsettled] | Unsettled:
    """A list of strings, of which some may be unsettled."""
    value = values.get(key)
    if value is None:
        return []
    if isinstance(value, Unsettled):
        return value
    if not isinstance(value, list):
        return Unsettled(f"{key} is no list")
    return [one if isinstance(one, str | Unsettled) else Unsettled(f"{key} holds what is no text") for one in value]


def blocks(values: Values, key: str) -> list[Values | Unsettled] | Unsettled:
    """Nested blocks: a list of them, or a single one."""
    value = values.get(key)
    if value is None:
        return []
    if isinstance(value, Unsettled):
        return value
    found = value if isinstance(value, list) else [value]
    return [one if isinstance(one, dict | Unsettled) else Unsettled(f"{key} holds what is no block") for one in found]


def block(values: Values, key: str) -> Values | Unsettled | None:
    """A nested block of which there is at most one."""
    found = blocks(values, key)
    if isinstance(found, Unsettled):
        return found
    return found[0] if found else None


def condition(values: Values, key: str = "condition") -> Condition | Unsettled | None:
    """A condition of IAM, as a nested block."""
    found = block(values, key)
    if found is None or isinstance(found, Unsettled):
        return found
    expression, title = text(found, "expression"), text(found, "title")
    if isinstance(expression, Unsettled):
        return expression
    return Condition(expression or "", title if isinstance(title, str) else "")


def first_unsettled(found: Iterable[object]) -> Unsettled | None:
    """The first of these that is not settled."""
    return next((one for one in found if isinstance(one, Unsettled)), None)

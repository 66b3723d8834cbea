"""`format()`: the verbs of Go's fmt, as go-cty's stdlib gives them to Terraform."""

import re
from typing import Any

from preflight.sources.terraform.hcl.numbers import Number, is_number, number_text
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.values import (
    RefusedError,
    UnsettledError,
    kind,
    to_bool,
    to_number,
    to_text,
    whole,
)
from preflight.sources.terraform.resources import Unsettled

_VERB = re.compile(r"%([-+ 0#]*)(\d*)(?:\.(\d+))?(?:\[(\d+)\])?(.)", re.DOTALL)
_WIDEST = 10_000


def format_text(template: str, arguments: list[object], scope: Scope) -> str:
    """The template with its verbs filled in. Raises RefusedError, and UnsettledError for other verbs."""
    used = 0
    next_one = 0
    parts: list[str] = []
    at = 0
    while (start := template.find("%", at)) >= 0:
        parts.append(template[at:start])
        found = _VERB.match(template, start)
        if found is None:
            raise RefusedError("format() has an incomplete verb")
        at = found.end()
        if found[5] == "%":
            parts.append("%")
            continue
        index = int(found[4]) - 1 if found[4] else next_one
        if not 0 <= index < len(arguments):
            raise RefusedError("format() has more verbs than arguments")
        next_one = index + 1
        used = max(used, next_one)
        parts.append(_formatted(found, arguments[index], scope))
    if used < len(arguments):
        raise RefusedError("format() has more arguments than verbs")
    return "".join([*parts, template[at:]])


def _formatted(found: re.Match[str], argument: object, scope: Scope) -> str:
    flags, verb = found[1], found[5]
    width = int(found[2] or 0) if len(found[2]) < 6 else _WIDEST + 1
    places = int(found[3]) if found[3] and len(found[3]) < 6 else (_WIDEST + 1 if found[3] else None)
    if width > _WIDEST or (places or 0) > _WIDEST:
        raise UnsettledError(Unsettled("a width past the limit here"))
    value = whole(argument)
    if value is None:
        raise UnsettledError(Unsettled("null as an argument of format(), which Terraform never settles"))
    if verb == "v":
        text = _as_is(value, scope, plain="#" not in flags)
    elif verb == "s":
        text = to_text(value)[:places]
    elif verb == "q":
        text = _quoted(to_text(value))
    elif verb == "t":
        text = "true" if to_bool(value) else "false"
    elif verb in "dxXobf":
        return _number(to_number(value), verb, flags, width, places)
    else:
        raise UnsettledError(Unsettled(f"the verb %{verb} of format() is not known here", "a plan"))
    if "-" in flags:
        return text.ljust(width)
    return text.rjust(width, "0" if "0" in flags else " ")


def _as_is(value: object, scope: Scope, *, plain: bool) -> str:
    from preflight.sources.terraform.hcl.functions.encoding import as_json

    if plain and isinstance(value, str):
        return value
    if plain and is_number(value):
        return general(value)
    return scope.budget.text(as_json(value))


def general(number: Number) -> str:
    """A number in Go's shortest `%g`: its big floats have an exponent from 1e6 on."""
    text = number_text(number)
    if text is None:
        raise UnsettledError(Unsettled("a number whose digits Terraform rounds"))
    sign = "-" if text.startswith("-") else ""
    before, _, after = text.lstrip("-").partition(".")
    digits = (before + after).lstrip("0").rstrip("0")
    exponent = len(before) - 1 if before != "0" else -1 - (len(after) - len(after.lstrip("0")))
    if not digits or -4 <= exponent < 6:
        return text
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{exponent:+03d}"


def _number(number: Number, verb: str, flags: str, width: int, places: int | None) -> str:
    if verb == "f":
        digits = _fixed(abs(number), 6 if places is None else places)
    elif not isinstance(number, int):
        raise RefusedError(f"a whole number is required for %{verb}")
    else:
        digits = format(abs(number), verb)
    sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if "-" in flags:
        return (sign + digits).ljust(width)
    if "0" in flags:
        return sign + digits.rjust(width - len(sign), "0")
    return (sign + digits).rjust(width)


def _fixed(number: Any, places: int) -> str:
    if places > 200:
        raise UnsettledError(Unsettled("more places than the limit here"))
    scaled = number * 10**places
    cut, rest = divmod(scaled, 1)
    half = rest * 2 - 1
    if half == 0 and number.denominator & (number.denominator - 1):
        raise UnsettledError(Unsettled("a number half way between two, which Terraform rounds"))
    up = half > 0 or (half == 0 and cut % 2 == 1)  # a half that binary digits hold goes to the even neighbour
    digits = str(int(cut) + up).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def _quoted(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise UnsettledError(Unsettled(f"a {kind(text)} whose letters Go escapes in its own way"))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

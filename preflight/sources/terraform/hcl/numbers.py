"""Terraform's numbers: whole ones as `int`, others as exact fractions.

Terraform counts with 512 bits, so that 0.1 + 0.2 is 0.3 and 1 / 3 * 3 is 1: floats would invent digits, fractions
don't. `Fraction` is imported when the first one is met.
"""

import re
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from fractions import Fraction

Number: TypeAlias = "int | Fraction"

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+(?:[eE][+-]?\d+)?")
_MOST_DIGITS = 400
"""Past it, 512 bits don't hold a number exactly, and Python takes its time."""
_EXACT = 1 << 511


def is_number(value: object) -> TypeGuard["int | Fraction"]:
    """Whether a value is one of our numbers; a bool is not."""
    return (isinstance(value, int) and not isinstance(value, bool)) or type(value).__name__ == "Fraction"


def parse_number(text: str) -> "Number | None":
    """The number that a text writes out; None if it is none, or one too long to be exact."""
    if len(text) > _MOST_DIGITS:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    if not _NUMBER.fullmatch(text):
        return None
    _, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > _MOST_DIGITS:
        return None
    from fractions import Fraction  # most configurations hold whole numbers alone

    return simplest(Fraction(text))


def simplest(value: "Number | float") -> "Number":
    """The number as `int` where it is whole."""
    if isinstance(value, float):
        from fractions import Fraction

        value = Fraction(repr(value))
    return value if isinstance(value, int) or value.denominator != 1 else int(value)


def as_plain(value: "Number") -> int | float:
    """The number as JSON would carry it."""
    return value if isinstance(value, int) else float(value)


def is_exact(value: "Number") -> bool:
    """Whether Terraform's 512 bits hold the number as we do."""
    if isinstance(value, int):
        return -_EXACT < value < _EXACT
    return -_EXACT < value.numerator < _EXACT and value.denominator < _EXACT


def number_text(value: "Number") -> str | None:
    """The number in decimal digits; None where they never end, and where 512 bits round it is Terraform's affair."""
    if isinstance(value, int):
        return str(value) if is_exact(value) else None
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    places = max(twos, fives)
    if rest != 1 or places > 100:
        return None
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"

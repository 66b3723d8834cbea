"""Members that resemble the vendor's principal and are not it: misspelt, deleted, of another project."""

from collections import Counter
from functools import lru_cache

from msgspec import Struct

from preflight.access.members import email_of, kind_of
from preflight.facts.seen import Evidence


class Lookalike(Struct, frozen=True):
    """A member that resembles the principal and isn't it."""

    member: str
    how: str
    evidence: Evidence
    resource: str = ""
    """Where it is granted something."""
    role: str = ""
    conditional: bool = False


@lru_cache(maxsize=65536)
def likeness(member: str, principal: str) -> str | None:
    """How a member that is not the principal resembles it, in words; None if it doesn't."""
    own_kind, ours, own_name = _own(principal)
    deleted = member.startswith("deleted:")
    kind, _, email = member.removeprefix("deleted:").partition("?")[0].partition(":")
    name, at, _ = email.partition("@")
    if not at or kind not in {"user", "serviceAccount", "group"}:
        return None
    email = email.casefold()  # e-mails compare without case
    if deleted:
        return _DELETED if email == ours else None
    if email == ours:
        return None if kind == own_kind else f"written as {kind}: instead of {own_kind}:"
    if kind == own_kind and name.casefold() == own_name:
        return "an account of the same name elsewhere"
    return "a name that is nearly the same: misspelt?" if _nearly_the_same(email, ours) else None


@lru_cache(maxsize=16)
def _own(principal: str) -> tuple[str, str, str]:
    """The principal's kind, its e-mail, and the name in that, without case."""
    email = email_of(principal).casefold()
    return kind_of(principal), email, email.partition("@")[0]


def _nearly_the_same(one: str, other: str) -> bool:
    least = _MISSPELT * (len(one) + len(other)) / 2
    # None of these bounds is below what is compared in the end; they spare nearly all names that.
    if min(len(one), len(other)) < least or len(_different(other).difference(one)) > len(other) - least:
        return False
    end = len(_DOMAIN) if one.endswith(_DOMAIN) and other.endswith(_DOMAIN) else 0
    if end + _common(one[: len(one) - end], other[: len(other) - end]) < least:
        return False
    from difflib import SequenceMatcher  # a few milliseconds, and only where names are compared

    return SequenceMatcher(None, one, other).ratio() >= _MISSPELT


def _common(one: str, other: str) -> int:
    """How many letters both have, in whatever order."""
    count = one.count
    return sum([min(count(letter), times) for letter, times in _letters(other)])


@lru_cache(maxsize=16)
def _different(text: str) -> frozenset[str]:
    """Its letters: each that another text lacks is one that isn't common."""
    return frozenset(text)


@lru_cache(maxsize=16)
def _letters(text: str) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(text).items())


_DOMAIN = ".iam.gserviceaccount.com"
_MISSPELT = 0.93
"""Of about 45 letters at most three differ."""
_DELETED = "a deleted account of the same name: it grants nothing to a new one"

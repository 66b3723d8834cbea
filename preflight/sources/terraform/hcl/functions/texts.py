"""Functions of texts."""

import re
from typing import Any

from preflight.sources.terraform.hcl.functions.formats import format_text
from preflight.sources.terraform.hcl.functions.patterns import matches, replaced
from preflight.sources.terraform.hcl.functions.registry import MANY, Registry
from preflight.sources.terraform.hcl.kinds import BOOL, STRING, Type
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.types import convert
from preflight.sources.terraform.hcl.values import (
    ListValue,
    RefusedError,
    UnsettledError,
    items,
    to_text,
    to_whole,
)
from preflight.sources.terraform.resources import Unsettled

TEXTS = Registry()
_add = TEXTS.add
_TEXTS = Type("list", STRING)


def _texts(value: object) -> list[Any]:
    """The texts of a list, perhaps with nulls."""
    found: Any = convert(value, _TEXTS)
    return list(found)


@_add("upper", 1, returns=STRING)
def _upper(text: object) -> object:
    return _simple(to_text(text)).upper()


@_add("lower", 1, returns=STRING)
def _lower(text: object) -> object:
    return _simple(to_text(text)).lower()


def _simple(text: str) -> str:
    """A text whose letters change case one by one; Python and Go differ over others (ß)."""
    if not text.isascii() and len(text.upper()) != len(text):
        raise UnsettledError(Unsettled("letters that change case as no single letter"))
    return text


@_add("title", 1, returns=STRING)
def _title(text: object) -> object:
    whole = to_text(text)
    if not whole.isascii():
        raise UnsettledError(Unsettled("a title of letters that Go capitalises in its own way"))
    return re.sub(r"(?<!\w)[a-z]", lambda found: found[0].upper(), whole)


@_add("trimspace", 1, returns=STRING)
def _trimspace(text: object) -> object:
    return to_text(text).strip("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + _SPACES)


_SPACES = "".join(map(chr, range(0x2000, 0x200B)))


@_add("trim", 2, returns=STRING)
def _trim(text: object, cut: object) -> object:
    return to_text(text).strip(to_text(cut)) if to_text(cut) else to_text(text)


@_add("trimprefix", 2, returns=STRING)
def _trimprefix(text: object, prefix: object) -> object:
    return to_text(text).removeprefix(to_text(prefix))


@_add("trimsuffix", 2, returns=STRING)
def _trimsuffix(text: object, suffix: object) -> object:
    return to_text(text).removesuffix(to_text(suffix))


@_add("chomp", 1, returns=STRING)
def _chomp(text: object) -> object:
    return to_text(text).rstrip("\r\n")


@_add("startswith", 2, returns=BOOL)
def _startswith(text: object, prefix: object) -> object:
    return to_text(text).startswith(to_text(prefix))


@_add("endswith", 2, returns=BOOL)
def _endswith(text: object, suffix: object) -> object:
    return to_text(text).endswith(to_text(suffix))


@_add("strcontains", 2, returns=BOOL)
def _strcontains(text: object, part: object) -> object:
    return to_text(part) in to_text(text)


@_add("join", 2, MANY, returns=STRING, scoped=True)
def _join(scope: Scope, separator: object, *lists: object) -> object:
    parts: list[str] = []
    for one in lists:
        parts += [to_text(part) for part in _texts(one)]
    between = to_text(separator)
    scope.budget.room(len(parts))
    return scope.budget.text(between.join(parts))


@_add("split", 2, returns=_TEXTS, scoped=True)
def _split(scope: Scope, separator: object, text: object) -> object:
    whole, between = to_text(text), to_text(separator)
    parts = whole.split(between) if between else list(whole)
    scope.budget.room(len(parts))
    return ListValue(parts)


@_add("replace", 3, returns=STRING, scoped=True)
def _replace(scope: Scope, text: object, old: object, new: object) -> object:
    whole, found, put = to_text(text), to_text(old), to_text(new)
    if len(found) > 1 and found[0] == found[-1] == "/":
        return scope.budget.text(replaced(scope, found[1:-1], whole, put))
    if found and whole.count(found) * len(put) > scope.budget.limits.text:
        scope.budget.text("x" * (scope.budget.limits.text + 1))
    return scope.budget.text(whole.replace(found, put))


@_add("regex", 2, scoped=True)
def _regex(scope: Scope, expression: object, text: object) -> object:
    found = next(matches(scope, to_text(expression), to_text(text)), None)
    if found is None:
        raise RefusedError("regex() found no match")
    return captured(found)


@_add("regexall", 2, scoped=True)
def _regexall(scope: Scope, expression: object, text: object) -> object:
    return ListValue(captured(found) for found in matches(scope, to_text(expression), to_text(text)))


def captured(found: re.Match[str]) -> object:
    """What `regex()` gives: the match, or its groups as a tuple, or as an object where they have names."""
    if found.re.groupindex:
        if len(found.re.groupindex) != found.re.groups:
            raise RefusedError("named and unnamed groups cannot be mixed")
        return dict(found.groupdict())
    return list(found.groups()) if found.re.groups else found[0]


@_add("substr", 3, returns=STRING)
def _substr(text: object, offset: object, length: object) -> object:
    whole, start, count = to_text(text), to_whole(offset), to_whole(length)
    _plain_letters(whole)
    if start < 0:
        start += len(whole)
        start = max(start, 0)
    return whole[start:] if count < 0 else whole[start : start + count]


def _plain_letters(text: str) -> None:
    """Terraform counts what is seen as one character: with combining marks Python counts otherwise."""
    if not text.isascii():
        import unicodedata

        if any(unicodedata.combining(letter) or letter in "\u200d\ufe0f" or letter > "\uffff" for letter in text):
            raise UnsettledError(Unsettled("a text of composed characters"))


@_add("strrev", 1, returns=STRING)
def _strrev(text: object) -> object:
    whole = to_text(text)
    _plain_letters(whole)
    return whole[::-1]


@_add("indent", 2, returns=STRING, scoped=True)
def _indent(scope: Scope, spaces: object, text: object) -> object:
    count, whole = to_whole(spaces), to_text(text)
    if count < 0 or (whole.count("\n") + 1) * count > scope.budget.limits.text:
        raise UnsettledError(Unsettled("an indentation past the limit here"))
    return scope.budget.text(whole.replace("\n", "\n" + " " * count))


@_add("format", 1, MANY, returns=STRING, partial=True, nulls=True, scoped=True)
def _format(scope: Scope, template: object, *arguments: object) -> object:
    return scope.budget.text(format_text(to_text(template), list(arguments), scope))


@_add("formatlist", 1, MANY, returns=_TEXTS, nulls=True, scoped=True)
def _formatlist(scope: Scope, template: object, *arguments: object) -> object:
    if any(argument is None for argument in arguments):
        raise UnsettledError(Unsettled("formatlist() with null, which Terraform never settles"))
    columns = [[value for _, value in items(one)] if isinstance(one, list) else one for one in arguments]
    lengths = {len(one) for one in columns if isinstance(one, list)}
    if len(lengths) > 1:
        raise RefusedError("formatlist() takes lists of one length")
    count = lengths.pop() if lengths else 1
    scope.budget.room(count)
    rows = [[one[row] if isinstance(one, list) else one for one in columns] for row in range(count)]
    return ListValue(format_text(to_text(template), row, scope) for row in rows)


@_add("compact", 1, returns=_TEXTS)
def _compact(texts: object) -> object:
    return ListValue(text for text in _texts(texts) if text)


@_add("sort", 1, returns=_TEXTS)
def _sort(texts: object) -> object:
    return ListValue(sorted((to_text(one) for one in _texts(texts)), key=str.encode))

"""Functions that encode, decode and hash."""

import json
import re
from typing import Any

from preflight.sources.terraform.hcl.functions.registry import Registry
from preflight.sources.terraform.hcl.kinds import STRING
from preflight.sources.terraform.hcl.numbers import is_number, number_text, parse_number
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.values import ListValue, RefusedError, UnsettledError, to_text, unlazy
from preflight.sources.terraform.resources import Unsettled

ENCODING = Registry()
_add = ENCODING.add

_GO_ESCAPES = re.compile("[<>&\u2028\u2029]")
_MOST_NESTED = 200


@_add("jsonencode", 1, returns=STRING, nulls=True, scoped=True)
def _jsonencode(scope: Scope, value: object) -> object:
    return scope.budget.text(as_json(value))


def as_json(value: object) -> str:
    """A settled value in JSON, as Terraform writes it: keys in order, no spaces, `<`, `>` and `&` escaped."""
    text = "".join(_json(unlazy(value), 0))
    return _GO_ESCAPES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _json(value: Any, depth: int) -> list[str]:
    if depth > _MOST_NESTED:
        raise UnsettledError(Unsettled(f"it is nested more than {_MOST_NESTED} deep"))
    if is_number(value):
        text = number_text(value)
        if text is None:
            raise UnsettledError(Unsettled("a number whose digits Terraform rounds"))
        return [text]
    parts: list[str] = []
    if isinstance(value, list):
        for element in value:
            parts += [",", *_json(unlazy(element), depth + 1)]
        return ["[", *parts[1:], "]"]
    if isinstance(value, dict):
        for key in sorted(value):
            parts += [",", json.dumps(key, ensure_ascii=False), ":", *_json(unlazy(value[key]), depth + 1)]
        return ["{", *parts[1:], "}"]
    return [json.dumps(value, ensure_ascii=False)]


@_add("jsondecode", 1, scoped=True)
def _jsondecode(scope: Scope, text: object) -> object:
    said = to_text(text)
    scope.budget.spend(len(said) >> 3)
    return from_json(said)


def from_json(text: str) -> Any:
    """The value that JSON text holds. Raises RefusedError for what is none, UnsettledError for what is too deep."""
    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_constant)
    except RecursionError:
        raise UnsettledError(Unsettled("JSON that is nested too deep")) from None
    except ValueError as error:
        raise RefusedError(f"this is not JSON: {error}") from None


def _number(text: str) -> object:
    number = parse_number(text)
    if number is None:
        raise UnsettledError(Unsettled("a number too long to be read exactly"))
    return number


def _constant(text: str) -> object:
    raise ValueError(f"{text} is no value")


@_add("yamldecode", 1, scoped=True)
def _yamldecode(scope: Scope, text: object) -> object:
    from preflight.sources.terraform.hcl.functions.yaml_text import from_yaml  # its library: loaded when met

    said = to_text(text)
    scope.budget.spend(len(said) >> 3)
    if scope.surroundings is None:
        return from_yaml(said, scope)
    return scope.surroundings.repository.decoded(said, lambda one: from_yaml(one, scope))


@_add("csvdecode", 1, scoped=True)
def _csvdecode(scope: Scope, text: object) -> object:
    import csv

    try:
        rows = [row for row in csv.reader(to_text(text).splitlines(keepends=True), strict=True) if row]
    except csv.Error as error:
        raise RefusedError(f"this is not CSV: {error}") from None
    scope.budget.room(sum(len(row) for row in rows))
    if not rows or len(set(rows[0])) < len(rows[0]) or any(len(row) != len(rows[0]) for row in rows):
        raise RefusedError("the rows of CSV have as many fields as its first line has names")
    return ListValue(dict(zip(rows[0], row, strict=True)) for row in rows[1:])


@_add("base64encode", 1, returns=STRING)
def _base64encode(text: object) -> object:
    from base64 import b64encode

    return b64encode(_bytes(text)).decode()


@_add("base64decode", 1, returns=STRING)
def _base64decode(text: object) -> object:
    from base64 import b64decode

    try:
        return b64decode(to_text(text), validate=True).decode()
    except ValueError:
        raise RefusedError("this is no text in base64") from None


@_add("urlencode", 1, returns=STRING)
def _urlencode(text: object) -> object:
    from urllib.parse import quote_plus

    return quote_plus(to_text(text), safe="")


def _bytes(text: object) -> bytes:
    return to_text(text).encode("utf-8", "replace")


def _hash(algorithm: str) -> Any:
    def run(text: object) -> object:
        return hashed(algorithm, _bytes(text))

    return run


def hashed(algorithm: str, data: bytes) -> str:
    """The hash of some bytes in hexadecimal digits."""
    import hashlib

    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


HASHES = ("md5", "sha1", "sha256", "sha512")
for _name in HASHES:
    _add(_name, 1, returns=STRING)(_hash(_name))

"""Terraform's configuration in JSON: `.tf.json` and `.tfvars.json`.

JSON doesn't tell blocks from arguments: the provider's schema does. Without it, the meta-arguments of Terraform are
known, and `BLOCKS` names those of the resources that matter here. Texts are templates.
"""

import json
import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.numbers import parse_number
from preflight.sources.terraform.hcl.parsing import Entry, File, parse_template
from preflight.sources.terraform.hcl.syntax import (
    Attribute,
    Block,
    Body,
    Broken,
    Elsewhere,
    Expr,
    Literal,
    ObjectOf,
    Source,
    TupleOf,
)

BLOCKS = frozenset({
    "access", "audit_config", "audit_log_config", "binding", "boolean_policy", "condition", "connection", "content",
    "default_encryption_configuration", "dynamic", "lifecycle", "list_policy", "provisioner", "restore_policy",
    "routine", "rules", "spec", "timeouts", "values", "view",
})  # fmt: skip
"""The block types in the Google provider's documentation of projects, IAM, services, datasets and policies."""

_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "module": 1, "variable": 1, "output": 1, "provider": 1, "check": 1}
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


_TOO_LONG = object()
"""Stands for a number that can't be read exactly."""


class Json(Struct):
    """A JSON value with its offset: `value` is a plain scalar, a list of these, or a list of their pairs."""

    at: int
    value: object
    pairs: list[tuple[str, "Json"]] | None = None
    elements: list["Json"] | None = None


def parse_json_file(source: Source, limits: Limits) -> File:
    """The blocks of a `.tf.json` file."""
    file = File(source, [], [])
    top = parse_json(source, limits, file)
    if top is None:
        return file
    for kind, value in _pairs(top):
        if kind == "locals":
            for block in _objects(value):
                for name, said in _pairs(block):
                    load = _attribute_loader(name, said, source, limits)
                    file.locals.append(Entry("local", (name,), source, said.at, load))
        elif kind != "//":
            for labels, body in _labelled(value, _LABELS.get(kind, 0)):
                load_block = _block_loader(kind, labels, body, source, limits)
                file.blocks.append(Entry(kind, labels, source, body.at, load_block))
    return file


def parse_json_body(source: Source, limits: Limits) -> tuple[Body, File]:
    """All of a file as one body (`.tfvars.json`); the file says where it is broken. Its texts are plain texts."""
    file = File(source, [], [])
    top = parse_json(source, limits, file)
    attributes: dict[str, Attribute] = {}
    for name, value in _pairs(top) if top else ():
        attributes[name] = Attribute(name, _expr(value, source, limits, plain=True), source, value.at)
    return Body(attributes), file


def parse_json(source: Source, limits: Limits, file: File) -> Json | None:
    """The file's object; None, with `file.broken` set, if it is none."""
    try:
        json.loads(source.data)
    except RecursionError:
        file.broken, file.why = source.place(0), "its JSON is nested too deep"
        return None
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode("utf-8", "replace"))
        file.broken, file.why = source.place(min(at, len(source.data))), f"its JSON does not parse: {error.msg}"
        return None
    except ValueError:
        file.broken, file.why = source.place(0), "it is no JSON in UTF-8"
        return None
    tokens = _TOKEN.finditer(source.data)
    value = _read(next(tokens), tokens, 0, limits)
    if value is None or value.pairs is None:
        file.broken = source.place(0)
        file.why = "it is no JSON object" if value else "its JSON is nested too deep"
        return None
    return value


def _read(token: re.Match[bytes], tokens: Iterator[re.Match[bytes]], depth: int, limits: Limits) -> Json | None:
    """The value that begins with a token, of JSON that is known to be right; None if it is nested too deep."""
    said, at = token[0], token.start()
    if depth > limits.nesting:
        return None
    if said == b"{":
        pairs: list[tuple[str, Json]] = []
        while (token := next(tokens))[0] != b"}":
            if token[0] == b",":
                continue
            name = json.loads(token[0])
            next(tokens)
            value = _read(next(tokens), tokens, depth + 1, limits)
            if value is None:
                return None
            pairs.append((name, value))
        return Json(at, None, pairs=pairs)
    if said == b"[":
        elements: list[Json] = []
        while (token := next(tokens))[0] != b"]":
            if token[0] == b",":
                continue
            value = _read(token, tokens, depth + 1, limits)
            if value is None:
                return None
            elements.append(value)
        return Json(at, None, elements=elements)
    plain = json.loads(said, parse_int=parse_number, parse_float=parse_number)
    return Json(at, _TOO_LONG if plain is None and said != b"null" else plain)


def _pairs(value: Json) -> list[tuple[str, Json]]:
    return [pair for one in _objects(value) for pair in one.pairs or ()]


def _objects(value: Json) -> list[Json]:
    """The objects that stand for blocks: one, or a list of them."""
    return [one for one in value.elements if one.pairs is not None] if value.elements is not None else [value]


def _labelled(value: Json, count: int) -> Iterator[tuple[tuple[str, ...], Json]]:
    if not count:
        yield from (((), one) for one in _objects(value))
        return
    for label, inner in _pairs(value):
        yield from (((label, *labels), body) for labels, body in _labelled(inner, count - 1))


def _block_loader(
    kind: str, labels: tuple[str, ...], body: Json, source: Source, limits: Limits
) -> Callable[[], Block]:
    return lambda: _block(kind, labels, body, source, limits)


def _attribute_loader(name: str, value: Json, source: Source, limits: Limits) -> Callable[[], Attribute]:
    return lambda: Attribute(name, _expr(value, source, limits), source, value.at)


def _block(kind: str, labels: tuple[str, ...], value: Json, source: Source, limits: Limits) -> Block:
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for name, said in _pairs(value):
        if name == "//":
            continue
        if name in BLOCKS and kind not in {"variable", "output", "module", "provider"} and _is_block(said):
            wanted = 1 if name in {"dynamic", "provisioner"} else 0
            blocks += [_block(name, inner, body, source, limits) for inner, body in _labelled(said, wanted)]
        else:
            attributes.setdefault(name, Attribute(name, _expr(said, source, limits), source, said.at))
    return Block(kind, labels, Body(attributes, tuple(blocks)), source, value.at)


def _is_block(value: Json) -> bool:
    if value.elements is not None:
        return all(one.pairs is not None for one in value.elements)
    return value.pairs is not None


def _expr(value: Json, source: Source, limits: Limits, *, plain: bool = False) -> Expr:
    if value.pairs is not None:
        pairs = [(_text(name, value.at, source, limits, plain), one) for name, one in value.pairs]
        return ObjectOf(value.at, tuple((name, _expr(one, source, limits, plain=plain)) for name, one in pairs))
    if value.elements is not None:
        return TupleOf(value.at, tuple(_expr(one, source, limits, plain=plain) for one in value.elements))
    if value.value is _TOO_LONG:
        return Broken(value.at, "it is no number that can be read exactly")
    if isinstance(value.value, str):
        return _text(value.value, value.at, source, limits, plain)
    return Literal(value.at, value.value)


def _text(text: str, at: int, source: Source, limits: Limits, plain: bool) -> Expr:
    if plain or ("${" not in text and "%{" not in text):
        return Literal(at, text)
    expr, inner = parse_template(text, source, limits, source.place(at))
    return Broken(at, expr.why) if isinstance(expr, Broken) else Elsewhere(at, expr, inner)

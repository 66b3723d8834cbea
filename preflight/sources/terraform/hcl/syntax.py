"""The form of HCL: small frozen nodes of expressions, and bodies of attributes and blocks with their places.

`at` is everywhere the byte offset in the text of the node's `Source`, which turns it into a `Place` when asked:
lines and columns are wanted for few nodes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from preflight.sources.terraform.resources import Place

_PERHAPS = re.compile(rb"[0-9][eE][0-9+-]")
"""Found in a tenth of the time that it takes to look around each character."""
_EXPONENT = re.compile(rb"(?<![\w.])(?<!\w-)[0-9]+[eE][+-]?[0-9]+(?!\w)")


class Source:
    """A file's bytes and its path from the repository's root; tells line and column of an offset."""

    __slots__ = ("_lines", "_plain", "data", "file", "pinned")

    def __init__(self, file: str, data: bytes, pinned: Place | None = None) -> None:
        self.file = file
        self.data = data
        self.pinned = pinned
        """Where all of it is said to be: text of ours stands for a module, and points at its call."""
        self._lines: list[int] | None = None
        self._plain: bytes | None = None

    @property
    def plain(self) -> bytes:
        """The bytes as the grammar can take them: it lacks numbers with an exponent but no fraction (`1e3`), which
        would come out as 1 and something broken. Here other numbers of their length stand for them."""
        if self._plain is None:
            self._plain = self.data
            if _PERHAPS.search(self.data):
                self._plain = _EXPONENT.sub(lambda found: b"0" * len(found[0]), self.data)
        return self._plain

    def place(self, at: int) -> Place:
        """The line and column (from 1, in characters) of a byte offset."""
        if self.pinned:
            return self.pinned
        if self._lines is None:
            self._lines = [0]
            find, start = self.data.find, 0
            while (start := find(b"\n", start) + 1) > 0:
                self._lines.append(start)
        line = bisect_right(self._lines, at)
        before = self.data[self._lines[line - 1] : at]
        return Place(self.file, line, len(before.decode("utf-8", "replace")) + 1)


class Node(Struct, frozen=True, gc=False):
    """Any expression."""

    at: int


class Literal(Node, frozen=True, gc=False):
    """A number, a bool, null, or a text without interpolation."""

    value: object


class Template(Node, frozen=True, gc=False):
    """A text with interpolations; its parts are joined. `wrapped`: `"${x}"`, which is x itself, of any type."""

    parts: tuple["Expr", ...]
    wrapped: bool = False


class TemplateIf(Node, frozen=True, gc=False):
    """`%{ if … }`; each side is a template."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"


class TemplateFor(Node, frozen=True, gc=False):
    """`%{ for … }`."""

    key: str
    value: str
    collection: "Expr"
    body: "Expr"


class Name(Node, frozen=True, gc=False):
    """The first name of a reference: `var`, `local`, `google_project`, a variable of a `for`."""

    name: str


class Attr(Node, frozen=True, gc=False):
    """`of.name`."""

    of: "Expr"
    name: str


class Index(Node, frozen=True, gc=False):
    """`of[key]`, and the old `of.0`."""

    of: "Expr"
    key: "Expr"


class Splat(Node, frozen=True, gc=False):
    """`of[*].…` and `of.*.…`: `each` is evaluated for each element, which it calls `ITEM`."""

    of: "Expr"
    each: "Expr"


ITEM = "*"
"""The name of the element in a splat: no identifier of HCL."""


class Unary(Node, frozen=True, gc=False):
    """`!x`, `-x`."""

    operator: str
    operand: "Expr"


class Binary(Node, frozen=True, gc=False):
    """`left operator right`."""

    operator: str
    left: "Expr"
    right: "Expr"


class Conditional(Node, frozen=True, gc=False):
    """`condition ? then : otherwise`."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"


class Call(Node, frozen=True, gc=False):
    """`name(arguments…)`; `spread`: the last argument is followed by `...`."""

    name: str
    arguments: tuple["Expr", ...]
    spread: bool = False


class TupleOf(Node, frozen=True, gc=False):
    """`[a, b]`."""

    items: tuple["Expr", ...]


class ObjectOf(Node, frozen=True, gc=False):
    """`{ key = value }`; a bare name as key has become a literal."""

    items: tuple[tuple["Expr", "Expr"], ...]


class For(Node, frozen=True, gc=False):
    """`[for key, value in collection : result if condition]`, or with `{` and a `result_key`."""

    key: str
    value: str
    collection: "Expr"
    result_key: "Expr | None"
    result: "Expr"
    condition: "Expr | None"
    grouped: bool = False


class Broken(Node, frozen=True, gc=False):
    """What could not be parsed."""

    why: str


class Elsewhere(Node, frozen=True, gc=False):
    """An expression whose text is in a source of its own: a text in JSON, which is a template."""

    expr: "Expr"
    source: Source


Expr: TypeAlias = (
    Literal
    | Template
    | TemplateIf
    | TemplateFor
    | Name
    | Attr
    | Index
    | Splat
    | Unary
    | Binary
    | Conditional
    | Call
    | TupleOf
    | ObjectOf
    | For
    | Broken
    | Elsewhere
)


class Attribute(Struct, frozen=True):
    """`name = expr` in a file."""

    name: str
    expr: Expr
    source: Source
    at: int

    @property
    def place(self) -> Place:
        """Where its name is written."""
        return self.source.place(self.at)


class Body(Struct, frozen=True):
    """What is between a block's braces."""

    attributes: dict[str, Attribute]
    blocks: tuple["Block", ...] = ()

    def of(self, kind: str) -> Iterator["Block"]:
        """Its blocks of one type."""
        return (block for block in self.blocks if block.type == kind)

    def expr(self, name: str) -> Expr | None:
        """An attribute's expression, or None if there is none."""
        attribute = self.attributes.get(name)
        return attribute.expr if attribute else None


class Block(Struct, frozen=True):
    """`type "label" { body }` in a file."""

    type: str
    labels: tuple[str, ...]
    body: Body
    source: Source
    at: int
    broken: Place | None = None
    """Where its text doesn't parse; what could be read of it is in `body`."""

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.at)


def literal_text(expr: Expr | None) -> str | None:
    """The text of a literal; None for anything else."""
    return expr.value if isinstance(expr, Literal) and isinstance(expr.value, str) else None


def reference(expr: Expr | None) -> tuple[str, ...]:
    """The names of a plain reference (`google.eu` is `("google", "eu")`); empty for anything else."""
    match expr:
        case Name(name=name):
            return (name,)
        case Attr(of=of, name=name):
            start = reference(of)
            return (*start, name) if start else ()
        case Literal(value=str(text)):  # the old way: `provider = "google.eu"`
            return tuple(text.split("."))
    return ()

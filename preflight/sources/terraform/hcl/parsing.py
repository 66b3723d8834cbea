"""From bytes to the blocks of a file: which there are is known at once, what is in them when somebody asks."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct, structs
from tree_sitter import Language, Parser, Range
from tree_sitter import Node as TreeNode
from tree_sitter_hcl import language

from preflight.sources.terraform.hcl.convert import Converter, first_error
from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.syntax import Attribute, Block, Body, Broken, Elsewhere, Expr, Literal, Source
from preflight.sources.terraform.hcl.templates import unescape
from preflight.sources.terraform.resources import Place

_LANGUAGE = Language(language())
_PARSER = Parser(_LANGUAGE)
_MARK = b"END_OF_TEMPLATE"

T = TypeVar("T")


class Entry(Struct, Generic[T]):
    """A block of a file, or one local value, that is read when it is asked for."""

    type: str
    labels: tuple[str, ...]
    source: Source
    at: int
    load: Callable[[], T]

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.at)


class File(Struct):
    """What a file declares at its top."""

    source: Source
    blocks: list[Entry[Block]]
    locals: list[Entry[Attribute]]
    broken: Place | None = None
    """Where it first doesn't parse."""
    why: str = "it does not parse"


def parse_file(source: Source, limits: Limits) -> File:
    """The blocks of a file in HCL's own syntax; what doesn't parse is left out, and `broken` says where."""
    root = _PARSER.parse(source.plain).root_node
    converter = Converter(source, limits)
    file = File(source, [], [])
    # Trees take thirty times the room of their text: none is kept, and a block that is wanted is parsed again.
    for node in _top(root):
        if node.type != "block":
            continue
        kind, labels = converter.header(node)
        if kind == "locals":
            file.locals += _locals(node, converter)
        else:
            file.blocks.append(Entry(kind, labels, source, node.start_byte, _block_loader(node, converter)))
    if root.has_error:
        error = first_error(root)
        file.broken = source.place(error.start_byte if error else 0)
    return file


def _top(root: TreeNode) -> Iterator[TreeNode]:
    """The nodes of the top level, also those inside a stretch that doesn't parse."""
    for node in root.named_children:
        if node.type == "body" or node.is_error:
            yield from (child for child in node.named_children if child.type in {"block", "attribute"})
        else:
            yield node


def _locals(node: TreeNode, converter: Converter) -> Iterator[Entry[Attribute]]:
    for body in node.named_children:
        for child in body.named_children if body.type == "body" else ():
            if child.type == "attribute":
                name = converter.text(child.named_children[0])
                # Where a block is broken its pieces look whole: `a = 1_000` leaves `a = 1`.
                load = _local_loader(child, name, converter, broken=node.has_error)
                yield Entry("local", (name,), converter.source, child.start_byte, load)


def _block_loader(node: TreeNode, converter: Converter) -> Callable[[], Block]:
    where, broken = _range(node), node.has_error
    kind, labels = converter.header(node)

    def load() -> Block:
        source = converter.source
        found = _parsed_again(where, "block", converter)
        if found is None:
            return Block(kind, labels, Body({}), source, where.start_byte, source.place(where.start_byte))
        block = converter.block(found)
        if broken and block.broken is None:
            block = structs.replace(block, broken=block.place)
        return block

    return load


def _local_loader(node: TreeNode, name: str, converter: Converter, *, broken: bool) -> Callable[[], Attribute]:
    where = _range(node)

    def load() -> Attribute:
        found = None if broken else _parsed_again(where, "attribute", converter)
        if found is None:
            expr = Broken(where.start_byte, "the syntax is broken here")
            return Attribute(name, expr, converter.source, where.start_byte)
        return converter.attribute(found)

    return load


def _range(node: TreeNode) -> Range:
    return Range(node.start_point, node.end_point, node.start_byte, node.end_byte)


def _parsed_again(where: Range, kind: str, converter: Converter) -> TreeNode | None:
    """The block or attribute in a range of a file; None if there is none, by itself."""
    root = Parser(_LANGUAGE, included_ranges=[where]).parse(converter.source.plain).root_node
    return next((node for node in _top(root) if node.type == kind), None)


def parse_body(source: Source, limits: Limits) -> tuple[Body, Place | None]:
    """All of a file as one body (`.tfvars`), and where it first doesn't parse."""
    root = _PARSER.parse(source.plain).root_node
    converter = Converter(source, limits)
    body = next((child for child in root.named_children if child.type == "body"), None)
    error = first_error(root)
    return converter.body(body), source.place(error.start_byte) if error else None


def parse_expression(text: str, where: Source, limits: Limits, place: Place | None = None) -> Elsewhere:
    """A text as an expression: the value of `--var`, a type written in JSON."""
    source = Source(where.file, b"_ = " + text.encode("utf-8", "replace"), pinned=place or Place(where.file))
    body, broken = parse_body(source, limits)
    expr = body.expr("_")
    if broken or expr is None:
        expr = Broken(0, f"this is no expression: {text[:60]}")
    return Elsewhere(0, expr, source)


def parse_template(text: str, where: Source, limits: Limits, place: Place | None = None) -> tuple[Expr, Source]:
    """A text as a template by itself: a template file, a text in JSON. It parses as a heredoc of one attribute."""
    if "${" not in text and "%{" not in text:
        return Literal(0, unescape(text, quoted=False)), where
    data = text.encode("utf-8", "replace")
    mark = _MARK
    while mark in data:
        mark += b"_"
    head = b"_ = <<" + mark + b"\n"
    source = Source(where.file, head + data + b"\n" + mark + b"\n", pinned=place or Place(where.file))
    root = _PARSER.parse(source.plain).root_node
    node = _template_node(root)
    if node is None or root.has_error:
        return Broken(0, "this template does not parse"), source
    return Converter(source, limits).bare(node, len(head), len(head) + len(data)), source


def _template_node(root: TreeNode) -> TreeNode | None:
    node: TreeNode | None = root
    for kind in ("body", "attribute", "expression", "template_expr"):
        if node is not None:
            node = next((child for child in node.named_children if child.type == kind), None)
    return node

"""From the nodes of tree-sitter's syntax tree to ours.

tree-sitter-hcl puts a term and what follows it (`.name`, `[key]`, `[*]`) side by side as children, in expressions
and in operations alike; a template's texts are read from the bytes between its interpolations, since the tree leaves
white space out. What doesn't parse, or is nested past the limit, becomes `Broken`: its neighbours stay readable.
"""

from tree_sitter import Node as TreeNode

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.numbers import parse_number
from preflight.sources.terraform.hcl.syntax import (
    ITEM,
    Attr,
    Attribute,
    Binary,
    Block,
    Body,
    Broken,
    Call,
    Conditional,
    Expr,
    For,
    Index,
    Literal,
    Name,
    ObjectOf,
    Source,
    Splat,
    TupleOf,
    Unary,
)
from preflight.sources.terraform.hcl.templates import Token, assemble, unescape
from preflight.sources.terraform.resources import Place

_BRACKETS = {"(", ")"}
_OPERATORS = {"+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"}
_SYNTAX = "the syntax is broken here"
_TOKENS = {
    "template_interpolation": "value",
    "template_if_intro": "if",
    "template_else_intro": "else",
    "template_if_end": "endif",
    "template_for_start": "for",
    "template_for_end": "endfor",
}


class Converter:
    """Converts the nodes of one source."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.data = source.data
        self.limits = limits

    # Bodies

    def body(self, node: TreeNode | None, depth: int = 0) -> Body:
        """The attributes and blocks of a `body` node; the first of two attributes of a name counts."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in node.named_children if node else ():
            if child.type == "attribute":
                attribute = self.attribute(child, depth)
                attributes.setdefault(attribute.name, attribute)
            elif child.type == "block":
                blocks.append(self.block(child, depth + 1))
        return Body(attributes, tuple(blocks))

    def block(self, node: TreeNode, depth: int = 0) -> Block:
        """A `block` node; nested past the limit, its body is empty and it counts as broken."""
        kind, labels = self.header(node)
        place = None if depth else self.broken(node)
        if depth > self.limits.nesting:
            return Block(kind, labels, Body({}), self.source, node.start_byte, self.source.place(node.start_byte))
        inside = next((child for child in node.named_children if child.type == "body"), None)
        return Block(kind, labels, self.body(inside, depth), self.source, node.start_byte, place)

    def header(self, node: TreeNode) -> tuple[str, tuple[str, ...]]:
        """A block's type and labels."""
        names: list[str] = []
        for child in node.named_children:
            if child.type == "identifier":
                names.append(self.text(child))
            elif child.type == "string_lit":
                names.append(unescape(self.text(child)[1:-1], quoted=True))
            else:
                break
        return (names[0], tuple(names[1:])) if names else ("", ())

    def attribute(self, node: TreeNode, depth: int = 0) -> Attribute:
        """An `attribute` node."""
        children = node.named_children
        name = self.text(children[0])
        value = next((child for child in children[1:] if child.type == "expression"), None)
        if value is None or any(child.type == "ERROR" for child in children):
            return Attribute(name, Broken(node.start_byte, _SYNTAX), self.source, node.start_byte)
        return Attribute(name, self.expression(value, depth), self.source, node.start_byte)

    def broken(self, node: TreeNode) -> Place | None:
        """Where the first error below a node is; None if it parses."""
        error = first_error(node)
        return None if error is None else self.source.place(error.start_byte)

    def text(self, node: TreeNode) -> str:
        """A node's text."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # Expressions

    def expression(self, node: TreeNode, depth: int) -> Expr:
        """An `expression` node."""
        if depth > self.limits.nesting:
            return Broken(node.start_byte, f"it is nested more than {self.limits.nesting} deep")
        return self.sequence(node.children, depth)

    def sequence(self, nodes: list[TreeNode], depth: int) -> Expr:
        """A term and what follows it."""
        nodes = [node for node in nodes if node.type not in _BRACKETS and node.type != "comment"]
        if not nodes:
            return Broken(0, _SYNTAX)
        if len(nodes) > self.limits.nesting:
            return Broken(nodes[0].start_byte, f"it has more than {self.limits.nesting} parts")
        if any(node.type == "ERROR" or node.is_missing for node in nodes):
            return Broken(nodes[0].start_byte, _SYNTAX)
        expr = self.term(nodes[0], depth + 1)
        for node in nodes[1:]:
            expr = self.step(expr, node, depth + 1)
        return expr

    def term(self, node: TreeNode, depth: int) -> Expr:
        """What an expression begins with."""
        convert = _TERMS.get(node.type)
        return convert(self, node, depth) if convert else Broken(node.start_byte, _SYNTAX)

    def step(self, of: Expr, node: TreeNode, depth: int) -> Expr:
        """`of` with one step after it: `.name`, `[key]`, `.0`, a splat."""
        at = node.start_byte
        inner = node.named_children
        if node.type == "get_attr" and inner:
            return Attr(at, of, self.text(inner[-1]))
        if node.type == "index" and inner:
            if inner[0].type == "legacy_index":
                return Index(at, of, Literal(at, parse_number(self.text(inner[0]).lstrip(". "))))
            key = next((child for child in inner[0].named_children if child.type == "expression"), None)
            return Index(at, of, self.expression(key, depth)) if key else Broken(at, _SYNTAX)
        if node.type == "splat" and inner:
            return self.splat(of, inner[0], depth)
        return Broken(at, _SYNTAX)

    def splat(self, of: Expr, node: TreeNode, depth: int) -> Expr:
        """`[*]` takes all steps after it to each element, `.*` the names only."""
        each: Expr = Name(node.start_byte, ITEM)
        whole: Expr | None = None
        for step in (child for child in node.named_children if child.type != "comment"):
            if node.type == "attr_splat" and (whole or step.type != "get_attr"):
                whole = self.step(whole or Splat(node.start_byte, of, each), step, depth)
            else:
                each = self.step(each, step, depth)
        return whole or Splat(node.start_byte, of, each)

    def literal(self, node: TreeNode, _: int) -> Expr:
        """A number, bool, null or text."""
        inner = node.named_children[0]
        text = self.text(inner)
        value: object = None
        match inner.type:
            case "numeric_lit":
                value = parse_number(text)
                if value is None:
                    return Broken(node.start_byte, "it is no number that can be read")
            case "bool_lit":
                value = text == "true"
            case "string_lit":
                value = unescape(text[1:-1], quoted=True)
            case "null_lit":
                pass
            case _:
                return Broken(node.start_byte, _SYNTAX)
        return Literal(node.start_byte, value)

    def name(self, node: TreeNode, _: int) -> Expr:
        """The first name of a reference."""
        return Name(node.start_byte, self.text(node))

    def nested(self, node: TreeNode, depth: int) -> Expr:
        """A node that only wraps another."""
        inner = node.named_children
        return self.term(inner[0], depth) if inner else Broken(node.start_byte, _SYNTAX)

    def conditional(self, node: TreeNode, depth: int) -> Expr:
        """`a ? b : c`."""
        parts = [self.expression(child, depth) for child in node.named_children if child.type == "expression"]
        if len(parts) != 3 or any(child.type == "ERROR" for child in node.children):
            return Broken(node.start_byte, _SYNTAX)
        return Conditional(node.start_byte, parts[0], parts[1], parts[2])

    def unary(self, node: TreeNode, depth: int) -> Expr:
        """`!x`, `-x`."""
        if depth > self.limits.nesting:
            return Broken(node.start_byte, f"it is nested more than {self.limits.nesting} deep")
        first, *rest = node.children
        return Unary(node.start_byte, first.type, self.sequence(rest, depth))

    def binary(self, node: TreeNode, depth: int) -> Expr:
        """`a + b`: the operator stands between two sequences."""
        if depth > self.limits.nesting:
            return Broken(node.start_byte, f"it is nested more than {self.limits.nesting} deep")
        children = node.children
        where = next((at for at, child in enumerate(children) if child.type in _OPERATORS and not child.is_named), 0)
        if not where:
            return Broken(node.start_byte, _SYNTAX)
        left, right = self.sequence(children[:where], depth), self.sequence(children[where + 1 :], depth)
        return Binary(node.start_byte, children[where].type, left, right)

    def call(self, node: TreeNode, depth: int) -> Expr:
        """A function's call."""
        name = self.text(node.named_children[0])
        arguments: list[Expr] = []
        spread = False
        for child in node.named_children[1:]:
            if child.type == "ERROR":
                return Broken(node.start_byte, _SYNTAX)
            if child.type != "function_arguments":
                continue
            for argument in child.named_children:
                if argument.type == "expression":
                    arguments.append(self.expression(argument, depth))
                elif argument.type == "ellipsis":
                    spread = True
                elif argument.type == "ERROR":
                    return Broken(node.start_byte, _SYNTAX)
        return Call(node.start_byte, name, tuple(arguments), spread)

    def tuple_of(self, node: TreeNode, depth: int) -> Expr:
        """`[a, b]`."""
        if any(child.type == "ERROR" for child in node.named_children):
            return Broken(node.start_byte, _SYNTAX)
        items = (self.expression(child, depth) for child in node.named_children if child.type == "expression")
        return TupleOf(node.start_byte, tuple(items))

    def object_of(self, node: TreeNode, depth: int) -> Expr:
        """`{ a = b }`; a bare name is a literal key, `(name)` is a reference."""
        items: list[tuple[Expr, Expr]] = []
        for child in node.named_children:
            if child.type == "ERROR":
                return Broken(node.start_byte, _SYNTAX)
            if child.type != "object_elem":
                continue
            pair = [one for one in child.named_children if one.type == "expression"]
            if len(pair) != 2:
                return Broken(node.start_byte, _SYNTAX)
            key = self.expression(pair[0], depth)
            if isinstance(key, Name) and pair[0].children[0].type != "(":
                key = Literal(key.at, key.name)
            items.append((key, self.expression(pair[1], depth)))
        return ObjectOf(node.start_byte, tuple(items))

    def for_each(self, node: TreeNode, depth: int) -> Expr:
        """`[for … ]`, `{for … }`."""
        inside = node.named_children[0]
        results: list[Expr] = []
        intro: TreeNode | None = None
        condition: Expr | None = None
        grouped = False
        for child in inside.named_children:
            if child.type == "for_intro":
                intro = child
            elif child.type == "expression":
                results.append(self.expression(child, depth))
            elif child.type == "ellipsis":
                grouped = True
            elif child.type == "for_cond":
                test = next((one for one in child.named_children if one.type == "expression"), None)
                condition = self.expression(test, depth) if test else Broken(child.start_byte, _SYNTAX)
            elif child.type == "ERROR":
                return Broken(node.start_byte, _SYNTAX)
        wanted = 2 if inside.type == "for_object_expr" else 1
        if intro is None or len(results) != wanted:
            return Broken(node.start_byte, _SYNTAX)
        key, value, collection = self.loop(intro, depth)
        result_key = results[0] if wanted == 2 else None
        return For(node.start_byte, key, value, collection, result_key, results[-1], condition, grouped)

    def loop(self, intro: TreeNode, depth: int) -> tuple[str, str, Expr]:
        """The names (the key's may be empty) and the collection of a `for`."""
        names = [self.text(child) for child in intro.named_children if child.type == "identifier"]
        over = next((child for child in intro.named_children if child.type == "expression"), None)
        collection = self.expression(over, depth) if over else Broken(intro.start_byte, _SYNTAX)
        if len(names) == 2:
            return names[0], names[1], collection
        return "", names[0] if names else "", collection

    # Templates

    def template(self, node: TreeNode, depth: int) -> Expr:
        """A text in quotes or a heredoc, with what is interpolated."""
        inside = node.named_children[0]
        if inside.type == "quoted_template":
            return self.parts(inside, inside.start_byte + 1, inside.end_byte - 1, depth, quoted=True)
        marks = [child for child in inside.children if child.type == "heredoc_identifier"]
        if len(marks) != 2:
            return Broken(node.start_byte, "this heredoc has no end")
        start = self.data.find(b"\n", marks[0].end_byte) + 1
        end = self.data.rfind(b"\n", 0, marks[1].start_byte) + 1
        flush = self.data[inside.start_byte : inside.start_byte + 3] == b"<<-"
        return self.parts(inside, start, max(start, end), depth, flush=flush)

    def bare(self, node: TreeNode, start: int, end: int) -> Expr:
        """The template that a heredoc node holds between two offsets."""
        return self.parts(node.named_children[0], start, end, 0)

    def parts(
        self, node: TreeNode, start: int, end: int, depth: int, *, quoted: bool = False, flush: bool = False
    ) -> Expr:
        """The template between two offsets, with the interpolations and directives that are below `node`."""
        tokens: list[Token] = []
        at = start
        pending = list(reversed(node.children))
        while pending:
            child = pending.pop()
            if child.type == "ERROR" or child.is_missing:
                return Broken(child.start_byte, _SYNTAX)
            kind = _TOKENS.get(child.type)
            if kind is None:
                if child.type.startswith("template_") and child.type != "template_literal":
                    pending += reversed(child.children)
                continue
            if child.start_byte > at:
                tokens.append(self.literal_token(at, child.start_byte, quoted=quoted))
            tokens.append(self.token(child, kind, depth))
            at = child.end_byte
        if end > at:
            tokens.append(self.literal_token(at, end, quoted=quoted))
        return assemble(tokens, node.start_byte, flush=flush)

    def literal_token(self, start: int, end: int, *, quoted: bool) -> Token:
        """The text between two offsets."""
        text = self.data[start:end].decode("utf-8", "replace")
        return Token("text", start, unescape(text, quoted=quoted))

    def token(self, node: TreeNode, kind: str, depth: int) -> Token:
        """An interpolation or directive."""
        text = self.data[node.start_byte : node.end_byte]
        token = Token(kind, node.start_byte, trim_before=text[2:3] == b"~", trim_after=text[-2:-1] == b"~")
        if kind == "for":
            token.key, token.value, token.expr = self.loop(node, depth + 1)
            return token
        inside = next((child for child in node.named_children if child.type == "expression"), None)
        if inside:
            token.expr = self.expression(inside, depth + 1)
        if first_error(node):
            token.expr = Broken(node.start_byte, _SYNTAX)
        return token


_TERMS = {
    "literal_value": Converter.literal,
    "template_expr": Converter.template,
    "variable_expr": Converter.name,
    "expression": Converter.expression,
    "conditional": Converter.conditional,
    "operation": Converter.nested,
    "unary_operation": Converter.unary,
    "binary_operation": Converter.binary,
    "function_call": Converter.call,
    "collection_value": Converter.nested,
    "tuple": Converter.tuple_of,
    "object": Converter.object_of,
    "for_expr": Converter.for_each,
}


def first_error(node: TreeNode) -> TreeNode | None:
    """The first node at or below `node` that doesn't parse."""
    while node.has_error:
        if node.is_error or node.is_missing:
            return node
        inner = next((child for child in node.children if child.has_error or child.is_missing), None)
        if inner is None:
            return node
        node = inner
    return node if node.is_missing else None

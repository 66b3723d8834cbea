"""Templates: texts with interpolations and directives, in quotes, in heredocs and in files.

A template comes as tokens: texts, expressions and directives, in order. Trimming (`~`), the indentation of `<<-` and
the nesting of directives are worked out here, as HCL's own parser does (hclsyntax/parser_template.go).
"""

import re

from msgspec import Struct

from preflight.sources.terraform.hcl.syntax import Broken, Expr, Literal, Template, TemplateFor, TemplateIf


class Token(Struct):
    """A piece of a template: `kind` is text, value, if, else, endif, for or endfor."""

    kind: str
    at: int
    text: str = ""
    expr: Expr | None = None
    key: str = ""
    value: str = ""
    trim_before: bool = False
    trim_after: bool = False


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(\$\$|%%)\{", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DOUBLED = re.compile(r"(\$\$|%%)\{")


def unescape(text: str, *, quoted: bool) -> str:
    """A literal part as it is meant: backslashes count in quotes alone, `$${` and `%%{` everywhere."""
    if not quoted:
        return _DOUBLED.sub(lambda found: found[1][0] + "{", text) if "{" in text else text
    if "\\" not in text and "{" not in text:
        return text
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found[4]:
        return found[4][0] + "{"
    if digits := found[1] or found[2]:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return _ESCAPED.get(found[3], found[0])


def assemble(tokens: list[Token], at: int, *, flush: bool = False) -> Expr:
    """The template that `tokens` make; `flush`: without the indentation that its lines share (`<<-`)."""
    tokens = _by_line(tokens)
    _trim(tokens)
    if flush:
        _flush(tokens)
    tokens = [token for token in tokens if token.kind != "text" or token.text]
    if len(tokens) == 1 and tokens[0].kind == "value" and tokens[0].expr is not None:
        return Template(at, (tokens[0].expr,), wrapped=True)
    nested = _Nested(tokens)
    parts = nested.until()
    if nested.broken or nested.next < len(tokens):
        return Broken(at, "its directives don't match: %{ if } … %{ endif }, %{ for } … %{ endfor }")
    return _joined(parts, at)


def _joined(parts: list[Expr], at: int) -> Expr:
    if not parts:
        return Literal(at, "")
    if len(parts) == 1 and isinstance(parts[0], Literal):
        return parts[0]
    return Template(at, tuple(parts))


class _Nested:
    """Turns the flat tokens into nested parts."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.broken = False

    def until(self, *ends: str) -> list[Expr]:
        """The parts up to one of `ends`, which is left; to the end if there are none."""
        parts: list[Expr] = []
        while self.next < len(self.tokens):
            token = self.tokens[self.next]
            if token.kind in ends:
                return parts
            if token.kind in {"else", "endif", "endfor"}:
                break
            self.next += 1
            if token.kind == "text":
                parts.append(Literal(token.at, token.text))
            elif token.expr is None:
                self.broken = True
            elif token.kind == "value":
                parts.append(token.expr)
            elif token.kind == "if":
                then, otherwise = _joined(self.until("else", "endif"), token.at), Literal(token.at, "")
                if self._took("else"):
                    parts.append(
                        TemplateIf(token.at, token.expr, then, _joined(self.until("endif"), token.at)),
                    )
                else:
                    parts.append(TemplateIf(token.at, token.expr, then, otherwise))
                self.broken |= not self._took("endif")
            else:
                body = _joined(self.until("endfor"), token.at)
                parts.append(TemplateFor(token.at, token.key, token.value, token.expr, body))
                self.broken |= not self._took("endfor")
        self.broken |= bool(ends)
        return parts

    def _took(self, kind: str) -> bool:
        if self.next < len(self.tokens) and self.tokens[self.next].kind == kind:
            self.next += 1
            return True
        return False


def _by_line(tokens: list[Token]) -> list[Token]:
    """The tokens, a text of each line by itself: trimming and indentation go by lines."""
    lines: list[Token] = []
    for token in tokens:
        if token.kind == "text" and "\n" in token.text:
            lines += [Token("text", token.at, line) for line in _LINE.findall(token.text)]
        else:
            lines.append(token)
    return lines


_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def _trim(tokens: list[Token]) -> None:
    """Takes white space away beside each `~`: of the text next to it, to the end of its line and no further."""
    for index, token in enumerate(tokens):
        if token.trim_before and index and tokens[index - 1].kind == "text":
            tokens[index - 1].text = tokens[index - 1].text.rstrip()
        if token.trim_after and index + 1 < len(tokens) and tokens[index + 1].kind == "text":
            tokens[index + 1].text = tokens[index + 1].text.lstrip()


def _flush(lines: list[Token]) -> None:
    """Takes the indentation away that all lines share; lines of nothing but spaces have no say."""
    shared: int | None = None
    starts: list[Token] = []
    fresh = True
    for token in lines:
        ends = token.kind == "text" and token.text.endswith("\n")
        if fresh:
            spaces = 0
            if token.kind == "text":
                spaces = len(token.text) - len(token.text.lstrip())
                if spaces == len(token.text) and ends:
                    continue
                starts.append(token)
            shared = spaces if shared is None else min(shared, spaces)
        fresh = ends
    for token in starts:
        token.text = token.text[shared or 0 :]

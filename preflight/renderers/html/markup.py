"""Elements of HTML and SVG, in which text from outside can be nothing but text.

A template engine with auto-escaping was weighed (Jinja2 3.1): it escapes `<`, but what this page has to do to a name
first is spell out what hides in it (`visible`), in every place and without anybody having to think of it. Here that is
the only way in: whatever is not `Markup` goes through `visible` and the standard library's `html.escape`, and mypy
tells the two apart. That leaves so little to template that one more dependency would not pay.
"""

import html
from collections.abc import Iterable
from typing import TypeAlias

from preflight.renderers.visible import visible

_VOID = frozenset({"meta"})
_ON_LINES = frozenset(
    {"article", "details", "div", "dl", "figure", "g", "h1", "h2", "h3", "h4", "h5", "li", "ol", "p", "section",
     "table", "tbody", "thead", "tr", "ul"}
)  # fmt: skip
"""Elements that end their line, so that the file can be read as text; none of them stands in running text."""
LONGEST = 6_000
"""Of a text, in characters: the rest is counted. What is to be copied is never cut."""


class Markup(str):
    """Text that is HTML already. Made here alone, and for the page's own style and script."""

    __slots__ = ()


NEWLINE = Markup("\n")
"""A line break in text that keeps its lines."""

Content: TypeAlias = "str | Markup | Iterable[Content] | None"
Value: TypeAlias = str | int | float | bool | None


def markup(*content: Content) -> Markup:
    """All of it, one after another: text is made harmless, markup stays as it is, None is nothing."""
    return Markup("".join(map(_one, content)))


def element(tag: str, /, *content: Content, **attributes: Value) -> Markup:
    """An element. `class_` stands for `class`, `aria_label` for `aria-label`; None and False leave an attribute out.

    Raises ValueError for an address that leads elsewhere than to a place of this page or to https.
    """
    given = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{given}>")
    end = "\n" if tag in _ON_LINES else ""
    return Markup(f"<{tag}{given}>{markup(*content)}</{tag}>{end}")


def preformatted(text: str) -> Markup:
    """Text whose lines are kept, and which is never cut."""
    return Markup(html.escape(visible(text.rstrip("\n").expandtabs(2), keep="\n")))


def _one(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Markup):
        return content
    return html.escape(visible(_shortened(content))) if isinstance(content, str) else markup(*content)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    if name == "href" and not str(value).startswith(("#", "https://")):
        raise ValueError(f"no address of a report: {value}")
    if name.startswith("on") or name == "style":
        raise ValueError(f"the page's policy forbids the attribute {name}")
    return f" {name}" if value is True else f' {name}="{html.escape(visible(_shortened(_number(value))))}"'


def _number(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)

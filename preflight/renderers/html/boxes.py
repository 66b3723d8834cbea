"""Boxes, lines and marks of a picture, in SVG. Colours and fonts are in the page's style, by the classes given here."""

import unicodedata

from msgspec import Struct

from preflight.renderers.html.markup import Markup, element
from preflight.renderers.visible import visible

LINE = 17
"""From one line of text to the next."""
PADDING = 10
_CAPTION = 16
_CHARACTER = {True: 7.3, False: 6.4}
"""The width of a character of 12 pixels, in names, which are monospaced, and else; a little more than fonts have."""
_MOST_LINES = 4
_BREAKS = "/@.:-_ ,"
_MARKS = {
    "good": "M-4 0.5 L-1.2 3.3 L4 -3",
    "bad": "M-3.2 -3.2 L3.2 3.2 M3.2 -3.2 L-3.2 3.2",
    "none": "M-3 0 L3 0",
    "open": "M-2.4 -1.7 C-2.4 -5 2.6 -5 2.6 -1.9 C2.6 0 0 0.1 0 1.8 M0 4.2 L0 4.4",
}
"""A tick, a cross, a dash, a question mark: what the colours say is said by form as well."""


class Text(Struct, frozen=True):
    """Text in a box; broken into lines where it is long."""

    text: str
    style: str = "name"
    """`name`, `note`, or one of the weights."""


class Box(Struct, frozen=True):
    """A box of a certain width, with what stands in it."""

    caption: str
    lines: tuple[tuple[str, str], ...]
    """Each with its style."""
    width: float
    style: str = ""

    @classmethod
    def of(cls, caption: str, texts: list[Text], width: float, style: str = "") -> "Box":
        """The texts broken into lines that fit."""
        room = width - 2 * PADDING
        lines = tuple(
            (line, text.style)
            for text in texts
            for line in broken(text.text, max(int(room / _CHARACTER[text.style == "name"]), 8))
        )
        return cls(caption, lines, width, style)

    @property
    def height(self) -> float:
        """How high it is."""
        return 2 * PADDING + (_CAPTION if self.caption else 0) + LINE * len(self.lines) - 3

    def at(self, x: float, y: float) -> Markup:
        """The box with its upper left corner there."""
        frame = element("rect", x=x, y=y, width=self.width, height=self.height, rx=8)
        baseline = y + PADDING + 10
        parts = [frame]
        if self.caption:
            parts.append(element("text", self.caption, x=x + PADDING, y=baseline, class_="caption"))
            baseline += _CAPTION
        for number, (line, style) in enumerate(self.lines):
            parts.append(element("text", line, x=x + PADDING, y=baseline + LINE * number, class_=style))
        return element("g", parts, class_=f"box {self.style}".rstrip())


def broken(text: str, room: int) -> list[str]:
    """Text as lines of at most so many columns, broken after a sign where there is one; what is too long ends in an
    ellipsis: the names are told in full beside the picture."""
    rest = visible(text)
    lines: list[str] = []
    while rest:
        fits = _fitting(rest, room)
        if len(lines) == _MOST_LINES - 1 and fits < len(rest):
            return [*lines, rest[: fits - 1] + "…"]
        if fits < len(rest):
            sign = max((rest.rfind(sign, 0, fits) for sign in _BREAKS), default=-1) + 1
            fits = sign if sign > fits // 2 else fits
        lines.append(rest[:fits].strip(" "))
        rest = rest[fits:].lstrip(" ")
    return lines or [" "]


def _fitting(text: str, room: int) -> int:
    columns = 0
    for number, character in enumerate(text):
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns > room:
            return max(number, 1)
    return len(text)


def mark(weight: str, x: float, y: float) -> Markup:
    """A round mark on a line."""
    return element(
        "g",
        element("circle", cx=x, cy=y, r=9),
        element("path", d=_MARKS[weight], transform=f"translate({x:.1f} {y:.1f})"),
        class_=f"mark {weight}",
    )


def line(weight: str, *points: tuple[float, float], arrow: bool = False) -> Markup:
    """A line by these points, of which the way between two that aren't level is a soft bend."""
    (x, y), *rest = points
    d = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        bend = f" C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f}" if y != to_y and x != to_x else " L"
        d += f"{bend} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    parts = [element("path", d=d)]
    if arrow:
        parts.append(element("path", d=f"M{x - 6:.1f} {y - 4:.1f} L{x:.1f} {y:.1f} L{x - 6:.1f} {y + 4:.1f}"))
    return element("g", parts, class_=f"line {weight}")

"""The picture of an access path: who, by which grants where, by which role, comes to what; and what blocks the way.

Drawn twice: from left to right where there is room, from top to bottom on a narrow screen. The page's style shows
one of the two. Both have a title and a description, and the path stands in words below.
"""

from collections.abc import Iterator

from msgspec import Struct

from preflight.facts.access_path import AccessPath, Barrier, Level, Way
from preflight.renderers import words
from preflight.renderers.html import path_words
from preflight.renderers.html.boxes import Box, Text, line, mark
from preflight.renderers.html.markup import Markup, element

_WIDE, _NARROW = 880.0, 340.0
_GAP = 12.0
_INDENT = 34.0
_MOST_ROWS = 8
_MOST_NAMES = 4
_WEIGHTS = {True: "good", False: "bad", None: "open"}


def figure(path: AccessPath, name: str) -> Markup:
    """The picture with its words; `name` is the start of its parts' IDs, unlike any other's on the page."""
    return element(
        "figure",
        element("figcaption", path_words.caption(path)),
        _svg(_Wide(path).drawn(), path, f"{name}-wide", "wide"),
        _svg(_Narrow(path).drawn(), path, f"{name}-narrow", "narrow"),
        element("details", element("summary", "The same in words"), path_words.in_words(path), class_="plain"),
        class_="path",
    )


class _Drawn(Struct, frozen=True):
    width: float
    height: float
    parts: tuple[Markup, ...]


def _svg(drawn: _Drawn, path: AccessPath, name: str, style: str) -> Markup:
    return element(
        "svg",
        element("title", f"How access comes about: {path_words.ANSWERS[path.granted]}", id=f"{name}-title"),
        element("desc", f"{path_words.sentence(path)}.", id=f"{name}-desc"),
        drawn.parts,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        viewBox=f"0 0 {drawn.width + 2:.0f} {drawn.height + 2:.0f}",
        class_=style,
    )


class _Row(Struct, frozen=True):
    """A grant, or a level at which there is none."""

    level: Level
    way: Way | None


def _rows(path: AccessPath) -> list[_Row]:
    rows: list[_Row] = []
    for level, ways in path_words.shown(path):
        rows += [_Row(level, way) for way in ways] or [_Row(level, None)]
    return rows


class _Picture:
    """What both pictures have in common: which boxes there are, and what is written in them."""

    def __init__(self, path: AccessPath) -> None:
        self.path = path
        rows = _rows(path)
        if len(rows) > _MOST_ROWS:  # what stands nowhere is the first to go
            rows = [row for row in rows if row.way is not None][:_MOST_ROWS]
        self.rows = rows
        self.left_out = path.more_ways + len(path.ways) - sum(row.way is not None for row in rows)
        self.with_roles = any(row.way for row in rows) and not path_words.is_role(path.wanted[0])
        self.denied = any(barrier.acts for barrier in path.barriers)
        self.weight = _WEIGHTS[path.granted]

    def principal(self, width: float) -> Box:
        kind, name = path_words.principal_and_name(self.path.principal)
        return Box.of(kind, [Text(name)], width, "end")

    def wanted(self, width: float) -> Box:
        path = self.path
        kinds = {"role" if path_words.is_role(name) else "permission" for name in path.wanted}
        one = kinds.pop() if len(kinds) == 1 else "right"
        caption = one if len(path.wanted) == 1 else f"{len(path.wanted)} {one}s"
        names = [Text(name) for name in path.wanted[:_MOST_NAMES]]
        if len(path.wanted) > _MOST_NAMES:
            names.append(Text(f"and {len(path.wanted) - _MOST_NAMES} more", "note"))
        answer = path_words.ANSWERS[path.granted]
        until = [Text(f"until {words.utc(path.changes_at):%Y-%m-%d %H:%M} UTC", "note")] if path.changes_at else []
        return Box.of(caption, [*names, Text(answer, f"answer {self.weight}"), *until], width, f"end {self.weight}")

    def place(self, row: _Row, width: float) -> Box:
        kind, name = path_words.kind_and_name(row.level.resource)
        if row.way is None:
            said = path_words.nothing_at(row.level, self.path)
            return Box.of(kind, [Text(name), Text(said, "note")], width, "empty")
        return Box.of(kind, [Text(name), *self._of_grant(row.way)], width)

    def place_with_role(self, row: _Row, width: float) -> Box:
        kind, name = path_words.kind_and_name(row.level.resource)
        if row.way is None or not self.with_roles:
            return self.place(row, width)
        role = [Text("gives the role", "note"), Text(row.way.role)]
        return Box.of(kind, [Text(name), *role, *self._of_grant(row.way)], width)

    def _of_grant(self, way: Way) -> Iterator[Text]:
        if member := path_words.member_of(way, self.path):
            yield Text(member, "note")
        if condition := path_words.condition_of(way):
            yield Text(condition, "note")

    def role(self, way: Way, width: float) -> Box:
        unsure = [] if way.role_holds else [Text("may not hold it", "note")]
        return Box.of("role", [Text(way.role), *unsure], width)

    def barrier(self, barrier: Barrier, width: float) -> Box:
        kind, name = path_words.kind_and_name(barrier.resource)
        caption = "deny policy" if barrier.acts else "deny policy, perhaps"
        texts = [Text(barrier.policy), Text(f"on {kind} {name}".replace("  ", " "), "note")]
        return Box.of(caption, texts, width, "bad" if barrier.acts else "open")

    def weight_of(self, row: _Row) -> str:
        """What the row comes to."""
        if row.way is not None:
            return _WEIGHTS[row.way.gives]
        return "none" if row.level.read else "open"


class _Wide(_Picture):
    def drawn(self) -> _Drawn:
        columns = 4 if self.with_roles else 3
        width = 184.0 if self.with_roles else 236.0
        gap = (_WIDE - columns * width) / (columns - 1)
        x = [number * (width + gap) + 1 for number in range(columns)]
        parts: list[Markup] = []
        places: list[tuple[_Row, float]] = []
        y = 1.0
        for row in self.rows:
            place = self.place(row, width)
            role = self.role(row.way, width) if row.way is not None and self.with_roles else None
            height = max(place.height, role.height if role else 0.0)
            parts.append(place.at(x[1], y + (height - place.height) / 2))
            if role:
                parts.append(role.at(x[2], y + (height - role.height) / 2))
            places.append((row, y + height / 2))
            y += height + _GAP
        if self.left_out:
            parts.append(element("text", f"and {self.left_out:,} more grants", x=x[1], y=y + 8, class_="note"))
            y += 20
        principal, wanted = self.principal(width), self.wanted(width)
        barriers = [self.barrier(barrier, width) for barrier in self.path.barriers[:3]]
        over = sum(box.height + 30 for box in barriers)
        height = max(y - _GAP, principal.height, over + wanted.height)
        shift = max((height - (y - _GAP)) / 2, 0.0)
        if shift > 1:
            parts = [element("g", parts, transform=f"translate(0 {shift:.1f})")]
            places = [(row, middle + shift) for row, middle in places]
        middle = (places[0][1] + places[-1][1]) / 2 if places else height / 2
        start = min(max(middle, principal.height / 2 + 1), height - principal.height / 2 + 1)
        end = min(max(middle, over + wanted.height / 2 + 1), height - wanted.height / 2 + 1)
        below = end - wanted.height / 2 - over
        for barrier, box in zip(self.path.barriers, barriers, strict=False):
            weight = "bad" if barrier.acts else "open"
            parts.append(box.at(x[-1], below))
            below += box.height + 30
            parts.append(line(weight, (x[-1] + width / 2, below - 30), (x[-1] + width / 2, below)))
            parts.append(mark(weight, x[-1] + width / 2, below - 15))
        lines = [part for row, at in places for part in self._lines(row, at, start, end, x, width)]
        boxes = [principal.at(x[0], start - principal.height / 2), wanted.at(x[-1], end - wanted.height / 2)]
        return _Drawn(_WIDE, height, (*lines, *parts, *boxes))

    def _lines(self, row: _Row, at: float, start: float, end: float, x: list[float], width: float) -> Iterator[Markup]:
        """Where it is open or ends, the line has a mark on just that part of the way."""
        weight, way = self.weight_of(row), row.way
        to_place = ((x[0] + width, start), (x[1], at))
        to_end = ((x[-2] + width, at), (x[-1], end))
        if way is None:
            yield line("none", *to_place, arrow=True)
            yield line("none", (x[1] + width, at), (x[1] + width + 24, at))
            yield mark("open" if weight == "open" else "none", x[1] + width + 24, at)
            return
        yield line(weight, *to_place, arrow=True)
        if way.covers is None:
            yield mark("open", x[1] - 22, at)
        if self.with_roles:
            yield line(weight, (x[1] + width, at), (x[2], at), arrow=True)
            if way.condition:
                yield mark(_WEIGHTS[way.holds], (x[1] + width + x[2]) / 2 - 3, at)
        given = weight == "good"
        yield line("cut" if given and self.denied else weight, *to_end, arrow=not (given and self.denied))
        # A condition that is false has its mark before the role.
        told = way.holds is not False if weight == "bad" else way.role_holds is None
        if given and self.denied:
            yield mark("bad", x[-1] - 10, end)
        elif told or not self.with_roles:
            yield mark(weight, x[-2] + width + 20, at)


class _Narrow(_Picture):
    def drawn(self) -> _Drawn:
        rail = 12.0
        principal = self.principal(_NARROW)
        parts = [principal.at(1, 1)]
        y = principal.height + 1 + _GAP
        marks: list[Markup] = []
        for row in self.rows:
            box = self.place_with_role(row, _NARROW - _INDENT)
            weight = self.weight_of(row)
            middle = y + box.height / 2
            marks += [line(weight, (rail, middle), (_INDENT, middle)), mark(weight, rail, middle)]
            parts.append(box.at(_INDENT + 1, y))
            y += box.height + _GAP
        if self.left_out:
            parts.append(element("text", f"and {self.left_out:,} more grants", x=_INDENT + 1, y=y + 8, class_="note"))
            y += 20
        for barrier in self.path.barriers[:3]:
            box = self.barrier(barrier, _NARROW - _INDENT)
            weight = "bad" if barrier.acts else "open"
            middle = y + box.height / 2
            marks += [line(weight, (rail, middle), (_INDENT, middle)), mark(weight, rail, middle)]
            parts.append(box.at(_INDENT + 1, y))
            y += box.height + _GAP
        wanted = self.wanted(_NARROW)
        whole = line(self.weight if self.rows else "none", (rail, principal.height), (rail, y + 1))
        return _Drawn(_NARROW, y + wanted.height, (whole, *marks, *parts, wanted.at(1, y)))

"""Where in a TOML file each key stands. The standard library's reader tells no lines."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys from the top of the file; tables of an array by their number."""

# What of TOML can hold a line break or a bracket that ends nothing: texts and comments, the four kinds of quotes.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[{]|[\]}]|\n",
    re.DOTALL,
)


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of each key and table of a text that is valid TOML."""
    found: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    for line, statement in _statements(text):
        value = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _table(value, found, counts, line)
            continue
        for path in _paths(value):
            found.setdefault((*table, *path), line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each `[table]` and `key = value` with the line on which it begins: TOML by itself."""
    line, start, depth = 1, 0, 0
    begun = 1
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "[{":
            depth += 1
        elif word in "]}":
            depth -= 1
        line += word.count("\n")
        if word == "\n" and not depth:
            statement = text[start : token.end()]
            if statement.strip() and not statement.lstrip().startswith("#"):
                yield begun, statement
            start, begun = token.end(), line
    rest = text[start:]
    if rest.strip() and not rest.lstrip().startswith("#"):
        yield begun, rest


def _table(value: dict[str, Any], found: dict[Path, int], counts: dict[Path, int], line: int) -> Path:
    """The path of a `[table]` or `[[table]]`, whose statement alone reads as nested empty tables."""
    path: Path = ()
    inner: Any = value
    while isinstance(inner, dict) and inner:
        key, inner = next(iter(inner.items()))
        path = (*path, key)
        if isinstance(inner, list):
            counts[path] = counts.get(path, -1) + 1
            found.setdefault(path, line)
            path = (*path, counts[path])
            inner = inner[0]
        elif path in counts:  # a table inside the last one of an array
            path = (*path, counts[path])
    found.setdefault(path, line)
    for length in range(1, len(path)):
        found.setdefault(path[:length], line)
    return path


def _paths(value: dict[str, Any], before: Path = ()) -> Iterator[Path]:
    for key, inner in value.items():
        yield (*before, key)
        if isinstance(inner, dict):
            yield from _paths(inner, (*before, key))

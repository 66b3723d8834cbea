"""Finds and reads a repository's configuration; what is wrong in it is told with its line."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from preflight.configuration.lines import Path as KeyPath
from preflight.configuration.lines import lines_of
from preflight.configuration.model import Configuration, ProjectTable, RootTable
from preflight.errors import ConfigurationError, UsageError, nearest
from preflight.target import parse_project

NAME = "preflight.toml"
SHARED = "pyproject.toml"
_MOST_BYTES = 1_000_000
_SECTION: KeyPath = ("tool", "preflight")


class ConfigurationFile(Struct, frozen=True):
    """A configuration, and where each part of it is written."""

    path: Path
    content: Configuration
    lines: dict[KeyPath, int]
    """By keys from the top of the configuration, `[tool.preflight]` left out."""

    @property
    def folder(self) -> Path:
        """Where its paths begin."""
        return self.path.parent

    def line(self, *keys: str | int) -> int:
        """The line of a key, or else that of the nearest table around it."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return self.lines[keys[:length]]
        return self.lines.get((), 1)


def repository_of(path: Path) -> Path | None:
    """The folder of the nearest `.git` at the path or above it; None: there is none."""
    return next((folder for folder in _upward(path) if (folder / ".git").exists()), None)


def find_configuration(path: Path) -> Path | None:
    """The nearest configuration, from the path up to the folder of the nearest `.git`; without one in that folder
    alone. Raises ConfigurationError for a `pyproject.toml` that can't be read."""
    repository = repository_of(path)
    for folder in _upward(path):
        if (folder / NAME).is_file():
            return folder / NAME
        shared = folder / SHARED
        if shared.is_file() and "preflight" in (_parsed(shared, _text(shared)).get("tool") or {}):
            return shared
        if repository is None or folder == repository:
            return None
    return None


def _upward(path: Path) -> list[Path]:
    start = path.absolute()
    folders = [start, *start.parents]
    return folders if start.is_dir() else folders[1:]


def read_configuration(path: Path) -> ConfigurationFile:
    """Reads a configuration. Raises ConfigurationError that names file, line and key."""
    text = _text(path)
    whole = _parsed(path, text)
    lines = lines_of(text)
    if path.name == SHARED:
        tool = whole.get("tool")
        if not isinstance(tool, dict) or "preflight" not in tool:
            raise ConfigurationError(
                f"{path} has no [tool.preflight].", f"Add it, or write a {NAME}: preflight config init"
            )
        whole = tool["preflight"]
        size = len(_SECTION)
        lines = {keys[size:]: line for keys, line in lines.items() if keys[:size] == _SECTION}
    try:
        return ConfigurationFile(path, msgspec.convert(whole, Configuration), lines)
    except msgspec.ValidationError as error:
        raise _explained(path, whole, lines, str(error)) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ConfigurationError(f"{path} is larger than {_MOST_BYTES} bytes.", "Check the path.")
        # As the standard says, and the standard library's reader of files does.
        return data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"{path} cannot be read: {why}.", "Check the path.") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said, _, where = str(error).rpartition(" (at line ")
        line = where.partition(",")[0]
        place = f"{path}:{line}" if line.isdigit() else str(path)
        raise ConfigurationError(f"{place}: {said or error}", "Correct the TOML syntax there.") from None
    except RecursionError:
        raise ConfigurationError(f"{path} is nested too deep to be read.", "Correct the TOML syntax there.") from None


def _explained(path: Path, whole: Any, lines: dict[KeyPath, int], said: str) -> ConfigurationError:
    """The error with its place: tables are read one by one to find which of them is wrong."""
    kind: type[Struct] = Configuration
    keys: KeyPath = ()
    parts: list[tuple[KeyPath, Any, type[Struct]]] = []
    projects, roots = (whole.get("projects"), whole.get("roots")) if isinstance(whole, dict) else (None, None)
    if isinstance(projects, dict):
        parts += [(("projects", name), table, ProjectTable) for name, table in projects.items()]
    if isinstance(roots, list):
        parts += [(("roots", number), table, RootTable) for number, table in enumerate(roots)]
    for at, table, form in parts:
        try:
            msgspec.convert(table, form)
        except msgspec.ValidationError as error:
            keys, kind, said = at, form, str(error)
            break
    what, _, inner = said.partition(" - at `")
    inside = tuple(int(one) if one.isdigit() else one for one in re.findall(r"[\w-]+", inner.removeprefix("key in ")))
    unknown = re.search(r"unknown field `(.*)`", what)
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    if unknown:
        inside = (unknown[1],)
        what = f"there is no key '{unknown[1]}' here"
        hint = nearest(unknown[1], known)
    elif value := re.search(r"Invalid enum value '(.*)'", what):
        what = f"'{value[1]}' is none of the values that it may have"
        hint = nearest(value[1], _choices(kind, inside))
    elif (found := re.match(r"'([^']*)' is not a project ID", what)) and not keys:
        keys, hint = ("projects", found[1]), _hint_of_project(found[1])
    else:
        what = _plain(what)
        hint = f"Its form is in the JSON Schema: preflight schema config. A commented file to begin with: {_INIT}"
    place = _nearest_line(lines, (*keys, *inside))
    shown = ".".join(str(key) for key in (*keys, *(key for key in inside if not unknown))) or "top level"
    return ConfigurationError(f"{path}:{place}: {shown}: {what[:1].lower()}{what[1:].rstrip('.')}.", hint)


_INIT = "preflight config init"
_WORDS = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
    "null": "",
}


def _plain(said: str) -> str:
    """What msgspec says of types, in words that a user of TOML knows."""

    def words(found: re.Match[str]) -> str:
        return " or ".join(word for name in found[1].split(" | ") if (word := _WORDS.get(name, name)))

    return re.sub(r"`([\w| ]+)`", words, said).replace("a text of length >= 1", "a text that is not empty")


def _hint_of_project(name: str) -> str:
    try:
        parse_project(name)
    except UsageError as error:
        return error.hint
    return ""


def _choices(kind: type[Struct], inside: KeyPath) -> list[str]:
    described = msgspec.json.schema(kind)["$defs"]
    return [value for one in described.values() for value in one.get("enum", ())] or [str(inside)]


def _nearest_line(lines: dict[KeyPath, int], keys: KeyPath) -> int:
    for length in range(len(keys), 0, -1):
        if keys[:length] in lines:
            return lines[keys[:length]]
    return lines.get((), 1)

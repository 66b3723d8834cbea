"""Where rules and profiles are found: the built-in folder, and the packages that other distributions add."""

import importlib.util
import os
import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from msgspec import Struct

from preflight.errors import RuleError


class PluginFolder(Struct, frozen=True):
    """A package that another distribution adds, and where its files are."""

    name: str
    folder: Path


def builtin_folder() -> Path:
    """The folder that holds the built-in rules and profiles, in a wheel and in an editable install alike."""
    spec = importlib.util.find_spec("preflight.rules")
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0])
    return Path(__file__).parent.parent / "rules"  # a checkout that was not installed


def plugin_folders(group: str) -> list[PluginFolder]:
    """The packages that entry points of this group name. Raises RuleError for one that isn't there."""
    if not _may_be_named(group):
        return []
    from importlib.metadata import entry_points  # with what it imports, a fifth of a whole check of one file

    found = []
    for entry in entry_points(group=group):
        spec = importlib.util.find_spec(entry.value)
        if spec is None or not spec.submodule_search_locations:
            raise RuleError(f"Entry point '{entry.name}' of {group} names {entry.value}, which is not a package.")
        found.append(PluginFolder(entry.value, Path(spec.submodule_search_locations[0])))
    return found


def _may_be_named(group: str) -> bool:
    """Whether an installed distribution may have entry points of this group. False: none has, which is the common
    case, and is told from the files themselves; wherever there is more to it, `importlib.metadata` has the word."""
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return True  # distributions that are not on the path
    declared = _declared(tuple(sys.path))
    return declared is None or group.encode() in declared


@cache
def _declared(path: tuple[str, ...]) -> bytes | None:
    """All entry points that are declared on this path, as they are written. None: some may be in an archive."""
    found = []
    for folder in path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - in the words of importlib.metadata, which this follows
        except NotADirectoryError:
            return None
        except OSError:
            continue
        for name in names:
            if name.lower().endswith((".dist-info", ".egg-info")) or name.lower() == "egg-info":
                try:
                    with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123
                        found.append(file.read())
                except OSError:
                    continue  # it declares none
    return b"\n".join(found)

"""Where rules and profiles are found: the built-in folder, and the packages that other distributions add."""

import importlib.util
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
    from importlib.metadata import entry_points  # costs as much as half of click: not for --version

    found = []
    for entry in entry_points(group=group):
        spec = importlib.util.find_spec(entry.value)
        if spec is None or not spec.submodule_search_locations:
            raise RuleError(f"Entry point '{entry.name}' of {group} names {entry.value}, which is not a package.")
        found.append(PluginFolder(entry.value, Path(spec.submodule_search_locations[0])))
    return found

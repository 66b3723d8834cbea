"""`preflight config`: what a repository's configuration says, and a first one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from preflight.cli.layout import Group
from preflight.cli.new_file import write_new
from preflight.configuration.files import NAME, ConfigurationFile, find_configuration, read_configuration
from preflight.configuration.template import TEMPLATE
from preflight.errors import ConfigurationError, OutputError
from preflight.renderers.visible import visible


@click.group(name="config", cls=Group, help="Show or write a repository's configuration.")
def command() -> None:
    """The group of the commands about configurations."""


@command.command(name="show")
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=Path())
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="This file, wherever it is.")
def show(path: Path, config: Path | None) -> None:
    """Show what `preflight check PATH` goes by, and from which line.

    It is preflight.toml, or [tool.preflight] in pyproject.toml, in the nearest folder up to that of the nearest .git.
    """
    file = config or find_configuration(path)
    if file is None:
        raise ConfigurationError(
            f"There is no configuration for '{path}'.",
            f"{NAME} is looked for up to the folder of the nearest .git. To begin one: preflight config init",
        )
    found = read_configuration(file)
    from tabulate import tabulate

    shown = visible(os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file))
    rows = [(key, value, f"{shown}:{line}" if line else "default") for key, value, line in _in_force(found)]
    click.echo(tabulate(rows, headers=("key", "value", "from"), tablefmt="plain", disable_numparse=True))


def _in_force(found: ConfigurationFile) -> Iterator[tuple[str, str, int]]:
    """Each key with its value, and its line; 0: the default."""
    content = found.content
    for name, project in content.projects.items():
        yield from _table(found, project, ("projects", name))
    for number, root in enumerate(content.roots):
        yield from _table(found, root, ("roots", number))
    yield _row(found, content.rules, ("rules",))
    yield _row(found, content.skip, ("skip",))


def _table(found: ConfigurationFile, table: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str, str, int]]:
    for name, key in zip(table.__struct_fields__, table.__struct_encode_fields__, strict=True):
        yield _row(found, getattr(table, name), (*keys, key))


def _row(found: ConfigurationFile, value: Any, keys: tuple[str | int, ...]) -> tuple[str, str, int]:
    return visible(".".join(map(str, keys))), visible(_shown(value)), found.lines.get(keys, 0)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} = {inner}" for key, inner in value.items()) or "none"
    return "none" if value is None else str(value)


@command.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
def init(folder: Path) -> None:
    """Write a commented preflight.toml to begin with; one that is there stays as it is."""
    path = folder / NAME
    taken = OutputError(f"'{path}' is there already.", "See it with: preflight config show")
    write_new(path, TEMPLATE, taken=taken, otherwise="Name another folder.")
    click.echo(f"Written: {visible(str(path))}. Edit it, then try: preflight check", err=True)

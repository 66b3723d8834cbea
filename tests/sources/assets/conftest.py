"""The command line on exports, and the facts that exports tell."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from preflight.emulator import World
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.profile import load_profile
from preflight.sources.assets import AssetsSource
from preflight.target import parse_target
from tests.end_to_end.conftest import Preflight, Result, clean_place, preflight, serve
from tests.sources.assets.exporting import Line, exported, write

__all__ = ["Told", "Tried", "clean_place", "preflight", "serve"]

PROJECT, FOLDER, ORGANIZATION = "projects/421700000001", "folders/373737000001", "organizations/987650000001"
CHAIN = [PROJECT, FOLDER, ORGANIZATION]
OWN = "projects/acme-analytics"
Tried = Callable[..., Result]
Told = Callable[..., Any]
"""Tests look into facts that they know to be there: the snapshot is not checked for Unknowns."""


@pytest.fixture
def ready() -> list[Line]:
    """The export of the ready world: the project is `acme-analytics`, in a folder of an organization."""
    return exported(World.demo("ready"))


@pytest.fixture
def run(preflight: Preflight, tmp_path: Path) -> Tried:
    """Judges an export: lines, bytes, or the path of a file; options follow. JSON and no files, unless they say."""

    def judge(export: "Iterable[Line] | bytes | Path", *options: str, name: str = "export.json") -> Result:
        path = tmp_path / name
        if isinstance(export, Path):
            path = export
        elif isinstance(export, bytes):
            path.write_bytes(export)
        else:
            write(path, export)
        stated = options if {"--format", "--output-dir"} & {*options} else (*options, "--format", "json", "--no-files")
        return preflight("run", "--assets", str(path), *stated)

    return judge


@pytest.fixture
def tell(tmp_path: Path) -> Told:
    """All facts that exports tell of a project: each export is a list of lines, or a file."""

    def facts(
        *exports: "Iterable[Line] | Path", project: str = "acme-analytics", name: str = "export{}.json"
    ) -> Snapshot:
        paths = tuple(
            export if isinstance(export, Path) else write(tmp_path / name.format(n or ""), export)
            for n, export in enumerate(exports)
        )
        profile = load_profile("heap")
        return AssetsSource(paths, profile, parse_target(profile, project)).collect(frozenset(FIELD_OF))

    return facts


def of_kind(lines: Iterable[Line], kind: str, content: str = "resource") -> list[Line]:
    """The lines of a kind of asset that have this content."""
    return [line for line in lines if line["asset_type"].endswith(f"/{kind}") and content in line]


def without(lines: Iterable[Line], kind: str, content: str = "resource") -> list[Line]:
    """All lines but those."""
    taken = of_kind(lines, kind, content)
    return [line for line in lines if not any(line is one for one in taken)]


def line_of(lines: list[Line], kind: str, content: str = "resource") -> int:
    """The number of the first such line in its file."""
    return lines.index(of_kind(lines, kind, content)[0]) + 1


def changed(line: Line, **data: Any) -> Line:
    """A RESOURCE line with some of its data changed."""
    return {**line, "resource": {**line["resource"], "data": {**line["resource"]["data"], **data}}}


def with_bindings(lines: list[Line], kind: str, *bindings: Line) -> list[Line]:
    """The same export, in which one policy has these bindings."""
    (line,) = of_kind(lines, kind, "iam_policy")
    return [{**one, "iam_policy": {"bindings": [*bindings]}} if one is line else one for one in lines]

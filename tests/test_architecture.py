"""Who may import whom, where import-linter can't say it: rules see the public face and pure modules only."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RULES = sorted(path for path in (ROOT / "rules").glob("*.py") if path.name != "__init__.py")

# What a pure function may want of the standard library; none of these reads or writes anything.
PURE = {
    "__future__",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "re",
    "string",
    "textwrap",
    "typing",
    "urllib.parse",
}
IMPURE_CALLS = {"__import__", "breakpoint", "compile", "eval", "exec", "globals", "input", "open", "print"}
# Rooms that any other may use, so that no contract has to name them.
OPEN_TO_ALL = {"__init__", "__main__", "version"}


def offences(source: str) -> Iterator[str]:
    """What a rule's text imports or calls that a rule may not."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (f"import {name.name}" for name in names if name.name not in PURE)
            case ast.ImportFrom(module=module, level=level, names=names):
                if level or module not in PURE | {"preflight"}:
                    yield f"from {'.' * level}{module or ''} import {names[0].name}"
                elif names[0].name == "*":
                    yield f"from {module} import *"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{name}()"


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_sees_the_public_face_and_pure_modules_only(path):
    assert list(offences(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        pytest.param("from preflight.sources import live", "from preflight.sources import live", id="source"),
        pytest.param("import preflight.engine", "import preflight.engine", id="a room"),
        pytest.param("from google.cloud import bigquery", "from google.cloud import bigquery", id="Google"),
        pytest.param("from . import other", "from . import other", id="another rule"),
        pytest.param("from preflight import *", "from preflight import *", id="everything"),
        pytest.param("def f():\n    import os", "import os", id="hidden in a function"),
        pytest.param("x = open('/etc/hosts')", "open()", id="a file"),
    ],
)
def test_the_check_sees_what_a_rule_may_not(source, offence):
    assert list(offences(source)) == [offence]


def test_the_check_lets_a_rule_be():
    assert list(offences("from datetime import timedelta\nfrom preflight import Datasets, rule")) == []


def test_the_contracts_name_every_room():
    """Contracts forbid by name: a new room that none of them knows would be open to all."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = {path.stem for path in (ROOT / "preflight").glob("*.py")}
    rooms |= {path.parent.name for path in (ROOT / "preflight").glob("*/__init__.py")}
    for contract in config["tool"]["importlinter"]["contracts"][:2]:
        named = {*contract["source_modules"], *contract["forbidden_modules"]}
        allowed = {"facts"} if contract["source_modules"] == ["preflight.access"] else set()
        assert {f"preflight.{room}" for room in rooms - OPEN_TO_ALL - allowed} <= named, contract["name"]


def test_every_folder_of_code_is_a_package():
    """Without __init__.py a folder works in a checkout, but not in a wheel or, for rules, when editable."""
    folders = {path.parent for top in ("preflight", "rules") for path in (ROOT / top).rglob("*.py")}
    missing = [folder.name for folder in folders if not (folder / "__init__.py").exists()]
    assert missing == []

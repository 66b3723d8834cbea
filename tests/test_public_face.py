"""`preflight` itself: what rules may import, and that importing it costs nothing."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import preflight


@pytest.mark.parametrize("name", preflight.__all__)
def test_each_name_is_there_and_is_the_one_of_its_module(name):
    module = importlib.import_module(preflight._MODULE_OF[name])
    assert getattr(preflight, name) is getattr(module, name)


def test_no_name_is_listed_twice():
    listed = " ".join(preflight._HOME.values()).split()
    assert len(listed) == len(set(listed))


def test_what_type_checkers_see_is_what_is_there():
    tree = ast.parse(Path(preflight.__file__).read_text(encoding="utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    seen = {alias.asname: line.module for line in block.body for alias in line.names}
    assert all(alias.name == alias.asname for line in block.body for alias in line.names)
    assert seen == {name: module for name, module in preflight._MODULE_OF.items() if name != "__version__"}


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'preflight' has no attribute 'Bilings'"):
        _ = preflight.Bilings


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                          cwd=Path(preflight.__file__).parents[1])  # fmt: skip
    return set(done.stdout.split())


def test_importing_it_loads_no_submodule():
    assert {name for name in loaded_by("import preflight") if name.startswith("preflight")} == {"preflight"}


def test_the_version_loads_nothing_of_google():
    loaded = loaded_by("import preflight; preflight.__version__")
    assert {name for name in loaded if name.startswith("preflight")} == {"preflight", "preflight.version"}


def test_a_rules_imports_load_neither_google_nor_pydantic():
    loaded = {name.partition(".")[0] for name in loaded_by("from preflight import Billing, Verdict, rule, shell")}
    assert not loaded & {"google", "grpc", "pydantic", "click", "requests"}

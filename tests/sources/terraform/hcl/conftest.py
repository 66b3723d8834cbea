"""What the tests of the HCL reader share: a repository written from texts, and what is read from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.hcl.reading import Inputs, Library
from preflight.sources.terraform.resources import Declared

Read = Callable[..., Declared]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes files (a text alone is `main.tf`), and reads the root `at`, with inputs."""

    def write_and_read(
        files: str | dict[str, str | bytes], at: str = ".", limits: Any = None, types: Any = None, **inputs: Any
    ) -> Declared:
        for name, text in ({"main.tf": files} if isinstance(files, str) else files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        given = tuple(tmp_path / one if isinstance(one, Path) else one for one in inputs.pop("given", ()))
        repo = Library(tmp_path, limits) if limits else tmp_path
        return read_root(repo, tmp_path / at, Inputs(given=given, **inputs), types)

    return write_and_read


@pytest.fixture
def value(read: Read) -> Callable[..., Any]:
    """The value of one expression in a root with this text beside it."""

    def evaluate(expression: str, text: str = "", **options: Any) -> Any:
        files = {"value.tf": f'resource "a" "value" {{\n  v = {expression}\n}}\n', "text.tf": text}
        files |= options.pop("files", {})
        declared = read(files, **options)
        return next(one for one in declared.resources if one.address == "a.value").values["v"]

    return evaluate

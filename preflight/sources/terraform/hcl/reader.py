"""The way in: a root module's folder, read into the resources that it declares."""

import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from preflight.sources.terraform.hcl.module import Module
from preflight.sources.terraform.hcl.reading import Inputs, Library, Reading
from preflight.sources.terraform.hcl.repository import UnreadableError
from preflight.sources.terraform.hcl.scope import ExhaustedError
from preflight.sources.terraform.hcl.values import UnsettledError
from preflight.sources.terraform.hcl.variables import given_values
from preflight.sources.terraform.resources import Declared, Omission, Place, Resource

_FRAMES = 20_000
"""Python's own limit while a root is read: each level of an expression takes some frames, and is counted."""


def read_root(
    repo: Path | Library, root: Path, inputs: Inputs | None = None, types: Set[str] | None = None
) -> Declared:
    """The resources that a root module declares, its modules' included, and what was not read.

    `repo` is the repository that nothing is read outside of; give a `Library` to read several of its roots. `types`:
    only resources of these types are worked out (data sources are left out then); None: all. Never raises for what is
    in the files: what can't be told is unsettled, what can't be read an omission.
    """
    library = repo if isinstance(repo, Library) else Library(repo)
    shown = library.repository.shown(root)
    try:
        path = library.repository.inside(root)
    except UnreadableError as error:
        place = Place(shown)
        return Declared(root=place, resources=(), omissions=(Omission(f"{shown} was not read: {error}", "", place),))
    reading = Reading(library, path, inputs or Inputs())
    resources: list[Resource] = []
    module = Module(reading, library.folder(path))
    with _deep_stack():
        try:
            module.given = given_values(reading)
            for one in _walk(module, types):
                resources.append(one)  # noqa: PERF402 - what was found before a limit stays
        except ExhaustedError:
            why = f"reading {shown} takes more than {library.limits.steps} steps, the limit here"
            reading.omit(Omission(why, "a plan", module.files.place))
        except RecursionError:
            why = f"{shown} is nested too deep to be read"
            reading.omit(Omission(why, "a plan", module.files.place))
    return Declared(root=Place(shown), resources=tuple(resources), omissions=tuple(reading.omissions))


def _walk(module: Module, types: Set[str] | None) -> Iterator[Resource]:
    for problem in module.files.problems:
        module.reading.omit(problem)
    for kind in ("resource", "data"):
        for type_, label in module.files.keys(kind):
            if types is None or (type_ in types and kind == "resource"):
                for instance in module.instances(kind, type_, label):
                    yield instance.resource()
    for (label,) in module.files.keys("module"):
        try:
            called = module.modules(label)
        except UnsettledError:
            continue  # past a limit: an omission tells
        for one in called:
            yield from _walk(one, types)


@contextmanager
def _deep_stack() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

"""What one read of a root has in common for all its modules: files, limits, inputs, what was left out."""

import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from preflight.sources.terraform.hcl.folder import Folder, read_folder
from preflight.sources.terraform.hcl.limits import LIMITS, Limits
from preflight.sources.terraform.hcl.repository import Repository
from preflight.sources.terraform.hcl.scope import Budget, Scope
from preflight.sources.terraform.hcl.syntax import Block, Source
from preflight.sources.terraform.resources import Omission

_CACHED_BYTES = 16_000_000
"""Of text; parsed, it takes about twice the room."""


class Inputs(Struct, frozen=True, kw_only=True):
    """What a run of Terraform is given beside its files."""

    given: tuple[str | Path, ...] = ()
    """`--var` as `name=value` texts and `--var-file` as paths, in the order of the command line: the last one wins."""
    environment: Mapping[str, str] = {}
    """Where `TF_VAR_*` are looked up; nothing else is."""
    workspace: str | None = "default"
    """`terraform.workspace`; None: not known."""


class Library:
    """The folders of a repository, each parsed once; those not used for longest are dropped."""

    def __init__(self, repo: Path, limits: Limits = LIMITS) -> None:
        self.repository = Repository(repo, limits)
        self.limits = limits
        self._folders: OrderedDict[str, Folder] = OrderedDict()
        self._bytes = 0

    def folder(self, path: str) -> Folder:
        """The module in a folder, by its real path."""
        known = self._folders.get(path)
        if known is None:
            known = read_folder(self.repository, path)
            self._folders[path] = known
            self._bytes += known.size
            while self._bytes > _CACHED_BYTES and len(self._folders) > 1:
                _, dropped = self._folders.popitem(last=False)
                self._bytes -= dropped.size
        else:
            self._folders.move_to_end(path)
        return known


class Reading:
    """One read of a root."""

    def __init__(self, library: Library, root: str, inputs: Inputs) -> None:
        self.library = library
        self.root = root
        """The real path of the root's folder."""
        self.inputs = inputs
        self.budget = Budget(library.limits)
        self.modules = 0
        self.omissions: dict[Omission, None] = {}
        self.installed: dict[str, tuple[str, str]] | None = None
        """From `.terraform/modules/modules.json`: each module's source and folder, by its key."""

    def omit(self, omission: Omission) -> None:
        """Remembers something that was not read; the same thing once."""
        self.omissions.setdefault(omission)

    def relative(self, path: str) -> str:
        """A folder's path from the root's, as `path.module` says it."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")


class Around(Protocol):
    """What a module's instance is to the resources and calls in it."""

    @property
    def reading(self) -> Reading:
        """The read that it is part of."""

    @property
    def files(self) -> Folder:
        """Its source."""

    @property
    def address(self) -> str:
        """`module.a["x"]`; empty for the root."""

    @property
    def depth(self) -> int:
        """How many modules it is in."""

    @property
    def parent(self) -> "Around | None":
        """The module that calls it; None for the root."""

    @property
    def call(self) -> Block | None:
        """The call in the parent."""

    def scope(self, source: Source) -> Scope:
        """The scope of an expression in one of its files."""

    def provider_project(self, name: str, alias: str) -> Any:
        """The `project` of a provider's configuration as it sees it."""


def shown_name(around: Around, label: str) -> str:
    """A module call's address."""
    return f"{around.address}.module.{label}" if around.address else f"module.{label}"

"""Which folders of a repository are root modules: those that Terraform is run in.

A root has a backend, a provider block, a lock file or `.tfvars`; other folders with Terraform files are modules, and
are judged through the roots that call them. Files are searched for their bytes alone: nothing is parsed.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from preflight.sources.terraform.hcl.folder import configuration_files
from preflight.sources.terraform.hcl.limits import LIMITS, Limits
from preflight.sources.terraform.hcl.repository import Repository, UnreadableError
from preflight.sources.terraform.resources import Omission, Place

_ROOT = re.compile(rb'^[ \t]*(?:(?:provider|backend)[ \t]*"[^"\n]*"[ \t]*\{|cloud[ \t]*\{)', re.MULTILINE)
_ROOT_JSON = re.compile(rb'"(?:provider|backend|cloud)"[ \t\r\n]*:')
_LOCAL = re.compile(rb'\bsource"?[ \t]*[=:][ \t]*"(\.\.?(?:/[^"\n]*)?)"')
_SKIPPED = {".git", ".terraform", "node_modules"}
_LOCK = ".terraform.lock.hcl"


class Roots(Struct, frozen=True):
    """The root modules that were asked for."""

    roots: tuple[Path, ...]
    """Their folders, in order."""
    omissions: tuple[Omission, ...] = ()
    """Folders and files that could not be looked at."""


def find_roots(repo: Path, paths: Iterable[Path], limits: Limits = LIMITS) -> Roots:
    """The roots in folders, and those that reach the files among `paths`, by local module calls however deep.

    A folder is searched with all that is in it, hidden folders and `.terraform` apart. A file leads to its own folder
    if that is a root; else the repository is searched for the roots that call it.
    """
    search = _Search(Repository(repo, limits))
    found: set[str] = set()
    wanted: set[str] = set()
    for path in paths:
        try:
            real = search.repository.inside(path)
        except UnreadableError as error:
            place = Place(search.repository.shown(path))
            search.omissions.append(Omission(f"{place.file} was not looked at: {error}", "correct the path", place))
            continue
        if Path(real).is_dir():
            found |= {folder for folder in search.folders(real) if search.is_root(folder)}
        elif search.is_root(posixpath.dirname(real)):
            found.add(posixpath.dirname(real))
        else:
            wanted.add(posixpath.dirname(real))
    if wanted:
        found |= {root for root in search.all_roots() if search.reached(root) & wanted}
    return Roots(tuple(Path(root) for root in sorted(found)), tuple(search.omissions))


class _Search:
    """Looks at folders, each once."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.omissions: list[Omission] = []
        self._seen: dict[str, tuple[bool, frozenset[str]]] = {}

    def folders(self, start: str) -> Iterator[str]:
        """The folders below one, itself included; links are not followed."""
        for count, (folder, inner, names) in enumerate(os.walk(start)):
            inner[:] = sorted(name for name in inner if name not in _SKIPPED and not name.startswith("."))
            if count >= self.repository.limits.folders:
                place = Place(self.repository.shown(start))
                why = f"{place.file} has more than {self.repository.limits.folders} folders, the limit here"
                self.omissions.append(Omission(why, "name the root's folder", place))
                return
            if any(configuration_files(names)):
                yield folder

    def all_roots(self) -> list[str]:
        """All roots of the repository."""
        return [folder for folder in self.folders(self.repository.root) if self.is_root(folder)]

    def is_root(self, folder: str) -> bool:
        """Whether Terraform is run in a folder."""
        return self._look(folder)[0]

    def reached(self, root: str) -> set[str]:
        """The folders that a root's local module calls reach, its own included."""
        found = {root}
        pending = [root]
        while pending:
            for called in self._look(pending.pop())[1] - found:
                found.add(called)
                pending.append(called)
        return found

    def _look(self, folder: str) -> tuple[bool, frozenset[str]]:
        if folder not in self._seen:
            self._seen[folder] = self._looked(folder)
        return self._seen[folder]

    def _looked(self, folder: str) -> tuple[bool, frozenset[str]]:
        try:
            names = self.repository.names(folder)
        except UnreadableError:
            return False, frozenset()  # a call to it is told where it is read
        plain, overrides = configuration_files(names)
        root = _LOCK in names or any(name.endswith((".tfvars", ".tfvars.json")) for name in names)
        called: set[str] = set()
        for name in plain + overrides:
            try:
                data = self.repository.read(f"{folder}/{name}")
            except UnreadableError as error:
                place = Place(self.repository.shown(f"{folder}/{name}"))
                self.omissions.append(Omission(f"{place.file} was not read: {error}", "make it readable", place))
                continue
            root = root or bool((_ROOT_JSON if name.endswith(".json") else _ROOT).search(data))
            called |= {posixpath.normpath(f"{folder}/{one.decode('utf-8', 'replace')}") for one in _LOCAL.findall(data)}
        return root and bool(plain or overrides), frozenset(called)

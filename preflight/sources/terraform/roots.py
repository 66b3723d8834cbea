"""Which folders of a repository are root modules.

A root is applied by itself: it has a backend, a provider's configuration, a lock file or files of variables, and no
other folder calls it as a module. Where no folder has any of these, those that nobody calls are roots.
"""

import os
import re
from collections.abc import Iterable

from msgspec import Struct

from preflight.sources.terraform.hcl.folder import configuration_files
from preflight.sources.terraform.hcl.repository import Repository, UnreadableError
from preflight.sources.terraform.kinds import RELEVANT

_MARKS = re.compile(rb'^[ \t]*(?:provider[ \t]+"[^"\n]+"|backend[ \t]+"[^"\n]+"|cloud)[ \t]*\{', re.MULTILINE)
_MARKS_IN_JSON = re.compile(rb'"(?:provider|backend|cloud)"\s*:')
_CALLS = re.compile(rb'"?\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"\n]*)?)"')
_TEXTS = (".tf", ".tofu", ".json", ".tfvars", ".yaml", ".yml", ".csv", ".tftpl", ".tpl", ".hcl", ".toml", ".txt")
"""Files in which names may stand that Terraform's `file()` or `yamldecode()` brings in."""
_KINDS = "|".join(sorted(kind.removeprefix("google_") for kind in RELEVANT))
_MATTERS = re.compile(rb"google_(?:" + _KINDS.encode() + rb")|gserviceaccount\.com")
"""What a file has in it that may be about a vendor's connection."""
_LEFT_OUT = frozenset({"node_modules"})


class Survey(Struct, frozen=True):
    """What a look through a repository finds."""

    roots: tuple[str, ...]
    """Real paths, in their order."""
    mentioned: frozenset[str]
    """Which of the texts that were looked for stand anywhere."""
    problems: tuple[str, ...] = ()
    """What was not looked at."""
    mattering: tuple[str, ...] = ()
    """Files of Terraform that would matter if they were part of a root, and those that can't be read: real paths."""


class _Look:
    def __init__(self, repository: Repository, texts: Iterable[str]) -> None:
        self.repository = repository
        self.wanted = {text: text.casefold().encode() for text in texts}
        self.mentioned: set[str] = set()
        self.marked: list[str] = []
        self.modules: list[str] = []
        """All folders with files of Terraform."""
        self.called: set[str] = set()
        self.problems: list[str] = []
        self.mattering: list[str] = []

    def all(self) -> None:
        """Looks through all folders, links and hidden ones apart."""
        waiting = [self.repository.root]
        looked = 0
        while waiting:
            folder = waiting.pop()
            looked += 1
            if looked > self.repository.limits.folders:
                self.problems.append(f"the repository has more than {looked - 1} folders, the limit here")
                return
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.problems.append(f"{self.repository.shown(folder)} was not looked through: {error.strerror}")
                continue
            inner = [one for one in found if not one.name.startswith(".") and one.name not in _LEFT_OUT]
            waiting += [one.path for one in reversed(inner) if one.is_dir(follow_symlinks=False)]
            self._folder(folder, [one.name for one in found if not one.is_dir(follow_symlinks=False)])

    def _folder(self, folder: str, names: list[str]) -> None:
        plain, overrides = configuration_files(names)
        configuration = {*plain, *overrides}
        marked = ".terraform.lock.hcl" in names or any(
            name.endswith((".tfvars", ".tfvars.json")) and not name.startswith(".") for name in names
        )
        for name in names:
            if not name.endswith(_TEXTS) or not (configuration or self.wanted):
                continue
            if name not in configuration and not self.wanted:
                continue
            try:
                data = self.repository.read(f"{folder}/{name}")
            except UnreadableError:
                if name in configuration:
                    self.mattering.append(f"{folder}/{name}")
                continue  # who reads it as configuration says so
            if self.wanted:
                self._mentions(data)
            if name in configuration:
                marks = _MARKS_IN_JSON if name.endswith(".json") else _MARKS
                marked = marked or marks.search(data) is not None
                self._calls(folder, data)
                if _MATTERS.search(data):
                    self.mattering.append(f"{folder}/{name}")
        if configuration:
            self.modules.append(folder)
            if marked:
                self.marked.append(folder)

    def _mentions(self, data: bytes) -> None:
        lower = data.lower()
        for text, wanted in list(self.wanted.items()):
            if wanted in lower:
                self.mentioned.add(text)
                del self.wanted[text]

    def _calls(self, folder: str, data: bytes) -> None:
        for call in _CALLS.finditer(data):
            self.called.add(os.path.normpath(f"{folder}/{os.fsdecode(call[1])}"))


def survey(repository: Repository, texts: Iterable[str] = ()) -> Survey:
    """Looks through the whole repository for root modules, and for texts, in whatever case."""
    look = _Look(repository, texts)
    look.all()
    roots = [one for one in look.marked if one not in look.called]
    if not roots:
        roots = look.marked or [one for one in look.modules if one not in look.called]
    return Survey(tuple(roots), frozenset(look.mentioned), tuple(look.problems), tuple(look.mattering))

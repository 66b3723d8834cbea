"""What all root modules of a repository declare, sorted by the project that it is about."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from preflight.sources.terraform.hcl.folder import Folder
from preflight.sources.terraform.hcl.limits import LIMITS, Limits
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.hcl.reading import Inputs, Library
from preflight.sources.terraform.hcl.repository import Repository
from preflight.sources.terraform.kinds import DATASET, DATASET_ACCESS, DATASET_IAM, POLICY_IAM, PROJECT, RELEVANT
from preflight.sources.terraform.resources import Declared, Omission, Place, Resource, Value
from preflight.sources.terraform.semantics.home import project_in

_EVERYWHERE = frozenset({"google_folder", "google_iam_policy"}) | {
    kind for kind, (level, _) in POLICY_IAM.items() if level != "projects"
}
"""Types that name no project, and may matter for any."""


class Use(Struct, frozen=True):
    """One way in which a root is applied."""

    root: str
    """The real path of its folder."""
    inputs: Inputs


class Mention(Struct, frozen=True):
    """A project in which a principal is given something."""

    principal: str
    project: str | None
    """None: which one can't be told."""


class Declarations:
    """The resources of many roots that matter, and what was read for them."""

    def __init__(self, repo: Path, limits: Limits = LIMITS) -> None:
        self._library = _Recording(repo, limits)
        self._parts: dict[str, _Part] = {}
        """By root: all its uses together."""
        self._concerned: dict[str, dict[str, None]] = {}
        """By project: the roots that surely declare something of it."""
        self._open: dict[str, None] = {}
        """The roots in which anything may be about any project."""

    @property
    def repository(self) -> Repository:
        """The door to its files."""
        return self._library.repository

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots that were read."""
        return tuple(self._parts)

    @property
    def folders(self) -> frozenset[str]:
        """Every folder that a root reaches: its own and those of its modules."""
        return frozenset(folder for part in self._parts.values() for folder in part.folders)

    def read(self, use: Use) -> None:
        """Reads a root in one more way. Never raises for what is in its files."""
        self._library.reached = set()
        self._add(use.root, read_root(self._library, Path(use.root), use.inputs, RELEVANT), self._library.reached)

    def add(self, name: str, declared: Declared) -> None:
        """Adds what something else than a root declares, a plan say."""
        self._add(name, declared, set())

    def _add(self, root: str, declared: Declared, folders: set[str]) -> None:
        part = self._parts.setdefault(root, _Part(declared.root))
        part.add(declared, folders)
        for project in part.projects:
            self._concerned.setdefault(project, {})[root] = None
        if part.is_open:
            self._open[root] = None

    def reaches(self, root: str, path: str) -> bool:
        """Whether a root, its modules included, has to do with a file or folder, by its real path."""
        own = {root, *self._parts[root].folders}
        return any(within(path, folder) or within(folder, path) for folder in own)

    def about(self, project: str, roots: Iterable[str] | None = None, place: str = ".") -> Declared:
        """What concerns a project, or may, in these roots (None: in all). `place` stands for all of them together."""
        chosen = tuple(self._parts if roots is None else dict.fromkeys(roots))
        named = len(chosen) > 1
        if named and not project.isdigit():
            concerned = {**self._concerned.get(project, {}), **self._open}
            chosen = tuple(root for root in concerned if roots is None or root in chosen)
        resources: list[Resource] = []
        omissions: dict[Omission, None] = {}
        for part in (self._parts[root] for root in chosen):
            resources += part.about(project, named=named)
            omissions.update(dict.fromkeys(part.omissions))
        root = Place(place) if named or not chosen else self._parts[chosen[0]].root
        return Declared(root=root, resources=tuple(resources), omissions=tuple(omissions))

    def omissions(self) -> tuple[Omission, ...]:
        """What was not read in any root, once."""
        return tuple(dict.fromkeys(one for part in self._parts.values() for one in part.omissions))

    def mentions(self, principals: Iterable[str], roots: Iterable[str]) -> tuple[Mention, ...]:
        """Which of these principals are given something, and in which projects."""
        names = {principal.partition(":")[2].casefold(): principal for principal in principals}
        found: dict[Mention, None] = {}
        for root in roots:
            for resource in self._parts[root].all():
                if resource.type in _GRANTING:
                    for name, principal in names.items():
                        if _holds(resource.values, name):
                            found[Mention(principal, _project(resource))] = None
        return tuple(found)


_GRANTING = frozenset({DATASET, DATASET_ACCESS, *DATASET_IAM}) | {
    kind for kind, (level, _) in POLICY_IAM.items() if level == "projects"
}


class _Recording(Library):
    """A library that remembers which folders were asked for."""

    def __init__(self, repo: Path, limits: Limits) -> None:
        super().__init__(repo, limits)
        self.reached: set[str] = set()

    def folder(self, path: str) -> Folder:
        self.reached.add(path)
        return super().folder(path)


class _Part:
    """What one root declares, in all its uses."""

    def __init__(self, root: Place) -> None:
        self.root = root
        self.folders: set[str] = set()
        self.omissions: dict[Omission, None] = {}
        self._of: dict[str, list[Resource]] = {}
        """What is surely about a project, by its ID."""
        self._perhaps: list[Resource] = []
        """What may be about any."""

    @property
    def projects(self) -> Iterable[str]:
        return self._of

    @property
    def is_open(self) -> bool:
        return bool(self._perhaps or self.omissions)

    def add(self, declared: Declared, folders: set[str]) -> None:
        self.folders |= folders
        self.omissions.update(dict.fromkeys(declared.omissions))
        known: dict[str, list[Resource]] = {}
        for resource in self.all():
            known.setdefault(resource.address, []).append(resource)
        for resource in declared.resources:
            if resource in known.get(resource.address, ()):
                continue  # the same in every use
            project = None if resource.type in _EVERYWHERE else _project(resource)
            if project is None or project.isdigit():
                self._perhaps.append(resource)
            else:
                self._of.setdefault(project, []).append(resource)

    def all(self) -> Iterator[Resource]:
        for resources in self._of.values():
            yield from resources
        yield from self._perhaps

    def about(self, project: str, *, named: bool) -> Iterator[Resource]:
        """`named`: with the root in each address, for two roots may have the same ones."""
        chosen = [*self._of.get(project, ()), *self._perhaps]
        if project.isdigit():
            chosen = [*self.all()]
        for resource in chosen:
            yield replace(resource, address=f"{self.root}: {resource.address}") if named else resource


def _project(resource: Resource) -> str | None:
    """The project that a resource is surely about; None: it can't be told, or there is none."""
    own = resource.values.get("project_id") if resource.type == PROJECT else None
    found = own if own is not None else project_in(resource.values, resource.providers_project, resource.address)
    return found.removeprefix("projects/") if isinstance(found, str) and found else None


def _holds(value: Value, name: str) -> bool:
    if isinstance(value, str):
        return name in value.casefold()
    if isinstance(value, list):
        return any(_holds(one, name) for one in value)
    if isinstance(value, Mapping):
        return any(_holds(one, name) for one in value.values())
    return False


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")

"""The export as the engine sees it: facts wanted, snapshot out; one project of it, or all of them in one pass."""

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from preflight.errors import UsageError
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.assets.holdings import Holdings
from preflight.sources.assets.projects import Named, look_for, projects_of
from preflight.sources.assets.snapshots import Snapshots

_NEAREST = 5


class Export:
    """What was kept of an export, ready to be told project by project."""

    def __init__(self, held: Holdings, apis: tuple[str, ...], started: datetime) -> None:
        self._held = held
        self._apis = apis
        self._started = started
        self._finished = datetime.now(UTC)
        self.warnings = tuple(held.warnings)
        """What a user has to know about the file, in sentences."""
        self.projects = projects_of(held)

    def snapshots(self, wanted: frozenset[type[Fact]]) -> Iterator[tuple[Named, Snapshot]]:
        """The wanted facts of each project, one after another, so that only one is in memory."""
        make = Snapshots(self._held, self._apis, wanted, self._started, self._finished)
        for named in self.projects:
            yield named, make.of(named)


def read_export(path: Path, profile: Profile) -> Export:
    """Reads all projects of an export in one pass. Raises UsageError for a file that is none."""
    started = datetime.now(UTC)
    held = Holdings(path, frozenset(profile.apis))
    held.read()
    export = Export(held, tuple(dict.fromkeys(profile.apis)), started)
    if not export.projects:
        raise UsageError(f"'{path}' holds no project ({held.lines} lines in all).", _WHAT)
    return export


class AssetsSource:
    """Reads one project's facts from an export: memory grows with what that project has, not with the file."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, if the export tells it."""
    warnings: tuple[str, ...]
    """After `collect`: what a user has to know about the file, in sentences."""

    def __init__(self, path: Path, profile: Profile, target: Target) -> None:
        self.target = target
        self.warnings = ()
        self._path = path
        self._profile = profile

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts. Raises UsageError for a file that is no export, or without the project."""
        started = datetime.now(UTC)
        project = self.target.project
        found = look_for(self._path, project)
        if not found.scopes:
            raise UsageError(f"'{self._path}' has no project '{project}'.", _nearest(project, found.ids))
        held = Holdings(self._path, frozenset(self._profile.apis), found.scopes.__contains__)
        held.read()
        export = Export(held, tuple(dict.fromkeys(self._profile.apis)), started)
        self.warnings = export.warnings
        named = next(one for one in export.projects if project in _names(one))
        self.target = replace(self.target, project=named.id)
        make = Snapshots(held, tuple(dict.fromkeys(self._profile.apis)), wanted, started, datetime.now(UTC))
        return make.of(named)


def only_project(path: Path) -> str:
    """The project of an export that holds just one. Raises UsageError for any other."""
    ids = look_for(path, "").ids
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise UsageError(f"'{path}' tells no project's ID.", f"Name the project with --project. {_WHAT}")
    some = f"{', '.join(sorted(ids)[:_NEAREST])}{' …' if len(ids) > _NEAREST else ''}"
    raise UsageError(f"'{path}' holds {len(ids)} projects.", f"Name one with --project: {some}.")


_WHAT = (
    "Export the projects' RESOURCE and IAM_POLICY content with: gcloud asset export --organization=ORGANIZATION_ID "
    "--content-type=resource … (see docs/assets.md)."
)


def _names(named: Named) -> tuple[str, ...]:
    return (named.id, *(scope.removeprefix("projects/") for scope in named.scopes))


def _nearest(project: str, ids: list[str]) -> str:
    if not ids:
        return f"It tells no project's ID: it has no RESOURCE lines of projects. {_WHAT}"
    close = get_close_matches(project, ids, n=_NEAREST) or sorted(ids)[:_NEAREST]
    return f"The nearest of its {len(ids)}: {', '.join(close)}."

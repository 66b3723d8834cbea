"""The export as the engine sees it: facts wanted, snapshot out; one project of it, or all of them in one pass."""

from collections.abc import Callable
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
    """What was kept of exports, ready to be told project by project."""

    def __init__(self, held: Holdings, profile: Profile, started: datetime) -> None:
        self._held = held
        self._apis = tuple(dict.fromkeys(profile.apis))
        self._times = (started, datetime.now(UTC))
        self.warnings = tuple(held.warnings)
        """What a user has to know about the files, in sentences."""
        self.projects = projects_of(held)

    def snapshots(self, wanted: frozenset[type[Fact]]) -> Callable[[Named], Snapshot]:
        """Makes the wanted facts of one project after another, so that only one need be in memory."""
        return Snapshots(self._held, self._apis, wanted, *self._times).of


def read_export(paths: tuple[Path, ...], profile: Profile) -> Export:
    """Reads all projects of exports in one pass. Raises UsageError for a file that is none."""
    started = datetime.now(UTC)
    held = Holdings(paths, frozenset(profile.apis))
    held.read()
    export = Export(held, profile, started)
    if not export.projects:
        raise UsageError(_no_project(paths, held), _WHAT)
    return export


class AssetsSource:
    """Reads one project's facts from exports: memory grows with what that project has, not with the files."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, if the exports tell it."""
    warnings: tuple[str, ...]
    """After `collect`: what a user has to know about the files, in sentences."""

    def __init__(self, paths: tuple[Path, ...], profile: Profile, target: Target) -> None:
        self.target = target
        self.warnings = ()
        self._paths = paths
        self._profile = profile

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts. Raises UsageError for a file that is no export, or without the project."""
        started = datetime.now(UTC)
        project = self.target.project
        found = look_for(self._paths, project)
        held = Holdings(self._paths, frozenset(self._profile.apis), found.scopes.__contains__)
        held.read()
        export = Export(held, self._profile, started)
        self.warnings = export.warnings
        for named in export.projects:
            if project in _names(named):
                self.target = replace(self.target, project=named.id)
                return export.snapshots(wanted)(named)
        files = " and ".join(f"'{path}'" for path in self._paths)
        damage = f" {held.warnings[0]}" if held.damage.gap else ""
        raise UsageError(
            f"{files} {'has' if len(self._paths) == 1 else 'have'} no project '{project}'.{damage}",
            _nearest(project, found.ids),
        )


def only_project(paths: tuple[Path, ...]) -> str:
    """The project of exports that hold just one. Raises UsageError for any other."""
    ids = look_for(paths, "").ids
    files = " and ".join(f"'{path}'" for path in paths)
    verb = ("tells", "holds") if len(paths) == 1 else ("tell", "hold")
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise UsageError(f"{files} {verb[0]} no project's ID.", f"Name the project with --project. {_WHAT}")
    some = f"{', '.join(sorted(ids)[:_NEAREST])}{' …' if len(ids) > _NEAREST else ''}"
    raise UsageError(f"{files} {verb[1]} {len(ids)} projects.", f"Name one with --project: {some}.")


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


def _no_project(paths: tuple[Path, ...], held: Holdings) -> str:
    files = " and ".join(f"'{path}'" for path in paths)
    lines = f"{held.lines} line{'s' * (held.lines != 1)}"
    said = f"{files} {'holds' if len(paths) == 1 else 'hold'} no project ({lines} in all)."
    return f"{said} {held.warnings[0]}" if held.damage.gap else said

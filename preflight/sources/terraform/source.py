"""A Terraform plan as the engine sees it: facts wanted, snapshot out."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from preflight.errors import nearest
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.semantics import projects_in, snapshot_of

_MOST_NAMED = 20


class PlanSource:
    """Reads one project's facts from a plan in JSON, as they will be once it is applied."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, if the plan tells it."""
    warnings: tuple[str, ...]
    """After `collect`: what a user has to know about the plan, in sentences."""

    def __init__(self, path: Path, profile: Profile, target: Target) -> None:
        self.target = target
        self.warnings = ()
        self._path = path
        self._profile = profile

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts. Raises UsageError for a file that is no plan in JSON."""
        started = datetime.now(UTC)
        declared = read_plan(self._path)
        project = self.target.project
        apis = tuple(dict.fromkeys(self._profile.apis))
        snapshot, identity = snapshot_of(declared, project, apis, wanted, "plan", started)
        if identity is not None:
            self.target = replace(self.target, project=identity)
        named = projects_in(declared)
        if self.target.project not in named:
            known = nearest(project, named[:_MOST_NAMED]) if named else "It names no project at all."
            self.warnings = (f"{self._path} declares nothing of {project}. {known}",)
        return snapshot

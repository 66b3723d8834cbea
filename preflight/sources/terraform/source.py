"""What is declared in Terraform as the engine sees it: facts wanted, snapshot out."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from preflight.errors import nearest
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.terraform.resources import Declared
from preflight.sources.terraform.semantics import projects_in, snapshot_of

_MOST_NAMED = 20


class TerraformSource:
    """Reads one project's facts from a plan or a root module's files, as they will be once it is applied."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, if the input tells it."""
    warnings: tuple[str, ...]
    """After `collect`: what a user has to know about the input, in sentences."""

    def __init__(
        self, kind: str, path: Path, profile: Profile, target: Target, read: Callable[[], Declared], nothing: str
    ) -> None:
        """`kind` is `plan` or `terraform`, `read` reads what `path` names; `nothing` says that no project is named."""
        self.target = target
        self.warnings = ()
        self._kind = kind
        self._path = path
        self._profile = profile
        self._read = read
        self._nothing = nothing

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts. Raises UsageError for input that can't be read."""
        started = datetime.now(UTC)
        declared = self._read()
        project = self.target.project
        apis = tuple(dict.fromkeys(self._profile.apis))
        snapshot, identity = snapshot_of(declared, project, apis, wanted, self._kind, started)
        if identity is not None:
            self.target = replace(self.target, project=identity)
        named = projects_in(declared)
        if self.target.project not in named:
            known = nearest(project, named[:_MOST_NAMED]) if named else self._nothing
            self.warnings = (f"{self._path} declares nothing of {project}. {known}",)
        return snapshot

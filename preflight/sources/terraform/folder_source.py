"""A root module's files as the engine sees them: facts wanted, snapshot out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from preflight.configuration.files import repository_of
from preflight.errors import UsageError, nearest
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.terraform.hcl.folder import configuration_files
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.hcl.reading import Inputs
from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.semantics import projects_in, snapshot_of

_MOST_NAMED = 20


class FolderSource:
    """Reads one project's facts from a root module, as they will be once it is applied."""

    target: Target
    """What is to be connected; after `collect` it names the project by its ID, if the files tell it."""
    warnings: tuple[str, ...]
    """After `collect`: what a user has to know about the files, in sentences."""

    def __init__(
        self,
        root: Path,
        profile: Profile,
        target: Target,
        given: tuple[str | Path, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`given` are the values of variables that options give, `environment` is where `TF_VAR_*` are looked up."""
        self.target = target
        self.warnings = ()
        self._root = root
        self._profile = profile
        self._inputs = Inputs(given=given, environment=environment or {})

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts. Raises UsageError for what is no folder with files of Terraform."""
        started = datetime.now(UTC)
        try:
            plain, overrides = configuration_files(path.name for path in self._root.iterdir())
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"'{self._root}' cannot be read: {why}.", "Name the folder of a root module.") from None
        if not plain and not overrides:
            raise UsageError(f"'{self._root}' has no files of Terraform.", "Name the folder of a root module.")
        root = self._root.absolute()
        declared = read_root(repository_of(root) or root, root, self._inputs, RELEVANT)
        project = self.target.project
        apis = tuple(dict.fromkeys(self._profile.apis))
        snapshot, identity = snapshot_of(declared, project, apis, wanted, "terraform", started)
        if identity is not None:
            self.target = replace(self.target, project=identity)
        named = projects_in(declared)
        if self.target.project not in named:
            known = nearest(project, named[:_MOST_NAMED]) if named else "It names no project that can be told."
            self.warnings = (f"{self._root} declares nothing of {project}. {known}",)
        return snapshot

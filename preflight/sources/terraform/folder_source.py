"""A root module's files as a source."""

from collections.abc import Mapping
from pathlib import Path

from preflight.configuration.files import repository_of
from preflight.errors import UsageError
from preflight.facts.snapshot import Target
from preflight.profile import Profile
from preflight.sources.terraform.hcl.folder import configuration_files
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.hcl.reading import Inputs
from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.resources import Declared
from preflight.sources.terraform.source import TerraformSource


def folder_source(
    root: Path,
    profile: Profile,
    target: Target,
    given: tuple[str | Path, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> TerraformSource:
    """One project's facts from a root module. Collecting raises UsageError for what is no folder with its files.

    `given` are the values of variables that options give, `environment` is where `TF_VAR_*` are looked up.
    """
    inputs = Inputs(given=given, environment=environment or {})
    nothing = "It names no project that can be told."
    return TerraformSource("terraform", root, profile, target, lambda: _declared(root, inputs), nothing)


def _declared(root: Path, inputs: Inputs) -> Declared:
    try:
        plain, overrides = configuration_files(path.name for path in root.iterdir())
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"'{root}' cannot be read: {why}.", "Name the folder of a root module.") from None
    if not plain and not overrides:
        raise UsageError(f"'{root}' has no files of Terraform.", "Name the folder of a root module.")
    whole = root.absolute()
    return read_root(repository_of(whole) or whole, whole, inputs, RELEVANT)

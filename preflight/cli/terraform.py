"""`--terraform DIR` and `--config FILE` of `preflight run`: a root module's files as facts, a repository's settings."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from preflight.cli.options import choice_of_variables
from preflight.cli.request import Request
from preflight.cli.source import collected
from preflight.errors import UsageError, nearest
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile

Function = TypeVar("Function", bound=Callable[..., Any])


def choice_of_terraform(function: Function) -> Function:
    """`--terraform`, `--var`, `--var-file`, `--config`."""
    function = choice_of_variables(function)
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            metavar="FILE",
            help="Take what preflight.toml says of the project; an option wins over it.",
        ),
        click.option(
            "--terraform",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Read a root module's files and ask Google nothing: what they don't declare is unknown.",
        ),
    ):
        function = option(function)
    return function


def collect_terraform(
    request: Request, profile: Profile, target: Target, wanted: frozenset[type[Fact]], environ: Mapping[str, str]
) -> tuple[Snapshot, Target]:
    """Reads the wanted facts of one project from a root module's files, as they will be once it is applied.

    Raises UsageError for what is no folder with such files; says on stderr where they declare nothing of the project.
    """
    from preflight.sources.terraform.folder_source import folder_source

    if request.terraform is None:
        raise AssertionError("no folder was named")
    return collected(folder_source(request.terraform, profile, target, request.given, environ), wanted)


def configured(request: Request, config: Path | None) -> Request:
    """The request with what a configuration says of its project, where no option says it.

    Raises UsageError for a project that it doesn't name, ConfigurationError for a file that can't be used.
    """
    if config is None:
        return request
    if request.project is None:
        raise UsageError("--config is about single projects.", "Name one with --project ID.")
    from preflight.check.tasks import Settings
    from preflight.configuration.files import read_configuration, repository_of
    from preflight.engine import load_rules
    from preflight.sources.terraform.hcl.limits import LIMITS
    from preflight.sources.terraform.hcl.repository import Repository

    file = read_configuration(config)
    base = repository_of(config) or config.absolute().parent
    settings = Settings(file, Repository(base, LIMITS))
    tasks = {task.target.project: task for task in settings.tasks(rule.id for rule in load_rules(request.rules_dir))}
    if request.project not in tasks:
        raise UsageError(f"{config} names no project '{request.project}'.", nearest(request.project, list(tasks)))
    table, task = file.content.projects[request.project], tasks[request.project]
    own = {"profile": table.profile, "principal": table.principal, "location": table.location, "dataset": table.dataset}
    if table.profile.endswith(".toml"):
        own["profile"] = os.path.join(file.folder, table.profile)  # noqa: PTH118 - a name, not always a path
    parameters = {"profile": "profile_name"}
    context = click.get_current_context()
    taken = {
        name: value
        for name, value in own.items()
        if context.get_parameter_source(parameters.get(name, name)) is not click.core.ParameterSource.COMMANDLINE
    }
    only = request.only or file.content.rules
    return replace(request, **taken, only=only, left_out=task.left_out)

"""`--plan`, `--live --plan` and `--terraform` of `preflight audit` and `preflight access`: who can do what
once that is applied."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from preflight.cli.options import choice_of_variables
from preflight.cli.source import LiveOptions, Sources, refuse_options_of_others, refuse_two_sources

Function = TypeVar("Function", bound=Callable[..., Any])


def choice_of_declared(function: Function) -> Function:
    """`--plan`, `--live`, `--terraform`, `--var`, `--var-file`."""
    function = choice_of_variables(function)
    for option in (
        click.option(
            "--terraform",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Read a root module's files and ask Google nothing: what they don't declare is unknown.",
        ),
        click.option("--live", "over", is_flag=True, help="With --plan: lay its changes over what Google's APIs tell."),
        click.option(
            "--plan",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Read a Terraform plan (terraform show -json), as if it were applied, and ask Google nothing.",
        ),
    ):
        function = option(function)
    return function


def sources_of(
    live: LiveOptions,
    assets: tuple[Path, ...],
    plan: Path | None,
    terraform: Path | None,
    given: tuple[str | Path, ...],
    *,
    over: bool,
    group_members: Path | None,
    unread_deny: str,
) -> Sources:
    """Where the facts come from. Raises UsageError for options that don't go together."""
    sources = {
        "--terraform": terraform is not None,
        "--assets": bool(assets),
        "--live": over,
        "--plan": plan is not None,
    }
    refuse_two_sources(sources)
    refuse_options_of_others(sources, variables=bool(given))
    return Sources(
        live=live,
        assets=assets,
        plan=plan,
        over=over,
        terraform=terraform,
        given=given,
        group_members=group_members,
        unread_deny=unread_deny,
    )

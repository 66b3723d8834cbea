"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def choice_of_rules(function: Function) -> Function:
    """`--rule`, `--skip`, `--rules-dir`, `--profile`: which rules, and for which vendor."""
    for option in (
        click.option(
            "--rules-dir",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="Also load the rules in this folder. Its Python files are executed: name only one you trust.",
        ),
        click.option("--skip", "skip", multiple=True, metavar="ID", help="Leave this rule out (repeatable)."),
        click.option("--rule", "only", multiple=True, metavar="ID", help="Run only this rule (repeatable)."),
        click.option(
            "--profile",
            "profile_name",
            default="heap",
            show_default=True,
            metavar="NAME",
            help="The vendor's profile: a name, or the path of a .toml file.",
        ),
    ):
        function = option(function)
    return function

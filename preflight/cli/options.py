"""Options that several commands share, and what a shell may complete in them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from preflight.profile import DEFAULT_PROFILE

Function = TypeVar("Function", bound=Callable[..., Any])
Value = TypeVar("Value")

LEVELS = ("none", "default", "strict")
"""How names are replaced in what leaves."""
_ORDER = "preflight.order"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 24 * 3600.0


def choice_of_rules(function: Function) -> Function:
    """`--rule`, `--skip`, `--rules-dir`, `--profile`: which rules, and for which vendor."""
    for option in (
        click.option(
            "--rules-dir",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="Also load the rules in this folder. Its Python files are executed: name only one you trust.",
        ),
        click.option(
            "--skip",
            "skip",
            multiple=True,
            metavar="ID",
            shell_complete=complete_rules,
            help="Leave this rule out (repeatable).",
        ),
        click.option(
            "--rule",
            "only",
            multiple=True,
            metavar="ID",
            shell_complete=complete_rules,
            help="Run only this rule (repeatable).",
        ),
        click.option(
            "--profile",
            "profile_name",
            default=DEFAULT_PROFILE,
            show_default=True,
            metavar="NAME",
            shell_complete=complete_profiles,
            help="The vendor's profile: a name, or the path of a .toml file.",
        ),
    ):
        function = option(function)
    return function


def choice_of_reading(function: Function) -> Function:
    """`--group-members`, `--unread-deny`: what to know beside what is read, and what to make of what can't be."""
    for option in (
        click.option(
            "--unread-deny",
            type=click.Choice(["note", "unknown"]),
            default="note",
            show_default=True,
            help="What deny policies that can't be read mean: a note that none is assumed, or unknown.",
        ),
        click.option(
            "--group-members",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Who is in which group: JSON or TOML (group's e-mail to a list of members), or CSV (group,member).",
        ),
    ):
        function = option(function)
    return function


def choice_of_bundle(function: Function) -> Function:
    """`--snapshot`, `--bundle`, `--redact`."""
    for option in (
        click.option(
            "--redact",
            type=click.Choice(LEVELS),
            help="Which names are pseudonyms in what is written. [default: a bundle's are]",
        ),
        click.option(
            "--bundle",
            type=click.Path(path_type=Path),
            metavar="FILE.zip",
            help="Also write all that was seen, with pseudonyms for names: to attach to a ticket.",
        ),
        click.option(
            "--snapshot",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Judge a bundle or snapshot again, and ask Google nothing. With --plan: lay its changes over that.",
        ),
    ):
        function = option(function)
    return function


def choice_of_formats(also: str = "", *, ticket: bool = False) -> Callable[[Function], Function]:
    """`--format`, `--report`. `also`: what is to be said of the latter besides; `ticket`: whether one can be had."""

    def add(function: Function) -> Function:
        for option in (
            click.option(
                "--report",
                "reports",
                multiple=True,
                metavar="FORMAT=FILE",
                shell_complete=complete_reports,
                help=f"Also write a report in this format to this file{also} (repeatable).",
            ),
            click.option(
                "--format",
                "form",
                default="terminal",
                show_default=True,
                metavar="FORMAT",
                shell_complete=complete_formats,
                help="What stdout gets: terminal, json, markdown, html, sarif, junit, github, github-sarif, "
                + ("github-summary, gitlab or ticket." if ticket else "github-summary or gitlab."),
            ),
        ):
            function = option(function)
        return function

    return add


class InOrder(click.Command):
    """A command that knows in which order its options were given, which click tells for each kind alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click, and remembers the order."""
        _, _, ctx.meta[_ORDER] = self.make_parser(ctx).parse_args(list(args))
        return super().parse_args(ctx, args)


def in_order(**values: Sequence[Value]) -> tuple[Value, ...]:
    """The values of several repeatable options, by the parameters' names, as they follow each other on the command
    line of an `InOrder`."""
    rest = {name: iter(given) for name, given in values.items()}
    order: list[click.Parameter] = click.get_current_context().meta[_ORDER]
    return tuple(next(rest[one.name]) for one in order if one.name in rest)


def choice_of_variables(function: Function) -> Function:
    """`--var`, `--var-file`: values of Terraform's variables, of which the later wins (`in_order`)."""
    for option in (
        click.option(
            "--var-file",
            "var_files",
            multiple=True,
            type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
            metavar="FILE",
            help="Read values of Terraform's variables from this file, as Terraform does (repeatable).",
        ),
        click.option(
            "--var",
            "variables",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_assignments,
            help="Give a variable of Terraform a value (repeatable); of this and --var-file the later wins.",
        ),
    ):
        function = option(function)
    return function


def _assignments(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not re.match(r"\s*[^\W\d][\w-]*\s*=", value):
            raise click.BadParameter(f"'{value}' is no NAME=VALUE.")
    return values


def complete_rules(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The rules whose ids start so, with what holds when they pass."""
    from preflight.engine import load_rules

    return [CompletionItem(rule.id, help=rule.title) for rule in load_rules() if rule.id.startswith(start)]


def complete_profiles(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The profiles whose names start so; else files."""
    from preflight.profile import profile_files

    names = [CompletionItem(name) for name in profile_files() if name.startswith(start)]
    return names or [CompletionItem(start, type="file")]


def complete_formats(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The formats that start so."""
    from preflight.renderers import Format

    return [CompletionItem(form.value) for form in Format if form.value.startswith(start)]


def complete_reports(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The formats that start so, with the `=` before the file's name; after it, files."""
    from preflight.renderers import Format

    if "=" in start:
        return [CompletionItem(start, type="file")]
    return [CompletionItem(f"{form.value}=") for form in Format if form.value.startswith(start)]


class Duration(click.ParamType[float]):
    """A time such as `90s`, `10m` or `1h`, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value).strip())
        seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
        if not 0 < seconds <= _LONGEST:
            self.fail(f"'{value}' is no time to wait: write it as 90s, 10m or 1h, of a day at most.", param, ctx)
        return seconds


DURATION = Duration()
"""For `--wait`."""

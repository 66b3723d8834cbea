"""`preflight doctor`: what the tool sees of this machine and its credentials before anything is asked of a project."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight.cli.progress import Progress, columns_of
from preflight.errors import ExitCode

if TYPE_CHECKING:
    from preflight.sources.live.surroundings import Check

COLOURS = {"ok": "green", "note": "cyan", "problem": "red", "unknown": "yellow"}
WIDEST = 110


@click.command(name="doctor")
@click.option("--project", metavar="ID", help="The project you mean to check: named in what to do, asked nothing.")
@click.option("--quota-project", metavar="ID", help="The project that pays for the calls (user credentials only).")
@click.option("--impersonate-service-account", "impersonate", metavar="EMAIL", help="As for run.")
@click.option("--transport", type=click.Choice(["grpc", "rest"]), help="As for run.  [default: grpc]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="For all that is asked.",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where run would write the reports.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    project: str | None,
    quota_project: str | None,
    impersonate: str | None,
    transport: str | None,
    timeout: float,
    output_dir: Path,
    form: str,
) -> int:
    """Show what the tool sees of this machine, its network and credentials, and what to do about it.

    It asks Google for a token, whose it is, and about the quota project whether the APIs that run needs are on
    there; of the project to be checked it asks nothing. Exits 0 if nothing is a PROBLEM, else 2.
    """
    from preflight.engine import load_rules, needed_facts
    from preflight.facts.methods import methods_for
    from preflight.profile import load_profile
    from preflight.rulebook import select
    from preflight.sources.live.examination import examine
    from preflight.sources.live.settings import LiveSettings, impersonation_chain
    from preflight.target import parse_project

    for named in (project, quota_project):
        if named is not None:
            parse_project(named)
    settings = LiveSettings.from_environ(
        os.environ,
        quota_project=quota_project,
        timeout=timeout,
        transport=transport,
        impersonate=impersonation_chain(impersonate) if impersonate is not None else None,
    )
    with Progress() as progress:
        # The profile lends its form alone: what is asked is the tool's own needs, the same for every vendor.
        methods = methods_for(needed_facts(select(load_rules(), ())))
        checks = examine(settings, os.environ, load_profile("heap"), project, output_dir, progress.tell, methods)
    code = ExitCode.USAGE if any(check.state == "problem" for check in checks) else ExitCode.READY
    click.echo(_json(checks, code) if form == "json" else _text(checks, project))
    return code


def _json(checks: "Sequence[Check]", code: ExitCode) -> str:
    import json

    rows = [{"about": c.about, "state": c.state, "detail": c.detail, "remedy": c.remedy} for c in checks]
    return json.dumps({"exit_code": int(code), "checks": rows}, indent=2)


def _text(checks: "Sequence[Check]", project: str | None) -> str:
    from shutil import get_terminal_size

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = min(get_terminal_size((100, 24)).columns, WIDEST)
    lines: list[str] = []
    said = ""
    for check in checks:
        lines += _lines(check, width, colour=colour, remedy=check.remedy if check.remedy != said else "")
        said = check.remedy
    count = sum(check.state == "problem" for check in checks)
    if count:
        lines.append(f"\n{count} problem{'s' if count > 1 else ''}.")
    else:
        lines.append(f"\nNothing stands in the way of: preflight run --project {project or 'ID'}")
    return "\n".join(lines)


def _lines(check: "Check", width: int, *, colour: bool, remedy: str) -> list[str]:
    """What was looked at and what is there, wrapped; what to do is one line, for it may hold a command to copy."""
    from textwrap import wrap

    from preflight.renderers.visible import visible

    word = f"{check.state.upper():<8}"
    text = f"{visible(check.about)}: {visible(check.detail)}"
    indent = " " * columns_of(word)
    first, *more = wrap(text, max(20, width - len(indent)), break_long_words=False, break_on_hyphens=False)
    mark = click.style(word, fg=COLOURS[check.state], bold=check.state != "ok") if colour else word
    lines = [mark + first, *(indent + line for line in more)]
    if remedy and check.state != "ok":
        lines.append(f"{indent}{visible(remedy)}")
    return lines

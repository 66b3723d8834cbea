"""`preflight run`: check a project for a vendor, show the verdict, write the reports."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from msgspec import Struct

from preflight import interrupts
from preflight.cli import forget_stdout, unwritten
from preflight.cli.options import choice_of_rules, complete_formats
from preflight.cli.source import LiveOptions, choice_of_source, collect_assets, collect_live, refuse_live_options
from preflight.engine import evaluate, load_rules, needed_facts
from preflight.errors import OutputError, UsageError, nearest
from preflight.profile import load_profile
from preflight.renderers import Format, render
from preflight.report import Report
from preflight.rulebook import select
from preflight.target import parse_target


class Request(Struct, frozen=True, kw_only=True):
    """One run, as the options say."""

    project: str | None
    """None: every project of the export."""
    assets: Path | None = None
    """The Cloud Asset export to read; None: Google's APIs are asked."""
    profile: str = "heap"
    principal: str | None = None
    location: str | None = None
    dataset: str | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rules_dir: Path | None = None
    quota_project: str | None = None
    impersonate: str | None = None
    transport: str | None = None
    timeout: float = 60.0
    allow_unknown: bool = False
    output_dir: Path | None = Path("reports")
    """None: no files."""
    format: Format = Format.TERMINAL
    verbose: bool = False


def judge(request: Request, environ: Mapping[str, str]) -> Report:
    """Reads the project from wherever the options say, and judges it."""
    if request.assets is None:
        return judge_live(request, environ)
    profile = load_profile(request.profile)
    rules = select(load_rules(request.rules_dir), request.only, request.skip)
    target = parse_target(profile, request.project, request.principal, request.location, request.dataset)
    snapshot, target = collect_assets(request.assets, profile, target, needed_facts(rules))
    return evaluate(rules, snapshot, target, profile, allow_unknown=request.allow_unknown)


def judge_live(request: Request, environ: Mapping[str, str]) -> Report:
    """Reads the project through Google's APIs and judges it.

    Raises UsageError for an option that can't be used, CredentialsError where Google wants none of the credentials.
    """
    profile = load_profile(request.profile)
    rules = select(load_rules(request.rules_dir), request.only, request.skip)
    target = parse_target(profile, request.project, request.principal, request.location, request.dataset)
    options = LiveOptions(
        timeout=request.timeout,
        quota_project=request.quota_project,
        impersonate=request.impersonate,
        transport=request.transport,
        verbose=request.verbose,
    )
    snapshot, target = collect_live(options, profile, target, needed_facts(rules), environ, _load_renderers)
    return evaluate(rules, snapshot, target, profile, allow_unknown=request.allow_unknown)


def _load_renderers() -> None:
    """Imports what the report will need while Google is still answering."""
    import preflight.renderers.json_report
    import preflight.renderers.markdown
    import preflight.renderers.terminal
    import preflight.report_files  # noqa: F401


def show(report: Report, form: Format) -> None:
    """Prints the report on stdout: with colours and to the width of the terminal, if it is one."""
    from shutil import get_terminal_size

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    text = render(report, form, colour=colour, width=min(get_terminal_size((100, 24)).columns, 140))
    click.echo(text, color=colour, nl=not text.endswith("\n"))


def write_files(report: Report, folder: Path) -> None:
    """Writes the JSON and Markdown reports, and says on stderr where they are. Raises OutputError."""
    from preflight.report_files import write_reports

    with interrupts.held():  # both files or none
        paths = write_reports(report, folder)
    click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)


@click.command(name="run")
@click.option("--project", metavar="ID", help="The project's ID (a number is resolved). With --assets: or all of them.")
@click.option(
    "--assets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read a Cloud Asset export (JSON lines, plain or gzip) and ask Google nothing.",
)
@click.option("--location", metavar="LOC", help="Where the vendor is to keep its data: EU, US, or a region.")
@click.option("--dataset", metavar="NAME", help="The destination dataset's name.")
@click.option("--principal", metavar="MEMBER", help="Judge this user or service account, not the profile's.")
@choice_of_rules
@choice_of_source
@click.option(
    "--format",
    "form",
    default="terminal",
    show_default=True,
    metavar="FORMAT",
    shell_complete=complete_formats,
    help="What stdout gets: terminal, json or markdown.",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the JSON and Markdown reports are written.",
)
@click.option("--no-files", is_flag=True, help="Write no files.")
@click.option("--allow-unknown", is_flag=True, help="Exit 0 even if something required could not be seen.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing on stdout; the exit code and the files tell.")
@click.option("-v", "--verbose", is_flag=True, help="Show each call on stderr: its outcome, time and tries.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    project: str | None,
    assets: Path | None,
    location: str | None,
    dataset: str | None,
    principal: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    rules_dir: Path | None,
    profile_name: str,
    timeout: float,
    quota_project: str | None,
    impersonate: str | None,
    transport: str | None,
    form: str,
    output_dir: Path,
    no_files: bool,
    allow_unknown: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check a project for a vendor, show what is wrong first, and write the reports.

    Reads with your Google credentials: application default, or the token in GOOGLE_OAUTH_ACCESS_TOKEN. With
    --assets it reads a Cloud Asset export instead: one project of it, or all.
    """
    if assets is not None:
        refuse_live_options("--assets")
    elif project is None:
        raise UsageError("Which project?", "Name it with --project ID, or an export of many with --assets FILE.")
    request = Request(
        project=project,
        assets=assets,
        profile=profile_name,
        principal=principal,
        location=location,
        dataset=dataset,
        only=only,
        skip=skip,
        rules_dir=rules_dir,
        quota_project=quota_project,
        impersonate=impersonate,
        transport=transport,
        timeout=timeout,
        allow_unknown=allow_unknown,
        output_dir=None if no_files else output_dir,
        format=parse_format(form),
        verbose=verbose,
    )
    return carry_out(request, os.environ, quiet=quiet)


def carry_out(request: Request, environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the exit code. The verdict is shown before anything is written."""
    if request.project is None:
        from preflight.cli.fleet import carry_out_fleet

        return carry_out_fleet(request, quiet=quiet)
    report = judge(request, environ)
    unshown = None if quiet else shown(lambda: show(report, request.format))
    if request.output_dir is not None:
        write_files(report, request.output_dir)
    if unshown is not None:
        raise unshown
    return report.exit_code


def shown(show_it: Callable[[], None]) -> OutputError | None:
    """Shows it. What stdout doesn't take, the files and the exit code tell all the same."""
    try:
        show_it()
    except BrokenPipeError:  # the reader has gone, as `head` does
        forget_stdout()
    except OSError as error:
        forget_stdout()
        return unwritten(error)
    return None


def parse_format(text: str) -> Format:
    """The format of this name. Raises UsageError with the nearest name."""
    names = [form.value for form in Format]
    if text not in names:
        raise UsageError(f"There is no format '{text}'.", nearest(text, names))
    return Format(text)

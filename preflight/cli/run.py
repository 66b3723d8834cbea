"""`preflight run`: check a project for a vendor, show the verdict, write the reports."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight import interrupts
from preflight.cli import screen
from preflight.cli.judging import Collected, collect, judged
from preflight.cli.options import (
    DURATION,
    InOrder,
    choice_of_bundle,
    choice_of_formats,
    choice_of_reading,
    choice_of_rules,
    in_order,
)
from preflight.cli.outputs import Outputs, named_outputs, parse_format, parse_reports
from preflight.cli.refusals import refuse_what_does_not_go_together
from preflight.cli.request import Request, Selection, selection
from preflight.cli.screen import shown
from preflight.cli.source import (
    choice_of_assets,
    choice_of_plan,
    choice_of_source,
)
from preflight.cli.terraform import choice_of_terraform, configured
from preflight.errors import OutputError, RedactionError
from preflight.renderers import Format, render
from preflight.report import Report

if TYPE_CHECKING:
    from preflight.redaction.snapshot import Level


def show(report: Report, form: Format, ticket: str | None = None) -> None:
    """Prints the report on stdout: with colours and to the width of the terminal, if it is one. `ticket` is the text
    for one, where names were replaced in it."""
    text = ticket if form is Format.TICKET else None
    text = text or render(report, form, colour=screen.colour(), width=screen.width())
    click.echo(text, color=screen.colour(), nl=not text.endswith("\n"))


def write_files(report: Report, folder: Path | None, named: Outputs | None = None, ticket: str | None = None) -> None:
    """Writes the reports to the folder and to the files that were named, and says on stderr where they are.

    What can't be written keeps nothing else from being written. Raises the first OutputError then.
    """
    paths: list[Path] = []
    failed: list[OutputError] = []
    if folder is not None:
        from preflight.report_files import write_reports

        try:
            with interrupts.held():  # both files or none
                paths += write_reports(report, folder)
        except OutputError as error:
            failed.append(error)
    if named is not None:
        try:
            for form in named.formats:
                text = ticket if form is Format.TICKET else None
                named.write(form, text or render(report, form, width=100))
            paths += named.finish()
        except OutputError as error:
            failed.append(error)
    if paths:
        click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)
    if failed:
        raise failed[0]


@click.command(name="run", cls=InOrder)
@click.option("--project", metavar="ID", help="The project's ID (a number is resolved). With --assets: or all of them.")
@choice_of_assets
@choice_of_plan
@choice_of_terraform
@choice_of_bundle
@click.option("--location", metavar="LOC", help="Where the vendor is to keep its data: EU, US, or a region.")
@click.option("--dataset", metavar="NAME", help="The destination dataset's name.")
@click.option("--principal", metavar="MEMBER", help="Judge this user or service account, not the profile's.")
@choice_of_rules
@click.option("--cross-check", is_flag=True, help="Ask Google's Policy Troubleshooter too, and show both answers.")
@choice_of_reading
@choice_of_source
@choice_of_formats(", with --no-files too", ticket=True)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the JSON and Markdown reports are written.",
)
@click.option("--no-files", is_flag=True, help="Write nothing to --output-dir.")
@click.option(
    "--wait",
    type=DURATION,
    metavar="TIME",
    help="While it isn't ready, look again for so long: 90s, 10m. Ends as soon as two looks in a row find it ready.",
)
@click.option("--allow-unknown", is_flag=True, help="Exit 0 even if something required could not be seen.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing on stdout; the exit code and the files tell.")
@click.option("-v", "--verbose", is_flag=True, help="Show each call on stderr: its outcome, time and tries.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    project: str | None,
    assets: tuple[Path, ...],
    plan: Path | None,
    live: bool,
    only_new: bool,
    terraform: Path | None,
    snapshot: Path | None,
    bundle: Path | None,
    redact: "Level | None",
    variables: tuple[str, ...],
    var_files: tuple[Path, ...],
    config: Path | None,
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
    reports: tuple[str, ...],
    output_dir: Path,
    no_files: bool,
    wait: float | None,
    allow_unknown: bool,
    quiet: bool,
    verbose: bool,
    cross_check: bool,
    unread_deny: str,
    group_members: Path | None,
) -> int:
    """Check a project for a vendor, show what is wrong first, and write the reports.

    Reads with your Google credentials: application default, or the token in GOOGLE_OAUTH_ACCESS_TOKEN. With
    --assets it reads a Cloud Asset export instead: one project of it, or all. With --plan it reads a Terraform plan;
    with --live --plan it judges the project as it will be once the plan is applied. With --terraform it reads a root
    module's files.
    """
    request = Request(
        project=project,
        assets=assets,
        plan=plan,
        live=live,
        only_new=only_new,
        bundle=bundle,
        redact=redact,
        terraform=terraform,
        given=in_order(variables=variables, var_files=var_files),
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
        reports=parse_reports(reports, read=(*assets, plan, config, group_members, snapshot, bundle)),
        wait=wait,
        verbose=verbose,
        cross_check=cross_check,
        unread_deny=unread_deny,
        group_members=group_members,
    )
    refuse_what_does_not_go_together(request, snapshot)
    request = configured(request, config)
    if snapshot is not None:
        from preflight.cli.replay import asked_again

        request = asked_again(request, snapshot)
    return carry_out(request, os.environ, quiet=quiet)


def carry_out(request: Request, environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the exit code. The verdict is shown before anything is written."""
    if request.project is None:
        from preflight.cli.fleet import carry_out_fleet

        return carry_out_fleet(request, environ, quiet=quiet)
    with named_outputs(request.format, request.reports, environ) as named:
        unshown, report = _told(request, environ, named, quiet=quiet)
    if unshown is not None:
        raise unshown
    return report.exit_code


def _told(
    request: Request, environ: Mapping[str, str], named: Outputs | None, *, quiet: bool
) -> tuple[OutputError | None, Report]:
    chosen = selection(request)
    with contextlib.ExitStack() as stack:
        file = None
        if request.bundle is not None:
            from preflight.cli.bundling import named_bundle

            file = stack.enter_context(named_bundle(request.bundle))
        found = collect(request, chosen, environ)
        full = judged(request, chosen, found)
        interrupted = None
        if request.wait is not None:
            from preflight.cli.waiting import waited

            waiting = waited(request, chosen, environ, (found, full))
            found, full, interrupted = waiting.found, waiting.report, waiting.interrupted
        report = full
        if request.redact is not None:
            from preflight.cli.bundling import without_names

            report = without_names(chosen, found, full, request.redact, environ)
        ticket, refused = _ticket(request, chosen, found, full, named, environ)
        hidden = quiet or (refused is not None and request.format is Format.TICKET)
        unshown = None if hidden else shown(lambda: show(report, request.format, ticket))
        write_files(report, request.output_dir, named, ticket)
        if file is not None:
            from preflight.cli.bundling import material_of, write_bundle

            write_bundle(file, material_of(request, chosen, found, full), request.redact or "default", environ)
    if interrupted is not None:
        raise interrupted
    if refused is not None:
        raise refused
    return unshown, report


def _ticket(
    request: Request,
    chosen: Selection,
    found: Collected,
    report: Report,
    named: Outputs | None,
    environ: Mapping[str, str],
) -> tuple[str | None, RedactionError | OutputError | None]:
    """The text for a ticket, where one is wanted; or why it must not leave, or can't be made: then it is shown and
    written nowhere, and all else is."""
    written = named is not None and Format.TICKET in named.formats
    if not written and request.format is not Format.TICKET:
        return None, None
    from preflight.cli.bundling import ticket_text

    try:
        return ticket_text(request, chosen, found, report, environ), None
    except (RedactionError, OutputError) as error:  # such as a key of the pseudonyms that is damaged
        if named is not None:
            named.forget(Format.TICKET)
        return None, error

"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from shutil import get_terminal_size

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.progress import Progress
from preflight.cli.request import Request, selection, target_of
from preflight.cli.screen import shown
from preflight.cli.source import warn
from preflight.engine import evaluate
from preflight.renderers import Format, fleet, render
from preflight.report import Report
from preflight.report_files import FleetFiles

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code."""
    rows: list[fleet.Row] = []
    first: Report | None = None
    streams = request.format is Format.JSON and not quiet
    failed = shown(lambda: click.echo(fleet.JSON_START, nl=False)) if streams else None
    with _files(request) as files, Progress() as progress:
        for report in _reports(request, progress):
            first = first or report
            rows.append(fleet.Row.of(report))
            if files is None and (not streams or failed):
                continue
            text = (fleet.JSON_BETWEEN if len(rows) > 1 else "") + render(report, Format.JSON).rstrip("\n")
            if files is not None:
                files.write(text)
            if streams and not failed:
                failed = shown(_printing(text))
        progress.clear()
        if first is None:
            raise AssertionError("an export without projects is refused")
        summary = fleet.markdown(rows, first, str(request.assets))
        last = fleet.JSON_END if request.format is Format.JSON else _text(request.format, rows, summary)
        if not quiet and not failed:
            failed = shown(_printing(last))
        if files is not None:
            files.write(fleet.JSON_END)
            with interrupts.held():  # both files or none
                paths = files.finish(summary)
            click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)
    if failed is not None:
        raise failed
    return fleet.exit_code(rows)


def _reports(request: Request, progress: Progress) -> Iterator[Report]:
    from preflight.sources.assets import read_export

    chosen = selection(request)
    target = target_of(request, chosen.profile)
    if request.assets is None:
        raise AssertionError("many projects come from an export alone")
    progress.tell(f"the export {request.assets} to be read")
    export = read_export(request.assets, chosen.profile)
    progress.clear()
    warn(export.warnings)
    total = len(export.projects)
    for number, (named, snapshot) in enumerate(export.snapshots(chosen.wanted)):
        if number % _TOLD_EVERY == 0:
            progress.tell(f"the rules: {number:,} of {total:,} projects")
        judged = replace(target, project=named.id)
        seen = chosen.informed(snapshot)
        yield evaluate(chosen.rules, seen, judged, chosen.profile, allow_unknown=request.allow_unknown)


@contextlib.contextmanager
def _files(request: Request) -> Iterator[FleetFiles | None]:
    if request.output_dir is None or request.assets is None:
        yield None
        return
    with FleetFiles(request.output_dir, request.assets.name.partition(".")[0], datetime.now(UTC)) as files:
        files.write(fleet.JSON_START)
        yield files


def _text(form: Format, rows: list[fleet.Row], summary: str) -> str:
    if form is Format.MARKDOWN:
        return summary
    width = min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160
    return fleet.terminal(rows, width=width)


def _printing(text: str) -> Callable[[], None]:
    return lambda: click.echo(text, nl=False)

"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.progress import Progress
from preflight.cli.request import Request, selection, target_of
from preflight.cli.run import named_outputs
from preflight.cli.screen import shown
from preflight.cli.source import warn
from preflight.engine import evaluate
from preflight.errors import OutputError
from preflight.renderers import Format, fleet
from preflight.renderers.many import Document, document
from preflight.report import Report
from preflight.report_files import FleetFiles

if TYPE_CHECKING:
    from preflight.cli.outputs import Outputs

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code. No more than one report is held at a time."""
    rows: list[fleet.Row] = []
    failed: OutputError | None = None
    with named_outputs(request, environ) as named, _files(request) as files, Progress() as progress:
        sinks: dict[Format, Document] = {
            form: document(form, str(request.assets), width=_width()) for form in _formats(request, files, named, quiet)
        }

        def tell(form: Format, text: str) -> None:
            nonlocal failed
            if not text:
                return
            if form is request.format and not quiet and not failed:
                failed = shown(_printing(text))
            if form is Format.JSON and files is not None:
                files.write(text)
            if named is not None:
                named.write(form, text)

        for report in _reports(request, progress):
            rows.append(fleet.Row.of(report))
            for form, sink in sinks.items():
                tell(form, sink.add(report))
        progress.clear()
        for form, sink in sinks.items():
            tell(form, sink.end(rows))
        _finish(files, named, sinks, rows)
    if failed is not None:
        raise failed
    return fleet.exit_code(rows)


def _formats(request: Request, files: FleetFiles | None, named: "Outputs | None", quiet: bool) -> frozenset[Format]:
    wanted = named.formats if named is not None else frozenset()
    if files is not None:
        wanted |= {Format.JSON, Format.MARKDOWN}
    return wanted if quiet else wanted | {request.format}


def _finish(
    files: FleetFiles | None, named: "Outputs | None", sinks: Mapping[Format, Document], rows: list[fleet.Row]
) -> None:
    paths: list[Path] = []
    if files is not None:
        with interrupts.held():  # both files or none
            paths += files.finish(sinks[Format.MARKDOWN].end(rows))
    if named is not None:
        paths += named.finish()
    if paths:
        click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)


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
        yield files


def _width() -> int:
    return min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160


def _printing(text: str) -> Callable[[], None]:
    return lambda: click.echo(text, nl=False)

"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import gc
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.progress import Progress
from preflight.cli.request import Request, Selection, selection, target_of
from preflight.cli.screen import shown
from preflight.cli.source import warn
from preflight.engine import evaluate
from preflight.errors import OutputError
from preflight.facts.snapshot import Target
from preflight.renderers import Format, fleet, render
from preflight.report import Report
from preflight.report_files import FleetFiles

if TYPE_CHECKING:
    from preflight.sources.assets import Export

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code. Nothing is shown or written before the exports are read."""
    rows: list[fleet.Row] = []
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress())
        reports = _reports(request, progress)
        first = next(reports)  # an export without projects is refused before anything is begun
        files = _files(request)
        if files is not None:
            stack.enter_context(files)
        streams = request.format is Format.JSON and not quiet
        out = _Once(quiet=quiet)
        for report in chain([first], reports):
            rows.append(fleet.Row.of(report))
            if files is None and not (streams and out.works):
                continue
            text = (fleet.JSON_BETWEEN if len(rows) > 1 else fleet.JSON_START) + render(report, Format.JSON).rstrip(
                "\n"
            )
            if files is not None:
                files.write(text)
            if streams:
                out.show(text)
        progress.clear()
        summary = fleet.markdown(rows, first, " and ".join(map(str, request.assets)))
        out.show(fleet.JSON_END if streams else _text(request.format, rows, summary))
        if files is not None:
            files.write(fleet.JSON_END)
            with interrupts.held():  # both files or none
                paths = files.finish(summary)
            click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)
    if out.failed is not None:
        raise out.failed
    return fleet.exit_code(rows)


class _Once:
    """Standard output until it fails, say because nobody reads it any longer: the files are written all the same."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.failed: OutputError | None = None

    @property
    def works(self) -> bool:
        """Whether anything is still shown."""
        return not self._quiet and self.failed is None

    def show(self, text: str) -> None:
        """Prints it, if that still works."""
        if self.works:
            self.failed = shown(lambda: click.echo(text, nl=False))


def _reports(request: Request, progress: Progress) -> Iterator[Report]:
    from preflight.sources.assets import read_export

    chosen = selection(request)
    target = target_of(request, chosen.profile)
    progress.tell(f"{' and '.join(path.name for path in request.assets)} to be read")
    export = read_export(request.assets, chosen.profile)
    progress.clear()
    warn(export.warnings)
    gc.freeze()  # what was kept stays to the end: looking through it for garbage over and over takes long
    try:
        yield from _judged(export, request, chosen, target, progress)
    finally:
        gc.unfreeze()


def _judged(
    export: "Export", request: Request, chosen: Selection, target: Target, progress: Progress
) -> Iterator[Report]:
    total = len(export.projects)
    for number, (named, snapshot) in enumerate(export.snapshots(chosen.wanted)):
        if number % _TOLD_EVERY == 0:
            progress.tell(f"the rules: {number:,} of {total:,} projects")
        judged = replace(target, project=named.id)
        seen = chosen.informed(snapshot)
        yield evaluate(chosen.rules, seen, judged, chosen.profile, allow_unknown=request.allow_unknown)


def _files(request: Request) -> FleetFiles | None:
    if request.output_dir is None:
        return None
    return FleetFiles(request.output_dir, request.assets[0].name.partition(".")[0], datetime.now(UTC))


def _text(form: Format, rows: list[fleet.Row], summary: str) -> str:
    if form is Format.MARKDOWN:
        return summary
    width = min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160
    return fleet.terminal(rows, width=width)

"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import gc
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.outputs import Outputs, named_outputs
from preflight.cli.progress import Progress
from preflight.cli.request import Request, Selection, selection, target_of
from preflight.cli.screen import shown
from preflight.cli.source import warn
from preflight.engine import evaluate
from preflight.errors import OutputError
from preflight.facts.snapshot import Target
from preflight.renderers import Format, fleet
from preflight.renderers.many import document
from preflight.report import Report
from preflight.report_files import FleetFiles

if TYPE_CHECKING:
    from preflight.sources.assets import Export

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code. Nothing is shown or written before the exports are read.

    No more than one report is held at a time.
    """
    rows: list[fleet.Row] = []
    out = _Once(quiet=quiet)
    with contextlib.ExitStack() as stack:
        named = stack.enter_context(named_outputs(request, environ))
        progress = stack.enter_context(Progress())
        reports = _reports(request, progress)
        first = next(reports)  # an export without projects is refused before anything is begun
        files = _files(request)
        if files is not None:
            stack.enter_context(files)
        source = " and ".join(map(str, request.assets))
        documents = {form: document(form, source, width=_width()) for form in _formats(request, files, named, quiet)}

        def tell(form: Format, text: str) -> None:
            if form is request.format:
                out.show(text)
            if form is Format.JSON and files is not None:
                files.write(text)
            if named is not None:
                named.write(form, text)

        for report in chain([first], reports):
            rows.append(fleet.Row.of(report))
            for form, made in documents.items():
                tell(form, made.add(report))
        progress.clear()
        for form, made in documents.items():
            tell(form, made.end(rows))
        paths: list[Path] = []
        if files is not None:
            with interrupts.held():  # both files or none
                paths += files.finish(documents[Format.MARKDOWN].end(rows))
        if named is not None:
            paths += named.finish()
        if paths:
            click.echo(f"Reports: {' '.join(str(path) for path in paths)}", err=True)
    if out.failed is not None:
        raise out.failed
    return fleet.exit_code(rows)


def _formats(request: Request, files: FleetFiles | None, named: Outputs | None, quiet: bool) -> frozenset[Format]:
    wanted = named.formats if named is not None else frozenset()
    if files is not None:
        wanted |= {Format.JSON, Format.MARKDOWN}
    return wanted if quiet else wanted | {request.format}


class _Once:
    """Standard output until it fails, say because nobody reads it any longer: the files are written all the same."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.failed: OutputError | None = None

    def show(self, text: str) -> None:
        """Prints it, if that still works."""
        if text and not self._quiet and self.failed is None:
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


def _width() -> int:
    return min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160

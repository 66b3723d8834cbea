"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import gc
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size

import click
from msgspec import Struct
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.outputs import Outputs, named_outputs
from preflight.cli.progress import Progress
from preflight.cli.request import Request, selection, target_of
from preflight.cli.screen import shown, warn
from preflight.cli.spread import spread
from preflight.errors import OutputError
from preflight.renderers import Format, fleet, json_report
from preflight.renderers.many import AtEnd, Document, Json, document
from preflight.report import Report
from preflight.report_files import FleetFiles

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code. Nothing is shown or written before the exports are read.

    No more than one report is held at a time.
    """
    rows: list[fleet.Row] = []
    out = _Once(quiet=quiet)
    with contextlib.ExitStack() as stack:
        named = stack.enter_context(named_outputs(request.format, request.reports, environ))
        progress = stack.enter_context(Progress())
        # An export without projects is refused before anything is begun.
        fleet_ = stack.enter_context(_read(request, progress))
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

        judged = fleet_.judged(documents.values())
        for one in stack.enter_context(contextlib.closing(judged)):
            rows.append(one.row)
            for form, made in documents.items():
                tell(form, one.added_to(made))
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


@contextlib.contextmanager
def _read(request: Request, progress: Progress) -> "Iterator[_Fleet]":
    from preflight.sources.assets import read_export

    chosen = selection(request)
    target = target_of(request, chosen.profile)
    progress.tell(f"{' and '.join(path.name for path in request.assets)} to be read")
    export = read_export(request.assets, chosen.profile)
    progress.clear()
    warn(export.warnings)
    gc.freeze()  # what was kept stays to the end: looking through it for garbage over and over takes long
    try:
        snapshot = export.snapshots(chosen.wanted)

        def judge(number: int) -> Report:
            named = export.projects[number]
            return chosen.judged(chosen.informed(snapshot(named)), replace(target, project=named.id))

        yield _Fleet(judge, len(export.projects), progress)
    finally:
        gc.unfreeze()


class _Fleet:
    """All projects, ready to be judged by their numbers."""

    def __init__(self, judge: Callable[[int], Report], total: int, progress: Progress) -> None:
        self._judge = judge
        self._total = total
        self._progress = progress
        self.first = judge(0)
        """Judged before the others: what all have in common, such as the role catalogue, is loaded by that."""

    def judged(self, documents: Iterable[Document]) -> "Generator[_Judged, None, None]":
        """Each project with what goes into these documents of it, the first one in full."""
        as_json = any(isinstance(one, Json) for one in documents)
        in_full = not all(isinstance(one, Json | AtEnd) for one in documents)

        def told(number: int) -> _Judged:
            report = self._judge(number) if number else self.first
            text = json_report.render(report) if as_json else ""
            return _Judged(fleet.Row.of(report), text, report if in_full or not number else None)

        with contextlib.closing(spread(told, range(self._total))) as results:
            for number, one in enumerate(results):
                if number % _TOLD_EVERY == 0:
                    self._progress.tell(f"the rules: {number:,} of {self._total:,} projects")
                yield one


class _Judged(Struct, frozen=True):
    """One project, as far as it is wanted: what comes from another process is kept small."""

    row: fleet.Row
    json: str
    report: Report | None

    def added_to(self, made: Document) -> str:
        """What the document has to say now."""
        if isinstance(made, Json):
            return made.add_rendered(self.json)
        return "" if self.report is None else made.add(self.report)


def _files(request: Request) -> FleetFiles | None:
    if request.output_dir is None:
        return None
    return FleetFiles(request.output_dir, request.assets[0].name.partition(".")[0], datetime.now(UTC))


def _width() -> int:
    return min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160

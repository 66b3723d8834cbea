"""All projects of an export: judged one after another, shown as a table, written as they come."""

import contextlib
import gc
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from shutil import get_terminal_size

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.cli.progress import Progress
from preflight.cli.request import Request, selection, target_of
from preflight.cli.screen import shown
from preflight.cli.source import warn
from preflight.cli.spread import spread
from preflight.engine import evaluate
from preflight.errors import OutputError
from preflight.renderers import Format, fleet, render
from preflight.report import Report
from preflight.report_files import FleetFiles

_TOLD_EVERY = 100


def carry_out_fleet(request: Request, *, quiet: bool = False) -> int:
    """Judges, shows, writes; returns the worst exit code. Nothing is shown or written before the exports are read."""
    rows: list[fleet.Row] = []
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress())
        # An export without projects is refused before anything is begun.
        fleet_ = stack.enter_context(_read(request, progress))
        files = _files(request)
        if files is not None:
            stack.enter_context(files)
        streams = request.format is Format.JSON and not quiet
        out = _Once(quiet=quiet)
        for row, text in stack.enter_context(contextlib.closing(fleet_.judged(in_full=files is not None or streams))):
            if files is not None:
                files.write(text)
            if streams:
                out.show(text)
            rows.append(row)
        progress.clear()
        summary = ""
        if files is not None or request.format is Format.MARKDOWN:
            summary = fleet.markdown(rows, fleet_.first, " and ".join(map(str, request.assets)))
        if not quiet:
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
            judged = replace(target, project=named.id)
            seen = chosen.informed(snapshot(named))
            return evaluate(chosen.rules, seen, judged, chosen.profile, allow_unknown=request.allow_unknown)

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

    def judged(self, *, in_full: bool) -> Generator[tuple[fleet.Row, str], None, None]:
        """Each project as a line of the table, and as JSON if it is wanted in full."""

        def told(number: int) -> tuple[fleet.Row, str]:
            report = self._judge(number) if number else self.first
            start = fleet.JSON_BETWEEN if number else fleet.JSON_START
            text = start + render(report, Format.JSON).rstrip("\n") if in_full else ""
            return fleet.Row.of(report), text

        with contextlib.closing(spread(told, range(self._total))) as results:
            for number, one in enumerate(results):
                if number % _TOLD_EVERY == 0:
                    self._progress.tell(f"the rules: {number:,} of {self._total:,} projects")
                yield one


def _files(request: Request) -> FleetFiles | None:
    if request.output_dir is None:
        return None
    return FleetFiles(request.output_dir, request.assets[0].name.partition(".")[0], datetime.now(UTC))


def _text(form: Format, rows: list[fleet.Row], summary: str) -> str:
    if form is Format.MARKDOWN:
        return summary
    width = min(get_terminal_size((120, 24)).columns, 200) if sys.stdout.isatty() else 160
    return fleet.terminal(rows, width=width)

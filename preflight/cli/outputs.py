"""Where else a report goes, as the options and the environment say: named files, and the page of a GitHub job."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight import interrupts
from preflight.errors import OutputError, UsageError, nearest
from preflight.renderers import Format
from preflight.renderers.visible import visible

if TYPE_CHECKING:
    from preflight.named_files import NamedFiles

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub names the file that a step adds its summary to."""


def parse_format(text: str) -> Format:
    """The format of this name. Raises UsageError with the nearest name."""
    names = [form.value for form in Format]
    if text not in names:
        raise UsageError(f"There is no format '{text}'.", nearest(text, names))
    return Format(text)


def parse_reports(texts: tuple[str, ...], *, read: Iterable[Path | None] = ()) -> tuple[tuple[Format, Path], ...]:
    """What `--report` asks for. `read` are files that the run reads.

    Raises UsageError for what is no FORMAT=FILE, and for a file that is named twice or is read.
    """
    found: dict[str, tuple[Format, Path]] = {}
    inputs = {os.path.realpath(path) for path in read if path is not None}
    for text in texts:
        name, equals, file = text.partition("=")
        if not equals or not file:
            raise UsageError(f"--report '{text}' names no file.", "Write it as --report FORMAT=FILE.")
        if file == "-":
            raise UsageError("--report writes to files.", f"For stdout there is --format {name}.")
        form = parse_format(name)
        place = os.path.realpath(file)
        if place in found:
            raise UsageError(f"Two reports cannot be written to the same file '{file}'.", "Name another file.")
        if place in inputs:
            raise UsageError(f"'{file}' is read by this run: a report would replace it.", "Name another file.")
        found[place] = (form, Path(file))
    return tuple(found.values())


class Outputs:
    """The files that were named, and the page of the job."""

    def __init__(self, named: "NamedFiles[Format]", page: "NamedFiles[Format] | None") -> None:
        self._named = named
        self._page = page

    @property
    def formats(self) -> frozenset[Format]:
        """The formats that are wanted."""
        return self._named.formats | (self._page.formats if self._page else frozenset())

    def write(self, form: Format, text: str) -> None:
        """Adds the text to each file of this format. Raises OutputError."""
        self._named.write(form, text)
        with self._page_is_a_favour():
            if self._page:
                self._page.write(form, text)

    def forget(self, form: Format) -> None:
        """Leaves the files of this format as they were."""
        self._named.forget(form)

    def finish(self) -> tuple[Path, ...]:
        """Gives the files their names, and returns those that an option named. Raises OutputError."""
        with interrupts.held():
            paths = self._named.finish()
            with self._page_is_a_favour():
                if self._page:
                    self._page.finish()
        return paths

    @contextlib.contextmanager
    def _page_is_a_favour(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self._page = None
            _warn(error)


@contextlib.contextmanager
def named_outputs(
    form: Format, reports: tuple[tuple[Format, Path], ...], environ: Mapping[str, str]
) -> Iterator[Outputs | None]:
    """Opens what is to be written beside stdout and the output folder; None: nothing is.

    `form` is what stdout gets. Raises OutputError for a named file that can't be written. That the page of the job
    can't is a warning: nobody named it, and the annotations say the same.
    """
    path = environ.get(STEP_SUMMARY) if form is Format.GITHUB else None
    if not reports and not path:
        yield None
        return
    from preflight.named_files import NamedFiles

    with contextlib.ExitStack() as stack:
        named = stack.enter_context(NamedFiles(reports))
        page = None
        if path:
            try:
                page = stack.enter_context(NamedFiles([(Format.GITHUB_SUMMARY, Path(path))]))
            except OutputError as error:
                _warn(error)
        yield Outputs(named, page)


def _warn(error: OutputError) -> None:
    click.echo(f"Warning: {visible(error.message)} ({STEP_SUMMARY})", err=True)

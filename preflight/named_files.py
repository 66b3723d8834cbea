"""Files that were named one by one (`--report FORMAT=FILE`, `--output FILE`): each whole, or as it was before."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from msgspec import Struct

from preflight.errors import OutputError
from preflight.renderers import Format
from preflight.report_files import cause, shown, sync_folder, write_all

APPENDED = frozenset({Format.GITHUB_SUMMARY})
"""What is added to what is there: other steps of a job write to the same page."""


Kind = TypeVar("Kind", bound=str)
"""What goes into a file: a format's name."""


class NamedFiles(Generic[Kind]):
    """The files of one run, opened before it: what can't be written is told before anything is asked of Google.

    A file gets its name, in place of what had it, only by `finish`. What is no plain file (a pipe, `/dev/null`) is
    written as it comes. As a context manager it takes away what was not finished. Raises OutputError throughout.
    """

    def __init__(self, reports: Iterable[tuple[Kind, Path]], option: str = "--report", what: str = "report") -> None:
        """`reports` are formats, each with the file that it goes to; `option` is where these were named, and `what`
        what one is called."""
        self._what = what
        self._open: list[_File] = []
        self._option = option
        self.formats: frozenset[Kind] = frozenset()
        """The formats that are wanted."""
        try:
            for form, path in reports:
                self.formats |= {form}
                with self._explained(path):
                    self._open.append(_opened(form, path))
        except BaseException:
            self._drop(self._open)
            raise

    def write(self, form: Kind, text: str | bytes) -> None:
        """Adds the text to each file of this format."""
        data = text.encode("utf-8") if isinstance(text, str) else text
        for file in self._open:
            if file.form == form:
                with self._explained(file.path):
                    write_all(file.number, data)

    def forget(self, form: Kind) -> None:
        """Leaves the files of this format as they were."""
        self._drop([file for file in self._open if file.form == form])
        self.formats -= {form}

    def finish(self) -> tuple[Path, ...]:
        """Gives the files their names, and returns these."""
        paths = tuple(file.path for file in self._open)
        while self._open:
            file = self._open[0]
            with self._explained(file.path):
                if file.regular:
                    os.fsync(file.number)
                if file.part is not None:
                    file.part.replace(file.target)
                    sync_folder(file.target.parent)
            os.close(self._open.pop(0).number)
        return paths

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop(self._open)

    @contextlib.contextmanager
    def _explained(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise OutputError(
                f"The {self._what} cannot be written to '{shown(path)}': {cause(error, path)}.",
                f"Name another file with {self._option}.",
            ) from error

    def _drop(self, files: list["_File"]) -> None:
        for file in files:
            with contextlib.suppress(OSError):
                if file.part is not None:
                    file.part.unlink(missing_ok=True)
                elif file.length is not None:
                    os.ftruncate(file.number, file.length)
                    if not file.existed:
                        file.target.unlink(missing_ok=True)
            os.close(file.number)
        self._open = [file for file in self._open if file not in files]


class _File(Struct):
    form: str
    path: Path
    """As it was named."""
    number: int
    """The descriptor that is written to."""
    target: Path
    """Where the file is in the end: symbolic links stay."""
    part: Path | None = None
    """What it is called until then; None: the file itself is written to."""
    length: int | None = None
    """How long a file that is added to was before."""
    existed: bool = True
    regular: bool = True


def _opened(form: str, path: Path) -> _File:
    target = Path(os.path.realpath(path))
    mode = _mode(target)
    if mode is not None and not stat.S_ISREG(mode):
        return _File(form, path, os.open(target, os.O_WRONLY), target, regular=False)  # refuses a folder
    target.parent.mkdir(parents=True, exist_ok=True)
    if form in APPENDED:
        number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        return _File(form, path, number, target, length=os.fstat(number).st_size, existed=mode is not None)
    if mode is not None:
        os.close(os.open(target, os.O_WRONLY))  # what may not be written may not be replaced either
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    if mode is not None:
        with contextlib.suppress(OSError):  # a file system without modes
            os.fchmod(number, stat.S_IMODE(mode))
    return _File(form, path, number, target, part)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None

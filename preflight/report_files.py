"""Writes reports to a folder: whole or not at all, and never over another run's."""

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from preflight.errors import OutputError
from preflight.renderers import Format, render
from preflight.renderers.visible import visible
from preflight.report import Report

_HINT = "Name another folder with --output-dir, or write no files with --no-files."
_CAUSES = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "no space is left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EEXIST: "a file of that name is in the way",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "part of that path is a file, not a folder",
    errno.ELOOP: "its symbolic links go in circles",
}


def write_reports(
    report: Report, folder: Path, formats: Iterable[Format] = (Format.JSON, Format.MARKDOWN)
) -> tuple[Path, ...]:
    """Writes the report in each format and returns the files, in the order of the formats.

    They are named after the project and the time (UTC), with `-2`, `-3`... where that name is taken. A file has
    its name only once it is complete. Raises OutputError; nothing is left behind then.
    """
    texts = {wanted.suffix: render(report, wanted).encode("utf-8") for wanted in formats}
    if not texts:
        return ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem in _stems(report):
            with contextlib.suppress(_TakenError):
                return _write(folder, stem, texts)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise OutputError(
            f"The report cannot be written to '{shown(folder)}': {cause(error, folder)}.", _HINT
        ) from error
    raise AssertionError("the numbers have come to an end")


class FleetFiles:
    """The reports on many projects as one JSON file, written as they come, and one Markdown file with a summary.

    Neither has its name before `finish`; as a context manager it takes away what was not finished.
    """

    def __init__(self, folder: Path, name: str, moment: datetime) -> None:
        """`name` is what the files are named after, beside the time (UTC). Raises OutputError."""
        self._folder = folder
        self._made: list[Path] = []
        self._file = -1
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
            self._stem = self._take(name, moment)

    def _take(self, name: str, moment: datetime) -> str:
        for stem in _numbered(f"{_file_name(name)}-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"):
            part = self._folder / f".{stem}.part"
            try:
                self._file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            if any(os.path.lexists(self._folder / f"{stem}{form.suffix}") for form in Format):
                os.close(self._file)
                part.unlink()
                continue
            self._made.append(part)
            return stem
        raise AssertionError("the numbers have come to an end")

    def write(self, text: str) -> None:
        """Appends to the JSON file. Raises OutputError."""
        with self._explained():
            write_all(self._file, text.encode("utf-8"))

    def finish(self, markdown: str) -> tuple[Path, ...]:
        """Writes the summary and gives both files their names. Raises OutputError."""
        finals = (self._folder / f"{self._stem}.json", self._folder / f"{self._stem}.md")
        with self._explained():
            os.fsync(self._file)
            part = self._folder / f".{self._stem}.md.part"
            with _created(part, taken_if_there=False) as file:
                self._made.append(part)
                _fill(file, markdown.encode("utf-8"))
            for final in reversed(finals):
                self._made.pop().rename(final)
                self._made.insert(0, final)
            sync_folder(self._folder)
        self._made = []
        return finals

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        for path in self._made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise OutputError(
                f"The report cannot be written to '{shown(self._folder)}': {cause(error, self._folder)}.", _HINT
            ) from error


class _TakenError(Exception):
    """Another run has files of this name, or is writing them."""


def _stems(report: Report) -> Iterator[str]:
    yield from _numbered(f"{_file_name(report.target.project)}-{report.finished_at.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".-") or "project"


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    for number in count(2):
        yield f"{stem}-{number}"


def _write(folder: Path, stem: str, texts: dict[str, bytes]) -> tuple[Path, ...]:
    """Writes all files of one name. Raises _TakenError if it is another run's.

    The first file's temporary name, which only one process can create, holds the stem: it becomes the final name
    last, so that at any moment either it or a file with the stem is there. Hard links would do without that, but
    not every file system has them.
    """
    parts = {suffix: folder / f".{stem}{suffix if at else ''}.part" for at, suffix in enumerate(texts)}
    finals = {suffix: folder / f"{stem}{suffix}" for suffix in texts}
    made: list[Path] = []
    try:
        for at, (suffix, text) in enumerate(texts.items()):
            with _created(parts[suffix], taken_if_there=at == 0) as file:
                made.append(parts[suffix])
                if at == 0 and any(os.path.lexists(folder / f"{stem}{form.suffix}") for form in Format):
                    raise _TakenError
                _fill(file, text)
        for suffix in reversed(texts):
            parts[suffix].rename(finals[suffix])
            made.append(finals[suffix])
        sync_folder(folder)
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    return tuple(finals.values())


@contextlib.contextmanager
def _created(path: Path, *, taken_if_there: bool) -> Iterator[int]:
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        # A process that was killed may have left a part that is not the first: it is written anew.
        file = os.open(path, how | os.O_EXCL if taken_if_there else how | os.O_NOFOLLOW, 0o666)
    except FileExistsError:
        raise _TakenError from None
    try:
        yield file
    finally:
        os.close(file)


def write_all(file: int, text: bytes) -> None:
    """Writes all of it to an open file, however little that takes at a time."""
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(file, rest) :]


def _fill(file: int, text: bytes) -> None:
    write_all(file, text)
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlive a crash, as far as its file system can."""
    # Not every file system can do that: the files are there all the same.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def cause(error: OSError | ValueError, folder: Path) -> str:
    """Why a folder or file can't be written, in a few words."""
    if isinstance(error, ValueError):
        return "that is no valid path"
    if error.errno != errno.ELOOP and os.path.islink(folder) and not os.path.exists(folder):  # noqa: PTH110, PTH114 - pathlib's raise on a long name
        return "it is a symbolic link to a place that does not exist"
    return _CAUSES.get(error.errno or 0) or (error.strerror or type(error).__name__).lower()


def shown(folder: Path) -> str:
    """A path as it is told."""
    return visible(str(folder))

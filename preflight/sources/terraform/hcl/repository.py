"""The one door to the disk: regular files inside the repository, up to a size; nothing else is read."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from preflight.sources.terraform.hcl.limits import Limits


class UnreadableError(Exception):
    """A file or folder that was not read, and why: one sentence without the path."""


class MissingError(UnreadableError):
    """There is no such file inside the repository."""


class Repository:
    """A folder, and the files in it. Links are followed, as long as they stay inside."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = os.path.realpath(root)
        self.limits = limits
        self._decoded: dict[str, Any] = {}
        self._decoded_size = 0

    def decoded(self, text: str, decode: Callable[[str], Any]) -> Any:
        """What a text decodes to, worked out once as long as there is room: factories read a file for each module."""
        if text not in self._decoded:
            value = decode(text)
            self._decoded_size += len(text)
            if self._decoded_size > self.limits.file_bytes:
                return value
            self._decoded[text] = value
        return self._decoded[text]

    def shown(self, path: str | Path) -> str:
        """The path from the repository's root, with `/`."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def inside(self, path: str | Path) -> str:
        """The real path. Raises UnreadableError if that is outside the repository, MissingError if there is none."""
        try:
            real = os.path.realpath(path, strict=True)
        except FileNotFoundError:
            if not self._within(os.path.normpath(path)):
                raise UnreadableError("it is outside the repository") from None
            raise MissingError("there is no such file") from None
        except (OSError, ValueError) as error:  # a loop of links, a NUL byte, a name too long
            raise UnreadableError(_why(error)) from None
        if not self._within(real):
            raise UnreadableError("it is outside the repository")
        return real

    def _within(self, path: str) -> bool:
        return path == self.root or path.startswith(self.root.rstrip(os.sep) + os.sep)

    def read(self, path: str | Path) -> bytes:
        """A file's bytes. Raises UnreadableError: outside, gone, no regular file, too large."""
        real = self.inside(path)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(real, flags)
            with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor, so that no link can slip in between
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise UnreadableError("it is no regular file")
                if status.st_size > self.limits.file_bytes:
                    raise UnreadableError(f"it is larger than {self.limits.file_bytes} bytes, the limit here")
                data = file.read(self.limits.file_bytes + 1)
        except OSError as error:
            raise UnreadableError(_why(error)) from None
        if len(data) > self.limits.file_bytes:
            raise UnreadableError(f"it is larger than {self.limits.file_bytes} bytes, the limit here")
        return data

    def names(self, folder: str | Path) -> list[str]:
        """The names in a folder, sorted. Raises UnreadableError."""
        real = self.inside(folder)
        try:
            with os.scandir(real) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            raise UnreadableError(_why(error)) from None
        return sorted(names)


def _why(error: OSError | ValueError) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"it cannot be read: {said}"

"""A plan's file as bytes, which stay what they are while they are read; refused with what to do where it can't be a
plan in JSON.

To read a large file into memory takes a quarter as long as to look at each of its elements, so that one is mapped. But
a mapped file that somebody cuts short ends the process that looks at it (SIGBUS). Linux lends out files: as long as we
hold the lease, whoever opens the file to write, or cuts it, waits. Without a lease the file is read.
"""

import contextlib
import mmap
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from preflight.errors import UsageError

SHOW = "terraform show -json plan > plan.json"
_MAKE = f"Make it with: terraform plan -out=plan, then: {SHOW}"
_UTF8, _UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_ARCHIVE, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_MAPPED_FROM = 64_000_000
"""Bytes: what is smaller is read in no time."""


@contextlib.contextmanager
def plan_bytes(path: Path) -> Iterator[memoryview]:
    """The file's text in UTF-8. Nothing that was decoded from it without a copy may be looked at afterwards.

    Raises UsageError for what can't be read or is no text.
    """
    with contextlib.ExitStack() as stack:
        yield _content(path, stack)


def _content(path: Path, stack: contextlib.ExitStack) -> memoryview:
    try:
        file = stack.enter_context(path.open("rb"))
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return memoryview(_text(file.read(), path))  # a pipe
        _refuse(file.peek(4)[:4], path)
        if os.fstat(file.fileno()).st_size >= _MAPPED_FROM and _lent(file, stack):
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if mapped[:2] in _UTF16:
                return memoryview(_text(bytes(mapped), path))
            return memoryview(mapped)[len(_UTF8) if mapped[:3] == _UTF8 else 0 :]
        return memoryview(_text(_read(file, path), path))
    except IsADirectoryError:
        raise UsageError(f"'{path}' is a folder, not a plan.", _MAKE) from None
    except OSError as error:
        raise UsageError(f"'{path}' can't be read: {error.strerror or error}.", _MAKE) from None


def _lent(file: BinaryIO, stack: contextlib.ExitStack) -> bool:
    """Whether we have the file on lease: not where somebody is writing to it, nor on every system and file system."""
    try:
        import fcntl

        # That somebody waits is told by a signal: one that nobody heeds, unlike the usual one, which ends us.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except (ImportError, AttributeError, OSError):
        return False
    stack.callback(fcntl.fcntl, file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def _read(file: BinaryIO, path: Path) -> bytes:
    before = os.fstat(file.fileno())
    content = file.read()
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UsageError(f"'{path}' was changed while it was read.", "Run again once it is whole.")
    return content


def _text(content: bytes, path: Path) -> bytes:
    """Without a byte order mark; Windows PowerShell's `>` writes UTF-16."""
    if not content:
        raise UsageError(f"'{path}' is empty.", _MAKE)
    _refuse(content[:4], path)
    if content[:2] in _UTF16:
        try:
            return content.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise UsageError(f"'{path}' is no text.", _MAKE) from None
    return content.removeprefix(_UTF8)


def _refuse(head: bytes, path: Path) -> None:
    if head == _ARCHIVE:
        raise UsageError(f"'{path}' is a plan in Terraform's own format, not in JSON.", f"Run: {SHOW}")
    if head[:2] == _GZIP:
        raise UsageError(f"'{path}' is compressed.", "Unpack it first: gunzip.")
    if b"\0" in head and head[:2] not in _UTF16:
        raise UsageError(f"'{path}' is no text.", _MAKE)

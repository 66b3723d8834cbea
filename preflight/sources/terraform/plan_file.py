"""A plan's file as bytes: mapped, not read, and refused with what to do where it can't be a plan in JSON."""

import mmap
import os
import stat
from pathlib import Path

from preflight.errors import UsageError

SHOW = "terraform show -json plan > plan.json"
_MAKE = f"Make it with: terraform plan -out=plan, then: {SHOW}"
_UTF8, _UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_ARCHIVE, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


def plan_bytes(path: Path) -> memoryview:
    """The file's text in UTF-8, mapped where that can be; it is unmapped once nothing decoded from it is left.

    Raises UsageError for what can't be read or is no text.
    """
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                return memoryview(_text(file.read(), path))  # a pipe
            if about.st_size == 0:
                raise UsageError(f"'{path}' is empty.", _MAKE)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except IsADirectoryError:
        raise UsageError(f"'{path}' is a folder, not a plan.", _MAKE) from None
    except OSError as error:
        raise UsageError(f"'{path}' can't be read: {error.strerror or error}.", _MAKE) from None
    head = mapped[:4]
    if head[:2] in _UTF16:
        return memoryview(_text(bytes(mapped), path))
    _refuse(head, path)
    return memoryview(mapped)[len(_UTF8) if head.startswith(_UTF8) else 0 :]


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

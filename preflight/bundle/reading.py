"""A bundle, a snapshot or a report from outside: whatever it is, it is read in bounded time and memory, or refused."""

import io
import os
import stat
import struct
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from preflight.bundle.contents import (
    MANIFEST,
    PROFILE,
    REPORT_JSON,
    SNAPSHOT,
    TRACE,
    VERSION,
    Manifest,
    StoredSnapshot,
    Trace,
)
from preflight.errors import BundleError
from preflight.facts.snapshot import OFFLINE
from preflight.renderers.visible import visible

LARGEST = 64 * 2**20
"""Of a bundle and of all that is in it, in bytes: a project of 10,000 datasets has a fraction of it. What is decoded
takes several times as much memory."""
_LARGEST_PROFILE = 256 * 2**10
"""TOML takes its time to parse."""
_MOST_FILES = 64
_DIRECTORY = 64 * 2**10
"""Of the list of files at the end of an archive, in bytes: zipfile reads it whole, whatever is in it."""
_END = struct.Struct("<4s4H2LH")
_ENDS, _ENDS_OF_LARGE = b"PK\5\6", b"PK\6\7"
_LOCATOR = 20
"""How long that is which an archive for more than 4 GiB has before its end, in bytes."""
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
AGAIN = "Ask for it again, or make a new one with: preflight run --project ID --bundle FILE.zip"
ZIP = b"PK"
SOURCES = OFFLINE | {"live", "snapshot"}

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError, IndexError),
)
"""What zipfile raises on archives that are none, or were damaged."""

Kind = TypeVar("Kind", bound=Struct)


class Stored(Struct, frozen=True, kw_only=True):
    """A bundle or snapshot that was read."""

    snapshot: StoredSnapshot
    manifest: Manifest | None = None
    """None for a snapshot by itself."""
    trace: Trace | None = None
    profile: str | None = None
    """The text of the profile, where it isn't a built-in one."""
    report: bytes | None = None
    """The JSON report on it, where there is one."""


def read_stored(path: Path) -> Stored:
    """The bundle or bare snapshot in a file. Raises BundleError for what can't be read, or must not be trusted."""
    return stored_in(read_file(path), visible(str(path)))


def stored_in(data: bytes, shown: str) -> Stored:
    """The same of the bytes of a file; `shown` is what it is called. Raises BundleError."""
    if not data.startswith(ZIP):
        return Stored(snapshot=_snapshot(data, shown))
    return _unpacked(data, shown)


def read_file(path: Path) -> bytes:
    """The bytes of a file of no more than LARGEST. Raises BundleError."""
    shown = visible(str(path))
    try:
        # Without waiting: a pipe that nobody writes to would never be opened.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(number, "rb") as file:  # noqa: PTH123  the descriptor is looked at before it is read
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise _no_file(shown)
            data = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise _no_file(shown) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "the name cannot be used"
        raise BundleError(f"'{shown}' cannot be read: {why.lower()}.", "Check the path.") from None
    if len(data) > LARGEST:
        raise BundleError(f"'{shown}' is larger than {LARGEST // 2**20} MiB.", "A bundle never is. " + AGAIN)
    if not data:
        raise BundleError(f"'{shown}' is empty.", AGAIN)
    return data


def _no_file(shown: str) -> BundleError:
    return BundleError(f"'{shown}' is not a file.", "Name a bundle or a snapshot.")


def _snapshot(data: bytes, shown: str) -> StoredSnapshot:
    found = decoded(data, StoredSnapshot, shown)
    if found.facts.source not in SOURCES:
        raise BundleError(f"{shown} has facts from '{visible(found.facts.source)}', which is unheard of.", AGAIN)
    return found


def _unpacked(data: bytes, shown: str) -> Stored:
    _refuse_directory(data, shown)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _files(archive, shown)
    except _BROKEN as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"'{shown}' is damaged: it is no whole zip archive.", AGAIN) from None
    if MANIFEST not in files:
        raise BundleError(f"'{shown}' is not a bundle: there is no {MANIFEST} in it.", AGAIN)
    manifest = decoded(files[MANIFEST], Manifest, f"{shown}: {MANIFEST}")
    _compare(manifest, files, shown)
    if SNAPSHOT not in files:
        raise BundleError(f"'{shown}' holds no {SNAPSHOT}.", AGAIN)
    trace = decoded(files[TRACE], Trace, f"{shown}: {TRACE}") if TRACE in files else None
    return Stored(
        snapshot=_snapshot(files[SNAPSHOT], f"{shown}: {SNAPSHOT}"),
        manifest=manifest,
        trace=trace,
        profile=_profile(files[PROFILE], f"{shown}: {PROFILE}") if PROFILE in files else None,
        report=files.get(REPORT_JSON),
    )


def _refuse_directory(data: bytes, shown: str) -> None:
    """Raises BundleError for an archive whose list of files is none of ours, before that is read."""
    end = data[-_END.size :]
    if len(end) < _END.size or not end.startswith(_ENDS):
        raise BundleError(f"'{shown}' is damaged: it is no whole zip archive.", AGAIN)
    size = _END.unpack(end)[5]
    if size > _DIRECTORY or data[-_END.size - _LOCATOR :].startswith(_ENDS_OF_LARGE):
        raise BundleError(f"'{shown}' holds more files than a bundle has.", f"It was not made by preflight. {AGAIN}")


def _files(archive: zipfile.ZipFile, shown: str) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > _MOST_FILES:
        raise BundleError(f"'{shown}' holds {len(entries):,} files.", f"A bundle has a handful. {AGAIN}")
    names = [entry.filename for entry in entries]
    for entry in entries:
        _refuse(entry, names, shown)
    left = LARGEST
    files: dict[str, bytes] = {}
    for entry in entries:
        with archive.open(entry) as file:
            found = file.read(left + 1)  # what the archive says of its size may be a lie
        left -= len(found)
        if left < 0:
            raise BundleError(f"'{shown}' unpacks to more than {LARGEST // 2**20} MiB.", f"It may be a trap. {AGAIN}")
        files[entry.filename] = found
    return files


def _refuse(entry: zipfile.ZipInfo, names: list[str], shown: str) -> None:
    name = entry.filename
    trouble = ""
    if "/" in name or "\\" in name or name in {"", ".", ".."} or ":" in name:
        trouble = "which is no plain name"
    elif names.count(name) > 1:
        trouble = "twice"
    elif entry.flag_bits & _ENCRYPTED:
        trouble = "which is encrypted"
    elif not stat.S_ISREG(mode := entry.external_attr >> 16) and stat.S_IFMT(mode):
        trouble = "which is no plain file"
    elif entry.compress_type not in _METHODS:
        trouble = "which is packed in a way that bundles aren't"
    if trouble:
        raise BundleError(f"'{shown}' holds '{visible(name)}', {trouble}.", f"It was not made by preflight. {AGAIN}")


def _compare(manifest: Manifest, files: dict[str, bytes], shown: str) -> None:
    listed = {entry.name: entry for entry in manifest.files}
    for name, data in files.items():
        if name == MANIFEST:
            continue
        entry = listed.pop(name, None)
        if entry is None or entry.size != len(data) or entry.sha256 != sha256(data).hexdigest():
            raise BundleError(f"'{shown}': {visible(name)} is not as the manifest says.", f"It was changed. {AGAIN}")
    if listed:
        raise BundleError(f"'{shown}' lacks {visible(next(iter(listed)))}, which the manifest lists.", AGAIN)


def _profile(data: bytes, shown: str) -> str:
    if len(data) > _LARGEST_PROFILE:
        raise BundleError(f"{shown} is larger than {_LARGEST_PROFILE // 2**10} KiB.", AGAIN)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BundleError(f"{shown} is not UTF-8.", AGAIN) from None


class _Head(Struct):
    kind: str = ""
    schema_version: str = ""
    findings: msgspec.Raw = msgspec.Raw()


def decoded(data: bytes, kind: type[Kind], shown: str) -> Kind:
    """One of our files. Raises BundleError, also for one of a later version."""
    wanted = str(next(field.default for field in msgspec.structs.fields(kind) if field.name == "kind"))
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BundleError(f"{shown} is not a {_named(wanted)}: it is no JSON ({why(error)}).", AGAIN) from None
    if head.kind != wanted:
        what = "a report" if bytes(head.findings) else f"a {_named(head.kind)}" if head.kind else "something else"
        hint = "To compare reports there is: preflight diff" if bytes(head.findings) else AGAIN
        raise BundleError(f"{shown} is {visible(what)}, not a {_named(wanted)}.", hint)
    if head.schema_version.partition(".")[0] != VERSION.partition(".")[0]:
        raise BundleError(
            f"{shown} has version {visible(head.schema_version)}, and this preflight reads version {VERSION}.",
            "Use a newer preflight: pip install --upgrade bq-preflight",
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BundleError(f"{shown} cannot be read: {why(error)}.", AGAIN) from None


def _named(kind: str) -> str:
    return kind.removeprefix("preflight-")


def why(error: Exception) -> str:
    """What is wrong with some JSON, in words."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else visible(str(error))

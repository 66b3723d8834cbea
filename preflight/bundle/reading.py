"""A bundle, a snapshot or a report from outside: whatever it is, it is read in bounded time and memory, or refused."""

import io
import stat
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
from preflight.renderers.visible import visible

LARGEST = 256 * 2**20
"""Of a bundle and of all that is in it, in bytes: a project of 10,000 datasets has a twentieth of it."""
_MOST_FILES = 64
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
AGAIN = "Ask for it again, or make a new one with: preflight run --project ID --bundle FILE.zip"
ZIP = b"PK"

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
        return Stored(snapshot=decoded(data, StoredSnapshot, shown))
    return _unpacked(data, shown)


def read_file(path: Path) -> bytes:
    """The bytes of a file of no more than LARGEST. Raises BundleError."""
    shown = visible(str(path))
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(path.stat().st_mode):
                raise BundleError(f"'{shown}' is not a file.", "Name a bundle or a snapshot.")
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "the name cannot be used"
        raise BundleError(f"'{shown}' cannot be read: {why.lower()}.", "Check the path.") from None
    if len(data) > LARGEST:
        raise BundleError(f"'{shown}' is larger than {LARGEST // 2**20} MiB.", "A bundle never is. " + AGAIN)
    if not data:
        raise BundleError(f"'{shown}' is empty.", AGAIN)
    return data


def _unpacked(data: bytes, shown: str) -> Stored:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _files(archive, shown)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
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
        snapshot=decoded(files[SNAPSHOT], StoredSnapshot, f"{shown}: {SNAPSHOT}"),
        manifest=manifest,
        trace=trace,
        profile=_text(files[PROFILE], f"{shown}: {PROFILE}") if PROFILE in files else None,
        report=files.get(REPORT_JSON),
    )


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


def _text(data: bytes, shown: str) -> str:
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

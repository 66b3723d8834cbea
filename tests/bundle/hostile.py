"""Files that are no bundles, and bundles that nobody means well with: each with what is said of it."""

import io
import json
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from typing import Any

from preflight.bundle.reading import LARGEST

Files = dict[str, bytes]
ZEROS = 3 * 2**30


def zipped(entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files, whatever they are called."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name, data in entries:
            archive.writestr(name, data)
    return made.getvalue()


def unpacked(bundle: bytes) -> Files:
    """The files of a bundle."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def honest(files: Files) -> bytes:
    """A bundle of these files, with a manifest that tells the truth of them."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = [
        {"name": name, "size": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    ]
    return zipped([("manifest.json", json.dumps(manifest).encode()), *list(files.items())[1:]])


def listed(files: Files, change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """The bundle with a change in what its manifest lists."""
    manifest = json.loads(files["manifest.json"])
    change(manifest["files"])
    return zipped([("manifest.json", json.dumps(manifest).encode()), *list(files.items())[1:]])


def having(files: Files, name: str, data: bytes) -> bytes:
    """The bundle with other content of one file."""
    return honest({**files, name: data})


def dated(files: Files, name: str, version: object) -> bytes:
    """The bundle with one file of another version."""
    return having(files, name, json.dumps({**json.loads(files[name]), "schema_version": version}).encode())


def bomb(size: int = ZEROS) -> bytes:
    """A small archive of one file that unpacks to gigabytes: the same piece of zeros over and over."""
    piece = zlib.compressobj(9, wbits=-15)
    zeros = piece.compress(bytes(2**24)) + piece.flush(zlib.Z_FULL_FLUSH)
    packed = zeros * (size // 2**24) + piece.flush()
    name = b"snapshot.json"
    sizes = struct.pack("<3L", 0, len(packed), size)
    local = b"PK\3\4" + struct.pack("<5H", 20, 0, 8, 0, 33) + sizes + struct.pack("<2H", len(name), 0) + name
    entry = (
        b"PK\1\2" + struct.pack("<6H", 20, 20, 0, 8, 0, 33) + sizes + struct.pack("<5H2L", len(name), *[0] * 6) + name
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local) + len(packed), 0)
    return local + packed + entry + end


def lying_bomb() -> bytes:
    """One of which the archive says that it is small."""
    data = bytearray(zipped([("snapshot.json", bytes(LARGEST + 10))]))
    at = data.rindex(b"PK\1\2")
    data[at + 24 : at + 28] = struct.pack("<L", 100)
    at = data.index(b"PK\3\4")
    data[at + 22 : at + 26] = struct.pack("<L", 100)
    return bytes(data)


def overlapping(copies: int = 60) -> bytes:
    """An archive whose files are all one and the same place: each is to be unpacked anew."""
    whole = zipped([("snapshot.json", bytes(LARGEST // 50))])
    at, end = whole.rindex(b"PK\1\2"), whole.rindex(b"PK\5\6")
    directory = b"".join(whole[at:end].replace(b"snapshot.json", b"snapshot%05d" % n) for n in range(copies))
    return whole[:at] + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, copies, copies, len(directory), at, 0)


def many(count: int) -> bytes:
    """An archive that lists so many files, all of them empty."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + b"%08d" % n for n in range(count))
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count % 2**16, count % 2**16, len(directory), 4, 0)
    return b"PK\3\4" + directory + tail


def large_directory() -> bytes:
    """The same in the form for archives of more than 4 GiB, whose plain end lists nothing."""
    whole = many(500_000)
    directory = whole[4:-22]
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 500_000, 500_000, len(directory), 4)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 4 + len(directory), 1)
    return b"PK\3\4" + directory + record + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46, 4, 0)


def encrypted(bundle: bytes) -> bytes:
    """The bundle as if its files were encrypted."""
    return _patched(bundle, 8, 6, 1)


def packed_oddly(bundle: bytes) -> bytes:
    """The bundle as if its files were packed with a method of tomorrow."""
    return _patched(bundle, 10, 8, 93)


def _patched(bundle: bytes, central: int, local: int, value: int) -> bytes:
    data = bytearray(bundle)
    for mark, offset in ((b"PK\1\2", central), (b"PK\3\4", local)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset : at + offset + 2] = struct.pack("<H", value)
            at = data.find(mark, at + 4)
    return bytes(data)


def linked(files: Files, mode: int = stat.S_IFLNK) -> bytes:
    """The bundle with its snapshot as a link to elsewhere."""
    entry = zipfile.ZipInfo("snapshot.json")
    entry.create_system = 3
    entry.external_attr = (mode | 0o777) << 16
    return zipped([("manifest.json", files["manifest.json"]), (entry, b"/etc/passwd")])


def named(files: Files, name: str) -> bytes:
    """The bundle with one more file of this name."""
    return zipped([*files.items(), (name, b"written")])


def with_text(files: Files, change: Callable[[str], str]) -> bytes:
    """The bundle with a change in the text of its snapshot."""
    return having(files, "snapshot.json", change(files["snapshot.json"].decode()).encode("utf-8", "surrogatepass"))


def asking(files: Files, **asked: object) -> bytes:
    """The bundle with another selection."""
    snapshot = json.loads(files["snapshot.json"])
    snapshot["asked"] |= asked
    return having(files, "snapshot.json", json.dumps(snapshot).encode())


HUGE: dict[str, Callable[[], bytes]] = {
    "10^6 levels of lists": lambda: b'{"kind":"preflight-snapshot","x":' + b"[" * 10**6,
    "10^6 levels of objects": lambda: b'{"a":' * 10**6 + b"1" + b"}" * 10**6,
    "10^6 levels, whole": lambda: b"[" * 10**6 + b"]" * 10**6,
    "a number of 10^6 digits": lambda: (
        b'{"kind":"preflight-snapshot","schema_version":"1.0","tool":' + b"9" * 10**6 + b"}"
    ),
    "10^400 as a version": lambda: b'{"kind":"preflight-snapshot","schema_version":1' + b"0" * 400 + b"}",
    "1e999999999": lambda: b'{"kind":"preflight-snapshot","schema_version":"1.0","tool":1e999999999}',
    "NaN": lambda: b'{"kind":"preflight-snapshot","schema_version":NaN}',
    "a list of numbers": lambda: b"[" + b"1," * 10**7 + b"1]",
    "many keys": lambda: b"{" + b",".join(b'"k%d":0' % n for n in range(10**6)) + b"}",
    "NUL bytes": lambda: bytes(10**7),
    "a mark of byte order": lambda: b"\xef\xbb\xbf{}",
    "UTF-16": lambda: '{"kind":"preflight-snapshot"}'.encode("utf-16"),
    "no text": lambda: b"\xff\xfe\xfd" * 1000,
    "spaces": lambda: b" " * LARGEST,
    "a text alone": lambda: b'"preflight-snapshot"',
    "null": lambda: b"null",
    "two documents": lambda: b'{"kind":"preflight-snapshot"} {"kind":"preflight-snapshot"}',
    "a lone surrogate": lambda: b'{"kind":"\\ud800"}',
    "another kind": lambda: b'{"kind":"preflight-\\u001b]8;;http://x\\u0007"}',
    "too large": lambda: b" " * (LARGEST + 1),
    "empty": lambda: b"",
}
"""Files that are no bundle and no snapshot."""


def archives(bundle: bytes) -> dict[str, tuple[Callable[[], bytes], str]]:
    """What is made of a good bundle, each with what is said of it."""
    files = unpacked(bundle)
    snapshot = files["snapshot.json"]
    start = b'{"kind":"preflight-snapshot","schema_version":"1.0","facts":'
    names = ("../x", "/elsewhere/x", "a\\b", "C:x", "..", ".", "a/../../x", "folder/", "~/x/y", "//host/x", "x:y")
    return {
        **{f"a file called {name}": (partial(named, files, name), "which is no plain name") for name in names},
        "one that unpacks to 3 GiB": (
            bomb,
            "unpacks to more than",
        ),
        "one that says it is small": (
            lying_bomb,
            "damaged",
        ),
        "one whose files overlap": (
            overlapping,
            "is damaged",
        ),
        "a zip in a zip": (
            lambda: zipped([("manifest.json", bomb())]),
            "is no JSON",
        ),
        "1,000 files": (
            lambda: many(1000),
            "1,000 files",
        ),
        "100,000 files": (
            lambda: many(100_000),
            "more files than a bundle has",
        ),
        "500,000 files, as a large archive": (
            large_directory,
            "more files than a bundle has",
        ),
        "a link": (
            lambda: linked(files),
            "which is no plain file",
        ),
        "a device": (
            lambda: linked(files, stat.S_IFCHR),
            "which is no plain file",
        ),
        "a name twice": (
            lambda: zipped([*files.items(), ("snapshot.json", snapshot)]),
            "twice",
        ),
        "an encrypted one": (
            lambda: encrypted(bundle),
            "which is encrypted",
        ),
        "one packed in an unknown way": (
            lambda: packed_oddly(bundle),
            "packed in a way",
        ),
        "one packed with LZMA": (
            lambda: zipped(files.items(), zipfile.ZIP_LZMA),
            "packed in a way",
        ),
        "no manifest": (
            lambda: zipped([*files.items()][1:]),
            "no manifest.json",
        ),
        "an archive of something else": (
            lambda: zipped([("word/document.xml", b"<x/>")]),
            "which is no plain name",
        ),
        "an empty archive": (
            lambda: zipped([]),
            "no manifest.json",
        ),
        "a manifest with another size": (
            lambda: listed(files, lambda all_: all_[0].update(size=1)),
            "not as the manifest",
        ),
        "a manifest with a negative size": (
            lambda: listed(files, lambda all_: all_[0].update(size=-1)),
            "not as the manifest",
        ),
        "a manifest with a huge size": (
            lambda: listed(files, lambda all_: all_[0].update(size=10**400)),
            "not as the manifest",
        ),
        "a manifest with another hash": (
            lambda: listed(files, lambda all_: all_[0].update(sha256="0" * 64)),
            "not as the manifest",
        ),
        "a manifest that leaves one out": (
            lambda: listed(files, lambda all_: all_.pop()),
            "not as the manifest",
        ),
        "a manifest with one more": (
            lambda: listed(files, lambda all_: all_.append({"name": "x\x1b[31m", "size": 0, "sha256": ""})),
            "lacks",
        ),
        "no snapshot": (
            lambda: honest({name: data for name, data in files.items() if name != "snapshot.json"}),
            "no snapshot.json",
        ),
        "a manifest in place of the snapshot": (
            lambda: having(files, "snapshot.json", files["manifest.json"]),
            "is a bundle",
        ),
        "a report in place of the snapshot": (
            lambda: having(files, "snapshot.json", files["report.json"]),
            "a report",
        ),
        "a snapshot of the future": (
            lambda: dated(files, "snapshot.json", "2.0"),
            "version 2.0",
        ),
        "a snapshot of no version": (
            lambda: dated(files, "snapshot.json", ""),
            "version",
        ),
        "a version that is a number": (
            lambda: dated(files, "snapshot.json", 10**400),
            "no JSON",
        ),
        "a trace of the future": (
            lambda: dated(files, "trace.json", "2.0"),
            "version 2.0",
        ),
        "deep facts": (
            lambda: having(files, "snapshot.json", start + b"[" * 10**6),
            "snapshot.json",
        ),
        "a huge number": (
            lambda: having(files, "snapshot.json", start + b"9" * 10**6 + b"}"),
            "snapshot.json",
        ),
        "NaN in the facts": (
            lambda: having(files, "snapshot.json", start + b"NaN}"),
            "snapshot.json",
        ),
        "a mark of byte order in it": (
            lambda: having(files, "snapshot.json", b"\xef\xbb\xbf" + snapshot),
            "snapshot.json",
        ),
        "a lone surrogate in it": (
            lambda: with_text(files, lambda text: text.replace("EU", "\\ud800", 1)),
            "snapshot.json",
        ),
        "a surrogate in UTF-8": (
            lambda: with_text(files, lambda text: text.replace("EU", "\ud800", 1)),
            "snapshot.json",
        ),
        "facts from nowhere": (
            lambda: with_text(files, lambda text: text.replace('"source": "live"', '"source": "\\u001b[m"', 1)),
            "unheard of",
        ),
        "a trace of nothing": (
            lambda: having(files, "trace.json", b"{}"),
            "trace.json",
        ),
        "a moment that is none": (
            lambda: with_text(files, lambda text: text.replace("+00:00", "Z").replace('"20', '"99999', 1)),
            "snapshot.json",
        ),
    }


def selections(bundle: bytes) -> dict[str, tuple[Callable[[], bytes], str]]:
    """Bundles that can be read, and that ask for what can't be had: they can be listed, and not judged."""
    files = unpacked(bundle)
    return {
        "a profile of this machine": (
            lambda: asking(files, profile="/etc/hostname.toml"),
            "doesn't hold it",
        ),
        "a profile that is nowhere": (
            lambda: asking(files, profile="\x1b]8;;http://x\x07"),
            "no profile",
        ),
        "a profile with a NUL": (
            lambda: asking(files, profile="a\0.toml"),
            "doesn't hold it",
        ),
        "a rule that is none": (
            lambda: asking(files, only=["\u202eelur"]),
            "no rule",
        ),
        "a project that is none": (
            lambda: asking(files, project="../x"),
            "../x",
        ),
        "a principal that is none": (
            lambda: asking(files, principal="group:x"),
            "group:x",
        ),
        "a profile that is no TOML": (
            lambda: honest({**files, "profile.toml": b"= ="}),
            "the bundle's profile",
        ),
        "a deep profile": (
            lambda: honest({**files, "profile.toml": b"a = " + b"[" * 100_000}),
            "the bundle's profile",
        ),
    }

"""From what a run collected to the bytes of a bundle: cleaned of names, judged anew, and looked through once more."""

import io
import zipfile
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from preflight.bundle.contents import (
    MANIFEST,
    PROFILE,
    REPORT_JSON,
    REPORT_MARKDOWN,
    SNAPSHOT,
    TRACE,
    Asked,
    Call,
    Entry,
    Manifest,
    StoredSnapshot,
    Tool,
    Trace,
    encoded,
)
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.redaction.key import id_of
from preflight.redaction.scan import refuse_names, refuse_secrets
from preflight.redaction.snapshot import Level, cleaned, stays
from preflight.renderers import Format, render
from preflight.report import Report
from preflight.rulebook import Rule
from preflight.version import __version__

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it: the same content is the same bytes."""
_PLAIN_FILE = 0o100644 << 16


class Material(Struct, frozen=True, kw_only=True):
    """A run, as it is to be bundled."""

    asked: Asked
    profile: Profile
    own_profile: str | None
    """The text of a profile that isn't built in."""
    rules: tuple[Rule, ...]
    snapshot: Snapshot
    target: Target
    report: Report
    """The report on it: with pseudonyms it must come to the same."""
    redaction: Level = "none"
    """Which names in it are pseudonyms already: then no other is replaced."""
    key_id: str | None = None
    """Of the key that they were made with."""
    calls: tuple[Call, ...]


class Bundle(Struct, frozen=True, kw_only=True):
    """A bundle that may be written."""

    data: bytes
    entries: tuple[Entry, ...]
    legend: dict[str, str]
    """What the pseudonyms stand for: this stays."""
    replaced: dict[str, int]
    """How many names were replaced, by what they are."""
    folded: int
    """How many conditions were folded to their value."""


def bundle(material: Material, level: Level, key: bytes, *, with_report: bool = True) -> Bundle:
    """Makes the bundle; `key` is that of the pseudonyms. Raises RedactionError where it must not be written."""
    clean, report = None, material.report
    if material.redaction != "none":
        level = material.redaction
    elif level != "none":
        clean, report = cleaned(
            material.rules, material.snapshot, material.target, material.profile, report, key, level
        )
    facts = material.snapshot if clean is None else clean.snapshot
    tool = Tool(version=__version__)
    key_id = material.key_id if clean is None else id_of(key)
    stored = StoredSnapshot(tool=tool, redaction=level, key_id=key_id, asked=material.asked, facts=facts)
    files = {SNAPSHOT: encoded(stored)}
    if with_report:
        files[REPORT_JSON] = render(report, Format.JSON).encode()
        files[REPORT_MARKDOWN] = render(report, Format.MARKDOWN).encode()
    place = (lambda text: text) if clean is None else clean.pseudonyms.place
    files[TRACE] = encoded(Trace(calls=tuple(replace(call, resource=place(call.resource)) for call in material.calls)))
    if material.own_profile is not None:
        files[PROFILE] = material.own_profile.encode()
    refuse_secrets(files.values())
    if clean is not None:
        own = (name for kind in (StoredSnapshot, Asked, Tool) for name in kind.__struct_fields__)
        kept = (*stays(material.target, material.profile), *own)
        refuse_names(files, clean.pseudonyms.names, kept)
    entries = tuple(Entry(name=name, size=len(data), sha256=sha256(data).hexdigest()) for name, data in files.items())
    manifest = Manifest(tool=tool, redaction=level, collected_at=material.snapshot.finished_at, files=entries)
    return Bundle(
        data=_zipped([(MANIFEST, encoded(manifest)), *files.items()]),
        entries=entries,
        legend={} if clean is None else clean.legend,
        replaced={} if clean is None else {what: len(names) for what, names in clean.pseudonyms.replaced.items()},
        folded=0 if clean is None else clean.folded,
    )


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = _PLAIN_FILE
            archive.writestr(entry, data, compresslevel=6)
    return made.getvalue()

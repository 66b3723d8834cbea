"""What is made of fuzzing bytes: a file as somebody may send it, and all that is done with such a file."""

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from msgspec.structs import replace

from preflight.bundle.contents import Asked
from preflight.bundle.reading import Stored, stored_in
from preflight.bundle.reports import report_in
from preflight.bundle.writing import Material, bundle
from preflight.cli.inspect import told
from preflight.engine import evaluate, load_rules, needed_facts
from preflight.errors import PreflightError
from preflight.facts.snapshot import Target
from preflight.profile import decode_profile, load_profile
from preflight.renderers import Format, render
from preflight.report import Report
from preflight.rulebook import select
from preflight.sources.snapshot import stored_facts
from preflight.target import parse_target

COMMITTED = Path(__file__).parent.parent / "tests" / "bundle" / "committed"
RULES = select(load_rules())
WANTED = needed_facts(RULES)
KEY = bytes(32)
FORMATS = (Format.TERMINAL, Format.MARKDOWN, Format.JSON, Format.TICKET)
WORDS = ("", "x", "\0", "\x1b]8;;x\x07", "\u202e", "a" * 5000, "user:", "deleted:", "group:@", "projects//", "roles/",
         "%2F", "?uid=1", "principalSet://", "allUsers", "true", "'", "((((", "resource.name.startsWith('", "-", "é@ü",
         "heap-sql@heap-204122.iam.gserviceaccount.com",
         "projects/acme-analytics/datasets/heap_production")  # fmt: skip
VALUES: tuple[object, ...] = (None, True, 0, -1, 2**63, 10**400, 1.5, [], {}, [[]], [None], {"kind": "denied"},
          {"fact": "project"},
          {"kind": "incomplete", "detail": "x", "settled_by": ""}, "0001-01-01T00:00:00Z",
          "9999-12-31T23:59:59Z")  # fmt: skip


class Choices:
    """Chooses by bytes, and zeros when there are no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def of(self, count: int) -> int:
        """A number below `count`."""
        piece = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(piece, "big") % count if count else 0

    @property
    def left(self) -> bool:
        """Whether there are bytes that weren't looked at."""
        return self._at < len(self._data)


def seeds() -> list[bytes]:
    """Good bundles to begin with."""
    return [path.read_bytes() for path in sorted(COMMITTED.glob("*/*.zip"))]


def changed(whole: dict[str, bytes], choices: Choices) -> bytes:
    """A bundle with changes in its facts, and a manifest that tells the truth of it."""
    snapshot = json.loads(whole["snapshot.json"])
    for _ in range(8):
        if not choices.left:
            break
        _change(snapshot, choices)
    files = {**whole, "snapshot.json": json.dumps(snapshot).encode("utf-8", "surrogatepass")}
    manifest = json.loads(files.pop("manifest.json"))
    manifest["files"] = [
        {"name": name, "size": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()
    ]
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def _change(value: Any, choices: Choices) -> None:
    """Puts something else somewhere in it."""
    while isinstance(value, dict | list) and value:
        key: Any = list(value)[choices.of(len(value))] if isinstance(value, dict) else choices.of(len(value))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and choices.of(8):
            value = inner
            continue
        _put(value, key, inner, choices)
        return


def _put(value: Any, key: Any, inner: Any, choices: Choices) -> None:
    way = choices.of(6)
    if way == 0:
        del value[key]
    elif way == 1 and isinstance(inner, str):
        value[key] = inner + WORDS[choices.of(len(WORDS))]
    elif way == 2 and isinstance(value, list):
        value.extend([inner] * 3)
    elif way == 3 and isinstance(value, dict):
        value[WORDS[choices.of(len(WORDS))]] = inner
    elif way == 4:
        value[key] = VALUES[choices.of(len(VALUES))]
    else:
        value[key] = WORDS[choices.of(len(WORDS))]


def used(data: bytes) -> bool:
    """Does all that is done with a file that was sent; whether it could be read. Raises what is no error of ours."""
    try:
        stored = stored_in(data, "sent.zip")
    except PreflightError:
        return False
    "\n".join(told(stored)).encode()
    try:
        judge(stored)
        if stored.report is not None:
            report_in(stored.report, "report.json")
    except PreflightError:
        return False
    return True


def judge(stored: Stored) -> None:
    """Replays, renders and bundles it. Raises AssertionError where a rule ends with an error."""
    asked = stored.snapshot.asked
    profile = load_profile("heap") if stored.profile is None else decode_profile(stored.profile, "the profile")
    target = parse_target(profile, asked.project, asked.principal, asked.location, asked.dataset)
    report = evaluate(RULES, stored_facts(stored.snapshot, WANTED), target, profile)
    _sound(report)
    for form in FORMATS:
        render(replace(report, source="snapshot", origin=report.source), form).encode()
    _bundle(stored, asked, report, target)


def _bundle(stored: Stored, asked: Asked, report: Report, target: Target) -> None:
    profile = load_profile("heap")
    if stored.snapshot.redaction != "none" or stored.profile is not None:
        return
    bundle(
        Material(
            asked=asked,
            profile=profile,
            own_profile=None,
            rules=RULES,
            snapshot=stored_facts(stored.snapshot, WANTED),
            target=target,
            report=report,
            calls=stored.trace.calls if stored.trace else (),
        ),
        "strict",
        KEY,
    )


def _sound(report: Report) -> None:
    for finding in report.findings:
        if finding.verdict.reason is not None and finding.verdict.reason.kind == "internal":
            raise AssertionError(f"{finding.rule}: {finding.verdict.message}")

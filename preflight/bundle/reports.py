"""A JSON report from outside, as far as it is compared with another: any of version 1, with whatever fields besides."""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from preflight.bundle.reading import AGAIN, ZIP, Stored, read_file, stored_in, why
from preflight.errors import BundleError
from preflight.renderers.visible import visible
from preflight.report import Severity, Status

_VERSION = "1"


class _Project(Struct, frozen=True):
    id: str | None = None


class _Profile(Struct, frozen=True):
    name: str


class _Target(Struct, frozen=True):
    location: str | None = None
    dataset: str | None = None


class _Source(Struct, frozen=True):
    kind: str


class _Reason(Struct, frozen=True):
    kind: str


class ReadFinding(Struct, frozen=True):
    """One rule's answer."""

    rule: str
    verdict: Status
    severity: Severity
    title: str
    message: str
    reason: _Reason | None = None
    because: str | None = None


class ReadReport(Struct, frozen=True):
    """A report as `preflight schema report` describes it."""

    schema_version: str
    project: _Project
    profile: _Profile
    principal: str
    source: _Source
    finished_at: datetime
    findings: tuple[ReadFinding, ...]
    target: _Target = _Target()


class _Head(Struct, frozen=True):
    kind: str = ""
    findings: msgspec.Raw = msgspec.Raw()
    reports: msgspec.Raw = msgspec.Raw()
    schema_version: str = ""


class Read(Struct, frozen=True, kw_only=True):
    """What a file to compare holds: facts, or a report alone."""

    data: bytes
    stored: Stored | None = None
    report: ReadReport | None = None


def read_look(path: Path) -> Read:
    """The bundle, snapshot or report in a file. Raises BundleError for what is none, or must not be trusted."""
    data, shown = read_file(path), visible(str(path))
    if data.startswith(ZIP):
        return Read(data=data, stored=stored_in(data, shown))
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BundleError(
            f"{shown} is no bundle, snapshot or report: it is no JSON ({why(error)}).",
            "Name a bundle (.zip), its snapshot.json, or a JSON report.",
        ) from None
    if head.kind:
        return Read(data=data, stored=stored_in(data, shown))
    if bytes(head.reports):
        raise BundleError(f"{shown} holds reports on many projects.", "Compare reports on one project.")
    if not bytes(head.findings):
        raise BundleError(
            f"{shown} is no bundle, snapshot or report.", "Name a bundle (.zip), its snapshot.json, or a JSON report."
        )
    return Read(data=data, report=report_in(data, shown))


def report_in(data: bytes, shown: str) -> ReadReport:
    """The report in the bytes of a file; `shown` is what it is called. Raises BundleError."""
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.schema_version.partition(".")[0] != _VERSION:
            raise BundleError(
                f"{shown} has version {visible(head.schema_version)}, and this preflight reads version {_VERSION}.",
                "Use a newer preflight: pip install --upgrade bq-preflight",
            )
        return msgspec.json.decode(data, type=ReadReport)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BundleError(f"{shown} cannot be read: {why(error)}.", AGAIN) from None

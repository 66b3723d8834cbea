"""What is in a bundle, version 1. Names and meanings stay; a later minor version adds fields, and files.

A bundle is a zip archive:

    manifest.json   what is in it, with sizes and SHA-256
    snapshot.json   what was asked, and the facts; can be replayed by itself, too
    report.json     the report on these facts, as `preflight schema report` describes it
    report.md       the same for people
    trace.json      each call: what was called on what, how it ended, how long it took
    profile.toml    the vendor's profile, where it isn't a built-in one

Facts are written as they are inside: msgspec checks them when they are read, and a second set of thirty models would
say the same again. So `facts/` is part of the format: the bundles in tests/bundle/committed keep it readable.
"""

import json
from datetime import datetime
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from preflight.facts.snapshot import Snapshot, Target

VERSION = "1.0"
MANIFEST, SNAPSHOT, TRACE, PROFILE = "manifest.json", "snapshot.json", "trace.json", "profile.toml"
REPORT_JSON, REPORT_MARKDOWN = "report.json", "report.md"


class Asked(Struct, frozen=True, kw_only=True):
    """What a run was asked to judge, so that a replay judges the same."""

    project: str
    """The project's ID."""
    principal: str
    """The vendor's principal, in the form of IAM policies."""
    profile: str
    """The profile's name."""
    location: str | None = None
    dataset: str | None = None
    unread_deny_blocks: bool = False
    """Deny policies that can't be read make "granted" unknown."""
    only: tuple[str, ...] = ()
    """The rules that were chosen; empty: all."""
    skip: tuple[str, ...] = ()
    """The rules that were left out."""
    cross_check: bool = False

    @property
    def target(self) -> Target:
        """What is to be connected."""
        return Target(self.project, self.principal, self.location, self.dataset, self.unread_deny_blocks)


class Tool(Struct, frozen=True, kw_only=True):
    """The program that wrote it."""

    name: Literal["preflight"] = "preflight"
    version: str


class StoredSnapshot(Struct, frozen=True, kw_only=True):
    """What was asked, and what was seen: `snapshot.json`."""

    kind: Literal["preflight-snapshot"] = "preflight-snapshot"
    schema_version: str = VERSION
    tool: Tool
    redaction: Literal["none", "default", "strict"]
    """`none`: the names are as they were. Else members and names are pseudonyms, all but the project's and the
    vendor's."""
    key_id: str | None = None
    """Which key the pseudonyms were made with, so that they are compared with those of the same key alone: nothing
    can be made of it."""
    asked: Asked
    facts: Snapshot


class Call(Struct, frozen=True, kw_only=True):
    """One call to Google. No body, no token, no text of an error."""

    method: str
    resource: str
    outcome: str
    """`ok`, or the kind of reason for which nothing is known."""
    milliseconds: int
    attempts: int
    """How often it was sent; 0: there was no time for it."""


class Trace(Struct, frozen=True, kw_only=True):
    """Every call of the run: `trace.json`."""

    kind: Literal["preflight-trace"] = "preflight-trace"
    schema_version: str = VERSION
    calls: tuple[Call, ...] = ()


class Entry(Struct, frozen=True, kw_only=True):
    """One file of the bundle."""

    name: str
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in the bundle: `manifest.json`."""

    kind: Literal["preflight-bundle"] = "preflight-bundle"
    schema_version: str = VERSION
    tool: Tool
    redaction: Literal["none", "default", "strict"]
    collected_at: datetime | None
    """When the last fact was read, in UTC."""
    files: tuple[Entry, ...]


def schema(kind: type[Struct]) -> dict[str, Any]:
    """The JSON Schema of one of these files."""
    described = msgspec.json.schema(kind)
    name = str(msgspec.structs.fields(kind)[0].default).removeprefix("preflight-")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:preflight:{name}:{VERSION}",
        **described,
    }


def schema_text(kind: type[Struct]) -> str:
    """The same as it is published."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def encoded(value: Struct) -> bytes:
    """A file of the bundle: readable, and the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(_in_order(value)), indent=1) + b"\n"


def _in_order(value: Any) -> Any:
    """The same with its sets sorted. Dictionaries have an order that counts: what is nearest comes first."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return value if all(isinstance(item, str) for item in value) else tuple(map(_in_order, value))
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in value.items()}
    if isinstance(value, Struct):
        if not _holds_sets(type(value)):
            return value
        before = {name: getattr(value, name) for name in value.__struct_fields__}
        after = {name: _in_order(item) for name, item in before.items()}
        changed = {name: item for name, item in after.items() if item is not before[name]}
        return replace(value, **changed) if changed else value
    return value


@cache
def _holds_sets(kind: type[Struct]) -> bool:
    """Whether there may be a set in it, or in what it holds."""
    left, seen = [kind], {kind}
    while left:
        for field in msgspec.structs.fields(left.pop()):
            annotations = [field.type]
            while annotations:
                one = annotations.pop()
                if one is frozenset or get_origin(one) is frozenset or one is Any:
                    return True
                annotations += get_args(one)
                if isinstance(one, type) and issubclass(one, Struct) and one not in seen:
                    seen.add(one)
                    left.append(one)
    return False

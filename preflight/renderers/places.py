"""Where in a file a finding's evidence points, for the formats that mark lines."""

import re

from msgspec import Struct

from preflight.facts.seen import Evidence
from preflight.report import Finding

_METHOD = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z]\w*)+")
_LINE = re.compile(r"(?s)(.+?):([1-9]\d{0,8})(?::([1-9]\d{0,8}))?")
_PLAN = "terraform plan"
"""The source of what a plan says; of one of its resources that is `plan.json: ADDRESS`."""
# Several files may be told as one resource, separated by commas: no place is in all of them.
_FILE = re.compile(r"(?s)(?!.*, ).+\.(?:tf|tofu|tfvars|hcl|toml|json|jsonl|ndjson|gz)")


class FilePlace(Struct, frozen=True):
    """A place in a file."""

    path: str
    """With `/`; relative paths are meant from where the run was started."""
    line: int | None
    """From 1; None: the file as a whole."""
    column: int | None = None
    """From 1, counted in characters; None: the line as a whole."""


def place_of(evidence: Evidence) -> FilePlace | None:
    """Where the evidence points, if that is a file (`main.tf:3:5`, `plan.json`). None for an API's resource.

    What an API method said is about a resource, whatever its name looks like.
    """
    if _METHOD.fullmatch(evidence.source):
        return None
    if evidence.source == _PLAN and ": " in evidence.resource:
        return FilePlace(evidence.resource.partition(": ")[0], None)
    if found := _LINE.fullmatch(evidence.resource):
        return FilePlace(found[1], int(found[2]), int(found[3]) if found[3] else None)
    return FilePlace(evidence.resource, None) if _FILE.fullmatch(evidence.resource) else None


def place_in(sentence: str) -> FilePlace | None:
    """The line of a file that a sentence begins with (`main.tf:3:5: …`)."""
    found = _LINE.fullmatch(sentence.partition(": ")[0])
    return FilePlace(found[1], int(found[2]), int(found[3]) if found[3] else None) if found else None


def places_of(finding: Finding) -> tuple[FilePlace, ...]:
    """Each place that the finding's evidence points to, once, in the order of the evidence; lines before files."""
    found = dict.fromkeys(place for evidence in finding.verdict.evidence if (place := place_of(evidence)))
    return tuple(sorted(found, key=lambda place: place.line is None))


def resources_of(finding: Finding) -> tuple[str, ...]:
    """Each resource that the finding's evidence is about, once, in the order of the evidence: no files, no options."""
    seen = finding.verdict.evidence
    about = (e.resource for e in seen if e.resource and not e.resource.startswith("--") and place_of(e) is None)
    return tuple(dict.fromkeys(about))

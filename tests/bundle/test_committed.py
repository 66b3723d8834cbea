"""Bundles of each version of the schema, as they were written then: read and judged as they were, for ever.

`python -m scripts.make_committed_bundle` made them, and writes none anew. A rule that is added later isn't in what is
recorded; one that judges otherwise on purpose is named in CHANGED, with why.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.bundle.contents import VERSION, Manifest, StoredSnapshot, Trace, schema
from preflight.bundle.reading import read_stored
from preflight.cli import main
from scripts import make_committed_bundle
from scripts.schema_growth import lost
from tests.bundle.hostile import unpacked

FOLDER = Path(__file__).parent / "committed"
BUNDLES = sorted(FOLDER.glob("*/*.zip"))
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
CHANGED: dict[tuple[str, str], str] = {}
"""By the bundle's name and the rule: the verdict that it has now."""


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_it_is_judged_as_it_was(path: Path, capsys: pytest.CaptureFixture[str]):
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with pytest.raises(SystemExit) as end:
        main(["run", "--snapshot", str(path), "--format", "json", "--no-files"])
    report = json.loads(capsys.readouterr().out)
    found = {finding["rule"]: finding["verdict"] for finding in report["findings"]}
    wanted = {rule: CHANGED.get((path.stem, rule), verdict) for rule, verdict in expected["findings"].items()}
    assert {rule: found.get(rule) for rule in wanted} == wanted
    assert (report["verdict"], int(end.value.code or 0)) == (expected["verdict"], expected["exit_code"])


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_it_fits_the_schemas_of_now(path: Path):
    files = unpacked(path.read_bytes())
    for name, kind in (("manifest.json", Manifest), ("snapshot.json", StoredSnapshot), ("trace.json", Trace)):
        jsonschema.validate(json.loads(files[name]), schema(kind), cls=jsonschema.Draft202012Validator)
    assert read_stored(path).manifest is not None


def test_there_are_some_of_this_version():
    assert (FOLDER / VERSION).is_dir()
    assert {path.stem for path in BUNDLES} >= {"ready", "broken", "blind", "tangled", "ready-in-full"}


def test_none_is_written_anew(capsys: pytest.CaptureFixture[str]):
    before = {path: path.read_bytes() for path in FOLDER.glob("*/*.*")}
    assert make_committed_bundle.main() == 1
    assert "stays as it is" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in FOLDER.glob("*/*.*")} == before


COMMITTED = sorted(path for path in SCHEMAS.glob("*.json") if re.match(r"(bundle|snapshot|trace)-", path.name))
NOW: dict[str, dict[str, Any]] = {
    "bundle": schema(Manifest),
    "snapshot": schema(StoredSnapshot),
    "trace": schema(Trace),
}


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_schema_only_grows(path: Path):
    was, now = json.loads(path.read_text(encoding="utf-8")), NOW[path.stem.partition("-")[0]]
    assert list(lost(was, now)) == []


def test_each_schema_is_committed():
    assert {path.name for path in COMMITTED} >= {f"{name}-{VERSION}.json" for name in NOW}


@pytest.mark.parametrize(
    ("was", "now", "what"),
    [
        ({"properties": {"a": {}}}, {"properties": {}}, "/properties/a"),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "integer"}}}, "/properties/a/type"),
        ({"required": ["a"]}, {"required": ["a", "b"]}, "/required: b"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "/enum: b"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/A"}]}, {"anyOf": [{"type": "null"}]}, "/anyOf"),
        ({"type": "object"}, {"type": "object", "additionalProperties": False}, "/additionalProperties"),
    ],
)
def test_what_a_schema_loses_is_seen(was, now, what):
    assert any(one.startswith(what) for one in lost(was, now))
    assert list(lost(was, was)) == []


def test_what_a_schema_gains_is_no_loss():
    was = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "required": ["a"]}
    now = {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {"default": 1}}, "required": ["a"]}
    assert list(lost(was, now)) == []

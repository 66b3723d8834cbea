import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from msgspec.structs import replace

from preflight.facts import seen
from preflight.renderers import wire
from preflight.renderers.json_report import render, schema
from preflight.report import Severity, Status

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "schemas" / "report-1.0.json"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    published = json.loads(COMMITTED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    return jsonschema.Draft202012Validator(published, format_checker=jsonschema.FormatChecker())


def test_the_committed_schema_is_the_one_that_is_printed(golden):
    golden(str(COMMITTED), schema())


def test_every_report_fits_the_schema(report, validator):
    validator.validate(json.loads(render(report)))


def test_hostile_reports_fit_the_schema_and_lose_nothing(hostile, hostile_report, validator):
    read = json.loads(render(hostile_report))
    validator.validate(read)
    kept = hostile.encode("utf-8", "backslashreplace").decode("utf-8")  # what no UTF-8 can hold is spelled out
    assert read["vendor"] == kept
    assert {finding["message"] for finding in read["findings"]} == {kept}


def test_the_schema_says_what_each_field_is():
    def objects(node: Any):
        if isinstance(node, dict):
            if "properties" in node:
                yield node
            for inner in node.values():
                yield from objects(inner)

    described = wire.schema()
    assert described["$id"] == "urn:preflight:report:1.0"
    for model in objects(described):
        assert model["description"]
        assert model["additionalProperties"] is False
        assert set(model["required"]) == set(model["properties"]), model["title"]
        # A reference is described where it leads.
        assert [name for name, field in model["properties"].items() if not field.keys() & {"description", "$ref"}] == []


def test_the_keys_of_the_contract(reports):
    read = json.loads(render(reports["broken"]))
    assert {
        "schema_version": "1.0",
        "verdict": "fail",
        "exit_code": 1,
        "project": {"id": "acme-analytics", "number": "123456789012"},
        "profile": {"name": "heap", "version": "2021.02"},
        "principal": "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com",
        "source": {"kind": "live", "origin": None, "plan": None, "stale": []},
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:04:06.250000Z",
        "summary": {"pass": 1, "warn": 1, "fail": 3, "unknown": 1, "skip": 2},
    }.items() <= read.items()
    assert read["tool"]["name"] == "preflight"
    verdicts = [finding["verdict"] for finding in read["findings"]]
    assert verdicts == ["fail", "fail", "fail", "unknown", "warn", "pass", "skip", "skip"]
    blind = read["findings"][3]
    assert blind["reason"]["kind"] == "denied"
    assert blind["reason"]["permission"] == "resourcemanager.projects.get"
    assert blind["reason"]["message"]
    assert blind["reason"]["settle"]
    assert read["findings"][-1]["because"] == "bigquery-api-enabled"


def test_every_kind_of_reason_and_each_of_its_fields_is_published(validator, reports, make_report):
    kinds = get_args(seen.Reason)
    published = wire.Reason.model_fields
    assert {kind.__struct_config__.tag for kind in kinds} == set(get_args(published["kind"].annotation))
    for kind in kinds:
        # settled_by is what `settle` says.
        assert {*kind.__struct_fields__} - {"settled_by"} <= set(published), kind
        reason = kind(**{name: name for name in kind.__struct_fields__ if name not in ("quota_project", "seconds")})
        finding = reports["blind"].findings[1]
        blind = replace(finding, verdict=replace(finding.verdict, reason=reason))
        read = json.loads(render(make_report(blind)))
        validator.validate(read)
        assert read["findings"][0]["reason"]["settle"] == reason.settle()


def test_every_word_of_the_model_is_published():
    finding = wire.Finding.model_fields
    assert set(get_args(finding["verdict"].annotation)) == set(Status)
    assert set(get_args(finding["severity"].annotation)) == set(Severity)


def test_times_are_in_utc_whatever_zone_they_came_in(reports):
    elsewhere = datetime.fromisoformat("2026-07-01T12:00:00+02:00")
    naive = datetime(2026, 7, 1, 11)  # noqa: DTZ001 - without a zone is what is tested
    read = json.loads(render(replace(reports["ready"], started_at=elsewhere, finished_at=naive)))
    assert read["started_at"] == "2026-07-01T10:00:00Z"
    assert read["finished_at"] == "2026-07-01T11:00:00Z"
    assert datetime.fromisoformat(read["started_at"]).tzinfo == UTC


def test_readable_text_stays_readable_and_hidden_text_is_escaped(reports):
    text = render(replace(reports["ready"], vendor="Zürich \u202e\x7f\x9b\U000e0041"))
    assert r'"vendor": "Zürich \u202e\u007f\u009b\udb40\udc41"' in text
    assert json.loads(text)["vendor"] == "Zürich \u202e\x7f\x9b\U000e0041"

"""SARIF: valid by the schema of OASIS, and by what the standard's text demands beside it."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace
from sarif_kit.validate import validation_errors

from preflight.facts.seen import Internal
from preflight.renderers.sarif import artifact, render, text
from preflight.renderers.visible import visible
from preflight.report import Severity, Status, unknown

GFM = MarkdownIt("gfm-like")


def log_of(report) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render(report))
    return log


def run_of(report) -> dict[str, Any]:
    (run,) = log_of(report)["runs"]
    return dict(run)


def texts(value: Any, kind: str) -> list[str]:
    """Every message of this kind: `text` or `markdown`."""
    if isinstance(value, list):
        return [found for item in value for found in texts(item, kind)]
    if not isinstance(value, dict):
        return []
    own = [value[kind]] if isinstance(value.get(kind), str) else []
    return own + [found for item in value.values() for found in texts(item, kind)]


def test_it_is_valid(report):
    assert validation_errors(log_of(report)) == []


def test_it_is_valid_whatever_names_say(hostile_report):
    assert validation_errors(log_of(hostile_report)) == []


def test_the_schema_would_tell(reports):
    log = log_of(reports["broken"])
    log["runs"][0]["results"][0]["kind"] = "unknown"
    log["runs"][0]["invocations"][0]["startTimeUtc"] = "yesterday"
    assert len(validation_errors(log)) >= 1


def test_each_result_names_its_rule_and_has_a_location(report):
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(rules) == len(report.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]
        assert all(location["logicalLocations"] for location in result["locations"])
        assert result["suppressions"] == []
    prints = {result["partialFingerprints"]["preflight/v1"] for result in run["results"]}
    assert len(prints) == len(run["results"])


@pytest.mark.parametrize(
    ("status", "severity", "kind", "level"),
    [
        (Status.FAIL, Severity.REQUIRED, "fail", "error"),
        (Status.FAIL, Severity.IMPORTANT, "fail", "error"),
        (Status.FAIL, Severity.RECOMMENDED, "fail", "warning"),
        (Status.WARN, Severity.REQUIRED, "fail", "warning"),
        (Status.WARN, Severity.RECOMMENDED, "fail", "warning"),
        (Status.UNKNOWN, Severity.REQUIRED, "review", "none"),
        (Status.SKIP, Severity.REQUIRED, "notApplicable", "none"),
        (Status.PASS, Severity.REQUIRED, "pass", "none"),
    ],
)
def test_kind_and_level(status, severity, kind, level, make_report, reports):
    finding = next(f for f in reports["hostile"].findings if f.status is status)
    (result,) = run_of(make_report(replace(finding, severity=severity)))["results"]
    assert (result["kind"], result["level"]) == (kind, level)


def test_a_rule_has_its_words(reports):
    rule = run_of(reports["ready"])["tool"]["driver"]["rules"][0]
    assert rule["shortDescription"]["text"] == "The project exists and is active"
    why, how = "A project that is being deleted refuses every call.", "Reads the project's state."
    assert rule["fullDescription"]["text"] == why
    assert rule["help"] == {"text": f"Why. {why}\n\nHow. {how}", "markdown": f"**Why.** {why}\n\n**How.** {how}"}


def test_lines_are_where_evidence_says_and_resources_are_logical(reports):
    run = run_of(reports["files"])
    wrong, blind, active = run["results"]
    first, second = (location["physicalLocation"] for location in wrong["locations"])
    assert first["artifactLocation"] == {"uri": "infra/data%20sets.tf", "uriBaseId": "%SRCROOT%"}
    assert first["region"] == {"startLine": 12, "message": {"text": 'location = "europe-west2"'}}
    assert second["artifactLocation"] == {"uri": "file:///srv/modules/vendor.tf"}
    (whole,) = blind["locations"]
    assert whole["physicalLocation"] == {"artifactLocation": {"uri": "plan.json", "uriBaseId": "%SRCROOT%"}}
    (resource,) = active["locations"]
    assert "physicalLocation" not in resource
    assert [one["fullyQualifiedName"] for one in resource["logicalLocations"]] == ["projects/acme-analytics"]
    assert "%SRCROOT%" in run["originalUriBaseIds"]


def test_the_invocation_tells_the_exit_code(reports, make_report, make_finding):
    for name, code in {"ready": 0, "broken": 1, "blind": 3}.items():
        (invocation,) = run_of(reports[name])["invocations"]
        assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, True)
        assert invocation["startTimeUtc"] == "2026-01-02T03:04:05.000000Z"
        assert invocation["endTimeUtc"] == "2026-01-02T03:04:06.250000Z"
    crashed = make_report(make_finding("some-rule", "t", unknown("x", Internal("rule some-rule raised KeyError"))))
    (invocation,) = run_of(crashed)["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (4, False)


def test_no_message_holds_a_link_or_a_placeholder_from_outside(hostile_report):
    run = run_of(hostile_report)
    for shown in texts(run, "text"):
        assert not re.search(r"\]\([^)]*\)", shown), shown
    for shown in texts(run, "markdown"):
        assert not any(child.type == "link_open" for block in GFM.parse(shown) for child in block.children or ())
    for shown in texts(run, "text") + texts(run, "markdown"):
        assert not re.search(r"[{}]", shown.replace("{{", "").replace("}}", "")), shown


def test_a_message_says_all_of_it(hostile):
    said = text(hostile).replace("{{", "{").replace("}}", "}").replace("] (", "](")
    assert said == visible(hostile).replace("] (", "](")


def test_a_path_is_an_address_that_leads_to_it_alone(hostile):
    location = artifact(f"infra/{hostile}.tf")
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", location["uri"])
    assert unquote(location["uri"], errors="surrogatepass") == f"infra/{hostile}.tf"


def test_the_category_tells_uploads_for_projects_and_vendors_apart(reports):
    assert run_of(reports["ready"])["automationDetails"]["id"] == "preflight/heap/acme-analytics/"


def test_github_gets_problems_alone_each_with_a_line_in_a_file(report):
    log = json.loads(render(report, scanning=True))
    assert validation_errors(log) == []
    (run,) = log["runs"]
    wanted = [f.rule for f in report.by_urgency() if f.status in (Status.FAIL, Status.UNKNOWN, Status.WARN)]
    assert [result["ruleId"] for result in run["results"]] == wanted
    for result in run["results"]:
        for location in result["locations"]:
            assert location["physicalLocation"]["artifactLocation"]["uri"]
            assert location["physicalLocation"]["region"]["startLine"] >= 1
    everything = {r["ruleId"]: r["partialFingerprints"] for r in run_of(report)["results"]}
    assert all(result["partialFingerprints"] == everything[result["ruleId"]] for result in run["results"])


def test_where_there_is_no_file_github_is_shown_the_resource(reports):
    (result,) = json.loads(render(reports["blind"], scanning=True))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "projects/acme-analytics", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }
    first, _ = json.loads(render(reports["files"], scanning=True))["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 12

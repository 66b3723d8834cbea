"""Documents on many projects, written as the reports come, are what they would be written at once."""

import json
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from msgspec.structs import replace
from sarif_kit.validate import validation_errors

from preflight.errors import UsageError
from preflight.renderers import Format, render
from preflight.renderers.fleet import Row
from preflight.renderers.many import document
from preflight.report import Report, Status
from tests.renderers.test_gitlab import SCHEMA as GITLAB
from tests.renderers.test_junit import SCHEMA as JUNIT

OF_MANY = [form for form in Format if form is not Format.TICKET]


def test_a_ticket_is_about_one_project():
    with pytest.raises(UsageError, match="about one project"):
        document(Format.TICKET, "export.json")


def written(form: Format, *reports: Report) -> str:
    made = document(form, "export.json")
    text = "".join(made.add(report) for report in reports)
    return text + made.end([Row.of(report) for report in reports])


def fleet_of(reports: dict[str, Report], *names: str) -> list[Report]:
    return [replace(reports[name], target=replace(reports[name].target, project=f"acme-{name}")) for name in names]


@pytest.mark.parametrize("form", OF_MANY)
def test_every_format_shows_many_as_committed(form, reports, golden):
    text = written(form, *fleet_of(reports, "ready", "broken", "blind", "warned"))
    golden(f"fleet{form.suffix}", text)
    assert text.endswith("\n")


@pytest.mark.parametrize("form", OF_MANY)
def test_no_format_lets_a_character_through_that_hides(form, hostile_report):
    text = written(form, hostile_report, hostile_report)
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_one_report_alone_is_the_same_document(report):
    assert json.loads(written(Format.GITLAB, report)) == json.loads(render(report, Format.GITLAB))
    assert written(Format.JUNIT, report) == render(report, Format.JUNIT)
    for form in (Format.SARIF, Format.GITHUB_SARIF):
        one, many = json.loads(render(report, form)), json.loads(written(form, report))
        assert many["runs"][0].pop("automationDetails") == {"id": "preflight/heap/"}
        del one["runs"][0]["automationDetails"]
        assert many == one


def test_sarif_of_many_is_one_valid_run_in_which_projects_are_told_apart(reports, hostile_report):
    many = [*fleet_of(reports, "ready", "broken", "blind"), hostile_report]
    log = json.loads(written(Format.SARIF, *many))
    assert validation_errors(log) == []
    (run,) = log["runs"]
    assert len(run["results"]) == sum(len(report.findings) for report in many)
    assert len({result["partialFingerprints"]["preflight/v1"] for result in run["results"]}) == len(run["results"])
    assert run["invocations"][0]["exitCode"] == 1
    about = {result["locations"][0]["logicalLocations"][-1]["fullyQualifiedName"] for result in run["results"]}
    assert {"projects/acme-ready", "projects/acme-broken", "projects/acme-blind"} < about


def test_sarif_for_github_of_many_some_of_which_have_no_problem(reports):
    for names in (("ready", "broken", "ready", "blind"), ("ready", "ready")):
        many = fleet_of(reports, *names)
        log = json.loads(written(Format.GITHUB_SARIF, *many))
        assert validation_errors(log) == []
        wrong = sum(report.count(status) for report in many for status in (Status.FAIL, Status.UNKNOWN, Status.WARN))
        assert len(log["runs"][0]["results"]) == wrong


def test_a_result_names_its_rule_also_where_reports_have_other_rules(reports):
    """Plugins aside, all reports of a run have the same rules in the same order; if not, nothing may be mixed up."""
    log = json.loads(written(Format.SARIF, *fleet_of(reports, "ready", "broken")))
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    for result in log["runs"][0]["results"]:
        assert "ruleIndex" not in result or rules[result["ruleIndex"]] == result["ruleId"]


def test_junit_of_many_is_a_suite_for_each(reports):
    text = written(Format.JUNIT, *fleet_of(reports, "ready", "broken"))
    JUNIT.validate(text)
    assert [suite.get("name") for suite in ET.fromstring(text)] == ["acme-ready", "acme-broken"]


def test_gitlab_of_many(reports):
    issues = json.loads(written(Format.GITLAB, *fleet_of(reports, "ready", "broken", "ready", "blind")))
    jsonschema.validate(issues, GITLAB)
    assert [issue["check_name"] for issue in issues].count("billing-enabled") == 2
    assert json.loads(written(Format.GITLAB, *fleet_of(reports, "ready", "ready"))) == []

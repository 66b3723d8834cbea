"""GitLab's code quality report: of the documented shape, with each problem once."""

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from preflight.renderers.gitlab import render
from preflight.renderers.visible import visible
from preflight.report import Severity, Status

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "gitlab-code-quality.json").read_text(encoding="utf-8"))


def test_it_has_the_documented_shape(report):
    issues = json.loads(render(report))
    jsonschema.validate(issues, SCHEMA)
    wanted = [f.rule for f in report.by_urgency() if f.status in (Status.FAIL, Status.UNKNOWN, Status.WARN)]
    assert [issue["check_name"] for issue in issues] == wanted
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_it_has_that_shape_whatever_names_say(hostile, hostile_report):
    issues = json.loads(render(hostile_report))
    jsonschema.validate(issues, SCHEMA)
    assert len(issues) == 3
    for issue in issues:
        assert visible(hostile).rstrip(".") in issue["description"]


@pytest.mark.parametrize(
    ("status", "severity", "told"),
    [
        (Status.FAIL, Severity.REQUIRED, "blocker"),
        (Status.FAIL, Severity.IMPORTANT, "critical"),
        (Status.FAIL, Severity.RECOMMENDED, "minor"),
        (Status.UNKNOWN, Severity.REQUIRED, "major"),
        (Status.UNKNOWN, Severity.IMPORTANT, "minor"),
        (Status.WARN, Severity.RECOMMENDED, "minor"),
    ],
)
def test_severities(status, severity, told, make_report, reports):
    finding = next(f for f in reports["hostile"].findings if f.status is status)
    (issue,) = json.loads(render(make_report(replace(finding, severity=severity))))
    assert issue["severity"] == told


def test_it_points_at_the_line_or_else_names_the_resource(reports):
    first, second = json.loads(render(reports["files"]))
    assert first["location"] == {"path": "infra/data sets.tf", "lines": {"begin": 12}}
    assert second["location"] == {"path": "plan.json", "lines": {"begin": 1}}
    (blind,) = json.loads(render(reports["blind"]))
    assert blind["location"]["path"] == "projects/acme-analytics"

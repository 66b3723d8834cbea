"""GitLab's code quality report: what is to be changed, in the merge request and on its lines.

Fields as in https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. It knows problems only, so
that what passes or does not apply is not in it; and each must name a file, so that a finding about a resource of the
cloud names that resource in the file's place.
"""

import json
from typing import Any

from preflight.renderers.fleet import Row
from preflight.renderers.identity import fingerprint
from preflight.renderers.places import FilePlace, places_of, resources_of
from preflight.renderers.visible import visible
from preflight.renderers.words import cause, wants_explaining
from preflight.report import Finding, Report, Severity, Status


def render(report: Report) -> str:
    """The findings that want something done, as a JSON array."""
    return json.dumps(_issues(report), indent=2, ensure_ascii=False) + "\n"


class Issues:
    """The same of many reports, which come one after another: an issue a line."""

    def __init__(self) -> None:
        self._between = "[\n"

    def add(self, report: Report) -> str:
        """What is to be written now that this report is there."""
        text = ""
        for issue in _issues(report):
            text += self._between + json.dumps(issue, ensure_ascii=False)
            self._between = ",\n"
        return text

    def end(self, _rows: list[Row]) -> str:
        """What closes the array."""
        return "[]\n" if self._between == "[\n" else "\n]\n"


def _issues(report: Report) -> list[dict[str, Any]]:
    return [_issue(report, finding) for finding in report.by_urgency() if wants_explaining(finding)]


def _issue(report: Report, finding: Finding) -> dict[str, Any]:
    place = _place(report, finding)
    return {
        "description": _description(report, finding),
        "check_name": visible(finding.rule),
        "fingerprint": fingerprint(report, finding),
        "severity": _severity(finding),
        "location": {"path": visible(place.path.removeprefix("./"), keep=":"), "lines": {"begin": place.line or 1}},
    }


def _severity(finding: Finding) -> str:
    if finding.status is Status.FAIL:
        return {Severity.REQUIRED: "blocker", Severity.IMPORTANT: "critical"}.get(finding.severity, "minor")
    if finding.status is Status.UNKNOWN:
        return "major" if finding.blinds else "minor"
    return "minor"


def _place(report: Report, finding: Finding) -> FilePlace:
    if places := places_of(finding):
        return places[0]
    resources = resources_of(finding)
    return FilePlace(resources[0] if resources else f"projects/{report.target.project}", 1)


def _description(report: Report, finding: Finding) -> str:
    verdict = finding.verdict
    said = [f"{finding.status.value.upper()} {report.target.project}: {verdict.message}"]
    if why := cause(finding):
        said.append(f"Not known because: {why}")
    said += [remedy.summary for remedy in verdict.remedies[:1]]
    return ". ".join(visible(part).rstrip(".") for part in said if part) + "."

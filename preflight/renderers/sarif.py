"""SARIF 2.1.0 (OASIS): for code scanning and for the viewers of editors.

GitHub's code scanning is not content with what is valid. It takes each result for a problem, whatever its `kind`
(github.com/microsoft/PSRule/issues/955), and refuses the whole file for one result without a place in a file
(github.com/github/codeql-action/issues/2459). `scanning` makes a log for it: with what wants something done alone,
and with the resource of the cloud in the file's place where there is no file.

A fleet is one run with a result for each rule and project, told apart by the project's logical location: GitHub takes
no two runs of one tool and category in a file, and the rules are the same for all.

What SARIF asks of texts (sections 3.11.5 and 3.11.6 of the standard): braces stand for placeholders and are doubled,
`[text](address)` is a link also in plain text. Nothing from outside may become either.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from preflight.errors import ExitCode
from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.fleet import Row, exit_code
from preflight.renderers.identity import fingerprint
from preflight.renderers.markdown import prose
from preflight.renderers.places import FilePlace, place_of, places_of, resources_of
from preflight.renderers.plain import evidence_line
from preflight.renderers.visible import visible
from preflight.report import Finding, Ignored, Remedy, Report, Severity, Status
from preflight.version import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_KINDS = {
    Status.FAIL: "fail",
    Status.WARN: "fail",
    Status.UNKNOWN: "review",
    Status.SKIP: "notApplicable",
    Status.PASS: "pass",
}
_LEVELS = {Severity.REQUIRED: "error", Severity.IMPORTANT: "error", Severity.RECOMMENDED: "warning"}
"""Of a rule that fails. What doesn't fail has none: a `kind` other than `fail` demands that."""

Object = dict[str, Any]


def render(report: Report, *, scanning: bool = False) -> str:
    """The report as a SARIF log with one run, in which each rule has one result; `scanning`: for GitHub."""
    run = {
        "tool": _tool(report),
        "originalUriBaseIds": _BASES,
        "results": _results(report, _order(report), scanning=scanning),
        **_closing(f"{report.profile}/{report.target.project}", report.exit_code, [report], words.notices(report)),
    }
    return _json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def nothing() -> str:
    """A log of nothing that was to be judged."""
    driver = {"name": "preflight", "version": __version__, "rules": []}
    run = {"tool": {"driver": driver}, "results": [], "columnKind": "unicodeCodePoints"}
    return _json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


class Log:
    """A log of many reports, which come one after another: what `render` makes of one, a line each."""

    def __init__(self, *, scanning: bool = False, warnings: Sequence[str] = ()) -> None:
        """`scanning`: for GitHub. `warnings` are what is to be known of all of it; they may come until the end."""
        self._scanning = scanning
        self._warnings = warnings
        self._notices: dict[str, None] = {}
        self._between = ""
        self._first: Report | None = None
        self._last: Report | None = None
        self._order: dict[str, int] = {}

    def add(self, report: Report) -> str:
        """What is to be written now that this report is there."""
        start = ""
        if self._first is None:
            self._first = report
            self._order = _order(report)
            start = (
                f'{{\n"$schema": {_line(SCHEMA)},\n"version": "2.1.0",\n"runs": [\n{{\n"tool": {_line(_tool(report))},'
                f'\n"originalUriBaseIds": {_line(_BASES)},\n"results": [\n'
            )
        self._last = report
        self._notices.update(dict.fromkeys(words.notices(report)))
        lines = [_line(result) for result in _results(report, self._order, scanning=self._scanning)]
        if not lines:
            return start
        between, self._between = self._between, ",\n"
        return start + between + ",\n".join(lines)

    def end(self, rows: list[Row]) -> str:
        """What closes the log."""
        if self._first is None or self._last is None:
            raise AssertionError("a log of no reports")
        closing = _closing(
            self._first.profile, exit_code(rows), [self._first, self._last], [*self._notices, *self._warnings]
        )
        members = "".join(f",\n{_line(name)}: {_line(value)}" for name, value in closing.items())
        return f"\n]{members}\n}}\n]\n}}\n"


def text(words_from_outside: str) -> str:
    """Text as SARIF has it in messages: without placeholders, links and hidden characters."""
    shown = visible(words_from_outside).replace("{", "{{").replace("}", "}}")
    return shown.replace("](", "] (")


_BASES = {_ROOT: {"description": {"text": "The root of the repository, or where the run was started."}}}


def _tool(report: Report) -> Object:
    return {
        "driver": {
            "name": "preflight",
            "version": __version__,
            "rules": [_rule(finding) for finding in report.findings],
        }
    }


def _rule(finding: Finding) -> Object:
    told = [("Why", finding.why), ("How", " ".join(finding.how.split()))]
    told = [(label, said) for label, said in told if said]
    rule: Object = {
        "id": visible(finding.rule),
        "shortDescription": {"text": text(finding.title)},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"severity": finding.severity.value, "tags": [visible(item) for item in finding.requirements]},
    }
    if not rule["properties"]["tags"]:
        del rule["properties"]["tags"]
    if finding.why:
        rule["fullDescription"] = {"text": text(finding.why)}
    if told:
        rule["help"] = {
            "text": "\n\n".join(f"{label}. {text(said)}" for label, said in told),
            "markdown": "\n\n".join(f"**{label}.** {_braces(prose(said))}" for label, said in told),
        }
    return rule


def _braces(markdown: str) -> str:
    return markdown.replace("{", "{{").replace("}", "}}")


def _order(report: Report) -> dict[str, int]:
    return {finding.rule: at for at, finding in enumerate(report.findings)}


def _results(report: Report, order: dict[str, int], *, scanning: bool) -> list[Object]:
    """The findings, what is wrong first. `order` is where the run's tool lists each rule."""
    found = []
    for finding in report.by_urgency():
        result = _result(report, finding, order.get(finding.rule))
        if scanning:
            result["locations"] = [_as_file(location) for location in result["locations"]]
        if not scanning or words.wants_explaining(finding):
            found.append(result)
    return found


def _result(report: Report, finding: Finding, index: int | None) -> Object:
    ignored = finding.ignored
    if ignored is not None:
        finding = replace(finding, verdict=ignored.verdict)
    verdict = finding.verdict
    kind = _KINDS[finding.status]
    level = "none"
    if kind == "fail":
        level = _LEVELS[finding.severity] if finding.status is Status.FAIL else "warning"
    properties: Object = {
        "verdict": finding.status.value,
        "severity": finding.severity.value,
        "project": visible(report.target.project),
        "evidence": [evidence_line(evidence) for evidence in verdict.evidence],
        "remedies": [_remedy(remedy) for remedy in verdict.remedies],
        "reason": visible(verdict.reason.kind) if verdict.reason else "",
        "because": visible(finding.because or ""),
        "before": finding.before.value if finding.before else "",
    }
    return {
        "ruleId": visible(finding.rule),
        **({} if index is None else {"ruleIndex": index}),
        "kind": kind,
        "level": level,
        "message": {"text": _message(finding)},
        "locations": _locations(report, finding),
        "partialFingerprints": {"preflight/v1": fingerprint(report, finding)},
        # An empty list: it isn't suppressed. Left out, it would say that nobody knows.
        "suppressions": [] if ignored is None else [_suppression(ignored)],
        "properties": {name: value for name, value in properties.items() if value},
    }


def _suppression(ignored: Ignored) -> Object:
    return {
        "kind": "inSource" if ignored.in_source else "external",
        "status": "accepted",
        "justification": text(f"{ignored.reason} ({ignored.place})"),
    }


def _message(finding: Finding) -> str:
    said = visible(finding.verdict.message) or visible(finding.title) or visible(finding.rule)
    sentences = [said if said.endswith((".", "!", "?")) else f"{said}."]
    if cause := words.cause(finding):
        sentences.append(f"Not known because: {visible(cause)}.")
    sentences += [visible(remedy.summary) for remedy in finding.verdict.remedies]
    return text(" ".join(sentences))


def _remedy(remedy: Remedy) -> Object:
    told = {
        "summary": visible(remedy.summary),
        "commands": [visible(command) for command in remedy.commands],
        "terraform": visible(remedy.terraform or "", keep="\n"),
        "consoleUrl": visible(remedy.console_url or ""),
    }
    return {name: value for name, value in told.items() if value}


def _locations(report: Report, finding: Finding) -> list[Object]:
    """Files first, as those who show one location take the first; each with the project that is judged."""
    project = {
        "name": visible(report.target.project),
        "fullyQualifiedName": visible(f"projects/{report.target.project}"),
        "kind": "project",
    }
    found: list[Object] = []
    for place in places_of(finding):
        said = [e for e in finding.verdict.evidence if place_of(e) == place]
        found.append({"physicalLocation": _physical(place, said), "logicalLocations": [project]})
    for resource in resources_of(finding):
        shown = visible(resource)
        own = {"name": shown.rpartition("/")[2] or shown, "fullyQualifiedName": shown, "kind": "resource"}
        same = shown == project["fullyQualifiedName"]
        found.append({"logicalLocations": [project] if same else [own, project]})
    return found or [{"logicalLocations": [project]}]


def _physical(place: FilePlace, said: Iterable[Evidence]) -> Object:
    physical: Object = {"artifactLocation": artifact(place.path)}
    if place.line is not None:
        snippet = text("; ".join(dict.fromkeys(evidence.detail for evidence in said)))
        column = {"startColumn": place.column} if place.column else {}
        physical["region"] = {"startLine": place.line, **column, "message": {"text": snippet}}
        if not snippet:
            del physical["region"]["message"]
    return physical


def _as_file(location: Object) -> Object:
    """The location with a line in a file, which has the name of what it is about if there is no such file."""
    resource = location["logicalLocations"][0]["fullyQualifiedName"]
    physical = location.get("physicalLocation") or {"artifactLocation": artifact(resource)}
    return {**location, "physicalLocation": {"region": {"startLine": 1}, **physical}}


def artifact(path: str) -> Object:
    """A path as SARIF's artifact location: a relative one counts from the repository's root."""
    uri = quote(path.removeprefix("./"), safe="/", errors="surrogatepass")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}


def _closing(category: str, code: ExitCode, reports: list[Report], notices: Sequence[str]) -> Object:
    told = [{"level": "warning", "message": {"text": text(notice)}} for notice in notices]
    return {
        "invocations": [
            {
                "executionSuccessful": code is not ExitCode.INTERNAL,
                "exitCode": code.value,
                "startTimeUtc": f"{words.utc(min(report.started_at for report in reports)):%Y-%m-%dT%H:%M:%S.%fZ}",
                "endTimeUtc": f"{words.utc(max(report.finished_at for report in reports)):%Y-%m-%dT%H:%M:%S.%fZ}",
                **({"toolExecutionNotifications": told} if told else {}),
            }
        ],
        # GitHub takes what is before the last slash as the category: a later upload of the same one replaces this.
        "automationDetails": {"id": f"preflight/{visible(category)}/"},
        "columnKind": "unicodeCodePoints",
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

"""JUnit XML, as the schema of Jenkins has it: for the test reports of CI services.

A project is a suite, a rule a case. What is unknown is an error, so that no one takes blindness for health; what
warns passes, and says so in its output. XML can't hold most control characters in any form: they are spelled out.
"""

from xml.sax.saxutils import escape, quoteattr

from preflight.renderers import words
from preflight.renderers.fleet import Row
from preflight.renderers.plain import explained
from preflight.renderers.visible import visible
from preflight.report import Finding, Report, Status

_START = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="preflight">\n'
_END = "</testsuites>\n"


def render(report: Report) -> str:
    """The report as one suite."""
    return f"{_START}{_suite(report)}{_END}"


def nothing() -> str:
    """A document without suites."""
    return f"{_START}{_END}"


class Suites:
    """Many reports, which come one after another, as a suite each."""

    def __init__(self) -> None:
        self._begun = False

    def add(self, report: Report) -> str:
        """What is to be written now that this report is there."""
        start = "" if self._begun else _START
        self._begun = True
        return start + _suite(report)

    def end(self, _rows: list[Row]) -> str:
        """What closes the document."""
        return _END


def _suite(report: Report) -> str:
    target = report.target
    seconds = max((report.finished_at - report.started_at).total_seconds(), 0)
    numbers = {
        "tests": len(report.findings),
        "failures": report.count(Status.FAIL),
        "errors": report.count(Status.UNKNOWN),
        "skipped": report.count(Status.SKIP),
        "time": f"{seconds:.3f}",
        "timestamp": f"{words.utc(report.started_at):%Y-%m-%dT%H:%M:%S}",
    }
    properties = {
        "verdict": report.status.value,
        "exit_code": str(report.exit_code.value),
        "vendor": report.vendor,
        "profile": f"{report.profile} {report.profile_version}",
        "principal": target.principal,
        "location": target.location,
        "dataset": target.dataset,
        "source": words.source(report),
    }
    lines = [
        f"  <testsuite name={_attribute(target.project)}{_attributes(numbers)}>",
        "    <properties>",
        *(
            f"      <property name={quoteattr(name)} value={_attribute(value)}/>"
            for name, value in properties.items()
            if value
        ),
        "    </properties>",
        *(_case(report, finding) for finding in report.by_urgency()),
        "  </testsuite>",
    ]
    return "\n".join(lines) + "\n"


def _case(report: Report, finding: Finding) -> str:
    inner = _inner(finding)
    end = f">\n      {inner}\n    </testcase>" if inner else "/>"
    classname = _attribute(f"preflight.{report.target.project}")
    return f"    <testcase classname={classname} name={_attribute(finding.rule)}{end}"


def _inner(finding: Finding) -> str:
    verdict = finding.verdict
    match finding.status:
        case Status.PASS:
            return ""
        case Status.SKIP:
            return f"<skipped>{_content(verdict.message)}</skipped>"
        case Status.WARN:
            return f"<system-out>{_content(f'WARN: {verdict.message}')}\n{_body(finding)}</system-out>"
        case Status.FAIL:
            return _trouble("failure", finding.severity.value, finding)
        case Status.UNKNOWN:
            return _trouble("error", verdict.reason.kind if verdict.reason else "unknown", finding)


def _trouble(element: str, kind: str, finding: Finding) -> str:
    message = _attribute(finding.verdict.message)
    return f"<{element} type={_attribute(kind)} message={message}>{_body(finding)}</{element}>"


def _body(finding: Finding) -> str:
    return "\n".join(_content(line) for line in explained(finding))


def _attributes(values: dict[str, object]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())


def _attribute(text: str) -> str:
    return quoteattr(visible(text))


def _content(text: str) -> str:
    return escape(visible(text))

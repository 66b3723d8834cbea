"""The words that a person reads in more than one format: the verdict, its counts, times, what to do next."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from preflight.errors import ExitCode
from preflight.facts.snapshot import UNKNOWN_PROJECT
from preflight.report import Finding, Remedy, Report, Status

_ANSWERS = {
    Status.PASS: "READY",
    Status.WARN: "READY, WITH WARNINGS",
    Status.FAIL: "NOT READY",
    Status.UNKNOWN: "CAN'T TELL",
}
_KEPT = {
    Status.PASS: "OK",
    Status.WARN: "OK, WITH WARNINGS",
    Status.FAIL: "BREAKS",
    Status.UNKNOWN: "CAN'T TELL",
}
"""The same of a repository."""
_AS_ASKED = {Status.PASS: "OK, AS FAR AS ASKED", Status.WARN: "OK, AS FAR AS ASKED, WITH WARNINGS"}
"""The same where rules were left out that could stand in the way."""
_COUNTED = (
    (Status.FAIL, "fails", "fail"),
    (Status.UNKNOWN, "could not be determined", "could not be determined"),
    (Status.WARN, "warns", "warn"),
    (Status.PASS, "passes", "pass"),
    (Status.SKIP, "does not apply", "do not apply"),
)
_MOST_STALE = 5
_EXPLAINED = (Status.FAIL, Status.UNKNOWN, Status.WARN)


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is UTC already, as facts promise."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def when(moment: datetime) -> str:
    """The moment as a person reads it."""
    return f"{utc(moment):%Y-%m-%d %H:%M:%S} UTC"


def answer(report: Report) -> str:
    """The report's verdict in a word or two."""
    answers = _KEPT if report.repository else _ANSWERS
    return (answers | _AS_ASKED if report.unasked else answers)[report.status]


def project(report: Report) -> str:
    """The project's name for people."""
    known = report.target.project != UNKNOWN_PROJECT
    return report.target.project if known else "whose ID can't be told"


def question(report: Report) -> str:
    """What the report answers."""
    if report.repository:
        return f"Does this repository break the connection of {report.vendor} to project {project(report)}?"
    return ""


def counts(report: Report) -> str:
    """How many rules gave which answer, as the middle of a sentence: what is wrong, or else what is well."""
    wrong = any(wants_explaining(finding) for finding in report.findings)
    total = len(report.findings)
    told: list[str] = []
    for status, one, many in _COUNTED:
        number = report.count(status)
        if number and (status in _EXPLAINED) == wrong:
            of = "" if told else f" of {total} rules" if wrong and total > 1 else " rule" if number == 1 else " rules"
            told.append(f"{number}{of} {one if number == 1 else many}")
    return ", ".join(told) or "no rule was judged"


def next_step(report: Report) -> str:
    """What to do now, in one sentence."""
    if report.exit_code is ExitCode.INTERNAL:
        return "preflight itself failed in a rule: run again with --debug and report what it prints."
    if report.repository:
        return _for_repository(report)
    if report.unasked and report.status in _AS_ASKED:
        return f"{_left_out(report)}; whether {report.vendor} can connect says a run with all rules."
    match report.status:
        case Status.FAIL if any(finding.blinds for finding in report.findings):
            return "Fix what fails, settle what is unknown, then run again."
        case Status.FAIL:
            return "Fix what fails, then run again."
        case Status.UNKNOWN if report.allow_unknown:
            return "That was allowed for this run; settle what is unknown to be sure."
        case Status.UNKNOWN:
            return "Settle what is unknown, then run again."
        case Status.WARN:
            return f"{report.vendor} can connect now; what warns should be changed."
        case _ if report.count(Status.UNKNOWN):
            return f"{report.vendor} can connect now; what is unknown is no obstacle."
        case _ if not report.count(Status.PASS):
            return "Nothing stands in the way, but nothing was there to be judged."
        case _:
            return f"{report.vendor} can connect to this project."


def _for_repository(report: Report) -> str:
    match report.status:
        case Status.FAIL:
            return f"What fails here would break the connection of {report.vendor}: fix it before it is applied."
        case Status.UNKNOWN if report.allow_unknown:
            return "That was allowed for this run; settle what is unknown to be sure."
        case Status.UNKNOWN:
            return "Settle what is unknown, then check again."
        case _ if not report.count(Status.PASS) and not report.count(Status.WARN):
            return "Nothing of the connection is declared or owned here."
        case _ if report.unasked:
            return f"{_left_out(report)}; whether the connection breaks says a check with all rules."
        case _:
            return "Nothing here breaks the connection; whether the project is ready says: preflight run"


def _left_out(report: Report) -> str:
    count = len(report.unasked)
    return f"{'1 rule was' if count == 1 else f'{count} rules were'} left out that could stand in the way"


def send_to(report: Report) -> str:
    """Before what the vendor is to be told: whom to tell it, or that it is too early."""
    if report.handover is None:
        raise AssertionError("nothing is handed over")
    if report.is_ready:
        return f"Send this to {report.handover.to}:"
    return f"Still missing before {report.vendor} can be told:"


def missing(report: Report) -> Iterator[str]:
    """What stands in the way: what is wanted, in the rules' words."""
    for finding in report.missing:
        how = "could not be determined" if finding.status is Status.UNKNOWN else "fails"
        yield f"{finding.title} ({finding.rule} {how})"


def still_open(report: Report) -> str:
    """What the vendor is to be told and isn't known yet; empty: nothing."""
    told = report.handover.open if report.handover else ()
    if not told:
        return ""
    names = " and ".join(one.what for one in told)
    options = " and ".join(one.option for one in told)
    return f"The {names} {'is' if len(told) == 1 else 'are'} not known yet: run again with {options}."


def wants_explaining(finding: Finding) -> bool:
    """True if a reader has to do something about the finding."""
    return finding.status in _EXPLAINED


def source(report: Report) -> str:
    """Where the facts come from, and the plan that was laid over them."""
    told = f"{report.source} of {report.origin}" if report.origin else report.source
    if not report.plan:
        return told
    return f"{told}, with {report.plan} applied{', which is stale' if report.stale else ''}"


def stale(plan: object, found: tuple[str, ...]) -> str:
    """What a user has to know of a plan that is out of date."""
    more = f" (and {len(found) - _MOST_STALE} more)" if len(found) > _MOST_STALE else ""
    return f"{plan} is stale, and what is there counts: {'; '.join(found[:_MOST_STALE])}{more}. Plan again."


def notices(report: Report) -> tuple[str, ...]:
    """What a reader has to know of the report as a whole, beside its verdict."""
    return (stale(report.plan, report.stale),) if report.stale else ()


def weight(finding: Finding) -> str:
    """How much the rule weighs and the requirements that it comes from."""
    told = ", ".join([finding.severity.value, *finding.requirements])
    if finding.before is None or finding.before is finding.status:
        return told
    return f"{told}; before the plan: {finding.before.value}"


def cause(finding: Finding) -> str | None:
    """Why it is unknown, where neither the message nor what was seen says so already."""
    verdict = finding.verdict
    if verdict.reason is None:
        return None
    why = verdict.reason.describe()
    said = (verdict.message, *(evidence.detail for evidence in verdict.evidence))
    return None if any(why in text for text in said) else why


class Told:
    """The remedies told so far in one report, so that what mends several rules is written out once."""

    def __init__(self) -> None:
        self._rule: dict[object, str] = {}

    def before(self, remedy: Remedy, rule: str) -> str | None:
        """The rule under which the same was told already; None: it is told now, under `rule`."""
        how = (remedy.commands, remedy.terraform, remedy.console_url)
        if not any(how):
            return None  # all of it is in its summary
        # The summary may be worded for its rule: what is run decides, where something is.
        first = self._rule.setdefault(remedy.commands or how, rule)
        return None if first == rule else first


def shortened(text: str, principal: str) -> str:
    """The text with just the name of the vendor's account in it, where something above has named it in full."""
    return _account(principal).sub(r"\1@...", text)


@cache
def _account(principal: str) -> re.Pattern[str]:
    """The account itself, with or without its kind: not what only holds its name, such as a deleted one."""
    kind, _, email = principal.partition(":")
    name, _, domain = email.partition("@")
    return re.compile(rf"(?<![\w.:@-])(?:{re.escape(kind)}:)?({re.escape(name)})@{re.escape(domain)}(?![\w@?-]|\.\w)")

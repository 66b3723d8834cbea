"""The report for a person at a terminal: one line a rule, what to do about what is wrong, then the verdict."""

import textwrap
from collections.abc import Callable, Iterator
from datetime import date

import click

from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.visible import visible
from preflight.report import Finding, Remedy, Report, Status

_COLOURS = {
    Status.PASS: "green",
    Status.WARN: "yellow",
    Status.FAIL: "red",
    Status.UNKNOWN: "magenta",
    Status.SKIP: "bright_black",
}
_NARROWEST = 40
_INDENT = "  "

Paint = Callable[..., str]


def render(report: Report, *, colour: bool = False, width: int = 80) -> str:
    """The report as lines of at most `width` columns; only what is to be copied may be longer."""
    paint: Paint = click.style if colour else _plain
    width = max(width, _NARROWEST)
    told = words.Told()
    sections = [
        "\n".join(_section(finding, words.utc(report.started_at).date(), told, paint, width))
        for finding in report.by_urgency()
        if words.wants_explaining(finding)
    ]
    end = [_verdict(report, paint, width), *_handover(report, paint, width)]
    return "\n\n".join([_heading(report, paint, width), _table(report, paint, width), *sections, *end]) + "\n"


def _plain(text: str, **_style: object) -> str:
    return text


def _heading(report: Report, paint: Paint, width: int) -> str:
    target = report.target
    number = f" ({visible(report.project_number)})" if report.project_number else ""
    place = "".join(
        f", {name} {visible(value)}"
        for name, value in (("location", target.location), ("dataset", target.dataset))
        if value
    )
    about = (
        f"{visible(target.principal)}{place}, facts: {visible(words.source(report))}, {words.when(report.started_at)}"
    )
    question = words.question(report) or f"Is project {target.project}{number} ready for {report.vendor}?"
    title = _wrapped(visible(question), width)
    return f"{paint(title, bold=True)}\n{_dimmed(_wrapped(about, width), paint)}"


def _table(report: Report, paint: Paint, width: int) -> str:
    # By hand: to load tabulate takes as long as to judge a small repository.
    findings = report.by_urgency()
    longest_status = max((len(finding.status.value) for finding in findings), default=0)
    longest_rule = max((len(visible(finding.rule)) for finding in findings), default=0)
    before = " " * (longest_status + longest_rule + 4)
    room = max(width - len(before), 20)
    lines: list[str] = []
    for finding in findings:
        first, *more = _cell(finding, report.target.principal, room).strip().split("\n")
        status = _status(finding, paint) + " " * (longest_status - len(finding.status.value))
        lines.append(f"{status}  {visible(finding.rule):<{longest_rule}}  {first}".rstrip())
        lines += [f"{before}{line}".rstrip() for line in more]
    return "\n".join(lines)


def _status(finding: Finding, paint: Paint) -> str:
    return paint(finding.status.value.upper(), fg=_COLOURS[finding.status], bold=words.wants_explaining(finding))


def _cell(finding: Finding, principal: str, room: int) -> str:
    # The heading names the vendor's account in full; here it would push out what is said of it.
    message = visible(words.shortened(finding.verdict.message, principal))
    if words.wants_explaining(finding):  # told in full below
        return message if len(message) <= room else f"{message[: room - 3].rstrip()}..."
    return "\n".join(textwrap.wrap(message, room, break_on_hyphens=False))


def _section(finding: Finding, read: date, told: words.Told, paint: Paint, width: int) -> Iterator[str]:
    verdict = finding.verdict
    yield f"{_status(finding, paint)} {paint(visible(finding.rule), bold=True)} ({visible(words.weight(finding))})"
    yield _indented(visible(verdict.message), width, hanging="")
    if cause := words.cause(finding):
        yield _indented(f"Not known because: {visible(cause)}", width)
    for evidence in verdict.evidence:
        yield _dimmed(_indented(_evidence(evidence, read), width), paint)
    label = "To settle it:" if finding.status is Status.UNKNOWN else "To fix it:"
    if len(verdict.remedies) > 1:
        yield f"{_INDENT}{label}"
        label = "-"
    for remedy in verdict.remedies:
        yield from _remedy(remedy, label, told.before(remedy, finding.rule), paint, width)


def _evidence(evidence: Evidence, read: date) -> str:
    moment = ""
    if evidence.observed_at is not None:
        seen = words.utc(evidence.observed_at)
        moment = f"{seen:%H:%M:%SZ}" if seen.date() == read else f"{seen:%Y-%m-%dT%H:%M:%SZ}"  # the heading has the day
    where = " ".join(part for part in (visible(evidence.source), visible(evidence.resource), moment) if part)
    return f"Seen: {visible(evidence.detail)} ({where})"


def _remedy(remedy: Remedy, label: str, told_under: str | None, paint: Paint, width: int) -> Iterator[str]:
    if told_under:
        yield _indented(f"{label} {visible(remedy.summary)} How: see {visible(told_under)} above.", width)
        return
    yield _indented(f"{label} {visible(remedy.summary)}", width)
    # Commands and addresses are copied: each is one line, however long.
    for command in remedy.commands:
        yield f"{_INDENT * 2}{paint(visible(command), fg='cyan')}"
    if remedy.terraform and not remedy.commands:
        yield from (f"{_INDENT * 2}{paint(visible(line), fg='cyan')}" for line in remedy.terraform.splitlines())
    if remedy.console_url:
        yield f"{_INDENT * 2}{visible(remedy.console_url)}"


def _verdict(report: Report, paint: Paint, width: int) -> str:
    answer = words.answer(report)
    whole = _wrapped(f"{answer}: {words.counts(report)}. {visible(words.next_step(report))}", width)
    return paint(answer, fg=_COLOURS[report.status], bold=True) + whole.removeprefix(answer)


def _handover(report: Report, paint: Paint, width: int) -> Iterator[str]:
    """What to send to the vendor; or, while it is too early for that, what is missing."""
    if not report.hands_over or report.handover is None:
        return
    title = _wrapped(visible(words.send_to(report)), width)
    if not report.is_ready:
        yield "\n".join([title, *(_indented(f"- {visible(one)}", width) for one in words.missing(report))])
        return
    yield title
    # It is copied: its lines stay as they are.
    yield "\n".join(_INDENT + paint(line, fg="cyan") if line else "" for line in text_lines(report.handover.text))
    if still_open := words.still_open(report):
        yield _wrapped(visible(still_open), width)


def text_lines(text: str) -> list[str]:
    """Text of several lines, with nothing hidden in it."""
    return visible(text, keep="\n").split("\n")


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False, break_long_words=False)


def _indented(text: str, width: int, hanging: str = _INDENT) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT + hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _dimmed(text: str, paint: Paint) -> str:
    # Line by line, so that a pager which cuts lines apart keeps each one's colour.
    return "\n".join(paint(line, dim=True) for line in text.splitlines())

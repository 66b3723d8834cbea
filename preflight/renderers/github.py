"""GitHub Actions: annotations as workflow commands, and the page that sums up a job.

Escaped as the runner reads them (https://github.com/actions/runner, src/Runner.Common/ActionCommand.cs): `%`, CR and
LF in data; `:` and `,` as well in properties. Each line is such a command, so that no text from outside can start one.
"""

from preflight.renderers import words
from preflight.renderers.fleet import Row, totals, worst_first
from preflight.renderers.fleet import markdown as fleet_markdown
from preflight.renderers.markdown import blocks
from preflight.renderers.places import FilePlace, place_in, places_of
from preflight.renderers.plain import explained
from preflight.renderers.visible import visible
from preflight.report import Finding, Report

MOST = 1_000_000
"""Bytes of a summary. GitHub shows none of one that has more than 1 MiB."""


def render(report: Report) -> str:
    """An annotation for each finding that wants something done, and a last one with the verdict."""
    lines = [_annotation(report, finding) for finding in report.by_urgency() if words.wants_explaining(finding)]
    lines += [warning(notice) for notice in words.notices(report)]
    verdict = f"{words.answer(report)}: {words.counts(report)}. {words.next_step(report)}"
    lines.append(command("notice", visible(verdict), title=visible(f"preflight {report.target.project}")))
    return "\n".join(lines) + "\n"


def fleet(rows: list[Row]) -> str:
    """An annotation for each project that is not ready, the worst first, and one with the totals.

    One a project, for GitHub shows ten of a kind in a step; the rest is in the log.
    """
    lines = [
        command(
            "error" if row.exit_code else "warning", visible(row.message), title=visible(f"{row.project}: {row.rule}")
        )
        for row in worst_first(rows)
        if row.rule
    ]
    lines.append(command("notice", totals(rows), title="preflight"))
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """The Markdown report, cut after a block where it would be too long for GitHub."""
    kept: list[str] = []
    room = MOST
    for block in blocks(report):
        room -= len(block.encode("utf-8")) + 2
        if room < 0:
            kept.append("The rest is too long for this page.")
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def fleet_summary(rows: list[Row], first: Report, source: str) -> str:
    """The Markdown report on many projects, with as many of them as GitHub takes, the worst first."""
    most = len(rows)
    text = fleet_markdown(rows, first, source)
    while (size := len(text.encode("utf-8"))) > MOST and most:
        most = min(most - 1, most * MOST // size)
        text = fleet_markdown(rows, first, source, most=most)
    return text


def warning(notice: str) -> str:
    """An annotation about no finding, at the place that the sentence begins with, if it does."""
    said = place_in(notice)
    where = {} if said is None else _where(said)
    return command("warning", visible(notice), title="preflight", **where)


def command(name: str, data: str, **properties: str) -> str:
    """A workflow command on one line."""
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if told else ''}{told}::{_data(data)}"


def _annotation(report: Report, finding: Finding) -> str:
    grave = report.counts(finding) and (finding.blocks or (finding.blinds and not report.allow_unknown))
    places = places_of(finding)
    where = _where(places[0]) if places else {}
    title = f"{finding.status.value.upper()} {finding.rule}"
    message = [visible(finding.verdict.message), *explained(finding, seen=False)]
    return command("error" if grave else "warning", "\n".join(message), title=visible(title), **where)


def _where(place: FilePlace) -> dict[str, str]:
    # In a property nothing is a command, and the file has to be found.
    where = {"file": visible(place.path.removeprefix("./"), keep=":#"), "line": str(place.line or 1)}
    return {**where, "col": str(place.column)} if place.column else where


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

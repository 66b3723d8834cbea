r"""The report as Markdown that reads well in a GitHub comment and in a ticket.

Names come from outside and may be hostile. No library is used to escape them: those there are (npm's `gfm-escape`,
the escapes inside of HTML-to-Markdown converters) put backslashes before punctuation, which isn't enough. GitHub
looks for `@mentions`, `#123`, commits and `:emoji:` after Markdown is parsed, where `\@` and `&#64;` are an `@`
again (github/markup#1168, github/cmark-gfm#181); it lets only code be. So `prose` leaves plain words as they are,
and whatever is no plain word goes into a code span, which is how names read best anyway.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.visible import visible
from preflight.report import Finding, Remedy, Report, Status
from preflight.version import __version__

_CONSOLE = "https://console.cloud.google.com/"

_LEAD = "\"'(“‘"
_TRAIL = ".,;:?\"')”’"
_WORD = re.compile(r"(?:[^\W_]+(?:['’-][^\W_]+)*|\d+(?:[.,:]\d+)*%?|[–—])")
# What GitHub and trackers beside it turn into links although it looks like a word: commits, `GH-12`, `JIRA-12`.
_REFERENCE = re.compile(r"[0-9a-f]{7,64}|\w+-\d+", re.IGNORECASE)


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown: the summary, a table of all rules, then what is to be done."""
    return "\n\n".join(blocks(report)) + "\n"


def prose(text: str) -> str:
    """Text from outside as Markdown on one line, in which it can be nothing but words and code."""
    return " ".join(_token(token, first=at == 0) for at, token in enumerate(visible(text).split()))


def code(text: str) -> str:
    """Text from outside as a code span."""
    shown = visible(text).strip(" ") or " "
    fence = _longer_than_any_run(shown, "`", least=1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def fenced(language: str, text: str) -> str:
    """Text as a block of code in a language."""
    fence = _longer_than_any_run(text, "`", least=3)
    return f"{fence}{language}\n{text}\n{fence}"


def blocks(report: Report) -> Iterator[str]:
    """The report's blocks, between which Markdown wants an empty line."""
    told = words.Told()
    yield f"## {words.answer(report)}: {code(words.project(report))} for {prose(report.vendor)}"
    yield f"{_sentence(words.counts(report))} {prose(words.next_step(report))}"
    yield from (f"**Warning:** {prose(notice)}" for notice in words.notices(report))
    yield _table(report)
    for finding in report.by_urgency():
        if words.wants_explaining(finding):
            yield from _section(finding, told)
    if passes := [f for f in report.by_urgency() if f.status is Status.PASS]:
        yield from _passes(passes)
    yield from _handover(report)
    yield "---"
    yield _footer(report)


def _table(report: Report) -> str:
    rows = [
        f"| {_status(finding)} | {cell(code(finding.rule))} | {cell(prose(finding.verdict.message))} |"
        for finding in report.by_urgency()
    ]
    return "\n".join(["| Result | Rule | Found |", "|---|---|---|", *rows])


def _status(finding: Finding) -> str:
    name = finding.status.value.upper()
    return f"**{name}**" if words.wants_explaining(finding) else name


def cell(markdown: str) -> str:
    """Markdown as a cell of a table."""
    # A table splits its rows before it looks for code, and takes `\|` for a bar in either.
    return markdown.replace("|", r"\|")


def _section(finding: Finding, told: words.Told) -> Iterator[str]:
    verdict = finding.verdict
    yield f"### {finding.status.value.upper()}: {code(finding.rule)}"
    yield prose(verdict.message)
    wanted = f"- **Wanted** ({prose(words.weight(finding))}): {prose(finding.title)}"
    cause = words.cause(finding)
    yield "\n".join(
        [
            wanted,
            *([f"- **Not known because:** {prose(cause)}"] if cause else []),
            *(f"- **Seen:** {_evidence(evidence)}" for evidence in verdict.evidence),
        ]
    )
    if verdict.remedies:
        yield "**To settle it**" if finding.status is Status.UNKNOWN else "**To fix it**"
    for remedy in verdict.remedies:
        yield from _remedy(remedy, finding, told)


def _remedy(remedy: Remedy, finding: Finding, told: words.Told) -> Iterator[str]:
    summary = prose(remedy.summary)
    if first := told.before(remedy, finding.rule):
        yield f"{summary} How: see {code(first)} above."
        return
    yield summary
    if remedy.commands:
        yield fenced("bash", "\n".join(visible(command) for command in remedy.commands))
    if remedy.terraform:
        yield "In Terraform:"
        yield fenced("hcl", visible(remedy.terraform.rstrip("\n"), keep="\n\t"))
    if remedy.console_url:
        yield _link(remedy.console_url)


def _link(url: str) -> str:
    if not url.startswith(_CONSOLE):
        return f"Page: {code(url)}"  # a reader shouldn't be led anywhere by a label that we wrote
    return f"[Open in the Google Cloud console](<{quote(visible(url), safe=':/?#@!$*&+,=%')}>)"


def _evidence(evidence: Evidence) -> str:
    moment = f", {words.when(evidence.observed_at)}" if evidence.observed_at else ""
    about = f", {code(evidence.resource)}" if evidence.resource else ""
    return f"{prose(evidence.detail)} ({code(evidence.source)}{about}{moment})"


def _passes(passes: list[Finding]) -> Iterator[str]:
    yield f"<details>\n<summary>Evidence for what passes ({len(passes)})</summary>"
    yield "\n".join(
        f"- {code(finding.rule)}: {'; '.join(_evidence(evidence) for evidence in finding.verdict.evidence)}"
        for finding in passes
    )
    yield "</details>"


def _handover(report: Report) -> Iterator[str]:
    if not report.hands_over or report.handover is None:
        return
    yield "### What to send" if report.is_ready else "### What is missing"
    yield prose(words.send_to(report))
    if not report.is_ready:
        yield "\n".join(f"- {prose(one)}" for one in words.missing(report))
        return
    yield fenced("text", visible(report.handover.text, keep="\n"))
    if still_open := words.still_open(report):
        yield prose(still_open)


def _footer(report: Report) -> str:
    target = report.target
    number = f" ({code(report.project_number)})" if report.project_number else ""
    place = "".join(
        f", {name} {code(value)}"
        for name, value in (("location", target.location), ("dataset", target.dataset))
        if value
    )
    return (
        f"Project {code(target.project)}{number}{place}, judged for {code(target.principal)} "
        f"by the profile {code(report.profile)} version {code(report.profile_version)}. "
        f"Facts: {prose(words.source(report))}, {words.when(report.started_at)}. Made by preflight {code(__version__)}."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _token(token: str, *, first: bool) -> str:
    core = token.lstrip(_LEAD).rstrip(_TRAIL)
    if not core:
        return code(token)
    if "(" in core and token.endswith(core + ")"):  # `f(x)` is one thing
        core += ")"
    start = token.index(core)
    before, after = token[:start], token[start + len(core) :]
    numbered_item = first and core.isdigit() and after
    if _WORD.fullmatch(core) and not _REFERENCE.fullmatch(core) and not numbered_item:
        return token
    return f"{before}{code(core)}{after}"


def _longer_than_any_run(text: str, character: str, *, least: int) -> str:
    longest = max((len(run) for run in re.findall(f"{re.escape(character)}+", text)), default=0)
    return character * (longest + 1 if longest >= least else least)

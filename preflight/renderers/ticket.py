"""The report as plain text for a ticket: the verdict first, and under 4,000 characters, whatever there is to say.

What doesn't fit is left out in an order: first what passes, evidence beyond the first, links; last the commands. What
was left out is said at the end.
"""

from collections.abc import Iterator

from msgspec import Struct

from preflight.renderers import words
from preflight.renderers.visible import visible
from preflight.report import Finding, Remedy, Report, Status
from preflight.version import __version__

MOST = 3_999
"""Characters in all: ticket systems cut what is longer."""
_LONGEST_NAME = 80
_SHORT = 160
_LONGEST_COMMAND, _LONGEST_HANDOVER = 1_000, 1_500
_LOOKED_AT = 2_000
"""Characters of a text: what is shown is shorter, however much of it is the account's name."""
_SETTLES = "auditor-access"
"""The rule whose remedies settle what others can't tell: they are no second thought."""
_TOO_LONG = "(too long for a ticket: see the report)"


class _Room(Struct, frozen=True, kw_only=True):
    """How much is told."""

    text: int = 700
    """Characters of one sentence from outside."""
    passes: bool = True
    evidence: int = 3
    """Of each rule."""
    links: bool = True
    warnings: bool = True
    """What to do about what warns."""
    remedies: int = 5
    """Of each rule."""
    commands: bool = True
    details: bool = True
    """More than one line a rule."""


_STEPS: tuple[tuple[str, dict[str, object]], ...] = (
    ("", {}),
    ("what passes", {"passes": False}),
    ("evidence beyond the first", {"evidence": 1}),
    ("links", {"links": False}),
    ("what to do about warnings", {"warnings": False}),
    ("the ends of long sentences", {"text": 2 * _SHORT}),
    ("evidence", {"evidence": 0}),
    ("the ends of long sentences", {"text": _SHORT}),
    ("second ways to mend a thing", {"remedies": 1}),
    ("commands", {"commands": False}),
    ("all but a line for each rule", {"details": False}),
)
"""What is left out next, in words, and how."""
_COVERED = {"evidence": "evidence beyond the first", "all but a line for each rule": "commands"}


def render(report: Report, *, pseudonyms: bool = False) -> str:
    """The text. `pseudonyms`: names in the report were replaced, which is said."""
    given: dict[str, object] = {}
    left_out: list[str] = []
    for what, change in _STEPS:
        given |= change
        if what and what not in left_out:
            left_out.append(what)
        text = _text(report, _Room(**given), left_out, pseudonyms)  # type: ignore[arg-type]  # the table is right
        if text is not None:
            return text
    return _cut(report, left_out, pseudonyms)


def _text(report: Report, room: _Room, left_out: list[str], pseudonyms: bool) -> str | None:
    """All of it, told as the room says; None where it is too long."""
    blocks: list[str] = []
    free = MOST + 1  # the last block is followed by one character, the others by two
    for block in _blocks(report, room, left_out, pseudonyms):
        free -= len(block) + 2
        if free < 0:
            return None
        blocks.append(block)
    return "\n\n".join(blocks) + "\n"


def _blocks(report: Report, room: _Room, left_out: list[str], pseudonyms: bool) -> Iterator[str]:
    told = _Told(report.target.principal)
    yield _head(report, room, pseudonyms)
    explained = [finding for finding in report.by_urgency() if words.wants_explaining(finding)]
    if room.details:
        yield from ("\n".join(_section(finding, told, room)) for finding in explained)
    elif explained:
        yield "\n".join(_line(finding, told.principal) for finding in explained)
    yield from _end(report, room)
    yield from _note(left_out)


def _cut(report: Report, left_out: list[str], pseudonyms: bool) -> str:
    """As many rules as there is room for, a line each."""
    room = _Room(text=_SHORT, passes=False, details=False)
    head, note = _head(report, room, pseudonyms), "\n\n".join(_note([*left_out, "99,999 rules"]))
    principal = report.target.principal
    explained = [finding for finding in report.by_urgency() if words.wants_explaining(finding)]
    free = MOST - len(head) - len(note) - len("\n\n\n\n\n")
    kept: list[str] = []
    for finding in explained:
        line = _line(finding, principal)
        free -= len(line) + 1
        if free < 0:
            break
        kept.append(line)
    rules = len(explained) - len(kept)
    return "\n\n".join([head, "\n".join(kept), *_note([*left_out, f"{rules:,} rules"])]) + "\n"


def _head(report: Report, room: _Room, pseudonyms: bool) -> str:
    target = report.target
    place = "".join(
        f", {name} {_name(value)}"
        for name, value in (("location", target.location), ("dataset", target.dataset))
        if value
    )
    number = f" ({_name(report.project_number)})" if report.project_number else ""
    lines = [
        f"{words.answer(report)}: project {_name(words.project(report))}{number} for {_name(report.vendor)}",
        _clipped(f"{words.counts(report)[:1].upper()}{words.counts(report)[1:]}. {words.next_step(report)}", room.text),
        f"Account: {_name(target.principal)}{place}",
        f"Facts: {_name(words.source(report))}, {words.when(report.finished_at)}. Profile {_name(report.profile)} "
        f"{_name(report.profile_version)}, preflight {__version__}.",
    ]
    lines += (f"Warning: {_clipped(notice, _SHORT)}" for notice in words.notices(report))
    if pseudonyms:
        lines.append("Names of people, groups and the like are pseudonyms; preflight reveal turns an answer back.")
    return "\n".join(lines)


class _Told:
    """What was said already: the account, in full, and remedies."""

    def __init__(self, principal: str) -> None:
        self.principal = principal
        self._ways = words.Told()
        self._sentences: dict[str, str] = {}

    def short(self, text: str, room: _Room) -> str:
        """A sentence from outside."""
        return _clipped(words.shortened(text[:_LOOKED_AT], self.principal), room.text)

    def before(self, remedy: Remedy, rule: str) -> str | None:
        """The rule under which the same was told; None: it is told now."""
        first = self._sentences.setdefault(remedy.summary, rule)
        if first != rule and not remedy.commands:
            return first
        return self._ways.before(remedy, rule)


def _section(finding: Finding, told: _Told, room: _Room) -> Iterator[str]:
    verdict = finding.verdict
    yield f"{finding.status.value.upper()} {_name(finding.rule)} ({_clipped(words.weight(finding), _LONGEST_NAME)})"
    yield f"  {told.short(verdict.message, room)}"
    if cause := words.cause(finding):
        yield f"  Not known because: {told.short(cause, room)}"
    for evidence in verdict.evidence[: room.evidence]:
        where = ", ".join(_name(part) for part in (evidence.source, evidence.resource) if part)
        yield f"  Seen: {told.short(evidence.detail, room)} ({where})"
    if room.evidence and len(verdict.evidence) > room.evidence:
        yield f"  Seen, too: {len(verdict.evidence) - room.evidence:,} more"
    if finding.status is not Status.WARN or room.warnings or finding.rule == _SETTLES:
        yield from _remedies(finding, told, room)


def _remedies(finding: Finding, told: _Told, room: _Room) -> Iterator[str]:
    label = "To settle it" if finding.status is Status.UNKNOWN else "To fix it"
    elsewhere: dict[str, None] = {}
    for remedy in finding.verdict.remedies[: room.remedies]:
        if first := told.before(remedy, finding.rule):
            elsewhere[first] = None
        else:
            yield f"  {label}: {told.short(remedy.summary, room)}"
            yield from _how(remedy, room)
    if elsewhere:
        yield f"  {label}: as under {', '.join(map(_name, elsewhere))}."


def _how(remedy: Remedy, room: _Room) -> Iterator[str]:
    if room.commands:
        # A command that is cut is none: a long one is left out whole.
        for command in (visible(one[: _LONGEST_COMMAND + 1]) for one in remedy.commands):
            yield f"    {command if len(command) <= _LONGEST_COMMAND else _TOO_LONG}"
        if remedy.terraform and not remedy.commands:
            yield from (f"    {visible(line)}" for line in remedy.terraform.splitlines())
    if room.links and remedy.console_url:
        yield f"    {_clipped(remedy.console_url, room.text)}"


def _line(finding: Finding, principal: str) -> str:
    message = _clipped(words.shortened(finding.verdict.message[:_LOOKED_AT], principal), _SHORT)
    return f"{finding.status.value.upper()} {_name(finding.rule)}: {message}"


def _end(report: Report, room: _Room) -> Iterator[str]:
    if room.passes:
        for status, label in ((Status.PASS, "Passes"), (Status.SKIP, "Does not apply")):
            if names := [_name(finding.rule) for finding in report.findings if finding.status is status]:
                yield f"{label}: {', '.join(names)}"
    if report.hands_over and report.handover is not None and report.is_ready:
        text = visible(report.handover.text, keep="\n")
        told = text if len(text) <= _LONGEST_HANDOVER else _TOO_LONG
        yield f"{_clipped(words.send_to(report), _SHORT)}\n{told}"
        if still_open := words.still_open(report):
            yield _clipped(still_open, room.text)


def _note(left_out: list[str]) -> Iterator[str]:
    """What isn't here. Of two that mean the same the larger one is told."""
    told = [what for what in left_out if what not in {_COVERED.get(other) for other in left_out}]
    if told:
        yield f"Left out to keep this short: {', '.join(told)}. A bundle has it all: preflight run --bundle FILE.zip"


def _name(text: str) -> str:
    return _clipped(text, _LONGEST_NAME)


def _clipped(text: str, most: int) -> str:
    # Cut before and after: what is hidden in it is spelled out, in up to ten characters each.
    shown = visible(text[: most + 1])
    if len(shown) <= most:
        return shown
    kept = shown[: most - 3]
    # Between words, so that no half of a name is left that stands for nothing.
    return f"{kept.rpartition(' ')[0].rstrip() or kept}..."

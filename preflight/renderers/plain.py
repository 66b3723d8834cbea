"""A finding in plain lines, for formats that carry text without marking: JUnit's bodies, GitHub's annotations."""

from collections.abc import Iterator

from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.visible import visible
from preflight.report import Finding, Status


def explained(finding: Finding, *, seen: bool = True) -> Iterator[str]:
    """What was wanted, why it is not known, what was seen, what to do: a line each, with nothing hidden in it.

    `seen` leaves the evidence in.
    """
    verdict = finding.verdict
    yield f"Wanted ({visible(words.weight(finding))}): {visible(finding.title)}"
    if cause := words.cause(finding):
        yield f"Not known because: {visible(cause)}"
    if seen:
        yield from (f"Seen: {evidence_line(evidence)}" for evidence in verdict.evidence)
    label = "To settle it" if finding.status is Status.UNKNOWN else "To fix it"
    for remedy in verdict.remedies:
        yield f"{label}: {visible(remedy.summary)}"
        yield from (f"  {visible(command)}" for command in remedy.commands)
        if remedy.console_url:
            yield f"  {visible(remedy.console_url)}"


def evidence_line(evidence: Evidence) -> str:
    """One observation: what it said, who said so, about what, and when."""
    moment = words.when(evidence.observed_at) if evidence.observed_at else ""
    where = ", ".join(part for part in (visible(evidence.source), visible(evidence.resource), moment) if part)
    return f"{visible(evidence.detail)} ({where})"

"""A comparison as Markdown that reads well in a ticket."""

from collections.abc import Iterator

from preflight.comparison.sides import Comparison, Look
from preflight.comparison.verdicts import VerdictChange
from preflight.renderers import diff_words as words
from preflight.renderers.markdown import cell, code, prose
from preflight.renderers.words import when
from preflight.version import __version__

_MOST_LINES = 500


def render(made: Comparison) -> str:
    """The comparison as GitHub-flavoured Markdown."""
    return "\n\n".join(_blocks(made)) + "\n"


def _blocks(made: Comparison) -> Iterator[str]:
    project = made.after.project or made.before.project or "whose ID can't be told"
    yield f"## {words.answer(made)}: what changed in {code(project)}"
    yield f"{words.counts(made).capitalize()}."
    yield "\n".join(
        ["| | File | Facts | Verdict |", "|---|---|---|---|", _row("before", made.before), _row("after", made.after)]
    )
    for title, changes in (("What was asked", made.asked), ("Facts", made.facts.changes if made.facts else ())):
        if title == "Facts" and made.verdicts:
            yield "### Verdicts"
            yield "\n".join(["| | Result | Rule | Found |", "|---|---|---|---|", *map(_verdict, made.verdicts)])
        if changes:
            yield f"### {title}"
            lines = list(words.fact_lines(changes))
            told = [f"- **{line.label}** {prose(line.text)}" for line in lines[:_MOST_LINES]]
            if len(lines) > _MOST_LINES:
                told.append(f"- and {len(lines) - _MOST_LINES:,} more")
            yield "\n".join(told)
    for note in words.notes(made):
        yield prose(note)
    yield "---"
    yield f"For {code(made.after.principal)}. Made by preflight {code(__version__)}."


def _row(label: str, look: Look) -> str:
    moment = f", {when(look.moment)}" if look.moment else ""
    facts = f"{prose(look.source)}{moment}"
    return f"| {label} | {cell(code(look.file))} ({look.kind}) | {cell(facts)} | {look.status.value} |"


def _verdict(change: VerdictChange) -> str:
    label = words.verdict_label(change)
    shown = f"**{label}**" if change.worse else label
    return f"| {shown} | {words.verdict(change)} | {cell(code(change.rule))} | {cell(prose(words.said(change)))} |"

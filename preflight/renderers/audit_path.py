"""The proofs of the audit's cells: why somebody has a capability, or why that can't be told."""

import textwrap
from collections.abc import Iterable, Iterator

import click

from preflight.access.audit import Audit, Row
from preflight.access.decision import Decision
from preflight.facts.capabilities import Capability
from preflight.renderers import access_tree
from preflight.renderers.markdown import code, prose
from preflight.renderers.visible import visible


def render(
    audit: Audit,
    rows: Iterable[Row],
    capabilities: tuple[Capability, ...],
    *,
    colour: bool = False,
    width: int = 80,
    box: bool = True,
) -> str:
    """The trees for a terminal, under the member and the capability; what no answer can rest on is told once."""
    blocks = []
    for row in rows:
        blocks.append(_bold(visible(row.member), colour=colour))
        flags = (f"{flag.kind.value}: {visible(flag.detail)}" for flag in row.flags)
        blocks += [textwrap.fill(flag, width, break_long_words=False, break_on_hyphens=False) for flag in flags]
        for capability, decisions in _cells(audit, row, capabilities):
            blocks.append(_bold(capability.title, colour=colour))
            trees = access_tree.render(decisions, colour=colour, width=width, box=box, limits=False)
            blocks.append(trees.rstrip("\n"))
        if not capabilities:
            blocks.append("Nothing that the audit asks about is granted to it, as far as could be seen.")
    blocks += [textwrap.fill(f"Out of sight: {limit}.", width) for limit in access_tree.LIMITS]
    return "\n\n".join(blocks) + "\n"


def markdown(audit: Audit, rows: Iterable[Row], capabilities: tuple[Capability, ...]) -> str:
    """The same as Markdown."""
    blocks = []
    for row in rows:
        blocks.append(f"## {code(row.member)}")
        blocks += [f"{flag.kind.value}: {prose(flag.detail)}" for flag in row.flags]
        for capability, decisions in _cells(audit, row, capabilities):
            blocks.append(f"### {capability.title}")
            blocks.append(access_tree.markdown(decisions).rstrip("\n"))
        if not capabilities:
            blocks.append("Nothing that the audit asks about is granted to it, as far as could be seen.")
    return "\n\n".join(blocks) + "\n"


def _cells(
    audit: Audit, row: Row, capabilities: tuple[Capability, ...]
) -> Iterator[tuple[Capability, tuple[Decision, ...]]]:
    for capability in capabilities:
        yield capability, audit.decisions(row, capability)


def _bold(text: str, *, colour: bool) -> str:
    return click.style(text, bold=True) if colour else text

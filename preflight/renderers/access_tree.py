"""A decision about access as a tree: the answer, and under it each grant, denial and gap with what it rests on."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import click
from msgspec import Struct

from preflight.access.decision import Answer, Decision, Denial, Link
from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.markdown import code, fenced
from preflight.renderers.visible import visible

LIMITS = (
    "principal access boundary policies are set where the principal is at home and can't be seen from this project: "
    "one there may still refuse what is granted here",
)
"""What no answer can rest on."""

HEADLINES = {Answer.GRANTED: "GRANTED", Answer.NOT_GRANTED: "NOT GRANTED", Answer.UNKNOWN: "CAN'T TELL"}
_COLOURS = {Answer.GRANTED: "green", Answer.NOT_GRANTED: "red", Answer.UNKNOWN: "magenta"}
_NARROWEST = 40
_BRANCHES = (("├─ ", "│  "), ("└─ ", "   "))
_ASCII_BRANCHES = (("|- ", "|  "), ("`- ", "   "))

Paint = Callable[..., str]


class Node(Struct, frozen=True):
    """A line of the tree, with what hangs on it."""

    text: str
    """Made visible, not wrapped."""
    children: "tuple[Node, ...]" = ()
    weight: str = ""
    """`good`, `bad`, `open` or empty: how it is coloured."""


def render(
    decisions: Iterable[Decision], *, colour: bool = False, width: int = 80, box: bool = True, limits: bool = True
) -> str:
    """The trees as lines of at most `width` columns where words allow. Without `box` it is drawn in ASCII."""
    paint: Paint = click.style if colour else _plain
    width = max(width, _NARROWEST)
    blocks = [
        "\n".join([_headline(decision, paint, width), *_drawn(tree(decision, limits=limits), "", width, paint, box)])
        for decision in decisions
    ]
    return "\n\n".join(blocks) + "\n"


def markdown(decisions: Iterable[Decision]) -> str:
    """The trees as blocks of code, each under its answer."""
    blocks = []
    for decision in decisions:
        lines = _drawn(tree(decision), "", 100, _plain, box=True)
        blocks.append(f"**{HEADLINES[decision.answer]}**: {code(_said(decision))}\n\n" + fenced("", "\n".join(lines)))
    return "\n\n".join(blocks) + "\n"


def headline(decision: Decision) -> str:
    """The answer in one line."""
    return f"{HEADLINES[decision.answer]}: {visible(_said(decision))}"


def _said(decision: Decision) -> str:
    verb = {Answer.GRANTED: "holds", Answer.NOT_GRANTED: "does not hold", Answer.UNKNOWN: "may hold"}[decision.answer]
    said = f"{decision.principal} {verb} {decision.permission} on {decision.resource}"
    if decision.changes_at:
        said += f", until {words.when(decision.changes_at)}"
    return said + (", at some hours or days" if decision.recurring else "")


def _headline(decision: Decision, paint: Paint, width: int) -> str:
    answer = HEADLINES[decision.answer]
    whole = textwrap.fill(headline(decision), width, break_on_hyphens=False, break_long_words=False)
    return paint(answer, fg=_COLOURS[decision.answer], bold=True) + whole.removeprefix(answer)


def tree(decision: Decision, *, limits: bool = True) -> tuple[Node, ...]:
    """What hangs under the answer."""
    told: dict[bool | None, list[Link]] = {True: [], False: [], None: []}
    for link in decision.links:
        told[link.formula if isinstance(link.formula, bool) else None].append(link)
    denying = [_denial(denial) for denial in decision.denials if denial.formula is True]
    perhaps = [_denial(denial) for denial in decision.denials if not isinstance(denial.formula, bool)]
    granting = [_link(link, decision) for link in told[True]]
    found = [
        *denying,
        *(_section("granted all the same, which the denial takes away", granting) if denying else granting),
        # Once something surely gives it, what only may is beside the point.
        *_section(
            "may give it",
            () if decision.answer is Answer.GRANTED else (_link(link, decision) for link in told[None]),
            "open",
        ),
        *_section("may be denied", perhaps, "open"),
        *_section("near miss: granted, but not now", (_link(link, decision) for link in told[False])),
    ]
    if decision.answer is Answer.NOT_GRANTED and not denying:
        found += _section("read in full, and nothing else gives it", (_seen(one) for one in decision.read))
    found += _section("missing, to be sure", _missing(decision), "open")
    found += _section("assumed", (Node(visible(one.detail)) for one in decision.assumptions))
    if limits:
        found += _section("out of sight", (Node(limit) for limit in LIMITS))
    return tuple(found)


def _section(title: str, nodes: Iterable[Node], weight: str = "") -> list[Node]:
    children = tuple(nodes)
    return [Node(title, children, weight)] if children else []


def _link(link: Link, decision: Decision) -> Node:
    grant = link.grant
    on = grant.resource if "/" in grant.resource else f"dataset {grant.resource}, by its own access list"
    member = Node(
        visible(f"member: {grant.member}{_covers(link, decision)}"),
        tuple(_seen(one) for one in link.membership),
    )
    parts = [member, *_role(link, decision), *_condition(link, decision)]
    binding = Node(visible(f"{grant.role} is granted to {grant.member}"), tuple(parts))
    weight = (
        ("" if decision.denied else "good" if link.formula else "bad") if isinstance(link.formula, bool) else "open"
    )
    return Node(visible(f"on {on}") + _moment(grant.evidence), (binding,), weight)


def _covers(link: Link, decision: Decision) -> str:
    if link.grant.member == decision.principal:
        return ", itself"
    if link.membership:
        return ", a group that it is in"
    if link.grant.covers is True:
        return f", which {decision.principal} is or belongs to"
    return ", which may include it"


def _role(link: Link, decision: Decision) -> Iterator[Node]:
    if not link.role_evidence:
        yield Node(visible(f"role: whether {link.grant.role} holds {decision.permission} is not known"), (), "open")
    for evidence in link.role_evidence:
        yield Node(visible(f"role: {evidence.detail}") + _source(evidence))


def _condition(link: Link, decision: Decision) -> Iterator[Node]:
    condition, value = link.grant.condition, link.condition
    if condition is None or value is None:
        return
    titled = f" '{condition.title}'" if condition.title else ""
    if value.holds is None:
        said, weight = "can't be told from here", "open"
    else:
        said, weight = ("is true", "good") if value.holds else ("is false", "bad")
        said += _flips(value.moments, decision, holds=value.holds)
    if value.recurring:
        said += ", and changes with the hour or the day"
    yield Node(visible(f"condition{titled} {said}"), (Node(visible(condition.expression)),), weight)


def _flips(moments: tuple[datetime, ...], decision: Decision, *, holds: bool) -> str:
    now = decision.moment
    ahead = [moment for moment in moments if now is None or moment > now]
    if ahead:
        sure = decision.changes_at == ahead[0]
        return f" until {words.when(ahead[0])}" if sure else f"; it may change on {words.when(ahead[0])}"
    if moments and not holds:
        return f": {words.when(moments[-1])} has passed"
    return ""


def _denial(denial: Denial) -> Node:
    rule = denial.rule
    parts = [
        Node(visible(f"denies {', '.join(rule.denied_permissions)}")),
        Node(visible(f"to {', '.join(rule.denied_principals)}")),
    ]
    if rule.exception_principals:
        parts.append(Node(visible(f"but not to {', '.join(rule.exception_principals)}")))
    if rule.exception_permissions:
        parts.append(Node(visible(f"but not {', '.join(rule.exception_permissions)}")))
    if rule.condition:
        parts.append(Node(visible(f"only if {rule.condition.expression}")))
    sure = denial.formula is True
    verb = "denied" if sure else "perhaps denied"
    head = visible(f"{verb} on {denial.resource} by deny policy {denial.policy}") + _moment(denial.evidence)
    return Node(head, tuple(parts), "bad" if sure else "open")


def _missing(decision: Decision) -> Iterator[Node]:
    for fact in decision.missing:
        reason = fact.unknown.reason
        yield Node(visible(reason.describe()), (Node(visible(reason.settle())),), "open")


def _seen(evidence: Evidence) -> Node:
    return Node(visible(evidence.detail) + _source(evidence))


def _source(evidence: Evidence) -> str:
    when = f" {words.utc(evidence.observed_at):%H:%M:%SZ}" if evidence.observed_at else ""
    return f" ({visible(evidence.source)}{when})"


def _moment(evidence: Evidence) -> str:
    return _source(evidence) if evidence.source else ""


_STYLES = {"good": {"fg": "green"}, "bad": {"fg": "red"}, "open": {"fg": "magenta"}}


def _drawn(nodes: tuple[Node, ...], indent: str, width: int, paint: Paint, box: bool) -> Iterator[str]:
    forks = _BRANCHES if box else _ASCII_BRANCHES
    for number, node in enumerate(nodes):
        branch, further = forks[number == len(nodes) - 1]
        stem = indent + further + ("" if not node.children else forks[0][1])
        lines = textwrap.wrap(
            node.text, width, initial_indent=indent + branch, subsequent_indent=stem,
            break_on_hyphens=False, break_long_words=False, replace_whitespace=False, drop_whitespace=True,
        )  # fmt: skip
        style = _STYLES.get(node.weight)
        for at, line in enumerate(lines):
            head = len(indent + branch) if at == 0 else len(stem)
            yield line[:head] + (paint(line[head:], **style) if style else line[head:])
        yield from _drawn(node.children, indent + further, width, paint, box)


def _plain(text: str, **_style: object) -> str:
    return text

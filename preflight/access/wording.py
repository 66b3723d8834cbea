"""What a decision says, in words: which deny rule takes something away, which condition doesn't hold, since when."""

from datetime import datetime

from preflight.access.conditions import shortened
from preflight.access.decision import Decision, Denial, Link

_MOST_SAID = 3


def because(decision: Decision) -> str:
    """Why it isn't granted, beyond that nothing grants it: the deny rules and the conditions that don't hold.
    Empty where there are none."""
    said = [denied(denial) for denial in decision.denials if denial.formula is True]
    said += [_unmet(link, decision) for link in decision.links if link.condition and link.condition.holds is False]
    return "; ".join(dict.fromkeys(said))


def denied(denial: Denial) -> str:
    """Who denies what to whom, and where."""
    rule = denial.rule
    what, whom = ", ".join(rule.denied_permissions), ", ".join(rule.denied_principals)
    return f"deny policy {denial.policy} on {denial.resource} denies {what} to {whom}"


def said_at(moment: datetime) -> str:
    """A moment as messages write it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def open_points(*decisions: Decision) -> str:
    """What keeps these open: the reason of the first one that is, and what else is missing, each once. Of many, a
    few are named."""
    open_ = [decision for decision in decisions if decision.missing]
    facts = [fact for decision in open_ for fact in decision.missing]
    said = list(dict.fromkeys([open_[0].reason.describe(), *(fact.unknown.reason.describe() for fact in facts)]))
    rest = len(said) - _MOST_SAID
    return "; ".join(said[:_MOST_SAID]) + (f"; and {rest} more" if rest > 0 else "")


def _unmet(link: Link, decision: Decision) -> str:
    given = f"{link.grant.role} is granted to {link.grant.member} on {link.grant.resource}"
    expression = shortened(link.grant.condition.expression) if link.grant.condition else ""
    moments = link.condition.moments if link.condition else ()
    if decision.ended_at is not None and decision.ended_at in moments:
        return f"{given} by a condition that expired at {said_at(decision.ended_at)}: {expression}"
    if decision.changes_at is not None and decision.changes_at in moments:
        return f"{given} by a condition that holds only from {said_at(decision.changes_at)}: {expression}"
    at = f" at {said_at(decision.moment)}" if decision.moment and (moments or _recurs(link)) else ""
    return f"{given} by a condition that is false{at}: {expression}"


def _recurs(link: Link) -> bool:
    return link.condition is not None and link.condition.recurring

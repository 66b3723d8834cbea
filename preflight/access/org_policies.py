"""What an organisation policy comes to for one value: allowed, refused, or not to be told from here.

A list constraint refuses a denied value, and where a list of allowed ones is set, all others (Google's "Understanding
hierarchy evaluation"; denied values win). What its rules come to on a project, inheritance included, Google has
worked out already: the facts hold effective policies.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from preflight.facts.organization import OrgPolicy, PolicyRule

Match: TypeAlias = Callable[[str], bool | None]
"""Whether a value as written covers the one in question; None: not to be told."""


def allows(policy: OrgPolicy, matches: Match) -> bool | None:
    """Whether the policy lets the value be; None where that hangs on a tag's condition or on an unknown value."""
    plain = [rule for rule in policy.rules if rule.condition is None]
    answer = _together(plain, matches)
    if len(plain) == len(policy.rules):
        return answer
    # A rule on a condition acts in some places and not in others: which, the project's tags decide, and how Google
    # puts several such rules together is not documented in full. What every rule by itself says is sure.
    alone = {_together([rule], matches) for rule in policy.rules} | {answer}
    return answer if len(alone) == 1 else None


def _together(rules: Iterable[PolicyRule], matches: Match) -> bool | None:
    rules = list(rules)
    denied = _any(matches(value) for rule in rules for value in rule.denied)
    if any(rule.deny_all for rule in rules) or denied:
        return False
    allowed = [value for rule in rules for value in rule.allowed]
    if any(rule.allow_all for rule in rules) or not allowed:
        found: bool | None = True
    else:
        found = _any(matches(value) for value in allowed)
    if found is False:
        return False
    return None if denied is None else found


def _any(answers: Iterable[bool | None]) -> bool | None:
    seen = set(answers)
    return True if True in seen else (None if None in seen else False)


def unclear(policy: OrgPolicy, matches: Match) -> tuple[str, ...]:
    """What keeps the answer open: the values that can't be told, and the conditions."""
    values = [value for rule in policy.rules for value in (*rule.denied, *rule.allowed) if matches(value) is None]
    conditions = [f"the condition {rule.condition.expression}" for rule in policy.rules if rule.condition]
    return tuple(dict.fromkeys((*values, *conditions)))


def denies(policy: OrgPolicy, matches: Match) -> bool:
    """Whether a denied value refuses it, so that allowing it beside others would change nothing."""
    return any(rule.deny_all or any(matches(value) for value in rule.denied) for rule in policy.rules)

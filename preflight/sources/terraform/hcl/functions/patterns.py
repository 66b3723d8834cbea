r"""Regular expressions: Go's RE2, run by Python's `re` where both mean the same and the time is bounded.

RE2 never backtracks and Python does, so an expression is measured first: a text of n characters costs about
n ** (unbounded repeats), and twice as much with each character where repeats are nested. Past the limit, and for syntax
that the two read differently, the result is unsettled.
"""

import re
from collections.abc import Iterator
from typing import Any

from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.values import RefusedError, UnsettledError
from preflight.sources.terraform.resources import Unsettled

_DIFFERENT = re.compile(r"\[\[?:|\\[pPQECzZ]|\(\?[^:Pis)]|\(\?P[^<]|\(\?[is]*[^:Pis)]|[*+?}]\+|\(\?<")
_DOLLAR = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
_NAME = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def pattern(scope: Scope, expression: str, length: int) -> re.Pattern[str]:
    """The expression for Python, fit to run on a text of `length`. Raises UnsettledError where it isn't."""
    if len(expression) > 1000 or _DIFFERENT.search(expression):
        raise UnsettledError(Unsettled("a regular expression that is not run here", "a plan"))
    # Go's $ is the very end, Python's lets a line feed follow.
    expression = _DOLLAR.sub(lambda found: r"\Z" if found[0] == "$" else found[0], expression)
    try:
        compiled = re.compile(expression, re.ASCII)
        repeats, nested = _repeats(re._parser.parse(expression, re.ASCII))  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError):
        raise UnsettledError(Unsettled("a regular expression that is not run here", "a plan")) from None
    limit = scope.budget.limits.regex_work
    work = (length + 1) ** min(repeats + 1, 12)
    if work > limit or (nested and (length > 20 or (1 << length) * (length + 1) > limit)):
        raise UnsettledError(Unsettled("a regular expression that may take too long on this text", "a plan"))
    scope.budget.spend(work >> 8)
    return compiled


def _repeats(tree: Any, inside: bool = False) -> tuple[int, bool]:
    """How many unbounded repeats a parsed expression has, and whether one is within another."""
    count, nested = 0, False
    for operator, argument in tree:
        below: list[Any] = []
        repeat = str(operator) in {"MAX_REPEAT", "MIN_REPEAT"}
        if repeat:
            low, high, body = argument
            repeat = high - low > 1
            nested |= repeat and inside
            count += repeat
            below = [body]
        elif str(operator) == "SUBPATTERN":
            below = [argument[3]]
        elif str(operator) == "BRANCH":
            below = argument[1]
            nested |= inside
        elif str(operator) not in {"LITERAL", "NOT_LITERAL", "IN", "ANY", "AT", "CATEGORY"}:
            raise UnsettledError(Unsettled("a regular expression that is not run here", "a plan"))
        for body in below:
            more, deeper = _repeats(body, inside or repeat)
            count += more
            nested |= deeper
    return count, nested


def matches(scope: Scope, expression: str, text: str) -> Iterator[re.Match[str]]:
    """The matches in a text."""
    return pattern(scope, expression, len(text)).finditer(text)


def replaced(scope: Scope, expression: str, text: str, put: str) -> str:
    """The text with each match replaced; `$1`, `${1}` and `${name}` in `put` stand for groups, `$$` for `$`."""
    found = pattern(scope, expression, len(text))
    if len(put) * (len(text) + 1) > scope.budget.limits.text:
        raise UnsettledError(Unsettled("a replacement past the limit here"))

    def group(match: re.Match[str], name: str) -> str:
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except (IndexError, re.error):
            return ""  # as Go does

    def put_in(match: re.Match[str]) -> str:
        return _NAME.sub(lambda name: "$" if name[1] else group(match, name[2] or name[3]), put)

    try:
        return found.sub(put_in, text)
    except RecursionError:
        raise RefusedError("the regular expression is too deep") from None

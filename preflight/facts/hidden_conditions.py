"""Conditions that an API or a file kept back: there is one, and what it says is not to be told."""

import re

HIDDEN = "(not shown by the API)"
"""The expression of a condition that was kept back."""
_HIDDEN_CONDITION = re.compile(r"(.+)_with(?:cond|_conditionalbinding)_[0-9a-zA-Z]+")


def shown_role(name: str) -> tuple[str, bool]:
    """The role's name, and whether it says that a condition was kept back: `_withcond_…` in a
    policy, `_with_conditionalbinding_…` in a dataset's access list."""
    hidden = _HIDDEN_CONDITION.fullmatch(name)
    return (hidden[1], True) if hidden else (name, False)

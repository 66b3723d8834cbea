"""Answers as Boolean functions of what isn't known, and the facts on which they really hang.

Each open fact is one variable. A formula is True, False, or a function of such variables; it is settled by a
reduced ordered binary decision diagram (Bryant 1986): one that comes to a constant is known in spite of what is
open ("granted through a group, or else directly"; "granted through a group that is denied as well"), and the
variables left in any other are exactly those on which the answer depends: the smallest set of facts that settles it.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from preflight.facts.seen import Unknown

Kind: TypeAlias = Literal[
    "policy",
    "ancestors",
    "group",
    "role",
    "condition",
    "member",
    "basic role",
    "deny policy",
    "deny ancestors",
    "dataset access",
    "binding",
]


class OpenFact(Struct, frozen=True):
    """One fact that is not known, and on which an answer may hang."""

    kind: Kind
    about: str
    """Which policy, group, role …; empty for the ancestors."""
    unknown: Unknown
    """Why it isn't known, and what would settle it."""
    asked_of: str = ""
    """Of a condition the type of resource it is evaluated for: it may hold for a dataset and not for its project."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is, in short."""
        return self.kind, self.about

    @property
    def identity(self) -> tuple[str, str, str]:
        """Two open facts of the same identity are one fact."""
        return self.kind, self.about, self.asked_of


class Operation(Struct, frozen=True):
    """`and`, `or` or `not` of formulas of which none is a constant. Made by `both`, `either` and `negated`."""

    operator: Literal["and", "or", "not"]
    operands: "tuple[OpenFact | Operation, ...]"


Formula: TypeAlias = bool | OpenFact | Operation


def both(*formulas: Formula) -> Formula:
    """True where all of them are."""
    return _combined("and", formulas, absorbing=False)


def either(*formulas: Formula) -> Formula:
    """True where one of them is."""
    return _combined("or", formulas, absorbing=True)


def negated(formula: Formula) -> Formula:
    """True where it isn't."""
    if isinstance(formula, bool):
        return not formula
    return Operation("not", (formula,))


def _combined(operator: Literal["and", "or"], formulas: Iterable[Formula], *, absorbing: bool) -> Formula:
    operands: list[OpenFact | Operation] = []
    for formula in formulas:
        if isinstance(formula, bool):
            if formula is absorbing:
                return absorbing
        else:
            operands.append(formula)
    if not operands:
        return not absorbing
    return operands[0] if len(operands) == 1 else Operation(operator, tuple(operands))


def open_facts(formula: Formula) -> tuple[OpenFact, ...]:
    """All open facts in it, each once, in their order."""
    found: dict[tuple[str, str, str], OpenFact] = {}
    stack: list[Formula] = [formula]
    while stack:
        one = stack.pop()
        if isinstance(one, OpenFact):
            found.setdefault(one.identity, one)
        elif isinstance(one, Operation):
            stack.extend(reversed(one.operands))
    return tuple(found.values())


MOST_VARIABLES = 48
"""Beyond this many open facts the diagram, which can grow as two to their number, is not drawn."""


def settled(formula: Formula) -> tuple[bool | None, tuple[OpenFact, ...]]:
    """Its value if what is known decides it, else None with the smallest set of facts that would settle it.

    With more than `MOST_VARIABLES` open facts the set is all of them: still enough, perhaps more than needed.
    """
    if isinstance(formula, bool):
        return formula, ()
    facts = open_facts(formula)
    if isinstance(formula, OpenFact) or all(isinstance(operand, OpenFact) for operand in formula.operands):
        return None, facts  # the usual case, of which a diagram would say the same
    if len(facts) > MOST_VARIABLES:
        return None, facts
    diagram = _Diagram({fact.identity: place for place, fact in enumerate(facts)})
    try:
        root = diagram.of(formula)
    except _TooLargeError:
        return None, facts
    if isinstance(root, bool):
        return root, ()
    return None, tuple(facts[place] for place in sorted(diagram.support(root)))


_MOST_NODES = 20_000


class _TooLargeError(Exception):
    """The diagram has more nodes than it may."""


class _Node:
    """One test of a variable; equal ones are the same object, so that identity compares functions."""

    __slots__ = ("high", "low", "place")

    def __init__(self, place: int, low: "_Node | bool", high: "_Node | bool") -> None:
        self.place = place
        self.low = low
        self.high = high


_Branch: TypeAlias = _Node | bool


class _Diagram:
    """A reduced ordered binary decision diagram over the open facts in a given order."""

    def __init__(self, places: dict[tuple[str, str, str], int]) -> None:
        self._places = places
        self._nodes: dict[tuple[int, int, int], _Node] = {}
        self._choices: dict[tuple[int, int, int], _Branch] = {}

    def of(self, formula: Formula) -> _Branch:
        """The function that the formula stands for."""
        if isinstance(formula, bool):
            return formula
        if isinstance(formula, OpenFact):
            return self._node(self._places[formula.identity], low=False, high=True)
        parts = [self.of(operand) for operand in formula.operands]
        if formula.operator == "not":
            return self._choice(parts[0], False, True)
        result: _Branch = formula.operator == "and"
        for part in reversed(parts):
            both_or_either = (part, result, False) if formula.operator == "and" else (part, True, result)
            result = self._choice(*both_or_either)
        return result

    def support(self, root: _Branch) -> set[int]:
        """The variables on which it depends."""
        found: set[int] = set()
        seen: set[int] = set()
        stack = [root]
        while stack:
            branch = stack.pop()
            if isinstance(branch, bool) or id(branch) in seen:
                continue
            seen.add(id(branch))
            found.add(branch.place)
            stack += [branch.low, branch.high]
        return found

    def _node(self, place: int, *, low: _Branch, high: _Branch) -> _Branch:
        if low is high:
            return low
        key = (place, id(low), id(high))
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) >= _MOST_NODES:
                raise _TooLargeError
            node = self._nodes[key] = _Node(place, low, high)
        return node

    def _choice(self, test: _Branch, then: _Branch, otherwise: _Branch) -> _Branch:
        """`then` where `test` is true, else `otherwise`."""
        if isinstance(test, bool):
            return then if test else otherwise
        if then is otherwise:
            return then
        if then is True and otherwise is False:
            return test
        key = (id(test), id(then), id(otherwise))
        known = self._choices.get(key)
        if known is None:
            place = min(branch.place for branch in (test, then, otherwise) if isinstance(branch, _Node))
            low, high = (
                self._choice(*(self._half(branch, place, side) for branch in (test, then, otherwise)))
                for side in (False, True)
            )
            known = self._choices[key] = self._node(place, low=low, high=high)
        return known

    @staticmethod
    def _half(branch: _Branch, place: int, side: bool) -> _Branch:
        if isinstance(branch, bool) or branch.place != place:
            return branch
        return branch.high if side else branch.low

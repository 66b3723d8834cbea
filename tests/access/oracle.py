"""Access decided by brute force: what isn't known is tried out.

Each fact that is missing is either so or not so, whatever the others are; an answer is sure if all of these worlds
give it, judged one by one in plain two-valued logic. This shares no code with `preflight.access`: of the product it
uses the catalogue of predefined roles alone.
"""

from itertools import product
from typing import TypeAlias

from tests.access.two_valued import Fact, OpenError, World
from tests.access.worlds import Question, View

GRANTED, NOT_GRANTED, UNKNOWN = "granted", "not granted", "unknown"


class TooManyError(Exception):
    """There are more worlds than were to be tried."""


def judge(view: View, question: Question) -> str:
    """`granted`, `not granted` or `unknown`."""
    found: set[bool] = set()
    worlds: list[dict[Fact, bool]] = [{}]
    while worlds and len(found) < 2:
        world = worlds.pop()
        try:
            found.add(World(view, question, world).holds())
        except OpenError as missing:
            worlds += [{**world, missing.fact: so} for so in (True, False)]
    return UNKNOWN if len(found) == 2 else GRANTED if found == {True} else NOT_GRANTED


def decisive(view: View, question: Question, most: int = 10) -> set[Fact]:
    """The missing facts on which the answer hangs: where all the others may be such that this one decides.

    Raises TooManyError if more than `most` were to be tried out.
    """
    tree = _tree(view, question, {}, most)
    facts = sorted(_facts(tree))
    if len(facts) > most:
        raise TooManyError
    answers = {
        choice: _walk(tree, dict(zip(facts, choice, strict=True)))
        for choice in product((False, True), repeat=len(facts))
    }
    return {
        fact
        for place, fact in enumerate(facts)
        if any(answers[c] != answers[(*c[:place], not c[place], *c[place + 1 :])] for c in answers)
    }


Tree: TypeAlias = "bool | tuple[Fact, Tree, Tree]"


def _tree(view: View, question: Question, world: dict[Fact, bool], most: int) -> Tree:
    """What each way of filling in the missing facts gives."""
    if len(world) > most:
        raise TooManyError
    try:
        return World(view, question, world).holds()
    except OpenError as missing:
        no, yes = ({**world, missing.fact: so} for so in (False, True))
        return missing.fact, _tree(view, question, no, most), _tree(view, question, yes, most)


def _facts(tree: Tree) -> set[Fact]:
    return set() if isinstance(tree, bool) else {tree[0], *_facts(tree[1]), *_facts(tree[2])}


def _walk(tree: Tree, world: dict[Fact, bool]) -> bool:
    while not isinstance(tree, bool):
        tree = tree[2] if world[tree[0]] else tree[1]
    return tree

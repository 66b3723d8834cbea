"""The engine and the brute-force oracle give the same answers, and miss the same facts, on generated worlds.

`make test` compares some of them, `make oracle` all.
"""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.access.as_facts import Engine
from tests.access.generate import Case, Maker
from tests.access.oracle import UNKNOWN, TooManyError, decisive, judge
from tests.access.two_valued import Fact
from tests.access.worlds import ORDER, Question, hidden

ALL, SOME = 100_000, 2_000
WORLDS, BATCHES = (ALL, 200) if os.environ.get("PREFLIGHT_ORACLE") == "all" else (SOME, 8)
SHOWN = 5


class Compared(NamedTuple):
    """One question, answered by both."""

    question: Question
    answer: str
    """The oracle's."""
    needed: set[Fact] | None
    """The facts on which the answer hangs, as the oracle found them out; None if it had too many to try."""
    found: tuple[str, frozenset[Fact]]
    """The engine's answer, and the facts that it says are missing."""

    @property
    def agree(self) -> bool:
        return self.found == (self.answer, self.found[1] if self.needed is None else self.needed)


def compared(case: Case) -> Iterator[Compared]:
    view = hidden(case.world, case.blindfolds)
    engine = Engine(view)
    for question in case.questions:
        answer = judge(view, question)
        needed: set[Fact] | None = set()
        if answer == UNKNOWN:
            try:
                needed = decisive(view, question)
            except TooManyError:
                needed = None
        yield Compared(question, answer, needed, engine.judge(question))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_they_agree(batch: int, record_property: Any):
    wrong: list[str] = []
    answers: Counter[str] = Counter()
    sets: Counter[bool] = Counter()
    worlds = range(batch * WORLDS // BATCHES, (batch + 1) * WORLDS // BATCHES)
    for seed in worlds:
        for one in compared(Maker.seeded(seed).case()):
            answers[one.answer] += 1
            sets[one.needed is not None] += one.answer == UNKNOWN
            if not one.agree:
                wrong.append(f"Maker.seeded({seed}): {one}")
    assert not wrong, f"{len(wrong)} disagreements:\n" + "\n".join(wrong[:SHOWN])
    # Neither can be right by always saying the same, nor by leaving out what is hard.
    assert min(answers[answer] for answer in ("granted", "not granted", "unknown")) > answers.total() / 10
    assert sets[False] < sets[True] / 20
    record_property("compared worlds of access", len(worlds))
    record_property("compared answers about access", answers.total())
    record_property("compared sets of missing facts", sets[True])


@given(st.randoms(use_true_random=False))
def test_they_agree_on_worlds_that_hypothesis_makes_small(random: Random):
    case = Maker(random).case(questions=2)
    note(f"{case}")
    for one in compared(case):
        assert one.agree, one


def test_what_is_seen_of_a_world_is_that_world_less_what_is_hidden():
    kinds = set()
    for seed in range(300):
        case = Maker.seeded(seed).case()
        for blindfold in case.blindfolds:
            kinds.add(blindfold.kind)
            assert hidden(case.world, [blindfold]) != case.world, blindfold
        assert hidden(case.world, ()) == case.world
    assert kinds == set(ORDER)

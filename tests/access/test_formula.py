"""Formulas of open facts: their value where one is certain, and exactly the facts on which they hang."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from preflight.access import formula as module
from preflight.access.formula import Formula, OpenFact, Operation, both, either, negated, open_facts, settled
from preflight.facts.seen import NotCollected, Unknown

WHY = Unknown(NotCollected())
A, B, C, D = (OpenFact("group", name, WHY) for name in "abcd")


def facts_of(found: tuple[bool | None, tuple[OpenFact, ...]]) -> Any:
    value, facts = found
    return value, [fact.about for fact in facts]


def test_what_is_certain_needs_no_fact():
    assert settled(True) == (True, ())
    assert settled(both()) == (True, ())
    assert settled(either()) == (False, ())
    assert settled(either(A, True)) == (True, ())
    assert settled(both(A, False)) == (False, ())
    assert settled(negated(False)) == (True, ())


def test_certain_although_its_parts_are_open():
    assert settled(both(A, negated(A))) == (False, ())
    assert settled(either(A, negated(A))) == (True, ())
    assert settled(either(both(A, B), both(A, negated(B)), negated(A))) == (True, ())


def test_only_what_matters_is_asked_for():
    assert facts_of(settled(either(A, both(A, B)))) == (None, ["a"])
    assert facts_of(settled(either(both(A, B), both(C, negated(C))))) == (None, ["a", "b"])
    assert facts_of(settled(both(either(A, B), negated(both(B, D))))) == (None, ["a", "b", "d"])


def test_one_fact_is_one_fact_wherever_it_occurs():
    again = OpenFact("group", "a", Unknown(NotCollected("told otherwise")))
    assert settled(both(A, negated(again))) == (False, ())
    assert open_facts(either(A, both(again, B))) == (A, B)


def test_beyond_the_limit_all_facts_are_named_and_nothing_is_guessed():
    many = [OpenFact("group", str(number), WHY) for number in range(module.MOST_VARIABLES + 1)]
    value, facts = settled(either(*many, both(many[0], negated(many[0]))))
    assert value is None
    assert facts == tuple(many)


def test_a_diagram_that_grows_too_large_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "_MOST_NODES", 3)
    value, facts = settled(either(both(A, B), both(C, D)))
    assert (value, set(facts)) == (None, {A, B, C, D})


def test_hundreds_of_groups_are_quick_to_settle():
    many = [OpenFact("group", str(number), WHY) for number in range(module.MOST_VARIABLES)]
    role = OpenFact("role", "r", WHY)
    assert facts_of(settled(either(*(both(group, role) for group in many))))[1] == [
        fact.about for fact in (many[0], role, *many[1:])
    ]


formulas: st.SearchStrategy[Formula] = st.recursive(
    st.sampled_from([True, False, A, B, C, D]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: both(*parts)),
        st.lists(inner, max_size=3).map(lambda parts: either(*parts)),
        inner.map(negated),
    ),
    max_leaves=14,
)


def valued(formula: Formula, values: dict[str, bool]) -> bool:
    """The formula in two values, in the plainest way."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, OpenFact):
        return values[formula.about]
    assert isinstance(formula, Operation)
    parts = [valued(part, values) for part in formula.operands]
    return {"and": all(parts), "or": any(parts), "not": not parts[0]}[formula.operator]


@given(formulas)
def test_the_value_and_the_facts_are_those_of_the_truth_table(formula):
    worlds = [dict(zip("abcd", row, strict=True)) for row in itertools.product([False, True], repeat=4)]
    table = {tuple(world.values()): valued(formula, world) for world in worlds}
    value, facts = settled(formula)
    results = set(table.values())
    assert value is (results.pop() if len(results) == 1 else None)
    hangs_on = {
        name
        for place, name in enumerate("abcd")
        if any(table[row] != table[(*row[:place], not row[place], *row[place + 1 :])] for row in table)
    }
    assert {fact.about for fact in facts} == hangs_on

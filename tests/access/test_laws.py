"""What holds of access whatever the world: no grant harms, no denial helps, and not seeing is never an answer."""

import os
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.access.as_facts import Answered, Engine
from tests.access.generate import DATASET, Case, Maker
from tests.access.oracle import GRANTED, NOT_GRANTED, UNKNOWN, TooManyError, decisive
from tests.access.two_valued import Fact, World
from tests.access.worlds import AllowList, Blindfold, DenyList, Question, View, hidden

randoms = st.randoms(use_true_random=False)
often = settings(max_examples=1000 if os.environ.get("PREFLIGHT_ORACLE") == "all" else 60)
SETTLED = {GRANTED, NOT_GRANTED}


def drawn(random: Random) -> Case:
    """A world in which deny policies that were not read count as unknown, as these laws suppose."""
    case = Maker(random, steady=True).case(questions=3)
    note(f"{case}")
    return case._replace(world=case.world._replace(unread_deny_blocks=True))


def answers(view: View, questions: tuple[Question, ...]) -> list[str]:
    engine = Engine(view)
    return [engine.judge(question).answer for question in questions]


def changed(random: Random, change: Callable[[View, Maker], View]) -> list[tuple[str, str]]:
    """The answers before and after a change to what is seen."""
    case = drawn(random)
    view = hidden(case.world, case.blindfolds)
    maker = Maker(random)
    maker.actors = tuple(question.principal for question in case.questions)
    after = change(view, maker)
    note(f"after: {after}")
    return list(zip(answers(view, case.questions), answers(after, case.questions), strict=True))


@often
@given(randoms)
def test_one_more_binding_takes_nothing_away(random: Random):
    def grant(view: View, maker: Maker) -> View:
        read = [(r, policy) for r, policy in view.allow.items() if policy is not None]
        if not read:
            return view
        resource, policy = random.choice(read)
        more = policy._replace(grants=(*policy.grants, *maker.grants(2)))
        return view._replace(allow={**view.allow, resource: more})

    for before, after in changed(random, grant):
        assert before == NOT_GRANTED or after in {before, GRANTED}


@often
@given(randoms)
def test_one_more_entry_in_an_access_list_takes_nothing_away(random: Random):
    def grant(view: View, maker: Maker) -> View:
        entries = view.datasets[DATASET]
        return view if entries is None else view._replace(datasets={DATASET: (*entries, maker.entry())})

    for before, after in changed(random, grant):
        assert before == NOT_GRANTED or after in {before, GRANTED}


@often
@given(randoms)
def test_one_more_deny_rule_gives_nothing(random: Random):
    def deny(view: View, maker: Maker) -> View:
        read = [(r, attached) for r, attached in (view.deny or {}).items() if attached is not None]
        if not read:
            return view
        resource, attached = random.choice(read)
        more = DenyList({**attached.policies, "another": (maker.denial(),)}, attached.complete)
        return view._replace(deny={**(view.deny or {}), resource: more})

    for before, after in changed(random, deny):
        assert before == GRANTED or after in {before, NOT_GRANTED}


@often
@given(randoms)
def test_order_and_repetition_change_nothing(random: Random):
    def shuffled(things: tuple[Any, ...]) -> tuple[Any, ...]:
        again = [*things, *things[: random.randint(0, 2)]]
        random.shuffle(again)
        return tuple(again)

    def shuffle(view: View, _: Maker) -> View:
        allow = {
            r: AllowList(shuffled(tuple(g._replace(members=shuffled(g.members)) for g in p.grants)), p.complete)
            if p
            else p
            for r, p in view.allow.items()
        }
        groups = view.groups and {
            e: t._replace(members=shuffled(t.members)) if t else t for e, t in shuffled(tuple(view.groups.items()))
        }
        deny = view.deny and {
            r: DenyList({n: rules and shuffled(rules) for n, rules in reversed(list(d.policies.items()))}, d.complete)
            if d
            else d
            for r, d in view.deny.items()
        }
        datasets = {name: entries and shuffled(entries) for name, entries in view.datasets.items()}
        return view._replace(allow=allow, groups=groups, deny=deny, datasets=datasets)

    for before, after in changed(random, shuffle):
        assert before == after


@often
@given(randoms)
def test_seeing_less_only_ever_makes_an_answer_unknown_and_learning_turns_none_round(random: Random):
    case = drawn(random)
    dark = list(dict.fromkeys(case.blindfolds))
    random.shuffle(dark)
    # One more blindfold at a time; read backwards, one fact more is learnt.
    seen = [answers(hidden(case.world, dark[:count]), case.questions) for count in range(len(dark) + 1)]
    for blindfold, (lighter, darker) in zip(dark, pairwise(seen), strict=True):
        assert all(after in {before, UNKNOWN} for before, after in zip(lighter, darker, strict=True)), blindfold
    for truth, *later in zip(*seen, strict=True):
        assert truth == UNKNOWN or {truth, UNKNOWN} >= set(later)


SETTLED_BY = {
    "policy": {"policy", "absent policy", "half policy"},
    "ancestors": {"ancestors"},
    "role": {"role", "absent role"},
    "group": {"group", "absent group", "half group", "checked group"},
    "condition": {"tags"},
    "member": {"number", "ancestors"},  # where a service account belongs
    "deny policy": {"deny", "deny resource", "half deny", "deny policy"},
    "deny ancestors": {"deny ancestors"},
    "dataset access": {"dataset"},
    "basic role": set[str](),
}
WHOLE = {"roles": "role", "absent roles": "absent role", "groups": "group"}
EVERYTHING = {"condition", "member", "ancestors", "deny ancestors"}
"""Of what settles these there is one for the whole world."""


def lifted(world: View, dark: list[Blindfold], fact: Fact) -> list[Blindfold]:
    """The blindfolds that are left when someone has looked up a missing fact, and just that."""
    kind, about = fact[:2]
    for blindfold in [b for b in dark if WHOLE.get(b.kind) in SETTLED_BY[kind]]:
        one_by_one = [Blindfold(WHOLE[blindfold.kind], key) for key in getattr(world, f"{kind}s")]
        dark = [b for b in dark if b != blindfold and b not in one_by_one] + one_by_one
    return [b for b in dark if b.kind not in SETTLED_BY[kind] or not (kind in EVERYTHING or b.about in {about, ""})]


@often
@given(randoms)
def test_looking_up_what_is_missing_settles_the_answer(random: Random):
    case = drawn(random)
    for question in case.questions:
        dark = list(case.blindfolds)
        found = Engine(hidden(case.world, dark)).judge(question)
        for _ in range(40):
            if found.answer in SETTLED:
                assert not found.missing
                break
            lighter = dark
            for fact in found.missing:
                lighter = lifted(case.world, lighter, fact)
            note(f"{question}: {found}, looked up: {set(dark) - set(lighter)}")
            if lighter == dark:
                # Nobody could tell any of these: they are missing in the whole truth as well.
                assert found == Engine(case.world).judge(question)
                break
            dark = lighter
            found = Engine(hidden(case.world, dark)).judge(question)
        else:
            raise AssertionError(f"never settled: {found}")


@often
@given(randoms)
def test_whatever_the_missing_facts_turn_out_to_be_all_are_needed_and_they_suffice(random: Random):
    case = drawn(random)
    view = hidden(case.world, case.blindfolds)
    engine = Engine(view)
    for question in case.questions:
        found: Answered = engine.judge(question)
        try:
            needed = decisive(view, question)
        except TooManyError:
            continue
        assert (found.answer == UNKNOWN) == bool(found.missing)
        assert found.missing == needed
        # However these turn out, and whatever is said of all others, there is one answer.
        filled = {fact: random.random() < 0.5 for fact in needed}
        assert len({World(view, question, Others(filled, other)).holds() for other in (False, True)}) == 1


class Others(dict[Fact, bool]):
    """What the facts are; of those that aren't said, all the same."""

    def __init__(self, said: dict[Fact, bool], other: bool) -> None:
        super().__init__(said)
        self.other = other

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: Fact) -> bool:
        return self.other

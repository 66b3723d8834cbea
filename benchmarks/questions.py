"""A thousand questions about a policy as large as Google allows: the engine beside the brute-force oracle.

python -m benchmarks.questions
"""

import gc
import sys
import time

from preflight.access.project_access import ProjectAccess
from preflight.facts.catalogue import role_catalogue
from tests.access.as_facts import facts_of
from tests.access.large import large_questions, large_view, oracle_seconds

QUESTIONS = 1000
BOUND = 50.0
"""So many times faster, at least."""


def times(*, groups_read: bool) -> tuple[float, float]:
    """The CPU seconds of the engine, from bare facts on, and of the oracle. Both have to answer the same."""
    import cel_expr_python  # noqa: F401  both are measured after import

    role_catalogue()
    view, questions = large_view(groups_read=groups_read), large_questions(QUESTIONS)
    facts = facts_of(view)
    gc.collect()
    gc.disable()  # else both pay for what other benchmarks left behind
    ours: list[float] = []
    answers: list[str] = []
    for _ in range(5):
        start = time.process_time()
        access = ProjectAccess(facts)
        answers = [str(access.answer(question.principal, question.permission)) for question in questions]
        ours.append(time.process_time() - start)
    oracle, expected = oracle_seconds(view, questions)
    gc.enable()
    if answers != expected:
        raise AssertionError("the engine and the oracle don't agree")
    return min(ours), oracle


def main() -> None:
    """Prints the ratios; exits 1 if one is under the bound."""
    held = True
    for groups_read in (False, True):
        ours, oracle = times(groups_read=groups_read)
        held &= oracle / ours >= BOUND
        print(
            f"{QUESTIONS} questions, members of groups {'known' if groups_read else 'not known'}: "
            f"{ours * 1000:.0f} ms, the oracle {oracle:.2f} s: {oracle / ours:.0f} times faster (at least {BOUND:.0f})"
        )
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

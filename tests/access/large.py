"""A policy as large as Google allows, and how long the oracle takes over questions about it.

For the benchmarks: `oracle_seconds` beside whatever the engine needs for the same questions.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

from tests.access.generate import ID, NUMBER, ORGANIZATION, OWN, PERMISSIONS, PREDEFINED
from tests.access.oracle import judge
from tests.access.two_valued import in_catalogue
from tests.access.worlds import AllowList, Grant, Question, Role, Team, View

LIMIT = 1500
"""Google's: principals in one allow policy."""


def large_view(bindings: int = LIMIT, custom_roles: int = 250, seed: int = 1, *, groups_read: bool = False) -> View:
    """A project in a folder and an organization. Half of the bindings are of custom roles, some through groups, some
    for a time only. All is known, but for the groups: hardly an auditor may list their members."""
    random = Random(seed)  # noqa: S311 (nothing here is secret)
    custom = [f"{OWN}/roles/custom{n:03}" for n in range(custom_roles)]
    roles = {
        name: Role(frozenset(random.sample(PERMISSIONS, random.randint(1, 3))), deleted=n % 25 == 0)
        for n, name in enumerate(custom)
    }
    groups: dict[str, Team | None] = {
        f"team{n}@acme.example": Team(tuple(_somebody(random) for _ in range(20))) for n in range(20)
    }

    def grant(n: int) -> Grant:
        role = random.choice(custom or PREDEFINED) if n % 2 else random.choice(PREDEFINED)
        member = f"group:{random.choice(sorted(groups))}" if n % 10 == 0 else _somebody(random)
        until = ("time", "<", random.choice(("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")), 0)
        return Grant(role, (member,), until if n % 15 == 0 else None)

    above = {"folders/1": AllowList((grant(0), grant(1))), ORGANIZATION: AllowList((grant(2), grant(3)))}
    return View(
        project=ID,
        number=NUMBER,
        moment=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        chain=(OWN, *above),
        allow={OWN: AllowList(tuple(grant(n) for n in range(bindings))), **above},
        roles=roles,
        groups=groups if groups_read else {},
    )


def _somebody(random: Random) -> str:
    n = random.randrange(1000)
    return f"serviceAccount:bot{n}@{ID}.iam.gserviceaccount.com" if n % 4 == 0 else f"user:person{n}@acme.example"


def large_questions(count: int = 1000, seed: int = 2) -> list[Question]:
    """Who holds what, for those whom the policy names."""
    random = Random(seed)  # noqa: S311
    known = [name for name in PERMISSIONS if in_catalogue("roles/browser", name) is not None]
    return [Question(_somebody(random), random.choice(known)) for _ in range(count)]


def oracle_seconds(view: View, questions: Sequence[Question]) -> tuple[float, list[str]]:
    """How much CPU the oracle takes for these, and its answers."""
    start = time.process_time()
    answers = [judge(view, question) for question in questions]
    return time.process_time() - start, answers

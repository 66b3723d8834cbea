"""grant-expires: a case for each answer, named by what its reader has in front of them. It is Friday 2 January 2026."""

import pytest

from preflight import AccessEntry, Condition, Datasets, TimedOut, Unknown
from preflight.testing import HERE, dataset, judge, target
from tests.conftest import EDITOR, FOLDER, HEAP, JOB_USER, USER, bind, policies, roles, unreadable
from tests.obedience import obeyed


def until(day: str) -> str:
    return f"request.time < timestamp('{day}T00:00:00Z')"


SOON, LATE, PAST = until("2026-01-20"), until("2026-03-01"), until("2025-12-31")
MORNINGS = "request.time.getHours('UTC') < 12"
FROM_OFFICE = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"


@pytest.mark.parametrize(
    ("bindings", "above", "status", "says"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", "nothing that the vendor needs ends", id="without a condition"),
        pytest.param([bind(USER, HEAP, only_if=LATE)], {}, "pass", "30 days", id="two months left"),
        pytest.param([bind(USER, HEAP, only_if=SOON)], {}, "warn", "held until 2026-01-20 00:00 UTC", id="18 days"),
        pytest.param([bind(USER, HEAP, only_if=until("2026-02-01"))], {}, "warn", "2026-02-01", id="30 days, short"),
        pytest.param([bind(USER, HEAP, only_if=until("2026-02-02"))], {}, "pass", "30 days", id="30 days and more"),
        pytest.param([bind(USER, HEAP, only_if=SOON), bind(USER, HEAP)], {}, "pass", "30 days", id="one of two lasts"),
        pytest.param([bind(USER, HEAP, only_if=SOON)], {"folder": (bind(USER, HEAP),)}, "pass", "30 days",
                     id="the folder's lasts"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP, only_if=SOON)], {}, "warn",
                     "bigquery.jobs.create on projects/acme-analytics: held until", id="half of the minimum"),
        pytest.param([bind(USER, HEAP, only_if=MORNINGS)], {}, "warn", "held only at certain hours or days",
                     id="in the mornings"),
        pytest.param([bind(USER, HEAP, only_if=MORNINGS), bind(USER, HEAP)], {}, "pass", "30 days",
                     id="in the mornings, and always"),
        pytest.param([bind(USER, HEAP, only_if=PAST)], {}, "skip", "nothing that could end", id="ended"),
        pytest.param([], {}, "skip", "nothing that could end", id="nothing"),
        pytest.param([bind(USER, HEAP, only_if=FROM_OFFICE)], {}, "unknown", "can't be told", id="can't be told"),
        pytest.param([], {"folder": unreadable(FOLDER)}, "unknown", FOLDER, id="an ancestor unseen"),
    ],
)  # fmt: skip
def test_each_answer(bindings, above, status, says):
    verdict = judge("grant-expires", allow_policies=policies(*bindings, **above), roles=roles())
    assert verdict.status == status
    assert says in verdict.message


def entry(expression: str) -> AccessEntry:
    return AccessEntry(role="WRITER", iam_member=HEAP, condition=Condition(expression))


@pytest.mark.parametrize(("expression", "status"), [(SOON, "warn"), (MORNINGS, "warn"), (LATE, "pass"), (PAST, "pass")])
def test_the_entry_of_a_dataset(expression, status):
    facts = {"allow_policies": policies(bind(USER, HEAP)), "roles": roles()}
    datasets = Datasets.of(dataset("heap", entry(expression)))
    verdict = judge("grant-expires", **facts, datasets=datasets, target=target(dataset="heap"))
    assert verdict.status == status
    assert ("projects/acme-analytics/datasets/heap" in verdict.message) == (status == "warn")


def test_nothing_of_the_policies_was_seen():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy", 5), HERE)
    assert judge("grant-expires", allow_policies=late, roles=roles()).reason == late.reason


@pytest.mark.parametrize("condition", [SOON, MORNINGS], ids=["it ends", "it recurs"])
def test_doing_what_the_remedy_says_passes(condition):
    facts = {
        "allow_policies": policies(bind(USER, HEAP, only_if=condition)),
        "roles": roles(),
        "datasets": Datasets.of(dataset("heap", entry(condition))),
    }
    chosen = target(dataset="heap")
    verdict = judge("grant-expires", **facts, target=chosen)
    assert len(verdict.remedies) == 2
    assert judge("grant-expires", **obeyed(verdict.remedies, facts), target=chosen).status == "pass"

"""dataset-public: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import AccessEntry, Completeness, Datasets, Denied, Unknown
from preflight.testing import HERE, dataset, judge, target
from tests.conftest import EDITOR, HEAP, USER, bind, policies, roles
from tests.obedience import obeyed

REFUSED = Unknown(Denied("bigquery.datasets.get", "projects/acme-analytics"), HERE)
OWNER = AccessEntry(role="OWNER", user="ana@acme.example")
TO_ALL = AccessEntry(role="READER", iam_member="allUsers")
TO_ACCOUNTS = AccessEntry(role="READER", special_group="allAuthenticatedUsers")
VIEW = AccessEntry(authorized="view acme.x.y")


@pytest.mark.parametrize(
    ("datasets", "status", "says"),
    [
        pytest.param(Datasets.of(dataset("heap", OWNER, VIEW)), "pass", "the one dataset", id="closed"),
        pytest.param(Datasets.of(dataset("heap"), dataset("other", OWNER)), "pass", "none of 2", id="several, closed"),
        pytest.param(Datasets.of(dataset("heap", OWNER, TO_ALL)), "warn", "heap is open to everybody on the internet",
                     id="open to all"),
        pytest.param(Datasets.of(dataset("heap", TO_ACCOUNTS)), "warn", "everybody with a Google account as READER",
                     id="open to every account"),
        pytest.param(Datasets.of(dataset("heap", OWNER), dataset("other", TO_ALL)), "warn", "other is open",
                     id="another dataset"),
        pytest.param(Datasets.of(dataset("heap_migrated", TO_ALL), replace(dataset("heap"), access=REFUSED)), "warn",
                     "heap_migrated is open", id="one is enough to know"),
        pytest.param(Datasets.of(replace(dataset("heap"), access=REFUSED)), "unknown", "could not be read",
                     id="its access list was not read"),
        pytest.param(Datasets.of(dataset("heap", OWNER), replace(dataset("other"), access=REFUSED)), "pass",
                     "the one dataset whose access", id="another one was not read: not said to be closed"),
        pytest.param(replace(Datasets.of(dataset("heap", OWNER)), completeness=Completeness(REFUSED.reason)), "unknown",
                     "could not be read", id="the companion was not seen"),
        pytest.param(Datasets.of(), "skip", "no dataset's access list was read", id="none yet"),
        pytest.param(REFUSED, "unknown", "bigquery.datasets.get", id="refused"),
    ],
)  # fmt: skip
def test_each_answer(datasets, status, says):
    verdict = judge("dataset-public", datasets=datasets, target=target(dataset="heap"))
    assert verdict.status == status
    assert says in verdict.message


def test_without_a_destination_what_was_read_counts():
    assert judge("dataset-public", datasets=Datasets.of(dataset("other", TO_ALL))).status == "warn"
    assert judge("dataset-public", datasets=Datasets.of(replace(dataset("other"), access=REFUSED))).status == "skip"


def test_doing_what_the_remedy_says_passes():
    facts = {"datasets": Datasets.of(dataset("heap", OWNER, TO_ALL, TO_ACCOUNTS), dataset("other", TO_ALL))}
    verdict = judge("dataset-public", **facts)
    assert len(verdict.remedies) == 3
    after = obeyed(verdict.remedies, facts)["datasets"]
    assert judge("dataset-public", datasets=after).status == "pass"
    assert after.datasets["heap"].access == (OWNER,), "nobody else loses anything"


def test_one_command_takes_away_what_two_entries_give():
    writers = (AccessEntry(role="WRITER", iam_member="allUsers"), AccessEntry(role=EDITOR, iam_member="allUsers"))
    facts = {"datasets": Datasets.of(dataset("heap", *writers))}
    verdict = judge("dataset-public", **facts)
    assert len(verdict.remedies) == 1
    assert judge("dataset-public", **obeyed(verdict.remedies, facts)).status == "pass"


def test_the_vendor_that_writes_as_everybody_does_gets_a_grant_first():
    to_all = AccessEntry(role="WRITER", special_group="allAuthenticatedUsers")
    facts = {
        "datasets": Datasets.of(dataset("heap", to_all), dataset("other", to_all)),
        "allow_policies": policies(bind(USER, HEAP)),
        "roles": roles(),
    }
    chosen = target(dataset="heap")
    assert judge("dataset-writable", **facts, target=chosen).status == "pass"
    verdict = judge("dataset-public", **facts, target=chosen)
    assert [remedy.summary.split()[0] for remedy in verdict.remedies] == ["First", "Take", "Take"]
    after = obeyed(verdict.remedies, facts)
    assert judge("dataset-public", **after, target=chosen).status == "pass"
    assert judge("dataset-writable", **after, target=chosen).status == "pass"

"""dataset-expiration: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import Completeness, Datasets, Denied, Unknown
from preflight.testing import HERE, dataset, judge, target
from tests.obedience import obeyed

DAY = 86_400_000
REFUSED = Unknown(Denied("bigquery.datasets.get", "projects/acme-analytics"), HERE)
KEPT, EXPIRING = dataset("heap"), dataset("heap", table_expiration_ms=7 * DAY)
PARTS = dataset("heap_migrated", partition_expiration_ms=DAY)


@pytest.mark.parametrize(
    ("datasets", "status", "says"),
    [
        pytest.param(Datasets.of(KEPT), "pass", "no default expiration", id="nothing set"),
        pytest.param(Datasets.of(EXPIRING), "warn", "tables are deleted after 7 days in heap", id="tables expire"),
        pytest.param(Datasets.of(KEPT, PARTS), "warn", "partitions are deleted after 1 day in heap_migrated",
                     id="partitions of the companion"),
        pytest.param(Datasets.of(dataset("heap", table_expiration_ms=DAY, partition_expiration_ms=2 * DAY)), "warn",
                     "tables are deleted after 1 day and partitions are deleted after 2 days", id="both"),
        pytest.param(Datasets.of(dataset("heap", table_expiration_ms=3_600_000)), "warn", "after 1 hour", id="an hour"),
        pytest.param(Datasets.of(EXPIRING, replace(PARTS, settings=REFUSED)), "warn", "heap", id="one is enough"),
        pytest.param(Datasets.of(dataset("other", table_expiration_ms=DAY)), "skip", "doesn't exist yet",
                     id="only another one expires"),
        pytest.param(Datasets.of(), "skip", "doesn't exist yet", id="none yet"),
        pytest.param(REFUSED, "unknown", "bigquery.datasets.get", id="refused, which is not absent"),
        pytest.param(Datasets.of(replace(KEPT, settings=REFUSED)), "unknown", "could not be read", id="unread"),
        pytest.param(replace(Datasets.of(KEPT), completeness=Completeness(REFUSED.reason)), "unknown", "could not be",
                     id="the companion was not seen"),
    ],
)  # fmt: skip
def test_each_answer(datasets, status, says):
    verdict = judge("dataset-expiration", datasets=datasets, target=target(dataset="heap"))
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize("datasets", [Datasets.of(EXPIRING), REFUSED], ids=["one expires", "refused"])
def test_without_a_destination_there_is_nothing_to_say(datasets):
    assert judge("dataset-expiration", datasets=datasets).status == "skip"


def test_doing_what_the_remedy_says_passes():
    facts = {"datasets": Datasets.of(EXPIRING, PARTS)}
    verdict = judge("dataset-expiration", **facts, target=target(dataset="heap"))
    assert len(verdict.remedies) == 2
    after = obeyed(verdict.remedies, facts)
    assert judge("dataset-expiration", **after, target=target(dataset="heap")).status == "pass"
    assert verdict.remedies[0].terraform == "default_table_expiration_ms = null"
    assert verdict.remedies[1].terraform == "default_partition_expiration_ms = null"

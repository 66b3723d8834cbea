"""synced-datasets: a case for each answer."""

import pytest
from msgspec.structs import replace

from preflight import Completeness, Datasets, Denied, Incomplete, NotCollected, Snapshot, TimedOut, Unknown
from preflight.engine import evaluate, load_rules
from preflight.profile import load_profile
from preflight.rulebook import select
from preflight.testing import HERE, dataset, judge, tables, target

REFUSED = Unknown(Denied("bigquery.datasets.get", "projects/acme-analytics/datasets/heap"), HERE)
UNLISTED = Unknown(Denied("bigquery.tables.list", "projects/acme-analytics/datasets/heap"), HERE)
LATE = TimedOut("bigquery.tables.list", 60)
OWN, COMPANION = dataset("heap"), dataset("heap_migrated")
ELSEWHERE = dataset("heap_migrated", location="US")
PAIR = {"users": "VIEW", "users_raw": "TABLE"}
VIEWS = {"users": "VIEW"}
BOTH = Datasets.of(OWN, COMPANION)
ALONE = Datasets.of(OWN)
NOTHING_OF_OTHERS = Completeness(REFUSED.reason, HERE)


@pytest.mark.parametrize(
    ("datasets", "listed", "status", "says"),
    [
        pytest.param(BOTH, tables({"heap": PAIR, "heap_migrated": VIEWS}), "pass",
                     "heap and heap_migrated are there, in EU", id="together"),
        pytest.param(BOTH, tables({"heap": {"all_events": "VIEW"}, "heap_migrated": {}}), "pass", "are there",
                     id="a view that needs no table tells of a sync"),
        pytest.param(BOTH, tables({"heap": {}, "heap_migrated": VIEWS}), "pass", "are there",
                     id="a view in the companion tells of a sync"),
        pytest.param(Datasets.of(OWN, dataset("heap_migrated", location="eu")),
                     tables({"heap": PAIR, "heap_migrated": VIEWS}), "pass", "are there", id="locations without case"),
        pytest.param(BOTH, tables({"heap": PAIR, "heap_migrated": UNLISTED}), "pass", "are there",
                     id="one list is enough to tell of a sync"),
        pytest.param(BOTH, tables({"heap": PAIR, "heap_migrated": {}}, gap=LATE), "pass", "are there",
                     id="one page is enough"),
        pytest.param(Datasets.of(OWN, ELSEWHERE), tables({"heap": PAIR, "heap_migrated": VIEWS}), "fail",
                     "heap is in EU and heap_migrated is in US", id="in two places"),
        pytest.param(Datasets.of(OWN, ELSEWHERE), tables({"heap": {}, "heap_migrated": {}}), "fail",
                     "heap_migrated is in US", id="in two places before the first sync"),
        pytest.param(Datasets.of(OWN, ELSEWHERE), UNLISTED, "fail", "heap_migrated is in US",
                     id="in two places, whatever is in them"),
        pytest.param(ALONE, tables({"heap": PAIR}, "heap_migrated"), "fail", "heap_migrated is not there",
                     id="no companion"),
        pytest.param(ALONE, tables({"heap": PAIR}, "heap_migrated", gap=LATE), "fail", "heap_migrated is not there",
                     id="no companion, and a page is missing"),
        pytest.param(Datasets.of(COMPANION), tables({"heap_migrated": VIEWS}, "heap"), "fail", "heap is not there",
                     id="just the companion"),
        pytest.param(Datasets.of(), tables({}, "heap", "heap_migrated"), "skip", "heap doesn't exist", id="neither"),
        pytest.param(Datasets.of(), UNLISTED, "skip", "heap doesn't exist yet", id="neither, and no list is needed"),
        pytest.param(ALONE, tables({"heap": {}}, "heap_migrated"), "skip", "heap is empty", id="empty"),
        pytest.param(BOTH, tables({"heap": {}, "heap_migrated": {}}), "skip", "heap is empty", id="both empty"),
        pytest.param(Datasets.of(COMPANION), tables({"heap_migrated": {}}, "heap"), "skip", "heap doesn't exist yet",
                     id="an empty companion"),
        pytest.param(ALONE, tables({"heap": {"orders": "TABLE", "by_day": "VIEW"}}, "heap_migrated"), "skip",
                     "holds no view as a sync leaves them (tables and views: 2)", id="what is somebody else's"),
        pytest.param(ALONE, tables({"heap": {"users_raw": "TABLE"}}, "heap_migrated"), "skip", "before the first sync",
                     id="a raw table alone: a sync under way"),
        pytest.param(ALONE, tables({"heap": {"users": "TABLE", "users_raw": "TABLE"}}, "heap_migrated"), "skip",
                     "before the first sync", id="two tables are no pair"),
        pytest.param(BOTH, tables({"heap": {}, "heap_migrated": {"notes": "TABLE"}}), "skip", "heap is empty",
                     id="a table in the companion tells nothing"),
        pytest.param(REFUSED, tables({"heap": REFUSED, "heap_migrated": REFUSED}), "unknown", "bigquery.datasets.get",
                     id="no dataset may be read"),
        pytest.param(BOTH, UNLISTED, "unknown", "whether anything was synced can't be told: access denied: "
                     "bigquery.tables.list", id="no table may be listed"),
        pytest.param(BOTH, tables({"heap": {}, "heap_migrated": UNLISTED}), "unknown", "bigquery.tables.list",
                     id="the one that may be listed is empty"),
        pytest.param(ALONE, tables({"heap": {"by_day": "VIEW"}}, "heap_migrated", gap=LATE), "unknown",
                     "did not answer", id="a page is missing, and no sign on the others"),
        pytest.param(replace(ALONE, completeness=NOTHING_OF_OTHERS),
                     tables({"heap": PAIR, "heap_migrated": REFUSED}), "unknown", "could not be read",
                     id="whether there is a companion"),
        pytest.param(replace(Datasets.of(COMPANION), completeness=NOTHING_OF_OTHERS),
                     tables({"heap": REFUSED, "heap_migrated": VIEWS}), "unknown", "could not be read",
                     id="whether the destination is there"),
        pytest.param(BOTH, Unknown(NotCollected("the snapshot does not hold it")), "unknown", "does not hold it",
                     id="an older snapshot"),
    ],
)  # fmt: skip
def test_each_answer(datasets, listed, status, says):
    verdict = judge("synced-datasets", datasets=datasets, tables=listed, target=target(dataset="heap"))
    assert (verdict.status, says in verdict.message) == (status, True), verdict


def test_without_a_destination_there_is_nothing_to_say():
    verdict = judge("synced-datasets", datasets=BOTH, tables=UNLISTED)
    assert (verdict.status, verdict.message.partition(":")[0]) == ("skip", "no --dataset given")


@pytest.mark.parametrize("rule", ["synced-datasets", "synced-views"])
def test_the_companion_is_no_destination(rule):
    seen = tables({"heap_migrated": {"all_events": "VIEW"}}, "heap_migrated_migrated")
    verdict = judge(rule, datasets=BOTH, tables=seen, target=target(dataset="heap_migrated"))
    assert (verdict.status, "name the destination itself" in verdict.message) == ("skip", True)


def test_a_profile_that_tells_nothing_of_syncs_is_skipped():
    silent = replace(load_profile("heap"), sync=None)
    verdict = judge("synced-datasets", datasets=BOTH, tables=UNLISTED, target=target(dataset="heap"), profile=silent)
    assert (verdict.status, verdict.message) == ("skip", "the profile heap doesn't tell what a sync leaves")


@pytest.mark.parametrize("source", ["terraform", "plan", "assets"])
def test_a_source_that_tells_of_no_tables_is_skipped(source):
    untold = Unknown(NotCollected("files tell of no tables"))
    snapshot = Snapshot(source=source, datasets=BOTH, tables=untold)
    rules = select(load_rules(), ("synced-datasets", "synced-views"))
    found = evaluate(rules, snapshot, target(dataset="heap"), load_profile("heap")).findings
    assert {(one.status.value, one.verdict.message) for one in found} == {("skip", "files tell of no tables")}


@pytest.mark.parametrize("source", ["terraform", "plan", "assets"])
def test_two_locations_show_in_any_source(source):
    snapshot = Snapshot(
        source=source, datasets=Datasets.of(OWN, ELSEWHERE), tables=Unknown(NotCollected("files tell of no tables"))
    )
    rules = select(load_rules(), ("synced-datasets",))
    (found,) = evaluate(rules, snapshot, target(dataset="heap"), load_profile("heap")).findings
    assert (found.status, "heap_migrated is in US" in found.verdict.message) == ("fail", True)


def test_one_that_a_plan_makes_is_empty():
    made = tables({}, "heap", "heap_migrated")
    verdict = judge("synced-datasets", datasets=BOTH, tables=made, target=target(dataset="heap"))
    assert (verdict.status, "heap is empty" in verdict.message) == ("skip", True)


def test_a_failure_shows_what_was_synced_and_what_is_missing_and_names_whom_to_ask():
    seen = tables({"heap": PAIR}, "heap_migrated")
    verdict = judge("synced-datasets", datasets=ALONE, tables=seen, target=target(dataset="heap"))
    assert [one.detail for one in verdict.evidence] == [
        "heap holds the view users and users_raw",
        "heap_migrated is not in the project's list of datasets (1 in all)",
    ]
    (remedy,) = verdict.remedies
    assert "Heap support (support@heap.io) to sync anew" in remedy.summary
    assert remedy.console_url.endswith("d=heap_migrated&page=dataset")


def test_doing_what_the_remedy_says_passes():
    """The vendor syncs anew, and makes the companion in the location of the destination."""
    for before in (Datasets.of(OWN, ELSEWHERE), ALONE):
        seen = tables({"heap": PAIR, "heap_migrated": VIEWS})
        assert judge("synced-datasets", datasets=before, tables=seen, target=target(dataset="heap")).status == "fail"
        assert judge("synced-datasets", datasets=BOTH, tables=seen, target=target(dataset="heap")).status == "pass"


def test_what_is_not_asked_for_is_no_sign_that_nothing_is_there():
    """A snapshot that was collected for another destination."""
    other = tables({"sales": PAIR}, "sales_migrated")
    verdict = judge("synced-datasets", datasets=BOTH, tables=other, target=target(dataset="heap"))
    assert (verdict.status, verdict.reason.kind) == ("unknown", "not_collected")


def test_a_missing_page_is_told_with_its_call():
    cut = tables({"heap": {}}, "heap_migrated", gap=Incomplete("the list did not end"))
    verdict = judge("synced-datasets", datasets=ALONE, tables=cut, target=target(dataset="heap"))
    assert [one.detail for one in verdict.evidence] == ["the list did not end"]

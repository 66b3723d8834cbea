"""synced-views: a case for each answer."""

import pytest

from preflight import Completeness, Datasets, Denied, NotCollected, TimedOut, Unknown
from preflight.testing import HERE, dataset, judge, tables, target

UNLISTED = Unknown(Denied("bigquery.tables.list", "projects/acme-analytics/datasets/heap_migrated"), HERE)
LATE = TimedOut("bigquery.tables.list", 60)
BOTH = Datasets.of(dataset("heap"), dataset("heap_migrated"))
ALONE = Datasets.of(dataset("heap"))
PAIR = {"users": "VIEW", "users_raw": "TABLE"}
SYNCED = {**PAIR, "all_events": "VIEW", "sessions_raw": "TABLE"}
VIEWS = {"users": "VIEW", "all_events": "VIEW"}


def synced(own, companion=None, **more):
    return tables({"heap": own, "heap_migrated": VIEWS if companion is None else companion}, **more)


@pytest.mark.parametrize(
    ("listed", "status", "says"),
    [
        pytest.param(synced(SYNCED), "pass", "views: 2 in heap, 2 in heap_migrated, with their tables", id="all well"),
        pytest.param(synced({"all_events": "VIEW"}), "pass", "1 in heap", id="just the one that needs no table"),
        pytest.param(synced({**PAIR, "export": "TABLE"}), "pass", "1 in heap", id="a table of somebody else's"),
        pytest.param(synced(PAIR, {"users": "VIEW", "notes": "TABLE"}), "pass", "1 in heap_migrated",
                     id="a table of somebody else's in the companion"),
        pytest.param(synced({**PAIR, "events": "MATERIALIZED_VIEW", "events_raw": "TABLE"}), "pass", "2 in heap",
                     id="a materialized view is a view"),
        pytest.param(synced({**PAIR, "notes_raw": "VIEW"}), "pass", "2 in heap", id="a raw view of nothing"),
        pytest.param(synced({**PAIR, "Users": "TABLE"}), "pass", "1 in heap", id="names are told apart by case"),
        pytest.param(synced({**PAIR, "sessions": "VIEW"}), "fail", "views without their _raw table in heap: sessions",
                     id="a view without its table"),
        pytest.param(synced({**PAIR, "Sessions": "VIEW", "sessions_raw": "TABLE"}), "fail", "Sessions",
                     id="a table of another case isn't its own"),
        pytest.param(synced({**SYNCED, "sessions": "TABLE"}), "fail", "tables in place of views in heap: sessions",
                     id="a table where a view should be"),
        pytest.param(synced({**SYNCED, "sessions": "EXTERNAL"}), "fail", "in place of views in heap: sessions",
                     id="an external one where a view should be"),
        pytest.param(synced({**PAIR, "all_events": "TABLE"}), "fail", "tables in place of views in heap: all_events",
                     id="a table where the one without a table should be"),
        pytest.param(synced({**PAIR, "sessions": "VIEW", "sessions_raw": "VIEW"}), "fail",
                     "no tables behind views in heap: sessions_raw", id="a view behind a view"),
        pytest.param(synced({**PAIR, "sessions": "VIEW", "sessions_raw": "SNAPSHOT"}), "fail", "sessions_raw",
                     id="a table that can't be written"),
        pytest.param(synced(SYNCED, {"all_events": "VIEW", "users": "TABLE"}), "fail",
                     "tables in place of views in heap_migrated: users", id="a table in the companion"),
        pytest.param(synced(SYNCED, {}), "fail", "no view in heap_migrated", id="an empty companion"),
        pytest.param(synced({}, VIEWS), "fail", "no view in heap", id="an empty destination beside views"),
        pytest.param(synced({**PAIR, **{f"v{n}": "VIEW" for n in range(7)}}), "fail", "v0, v1, v2, v3, v4 and 2 more",
                     id="many"),
        pytest.param(synced({**SYNCED, "sessions": "TABLE"}, UNLISTED), "fail", "sessions",
                     id="what is amiss was seen, whatever was not"),
        pytest.param(synced({**SYNCED, "sessions": "TABLE"}, gap=LATE), "fail", "sessions",
                     id="a table in place of a view, and a page is missing"),
        pytest.param(tables({"heap": {}, "heap_migrated": {}}), "skip", "before the first sync", id="nothing yet"),
        pytest.param(tables({"heap": {"orders": "VIEW"}, "heap_migrated": {}}), "skip", "before the first sync",
                     id="a view of somebody else's, and no sync"),
        pytest.param(synced({**PAIR, "sessions": "VIEW"}, gap=LATE), "unknown", "not all of it could be read",
                     id="its table may be on the page that is missing"),
        pytest.param(synced(SYNCED, gap=LATE), "unknown", "did not answer", id="nothing amiss on the pages that came"),
        pytest.param(synced(SYNCED, UNLISTED), "unknown", "bigquery.tables.list", id="the companion may not be listed"),
        pytest.param(synced(UNLISTED), "unknown", "bigquery.tables.list", id="the destination may not be listed"),
        pytest.param(synced({**PAIR, "x": "HOLOGRAM"}), "unknown", "whether these are views can't be told: x",
                     id="a kind that this version doesn't know"),
        pytest.param(synced({**PAIR, "x": "VIEW", "x_raw": ""}), "unknown", "can't be told: x",
                     id="a kind that isn't told, behind a view"),
        pytest.param(UNLISTED, "unknown", "whether anything was synced can't be told", id="nothing may be listed"),
        pytest.param(Unknown(NotCollected("the snapshot does not hold it")), "unknown", "does not hold it",
                     id="an older snapshot"),
    ],
)  # fmt: skip
def test_each_answer(listed, status, says):
    verdict = judge("synced-views", datasets=BOTH, tables=listed, target=target(dataset="heap"))
    assert (verdict.status, says in verdict.message) == (status, True), verdict


@pytest.mark.parametrize(
    ("datasets", "listed", "status", "says"),
    [
        pytest.param(ALONE, tables({"heap": SYNCED}, "heap_migrated"), "pass", "the other dataset isn't there",
                     id="no companion"),
        pytest.param(Datasets.of(dataset("heap_migrated")), tables({"heap_migrated": VIEWS}, "heap"), "skip",
                     "heap isn't there", id="no destination"),
        pytest.param(BOTH, tables({"heap_migrated": VIEWS}, "heap"), "skip", "has only just been made",
                     id="a plan makes the destination"),
        pytest.param(Datasets(provenance=HERE, datasets={}, completeness=Completeness(LATE, HERE)), UNLISTED,
                     "unknown", "did not answer", id="whether there is a destination"),
    ],
)  # fmt: skip
def test_when_one_of_them_is_not_there(datasets, listed, status, says):
    verdict = judge("synced-views", datasets=datasets, tables=listed, target=target(dataset="heap"))
    assert (verdict.status, says in verdict.message) == (status, True), verdict


def test_without_a_destination_there_is_nothing_to_say():
    assert judge("synced-views", datasets=BOTH, tables=synced(SYNCED)).status == "skip"


def test_a_pass_says_what_to_query():
    verdict = judge("synced-views", datasets=BOTH, tables=synced(SYNCED), target=target(dataset="heap"))
    assert verdict.message.endswith(
        "with their tables. Query heap_migrated: its views apply user migrations. Those of heap only remove "
        "duplicates, which the tables that end in _raw may hold."
    )
    assert [one.detail for one in verdict.evidence] == ["views: 2 in heap", "views: 2 in heap_migrated"]


def test_a_failure_names_all_in_its_evidence_and_says_what_to_do():
    many = {f"v{n}": "VIEW" for n in range(7)}
    seen = synced({**SYNCED, **many, "sessions": "TABLE"}, {"users": "TABLE"})
    verdict = judge("synced-views", datasets=BOTH, tables=seen, target=target(dataset="heap"))
    assert [one.detail for one in verdict.evidence] == [
        "no view in heap_migrated",
        "views without their _raw table in heap: v0, v1, v2, v3, v4, v5, v6",
        "tables in place of views in heap: sessions",
        "tables in place of views in heap_migrated: users",
    ]
    look, ask = verdict.remedies
    assert look.commands == (
        "bq ls --max_results=10000 acme-analytics:heap_migrated",
        "bq ls --max_results=10000 acme-analytics:heap",
    )
    assert "Heap support (support@heap.io)" in ask.summary


def test_doing_what_the_remedy_says_passes():
    """What is somebody else's goes into a dataset of its own."""
    mixed = {**SYNCED, "mine": "VIEW"}
    assert judge("synced-views", datasets=BOTH, tables=synced(mixed), target=target(dataset="heap")).status == "fail"
    del mixed["mine"]
    assert judge("synced-views", datasets=BOTH, tables=synced(mixed), target=target(dataset="heap")).status == "pass"

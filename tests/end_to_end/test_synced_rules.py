"""After the first sync: each answer of the rules about what a sync leaves, as a user gets it."""

from collections.abc import Mapping
from typing import Literal

import pytest
from msgspec.structs import replace

from preflight.emulator import Fault, World
from preflight.emulator.world import Dataset, Table
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR, Preflight, Serve
from tests.end_to_end.made_up import (
    COMPANION,
    DESTINATION,
    GET_DATASET,
    LIST_DATASETS,
    OWN,
    PROJECT,
    USER,
    Case,
    Seen,
    answers,
    bind,
    cloud,
    dataset,
    ids,
)

LIST_TABLES = "bigquery.tables.list"
UNLISTED = {PROJECT: (LIST_TABLES,)}
SOON = ("--timeout", "2")
Kind = Literal["TABLE", "VIEW", "MATERIALIZED_VIEW", "EXTERNAL", "SNAPSHOT"]


def there(name: str) -> Seen:
    return Seen(GET_DATASET, f"{PROJECT}/datasets/{name}")


def in_it(name: str) -> Seen:
    return Seen(LIST_TABLES, f"{PROJECT}/datasets/{name}/tables")


LISTED = Seen(LIST_DATASETS, f"{PROJECT}/datasets")


def holding(name: str, *tables: str, location: str = "EU", **views: Kind) -> Dataset:
    """A dataset with these tables, and with these views or whatever they are."""
    listed = (*(Table(id=one) for one in tables), *(Table(id=one, type=kind) for one, kind in views.items()))
    owned = dataset(name, {"role": "WRITER", "userByEmail": VENDOR}, location=location)
    return replace(owned, tables=listed)


OURS = holding(OWN, "users_raw", "sessions_raw", users="VIEW", sessions="VIEW", all_events="VIEW")
THEIRS = holding(COMPANION, users="VIEW", sessions="VIEW", all_events="VIEW")
ALL_VIEWS: dict[str, Kind] = {f"e{n}": "VIEW" for n in range(1200)}
MANY = holding(OWN, *(f"e{n}_raw" for n in range(1200)), **ALL_VIEWS)


@pytest.mark.parametrize(
    "case",
    [
        Case("together", cloud(datasets=(OURS, THEIRS)), "pass", f"{OWN} and {COMPANION} are there, in EU",
             (in_it(OWN), there(OWN), there(COMPANION)), DESTINATION),
        Case("in two places", cloud(datasets=(OURS, holding(COMPANION, users="VIEW", location="US"))), "fail",
             f"{OWN} is in EU and {COMPANION} is in US", (there(OWN), there(COMPANION)), DESTINATION),
        Case("in two places, and no table may be listed",
             cloud(datasets=(OURS, holding(COMPANION, location="US")), withheld=UNLISTED), "fail", "is in US",
             (there(OWN), there(COMPANION)), DESTINATION),
        Case("no companion", cloud(datasets=(OURS,)), "fail", f"there was a sync, and {COMPANION} is not there",
             (in_it(OWN), LISTED), DESTINATION),
        Case("no table may be listed", cloud(datasets=(OURS, THEIRS), withheld=UNLISTED), "unknown",
             f"access denied: {LIST_TABLES} on {PROJECT}/datasets/{OWN}", (in_it(OWN),), DESTINATION,
             reason="denied"),
        Case("no answer in time", cloud(datasets=(OURS, THEIRS)), "unknown", "did not answer", (in_it(OWN),),
             (*DESTINATION, *SOON), (Fault(LIST_TABLES, "hang"),), "timeout"),
        Case("none yet", cloud(), "skip", f"before the first sync: {OWN} doesn't exist yet", (), DESTINATION),
        Case("an empty one", cloud(datasets=(holding(OWN),)), "skip", f"{OWN} is empty", (), DESTINATION),
        Case("two empty ones", cloud(datasets=(holding(OWN), holding(COMPANION))), "skip", f"{OWN} is empty", (),
             DESTINATION),
        Case("what is somebody else's", cloud(datasets=(holding(OWN, "orders", by_day="VIEW"),)), "skip",
             "holds no view as a sync leaves them (tables and views: 2)", (), DESTINATION),
        Case("none is named", cloud(datasets=(OURS,)), "skip", "no --dataset given"),
    ],
    ids=ids,
)  # fmt: skip
def test_synced_datasets(case: Case, serve: Serve, preflight: Preflight):
    answers("synced-datasets", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("all have their tables", cloud(datasets=(OURS, THEIRS)), "pass",
             f"Query {COMPANION}: its views apply user migrations.", (in_it(OWN), in_it(COMPANION)), DESTINATION),
        Case("on three pages", cloud(datasets=(MANY, THEIRS)), "pass", f"views: 1,200 in {OWN}, 3 in {COMPANION}",
             (in_it(OWN), in_it(COMPANION)), DESTINATION),
        Case("one lacks its table", cloud(datasets=(replace(OURS, tables=OURS.tables[1:]), THEIRS)), "fail",
             f"views without their _raw table in {OWN}: users", (in_it(OWN),), DESTINATION),
        Case("a table in place of a view",
             cloud(datasets=(holding(OWN, "users", "users_raw", all_events="VIEW"), THEIRS)), "fail",
             f"tables in place of views in {OWN}: users", (in_it(OWN),), DESTINATION),
        Case("a table in the companion", cloud(datasets=(OURS, holding(COMPANION, "users", sessions="VIEW"))), "fail",
             f"tables in place of views in {COMPANION}: users", (in_it(COMPANION),), DESTINATION),
        Case("no table may be listed", cloud(datasets=(OURS, THEIRS), withheld=UNLISTED), "unknown",
             f"access denied: {LIST_TABLES} on {PROJECT}/datasets/{OWN}", (in_it(OWN),), DESTINATION,
             reason="denied"),
        Case("pages without an end", cloud(datasets=(OURS, THEIRS)), "unknown", "did not end after", (in_it(OWN),),
             (*DESTINATION, "--timeout", "60"), (Fault(LIST_TABLES, "endless_pages"),), "incomplete"),
        Case("no answer in time", cloud(datasets=(OURS, THEIRS)), "unknown", "did not answer", (in_it(OWN),),
             (*DESTINATION, *SOON), (Fault(LIST_TABLES, "hang"),), "timeout"),
        Case("none yet", cloud(), "skip", f"before the first sync: {OWN} doesn't exist yet", (), DESTINATION),
        Case("an empty one", cloud(datasets=(holding(OWN),)), "skip", f"{OWN} is empty", (), DESTINATION),
        Case("none is named", cloud(datasets=(OURS,)), "skip", "no --dataset given"),
    ],
    ids=ids,
)  # fmt: skip
def test_synced_views(case: Case, serve: Serve, preflight: Preflight):
    answers("synced-views", case, serve, preflight)


def ready(*datasets: Dataset, withheld: Mapping[str, tuple[str, ...]] | None = None) -> World:
    return cloud(bind(USER, f"serviceAccount:{VENDOR}"), datasets=datasets, withheld=withheld)


@pytest.mark.parametrize(
    ("world", "verdict", "code"),
    [
        pytest.param(ready(), "pass", 0, id="before the first sync"),
        pytest.param(ready(holding(OWN), holding(COMPANION)), "pass", 0, id="made beforehand, and empty"),
        pytest.param(ready(OURS, THEIRS), "pass", 0, id="synced"),
        pytest.param(ready(OURS, THEIRS, withheld=UNLISTED), "warn", 0, id="no table may be listed"),
        pytest.param(ready(OURS), "fail", 1, id="half of the sync is gone"),
    ],
)
def test_what_they_come_to_in_a_whole_run(world: World, verdict: str, code: int, serve: Serve, preflight: Preflight):
    """A project is as ready before the first sync as it was; who may not list tables is told so, and no more."""
    result = preflight(*RUN, *DESTINATION, *JSON, environ=serve(world).environ())
    assert (result.report["verdict"], result.code) == (verdict, code), result.verdicts


def test_who_may_not_list_tables_is_told_how(serve: Serve, preflight: Preflight):
    result = preflight(*RUN, *DESTINATION, *JSON, environ=serve(ready(OURS, THEIRS, withheld=UNLISTED)).environ())
    assert {result.verdicts[rule] for rule in ("synced-datasets", "synced-views")} == {"unknown"}
    (remedy,) = result.finding("auditor-access")["remedies"]
    assert remedy["commands"] == [
        f"gcloud projects add-iam-policy-binding acme-analytics --member=user:{ADMIN} "
        "--role=roles/bigquery.metadataViewer --condition=None"
    ]


def test_nothing_is_listed_that_no_rule_asks_for(serve: Serve, preflight: Preflight):
    """Only of the destination and its companion, and only where these are there and a rule wants it."""
    other = holding("marketing", "campaigns")
    stand_in = serve(ready(OURS, other))
    preflight(*RUN, *DESTINATION, *JSON, environ=stand_in.environ())
    asked = [one.resource for one in stand_in.emulator.exchanges if one.method == LIST_TABLES]
    assert asked == [f"{PROJECT}/datasets/{OWN}"]
    for options in ((), (*DESTINATION, "--skip", "synced-datasets", "--skip", "synced-views")):
        stand_in = serve(ready(OURS, other))
        preflight(*RUN, *options, *JSON, environ=stand_in.environ())
        assert LIST_TABLES not in stand_in.methods

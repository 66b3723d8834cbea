"""What is told of the tables of the destination and its companions."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from preflight.emulator import Fault
from preflight.emulator.world import Dataset, Table
from preflight.facts.dataset import Datasets
from preflight.facts.seen import COMPLETE, Denied, Incomplete, Malformed, NotFound, Provenance, QuotaExceeded, Unknown
from preflight.facts.tables import TableList, Tables
from preflight.sources.live.tables import MOST_PAGES, TableReader
from preflight.testing import dataset
from tests.sources.live.conftest import with_project

WANTED = frozenset({Datasets, Tables})
LIST = "bigquery.tables.list"
OWNERS = ({"role": "OWNER", "specialGroup": "projectOwners"}, {"role": "READER", "specialGroup": "projectReaders"})
HEAP = Dataset(
    id="heap_production",
    location="EU",
    access=OWNERS,
    tables=(
        Table(id="users", type="VIEW"),
        Table(id="users_raw"),
        Table(id="sum", type="MATERIALIZED_VIEW"),
        Table(id="sheet", type="EXTERNAL"),
        Table(id="old", type="SNAPSHOT"),
    ),
)


@pytest.fixture
def synced(deep):
    """The destination is there, and its companion isn't."""
    return with_project(deep, datasets=(HEAP,))


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_all_that_is_in_the_destination(serve, read, synced, transport):
    cloud = serve(synced)
    _, snapshot = read(cloud, frozenset({Tables}), project="acme-deep", transport=transport)
    found = snapshot.tables.get("heap_production")
    assert isinstance(found, TableList)
    assert found.tables == {
        "users": "VIEW",
        "users_raw": "TABLE",
        "sum": "MATERIALIZED_VIEW",
        "sheet": "EXTERNAL",
        "old": "SNAPSHOT",
    }
    assert found.completeness == COMPLETE
    assert (found.provenance.source, found.provenance.resource) == (
        LIST,
        "projects/acme-deep/datasets/heap_production/tables",
    )
    assert snapshot.tables.absent == ("heap_production_migrated",)
    assert snapshot.tables.get("heap_production_migrated") is None
    assert snapshot.tables.get("other").reason.kind == "not_collected"
    assert snapshot.gaps() == ()
    assert isinstance(snapshot.datasets, Unknown), "nobody wanted them"


def test_each_page_is_read(serve, read, deep):
    many = tuple(Table(id=f"t{n:04}") for n in range(2500))
    _, snapshot = read(serve(with_project(deep, datasets=(replace(HEAP, tables=many),))), WANTED, project="acme-deep")
    assert list(snapshot.tables.get("heap_production").tables) == [table.id for table in many]


def test_nothing_is_asked_before_there_is_a_dataset(serve, read, deep):
    cloud = serve(with_project(deep, datasets=()))
    _, snapshot = read(cloud, WANTED, project="acme-deep")
    assert snapshot.tables == Tables(datasets={}, absent=("heap_production", "heap_production_migrated"))
    assert LIST not in {one.method for one in cloud.exchanges}


def test_without_a_destination_nothing_is_asked(serve, read, synced):
    cloud = serve(synced)
    _, snapshot = read(cloud, WANTED, project="acme-deep", dataset=None)
    assert snapshot.tables == Tables(datasets={})
    assert LIST not in {one.method for one in cloud.exchanges}


def test_a_dataset_that_is_only_listed_is_asked_about_too(serve, read, synced):
    cloud = serve(synced)
    cloud.inject(Fault("bigquery.datasets.get", "denied"))
    _, snapshot = read(cloud, WANTED, project="acme-deep")
    assert len(snapshot.tables.get("heap_production").tables) == 5


def test_a_dataset_that_is_not_listed_is_asked_about_too(serve, read, synced):
    cloud = serve(synced)
    cloud.inject(Fault("bigquery.datasets.list", "denied"))
    _, snapshot = read(cloud, WANTED, project="acme-deep")
    assert len(snapshot.tables.get("heap_production").tables) == 5
    # Whether there is a companion nobody can tell now.
    assert isinstance(snapshot.tables.get("heap_production_migrated"), Unknown)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("denied", Denied(LIST, "projects/acme-deep/datasets/heap_production")),
        ("not_found", NotFound("projects/acme-deep/datasets/heap_production/tables")),
        ("quota", QuotaExceeded("bigquery.googleapis.com")),
        ("not_json", Malformed(LIST, "it is not the JSON of this method")),
    ],
)
def test_what_is_refused_is_unknown(serve, read, synced, kind, reason):
    cloud = serve(synced)
    cloud.inject(Fault(LIST, kind))
    _, snapshot = read(cloud, WANTED, project="acme-deep", timeout=3.0)
    found = snapshot.tables.get("heap_production")
    assert isinstance(found, Unknown)
    assert found.reason.kind == reason.kind
    if kind == "denied":
        assert found.reason == reason
    assert {gap.about for gap in snapshot.gaps()} == {"heap_production"}


def test_a_list_without_an_end_is_cut(serve, read, synced):
    cloud = serve(synced)
    cloud.inject(Fault(LIST, "endless_pages"))
    _, snapshot = read(cloud, WANTED, project="acme-deep", timeout=60.0)
    found = snapshot.tables.get("heap_production")
    assert len(found.tables) == 5
    assert isinstance(found.completeness.gap, Incomplete)
    assert sum(one.method == LIST for one in cloud.exchanges) <= MOST_PAGES + 1


class Synchronous:
    """Calls that run at once, on this thread, with a client that has these pages."""

    def __init__(self, *pages):
        self.pages = {None if n == 0 else str(n): page for n, page in enumerate(pages)}

    def start(self, call):
        seen = Provenance(call.method.id, call.resource)
        try:
            outcome = call.read(call.fetch(self, 1.0), seen)
        except KeyError:
            outcome = Unknown(QuotaExceeded(call.method.id), seen)
        call.then(outcome)

    def list_tables(self, _dataset, page_token, **_):
        return SimpleNamespace(pages=iter([SimpleNamespace(raw_page=self.pages[page_token])]))


def page(*names, following=""):
    tables = [{"tableReference": {"tableId": name}, "type": "VIEW"} for name in names]
    return {"kind": "bigquery#tableList", "tables": tables} | ({"nextPageToken": following} if following else {})


def listed(*pages):
    reader = TableReader(Synchronous(*pages), ("heap",))
    reader.read("acme", "heap")
    reader.read("acme", "heap")  # told twice: by the list, and by the dataset itself
    return reader.tables(Datasets.of(dataset("heap"))).get("heap")


def test_pages_that_stop_coming_leave_a_gap():
    found = listed(page("one", following="1"))
    assert list(found.tables) == ["one"]
    assert found.completeness.gap.kind == "quota"


def test_a_page_that_names_itself_leaves_a_gap():
    found = listed(page("one", following="1"), page("two", following="1"))
    assert list(found.tables) == ["one", "two"]
    assert found.completeness.gap == Incomplete("the list of the tables in heap did not end after 2 pages")


def test_an_empty_dataset_has_no_tables_in_the_answer():
    found = listed({"kind": "bigquery#tableList", "totalItems": 0})
    assert (found.tables, found.completeness) == ({}, COMPLETE)


def test_a_kind_that_is_not_told_is_kept_as_none():
    found = listed({"kind": "bigquery#tableList", "tables": [{"tableReference": {"tableId": "one"}}]})
    assert (found.is_view("one"), found.is_table("one"), found.is_view("two")) == (None, False, False)

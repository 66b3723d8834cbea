"""What a sync left, in a bundle: the names of tables are the customer's, what they are to each other stays."""

import json
from pathlib import Path

import pytest

from preflight.emulator import Fault
from preflight.emulator.world import Dataset
from tests.end_to_end.conftest import RUN, Preflight, Serve
from tests.end_to_end.made_up import COMPANION, DESTINATION, OWN
from tests.end_to_end.test_bundles import bundled_and_replayed, unpacked
from tests.end_to_end.test_synced_rules import LIST_TABLES, Kind, holding, ready

WORDS = (
    *("pass", "skip", "fail", "message", "summary", "view", "table", "snapshot", "profile", "kind", "facts", "tool"),
    *("users", "sessions", "event", "title", "search", "login", "project", "required", "important"),
    *("vendor", "views", "tables", "billing", "reason", "none", "default", "bigquery", "preflight", "rule", "source"),
)
"""What events may well be called, and what is in every bundle."""
NAMES = ("users", "Users", "viewed_cart", "Purchased", "sign_up", "checkout")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A place of its own for the key and the legend."""
    monkeypatch.setenv("PREFLIGHT_HOME", str(tmp_path / "kept"))


def synced(*names: str) -> tuple[Dataset, Dataset]:
    views: dict[str, Kind] = dict.fromkeys((*names, "all_events"), "VIEW")
    return holding(OWN, *(f"{name}_raw" for name in names), **views), holding(COMPANION, **views)


def bundled(preflight: Preflight, environ: dict[str, str]) -> dict[str, str]:
    return bundled_and_replayed(preflight, (*RUN, *DESTINATION), environ)


def test_no_name_of_a_table_leaves(serve: Serve, preflight: Preflight):
    files = bundled(preflight, serve(ready(*synced(*NAMES))).environ())
    text = "".join(files.values())
    assert [name for name in NAMES if f'"{name}"' in text or f"{name}_raw" in text or f" {name} " in text] == []
    listed = json.loads(files["snapshot.json"])["facts"]["tables"]["datasets"][OWN]["tables"]
    assert listed.pop("all_events") == "VIEW"
    raw = {name for name in listed if name.endswith("_raw")}
    assert raw == {f"{name}_raw" for name in listed.keys() - raw}
    assert len(raw) == len(NAMES)


@pytest.mark.parametrize(
    "datasets",
    [
        pytest.param((holding(OWN, "users_raw", users="VIEW", Sessions="VIEW", sessions="VIEW"),), id="tables wanting"),
        pytest.param((holding(OWN, "users", "users_raw", all_events="VIEW"), holding(COMPANION, "x")), id="no views"),
        pytest.param((holding(OWN, "orders"), holding(COMPANION)), id="no sync"),
    ],
)
def test_what_is_amiss_is_amiss_in_the_bundle_too(datasets: tuple[Dataset, ...], serve: Serve, preflight: Preflight):
    bundled(preflight, serve(ready(*datasets)).environ())


def test_what_was_refused_stays_refused(serve: Serve, preflight: Preflight):
    cloud = serve(ready(*synced("users")))
    cloud.emulator.inject(Fault(LIST_TABLES, "denied"))
    files = bundled(preflight, cloud.environ())
    assert json.loads(files["snapshot.json"])["facts"]["tables"]["datasets"][OWN]["fact"] == "unknown"


def test_tables_may_be_named_as_words_of_the_bundle_itself(serve: Serve, preflight: Preflight):
    files = bundled(preflight, serve(ready(*synced(*WORDS))).environ())
    assert len(json.loads(files["snapshot.json"])["facts"]["tables"]["datasets"][OWN]["tables"]) == 2 * len(WORDS) + 1


def test_a_bundle_of_another_destination_tells_nothing_of_this_one(serve: Serve, preflight: Preflight):
    done = preflight(*RUN, *DESTINATION, "--bundle", "one.zip", environ=serve(ready(*synced("users"))).environ())
    assert done.code == 0, done
    assert "tables" in json.loads(unpacked("one.zip")["snapshot.json"])["facts"]
    other = preflight("run", "--snapshot", "one.zip", "--dataset", "sales", "--format", "json", "--no-files")
    assert {other.finding(rule)["verdict"] for rule in ("synced-datasets", "synced-views")} == {"skip"}  # not there

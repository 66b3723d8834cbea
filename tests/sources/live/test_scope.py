"""How much is read: for an audit all roles and datasets, else what tells about the one principal."""

import msgspec
import pytest

from preflight.emulator import world as w
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.seen import Unknown
from preflight.facts.snapshot import Target
from preflight.sources.live import LiveSettings, LiveSource, Scope, datasets
from tests.sources.live.conftest import ADMIN, with_binding, with_project


@pytest.fixture
def read_all(heap):
    def collect(cloud, *wanted, **scope):
        settings = LiveSettings.from_environ(cloud.environ(ADMIN))
        target = Target("acme-deep", heap.principal, dataset="heap_production")
        return LiveSource(settings, heap, target, scope=Scope(**scope)).collect(frozenset(wanted))

    return collect


def test_every_role_of_every_policy(deep, serve, read_all):
    changed = with_binding(deep, "roles/editor", "user:someone@else.example", "deleted:user:gone@acme.example?uid=1")
    cloud = serve(changed)
    few = read_all(cloud, AllowPolicies, Roles, Datasets)
    every = read_all(cloud, AllowPolicies, Roles, Datasets, every_role=True)
    bound = {b.role for policy in every.allow_policies.policies.values() for b in policy.bindings}
    of_the_dataset = {"roles/bigquery.dataOwner", "roles/bigquery.dataEditor", "roles/bigquery.metadataViewer"}
    assert set(every.roles.roles) == bound | of_the_dataset
    assert "roles/editor" not in few.roles.roles
    assert "roles/bigquery.metadataViewer" not in few.roles.roles, "ana's, in the dataset's access list"


def test_every_dataset_in_full(deep, serve, read_all):
    more = tuple(w.Dataset(id=f"d{number}", location="EU") for number in range(40))
    cloud = serve(with_project(deep, datasets=(*deep.projects[0].datasets, *more)))
    found = read_all(cloud, Datasets, every_dataset=True).datasets
    assert len(found.datasets) == 41
    assert not any(
        isinstance(one.access, Unknown) or isinstance(one.settings, Unknown) for one in found.datasets.values()
    )
    asked = [exchange.resource for exchange in cloud.exchanges if exchange.method == "bigquery.datasets.get"]
    assert len(asked) == len(set(asked)) == 42, "and the companion, which isn't there"
    few = read_all(cloud, Datasets).datasets
    assert [name for name, one in few.datasets.items() if not isinstance(one.access, Unknown)] == ["heap_production"]


def test_beyond_a_thousand_datasets_only_name_and_location_are_known(deep, serve, read_all, monkeypatch):
    monkeypatch.setattr(datasets, "MOST_IN_FULL", 5)
    more = tuple(w.Dataset(id=f"d{number}", location="EU") for number in range(9))
    found = read_all(serve(with_project(deep, datasets=more)), Datasets, every_dataset=True).datasets
    full = [one for one in found.datasets.values() if isinstance(one, Dataset) and not isinstance(one.access, Unknown)]
    assert len(full) == 5
    left = [one for one in found.datasets.values() if isinstance(one.access, Unknown)]
    assert len(left) == 4
    for one in left:
        assert one.location == "EU"
        assert (one.access.reason.kind, one.access.reason.detail) == ("incomplete", "only 5 datasets are read in full")
    assert found.completeness.complete, "that there are no others, is known"


def test_a_dataset_that_is_refused_in_a_full_reading_keeps_its_place(deep, serve, read_all):
    (dataset,) = deep.projects[0].datasets
    hidden = msgspec.structs.replace(dataset, id="other")
    cloud = serve(with_project(deep, datasets=(dataset, hidden)))
    from preflight.emulator import Fault

    cloud.inject(Fault(method="bigquery.datasets.get", kind="denied"))
    found = read_all(cloud, Datasets, every_dataset=True).datasets
    assert {name: one.access.reason.kind for name, one in found.datasets.items()} == {
        "heap_production": "denied",
        "other": "denied",
    }

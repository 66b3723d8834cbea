"""Only the methods of the wanted facts are on the wire, and only those that are allowed."""

import pytest

from preflight.facts.methods import ALLOWED, READS, methods_for
from preflight.facts.seen import NotCollected, Unknown
from preflight.facts.snapshot import FIELD_OF


@pytest.mark.parametrize("fact", list(READS), ids=lambda fact: fact.__name__)
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_one_fact_calls_its_own_methods(deep, serve, read, fact, transport):
    cloud = serve(deep)
    _, snapshot = read(cloud, frozenset({fact}), project="acme-deep", transport=transport)
    called = {exchange.method for exchange in cloud.exchanges}
    assert called
    assert called <= {method.id for method in methods_for({fact})}
    for other, field in FIELD_OF.items():
        value = getattr(snapshot, field)
        assert (other is fact) is not (isinstance(value, Unknown) and isinstance(value.reason, NotCollected))


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_all_facts_call_every_allowed_method_and_no_other(deep, serve, read, transport):
    cloud = serve(deep)
    read(cloud, project="acme-deep", transport=transport)
    assert {exchange.method for exchange in cloud.exchanges} == {method.id for method in ALLOWED}


def test_nothing_is_asked_twice(deep, serve, read):
    cloud = serve(deep)
    source, _ = read(cloud, project="acme-deep")
    asked = [(exchange.method, exchange.resource) for exchange in cloud.exchanges]
    assert len(asked) == len(set(asked)) == len(source.trace)


def test_the_trace_names_each_call(ready, read):
    source, _ = read(ready)
    told = {(call.method, call.outcome) for call in source.trace}
    assert ("cloudresourcemanager.projects.get", "ok") in told
    assert ("bigquery.datasets.get", "not_found") in told
    assert all(call.attempts == 1 for call in source.trace)
    assert len(source.trace) == len(ready.exchanges)

"""The HTML report on a project with as many bindings as a policy takes, and ten thousand datasets open to the world."""

import time
import tracemalloc

import pytest

from preflight.engine import evaluate, load_rules
from preflight.facts.dataset import AccessEntry, Datasets
from preflight.profile import load_profile
from preflight.renderers import Format, render
from preflight.report import Report
from preflight.testing import bind, dataset, deny, groups, policies, roles, snapshot, target
from tests.end_to_end.conftest import VENDOR

BINDINGS, DATASETS = 1_500, 10_000
HEAP = f"serviceAccount:{VENDOR}"


@pytest.fixture(scope="module")
def large() -> Report:
    granted = (bind("roles/bigquery.user", HEAP, only_if=f"resource.name != '{n}'") for n in range(BINDINGS))
    public = AccessEntry(role="READER", special_group="allAuthenticatedUsers")
    named = (dataset(f"dataset_{n:05}", public, table_expiration_ms=1_000) for n in range(DATASETS))
    facts = snapshot(
        allow_policies=policies(*granted, folder=(), organization=()),
        deny_policies=deny("bigquery.jobs.create"),
        groups=groups({}),
        roles=roles(),
        datasets=Datasets.of(*named),
    )
    return evaluate(load_rules(), facts, target(dataset="dataset_00001"), load_profile("heap"))


def test_it_is_written_in_two_seconds_and_200_mb_and_is_under_1500_kb(large):
    assert max(len(finding.verdict.evidence) for finding in large.findings) > BINDINGS
    render(large, Format.HTML)  # what is loaded once, is loaded
    began = time.process_time()
    text = render(large, Format.HTML)
    assert time.process_time() - began < 2
    tracemalloc.start()
    assert render(large, Format.HTML) == text
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000_000
    assert len(text.encode()) < 1_500_000


def test_what_is_long_is_closed(large):
    text = render(large, Format.HTML)
    assert "more are in the JSON report" in text
    assert "more grants</text>" in text
    assert text.count("<li") < 2_500

"""The files of Terraform beside the plans that Terraform made of them (see `cases`): no value that the plan lacks.

What differs is in the data's INDEX.md: "the plans were recorded at other times than the `.tf` beside them", and one
plan contradicts itself.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.resources import Unsettled
from tests.sources.terraform.cases import BY_AGE, DATA, EXPLAINED, NAMES, NOT_UNKNOWN, compared, files_of, plan_of

pytestmark = pytest.mark.skipif(not NAMES, reason=f"NOT RUN: the plans are absent, there is no {DATA}")
DIFFERENT = {
    ("example_bigquery_dataset_iam_binding", "google_bigquery_dataset_iam_binding.dataset"): "by age: renamed since",
    ("example_bigquery_dataset_iam_binding", "google_bigquery_dataset_iam_binding.reader"): "by age: its old name",
}
UNSETTLED = {
    ("example_project_create", "google_project.my_project-in-a-folder.folder_id"): "the plan doesn't know it either",
    ("example_project_in_folder", "google_project.my_project.folder_id"): "the plan says both, the value and unknown",
}
SETS = {"permissions"}
"""Arguments whose order is the provider's affair."""


def parts(ours: Any, theirs: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each value that both tell: `same`, `unsettled` (one of them), `other`."""
    if isinstance(ours, Unsettled) or isinstance(theirs, Unsettled):
        yield "unsettled", path
    elif isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from parts(value, theirs[key], f"{path}.{key}") if key in theirs else [("other", f"{path}.{key}")]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        if path.rpartition(".")[2] in SETS:
            ours, theirs = sorted(ours), sorted(theirs)
        for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from parts(one, other, f"{path}[{at}]")
    else:
        yield ("same" if ours == theirs else "other"), path


@pytest.mark.parametrize("case", NAMES)
def test_each_value_is_the_plans_or_unsettled(case, tmp_path):
    ours = {one.address: one for one in files_of(case, tmp_path).resources}
    theirs = {one.address: one for one in plan_of(case).resources if not one.data}
    alone = ours.keys() ^ theirs.keys()
    assert {(case, address) for address in alone} == {one for one in DIFFERENT if one[0] == case}
    found: dict[str, set[str]] = {"same": set(), "unsettled": set(), "other": set()}
    for address in ours.keys() & theirs.keys():
        assert ours[address].maybe is None
        for what, path in parts(ours[address].values, theirs[address].values, address):
            found[what].add(path)
    assert found["other"] == set()
    assert {(case, path) for path in found["unsettled"]} == {one for one in UNSETTLED if one[0] == case}
    assert found["same"] or not ours.keys() & theirs.keys()


@pytest.mark.parametrize("case", NAMES)
def test_facts_equal_or_are_unknown_as_the_plans_are(case, tmp_path):
    declared = files_of(case, tmp_path)
    assert {one.type for one in declared.resources} <= RELEVANT
    for one in compared(case, declared):
        if not one.same:
            assert one.unknown or (case, one.name) in NOT_UNKNOWN, one
            assert (case, one.name) in EXPLAINED | BY_AGE, one


def test_every_explanation_explains_something(tmp_path_factory):
    differing = {
        (case, one.name)
        for case in NAMES
        for one in compared(case, files_of(case, tmp_path_factory.mktemp("case")))
        if not one.same
    }
    assert BY_AGE.keys() <= differing

"""Files that nobody here wrote: assets as Terraform's converter makes them, close to an export and not one."""

import json
from pathlib import Path
from typing import Any

import pytest

from preflight import Unknown
from preflight.errors import UsageError
from preflight.facts.snapshot import FIELD_OF
from preflight.profile import load_profile
from preflight.sources.assets import read_export
from preflight.sources.assets.holdings import Holdings
from tests.end_to_end.conftest import ROOT, Preflight

FILES = sorted((ROOT.parent / "shared" / "data" / "terraform" / "plan").glob("*.cai.json"))
pytestmark = pytest.mark.skipif(not FILES, reason="the files stand beside the checkout as ../shared/data")
RM = "//cloudresourcemanager.googleapis.com/"


def assets(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_bytes())
    return found


def projects(path: Path) -> set[str]:
    """The projects that a file speaks of, by its raw JSON: projects themselves, and those of datasets."""
    names = set()
    for asset in assets(path):
        if asset["asset_type"].endswith("resourcemanager.googleapis.com/Project"):
            data = asset.get("resource", {}).get("data", {})
            names.add(data.get("projectId") or asset["name"].rpartition("/")[2])
        if asset["asset_type"] == "bigquery.googleapis.com/Dataset":
            names.add(asset["name"].split("/")[4])
        if asset["asset_type"] == "iam.googleapis.com/Role" and asset["name"].split("/")[3] == "projects":
            names.add(asset["name"].split("/")[4])
    return names


def test_they_are_all_there():
    assert len(FILES) == 29
    assert sum(bool(projects(path)) for path in FILES) > 8


@pytest.mark.parametrize("path", FILES or [Path("absent")], ids=lambda path: path.name)
def test_each_is_read_without_a_fault(path: Path):
    held = Holdings((path,), frozenset())
    held.read()
    assert held.warnings == []
    assert held.damage.complete


@pytest.mark.parametrize("path", FILES or [Path("absent")], ids=lambda path: path.name)
def test_its_projects_and_their_bindings_are_those_of_the_raw_file(path: Path):
    expected = projects(path)
    if not expected:
        with pytest.raises(UsageError, match="holds no project"):
            read_export((path,), load_profile("heap"))
        return
    stated = {
        (asset["name"].removeprefix(RM), binding["role"], member)
        for asset in assets(path)
        if asset["asset_type"].endswith("resourcemanager.googleapis.com/Project")
        for binding in asset.get("iam_policy", {}).get("bindings", [])
        for member in binding["members"]
    }
    told = set()
    names = set()
    export = read_export((path,), load_profile("heap"))
    snapshot_of = export.snapshots(frozenset(FIELD_OF))
    for named in export.projects:
        snapshot = snapshot_of(named)
        names.add(named.id)
        if isinstance(snapshot.allow_policies, Unknown):
            continue
        own = snapshot.allow_policies.policies[f"projects/{named.id}"]
        if not isinstance(own, Unknown):
            told |= {(own.resource, b.role, member) for b in own.bindings for member in b.members}
    assert names == expected
    assert told == stated


@pytest.mark.parametrize("path", FILES or [Path("absent")], ids=lambda path: path.name)
def test_nothing_passes_that_such_a_file_can_not_tell(path: Path, preflight: Preflight):
    result = preflight("run", "--assets", str(path), "--location", "EU", "--format", "json", "--no-files")
    if not projects(path):
        result.refuses("holds no project")
        return
    assert result.code == 3
    for report in result.report["reports"]:
        found = {finding["rule"]: finding["verdict"] for finding in report["findings"]}
        # They tell no state, no number, no policies above, no APIs and no billing state of any project.
        for rule in ("project-active", "billing-enabled", "bigquery-api-enabled", "vendor-role", "jobs-create"):
            assert found[rule] == "unknown"

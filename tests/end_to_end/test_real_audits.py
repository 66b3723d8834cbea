"""Each real policy is audited through the command line: who may run jobs is who the raw files say, and nobody else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.emulator import AUDITOR, World
from tests.access import derive_holders as derived
from tests.access.derive_holders import Policies
from tests.end_to_end.conftest import ROOT, Preflight, Result, Serve

DATA = ROOT.parent / "shared" / "data"
RECORDED = sorted(path.parent.name for path in (DATA / "api").glob("*/project.json"))
PLANNED = derived.asset_files(DATA)
ABSENT = f"the real policies are absent: there is no {DATA}; they stand beside the checkout as ../shared/data"
needs_data = pytest.mark.skipif(not (RECORDED and PLANNED), reason=ABSENT)
_KINDS = {"organizations": "Organization", "folders": "Folder", "projects": "Project"}
_RM = "cloudresourcemanager.googleapis.com"


def told(result: Result) -> tuple[set[str], set[str]]:
    """Who has a row, and who surely may run jobs; in lower case."""
    rows = result.report["rows"]
    sure = {row["member"].lower() for row in rows if row["cells"]["run-jobs"]["state"] == "granted"}
    return {row["member"].lower() for row in rows}, sure


@needs_data
@pytest.mark.parametrize("name", RECORDED or ["(absent)"])
def test_each_recorded_project(
    name: str, preflight: Preflight, serve: Serve, record_property: Callable[[str, object], None]
):
    folder = DATA / "api" / name
    roles = {role: sorted(held) for role, held in derived.predefined(DATA).items()}
    world = World.recording(folder).with_roles(roles)
    environ = serve(world).environ(caller=AUDITOR)
    result = preflight("audit", "--project", world.projects[0].id, "--format", "json", environ=environ)
    real = next((one for one in derived.recordings(DATA) if one.where == name), None)
    members = set() if real is None else {member.lower() for member in real.members()}
    holders = set() if real is None else derived.holders(DATA, real)
    assert told(result) == (members, holders)
    # No policy of anything above a project was recorded: nothing is known not to be granted.
    assert result.code == 3
    blank = [row for row in result.report["rows"] for cell in row["cells"].values() if cell["state"] == "not_granted"]
    assert all(row["member"].startswith("deleted:") for row in blank)
    own = ("policy", f"projects/{world.projects[0].id}")
    assert (own in {(gap["kind"], gap["about"]) for gap in result.report["not_seen"]}) is (real is None)
    record_property("audited recorded projects", 1)


def in_datasets(real: Policies) -> list[dict[str, Any]]:
    """The bindings of datasets' own policies in an asset file."""
    assets = json.loads((DATA / "terraform" / "plan" / real.where).read_bytes())
    policies = [asset["iam_policy"] for asset in assets if asset["asset_type"] == "bigquery.googleapis.com/Dataset"
                and "iam_policy" in asset]  # fmt: skip
    return [binding for policy in policies for binding in policy["bindings"]]


def exported(real: Policies, path: Path) -> Path:
    """An asset file as an export: one line an asset, resources by their full names; with the project that the
    policies bear on, where the file has none."""
    lines: list[dict[str, Any]] = json.loads((DATA / "terraform" / "plan" / real.where).read_bytes())
    for asset in lines:
        steps = asset.pop("ancestry_path").split("/")
        chain = [
            f"{derived.FOLDERS.get(kind, kind)}/{name}" for kind, name in zip(steps[::2], steps[1::2], strict=True)
        ]
        asset["ancestors"] = chain[::-1]
        if asset["asset_type"].startswith(f"{_RM}/") and "iam_policy" in asset:
            asset["name"] = f"//{_RM}/{derived.resource_of(asset)}"
    lines += [_resource(real, at) for at in range(len(real.chain))]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _resource(real: Policies, at: int) -> dict[str, Any]:
    name = real.chain[at]
    kind = _KINDS[name.partition("/")[0]]
    data = {"projectId": real.project, "lifecycleState": "ACTIVE"} if kind == "Project" else {"name": name}
    return {
        "name": f"//{_RM}/{name}",
        "asset_type": f"{_RM}/{kind}",
        "resource": {"version": "v1", "data": data},
        "ancestors": list(real.chain[at:]),
    }


@needs_data
@pytest.mark.parametrize("real", [pytest.param(p, id=p.where) for p in PLANNED] or ["(absent)"])
def test_each_asset_file(
    real: Policies, preflight: Preflight, tmp_path: Path, record_property: Callable[[str, object], None]
):
    path = exported(real, tmp_path / "assets.json")
    result = preflight("audit", "--assets", str(path), "--project", real.project, "--format", "json")
    members, holders = told(result)
    listed = {member for binding in in_datasets(real) for member in binding["members"]}
    assert members == {member.lower() for member in (*real.members(), *listed)}
    assert holders == derived.holders(DATA, real)
    readers = {
        member
        for binding in in_datasets(real)
        if "bigquery.tables.getData" in derived.predefined(DATA)[binding["role"]]
        for member in binding["members"]
    }
    found = {row["member"] for row in result.report["rows"] if row["cells"]["read-data"]["datasets"]}
    assert found & listed == readers
    assert result.code == 3  # deny policies apart, not one of the files has all that bears on its project
    record_property("audited asset files", 1)


@needs_data
def test_none_is_left_out():
    assert (len(RECORDED), len(PLANNED)) == (29, 29)
    assert sum(bool(in_datasets(real)) for real in PLANNED) == 2

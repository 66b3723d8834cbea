"""Exports through the command line: one project and all of them, formats, files, exit codes, several files."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from preflight.emulator import World
from preflight.emulator.world import Binding
from preflight.report_files import FleetFiles
from tests.conftest import HEAP
from tests.end_to_end.conftest import Preflight, whole_process
from tests.sources.assets.conftest import Tried, of_kind, without
from tests.sources.assets.exporting import Line, exported, write

ONE = ("--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production")
FEW = ("--location", "EU", "--dataset", "heap_production")


def fleet(**states: dict[str, Any]) -> list[Line]:
    """An export of the ready world's organization with several projects like its own, each changed in some way."""
    world = World.demo("ready")
    (usual,) = world.projects
    made = [
        replace(usual, id=name.replace("_", "-"), number=str(500 + n), **changes)
        for n, (name, changes) in enumerate(states.items())
    ]
    return exported(replace(world, projects=tuple(made)))


GOOD: dict[str, Any] = {}
GONE: dict[str, Any] = {"state": "DELETE_REQUESTED"}
GRANTED: dict[str, Any] = {"bindings": (Binding("roles/bigquery.user", (HEAP,)),)}
DIM: dict[str, Any] = {"bindings": (Binding("roles/bigquery.user", ("group:g@acme.example",)),)}


def test_each_answer_of_one_project(ready: list[Line], run: Tried):
    result = run(ready, *ONE)
    assert (result.code, result.report["verdict"]) == (0, "pass")
    assert result.verdicts["jobs-create"] == "pass"
    assert result.verdicts["auditor-access"] == "skip"
    assert result.verdicts["location-allowed"] == "unknown"
    assert result.report["source"]["kind"] == "assets"
    assert result.report["project"] == {"id": "acme-analytics", "number": "421700000001"}
    evidence = result.finding("jobs-create")["evidence"]
    assert any(":" in one["resource"] and "cloud asset export" in one["source"] for one in evidence)
    gone = run(fleet(acme_analytics=GONE), *ONE)
    assert (gone.code, gone.verdicts["project-active"]) == (1, "fail")
    unbilled = run(without(ready, "ProjectBillingInfo"), *ONE)
    assert (unbilled.code, unbilled.verdicts["billing-enabled"]) == (3, "unknown")
    assert run(without(ready, "ProjectBillingInfo"), *ONE, "--allow-unknown").code == 0
    assert run(without(ready, "ProjectBillingInfo"), *ONE, "--skip", "billing-enabled").code == 0


def test_a_project_by_its_number_is_named_by_its_id(ready: list[Line], run: Tried):
    result = run(ready, "--project", "421700000001")
    assert result.report["project"] == {"id": "acme-analytics", "number": "421700000001"}


@pytest.mark.parametrize(
    ("states", "code"),
    [
        pytest.param({"one": GOOD, "two": GOOD}, 0, id="all ready"),
        pytest.param({"one": GOOD, "two": GONE}, 1, id="one is not"),
        pytest.param({"one": GOOD, "two": DIM}, 3, id="of one it can't be told"),
        pytest.param({"one": GONE, "two": DIM}, 1, id="a failure outranks what can't be told"),
    ],
)
def test_the_exit_code_is_that_of_the_worst(states: dict[str, dict[str, Any]], code: int, run: Tried):
    result = run(fleet(**states), *FEW)
    assert result.code == code
    assert [one["project"]["id"] for one in result.report["reports"]] == list(states)


def test_each_project_of_many_is_judged_as_it_is_alone(run: Tried):
    lines = fleet(good_one=GOOD, gone_one=GONE, granted=GRANTED, dim_one=DIM)
    together = {one["project"]["id"]: one for one in run(lines, *FEW).report["reports"]}
    assert len({json.dumps([f["verdict"] for f in one["findings"]]) for one in together.values()}) == 3
    for project, report in together.items():
        alone = run(lines, "--project", project, *FEW).report
        for changing in ("started_at", "finished_at"):
            del alone[changing], report[changing]
        assert report == alone


def test_all_projects_on_the_terminal(run: Tried):
    result = run(fleet(good=GOOD, gone=GONE, dim=DIM), *FEW, "--format", "terminal", "--no-files")
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [["FAIL", "gone"], ["UNKNOWN", "dim"], ["PASS", "good"]]
    assert "project-active: gone is being deleted" in lines[1]
    assert lines[-1] == "3 projects: 1 not ready, 1 can't tell, 1 ready."


def test_all_projects_as_markdown(run: Tried, tmp_path: Path):
    out = run(fleet(good=GOOD, gone=GONE), *FEW, "--format", "markdown", "--no-files").out
    assert out.startswith("## 2 projects for Heap Connect\n\n2 projects: 1 not ready, 1 ready.\n")
    assert "| FAIL | `gone` | 1 |" in out
    assert f"{tmp_path}/export.json" in out
    alone = run(fleet(good=GOOD), *FEW, "--format", "markdown", "--no-files").out
    assert alone.startswith("## 1 project for Heap Connect\n\n1 project: 1 ready.\n")


@pytest.mark.parametrize("form", ["terminal", "json", "markdown"])
def test_the_files_of_many_projects(form: str, run: Tried):
    lines = fleet(good=GOOD, gone=GONE)
    result = run(lines, *FEW, "--format", form, "--output-dir", "reports")
    written, summary = sorted(Path("reports").iterdir(), key=lambda path: path.suffix)
    assert written.name.startswith("export-")
    assert (written.suffix, summary.suffix) == (".json", ".md")
    assert written.stem == summary.stem
    assert f"Reports: {written} {summary}" in result.err
    reports = json.loads(written.read_text(encoding="utf-8"))
    assert reports["schema_version"] == "1.0"
    assert [one["project"]["id"] for one in reports["reports"]] == ["good", "gone"]
    assert "| FAIL | `gone` |" in summary.read_text(encoding="utf-8")
    if form == "json":
        assert result.report == reports


def test_quiet_still_writes_and_still_tells_by_its_exit_code(run: Tried):
    result = run(fleet(good=GOOD, gone=GONE), *FEW, "--quiet", "--output-dir", "reports")
    assert (result.code, result.out) == (1, "")
    assert len(list(Path("reports").iterdir())) == 2


def test_what_can_not_be_written_is_said_and_leaves_nothing(run: Tried):
    Path("reports").write_text("a file", encoding="utf-8")
    result = run(fleet(good=GOOD), *FEW, "--format", "terminal", "--output-dir", "reports")
    assert result.code != 0
    assert "can't" in result.err or "cannot be written" in result.err
    assert Path("reports").read_text(encoding="utf-8") == "a file"


def test_a_run_that_breaks_half_way_leaves_no_files(run: Tried, monkeypatch: pytest.MonkeyPatch):
    def full(_self: FleetFiles, _markdown: str) -> tuple[Path, ...]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FleetFiles, "finish", full)
    result = run(fleet(good=GOOD, gone=GONE), *FEW, "--output-dir", "reports")
    assert result.code == 4
    assert list(Path("reports").iterdir()) == []


def test_several_exports_as_gcloud_makes_them(ready: list[Line], preflight: Preflight, tmp_path: Path):
    resources = write(tmp_path / "resource.json.gz", [line for line in ready if "resource" in line])
    policies = write(tmp_path / "iam.json", [line for line in ready if "iam_policy" in line])
    files = ("--assets", str(resources), "--assets", str(policies))
    result = preflight("run", *files, *ONE, "--format", "json", "--no-files")
    assert (result.code, result.verdicts["jobs-create"]) == (0, "pass")
    cited = {one["resource"].rpartition(":")[0] for f in result.report["findings"] for one in f["evidence"]}
    assert {str(resources), str(policies)} <= cited
    without_policies = preflight("run", "--assets", str(resources), *ONE, "--format", "json", "--no-files")
    assert without_policies.verdicts["jobs-create"] == "unknown"
    assert f"{resources} has no IAM_POLICY line" in without_policies.finding("vendor-role")["message"]
    every = preflight("run", *files, *FEW, "--format", "json", "--no-files")
    assert [one["project"]["id"] for one in every.report["reports"]] == ["acme-analytics"]


def test_a_file_of_group_members_settles_what_an_export_can_not_tell(run: Tried, tmp_path: Path):
    told = tmp_path / "members.json"
    told.write_text(json.dumps({"g@acme.example": [HEAP]}), encoding="utf-8")
    lines = fleet(dim_one=DIM)
    assert run(lines, "--project", "dim-one", *FEW).verdicts["vendor-role"] == "unknown"
    known = run(lines, "--project", "dim-one", *FEW, "--group-members", str(told))
    assert known.verdicts["vendor-role"] == "pass"


def test_another_principal_and_single_rules(ready: list[Line], run: Tried):
    result = run(ready, *ONE, "--principal", "user:nobody@acme.example", "--rule", "jobs-create")
    assert result.verdicts == {"jobs-create": "unknown"}  # a group has a role that holds it
    assert result.report["principal"] == "user:nobody@acme.example"


def test_without_a_project_and_without_an_export(preflight: Preflight):
    preflight("run", "--no-files").refuses("Which project?", "--project", "--assets")


def test_a_whole_process_reads_an_export_and_asks_nothing(ready: list[Line], tmp_path: Path):
    path = write(tmp_path / "export.json", ready)
    result = whole_process("run", "--assets", str(path), *ONE, "--format", "json", "--no-files")
    assert (result.code, result.err) == (0, "")
    assert result.report["verdict"] == "pass"


def test_hostile_names_reach_no_terminal_and_no_file_name(ready: list[Line], run: Tried):
    (itself,) = of_kind(ready, "Project")
    told = {**itself["resource"]["data"], "projectId": "acme\x1b[31m/../../x|y"}
    lines = [{**one, "resource": {"data": told}} if one is itself else one for one in ready]
    result = run(lines, *FEW, "--format", "terminal", "--output-dir", "reports", name="..\x1b[2J export.json")
    assert "\x1b" not in result.out + result.err
    assert len(list(Path("reports").iterdir())) == 2

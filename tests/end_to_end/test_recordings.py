"""Real API answers, served over sockets, judged as a table derived from the raw files says."""

import ast
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from preflight.emulator import AUDITOR, Caller, World
from tests.end_to_end import derive_verdicts as derived
from tests.end_to_end.conftest import JSON, ROOT, VENDOR, Preflight, Serve

DATA = ROOT.parent / "shared" / "data"
ABSENT = f"the recordings are absent: there is no {DATA}; they stand beside the checkout as ../shared/data"
PROJECTS = sorted(path.parent.name for path in (DATA / "api").glob("*/project.json"))
EXIT_CODES = {"fail": 1, "unknown": 3, "warn": 0, "pass": 0}
ITSELF = {"pass", "fail", "unknown"}
Case = tuple[str, derived.Choice]
ALL = os.environ.get("PREFLIGHT_TORTURE") == "all"
"""Whether every case is tried, as `make torture` does."""
needs_recordings = pytest.mark.skipif(not PROJECTS, reason=ABSENT)


def part(cases: Iterable[Case]) -> list[Case]:
    """All cases, or those that each test run has time for: all of the vendor, every other one of everybody else."""
    return [case for n, case in enumerate(cases) if ALL or n % 2 or case[0] == derived.VENDOR]


@pytest.fixture(scope="session")
def roles() -> dict[str, list[str]]:
    """The permissions of every predefined role that is described: most hold none of those that matter here."""
    held = json.loads((DATA / "roles" / "role_permissions.json").read_bytes())
    described = json.loads((DATA / "roles" / "role_names.json").read_bytes())["described"]
    return {name: held.get(name, []) for name in described}


ON_ORGANIZATION_POLICIES = ("service-allowed", "location-allowed", "dataset-encryption")


@pytest.fixture
def compare(
    preflight: Preflight, serve: Serve, roles: dict[str, list[str]], record_property: Callable[[str, object], None]
) -> Callable[[Path, Iterable[Case]], None]:
    """Judges a recorded project over sockets, once for each case, and compares every verdict with the table's."""

    def run_all(folder: Path, cases: Iterable[Case]) -> None:
        world = World.recording(folder).with_roles(roles)
        environ = serve(world).environ(caller=AUDITOR)
        wrong, runs, verdicts, whom = [], 0, Counter[str](), set()
        for principal, choice in cases:
            options = [f"--{key}={value}" for key, value in choice._asdict().items() if value is not None]
            options += [] if principal == derived.VENDOR else ["--principal", principal]
            result = preflight("run", "--project", world.projects[0].id, *options, *JSON, environ=environ)
            expected, told = derived.derive(folder, principal, choice), result.verdicts
            overall = derived.overall(expected)
            assert told.keys() > set(derived.RULES)
            # Nothing of organization policies was recorded: of those the rules can't say that all is well, nor not.
            assert {told[rule] for rule in ON_ORGANIZATION_POLICIES} <= {"unknown", "skip"}
            assert "fail" not in {told[rule] for rule in told.keys() - set(derived.RULES)}
            assert result.report["principal"] == principal
            wrong += [
                f"{folder.name}, {principal}, {choice}: {rule} is {told[rule]}, the raw files say {verdict}"
                for rule, verdict in expected.items()
                if told[rule] != verdict
            ]
            if (result.report["verdict"], result.code) != (overall, EXIT_CODES[overall]):
                wrong.append(f"{folder.name}, {principal}, {choice}: exit code {result.code}, not {overall}")
            runs += 1
            whom.add(principal)
            verdicts.update(told.values())
        assert not wrong, "\n".join(wrong)
        record_property("compared projects", 1)
        record_property("compared principals", len(whom))
        record_property("compared runs", runs)
        record_property("compared verdicts", verdicts.total())

    return run_all


@needs_recordings
@pytest.mark.parametrize("name", PROJECTS or ["(absent)"])
def test_each_recorded_project_is_judged_as_its_raw_files_say(
    name: str, compare: Callable[[Path, Iterable[Case]], None]
):
    compare(DATA / "api" / name, part(derived.cases(DATA / "api" / name)))


@needs_recordings
@pytest.mark.parametrize("name", PROJECTS or ["(absent)"])
def test_without_a_parent_what_no_role_grants_is_a_sure_no(
    name: str, tmp_path: Path, compare: Callable[[Path, Iterable[Case]], None]
):
    # The one change to what was recorded: every recorded project has a parent, whose policy nobody recorded.
    folder = tmp_path / "api" / name
    shutil.copytree(DATA / "api" / name, folder)
    (tmp_path / "roles").symlink_to(DATA / "roles")
    project = json.loads((folder / "project.json").read_bytes())
    del project["parent"]
    (folder / "project.json").write_text(json.dumps(project), encoding="utf-8")
    compare(folder, [case for case in derived.cases(folder) if case[1] == derived.CHOICES[0]])


@needs_recordings
@pytest.mark.parametrize("name", PROJECTS or ["(absent)"])
def test_each_principal_that_runs_the_tool_itself_gets_the_answer_that_its_roles_give(
    name: str,
    preflight: Preflight,
    serve: Serve,
    roles: dict[str, list[str]],
    record_property: Callable[[str, object], None],
):
    folder = DATA / "api" / name
    world = World.recording(folder).with_roles(roles).with_callers(Caller(email=VENDOR, kind="service_account"))
    cloud = serve(world)
    wrong = []
    whom = (derived.VENDOR, *derived.principals(folder))
    for principal in whom:
        result = preflight(
            *("run", "--project", world.projects[0].id, "--rule", "jobs-create", "--principal", principal, *JSON),
            environ=cloud.environ(caller=principal.partition(":")[2]),
        )
        finding, expected = result.finding("jobs-create"), derived.jobs_create_as_itself(folder, principal)
        sources = {evidence["source"] for evidence in finding["evidence"]}
        if finding["verdict"] != expected:
            wrong.append(f"{name}, {principal} itself: {finding['verdict']}, the raw files say {expected}")
        if expected != "unknown":
            assert sources == {"cloudresourcemanager.projects.testIamPermissions"}, sources
    assert not wrong, "\n".join(wrong)
    record_property("compared callers", len(whom))


@needs_recordings
def test_the_recordings_are_all_there_and_the_table_has_every_kind_of_answer():
    assert len(PROJECTS) == 29
    folders = [DATA / "api" / name for name in PROJECTS]
    table = [derived.derive(folder, *case) for folder in folders for case in derived.cases(folder)]
    assert len(table) > 1000
    # No recording is of a project that is being deleted or without billing, and nobody in one is BigQuery User.
    assert {row["vendor-role"] for row in table} == {"warn", "unknown"}
    assert {row["jobs-create"] for row in table} == {"pass", "unknown"}
    assert {row["bigquery-api-enabled"] for row in table} == {"pass", "fail", "unknown"}
    assert {row["billing-enabled"] for row in table} == {"pass", "unknown"}
    assert {row["dataset-writable"] for row in table} == {"pass", "unknown", "skip"}
    assert {derived.jobs_create_as_itself(f, who) for f in folders for who in derived.principals(f)} == ITSELF
    assert {row["dataset-location"] for row in table} == {"pass", "warn", "fail", "unknown", "skip"}


@needs_recordings
def test_the_derivation_prints_its_table(capsys: pytest.CaptureFixture[str]):
    derived.main(DATA)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t")[4:-1] == list(derived.RULES)
    assert lines[-1].startswith("29 projects, ")


def test_the_derivation_imports_nothing_of_the_product():
    tree = ast.parse(Path(derived.__file__ or "").read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"json", "sys", "collections.abc", "functools", "pathlib", "typing"}

"""`preflight demo`: four made-up projects, each judged as its story says, with reports of each."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.emulator import World
from tests.end_to_end.conftest import JSON, RUN, Preflight, Serve, whole_process

EXIT_CODES = {"ready": 0, "broken": 1, "blind": 3, "tangled": 1}
VERDICTS = {"ready": "pass", "broken": "fail", "blind": "unknown", "tangled": "fail"}
DESTINATION = ("--location", "EU", "--dataset", "heap_production")


@pytest.fixture
def schema(preflight: Preflight) -> dict[str, Any]:
    """The schema of the report, as the tool prints it."""
    printed = preflight("schema", "report")
    assert (printed.code, printed.err) == (0, "")
    jsonschema.Draft202012Validator.check_schema(printed.report)
    return printed.report


def test_the_whole_demo_ends_well_and_leaves_reports_of_each_project(tmp_path: Path, schema: dict[str, Any]):
    folder = tmp_path / "reports of the demo"
    done = whole_process("demo", "--output-dir", str(folder))
    assert done.code == 0, done
    assert re.findall(r"\(exit code (\d)\)", done.out) == ["0", "1", "3", "1", "3", "0"]  # the last two: audit, access
    assert [word for word in ("READY:", "NOT READY:", "CAN'T TELL:") if word in done.out] == [
        "READY:",
        "NOT READY:",
        "CAN'T TELL:",
    ]
    assert "Traceback" not in done.err
    reports = sorted(folder.glob("*.json"))
    assert len(reports) == 4
    assert {path.stem for path in folder.glob("*.md")} == {path.stem for path in reports}
    assert len(list(folder.iterdir())) == 8
    found = [json.loads(path.read_bytes()) for path in reports]
    for report in found:
        jsonschema.validate(report, schema, cls=jsonschema.Draft202012Validator)
    assert {(report["verdict"], report["exit_code"]) for report in found} == {("pass", 0), ("fail", 1), ("unknown", 3)}
    for path in folder.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert "vendor-role" in text
        assert str(path) in done.err


@pytest.mark.parametrize("name", EXIT_CODES)
def test_one_world_ends_as_run_would(name: str, preflight: Preflight, serve: Serve, tmp_path: Path):
    played = preflight("demo", name, "--output-dir", str(tmp_path / "out"))
    assert played.code == EXIT_CODES[name]
    assert len(list((tmp_path / "out").iterdir())) == 2
    (path,) = (tmp_path / "out").glob("*.json")
    written = json.loads(path.read_bytes())
    result = preflight(*RUN, *DESTINATION, *JSON, environ=serve(World.demo(name)).environ())
    assert (result.code, result.report["verdict"]) == (EXIT_CODES[name], VERDICTS[name])
    assert {finding["rule"]: finding["verdict"] for finding in written["findings"]} == result.verdicts


def test_in_the_broken_world_each_failing_rule_is_listed_once_with_its_fix(preflight: Preflight, tmp_path: Path):
    shown = preflight("demo", "broken", "--output-dir", str(tmp_path)).out
    (path,) = tmp_path.glob("*.json")
    (markdown,) = tmp_path.glob("*.md")
    findings = json.loads(path.read_bytes())["findings"]
    failing = [finding for finding in findings if finding["verdict"] == "fail"]
    assert len(failing) >= 4
    assert len({finding["rule"] for finding in findings}) == len(findings)
    sections = dict(re.findall(r"^FAIL ([a-z-]+) \(required.*?\)\n(.*?)(?=^\S|\Z)", shown, re.MULTILINE | re.DOTALL))
    assert sections.keys() == {finding["rule"] for finding in failing}
    for finding in failing:
        rule = re.escape(finding["rule"])
        assert len(re.findall(rf"^FAIL +{rule} {{2,}}\S", shown, re.MULTILINE)) == 1, f"{rule} in the table"
        assert len(re.findall(rf"^FAIL {rule} \(required", shown, re.MULTILINE)) == 1, f"{rule} has one section"
        assert "To fix it:" in sections[finding["rule"]]
        for remedy in finding["remedies"]:
            for command in remedy["commands"]:
                assert command in shown, f"{rule}: the fix is not on the screen: {command}"
        assert any(remedy["summary"] for remedy in finding["remedies"])
    text = markdown.read_text(encoding="utf-8")
    for finding in failing:
        assert len(re.findall(rf"^#+ .*`?{finding['rule']}`?", text, re.MULTILINE)) == 1, finding["rule"]
    wrong = [finding for finding in findings if finding["verdict"] in {"fail", "warn"}]
    assert text.count("**To fix it**") == len(wrong)


def test_the_tangled_story_goes_on_with_the_audit_and_a_question(preflight: Preflight):
    shown = preflight("demo", "tangled", "--no-files").out
    run, audit, access = shown.split("$ preflight ")[1:]
    assert run.startswith("run --project acme-analytics")
    assert "NOT READY" in run
    assert audit.startswith("audit --project acme-analytics")
    for flag in ("public:", "outside:", "other-project:", "permanent-admin:", "deleted:", "broad-role:"):
        assert flag in audit
    assert access.startswith("access user:kim@partner.example bigquery.tables.getData")
    assert "GRANTED" in access
    assert "until 2035-01-01" in access
    assert "near miss" in access


def test_in_the_blind_world_nothing_unseen_passes(preflight: Preflight, serve: Serve):
    result = preflight(*RUN, *DESTINATION, *JSON, environ=serve(World.demo("blind")).environ())
    for rule in ("vendor-role", "jobs-create"):
        finding = result.finding(rule)
        assert finding["verdict"] == "unknown"
        assert finding["reason"]["kind"] == "denied"
        assert finding["remedies"]


def test_a_world_that_is_not_there_is_refused_with_the_nearest_name(preflight: Preflight):
    preflight("demo", "brokn").refuses("'brokn'", "'broken'")


def test_without_files_the_demo_writes_none(preflight: Preflight):
    assert preflight("demo", "ready", "--no-files").code == 0
    assert list(Path.cwd().iterdir()) == []


UNSYNCED = {"synced-datasets": "skip", "synced-views": "skip"}
"""Nothing was synced to it yet."""
NEW_DATASET = {"dataset-expiration": "skip", "dataset-public": "skip", **UNSYNCED}
"""The destination doesn't exist yet, so that nothing can be wrong with it."""
LIVE = {"iam-resources-conflict": "skip"}
"""Google doesn't tell which Terraform resources there are."""
STORIES = {
    "ready": NEW_DATASET,
    "broken": {
        "billing-enabled": "fail",  # the account is closed
        "vendor-role": "fail",  # it may only read; a lookalike and a deleted account have the role
        "jobs-create": "fail",
        "dataset-location": "fail",  # the destination is in London
        "dataset-writable": "fail",
        "vendor-lookalike": "warn",
        **UNSYNCED,
    },
    "blind": {
        "vendor-role": "unknown",
        "jobs-create": "unknown",
        "dataset-writable": "unknown",
        "auditor-access": "warn",
        "grant-expires": "unknown",
        "vendor-lookalike": "unknown",
        "vendor-least-privilege": "unknown",
        "vendor-sharing-allowed": "unknown",
        "service-allowed": "unknown",
        "location-allowed": "unknown",
        "dataset-encryption": "unknown",
        **NEW_DATASET,
    },
    "tangled": {
        "jobs-create": "fail",  # a deny policy of the organization
        "vendor-lookalike": "warn",
        "vendor-least-privilege": "warn",
        **NEW_DATASET,
    },
}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("name", STORIES)
def test_each_world_is_judged_as_its_file_tells(name: str, transport: str, preflight: Preflight, serve: Serve):
    environ = serve(World.demo(name)).environ()
    result = preflight(*RUN, *DESTINATION, "--transport", transport, *JSON, environ=environ)
    assert {rule: verdict for rule, verdict in result.verdicts.items() if verdict != "pass"} == STORIES[name] | LIVE
    assert len(result.verdicts) == 21

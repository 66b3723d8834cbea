"""docs/infrastructure-repos.md: each block is run, or is what its reader takes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from preflight.check.repository import Check, Options
from preflight.configuration.files import read_configuration
from preflight.configuration.model import Part
from preflight.report import Status
from tests.check.repos import GOOD, IAM, MAIN, write

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "infrastructure-repos.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
YAML = [block for language, block in BLOCKS if language == "yaml"]
TOML = [block for language, block in BLOCKS if language == "toml"]
SHELL = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
SCHEMAS = Path(__file__).parent / "schemas"
HOOKS_FILE = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
HOOKS = yaml.safe_load(HOOKS_FILE)
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PLAN = """{"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": [
 {"address": "google_project_iam_member.heap", "mode": "managed", "type": "google_project_iam_member", "name": "heap",
  "change": {"actions": ["no-op"], "before": null, "after": {"project": "acme-analytics", "role": "roles/bigquery.user",
  "member": "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"}, "after_unknown": {}}}]}"""


def of(name: str) -> str:
    (block,) = [block for block in YAML if block.startswith(f"# {name}\n")]
    return block


def preflight(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = line.split()
    assert words.pop(0) == "preflight"
    command = [sys.executable, "-m", "preflight", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_there_is_no_block_that_nothing_tries():
    assert {language for language, _ in BLOCKS} == {"sh", "yaml", "toml", "hcl"}
    names = (".pre-commit-config.yaml", ".github/workflows/preflight-terraform.yml", ".gitlab-ci.yml", "repos.yaml")
    assert [block.split("\n")[0] for block in YAML] == [f"# {name}" for name in names]
    assert [line.split()[0] for line in SHELL] == ["preflight", "pre-commit", "terraform", "terraform", "preflight"]
    assert len(TOML) == 2
    assert sum(language == "hcl" for language, _ in BLOCKS) == 1


def test_the_first_configuration_is_in_force(tmp_path):
    folder = write(tmp_path / "repo", {**GOOD, "preflight.toml": TOML[0]})
    (report,) = Check(Options(paths=(folder,))).reports()
    assert (report.target.project, report.exit_code) == ("acme-analytics", 0)
    assert report.count(Status.PASS) >= 8


def test_the_second_configuration_is_read_and_names_what_there_is(tmp_path):
    staging = 'provider "google" {}\n'
    files = {"envs/production/main.tf": MAIN + IAM, "envs/staging/main.tf": staging, "preflight.toml": TOML[1]}
    folder = write(tmp_path / "repo", {**files, "envs/production.tfvars": ""})
    content = read_configuration(folder / "preflight.toml").content
    assert content.roots[1].workspace == "staging"
    (report,) = Check(Options(paths=(folder,))).reports()
    assert {finding.rule for finding in report.findings} == set(content.rules)


def test_each_part_that_can_be_owned_is_told():
    assert re.findall(r"^- `(\w+)`: ", TEXT, flags=re.MULTILINE) == [part.value for part in Part]


def test_the_comment_ignores_the_finding(tmp_path):
    (block,) = [block for language, block in BLOCKS if language == "hcl"]
    dataset = MAIN[MAIN.index('resource "google_bigquery_dataset"') :]
    folder = write(tmp_path / "repo", {**GOOD, "main.tf": MAIN.replace(dataset, block)})
    check = Check(Options(paths=(folder,)))
    (report,) = check.reports()
    (finding,) = [one for one in report.findings if one.rule == "dataset-location"]
    assert finding.ignored is not None
    assert finding.ignored.reason == "agreed with the vendor's support, 3 March"
    assert check.warnings == []


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("preflight")])
def test_a_command_runs_as_written(line, tmp_path):
    folder = write(tmp_path / "repo", {**GOOD, "plan.json": PLAN})
    done = preflight(line, folder)
    assert "acme-analytics" in done.stdout, done
    assert done.returncode == (1 if "--plan" in line else 0), "the plan lacks what the repository owns"


@pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT RUN: there is no terraform")
def test_terraforms_commands_make_a_plan_that_is_read(tmp_path):
    folder = write(tmp_path / "repo", {"main.tf": 'resource "terraform_data" "x" {}\n'})
    for line in SHELL:
        if line.startswith("terraform"):
            done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, timeout=120, check=False)
            assert done.returncode == 0, done
    done = preflight("preflight check --plan plan.json", folder)
    assert (done.returncode, "Nothing to judge" in done.stderr) == (0, True), done


def test_the_commit_hooks_are_those_of_this_project():
    (entry,) = yaml.safe_load(of(".pre-commit-config.yaml"))["repos"]
    known = {hook["id"]: hook for hook in HOOKS}
    assert [hook["id"] for hook in entry["hooks"]] == ["preflight-terraform"]
    assert set(known) == {"preflight-terraform", "preflight-plan"}
    for hook in known.values():
        assert (hook["always_run"], hook["pass_filenames"], hook["require_serial"]) == (True, False, True)


def test_a_hooks_entry_runs(tmp_path):
    folder = write(tmp_path / "repo", {**GOOD, "plan.json": PLAN})
    for hook, code in zip(HOOKS, (0, 1), strict=True):
        assert preflight(" ".join([hook["entry"], *hook.get("args", [])]), folder).returncode == code


def schema_takes(schema: str, file: Path) -> bool:
    """`schema` is one that check-jsonschema carries, or a file of ours."""
    which = ["--schemafile", str(SCHEMAS / schema)] if schema.endswith(".json") else ["--builtin-schema", schema]
    checker = [sys.executable, "-m", "check_jsonschema", *which, str(file)]
    return subprocess.run(checker, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "schema", "broken"),
    [
        pytest.param(of(".github/workflows/preflight-terraform.yml"), "github-workflows", "steps:", id="workflow"),
        pytest.param(of(".gitlab-ci.yml"), "gitlab-ci", "script:", id="GitLab"),
        pytest.param((ROOT / "action.yml").read_text(encoding="utf-8"), "github-actions", "using:", id="action"),
        pytest.param(HOOKS_FILE, "pre-commit-hooks.json", "pass_filenames:", id="hooks"),
        pytest.param(of(".pre-commit-config.yaml"), "pre-commit-config.json", "rev:", id="hooks in use"),
    ],
)
def test_a_ci_file_is_what_its_service_takes(text, schema, broken, tmp_path):
    file = tmp_path / "ci.yml"
    file.write_text(text, encoding="utf-8")
    schema = schema if schema.endswith(".json") else f"vendor.{schema}"
    assert schema_takes(schema, file)
    file.write_text(text.replace(broken, f"x{broken}"), encoding="utf-8")
    assert not schema_takes(schema, file), "the schema would tell"


def test_the_workflow_gives_the_action_what_it_knows():
    workflow = yaml.safe_load(of(".github/workflows/preflight-terraform.yml"))
    (used,) = [step for step in workflow["jobs"]["preflight"]["steps"] if "/preflight@" in step["uses"]]
    assert set(used["with"]) <= set(ACTION["inputs"])


@pytest.mark.parametrize(
    ("inputs", "code", "says"),
    [
        pytest.param({}, 0, "OK", id="good"),
        pytest.param({"path": "nowhere"}, 2, "nowhere", id="no such path"),
        pytest.param({"plan": "plan.json", "sarif": "out.sarif"}, 1, "FAIL", id="a plan, and SARIF"),
        pytest.param({"config": "other.toml", "allow-unknown": "true"}, 0, "OK", id="a configuration"),
        pytest.param({"path": "$(touch oops); `touch oops`"}, 2, "touch oops", id="hostile"),
    ],
)
def test_the_action_runs(inputs, code, says, tmp_path):
    folder = write(tmp_path / "repo", {**GOOD, "plan.json": PLAN, "other.toml": GOOD["preflight.toml"]})
    check = ACTION["runs"]["steps"][-1]
    given = {name: inputs.get(name, told["default"]) for name, told in ACTION["inputs"].items()}
    environment = {
        name: given[re.sub(r"\$\{\{ inputs\.(.*) \}\}", r"\1", value)] for name, value in check["env"].items()
    }
    home = tmp_path / "temp" / "preflight" / "bin"
    home.mkdir(parents=True)
    (home / "preflight").symlink_to(Path(sys.executable).parent / "preflight")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", check["run"]],
        cwd=folder,
        env={**os.environ, **environment, "RUNNER_TEMP": str(tmp_path / "temp")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done
    assert says in done.stdout + done.stderr
    assert (folder / "out.sarif").exists() is ("sarif" in inputs)
    assert not (folder / "oops").exists()


def test_gitlabs_job_and_atlantis_run_what_there_is(tmp_path):
    folder = write(tmp_path / "repo", {**GOOD, "plan.bin.json": PLAN})
    install, line = yaml.safe_load(of(".gitlab-ci.yml"))["preflight"]["script"]
    assert install == "pip install bq-preflight"
    assert preflight(line, folder).returncode == 0
    issues = json.loads((folder / "gl-code-quality.json").read_text())
    assert {issue["severity"] for issue in issues} <= {"minor"}
    steps = yaml.safe_load(of("repos.yaml"))["workflows"]["preflight"]["plan"]["steps"]
    assert steps[:2] == ["init", "plan"]
    assert steps[2]["run"].split()[:3] == ["terraform", "show", "-json"]
    done = preflight(steps[3]["run"].replace('"$PLANFILE.json"', "plan.bin.json"), folder)
    assert done.returncode == 1, done


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target

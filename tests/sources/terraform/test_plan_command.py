"""`preflight run --plan FILE`, as whole processes: the report, the exit code, and what it refuses."""

import json
import subprocess
import sys

import pytest

from preflight.profile import load_profile
from preflight.testing import Run
from tests.sources.terraform.conftest import ACME, change, plan
from tests.sources.terraform.test_facts import dataset, service
from tests.sources.terraform.test_grants import binding as role_binding
from tests.sources.terraform.test_grants import member, policy

VENDOR = load_profile("heap").principal
NO_SOCKETS = """
import socket, sys

def refused(*_, **__):
    raise AssertionError("a socket")

socket.socket = refused
from preflight.cli import main
try:
    main(sys.argv[1:])
finally:
    google = [name for name in sys.modules if name.split(".")[0] in {"google", "grpc", "requests"}]
    assert not google, google
"""


@pytest.fixture
def run(tmp_path):
    """Runs `preflight run --format json` in a process that may open no socket."""

    def run(*options):
        command = [sys.executable, "-c", NO_SOCKETS, "run", "--format", "json", "--no-files", *map(str, options)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, check=False)
        return Run(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def judged(run, written):
    def judged(*changes, options=(), **more):
        return run("--project", ACME, "--plan", written(plan(*changes, **more)), *options)

    return judged


ALONE = change("google_project.it", {"project_id": ACME, "org_id": None, "folder_id": None, "billing_account": "0A"})
GOOD = (
    ALONE,
    service(),
    policy(("roles/bigquery.user", VENDOR), ("roles/bigquery.dataEditor", VENDOR)),
)


def test_a_good_plan_passes_in_all_that_it_declares(judged):
    found = judged(*GOOD, options=("--location", "EU"))
    assert found.report["source"]["kind"] == "plan"
    assert found.report["project"] == {"id": ACME, "number": None}
    for rule in ("project-active", "bigquery-api-enabled", "vendor-role", "jobs-create"):
        assert found.finding(rule)["verdict"] == "pass", found.finding(rule)
    evidence = found.finding("vendor-role")["evidence"]
    assert any(seen["resource"].endswith("plan.json: google_project_iam_policy.p") for seen in evidence)
    assert found.finding("billing-enabled")["verdict"] == "unknown"
    assert found.exit_code == 3, "whether the billing account is open isn't told"
    assert judged(*GOOD, options=("--skip", "billing-enabled", "--rule", "vendor-role")).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "rule", "verdict"),
    [
        pytest.param([ALONE, policy(("roles/viewer", "user:x@acme.example"))], "vendor-role", "fail", id="dropped"),
        pytest.param([ALONE, policy(), member("roles/bigquery.user", VENDOR)], "vendor-role", "unknown", id="a fight"),
        pytest.param(
            [ALONE, policy(), member("roles/bigquery.user", VENDOR)], "iam-resources-conflict", "warn", id="it"
        ),
        pytest.param([member("roles/bigquery.user", VENDOR)], "vendor-role", "pass", id="a member is enough"),
        pytest.param([member("roles/viewer", VENDOR)], "vendor-role", "unknown", id="there may be more"),
        pytest.param([member(), role_binding()], "iam-resources-conflict", "warn", id="a binding beside a member"),
        pytest.param([], "iam-resources-conflict", "skip", id="none"),
        pytest.param([service(("delete",))], "bigquery-api-enabled", "fail", id="turned off"),
        pytest.param([], "bigquery-api-enabled", "unknown", id="not declared"),
        pytest.param([dataset()], "dataset-location", "pass", id="where it is"),
        pytest.param([dataset(values={"location": "europe-west2"})], "dataset-location", "fail", id="in London"),
        pytest.param([], "dataset-location", "unknown", id="which dataset?"),
        pytest.param([], "project-active", "unknown", id="which project?"),
    ],
)
def test_what_rules_make_of_it(judged, changes, rule, verdict):
    found = judged(*changes, options=("--dataset", "sales"))
    assert found.finding(rule)["verdict"] == verdict, found.finding(rule)


def test_a_plan_without_the_project_says_which_it_has(judged):
    found = judged(service(values={"project": "acme-analytisc"}))
    assert "declares nothing of acme-analytics. Did you mean 'acme-analytisc'?" in found.stderr
    assert found.exit_code == 3


def test_secrets_stay_in_the_plan(judged):
    secret = "hunter2-in-clear"
    found = judged(
        member("roles/bigquery.user", secret, secret={"member": True}),
        variables={"x": {"value": secret}},
        prior_state={"values": {"outputs": {"x": {"value": secret}}}},
        options=("--debug",),
    )
    assert "is marked as sensitive" in found.stdout
    assert secret not in found.stdout + found.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--plan", "x.json"), "Which project of the plan?"),
        (("--plan", "x.json", "--project", ACME, "--assets", "y"), "two sources"),
        (("--plan", "x.json", "--project", ACME, "--timeout", "3"), "--timeout is about Google's APIs"),
        (("--plan", "x.json", "--project", ACME), "'x.json' can't be read: No such file"),
        (("--plan", ".", "--project", ACME), "'.' is a folder"),
        (("--plan", "x.json", "--project", ACME, "--report", "sarif=x.json"), "is read by this run"),
        (("--live", "--project", ACME, "--assets", "y"), "two sources"),
        (("--plan", "x.json", "--project", ACME, "--only-new"), "--only-new compares"),
    ],
)
def test_options_that_are_refused(run, options, says):
    found = run(*options)
    assert (found.exit_code, found.stdout) == (2, "")
    assert says in found.stderr


@pytest.mark.parametrize(
    ("content", "says", "do"),
    [
        pytest.param(b"PK\x03\x04", "Terraform's own format", "terraform show -json plan > plan.json", id="binary"),
        pytest.param(b"", "is empty", "terraform plan -out=plan", id="empty"),
        pytest.param(json.dumps(plan(*GOOD)).encode()[:-40], "is cut off", "terraform show -json", id="truncated"),
        pytest.param(b"\0\0\0\0", "is no text", "terraform show -json", id="NUL bytes"),
        pytest.param(b'{"format_version":"2.0"}', "of format 2.0", "Update preflight", id="newer"),
        pytest.param(
            b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply", "terraform show", id="deep"
        ),
    ],
)
def test_files_that_are_refused(run, written, content, says, do):
    found = run("--project", ACME, "--plan", written(content))
    assert (found.exit_code, found.stdout) == (2, "")
    assert says in found.stderr
    assert do in found.stderr
    assert "Traceback" not in found.stderr

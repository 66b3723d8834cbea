"""`preflight run --live --plan FILE`, as whole processes on a made-up cloud: the report, the exit code, the words."""

import json

import pytest

from tests.sources.terraform.conftest import ACME, change, plan
from tests.sources.terraform.test_grants import policy
from tests.sources.terraform.test_overlay import APIS, BOTH, CALLER, USER, cloud, vendor_member

RUN = ("--project", ACME, "--live")


@pytest.fixture
def run(preflight_world, preflight_run, written):
    def run(text, *changes, options=()):
        preflight_world(text, caller=CALLER)
        return preflight_run(*RUN, "--plan", str(written(plan(*changes))), *options)

    return run


def test_a_plan_that_breaks_it(run):
    found = run(cloud(BOTH), vendor_member(USER, "a", ("delete",)), options=("--location", "EU"))
    assert found.exit_code == 1
    assert found.report["source"]["kind"] == "live"
    assert found.report["source"]["plan"].endswith("plan.json")
    jobs = found.finding("jobs-create")
    assert (jobs["before"], jobs["verdict"]) == ("pass", "fail")
    assert found.finding("project-active")["before"] == "pass"


def test_a_plan_that_mends_it_names_its_address(run):
    found = run(cloud(), vendor_member(USER, "a"), options=("--rule", "vendor-role"))
    assert found.exit_code == 0
    role = found.finding("vendor-role")
    assert (role["before"], role["verdict"]) == ("fail", "pass")
    assert any(seen["resource"].endswith("plan.json: google_project_iam_member.a") for seen in role["evidence"])


def test_only_what_gets_worse_fails(run):
    ill = cloud(BOTH, apis=APIS[1:])
    new = ("--only-new", "--location", "EU", "--dataset", "sales")
    assert run(ill, vendor_member("roles/viewer", "a"), options=new).exit_code == 0
    assert run(ill, vendor_member(USER, "a", ("delete",)), options=new).exit_code == 1
    assert run(ill, vendor_member(USER, "a", unknown={"project": True}), options=new).exit_code == 0


def test_what_was_before_is_shown_to_people_too(run):
    found = run(cloud(BOTH), policy(actions=("update",)), options=("--format", "terminal", "--location", "EU"))
    said = " ".join(found.stdout.split())
    assert "FAIL jobs-create (required, H6, H7; before the plan: pass)" in said
    assert "with" in said
    assert "plan.json applied" in said
    markdown = run(cloud(BOTH), policy(actions=("update",)), options=("--format", "markdown", "--location", "EU"))
    assert "before the plan: pass" in markdown.stdout


def test_other_formats_tell_what_was_before_and_where_it_is_from(run, tmp_path):
    named = {form: tmp_path / form for form in ("sarif", "junit", "gitlab")}
    options = [f"--report={form}={path}" for form, path in named.items()]
    found = run(cloud(BOTH), vendor_member(USER, "a", ("delete",)), options=("--location", "EU", *options))
    assert found.exit_code == 1
    (log,) = json.loads(named["sarif"].read_text())["runs"]
    (jobs,) = [one for one in log["results"] if one["ruleId"] == "jobs-create"]
    assert (jobs["kind"], jobs["properties"]["before"]) == ("fail", "pass")
    suites = named["junit"].read_text()
    assert "plan.json applied" in suites
    assert "before the plan: pass" in suites
    assert any(one["check_name"] == "jobs-create" for one in json.loads(named["gitlab"].read_text()))


def test_evidence_from_the_plan_is_a_place_in_its_file(run, tmp_path):
    options = ("--rule", "vendor-role", f"--report=sarif={tmp_path / 'sarif'}")
    run(cloud(), vendor_member(USER, "a"), options=options)
    (log,) = json.loads((tmp_path / "sarif").read_text())["runs"]
    (role,) = [one for one in log["results"] if one["ruleId"] == "vendor-role"]
    first = role["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert first.endswith("/plan.json")


def test_a_stale_plan_is_told(run):
    found = run(cloud(), vendor_member(USER, "a", ("no-op",)))
    assert "plan.json is stale, and what is there counts" in found.stderr
    assert found.finding("jobs-create")["verdict"] == "fail"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--only-new",), "--only-new compares with and without a plan"),
        (("--assets", "x"), "--assets and --live are two sources"),
    ],
)
def test_options_that_do_not_go_together(preflight_world, preflight_run, options, says):
    running = preflight_world(cloud(BOTH), caller=CALLER)
    found = preflight_run(*RUN, *options)
    assert (found.exit_code, found.stdout) == (2, "")
    assert says in found.stderr
    assert not running.exchanges


def test_live_without_a_plan_is_what_it_is_anyhow(preflight_world, preflight_run):
    preflight_world(cloud(BOTH), caller=CALLER)
    found = preflight_run(*RUN, "--rule", "jobs-create")
    source = {"kind": "live", "plan": None, "stale": [], "origin": None}
    assert (found.exit_code, found.report["source"]) == (0, source)
    assert found.finding("jobs-create")["before"] is None


def test_a_project_that_the_plan_moves(run):
    it = {"project_id": ACME, "number": "421700000001", "org_id": "12"}
    moved = change("google_project.it", it | {"org_id": "13"}, "update", before=it)
    found = run(cloud(above=BOTH), moved, options=("--location", "EU"))
    jobs = found.finding("jobs-create")
    assert (jobs["before"], jobs["verdict"]) == ("pass", "unknown")
    assert "moves the project" in jobs["message"]


def test_a_stale_plan_is_in_every_report_that_has_a_place_for_it(run, tmp_path):
    named = {form: tmp_path / form for form in ("sarif", "junit", "github", "markdown", "terminal")}
    options = [f"--report={form}={path}" for form, path in named.items()]
    found = run(cloud(), vendor_member(USER, "a", ("no-op",)), options=options)
    (why,) = found.report["source"]["stale"]
    assert why.startswith(f"google_project_iam_member.a gave {USER} to serviceAccount:heap-sql@")
    assert why.endswith("which is not there now")
    (log,) = json.loads(named["sarif"].read_text())["runs"]
    (notice,) = log["invocations"][0]["toolExecutionNotifications"]
    assert why in notice["message"]["text"]
    assert f"plan.json is stale, and what is there counts: {why}. Plan again." in named["github"].read_text()
    assert "::warning title=preflight::" in named["github"].read_text()
    assert "**Warning:** " in named["markdown"].read_text()
    for form in ("junit", "terminal", "markdown"):
        assert "which is stale" in " ".join(named[form].read_text().split()), form


def test_a_plan_that_is_as_new_as_it_can_be_is_not_called_stale(run):
    found = run(cloud(BOTH), vendor_member(USER, "a", ("no-op",)))
    assert found.report["source"]["stale"] == []
    assert "stale" not in found.stderr

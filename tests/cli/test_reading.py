"""--group-members, --unread-deny and --cross-check, in whole runs on a made-up cloud."""

import pytest

from preflight.emulator import Fault

RUN = ("--project", "acme-analytics")
VENDOR = "heap-sql@heap-204122.iam.gserviceaccount.com"
WORLD = f"""
[[callers]]
email = "admin@acme.example"

[[groups]]
email = "data@acme.example"
members = ["serviceAccount:{VENDOR}"]

[[projects]]
id = "acme-analytics"
number = "3000"

[[projects.bindings]]
role = "roles/owner"
members = ["user:admin@acme.example"]

[[projects.bindings]]
role = "roles/bigquery.user"
members = ["group:data@acme.example"]
"""
JOBS = (*RUN, "--rule", "jobs-create")


@pytest.fixture
def members(tmp_path):
    def written(*lines: str) -> tuple[str, str]:
        path = tmp_path / "members.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return "--group-members", str(path)

    return written


def test_who_is_in_a_group_may_be_told(preflight_world, preflight_run, members):
    preflight_world(WORLD)
    assert preflight_run(*JOBS).finding("jobs-create")["verdict"] == "unknown"
    told = preflight_run(*JOBS, *members(f"data@acme.example,{VENDOR}"))
    assert told.finding("jobs-create")["verdict"] == "pass"
    assert any(e["resource"].endswith("members.csv:1") for e in told.finding("jobs-create")["evidence"])
    assert preflight_run(*JOBS, *members("data@acme.example,")).finding("jobs-create")["verdict"] == "fail"


def test_a_mistake_in_the_file_is_refused_before_any_call(preflight_world, preflight_run, members):
    cloud = preflight_world(WORLD)
    run = preflight_run(*JOBS, *members("data@acme.example,nobody"))
    assert (run.exit_code, run.stdout) == (2, "")
    assert "members.csv:1: 'nobody' is not a member" in run.stderr
    assert not cloud.exchanges


@pytest.mark.parametrize(("option", "verdict"), [((), "pass"), (("--unread-deny", "unknown"), "unknown")])
def test_deny_policies_that_can_not_be_read(option, verdict, preflight_world, preflight_run):
    cloud = preflight_world(WORLD.replace("group:data@acme.example", f"serviceAccount:{VENDOR}"))
    cloud.inject(Fault("iam.policies.listPolicies", "denied"))
    run = preflight_run(*RUN, "--rule", "jobs-create", "--rule", "auditor-access", *option)
    assert run.finding("jobs-create")["verdict"] == verdict
    assert run.finding("auditor-access")["verdict"] == ("pass" if verdict == "pass" else "warn")


def test_a_second_opinion_is_asked_for_only_on_request(preflight_world, preflight_run):
    cloud = preflight_world(WORLD.replace("group:data@acme.example", f"serviceAccount:{VENDOR}"))
    asked = "policytroubleshooter.iam.troubleshoot"
    assert "second-opinion" not in {finding["rule"] for finding in preflight_run(*RUN).report["findings"]}
    assert asked not in {call.method for call in cloud.exchanges}
    run = preflight_run(*RUN, "--cross-check")
    assert run.finding("second-opinion")["verdict"] == "pass"
    assert asked in {call.method for call in cloud.exchanges}
    both = preflight_run(*JOBS, "--cross-check").report["findings"]
    assert {finding["rule"] for finding in both} == {"jobs-create", "second-opinion"}

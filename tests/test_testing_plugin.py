"""The rule authors' kit: the pytest plugin in a run of its own, and the helpers of `preflight.testing`."""

import subprocess
import sys

import pytest

from preflight import Denied, Unknown
from preflight.emulator import World, WorldError
from preflight.testing import (
    FOLDER,
    ORGANIZATION,
    bind,
    custom_role,
    first_caller,
    judge,
    policies,
    roles,
    target,
    unreadable,
    world,
)

pytest_plugins = ["pytester"]

HEAP = target().principal
OWNED = """
[[callers]]
email = "gone@acme.example"
expired = true

[[projects]]
id = "acme-analytics"
number = "3000"
bindings = [{ role = "roles/owner", members = ["user:root@acme.example"] }]
"""


def test_the_fixtures_serve_a_world_and_run_the_command_line(pytester):
    pytester.makepyfile("""
        import os
        import urllib.error
        import urllib.request

        ENDPOINTS = []
        RUN = ("--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production")

        def test_ready(preflight_world, preflight_run):
            cloud = preflight_world("ready", caller="admin@acme.example")
            ENDPOINTS.append(cloud.rest_endpoint)
            assert os.environ["PREFLIGHT_REST_ENDPOINT"] == cloud.rest_endpoint
            run = preflight_run(*RUN)
            assert (run.exit_code, run.report["verdict"]) == (0, "pass")
            assert run.finding("vendor-role")["verdict"] == "pass"
            assert "cloudresourcemanager.projects.get" in {call.method for call in cloud.exchanges}

        def test_it_has_stopped_and_the_environment_is_as_before():
            assert "PREFLIGHT_REST_ENDPOINT" not in os.environ
            try:
                urllib.request.urlopen(ENDPOINTS[0], timeout=5)
            except urllib.error.URLError:
                return
            raise AssertionError("it still answers")

        def test_the_last_world_counts(preflight_world, preflight_run):
            preflight_world("ready")
            preflight_world("broken")
            assert preflight_run(*RUN).exit_code == 1

        def test_files(preflight_world, preflight_run, tmp_path):
            preflight_world("ready")
            run = preflight_run(*RUN, "--output-dir", "out")
            assert run.exit_code == 0
            assert len(list((tmp_path / "out").iterdir())) == 2
            assert "Reports:" in run.stderr

        def test_what_there_is_not(preflight_world, preflight_run):
            preflight_world("ready")
            refused = preflight_run("--project", "acme-analytics", "--rule", "no-such-rule")
            assert refused.exit_code == 2
            for ask in (lambda: refused.report, lambda: preflight_run(*RUN).finding("no-such-rule")):
                try:
                    ask()
                except AssertionError as error:
                    assert "no-such-rule" in str(error)
                else:
                    raise RuntimeError("it was found")
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=5)


def test_a_run_without_a_world_never_reaches_google(pytester):
    pytester.makepyfile("""
        def test_no_world(preflight_run):
            preflight_run("--project", "acme-analytics")
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*RuntimeError: start a stand-in first: preflight_world('ready')*"])


def test_what_a_developer_has_set_does_not_lead_a_run_astray(pytester, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "somebody-elses")
    monkeypatch.setenv("PREFLIGHT_TRANSPORT", "nonsense")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    pytester.makepyfile("""
        def test_ready(preflight_world, preflight_run):
            preflight_world("ready")
            assert preflight_run("--project", "acme-analytics", "--rule", "vendor-role").exit_code == 0
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_fixtures_explain_themselves(pytester):
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["*preflight_world*", "*Serves a made-up cloud*", "*preflight_run*"])


def test_loading_the_plugin_costs_next_to_nothing():
    """It is loaded in every run of pytest of whoever has preflight installed."""
    code = (
        "import pytest, sys; before = set(sys.modules); import preflight.testing_plugin\n"
        "print(*sorted(m for m in set(sys.modules) - before if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["preflight", "preflight.testing_plugin"]


def test_worlds_are_named_written_or_found_in_files(tmp_path):
    assert world("ready") == World.demo("ready")
    assert world(World.demo("ready")) is not None
    (tmp_path / "w.toml").write_text(OWNED, encoding="utf-8")
    assert world(OWNED) == world(tmp_path / "w.toml")
    with pytest.raises(WorldError, match="there are: blind, broken, ready"):
        world("redy")
    with pytest.raises(WorldError, match=r"^world: .*unknown field `nme`.*\$\.projects\[0\]"):
        world('[[projects]]\nid = "a"\nnumber = "1"\nnme = "x"\n')


def test_the_first_caller_is_one_whose_token_is_good():
    assert first_caller(world("ready")) == "admin@acme.example"
    assert first_caller(world(OWNED)) == "root@acme.example"
    with pytest.raises(ValueError, match="nobody can call"):
        first_caller(World())


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param(policies(bind("roles/bigquery.user", HEAP)), "pass", id="on the project"),
        pytest.param(policies(folder=(bind("roles/bigquery.user", HEAP),)), "pass", id="inherited"),
        pytest.param(policies(folder=(), organization=()), "fail", id="nowhere"),
        pytest.param(policies(folder=unreadable(FOLDER)), "unknown", id="perhaps on the folder"),
        pytest.param(policies(organization=unreadable(ORGANIZATION)), "unknown", id="perhaps on the organization"),
        pytest.param(policies(bind("roles/bigquery.user", HEAP, only_if="x")), "unknown", id="under a condition"),
        pytest.param(Unknown(Denied("resourcemanager.projects.getIamPolicy")), "unknown", id="nothing read"),
    ],
)
def test_policies_are_stated_in_a_line(facts, status):
    assert judge("vendor-role", allow_policies=facts, roles=roles()).status == status


def test_roles_are_google_s_and_one_s_own():
    assert "bigquery.jobs.create" in roles().roles["roles/bigquery.user"].permissions
    name = "projects/acme-analytics/roles/runner"
    facts = {"allow_policies": policies(bind(name, HEAP)), "roles": roles(custom_role(name, "bigquery.jobs.create"))}
    assert judge("jobs-create", **facts).status == "pass"
    gone = roles(custom_role(name, "bigquery.jobs.create", deleted=True))
    assert judge("jobs-create", **{**facts, "roles": gone}).status == "fail"

"""`preflight check` as a command: formats, exit codes, and that it touches nothing but files."""

import json
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from preflight.cli import main
from preflight.renderers import Format
from tests.check.repos import GOOD, IAM, MAIN, changed, without, write

BAD = changed("main.tf", '"EU"', '"US"')


def preflight(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def test_json_is_a_list_of_reports(repository, capsys):
    write(repository, BAD)
    assert preflight("check", "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    (report,) = document["reports"]
    assert report["project"]["id"] == "acme-analytics"
    assert report["source"]["kind"] == "terraform"
    (failure,) = [one for one in report["findings"] if one["verdict"] == "fail"]
    assert failure["rule"] == "dataset-location"
    assert "main.tf:18:3" in [one["resource"] for one in failure["evidence"]]


def test_a_project_that_is_not_known_is_null(repository, capsys):
    write(repository, {"iam.tf": IAM.replace('"acme-analytics"', "var.p") + 'variable "p" {}\n'})
    assert preflight("check", "--format", "json") == 3
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert report["project"] == {"id": None, "number": None}


def test_nothing_to_judge_is_told_and_no_failure(repository, capsys):
    write(repository, {"main.tf": MAIN})
    assert preflight("check", "--format", "json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["reports"] == []
    assert "Nothing to judge" in said.err


def test_a_ticket_is_not_about_a_repository(repository, capsys):
    write(repository, BAD)
    assert preflight("check", "--format", "ticket", "--report", "ticket=out.txt") == 2
    assert "A ticket is about one project" in capsys.readouterr().err
    assert not (repository / "out.txt").exists()


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.TICKET])
@pytest.mark.parametrize("files", [BAD, {"main.tf": MAIN}], ids=["one report", "none"])
def test_every_format_can_be_had(repository, capsys, form, files):
    write(repository, files)
    code = preflight("check", "--format", form.value, "--report", f"{form.value}=out.txt")
    text = capsys.readouterr().out
    assert code == (1 if files is BAD else 0)
    assert (repository / "out.txt").read_text(encoding="utf-8") == text
    match form:
        case Format.JSON | Format.SARIF | Format.GITHUB_SARIF | Format.GITLAB:
            json.loads(text)
        case Format.JUNIT:
            ET.fromstring(text)
        case Format.GITHUB:
            assert ("::error title=FAIL dataset-location,file=main.tf,line=18,col=3::" in text) is (files is BAD)
        case _:
            assert ("dataset-location" in text) is (files is BAD)


def test_sarif_has_places_and_suppressions(repository, capsys):
    from sarif_kit.validate import validation_errors

    ignored = changed("main.tf", '"EU"', '"US"  # preflight:ignore[dataset-location] as agreed')
    write(repository, ignored)
    assert preflight("check", "--format", "sarif") == 0
    log = json.loads(capsys.readouterr().out)
    assert list(validation_errors(log)) == []
    (result,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "dataset-location"]
    assert (result["kind"], result["level"]) == ("fail", "error")
    (suppression,) = result["suppressions"]
    assert suppression == {
        "kind": "inSource",
        "status": "accepted",
        "justification": "as agreed (main.tf:18)",
    }
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "main.tf"
    assert place["region"]["startLine"] == 18
    assert place["region"]["startColumn"] == 3


def test_what_is_ignored_is_in_the_json_report(repository, capsys):
    write(repository, changed("main.tf", '"EU"', '"US"  # preflight:ignore[dataset-location] as agreed'))
    assert preflight("check", "--format", "json", "--rule", "dataset-location") == 0
    ((finding,),) = [one["findings"] for one in json.loads(capsys.readouterr().out)["reports"]]
    assert finding["verdict"] == "skip"
    assert finding["ignored"]["verdict"] == "fail"
    assert (finding["ignored"]["place"], finding["ignored"]["reason"]) == ("main.tf:18", "as agreed")


def test_a_second_run_says_the_same(repository, capsys):
    write(repository, {**BAD, "second.tf": IAM.replace('"heap"', '"again"').replace("vendor", "vendor_two")})
    outputs = []
    for _ in range(2):
        assert preflight("check", "--format", "github") == 1
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_what_mends_it_is_said_in_terraform(repository, capsys):
    write(repository, without("iam.tf"))
    for form in ("terminal", "github", "markdown", "junit"):
        assert preflight("check", "--format", form, "--rule", "vendor-role") == 1
        said = capsys.readouterr().out.replace("&quot;", '"')
        assert 'resource "google_project_iam_member"' in said, form
        assert "gcloud" not in said, form


def test_unknown_is_3_or_allowed(repository):
    write(repository, {**changed("main.tf", '"EU"', "var.l"), "variables.tf": 'variable "l" {}\n'})
    assert preflight("check", "-q") == 3
    assert preflight("check", "-q", "--allow-unknown") == 0
    assert preflight("check", "-q", "--var", "l=EU") == 0
    assert preflight("check", "-q", "--var", "l=US") == 1
    (repository / "us.tfvars").write_text('l = "US"\n')
    assert preflight("check", "-q", "--var-file", "us.tfvars") == 1
    assert preflight("check", "-q", "--var-file", "us.tfvars", "--var", "l=EU") == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("--var", "novalue"), "NAME=VALUE", id="no assignment"),
        pytest.param(("nowhere",), "nowhere", id="no such path"),
        pytest.param(("--config", "none.toml"), "none.toml", id="no such configuration"),
        pytest.param(("--plan", "none.json"), "none.json", id="no such plan"),
        pytest.param(("--format", "jsn"), "json", id="a typo of a format"),
        pytest.param(("--rule", "vendor-rol"), "vendor-role", id="a typo of a rule"),
        pytest.param(("--profile", "hep"), "heap", id="a typo of a profile"),
    ],
)
def test_a_mistake_is_2(repository, capsys, arguments, says):
    write(repository, without("preflight.toml"))
    assert preflight("check", *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err


def test_a_typo_in_the_configuration_is_2(repository, capsys):
    write(repository, {**GOOD, "preflight.toml": GOOD["preflight.toml"].replace("owns", "ownz")})
    assert preflight("check") == 2
    assert "preflight.toml:5: projects.acme-analytics: there is no key 'ownz' here." in capsys.readouterr().err


DELETED = """{"format_version": "1.2", "resource_changes": [
 {"address": "google_project_iam_member.heap", "mode": "managed", "type": "google_project_iam_member", "name": "heap",
  "change": {"actions": ["delete"], "after": null, "before": {"project": "acme-analytics",
  "role": "roles/bigquery.user", "member": "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"}}}]}"""


@pytest.mark.parametrize(("owns", "code", "answer"), [("", 3, "unknown"), ('owns = ["iam"]', 1, "fail")])
def test_a_plan_that_takes_the_role_away_is_no_pass(repository, capsys, owns, code, answer):
    write(repository, {"plan.json": DELETED, "preflight.toml": f"[projects.acme-analytics]\n{owns}\n"})
    assert preflight("check", "--plan", "plan.json", "--format", "json", "--rule", "vendor-role") == code
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    (finding,) = report["findings"]
    assert finding["verdict"] == answer
    assert report["source"]["kind"] == "plan"
    assert any("google_project_iam_member.heap" in one["resource"] for one in finding["evidence"]) or owns


def test_without_a_configuration_a_plans_projects_are_those_of_the_principal(repository, capsys):
    write(repository, {"plan.json": DELETED})
    assert preflight("check", "--plan", "plan.json", "--format", "json", "--rule", "vendor-role") == 3
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert report["project"]["id"] == "acme-analytics"


def test_it_is_the_same_from_a_folder_inside(repository, capsys, monkeypatch):
    write(repository, {**BAD, "modules/x/main.tf": "\n"})
    monkeypatch.chdir(repository / "modules")
    assert preflight("check", "..", "--format", "github") == 1
    assert "file=main.tf,line=18" in capsys.readouterr().out


_WATCHED = """
import socket, subprocess, sys
def refused(*_, **__):
    raise AssertionError("it reaches out")
socket.socket = socket.create_connection = socket.getaddrinfo = refused
subprocess.Popen.__init__ = refused
import os
os.system = os.fork = refused
from preflight.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    loaded = sorted({name.split(".")[0] for name in sys.modules} & {
        "google", "grpc", "pydantic", "requests", "urllib3", "cel_expr_python"})
    print(end.code, *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        pytest.param((), [], id="terminal"),
        pytest.param(("--format", "sarif"), [], id="sarif"),
        pytest.param(("--format", "github"), [], id="github"),
        pytest.param(("--format", "json"), ["pydantic"], id="json"),
    ],
)
def test_it_opens_no_socket_starts_nothing_and_loads_no_client(repository, arguments, loaded):
    write(repository, BAD)
    command = [sys.executable, "-c", _WATCHED, "check", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1].split() == ["1", *loaded], done.stderr


def test_the_watch_would_tell():
    tried = _WATCHED.replace("from preflight.cli import main", "socket.create_connection(('127.0.0.1', 9))")
    done = subprocess.run([sys.executable, "-c", tried], capture_output=True, text=True, timeout=60, check=False)
    assert "it reaches out" in done.stderr
    assert socket.socket is not None


def test_it_writes_nothing_into_the_repository(repository):
    write(repository, GOOD)
    before = sorted(path.name for path in Path().rglob("*"))
    assert preflight("check", "-q") == 0
    assert sorted(path.name for path in Path().rglob("*")) == before

"""The auditor's own role: it holds what the tool reads with, and gcloud and Terraform take it."""

import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from preflight.cli.custom_role import as_terraform, custom_role
from preflight.cli.permissions import command
from preflight.engine import load_rules, needed_facts
from preflight.errors import UsageError
from preflight.facts.methods import ALLOWED, methods_for
from preflight.rulebook import select


def printed(*options: str) -> str:
    done = CliRunner().invoke(command, options, catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0
    return done.output


def fields(text: str) -> dict[str, str | list[str]]:
    """The plain YAML that it writes, read without a library for it."""
    found: dict[str, str | list[str]] = {}
    held: list[str] = []
    for line in text.splitlines():
        if line.startswith("- "):
            held.append(line.removeprefix("- "))
        elif not line.startswith("#"):
            key, _, value = line.partition(":")
            found[key] = value.strip()
    return {**found, "includedPermissions": held}


def test_it_holds_just_what_the_chosen_rules_need():
    methods = methods_for(needed_facts(select(load_rules())))
    assert fields(printed("--custom-role"))["includedPermissions"] == sorted({m.permission for m in methods} - {""})
    assert fields(printed("--custom-role", "--rule", "billing-enabled"))["includedPermissions"] == [
        "resourcemanager.projects.get"
    ]
    assert fields(printed("--custom-role", "--rule", "dataset-name"))["includedPermissions"] == []


def test_the_fields_that_gcloud_reads():
    found = fields(printed("--custom-role", "auditor"))
    assert set(found) == {"title", "description", "stage", "includedPermissions"}
    assert found["stage"] == "GA"
    assert "# gcloud iam roles create auditor --organization=ORGANIZATION_ID --file=FILE" in printed(
        "--custom-role", "auditor"
    )
    assert "# gcloud iam roles create preflightAuditor --project=PROJECT_ID" in printed(
        "--custom-role", "--level", "project"
    )


def test_what_a_projects_role_can_not_hold_is_left_out_and_told():
    text = printed("--custom-role", "--level", "project")
    held = fields(text)["includedPermissions"]
    above = ("resourcemanager.folders.", "resourcemanager.organizations.", "orgpolicy.")
    assert held
    assert not [permission for permission in held if permission.startswith(above)]
    everything = fields(printed("--custom-role"))["includedPermissions"]
    for permission in set(everything) - set(held):
        role = next(m.role for m in ALLOWED if m.permission == permission)
        assert f"#   {permission}: {role}" in text
    assert set(held) < set(everything)


def test_json_is_what_the_api_takes():
    body = json.loads(printed("--custom-role", "--format", "json"))
    assert body["roleId"] == "preflightAuditor"
    assert body["role"]["includedPermissions"] == fields(printed("--custom-role"))["includedPermissions"]


@pytest.mark.parametrize(
    ("level", "kind", "place"),
    [
        ("organization", "google_organization_iam_custom_role", '  org_id      = "ORGANIZATION_ID"'),
        ("project", "google_project_iam_custom_role", '  project     = "PROJECT_ID"'),
    ],
)
def test_terraform(level, kind, place):
    text = printed("--custom-role", "--format", "terraform", "--level", level)
    assert f'resource "{kind}" "preflightAuditor" {{' in text
    assert place in text.splitlines()
    for permission in fields(printed("--custom-role", "--level", level))["includedPermissions"]:
        assert f'    "{permission}",' in text.splitlines()


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")
@pytest.mark.parametrize("level", ["organization", "project"])
@pytest.mark.parametrize("methods", [ALLOWED, ()], ids=["all", "none"])
def test_terraform_has_nothing_to_format(level, methods):
    text = as_terraform(custom_role("x.y_z", methods), level) + "\n"
    formatted = subprocess.run(["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=True)
    assert formatted.stdout == text


@pytest.mark.parametrize("role_id", ["", "ab", "a-b-c", "x" * 65, "a b c", "$(reboot)"])
def test_an_id_that_no_role_can_have(role_id):
    with pytest.raises(UsageError, match="is not a custom role's ID"):
        custom_role(role_id, ALLOWED)


def test_terraform_of_nothing_but_a_role():
    with pytest.raises(UsageError, match="--format terraform is for a custom role"):
        printed("--format", "terraform")

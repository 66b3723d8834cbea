"""Remedies are ready to run: whatever is in a name, a shell and Terraform read it as one word of text."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.remedies import console, grant_role, hcl, shell

HOSTILE = ["$(reboot)", "`id`", "a b", "a'b", 'a"b', "a;b", "a\nb", "${var.x}", "%{ if x }", "\\", "é", ""]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_a_shell_reads_back_the_words(words):
    assert shlex.split(shell(*words)) == words


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_terraform_reads_back_the_text(text):
    literal = hcl(text)
    assert "\n" not in literal
    assert json.loads(literal.replace("$${", "${").replace("%%{", "%{")) == text
    assert "${" not in literal.replace("$${", "")
    assert "%{" not in literal.replace("%%{", "")


def test_the_consoles_address_keeps_to_its_query():
    assert console("iam-admin/iam", "acme") == "https://console.cloud.google.com/iam-admin/iam?project=acme"
    assert console("x", "example.com:a&b=c#d e") == (
        "https://console.cloud.google.com/x?project=example.com%3Aa%26b%3Dc%23d%20e"
    )


def test_a_grant_in_three_forms():
    remedy = grant_role("acme", "user:ana@acme.example", "roles/bigquery.user")
    assert "roles/bigquery.user" in remedy.summary
    assert remedy.commands == (
        "gcloud projects add-iam-policy-binding acme --member=user:ana@acme.example --role=roles/bigquery.user "
        "--condition=None",
    )
    assert remedy.terraform == (
        'resource "google_project_iam_member" "vendor_bigquery_user" {\n'
        '  project = "acme"\n'
        '  role    = "roles/bigquery.user"\n'
        '  member  = "user:ana@acme.example"\n'
        "}"
    )
    assert remedy.console_url == console("iam-admin/iam", "acme")


def test_a_custom_roles_terraform_name_is_valid():
    assert (
        '"vendor_projects_acme_roles_sql_runner"'
        in grant_role("a", "user:x@y.z", "projects/acme/roles/sql.runner").terraform
    )

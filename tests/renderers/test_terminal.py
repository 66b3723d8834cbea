import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from preflight.renderers.terminal import render
from preflight.report import skipped

SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [60, 140])
def test_it_fits_the_terminal(width, reports, golden):
    golden(f"broken-{width}.txt", render(reports["broken"], width=width))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_only_what_is_copied_is_wider_than_the_terminal(width, reports):
    findings = reports["broken"].findings
    remedies = [remedy for finding in findings for remedy in finding.verdict.remedies]
    copied = {command for remedy in remedies for command in remedy.commands} | {r.console_url for r in remedies}
    lines = render(reports["broken"], width=width).splitlines()
    wide = {line.strip() for line in lines if len(line) > width}
    assert {line for line in wide if " " in line or "://" in line} <= copied  # nor is a name cut
    assert {line.strip() for line in lines} >= copied - {None}


def test_colours_change_no_character(report, golden, report_name):
    coloured = render(report, colour=True)
    assert SGR.sub("", coloured) == render(report)
    assert SGR.search(coloured)
    golden(f"{report_name}-colour.txt", coloured)


def test_a_line_says_one_rule_and_what_is_wrong_is_first(reports):
    table = render(reports["broken"], width=140).split("\n\n")[1].splitlines()
    assert [line.split()[:2] for line in table] == [
        ["FAIL", "bigquery-api-enabled"],
        ["FAIL", "vendor-role"],
        ["FAIL", "jobs-create"],
        ["UNKNOWN", "billing-enabled"],
        ["WARN", "dataset-name"],
        ["PASS", "project-active"],
        ["SKIP", "dataset-location"],
        ["SKIP", "dataset-writable"],
    ]


def test_what_mends_two_rules_is_written_out_once(reports):
    text = " ".join(render(reports["broken"]).split())
    assert text.count("--role=roles/bigquery.user") == 1
    assert "How: see vendor-role" in text


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("broken", "NOT READY: 3 of 8 rules fail"),
        ("ready", "READY: 1 rule passes"),
        ("warned", "READY, WITH WARNINGS: 1 of 2 rules warns"),
        ("blind", "CAN'T TELL: 1 of 2 rules could not be determined"),
    ],
)
def test_it_ends_with_the_verdict(name, begins, reports):
    """And after it what the vendor is to be told, where there is something."""
    report = replace(reports[name], handover=None)
    assert render(report).split("\n\n")[-1].startswith(begins)
    assert render(reports[name]).startswith(render(report))


def test_every_line_that_hostile_names_are_on_is_ours(hostile_report):
    """A name can't begin a line of its own in the table, nor stand where the verdict does."""
    lines = render(hostile_report, width=140).splitlines()
    assert sum(line.startswith(("FAIL ", "UNKNOWN ", "WARN ", "PASS ", "SKIP ")) for line in lines) == 8
    assert sum(line.startswith("NOT READY: 1 of 5 rules fails") for line in lines) == 1


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com, too", "heap-sql@..., too"),
        ("of heap-sql@heap-204122.iam.gserviceaccount.com.", "of heap-sql@...."),
        *(
            (other, other)
            for other in (
                "deleted:serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com?uid=1",
                "user:heap-sql@heap-204122.iam.gserviceaccount.com",
                "heap-sql@heap-204122.iam.gserviceaccount.com.evil.example",
                "my-heap-sql@heap-204122.iam.gserviceaccount.com",
            )
        ),
    ],
)
def test_the_table_shortens_the_account_and_no_other(message, row, make_report, make_finding):
    text = render(make_report(make_finding("some-rule", "t", skipped(message))), width=140)
    assert f"SKIP  some-rule  {row}\n" in text


def test_evidence_of_another_day_has_its_date(reports):
    later = replace(reports["blind"], started_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert "projects/acme-analytics 03:04:05Z)" in " ".join(render(reports["blind"]).split())
    assert "projects/acme-analytics 2026-01-02T03:04:05Z)" in " ".join(render(later).split())

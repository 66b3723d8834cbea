"""Evidence points at a file only where it does: an API's resource may be called anything."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from preflight.facts.seen import Denied, Evidence
from preflight.facts.snapshot import Target
from preflight.renderers.identity import fingerprint
from preflight.renderers.places import FilePlace, place_of, places_of, resources_of
from preflight.report import unknown

API = "cloudresourcemanager.projects.getIamPolicy"


@pytest.mark.parametrize(
    ("source", "resource", "place"),
    [
        ("terraform", "main.tf:3", FilePlace("main.tf", 3)),
        ("terraform", "a:b/main.tf:12", FilePlace("a:b/main.tf", 12)),
        ("terraform plan", "out/plan.json", FilePlace("out/plan.json", None)),
        ("terraform plan", 'out/plan.json: module.a["x: y"].google_project.tf', FilePlace("out/plan.json", None)),
        ("terraform plan", "out/plan: google_bigquery_dataset.heap", FilePlace("out/plan", None)),
        ("terraform", "preflight.toml", FilePlace("preflight.toml", None)),
        ("cloud asset export", "/tmp/export.jsonl.gz:1048576", FilePlace("/tmp/export.jsonl.gz", 1048576)),  # noqa: S108
        ("cloud asset export, as of 2026-01-02", "export:7", FilePlace("export", 7)),
        ("cloud asset export", "a.json, b.json", None),
        ("terraform", "main.tf:0", None),
        ("terraform", "main.tf:03", None),
        ("terraform", "main.tf:9999999999", None),
        ("terraform", ":3", None),
        ("terraform", "modules/vendor", None),
        (API, "projects/acme", None),
        (API, "projects/acme:12", None),
        (API, "projects/evil.tf:3", None),
        ("bigquery.datasets.get", "projects/acme/datasets/evil.json", None),
        ("option", "--location", None),
        ("preflight", "", None),
    ],
)
def test_what_is_a_place_in_a_file(source, resource, place):
    assert place_of(Evidence(source, resource, None, "x")) == place


def test_places_and_resources_are_told_once_and_lines_before_files(reports):
    finding = reports["files"].findings[0]
    wrong = finding.verdict
    whole = Evidence("terraform plan", "plan.json", None, "y")
    policy = Evidence(API, "projects/acme", None, "z")
    evidence = (whole, policy, *wrong.evidence, policy, wrong.evidence[1])
    both = replace(finding, verdict=replace(wrong, evidence=evidence))
    lines = (FilePlace("./infra/data sets.tf", 12), FilePlace("/srv/modules/vendor.tf", 3))
    assert places_of(both) == (*lines, FilePlace("plan.json", None))
    assert resources_of(both) == ("projects/acme",)


def test_a_fingerprint_stays_when_line_time_and_words_change(reports):
    report = reports["files"]
    finding = report.findings[0]
    moved = Evidence("terraform", "other.tf:99", report.started_at, "z")
    changed = (
        replace(finding, verdict=replace(finding.verdict, message="other words", evidence=(moved,))),
        replace(finding, title="another title"),
        replace(finding, verdict=unknown("not seen this time", Denied("a.b.c"))),
    )
    later = replace(report, started_at=report.started_at + timedelta(days=1), source="plan", project_number=None)
    assert {fingerprint(later, one) for one in changed} == {fingerprint(report, finding)}


def test_a_fingerprint_is_of_its_rule_project_and_question_alone(reports):
    report = reports["files"]
    target = report.target
    others = [
        (report, report.findings[1]),
        (replace(report, profile="other"), report.findings[0]),
        *(
            (replace(report, target=other), report.findings[0])
            for other in (
                replace(target, project="acme-two"),
                replace(target, principal="user:a@example.com"),
                replace(target, dataset=None),
                Target("acme", "-analytics"),  # what is told apart is not what is written one after another
                Target("acme-", "analytics"),
            )
        ),
    ]
    prints = {fingerprint(report, report.findings[0]), *(fingerprint(*other) for other in others)}
    assert len(prints) == len(others) + 1
    assert all(len(one) == 64 for one in prints)

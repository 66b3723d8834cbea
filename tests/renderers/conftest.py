"""The reports that every renderer is tested on."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from preflight.facts.access_path import AccessPath, Barrier, Level, OpenPoint, Way
from preflight.facts.seen import Denied, Evidence, Unresolved
from preflight.facts.snapshot import Target
from preflight.remedies import console, grant_role, shell
from preflight.renderers.html.markup import Markup
from preflight.report import (
    Finding,
    HandOver,
    Open,
    Remedy,
    Report,
    Severity,
    Verdict,
    failed,
    passed,
    skipped,
    unknown,
    warned,
)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
END = datetime(2026, 1, 2, 3, 4, 6, 250_000, tzinfo=UTC)
HEAP = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
GOLDEN = Path(__file__).parent / "golden"


def finding(rule: str, title: str, verdict: Verdict, *requirements: str, **also: Any) -> Finding:
    given: dict[str, Any] = {"severity": Severity.REQUIRED, "because": None, **also}
    return Finding(rule=rule, title=title, requirements=requirements, verdict=verdict, **given)


def report_of(*findings: Finding, **also: Any) -> Report:
    given: dict[str, Any] = {
        "target": Target("acme-analytics", HEAP, "EU", "heap_production"),
        "project_number": "123456789012",
        "profile": "heap",
        "profile_version": "2021.02",
        "vendor": "Heap",
        "source": "live",
        "started_at": START,
        "finished_at": END,
        **also,
    }
    return Report(findings=findings, **given)


def saw(source: str, resource: str, detail: str) -> Evidence:
    return Evidence(source, resource, START, detail)


PROJECT_ACTIVE = finding(
    "project-active",
    "The project exists and is active",
    passed(
        "acme-analytics is ACTIVE",
        saw("cloudresourcemanager.projects.get", "projects/acme-analytics", "state ACTIVE"),
    ),
    "H1",
    why="A project that is being deleted refuses every call.",
    how="Reads the project's\n    state.",
)
API_OFF = finding(
    "bigquery-api-enabled",
    "The BigQuery API is enabled",
    failed(
        "the BigQuery API is not enabled in acme-analytics",
        saw(
            "serviceusage.services.batchGet",
            "projects/123456789012/services/bigquery.googleapis.com",
            "state DISABLED",
        ),
        remedy=Remedy(
            summary="Enable the BigQuery API; it takes a minute to act.",
            commands=(shell("gcloud", "services", "enable", "bigquery.googleapis.com", "--project=acme-analytics"),),
            terraform=(
                'resource "google_project_service" "bigquery" {\n'
                '  project = "acme-analytics"\n'
                '  service = "bigquery.googleapis.com"\n'
                "}"
            ),
            console_url=console("apis/library/bigquery.googleapis.com", "acme-analytics"),
        ),
    ),
    "H3",
)
_POLICY = saw(
    "cloudresourcemanager.projects.getIamPolicy",
    "projects/acme-analytics",
    "roles/bigquery.dataEditor is granted to serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com",
)
_GRANT_USER = replace(
    grant_role("acme-analytics", HEAP, "roles/bigquery.user"),
    summary="Grant BigQuery User, which is what Heap asks for.",
)
ROLE_HALF = finding(
    "vendor-role",
    "The vendor's account has the role that the vendor asks for",
    failed(
        "heap-sql@heap-204122.iam.gserviceaccount.com has roles/bigquery.dataEditor, but not bigquery.jobs.create",
        _POLICY,
        remedy=(
            _GRANT_USER,
            replace(
                grant_role("acme-analytics", HEAP, "roles/bigquery.jobUser"),
                summary="Or keep to the minimum, and grant just the right to run jobs.",
            ),
        ),
    ),
    "H6",
    "H7",
)
JOBS = finding(
    "jobs-create",
    "The vendor's account may run jobs in the project",
    failed(
        "no role of heap-sql@heap-204122.iam.gserviceaccount.com holds bigquery.jobs.create",
        _POLICY,
        remedy=_GRANT_USER,
    ),
    "H6",
    "H7",
)
BILLING_DENIED = finding(
    "billing-enabled",
    "Billing is enabled on the project",
    unknown(
        "whether billing is enabled on acme-analytics could not be read",
        Denied("resourcemanager.projects.get", "projects/acme-analytics"),
        saw(
            "cloudbilling.projects.getBillingInfo",
            "projects/acme-analytics",
            "access denied: resourcemanager.projects.get on projects/acme-analytics",
        ),
    ),
    "H2",
)
NAME_ODD = finding(
    "dataset-name",
    "The dataset's name is valid and leaves room for the vendor's second dataset",
    warned(
        "heap_migrated ends in _migrated, which Heap appends to the name of its second dataset",
        Evidence("command line", "--dataset", None, "heap_migrated"),
        remedy=Remedy(summary="Choose a name without that ending."),
    ),
    "H5",
    "H8",
)
NOT_WRITABLE_YET = finding(
    "dataset-writable",
    "The vendor's account can write to its datasets",
    skipped("bigquery-api-enabled failed: mend that first"),
    "H6",
    because="bigquery-api-enabled",
)
LOCATION_OPEN = finding(
    "dataset-location", "The location is one that the vendor syncs to", skipped("no location was named"), "H4"
)
LINE_WRONG = finding(
    "dataset-location",
    "The location is one that the vendor syncs to",
    failed(
        "heap_production is declared in europe-west2, not in EU",
        Evidence("option", "--location", None, "EU"),
        Evidence("terraform", "./infra/data sets.tf:12", None, 'location = "europe-west2"'),
        Evidence("terraform", "/srv/modules/vendor.tf:3", None, "location = var.location"),
        remedy=Remedy(summary="Declare it in EU.", terraform='location = "EU"'),
    ),
    "H4",
    severity=Severity.IMPORTANT,
)
PLAN_BLIND = finding(
    "jobs-create",
    "The vendor's account may run jobs in the project",
    unknown(
        "who has roles/bigquery.user is known after apply",
        Unresolved("google_project_iam_member.heap.member is known after apply", "Apply it, then run again."),
        Evidence("terraform plan", "plan.json", None, "member: known after apply"),
    ),
    severity=Severity.IMPORTANT,
)

HOSTILE_NAMES = (
    "@admin",
    "**bold** _it_ ~~gone~~ `code` ``two``",
    "# heading",
    "a | b \\| c \\\\| d",
    "<script>alert(1)</script> <!-- --> <details> &lt; &#64;octocat",
    "[click](http://evil.example) ![x](http://evil.example/x.png) <http://evil.example> www.evil.example",
    "octo/repo#1 #12 GH-3 deadbeefcafe https://evil.example a@evil.example",
    "line one\n## forged\n\n| a | b |\n|---|---|\n```\n~~~\n---",
    "turned \u202e around \u2066 zero\u200bwidth \ufeff tag\U000e0041 filler\u3164 nbsp\u00a0",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link \x9b2J \x7f\x00\r",
    "1. item",
    "- item",
    "* item",
    "+ item",
    "> quote",
    "=== ",
    "    indented",
    "/close",
    ":tada: $x^2$ [^1] - [ ] task",
    "[ref]: http://evil.example",
    "``` ```` ` ~~~~",
    "\\",
    "trailing \\",
    "e\u0301\u0301\u0301\u0301\u0301\u0301 Zürich 東京 दिल्ली עברית",
    "\udcff lone",
    "=HYPERLINK(1)",
    "::stop-commands::x",
    "##[add-mask]acme",
    "fine ##vso[task.setvariable variable=x]y ##teamcity[x] ###[error]z",
    "\n  ::error file=x::forged ::::notice::z",
    "100%0A::error::forged,file=x:1%25",
    "{0} {{1}} {x}",
    "]]></failure><failure/> \ufffe \uffff ",
    "main.tf:12",
    "",
    " ",
)


def evil_path(name: str) -> AccessPath:
    """A path that says `name` wherever text from outside can stand."""
    way = Way(
        resource=name, role=name, member=name, gives=None, covers=None, role_holds=None, condition=name, title=name
    )
    return AccessPath(
        principal=name,
        wanted=(name, f"{name}!"),
        resource=f"projects/{name}",
        granted=None,
        levels=(Level(f"folders/{name}", False), Level(f"projects/{name}/datasets/{name}", True)),
        ways=(way, replace(way, gives=False, holds=False), replace(way, gives=True, covers=True)),
        barriers=(Barrier(policy=name, resource=name, acts=True, condition=name),),
        open=(OpenPoint(name, name),),
        changes_at=START,
    )


def evil(name: str, number: int = 0, *paths: AccessPath) -> Finding:
    """A finding that says `name` wherever text from outside can stand; `number` chooses the verdict."""
    remedy = Remedy(
        name, (name, shell("gcloud", "x", name)), f"a = 1\n{name}", f"https://console.cloud.google.com/{name}"
    )
    verdict = (
        failed(name, Evidence(name, name, START, name), remedy=remedy),
        unknown(name, Denied(f"{name}!", name), Evidence(name, name, None, name)),
        warned(name, Evidence(name, name, START, name), remedy=remedy),
        passed(name, Evidence(name, name, START, name)),
        skipped(name),
    )[number % 5]
    shown = replace(verdict, access=paths)
    return finding(f"rule-{number}", name, shown, name, why=name, how=name)


def evil_report(name: str) -> Report:
    return report_of(
        *(evil(name, number, evil_path(name)) for number in range(5)),
        target=Target(name, name, name, name),
        vendor=name,
        project_number=name,
        handover=HandOver(name, name, (Open(name, name),)),
        profile=name,
        profile_version=name,
    )


HANDOVER = HandOver(
    "support@heap.example, or to your account team",
    "Please connect it.\n\nProject ID: acme-analytics\nLocation: (not known yet)",
    (Open("location", "--location"),),
)
REPORTS = {
    "broken": report_of(
        PROJECT_ACTIVE,
        BILLING_DENIED,
        API_OFF,
        ROLE_HALF,
        JOBS,
        LOCATION_OPEN,
        NAME_ODD,
        NOT_WRITABLE_YET,
        handover=HANDOVER,
    ),
    "ready": report_of(PROJECT_ACTIVE, LOCATION_OPEN, handover=HANDOVER),
    "warned": report_of(PROJECT_ACTIVE, NAME_ODD),
    "blind": report_of(PROJECT_ACTIVE, BILLING_DENIED),
    "files": report_of(LINE_WRONG, PLAN_BLIND, PROJECT_ACTIVE, source="terraform"),
    "hostile": report_of(
        *(evil(name, number) for number, name in enumerate(HOSTILE_NAMES)),
        target=Target("example.com:@admin|<b>", "user:x`y@evil.example", "E\u202eU", "a\nb"),
        vendor="Heap <img src=x> @heap",
        handover=HandOver("@heap <b>", "`x`\n```\n# y\x1b[31m", ()),
        project_number="#1",
    ),
}


@pytest.fixture(autouse=True)
def _a_version_that_stays(monkeypatch):
    for module in (
        "fleet",
        "markdown",
        "sarif",
        "wire",
        "audit_markdown",
        "audit_wire",
        "access_wire",
        "diff_markdown",
        "diff_wire",
        "html.page",
        "ticket",
    ):
        monkeypatch.setattr(f"preflight.renderers.{module}.__version__", "1.2.3")


@pytest.fixture(autouse=True)
def _a_page_without_its_style(request, monkeypatch):
    """The committed pages stand for what is in them, not for how it looks; the fixture `styled`
    leaves that in."""
    if "styled" not in request.fixturenames:
        monkeypatch.setattr("preflight.renderers.html.page._part", lambda name: Markup(f"/* {name} */"))


@pytest.fixture
def styled():
    """Pages have their style and their script."""


@pytest.fixture(params=REPORTS)
def report_name(request):
    return request.param


@pytest.fixture
def report(report_name):
    return REPORTS[report_name]


@pytest.fixture
def reports() -> dict[str, Report]:
    return REPORTS


@pytest.fixture(params=HOSTILE_NAMES, ids=ascii)
def hostile(request):
    return request.param


@pytest.fixture
def hostile_report(hostile) -> Report:
    return evil_report(hostile)


@pytest.fixture
def harmless_report() -> Report:
    return evil_report("plain")


@pytest.fixture
def make_report():
    return report_of


@pytest.fixture
def make_finding():
    return finding


@pytest.fixture
def golden():
    """Compares a text with a committed file. `PREFLIGHT_GOLDEN=write` writes it anew: read it before committing."""

    def compare(file: str, text: str) -> None:
        path = GOLDEN / file
        if os.environ.get("PREFLIGHT_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8", newline="")
        assert text == path.read_text(encoding="utf-8")

    return compare

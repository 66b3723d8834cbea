"""A ticket's text: the verdict first, always short enough, and what was left out is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight.facts.seen import Denied
from preflight.renderers.ticket import MOST, render
from preflight.report import HandOver, Remedy, Report, Severity, failed, passed, skipped, unknown, warned
from tests.renderers.conftest import REPORTS, evil, finding, report_of, saw

LONG = "nothing but words " * 5_000


def many(count: int, text: str = "it does not hold", *, commands: int = 1) -> Report:
    """A report with so many of each."""
    remedy = Remedy(text, tuple(f"gcloud x {text} {number}" for number in range(commands)), None, f"https://x/{text}")
    evidence = tuple(saw("api.method", f"projects/{number}", text) for number in range(5))
    verdicts = (
        lambda: failed(text, *evidence, remedy=(remedy, replace(remedy, summary=f"{text} too"))),
        lambda: unknown(text, Denied("x.y.get", text), *evidence, remedy=remedy),
        lambda: warned(text, *evidence, remedy=remedy),
        lambda: passed(text, *evidence),
        lambda: skipped(text),
    )
    return report_of(*(finding(f"rule-{n}", text, verdicts[n % 5](), "H1") for n in range(count)))


def test_the_verdict_is_first_and_all_is_told_where_there_is_room():
    lines = render(REPORTS["broken"]).splitlines()
    assert lines[0] == "NOT READY: project acme-analytics (123456789012) for Heap"
    assert lines[1].startswith("3 of 8 rules fail")
    text = "\n".join(lines)
    order = [text.index(part) for part in ("FAIL bigquery-api", "FAIL vendor-role", "UNKNOWN billing", "WARN dataset")]
    assert order == sorted(order)
    assert "gcloud services enable bigquery.googleapis.com --project=acme-analytics" in text
    assert "To settle it: Grant the caller resourcemanager.projects.get" in text
    assert "Seen: state DISABLED" in text
    assert "Passes: project-active" in text
    assert "Left out" not in text
    assert "pseudonyms" not in text


def test_that_names_were_replaced_is_said():
    assert "pseudonyms; preflight reveal turns an answer back" in render(REPORTS["broken"], pseudonyms=True)


def test_what_mends_two_rules_is_told_once():
    text = render(REPORTS["broken"])
    assert text.count("--role=roles/bigquery.user") == 1
    assert "To fix it: as under vendor-role." in text


def test_a_ticket_of_a_ready_project_says_what_to_send():
    text = render(REPORTS["ready"])
    assert text.startswith("READY: ")
    assert "Send this to support@heap.example" in text
    assert "\nProject ID: acme-analytics\n" in text
    long = HandOver("x", "word " * 1_000)
    assert "too long for a ticket" in render(replace(REPORTS["ready"], handover=long))


@pytest.mark.parametrize("count", [0, 1, 5, 20, 100, 3_000])
@pytest.mark.parametrize("text", ["it does not hold", LONG, "\x1b[31m\u202e" * 1_000, "é" * 10_000])
def test_it_is_never_too_long(count, text):
    made = render(many(count, text))
    assert len(made) <= MOST < 4_000
    assert made.endswith("\n")
    assert [c for c in made if not c.isprintable() and c != "\n"] == []
    if count:
        assert made.startswith("NOT READY: ")
        assert "rule-0" in made


@given(st.lists(st.text(max_size=3_000), min_size=1, max_size=40), st.text(max_size=500))
def test_it_is_never_too_long_whatever_it_says(texts, name):
    report = report_of(
        *(replace(evil(text, number), severity=Severity.IMPORTANT) for number, text in enumerate(texts)),
        vendor=name,
        profile=name,
        project_number=name,
        handover=HandOver(name, name * 20),
    )
    made = render(report, pseudonyms=True)
    assert len(made) <= MOST
    assert [c for c in made if not c.isprintable() and c != "\n"] == []


def test_what_matters_least_goes_first_and_that_is_said():
    def left_out(report: Report) -> str:
        (line,) = [line for line in render(report).splitlines() if line.startswith("Left out to keep this short")]
        return line

    some = left_out(many(30, commands=2))
    assert "what passes" in some
    assert "evidence" in some
    most = left_out(many(300))
    assert "all but a line for each rule" in most
    assert " rules. A bundle has it all" in most
    text = render(many(30))
    assert text.index("FAIL rule-0") < text.index("UNKNOWN rule-1")


def test_a_command_is_whole_or_not_there():
    command = "gcloud " + "x" * 2_000
    report = report_of(finding("a", "b", failed("c", saw("x", "y", "z"), remedy=Remedy("Do it.", (command,)))))
    assert "gcloud" not in render(report)
    assert "(too long for a ticket: see the report)" in render(report)


def test_what_gives_sight_is_left_out_last(make_report, make_finding):
    command = "gcloud projects add-iam-policy-binding acme --role=roles/iam.securityReviewer"
    sight = make_finding(
        "auditor-access",
        "It sees",
        warned("it can't", remedy=Remedy("Give it sight.", (command,))),
        severity=Severity.RECOMMENDED,
    )
    other = make_finding(
        "other", "It is", warned("it isn't", remedy=Remedy("Mend it.", ("echo mended",))), severity=Severity.RECOMMENDED
    )
    blind = [
        make_finding(f"rule-{n}", "It holds", unknown("it can't be told " + "w " * 250, Denied("x.y.get")))
        for n in range(12)
    ]
    text = render(make_report(*blind, other, sight))
    assert "what to do about warnings" in text
    assert "echo mended" not in text
    assert command in text

import pytest
from msgspec.structs import replace

from preflight.facts.seen import Denied, Internal
from preflight.renderers import words
from preflight.report import Severity, unknown


def test_nothing_judged(make_report, reports):
    assert words.counts(make_report()) == "no rule was judged"
    skipped = make_report(reports["ready"].findings[1])
    assert words.counts(skipped) == "1 rule does not apply"
    assert "nothing was there to be judged" in words.next_step(skipped)


def test_a_defect_of_ours_comes_before_all_advice(make_report, make_finding, reports):
    defect = make_finding("some-rule", "It holds", unknown("internal error: x", Internal("x")))
    report = make_report(*reports["broken"].findings, defect)
    assert "--debug" in words.next_step(report)


def test_blindness_that_was_allowed_is_told(reports):
    assert "allowed" in words.next_step(replace(reports["blind"], allow_unknown=True))


def test_an_open_point_is_no_obstacle(make_report, make_finding, reports):
    verdict = unknown("it was not seen", Denied("x.y.get"))
    point = make_finding("some-rule", "It holds", verdict, severity=Severity.IMPORTANT)
    report = make_report(reports["ready"].findings[0], point)
    assert words.answer(report) == "READY"
    assert words.counts(report) == "1 of 2 rules could not be determined"
    assert "no obstacle" in words.next_step(report)


@pytest.mark.parametrize(("message", "told"), [("it was not seen", True), ("hm: access denied: x.y.get", False)])
def test_the_cause_is_told_once(message, told, make_finding):
    finding = make_finding("some-rule", "It holds", unknown(message, Denied("x.y.get")))
    assert words.cause(finding) == ("access denied: x.y.get" if told else None)

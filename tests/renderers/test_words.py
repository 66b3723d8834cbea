import pytest
from msgspec.structs import replace

from preflight.facts.seen import Denied, Internal
from preflight.renderers import words
from preflight.renderers.fleet import Row, totals
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


@pytest.mark.parametrize(("count", "left"), [(1, "1 rule was left out"), (2, "2 rules were left out")])
def test_what_was_left_out_keeps_it_from_being_called_ready(count, left, reports):
    for repository in (False, True):
        partial = replace(reports["ready"], unasked=("one", "two")[:count], repository=repository)
        assert words.answer(partial) == "OK, AS FAR AS ASKED"
        assert words.next_step(partial).startswith(left)
        assert "with all rules" in words.next_step(partial)


def test_what_fails_fails_whatever_was_left_out(reports):
    partial = replace(reports["broken"], unasked=("one",))
    assert (words.answer(partial), words.next_step(partial)) == ("NOT READY", words.next_step(reports["broken"]))


def test_a_fleet_of_which_rules_were_left_out_is_not_called_ready(reports):
    assert totals([Row.of(reports["ready"])]) == "1 project: 1 ready."
    assert totals([Row.of(replace(reports["ready"], unasked=("one",)))]) == "1 project: 1 OK as far as asked."

"""What got worse, what got better, and what is neither."""

import pytest

from preflight.comparison.verdicts import Judged, compared
from preflight.report import Severity, Status


def judged(status: str, message: str = "said", **more: str) -> Judged:
    return Judged(
        rule="a-rule", title="A rule", severity=Severity.REQUIRED, status=Status(status), message=message, **more
    )


@pytest.mark.parametrize(
    ("before", "after", "worse", "better"),
    [
        ("pass", "fail", True, False),
        ("pass", "unknown", True, False),
        ("pass", "warn", True, False),
        ("warn", "fail", True, False),
        ("unknown", "fail", True, False),
        ("skip", "fail", True, False),
        ("skip", "pass", False, False),
        ("pass", "skip", False, False),
        ("fail", "pass", False, True),
        ("fail", "warn", False, True),
        ("unknown", "pass", False, True),
        ("fail", "skip", False, True),
        ("fail", "unknown", False, False),
    ],
)
def test_by_urgency(before, after, worse, better):
    (change,) = compared([judged(before)], [judged(after)])
    assert (change.worse, change.better) == (worse, better)


def test_that_another_rule_failed_first_is_nothing_better():
    (change,) = compared([judged("fail")], [judged("skip", because="billing-enabled")])
    assert not change.better


@pytest.mark.parametrize("status", ["fail", "unknown", "warn"])
def test_the_same_answer_for_another_reason_is_told(status):
    (change,) = compared([judged(status, "one")], [judged(status, "two")])
    assert change.same_status
    assert not change.worse
    assert compared([judged(status, "one")], [judged(status, "two")], names=False) == ()


@pytest.mark.parametrize("status", ["pass", "skip"])
def test_what_is_well_either_way_is_not_told(status):
    assert compared([judged(status, "one")], [judged(status, "two")]) == ()


def test_a_rule_that_just_one_has_is_neither_worse_nor_better():
    for before, after in (([judged("fail")], []), ([], [judged("fail")])):
        (change,) = compared(before, after)
        assert (change.worse, change.better) == (False, False)

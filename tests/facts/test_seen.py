"""Reasons, evidence and completeness: nothing unseen without a sentence that says why and what would help."""

import typing

import pytest

from preflight.facts import seen
from preflight.facts.seen import (
    COMPLETE,
    ApiDisabled,
    Completeness,
    Denied,
    Evidence,
    Incomplete,
    Provenance,
    TimedOut,
    Unknown,
)

REASONS = typing.get_args(seen.Reason)
CALL = Provenance("x.y.get", "projects/acme")


@pytest.mark.parametrize("kind", REASONS, ids=lambda kind: kind.__name__)
def test_each_reason_says_why_and_what_would_settle_it(kind):
    needs = [name for name in kind.__struct_fields__ if name not in {"quota_project", "seconds"}]
    reason = kind(**dict.fromkeys(needs, "SOMETHING"))
    assert "SOMETHING" in reason.describe()
    assert reason.settle().endswith((".", "login", "SOMETHING"))
    assert reason.kind == kind.__struct_config__.tag


def test_no_two_reasons_share_a_kind():
    assert len({kind.__struct_config__.tag for kind in REASONS}) == len(REASONS)


@pytest.mark.parametrize(
    ("reason", "why", "what"),
    [
        pytest.param(Denied("x.get", "projects/a"), "access denied: x.get on projects/a",
                     "Grant the caller x.get on projects/a, then run again.", id="denied"),
        pytest.param(Denied("x.use", "projects/q", quota_project=True),
                     "the quota project projects/q may not be used: the caller lacks x.use on it",
                     "Grant the caller x.use on projects/q, or name another quota project with --quota-project.",
                     id="denied on the quota project"),
        pytest.param(ApiDisabled("x.googleapis.com", "projects/a"), "x.googleapis.com is not enabled in projects/a",
                     "Enable x.googleapis.com in projects/a, then run again.", id="off"),
        pytest.param(ApiDisabled("x.googleapis.com", "projects/q", quota_project=True),
                     "x.googleapis.com is not enabled in projects/q, the quota project of this call",
                     "Enable x.googleapis.com in projects/q, or name another quota project with --quota-project, "
                     "then run again.", id="off in the quota project"),
        pytest.param(TimedOut("x.get", 2.5), "x.get did not answer within 2.5 s",
                     "Run again, with a longer --timeout if the network is slow.", id="late"),
    ],
)  # fmt: skip
def test_the_words(reason, why, what):
    assert (reason.describe(), reason.settle()) == (why, what)


def test_a_failed_call_is_evidence_and_no_call_is_none():
    assert Unknown(TimedOut("x"), CALL).seen() == (
        Evidence("x.y.get", "projects/acme", None, "x did not answer in time"),
    )
    assert Unknown(TimedOut("x")).seen() == ()


def test_complete_means_that_nothing_is_missing():
    assert COMPLETE.complete
    assert not Completeness(Incomplete("a page is missing")).complete

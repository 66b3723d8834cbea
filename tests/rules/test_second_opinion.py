"""second-opinion: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import (
    CallerIdentity,
    CallerPermissions,
    Datasets,
    Denied,
    NotCollected,
    SecondOpinion,
    SecondOpinions,
    TimedOut,
    Troubleshot,
    Unknown,
)
from preflight.engine import load_rules
from preflight.rulebook import select
from preflight.testing import HERE, dataset, deny, judge, target
from tests.conftest import ACME, FOLDER, HEAP, USER, bind, policies, roles, unreadable

JOBS, MAKE = "bigquery.jobs.create", "bigquery.datasets.create"
OTHER, CUSTOM = "bigquery.tables.getData", f"{ACME}/roles/not.read"
YES, NO, OPEN = Troubleshot.GRANTED, Troubleshot.NOT_GRANTED, Troubleshot.UNKNOWN
LATE = Unknown(TimedOut("policytroubleshooter.iam.troubleshoot", 5), HERE)
VENDOR = CallerIdentity(provenance=HERE, email="Heap-SQL@heap-204122.iam.gserviceaccount.com")
ADMIN = CallerIdentity(provenance=HERE, email="admin@acme.example")
GRANTED = [bind(USER, HEAP)]


def said(permission: str, answer: Troubleshot, *shown: str, resource: str = ACME) -> SecondOpinion:
    return SecondOpinion(provenance=HERE, permission=permission, resource=resource, answer=answer, shown=shown)


def opinions(*answers: SecondOpinion, **unread: Unknown) -> SecondOpinions:
    found: dict[str, SecondOpinion | Unknown] = {answer.permission: answer for answer in answers}
    return SecondOpinions(principal=HEAP, answers={**found, **unread})


def verdict_on(bindings, answers, above=None, **also):
    facts = {"allow_policies": policies(*bindings, **above or {}), "roles": roles(), "second_opinions": answers}
    return judge("second-opinion", **facts, **also)


@pytest.mark.parametrize(
    ("bindings", "answers", "status", "says"),
    [
        pytest.param(GRANTED, opinions(said(JOBS, YES), said(MAKE, YES)), "pass", "the same answers to 2", id="yes"),
        pytest.param([], opinions(said(JOBS, NO)), "pass", "the same answer to 1", id="no"),
        pytest.param(GRANTED, opinions(said(JOBS, YES), said(MAKE, OPEN)), "pass", "1 it can't answer",
                     id="one that Google can't answer is no disagreement"),
        pytest.param(GRANTED, opinions(said(JOBS, NO, "deny policy guard on organizations/9 denies it")), "warn",
                     f"{JOBS} on {ACME} is not granted for Google, and granted by what was read", id="Google: no"),
        pytest.param([], opinions(said(JOBS, YES)), "warn", "granted for Google, and not granted", id="Google: yes"),
        pytest.param(GRANTED, opinions(said(JOBS, YES), said(MAKE, NO)), "warn", MAKE, id="one of two differs"),
        pytest.param(GRANTED, opinions(said(JOBS, OPEN)), "unknown", "Google can't tell either", id="Google: no idea"),
        pytest.param(GRANTED, opinions(jobs=LATE), "unknown", "did not answer", id="no answer"),
        pytest.param(GRANTED, LATE, "unknown", "did not answer", id="nothing at all"),
        pytest.param(GRANTED, Unknown(NotCollected("not live")), "skip", "can't ask", id="a source that can't ask"),
    ],
)  # fmt: skip
def test_each_answer(bindings, answers, status, says):
    verdict = verdict_on(bindings, answers)
    assert verdict.status == status
    assert says in verdict.message


def test_what_google_answers_and_the_tool_can_not_is_told():
    above = {"folder": (bind(CUSTOM, HEAP),)}
    verdict = verdict_on(GRANTED, opinions(said(JOBS, YES), said(OTHER, NO)), above)
    assert verdict.status == "pass"
    assert verdict.message.endswith(f"the same answer to 1 question; it also answers what can't be told here: {OTHER}")


def test_without_an_answer_of_its_own_there_is_nothing_to_compare():
    verdict = verdict_on([], opinions(said(JOBS, YES), said(MAKE, NO)), above={"folder": unreadable(FOLDER)})
    assert verdict.status == "unknown"
    assert verdict.reason == unreadable(FOLDER).reason
    assert f"{JOBS} is granted, {MAKE} is not granted" in verdict.message
    assert verdict.evidence


def test_a_disagreement_shows_both_proofs():
    verdict = verdict_on(GRANTED, opinions(said(JOBS, NO, "deny policy guard on organizations/9 denies it")))
    details = [evidence.detail for evidence in verdict.evidence]
    assert any("deny policy guard on organizations/9 denies it" in detail for detail in details)
    assert any(f"{USER} is granted to {HEAP}" in detail for detail in details)
    assert verdict.remedies


def test_seeing_the_deny_policy_ends_the_disagreement():
    answers = opinions(said(JOBS, NO))
    assert verdict_on(GRANTED, answers).status == "warn"
    assert verdict_on(GRANTED, answers, deny_policies=deny(JOBS)).status == "pass"


def test_an_answer_about_a_dataset_is_compared_with_the_tools_own_about_it():
    about = said("bigquery.tables.getData", YES, resource=f"{ACME}/datasets/heap")
    assert verdict_on(GRANTED, opinions(about), datasets=Datasets.of(dataset("heap"))).status == "warn"
    unseen = verdict_on(GRANTED, opinions(about), datasets=Unknown(Denied("bigquery.datasets.get")))
    assert (unseen.status, "can't be told here" in unseen.message) == ("unknown", True)


def own(*granted: str) -> CallerPermissions:
    return CallerPermissions(provenance=HERE, resource=ACME, asked=frozenset({JOBS}), granted=frozenset(granted))


def test_what_only_the_tool_needs_is_no_question_about_the_account():
    asked = CallerPermissions(
        provenance=HERE, resource=ACME, asked=frozenset({JOBS, "iam.roles.get"}), granted=frozenset({JOBS})
    )
    verdict = verdict_on(GRANTED, Unknown(NotCollected()), identity=VENDOR, permissions=asked)
    assert [evidence.detail for evidence in verdict.evidence] == [f"{JOBS} on {ACME} is granted"]


@pytest.mark.parametrize(
    ("identity", "permissions", "status"),
    [
        pytest.param(VENDOR, own(JOBS), "pass", id="the account itself: the same"),
        pytest.param(VENDOR, own(), "warn", id="the account itself: another answer"),
        pytest.param(ADMIN, own(), "skip", id="someone else: it says nothing of the vendor"),
        pytest.param(VENDOR, Unknown(Denied("x")), "skip", id="it was not answered"),
    ],
)
def test_the_callers_own_permissions_count_if_it_is_the_account(identity, permissions, status):
    verdict = verdict_on(GRANTED, Unknown(NotCollected()), identity=identity, permissions=permissions)
    assert verdict.status == status


def test_it_runs_only_on_request():
    names = {rule.id for rule in load_rules()}
    assert "second-opinion" in names
    assert "second-opinion" not in {rule.id for rule in select(load_rules())}
    assert [rule.id for rule in select(load_rules(), ("second-opinion",))] == ["second-opinion"]
    assert {rule.id for rule in select(load_rules(), also=("second-opinion",))} == names
    assert target().principal == HEAP

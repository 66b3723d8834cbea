"""Grants that may stand, and roles that are known whole in a policy that isn't: never a false yes or no."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight import AllowPolicies, AllowPolicy, Answer, Binding, Incomplete, NotCollected, Unknown, Unresolved
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.dataset import AccessEntry
from preflight.facts.deny import ANY_PERMISSION, AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.policy import PossibleBinding
from preflight.facts.seen import COMPLETE, Completeness
from preflight.testing import HERE, MOMENT, at, dataset, roles

OWN, FOLDER = "projects/acme-analytics", "folders/77"
JANE, BOB = "user:jane@acme.example", "user:bob@acme.example"
USER, EDITOR, OWNER = "roles/bigquery.user", "roles/editor", "roles/owner"
JOBS = "bigquery.jobs.create"
EVERYBODY, JOBS_V2 = "principalSet://goog/public:all", "bigquery.googleapis.com/jobs.create"
WHY = Unknown(Unresolved("var.who has no value"), at("main.tf:3"))


def access(*bindings, possible=(), gap=None, by_role=None, folder=((), ())):
    def policy(resource, sure, maybe):
        whole = Completeness(gap) if gap and resource == OWN else COMPLETE
        return AllowPolicy(
            provenance=at(resource),
            resource=resource,
            bindings=tuple(sure),
            possible=tuple(maybe),
            completeness=whole,
            by_role=(by_role or {}) if resource == OWN else {},
        )

    allow = AllowPolicies(policies={OWN: policy(OWN, bindings, possible), FOLDER: policy(FOLDER, *folder)})
    return ProjectAccess(AccessFacts(project="acme-analytics", number="1", allow=allow, roles=roles(), moment=MOMENT))


def maybe(role="", *members):
    return PossibleBinding(why=WHY, role=role, members=members)


@pytest.mark.parametrize(
    ("possible", "answer"),
    [
        pytest.param(maybe(USER, JANE), "unknown", id="this role to her"),
        pytest.param(maybe(USER, BOB), "not granted", id="to somebody else"),
        pytest.param(maybe("roles/storage.admin", JANE), "not granted", id="a role that doesn't hold it"),
        pytest.param(maybe("", JANE), "unknown", id="any role"),
        pytest.param(maybe(USER), "unknown", id="to anybody"),
        pytest.param(maybe(), "unknown", id="anything"),
    ],
)
def test_a_possible_grant_can_turn_no_into_unknown(possible, answer):
    found = access(possible=[possible])
    decision = found.decide(JANE, JOBS)
    assert decision.answer == answer
    assert found.answer(JANE, JOBS) == answer
    if answer == "unknown":
        assert [fact.unknown for fact in decision.missing] == [WHY]
        assert any(seen.resource == "main.tf:3" for seen in decision.evidence)


def test_a_sure_grant_beside_it_stays_sure():
    found = access(Binding(USER, (JANE,)), possible=[maybe(USER, JANE), maybe()])
    assert found.decide(JANE, JOBS).answer is Answer.GRANTED
    assert found.holds_role(JANE, USER).answer is Answer.GRANTED


def test_a_role_that_is_known_whole_in_a_policy_that_is_not():
    gap = NotCollected("main.tf declares no whole policy")
    found = access(Binding(EDITOR, (BOB,)), gap=gap, by_role={EDITOR: COMPLETE})
    assert found.holds_role(JANE, EDITOR).answer is Answer.NOT_GRANTED
    assert found.holds_role(JANE, USER).answer is Answer.UNKNOWN
    assert found.decide(JANE, JOBS).answer is Answer.UNKNOWN


def test_what_is_known_of_a_role_is_what_is_told_of_it():
    nearer = Incomplete("others may have it on a condition")
    found = access(gap=NotCollected("nothing is declared"), by_role={USER: Completeness(nearer)})
    assert [fact.unknown.reason for fact in found.holds_role(JANE, USER).missing] == [nearer]


def test_a_list_that_is_not_whole():
    entry = AccessEntry(role="READER", user="bob@acme.example")
    whole = dataset("sales", entry)
    partial = replace(whole, access_completeness=Completeness(Incomplete("main.tf doesn't declare all of it")))
    found = access()
    reads = "bigquery.tables.getData"
    for one, answer in ((whole, "not granted"), (partial, "unknown")):
        assert found.decide(JANE, reads, one).answer == answer
        assert found.answer(JANE, reads, one) == answer
        assert found.decide(BOB, reads, one).answer is Answer.GRANTED


SOME = st.builds(
    Binding,
    st.sampled_from([USER, EDITOR, OWNER, "roles/storage.admin"]),
    st.lists(st.sampled_from([JANE, BOB, "projectEditor:acme-analytics"]), min_size=1, max_size=2).map(tuple),
)


@given(st.lists(SOME, max_size=2), st.lists(SOME, max_size=3), st.lists(SOME, max_size=2), st.booleans())
def test_it_is_known_just_where_all_worlds_agree(sure, open_, above, in_list):
    """Each possible grant stands or not: what is the same in all of these worlds is known, and nothing else is."""
    possible = [PossibleBinding(why=WHY, role=one.role, members=one.members) for one in open_]
    maybe_above = [PossibleBinding(why=WHY, role=one.role, members=one.members) for one in above]
    found = access(*sure, possible=possible, folder=((), maybe_above))
    sales = dataset("sales", AccessEntry(role="READER", special_group="projectWriters")) if in_list else None
    permission = "bigquery.tables.getData" if in_list else JOBS
    worlds = [
        access(
            *sure,
            *(one for one, stands in zip(open_, choice, strict=False) if stands),
            folder=([one for one, stands in zip(above, choice[len(open_) :], strict=True) if stands], ()),
        )
        for choice in product([False, True], repeat=len(open_) + len(above))
    ]
    for principal in (JANE, BOB):
        expected = {world.decide(principal, permission, sales).answer for world in worlds}
        answer = found.decide(principal, permission, sales).answer
        assert answer == (expected.pop() if len(expected) == 1 else Answer.UNKNOWN)
        assert found.answer(principal, permission, sales) is answer
        assert ProjectAccess(found.facts, principal).answer(principal, permission, sales) is answer
        for role in (USER, EDITOR):
            expected = {world.holds_role(principal, role).answer for world in worlds}
            held = found.holds_role(principal, role).answer
            assert held == (expected.pop() if len(expected) == 1 else Answer.UNKNOWN)
            assert ProjectAccess(found.facts, principal).answer_of_role(principal, role) is held


def test_the_whole_policy_is_said_only_of_a_whole_one():
    said = access(gap=NotCollected("x")).bindings.read[0].detail
    assert said == f"what is declared of {OWN}: 0 bindings"
    assert access().bindings.read[0].detail == f"the whole policy of {OWN}: 0 bindings"


def test_evidence_names_the_place_of_the_binding():
    binding = Binding(USER, (JANE,))
    policy = AllowPolicy(provenance=HERE, resource=OWN, bindings=(binding,), places=((binding, at("iam.tf:7")),))
    assert policy.shows(binding, JANE).resource == "iam.tf:7"
    assert policy.shows(Binding(EDITOR, (JANE,)), JANE).resource == HERE.resource


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        pytest.param(DenyRule((EVERYBODY,), (JOBS_V2,)), "not granted", id="sure"),
        pytest.param(DenyRule((EVERYBODY,), (JOBS_V2,), doubt=WHY), "unknown", id="in doubt"),
        pytest.param(DenyRule((EVERYBODY,), (ANY_PERMISSION,), doubt=WHY), "unknown", id="of any permission"),
        pytest.param(DenyRule((EVERYBODY,), ("storage.googleapis.com/*.*",), doubt=WHY), "granted", id="of others"),
        pytest.param(DenyRule(("principal://goog/subject/bob@acme.example",), (JOBS_V2,), doubt=WHY), "granted",
                     id="to somebody else"),
    ],
)  # fmt: skip
def test_a_deny_rule_in_doubt_can_turn_yes_into_unknown(rule, answer):
    policy = DenyPolicy(provenance=HERE, name="guard", rules=(rule,))
    attached = AttachedDenyPolicies(provenance=HERE, resource=OWN, policies={"guard": policy})
    facts = replace(access(Binding(USER, (JANE,))).facts, deny=DenyPolicies(attached={OWN: attached}))
    found = ProjectAccess(facts)
    assert found.decide(JANE, JOBS).answer == answer
    assert found.answer(JANE, JOBS) == answer

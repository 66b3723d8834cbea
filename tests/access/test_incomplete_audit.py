"""The audit of policies that aren't known whole: what can't be told is never a blank, and the reason is told."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight import AllowPolicies, AllowPolicy, Binding, Incomplete, Unknown, Unresolved
from preflight.access.audit import State
from preflight.access.audit_flags import FlagKind
from preflight.facts.capabilities import CAPABILITIES
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import ANY_PERMISSION, DenyRule
from preflight.facts.policy import PossibleBinding
from preflight.facts.seen import COMPLETE, Completeness
from preflight.testing import FOLDER, HERE, at
from tests.access.audits import NO_DENY, audited, cell_of, denying_by, row_of

OWN = "projects/acme-analytics"
ANA, BEN = "user:ana@acme.example", "user:ben@acme.example"
USER, VIEWER, EDITOR, OWNER = "roles/bigquery.user", "roles/bigquery.dataViewer", "roles/editor", "roles/owner"
WHY = Unknown(Unresolved("var.who has no value"), at("main.tf:3"))
GAP = Completeness(Incomplete("main.tf doesn't declare all of it"))
EVERYBODY, JOBS = "principalSet://goog/public:all", "bigquery.googleapis.com/jobs.create"
ALL = (Binding(OWNER, (ANA, BEN)), Binding(USER, (ANA, BEN)))
"""Much that may be hidden where a policy isn't whole."""
OWNERS = (AccessEntry(role="OWNER", iam_member=ANA), AccessEntry(role="OWNER", iam_member=BEN))
"""The same of a list."""


def policy(resource, sure=(), possible=(), completeness=COMPLETE, by_role=None):
    return AllowPolicy(
        provenance=at(resource),
        resource=resource,
        bindings=tuple(sure),
        possible=tuple(possible),
        completeness=completeness,
        by_role=by_role or {},
    )


def policies_of(*given):
    return AllowPolicies(policies={one.resource: one for one in given})


def listing(name, *entries, whole=True):
    completeness = COMPLETE if whole else GAP
    return Dataset(provenance=at(name), id=name, location="EU", access=entries, access_completeness=completeness)


def maybe(role="", *members):
    return PossibleBinding(why=WHY, role=role, members=members)


BASE = (Binding(USER, (ANA,)),)


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        pytest.param(policy(OWN, BASE, completeness=GAP), "policy", id="a policy that is declared in part"),
        pytest.param(policy(OWN, BASE, completeness=GAP, by_role={VIEWER: COMPLETE}), "policy",
                     id="also if of one role all is known"),
        pytest.param(policy(OWN, BASE, by_role={VIEWER: GAP}), "policy", id="or if just of one role it isn't"),
        pytest.param(policy(OWN, BASE, [maybe(VIEWER, ANA)]), "binding", id="a grant that may stand"),
        pytest.param(policy(OWN, BASE, [maybe("", ANA)]), "binding", id="of whatever role"),
        pytest.param(policy(OWN, BASE, [maybe(VIEWER)]), "binding", id="to whomever"),
    ],
)  # fmt: skip
def test_what_is_not_known_of_a_policy_is_no_blank(own, kind):
    made = audited(policies_of(own))
    assert cell_of(made, ANA, "read-data").state is State.UNKNOWN
    assert cell_of(made, ANA, "run-jobs").state is State.GRANTED, "what is granted stays granted"
    assert [point.kind for point in made.open_points if point.weighs] == [kind]
    assert made.blind
    (missing,) = {fact.kind for one in made.decisions(row_of(made, ANA), READ) for fact in one.missing}
    assert missing == kind


READ = next(one for one in CAPABILITIES if one.id == "read-data")


def test_datasets_that_are_alike_but_for_what_is_known_of_their_lists():
    entry = AccessEntry(role="READER", user="ben@acme.example")
    made = audited(
        policies_of(policy(OWN, BASE)), listing("part", entry, whole=False), listing("whole", entry), listing("x")
    )
    ana, ben = (cell_of(made, who, "read-data") for who in (ANA, BEN))
    assert (ana.state, ana.unsure) == (State.UNKNOWN, ("part",))
    assert (ben.datasets, ben.more) == (("part", "whole"), False)
    assert [(point.kind, point.about) for point in made.open_points] == [("dataset access", "part")]


def test_a_deny_rule_in_doubt_is_told():
    deny = denying_by(DenyRule((EVERYBODY,), (ANY_PERMISSION,), doubt=WHY))
    made = audited(policies_of(policy(OWN, BASE)), deny=deny)
    assert cell_of(made, ANA, "run-jobs").state is State.UNKNOWN
    assert cell_of(made, ANA, "read-data").state is State.NOT_GRANTED, "a rule gives nothing"
    assert [(point.kind, point.about) for point in made.open_points] == [("deny rule", f"{HERE.resource}/d")]


def test_a_possible_grant_that_has_nothing_to_do_with_bigquery_is_no_open_point():
    made = audited(policies_of(policy(OWN, BASE, [maybe("roles/storage.admin", ANA)])))
    assert not made.blind
    assert cell_of(made, ANA, "read-data").state is State.NOT_GRANTED


def test_whom_only_a_possible_grant_names_has_a_row_and_flags_that_say_no_more():
    own = policy(OWN, BASE, [maybe(OWNER, BEN, "allUsers"), maybe("", "allUsers")])
    made = audited(policies_of(own))
    assert {flag.kind for flag in row_of(made, BEN).flags} == set(), "that it has a basic role isn't known"
    (public,) = row_of(made, "allUsers").flags
    assert public.kind is FlagKind.PUBLIC
    assert public.detail == f"everybody: perhaps {OWNER} on {OWN}, some role on {OWN}"
    assert cell_of(made, BEN, "read-data").state is State.UNKNOWN


def test_a_possible_owner_above_leaves_open_for_whom_project_owners_stands():
    own = policy(OWN, [Binding(VIEWER, ("projectOwner:acme-analytics",))])
    made = audited(policies_of(own, policy(FOLDER, (), [maybe(OWNER, ANA)])))
    assert "basic role" in {point.kind for point in made.open_points}


SOME = st.builds(
    Binding,
    st.sampled_from([USER, VIEWER, EDITOR, OWNER, "roles/storage.admin"]),
    st.lists(st.sampled_from([ANA, BEN, "projectEditor:acme-analytics"]), min_size=1, max_size=2).map(tuple),
)
LISTS = st.lists(
    st.builds(AccessEntry, role=st.sampled_from(["READER", "WRITER"]), user=st.just("ana@acme.example"))
    | st.builds(AccessEntry, role=st.just("READER"), special_group=st.just("projectWriters")),
    max_size=2,
)
RULE = DenyRule((EVERYBODY,), (JOBS,), ("principal://goog/subject/ben@acme.example",))


@given(
    st.lists(SOME, max_size=2),
    st.lists(SOME, max_size=2),
    st.lists(SOME, max_size=1),
    st.sampled_from([None, "policy", "role", "list", "rule"]),
    LISTS,
)
def test_a_cell_says_just_what_all_worlds_agree_on(sure, open_, above, unknown, entries):
    """What isn't known may be one way or the other, and a policy that isn't whole may hide most of anything."""
    named = Binding("roles/storage.admin", (ANA, BEN))  # so that both have a row

    def world(in_own, in_folder, *, hidden=False, rule=False):
        more = ALL if hidden and unknown in {"policy", "role"} else ()
        listed = (*entries, *OWNERS) if hidden and unknown == "list" else entries
        return audited(
            policies_of(policy(OWN, (*sure, named, *in_own, *more)), policy(FOLDER, in_folder)),
            listing("sales", *listed),
            listing("other", AccessEntry(role="READER", user="ana@acme.example")),
            deny=denying_by(RULE) if rule else NO_DENY,
        )

    found = audited(
        policies_of(
            policy(
                OWN,
                (*sure, named),
                [maybe(one.role, *one.members) for one in open_],
                GAP if unknown == "policy" else COMPLETE,
                {OWNER: GAP, USER: GAP} if unknown == "role" else {},
            ),
            policy(FOLDER, (), [maybe(one.role, *one.members) for one in above]),
        ),
        listing("sales", *entries, whole=unknown != "list"),
        listing("other", AccessEntry(role="READER", user="ana@acme.example")),
        deny=denying_by(replace(RULE, doubt=WHY)) if unknown == "rule" else NO_DENY,
    )
    worlds = [
        world(
            [one for one, stands in zip(open_, choice, strict=False) if stands],
            [one for one, stands in zip(above, choice[len(open_) :], strict=True) if stands],
            hidden=bool(unknown) and there,
            rule=unknown == "rule" and there,
        )
        for choice in product([False, True], repeat=len(open_) + len(above))
        for there in (False, True)
    ]
    for member in (ANA, BEN):
        for capability in CAPABILITIES:
            cell = cell_of(found, member, capability.id)
            told = [cell_of(one, member, capability.id) for one in worlds]
            states = {one.state for one in told}
            if states == {State.NOT_GRANTED} and unknown in {"policy", "role", "list"}:
                assert cell.state is not State.GRANTED, "more may be hidden than is tried here"
            elif len(states) == 1:
                assert cell.state is states.pop()
            else:
                assert cell.state is State.UNKNOWN
            if cell.state is State.UNKNOWN:
                assert found.blind

"""What several resources come to, against a simulation that applies them in every order to every state before."""

import json
from itertools import permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.snapshot import FIELD_OF
from preflight.sources.terraform.resources import Change, Declared, Place, Resource
from preflight.sources.terraform.semantics import snapshot_of
from preflight.testing import MOMENT
from tests.sources.terraform.test_grants import BOB, EDITOR, JANE, VIEWER, policy

PLACE = Place("plan.json")
PROJECT = {"project": "acme-analytics"}
ROLES, PEOPLE = (EDITOR, VIEWER), (JANE, BOB)  # basic roles: no condition can hide another binding of them
GRANTS = tuple(product(ROLES, PEOPLE))


def _member(pair, change):
    role, who = pair
    return Resource(address="", type="google_project_iam_member", values=PROJECT | {"role": role, "member": who},
                    change=change, place=PLACE)  # fmt: skip


def _binding(role, people, change):
    values = PROJECT | {"role": role, "members": sorted(people)}
    return Resource(address="", type="google_project_iam_binding", values=values, change=change, place=PLACE)


def _policy(pairs, change):
    values = policy(*((role, who) for role, who in sorted(pairs)))["change"]["after"] | PROJECT
    return Resource(address="", type="google_project_iam_policy", values=values, change=change, place=PLACE)


CHANGES = st.sampled_from([Change.CREATE, Change.DELETE])
RESOURCES = st.lists(
    st.one_of(
        st.builds(_member, st.sampled_from(GRANTS), CHANGES),
        st.builds(_binding, st.sampled_from(ROLES), st.sets(st.sampled_from(PEOPLE)), CHANGES),
        st.builds(_policy, st.sets(st.sampled_from(GRANTS)), CHANGES),
    ),
    max_size=3,
)


def applied(resource, state):
    """The provider's own steps: what creating or deleting one resource does to a policy."""
    values, goes = resource.values, resource.change is Change.DELETE
    if resource.type.endswith("_member"):
        pair = {(values["role"], values["member"])}
        return state - pair if goes else state | pair
    if resource.type.endswith("_binding"):
        rest = {(role, who) for role, who in state if role != values["role"]}
        return rest if goes else rest | {(values["role"], who) for who in values["members"]}

    bindings = json.loads(values["policy_data"])["bindings"]
    return set() if goes else {(one["role"], who) for one in bindings for who in one["members"]}


def outcomes(resources):
    states = [{grant for grant, there in zip(GRANTS, choice, strict=True) if there}
              for choice in product([False, True], repeat=len(GRANTS))]  # fmt: skip
    for state in states:
        # What is to be deleted is there before.
        if all(applied_already(one, state) for one in resources if one.change is Change.DELETE):
            for order in permutations(resources):
                after = state
                for one in order:
                    after = applied(one, after)
                yield after


def applied_already(resource, state):
    there = Resource(address="", type=resource.type, values=resource.values, place=PLACE)
    return applied(there, state) == state


@settings(max_examples=300, deadline=None)
@given(RESOURCES)
def test_it_is_known_just_where_all_orders_and_states_agree(resources):
    resources = [Resource(address=f"r{n}", type=one.type, values=one.values, change=one.change, place=PLACE)
                 for n, one in enumerate(resources)]  # fmt: skip
    alone = Resource(address="it", type="google_project", values={"project_id": "acme-analytics"}, place=PLACE)
    declared = Declared(root=PLACE, resources=(*resources, alone))
    snapshot = snapshot_of(declared, "acme-analytics", (), frozenset(FIELD_OF), "plan")[0]
    access = ProjectAccess(
        AccessFacts(project="acme-analytics", allow=snapshot.allow_policies, roles=snapshot.roles, moment=MOMENT)
    )
    ends = list(outcomes(resources))
    if not ends:
        return  # a policy and a binding can't both have been as they say
    for role, who in GRANTS:
        answer = str(access.holds_role(who, role).answer)
        found = {(role, who) in end for end in ends}
        if answer != "unknown":
            assert found == {answer == "granted"}, (role, who, resources)
        elif len(found) == 1:
            # Known in truth and unknown here is no false answer; that it stays rare is what this guards.
            assert any(one.change is Change.DELETE for one in resources), (role, who, resources)

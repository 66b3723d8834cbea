"""List constraints of organization policies, and Google's location groups: tables of what they come to."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight import Condition, OrgPolicy, PolicyRule, allows, location_matches, unclear
from preflight.access.org_policies import denies
from preflight.facts.locations import LOCATIONS, REGIONS
from preflight.profile import load_profile
from preflight.testing import HERE

TAGGED = Condition("resource.matchTag('9/env', 'prod')")


def policy(*rules: PolicyRule) -> OrgPolicy:
    return OrgPolicy(provenance=HERE, constraint="gcp.resourceLocations", rules=rules)


def is_x(value: str) -> bool | None:
    """`x` is the value in question, `?` may cover it."""
    return {"x": True, "?": None}.get(value, False)


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        ([], True),
        ([PolicyRule()], True),
        ([PolicyRule(allowed=("x",))], True),
        ([PolicyRule(allowed=("y",))], False),
        ([PolicyRule(allowed=("?",))], None),
        ([PolicyRule(allowed=("?", "x"))], True),
        ([PolicyRule(denied=("x",))], False),
        ([PolicyRule(denied=("y",))], True),
        ([PolicyRule(denied=("?",))], None),
        ([PolicyRule(denied=("?", "x"))], False),
        ([PolicyRule(allowed=("x",), denied=("x",))], False),
        ([PolicyRule(allowed=("x",), denied=("?",))], None),
        ([PolicyRule(allowed=("y",), denied=("?",))], False),
        ([PolicyRule(allow_all=True)], True),
        ([PolicyRule(deny_all=True)], False),
        ([PolicyRule(allow_all=True), PolicyRule(deny_all=True)], False),
        ([PolicyRule(allowed=("y",)), PolicyRule(allowed=("x",))], True),
        ([PolicyRule(allowed=("y",)), PolicyRule(allow_all=True)], True),
        ([PolicyRule(allowed=("x",), condition=TAGGED)], True),
        ([PolicyRule(allowed=("y",), condition=TAGGED)], None),
        ([PolicyRule(allowed=("y",), condition=TAGGED), PolicyRule(allowed=("y",))], False),
        ([PolicyRule(allowed=("y",), condition=TAGGED), PolicyRule(allow_all=True)], None),
        ([PolicyRule(deny_all=True, condition=TAGGED), PolicyRule(allowed=("y",))], False),
    ],
)
def test_what_the_rules_come_to(rules, answer):
    assert allows(policy(*rules), is_x) is answer


rules = st.builds(
    PolicyRule,
    allow_all=st.booleans(),
    deny_all=st.booleans(),
    allowed=st.lists(st.sampled_from("xy?"), max_size=2).map(tuple),
    denied=st.lists(st.sampled_from("xy?"), max_size=2).map(tuple),
    condition=st.sampled_from([None, None, TAGGED]),
)


@given(st.lists(rules, max_size=4))
def test_what_an_unknown_value_turns_out_to_be_never_contradicts_the_answer(found):
    answer = allows(policy(*found), is_x)
    for covered in (True, False):
        settled = allows(policy(*found), lambda value, covered=covered: covered if value == "?" else is_x(value))
        assert answer in {None, settled}


@given(st.lists(rules, max_size=4))
def test_an_open_answer_says_what_keeps_it_open(found):
    one = policy(*found)
    if allows(one, is_x) is None:
        assert unclear(one, is_x)


@given(st.lists(rules.map(lambda rule: PolicyRule(allowed=rule.allowed, denied=rule.denied)), max_size=3))
def test_allowing_it_beside_the_others_helps_unless_it_is_denied(found):
    one = policy(*found)
    more = policy(*(PolicyRule(allowed=(*rule.allowed, "x"), denied=rule.denied) for rule in found))
    if allows(one, is_x) is False and not denies(one, is_x):
        assert allows(more, is_x) is not False


@pytest.mark.parametrize("location", sorted(LOCATIONS))
def test_a_locations_own_group_and_name_cover_it(location):
    for value in (location, location.upper(), f"is:{location}", f"in:{location}-locations", f"{location}-locations"):
        assert location_matches(value, location) is True


def test_a_regions_group_covers_no_other_region():
    for one, other in product(sorted(REGIONS), repeat=2):
        assert location_matches(f"in:{one}-locations", other) is (one == other)


def test_the_groups_agree_with_what_the_profile_says_of_the_regions():
    for group, multi in (("in:us-locations", "US"), ("in:eu-locations", "EU")):
        note = f"inside the {multi}"
        inside = {name for found in load_profile("heap").locations if note in found.note for name in found.names}
        assert inside == {name for name in REGIONS if location_matches(group, name)}
        assert location_matches(group, multi)


@pytest.mark.parametrize(
    ("value", "location", "answer"),
    [
        ("in:europe-locations", "europe-west2", True),
        ("in:eu-locations", "europe-west2", False),
        ("in:europe-locations", "EU", True),
        ("in:europe-locations", "US", False),
        ("in:northamerica-locations", "us-east1", True),
        ("in:northamerica-locations", "northamerica-northeast1", True),
        ("in:us-locations", "northamerica-northeast1", False),
        ("in:asia-locations", "asia-east1", True),
        ("us-east4-a", "us-east4", False),
        ("europe-west1", "EU", False),
        ("EU", "europe-west1", False),
        ("in:aws-locations", "aws-us-east-1", None),
        ("in:us-locations", "us-east9", None),
        ("in:canada-locations", "EU", None),
        ("", "EU", False),
    ],
)
def test_groups_and_locations(value, location, answer):
    assert location_matches(value, location) is answer

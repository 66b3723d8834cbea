"""Effective access: tables for what decides, properties for what may never change an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight import (
    AccessEntry,
    AllowPolicies,
    Answer,
    Binding,
    Completeness,
    Condition,
    Dataset,
    Denied,
    Incomplete,
    Role,
    Roles,
    TimedOut,
    Unknown,
    Unresolved,
)
from preflight.access.effective import EffectiveAccess, effective_access
from preflight.testing import HERE, target
from tests.conftest import ACME, EDITOR, FOLDER, HEAP, ORGANIZATION, USER, at, bind, policies, role, roles, unreadable

JOBS = "bigquery.jobs.create"
GROUP = "group:data@acme.example"
LATE = Unknown(TimedOut("x.y.get"), HERE)
GRANTED, NOT_GRANTED, UNKNOWN = Answer.GRANTED, Answer.NOT_GRANTED, Answer.UNKNOWN


def access(allowed: AllowPolicies, held: Roles | Unknown | None = None) -> EffectiveAccess:
    return effective_access(target(), allowed, roles() if held is None else held)


def test_a_grant_is_enough_and_its_absence_needs_every_policy():
    assert access(policies(bind(USER, HEAP), folder=unreadable(FOLDER))).holds(JOBS).answer is GRANTED
    assert access(policies(folder=())).holds(JOBS).answer is NOT_GRANTED
    assert access(policies(folder=unreadable(FOLDER))).holds(JOBS).answer is UNKNOWN
    assert access(AllowPolicies(policies={})).holds(JOBS).answer is UNKNOWN


def test_not_granted_shows_every_policy_that_was_read():
    decision = access(policies(bind(EDITOR, HEAP), folder=(), organization=())).holds(JOBS)
    assert [e.resource for e in decision.evidence] == [ACME, FOLDER, ORGANIZATION]


def test_what_was_denied_is_told_before_what_is_merely_unresolved():
    decision = access(policies(bind(USER, GROUP), folder=unreadable(FOLDER))).holds(JOBS)
    assert isinstance(decision.reason, Denied)
    assert [type(fact.unknown.reason) for fact in decision.missing] == [Unresolved, Denied]


def test_roles_that_could_not_be_read_at_all():
    seen = access(policies(bind(USER, HEAP)), LATE)
    assert seen.holds(JOBS).reason == LATE.reason
    assert seen.holds_role(USER).answer is GRANTED
    assert seen.holds_role(EDITOR).answer is NOT_GRANTED


def test_only_unconditional_roles_of_the_principal_are_held():
    seen = access(policies(bind(USER, HEAP), bind(EDITOR, HEAP, only_if="x"), bind("roles/owner", GROUP),
                           folder=(bind(USER, HEAP),)))  # fmt: skip
    assert seen.roles_held() == (USER,)


def dataset(*entries: AccessEntry) -> Dataset:
    return Dataset(provenance=HERE, id="heap", location="EU", access=entries)


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        pytest.param(
            AccessEntry(role="OWNER", user="HEAP-sql@heap-204122.iam.gserviceaccount.com"), GRANTED, id="OWNER"
        ),
        pytest.param(AccessEntry(role="WRITER", iam_member=HEAP), GRANTED, id="WRITER"),
        pytest.param(AccessEntry(role="READER", iam_member=HEAP), NOT_GRANTED, id="READER"),
        pytest.param(AccessEntry(role="WRITER", iam_member="allUsers"), GRANTED, id="everyone"),
        pytest.param(AccessEntry(role="WRITER", special_group="allAuthenticatedUsers"), GRANTED, id="every account"),
        pytest.param(AccessEntry(role="WRITER", user="ana@acme.example"), NOT_GRANTED, id="a user"),
        pytest.param(AccessEntry(role="WRITER", domain="acme.example"), NOT_GRANTED, id="a domain"),
        pytest.param(AccessEntry(role="WRITER", group="data@acme.example"), UNKNOWN, id="a group"),
        pytest.param(AccessEntry(role="OWNER", special_group="projectOwners"), NOT_GRANTED, id="the owners"),
        pytest.param(AccessEntry(role="projects/p/roles/x", iam_member=HEAP), UNKNOWN, id="a role that was not read"),
        pytest.param(AccessEntry(authorized="routine acme.x.f"), NOT_GRANTED, id="an authorized routine"),
        pytest.param(AccessEntry(role="WRITER", iam_member=HEAP, condition=Condition("x")), UNKNOWN, id="a condition"),
        pytest.param(AccessEntry(role="WRITER", iam_member="robot:x"), UNKNOWN, id="a kind of next year"),
    ],
)
def test_entries_of_an_access_list(entry, answer):
    assert access(policies()).holds_on(dataset(entry), "bigquery.tables.updateData").answer is answer


@pytest.mark.parametrize("basic", ["owner", "editor", "viewer"])
def test_special_groups_stand_for_the_holders_of_a_basic_role(basic):
    group = {"owner": "projectOwners", "editor": "projectWriters", "viewer": "projectReaders"}[basic]
    target_set = dataset(AccessEntry(role="OWNER", special_group=group))
    for binding, answer in ((bind(f"roles/{basic}", HEAP), GRANTED), (bind(f"roles/{basic}", GROUP), UNKNOWN)):
        assert access(policies(binding)).holds_on(target_set, "bigquery.tables.get").answer is answer


# What may be in a policy, the answers' own alphabet: a few members and roles, so that chance finds the collisions.
MEMBERS = [HEAP, HEAP.replace("sql", "SQL"), f"deleted:{HEAP}?uid=1", GROUP, "user:ana@acme.example", "allUsers",
           "domain:acme.example", "principalSet://cloudresourcemanager.googleapis.com/folders/7/type/ServiceAccount",
           "serviceAccount:heap-sql@other.iam.gserviceaccount.com"]  # fmt: skip
CUSTOM = "projects/acme-analytics/roles/runner"
ROLES = [USER, EDITOR, "roles/owner", "roles/viewer", "roles/unread.one", CUSTOM]
KNOWN = roles(role(CUSTOM, JOBS, deleted=True), unread__one=LATE)
PERMISSIONS = [JOBS, "bigquery.datasets.create", "bigquery.tables.updateData"]

bindings = st.builds(
    Binding,
    st.sampled_from(ROLES),
    st.lists(st.sampled_from(MEMBERS), max_size=3).map(tuple),
    st.sampled_from([None, None, Condition("request.time < x")]),
)
lists = st.lists(bindings, max_size=4).map(tuple)
gaps = st.sampled_from([None, None, Incomplete("a page is missing")]).map(Completeness)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[AllowPolicies, Roles]:
    above = {
        name: unreadable(resource) if draw(st.integers(0, 3)) == 0 else draw(lists)
        for name, resource in (("folder", FOLDER), ("organization", ORGANIZATION))
        if draw(st.booleans())
    }
    allowed = replace(policies(*draw(lists), **above), completeness=draw(gaps))
    unread = draw(st.sets(st.sampled_from([USER, EDITOR, "roles/owner"])))
    return allowed, Roles(roles={**KNOWN.roles, **dict.fromkeys(unread, LATE)})


def answers(world: tuple[AllowPolicies, Roles | Unknown]) -> dict[str, Answer]:
    seen = access(*world)
    on = dataset(AccessEntry(role="OWNER", special_group="projectOwners"))
    return {
        **{f"role {name}": seen.holds_role(name).answer for name in ROLES},
        **{permission: seen.holds(permission).answer for permission in PERMISSIONS},
        "in a dataset": seen.holds_on(on, "bigquery.tables.updateData").answer,
    }


def only_darker(before: dict[str, Answer], after: dict[str, Answer]) -> bool:
    return all(after[what] in {before[what], UNKNOWN} for what in before)


@given(worlds(), st.data())
def test_seeing_less_only_ever_turns_an_answer_into_unknown(world, data):
    allowed, held = world
    hidden = data.draw(st.sampled_from(sorted(allowed.policies)))
    darker = {**allowed.policies, hidden: unreadable(hidden)}
    after = answers((replace(allowed, policies=darker), held))
    before = answers(world)
    assert only_darker(before, after)
    # Nobody can hold a role that is gone.
    assert not any(after[what] is NOT_GRANTED for what in before if what != f"role {CUSTOM}")


@given(worlds())
def test_knowing_less_of_ancestors_roles_or_pages_only_ever_turns_an_answer_into_unknown(world):
    allowed, held = world
    cut = Completeness(Incomplete("perhaps more"))
    before = answers(world)
    assert only_darker(before, answers((replace(allowed, completeness=cut), held)))
    own = replace(allowed.policies[ACME], completeness=cut)
    assert only_darker(before, answers((replace(allowed, policies={**allowed.policies, ACME: own}), held)))
    blind_to_roles = answers((allowed, LATE))
    # A custom role that was deleted is known only by reading it; Google's own can't be.
    assert only_darker({k: v for k, v in before.items() if CUSTOM not in k}, blind_to_roles)


@given(worlds(), bindings, st.sampled_from([ACME, FOLDER, ORGANIZATION]))
def test_one_more_binding_never_takes_access_away(world, binding, where):
    allowed, held = world
    old = allowed.policies.get(where)
    if old is None or isinstance(old, Unknown):
        return
    more = replace(old, bindings=(*old.bindings, binding))
    before, after = answers(world), answers((replace(allowed, policies={**allowed.policies, where: more}), held))
    rank = {NOT_GRANTED: 0, UNKNOWN: 1, GRANTED: 2}
    assert all(rank[after[what]] >= rank[before[what]] for what in before)


@given(worlds(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_bindings_and_members_change_nothing(world, chance):
    allowed, held = world
    shuffled = {}
    for name, policy in allowed.policies.items():
        if isinstance(policy, Unknown):
            shuffled[name] = policy
            continue
        mixed = [replace(b, members=tuple(chance.sample(b.members * 2, len(b.members) * 2))) for b in policy.bindings]
        mixed = mixed * 2
        chance.shuffle(mixed)
        shuffled[name] = replace(policy, bindings=tuple(mixed))
    order = dict(chance.sample(sorted(shuffled.items()), len(shuffled)))
    assert answers((replace(allowed, policies=order), held)) == answers(world)


@given(worlds())
def test_every_answer_says_what_it_rests_on(world):
    seen = access(*world)
    for permission in PERMISSIONS:
        decision = seen.holds(permission)
        assert decision.evidence
        assert bool(decision.missing) == (decision.answer is UNKNOWN)
        if decision.missing:
            assert decision.reason.describe()


def test_a_deleted_or_disabled_role_gives_nothing():
    for gone in ({"deleted": True}, {"disabled": True}):
        seen = access(policies(bind(CUSTOM, HEAP)), Roles(roles={CUSTOM: role(CUSTOM, JOBS, **gone)}))
        assert seen.holds(JOBS).answer is NOT_GRANTED
        assert seen.holds_role(CUSTOM).answer is NOT_GRANTED
    alive = Role(provenance=at(CUSTOM), name=CUSTOM, permissions=frozenset({JOBS}))
    assert access(policies(bind(CUSTOM, HEAP)), Roles(roles={CUSTOM: alive})).holds_role(CUSTOM).answer is GRANTED

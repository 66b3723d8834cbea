"""Answers and proofs: deny policies, groups, conditions on the time, datasets, and what is missing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from preflight import (
    AccessEntry,
    Answer,
    AttachedDenyPolicies,
    Completeness,
    Condition,
    Dataset,
    Decision,
    Denied,
    DenyPolicies,
    DenyPolicy,
    DenyRule,
    Group,
    Groups,
    Incomplete,
    Roles,
    TimedOut,
    Unknown,
)
from preflight.access.deny_rules import denies, v2_name
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.testing import HERE
from tests.conftest import ACME, EDITOR, FOLDER, HEAP, ORGANIZATION, USER, at, bind, policies, role, roles, unreadable

JOBS = "bigquery.jobs.create"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
GRANTED, NOT_GRANTED, UNKNOWN = Answer.GRANTED, Answer.NOT_GRANTED, Answer.UNKNOWN
EMAIL = HEAP.partition(":")[2]
TEAM, STAFF = "group:team@acme.example", "group:staff@acme.example"
ANA = "user:ana@acme.example"
CUSTOM = "projects/acme-analytics/roles/runner"


def access(*bindings: Any, **facts: Any) -> ProjectAccess:
    above = {name: facts.pop(name) for name in ("folder", "organization") if name in facts}
    given = {"roles": roles(), "deny": deny(), "groups": groups(), **facts}
    return ProjectAccess(
        AccessFacts(project="acme-analytics", number="421", allow=policies(*bindings, **above), moment=NOW, **given)
    )


def deny(*rules: DenyRule, on: str = ACME, unread: dict[str, Unknown] | None = None) -> DenyPolicies:
    policy = DenyPolicy(provenance=at(f"{on}/denypolicies/guard"), name="guard", rules=rules)
    attached = AttachedDenyPolicies(provenance=at(on), resource=on, policies={"guard": policy})
    return DenyPolicies(attached={on: attached, **(unread or {})})


def a_rule(*principals: str, permissions: tuple[str, ...] = ("bigquery.googleapis.com/jobs.create",), **more: Any):
    return DenyRule(denied_principals=principals, denied_permissions=permissions, **more)


def groups(**members: tuple[str, ...]) -> Groups:
    """Groups of acme.example by name."""
    found: dict[str, Group | Unknown] = {
        f"{name}@acme.example": Group(provenance=at(f"groups/{name}"), email=f"{name}@acme.example", members=who)
        for name, who in members.items()
    }
    return Groups(groups=found)


def missing(decision: Decision) -> list[tuple[str, str]]:
    return [fact.key for fact in decision.missing]


PUBLIC = "principalSet://goog/public:all"
ACCOUNT = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{EMAIL}"


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        pytest.param(a_rule(PUBLIC), NOT_GRANTED, id="everybody"),
        pytest.param(a_rule(ACCOUNT.replace("heap-sql", "HEAP-sql")), NOT_GRANTED, id="itself, in capitals"),
        pytest.param(a_rule("principal://goog/subject/ana@acme.example"), GRANTED, id="somebody else"),
        pytest.param(a_rule("principalSet://goog/group/team@acme.example"), UNKNOWN, id="a group"),
        pytest.param(a_rule(PUBLIC, exception_principals=(ACCOUNT,)), GRANTED, id="everybody but it"),
        pytest.param(a_rule(PUBLIC, exception_principals=("principalSet://goog/group/team@acme.example",)), UNKNOWN,
                     id="everybody but a group"),
        pytest.param(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/*.*",)), NOT_GRANTED, id="all of BigQuery"),
        pytest.param(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/jobs.*",)), NOT_GRANTED, id="all of jobs"),
        pytest.param(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/*.create",)), NOT_GRANTED, id="all making"),
        pytest.param(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/tables.*",)), GRANTED, id="tables only"),
        pytest.param(a_rule(PUBLIC, permissions=("storage.googleapis.com/*.*",)), GRANTED, id="another service"),
        pytest.param(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/*.*",),
                     exception_permissions=("bigquery.googleapis.com/jobs.create",)), GRANTED, id="all but this"),
        pytest.param(a_rule(PUBLIC, condition=Condition("resource.matchTag('1/env', 'prod')")), UNKNOWN,
                     id="where a tag is, unseen"),
        pytest.param(a_rule(PUBLIC, condition=Condition("false")), GRANTED, id="never"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [ACME, FOLDER, ORGANIZATION])
def test_a_deny_rule_wins_over_every_grant(rule, answer, place):
    seen = access(bind(USER, HEAP), folder=(bind("roles/owner", HEAP),), deny=deny(rule, on=place))
    decision = seen.decide(HEAP, JOBS)
    assert decision.answer is answer
    # It takes permissions away, not roles.
    assert seen.holds_role(HEAP, USER).answer is GRANTED
    if answer is NOT_GRANTED:
        assert decision.denied
        assert decision.evidence[0].resource == f"{place}/denypolicies/guard"
        assert "guard denies" in decision.evidence[0].detail


def test_a_group_that_is_granted_and_denied_alike_gets_nothing_whoever_is_in_it():
    in_group = "principalSet://goog/group/team@acme.example"
    assert access(bind(USER, TEAM), deny=deny(a_rule(in_group))).decide(HEAP, JOBS).answer is NOT_GRANTED
    but_it = a_rule(PUBLIC, exception_principals=(in_group,))
    decision = access(bind(USER, HEAP), deny=deny(but_it)).decide(HEAP, JOBS)
    assert missing(decision) == [("group", "team@acme.example")]


def test_deny_policies_that_were_not_seen_are_told_as_an_assumption_or_make_it_unknown():
    blind = deny(unread={FOLDER: Unknown(Denied("iam.denypolicies.list", FOLDER), at(FOLDER))})
    decision = access(bind(USER, HEAP), deny=blind).decide(HEAP, JOBS)
    assert decision.answer is GRANTED
    assert [FOLDER in e.detail and "none is assumed" in e.detail for e in decision.assumptions] == [True]
    assert decision.assumptions[0] in decision.evidence
    strict = replace(access(bind(USER, HEAP), deny=blind).facts, unread_deny_blocks=True)
    decision = ProjectAccess(strict).decide(HEAP, JOBS)
    assert decision.answer is UNKNOWN
    assert missing(decision) == [("deny policy", FOLDER)]
    assert isinstance(decision.reason, Denied)
    assert ProjectAccess(replace(strict, allow=policies())).decide(HEAP, JOBS).answer is NOT_GRANTED


@pytest.mark.parametrize(
    ("unread", "about"),
    [
        pytest.param(Unknown(TimedOut("x")), ACME, id="nothing"),
        pytest.param(
            DenyPolicies(attached={}, completeness=Completeness(Incomplete("a folder is unseen"))), "", id="ancestors"
        ),
        pytest.param(
            DenyPolicies(attached={ACME: AttachedDenyPolicies(provenance=HERE, resource=ACME, policies={
                "guard": Unknown(TimedOut("x"))})}), f"{ACME}/guard", id="one of them",
        ),
        pytest.param(
            DenyPolicies(attached={ACME: AttachedDenyPolicies(provenance=HERE, resource=ACME, policies={},
                completeness=Completeness(Incomplete("a page")))}), ACME, id="a page",
        ),
    ],
)  # fmt: skip
def test_each_way_to_miss_deny_policies(unread, about):
    facts = replace(access(bind(USER, HEAP), deny=unread).facts, unread_deny_blocks=True)
    assert [fact.about for fact in ProjectAccess(facts).decide(HEAP, JOBS).missing] == [about]


def test_how_deny_policies_name_a_permission():
    assert v2_name("bigquery.tables.getData") == "bigquery.googleapis.com/tables.getData"
    assert v2_name("resourcemanager.projects.get") == "cloudresourcemanager.googleapis.com/projects.get"
    assert not denies(a_rule(PUBLIC, permissions=("bigquery.googleapis.com",)), JOBS)
    assert not denies(a_rule(PUBLIC, permissions=("*",)), JOBS)


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        pytest.param(groups(team=(HEAP.replace("heap-sql", "HEAP-sql"),)), GRANTED, id="a member, in capitals"),
        pytest.param(groups(team=(ANA,)), NOT_GRANTED, id="others are"),
        pytest.param(groups(team=()), NOT_GRANTED, id="nobody is"),
        pytest.param(groups(team=(STAFF,), staff=(HEAP,)), GRANTED, id="by a nested group"),
        pytest.param(groups(team=(STAFF,)), UNKNOWN, id="a nested group that is not known"),
        pytest.param(groups(team=(STAFF,), staff=(TEAM,)), NOT_GRANTED, id="in a circle"),
        pytest.param(groups(), UNKNOWN, id="not known"),
        pytest.param(Unknown(TimedOut("x")), UNKNOWN, id="no groups at all"),
        pytest.param(Groups(groups={"team@acme.example": Group(provenance=HERE, email="team@acme.example",
                     checked={HEAP: True}, completeness=Completeness(Incomplete("one was asked about")))}), GRANTED,
                     id="asked about"),
        pytest.param(Groups(groups={"team@acme.example": Group(provenance=HERE, email="team@acme.example",
                     checked={HEAP: False}, completeness=Completeness(Incomplete("one was asked about")))}),
                     NOT_GRANTED, id="asked about, and not in it"),
        pytest.param(Groups(groups={"team@acme.example": Group(provenance=HERE, email="team@acme.example",
                     checked={ANA: True}, completeness=Completeness(Incomplete("one was asked about")))}), UNKNOWN,
                     id="somebody else was asked about"),
    ],
)  # fmt: skip
def test_groups(known, answer):
    decision = access(bind(USER, TEAM), groups=known).decide(HEAP, JOBS)
    assert decision.answer is answer
    assert access(bind(USER, "group:TEAM@acme.example"), groups=known).decide(HEAP, JOBS).answer is answer


def test_the_way_into_a_nested_group_is_in_the_proof():
    known = groups(team=(ANA, STAFF), staff=(HEAP,))
    decision = access(bind(USER, TEAM), groups=known).decide(HEAP, JOBS)
    said = [(e.resource, e.detail) for e in decision.evidence]
    assert ("groups/team", f"{STAFF} is a member of team@acme.example") in said
    assert ("groups/staff", f"{HEAP} is a member of staff@acme.example") in said
    assert (USER, f"{USER} holds {JOBS}") in said


def test_the_smallest_set_of_facts_is_asked_for():
    blind = access(
        bind(USER, TEAM),
        bind("roles/viewer", TEAM, STAFF),
        bind(CUSTOM, STAFF),
        folder=unreadable(FOLDER),
        roles=roles(role(CUSTOM, "bigquery.jobs.get")),
    )
    assert set(missing(blind.decide(HEAP, JOBS))) == {
        ("group", "team@acme.example"), ("group", "staff@acme.example"), ("policy", FOLDER),
    }  # fmt: skip
    assert set(missing(blind.decide(HEAP, "bigquery.jobs.get"))) == {
        ("group", "staff@acme.example"),
        ("policy", FOLDER),
    }
    both = access(bind("roles/next.year", TEAM), roles=Roles(roles={}))
    assert set(missing(both.decide(HEAP, JOBS))) == {("role", "roles/next.year"), ("group", "team@acme.example")}


def test_the_moment_at_which_the_answer_changes():
    ends = "request.time < timestamp('2027-01-01T00:00:00Z')"
    starts = "request.time >= timestamp('2026-12-24T00:00:00Z')"
    first = datetime(2026, 12, 24, tzinfo=UTC)
    last = datetime(2027, 1, 1, tzinfo=UTC)
    assert access(bind(USER, HEAP, only_if=ends)).decide(HEAP, JOBS).changes_at == last
    to_come = access(bind(USER, HEAP, only_if=f"{starts} && {ends}")).decide(HEAP, JOBS)
    assert (to_come.answer, to_come.changes_at) == (NOT_GRANTED, first)
    # Another grant goes on: nothing changes.
    assert access(bind(USER, HEAP), bind(USER, HEAP, only_if=ends)).decide(HEAP, JOBS).changes_at is None
    relayed = access(bind(USER, HEAP, only_if=ends), bind(EDITOR, HEAP), bind("roles/viewer", HEAP, only_if=starts))
    assert relayed.decide(HEAP, JOBS).changes_at is None
    assert access(bind(USER, HEAP, only_if=ends)).holds_role(HEAP, USER).changes_at == last
    up_to = access(bind(USER, HEAP, only_if=ends.replace("<", "<="))).decide(HEAP, JOBS)
    assert up_to.changes_at == last
    weekdays = access(bind(USER, HEAP, only_if="request.time.getDayOfWeek('UTC') < 6")).decide(HEAP, JOBS)
    assert (weekdays.answer, weekdays.recurring, weekdays.changes_at) == (GRANTED, True, None)


def test_a_condition_that_is_false_is_shown_beside_not_granted():
    over = "request.time < timestamp('2026-01-01T00:00:00Z')"
    decision = access(bind(USER, HEAP, only_if=over)).decide(HEAP, JOBS)
    assert decision.answer is NOT_GRANTED
    assert any(over in e.detail for e in decision.evidence)
    assert decision.links[0].condition.holds is False


def dataset(*entries: AccessEntry, name: str = "sales") -> Dataset:
    return Dataset(provenance=at(f"{ACME}/datasets/{name}"), id=name, location="EU", access=entries)


def test_a_condition_is_tried_where_the_permission_is_checked():
    in_sales = f"resource.name.startsWith('{ACME}/datasets/sales')"
    seen = access(bind("roles/bigquery.dataEditor", HEAP, only_if=in_sales))
    write = "bigquery.tables.updateData"
    assert seen.decide(HEAP, write, dataset()).answer is GRANTED
    assert seen.decide(HEAP, write, dataset(name="other")).answer is NOT_GRANTED
    assert seen.decide(HEAP, write).answer is UNKNOWN
    assert seen.decide(HEAP, "bigquery.datasets.create").answer is NOT_GRANTED


def test_an_access_list_that_was_not_read_leaves_a_grant_and_opens_its_absence():
    unread = replace(dataset(), access=Unknown(Denied("bigquery.datasets.get", "sales"), HERE))
    write = "bigquery.tables.updateData"
    assert access(bind(EDITOR, HEAP)).decide(HEAP, write, unread).answer is GRANTED
    decision = access().decide(HEAP, write, unread)
    assert missing(decision) == [("dataset access", "sales")]
    entry = AccessEntry(role="WRITER", user=EMAIL)
    assert access().decide(HEAP, write, dataset(entry)).answer is GRANTED
    assert access(deny=deny(a_rule(PUBLIC, permissions=("bigquery.googleapis.com/tables.*",)))).decide(
        HEAP, write, dataset(entry)
    ).answer is NOT_GRANTED  # fmt: skip


def test_a_role_that_nobody_asked_google_about_is_looked_up_in_the_catalogue():
    offline = access(bind(USER, HEAP), roles=Roles(roles={})).decide(HEAP, JOBS)
    assert offline.answer is GRANTED
    assert any(e.source.startswith("role catalogue of 20") for e in offline.evidence)
    # What Google was asked and didn't tell stays unknown.
    asked = access(bind(USER, HEAP), roles=Roles(roles={USER: Unknown(TimedOut("x"))})).decide(HEAP, JOBS)
    assert missing(asked) == [("role", USER)]
    none_of_these = access(bind("roles/logging.logWriter", HEAP), roles=Roles(roles={})).decide(HEAP, JOBS)
    assert none_of_these.answer is NOT_GRANTED
    new = access(bind("roles/next.year", HEAP), roles=Roles(roles={})).decide(HEAP, JOBS)
    assert missing(new) == [("role", "roles/next.year")]


def test_a_role_as_read_wins_over_the_catalogue_and_the_difference_is_shown():
    grown = role("roles/logging.logWriter", JOBS)
    decision = access(bind("roles/logging.logWriter", HEAP), roles=roles(grown)).decide(HEAP, JOBS)
    assert decision.answer is GRANTED
    assert any("did not hold" in e.detail for e in decision.evidence)


def test_anyone_can_be_asked_about():
    seen = access(bind(USER, TEAM, "allAuthenticatedUsers"), bind("roles/owner", "domain:acme.example"))
    assert seen.decide(TEAM, JOBS).answer is GRANTED
    assert seen.decide("group:other@acme.example", JOBS).answer is GRANTED  # by allAuthenticatedUsers
    assert access(bind(USER, TEAM)).decide(STAFF, JOBS).answer is NOT_GRANTED
    assert access(bind(USER, "domain:ACME.example")).decide("domain:acme.example", JOBS).answer is GRANTED
    deleted = f"deleted:{HEAP}?uid=1"
    assert access(bind(USER, deleted)).decide(deleted, JOBS).answer is NOT_GRANTED


def test_the_accounts_of_a_project_a_folder_or_the_organization():
    own = "serviceAccount:etl@acme-analytics.iam.gserviceaccount.com"
    compute = "serviceAccount:421-compute@developer.gserviceaccount.com"
    elsewhere = "serviceAccount:7-compute@developer.gserviceaccount.com"
    prefix = "principalSet://cloudresourcemanager.googleapis.com"
    folder, organization = f"{prefix}/{FOLDER}/type/ServiceAccount", f"{prefix}/{ORGANIZATION}/type/ServiceAccount"
    for member, account, answer in (
        (f"{prefix}/projects/421/type/ServiceAccount", own, GRANTED),
        (f"{prefix}/projects/999/type/ServiceAccount", own, NOT_GRANTED),
        (folder, own, GRANTED),
        (organization, own, GRANTED),
        (f"{prefix}/folders/1/type/ServiceAccount", own, NOT_GRANTED),
        (folder, HEAP, UNKNOWN),
        (f"{prefix}/projects/421/type/ServiceAccount", HEAP, NOT_GRANTED),
        (f"{prefix}/projects/421/type/ServiceAccount", compute, GRANTED),
        (f"{prefix}/projects/7/type/ServiceAccount", compute, NOT_GRANTED),
        (f"{prefix}/projects/421/type/ServiceAccount", elsewhere, NOT_GRANTED),
        (f"{prefix}/projects/7/type/ServiceAccount", elsewhere, GRANTED),
        (f"{prefix}/projects/by-its-id/type/ServiceAccount", elsewhere, UNKNOWN),
        (organization, "serviceAccount:acme-analytics@appspot.gserviceaccount.com", GRANTED),
        (organization, ANA, NOT_GRANTED),
    ):  # fmt: skip
        decision = access(bind(USER, member), folder=(), organization=()).decide(account, JOBS)
        assert decision.answer is answer, (member, account)


def test_owners_stand_for_those_who_hold_the_role_on_the_project_itself():
    member = "projectOwner:acme-analytics"
    owners = bind("roles/owner", ANA)
    known = roles(role(CUSTOM, "x.y.z"))
    assert access(owners, bind(CUSTOM, member), roles=known).decide(ANA, "x.y.z").answer is GRANTED
    none = access(bind(CUSTOM, member), roles=known).decide(ANA, "x.y.z")
    assert none.answer is NOT_GRANTED
    inherited = access(bind(CUSTOM, member), folder=(owners,), roles=known).decide(ANA, "x.y.z")
    assert missing(inherited) == [("basic role", member)]
    elsewhere = access(bind(CUSTOM, "projectOwner:other"), roles=known).decide(ANA, "x.y.z")
    assert missing(elsewhere) == [("member", "projectOwner:other")]


def test_one_condition_may_hold_for_the_project_and_not_for_its_dataset():
    # The project's tags would tell whether ANA is an owner, the dataset's whether the rule acts.
    tagged = "resource.matchTag('9/env', 'prod')"
    entry = Dataset(provenance=HERE, id="raw", location="EU",
                    access=(AccessEntry(role="OWNER", special_group="projectOwners"),))  # fmt: skip
    rule = a_rule(f"principal://goog/subject/{ANA.partition(':')[2]}", condition=Condition(tagged),
                  permissions=("bigquery.googleapis.com/tables.create",))  # fmt: skip
    owner = bind("roles/owner", ANA, only_if=tagged)
    none = roles(role("roles/owner", "x.y.z"))
    decision = access(owner, roles=none, deny=deny(rule)).decide(ANA, "bigquery.tables.create", entry)
    assert decision.answer is UNKNOWN
    assert missing(decision) == [("condition", tagged), ("condition", tagged)]


def test_a_role_that_is_gone_is_held_by_nobody_whatever_was_not_read():
    folder = unreadable(FOLDER)
    for gone in (role(CUSTOM, JOBS, deleted=True), role(CUSTOM, JOBS, disabled=True)):
        decision = access(bind(CUSTOM, HEAP), folder=folder, roles=roles(gone)).holds_role(HEAP, CUSTOM)
        assert (decision.answer, decision.missing) == (NOT_GRANTED, ())
    assert access(folder=folder, roles=roles(role(CUSTOM, JOBS))).holds_role(HEAP, CUSTOM).answer is UNKNOWN


def test_a_custom_role_that_was_not_read_may_have_been_deleted():
    for refused, read in ((roles(), roles(role(CUSTOM))), (Unknown(Denied("iam.roles.list")), roles(role(CUSTOM)))):
        decision = access(bind(CUSTOM, HEAP), roles=refused).holds_role(HEAP, CUSTOM)
        assert (decision.answer, missing(decision)) == (UNKNOWN, [("role", CUSTOM)])
        assert access(bind(CUSTOM, HEAP), roles=read).holds_role(HEAP, CUSTOM).answer is GRANTED
        assert access(bind(USER, HEAP), roles=refused).holds_role(HEAP, USER).answer is GRANTED


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param({"team": (ANA,)}, ["team"], id="not in the group that has it"),
        pytest.param({"team": (STAFF,), "staff": (ANA,)}, ["team"], id="nor in one within it"),
        pytest.param({"team": (ANA,), "staff": (ANA,)}, ["team"], id="of one that has something else nothing is said"),
    ],
)
def test_that_it_is_not_in_the_group_that_has_it_is_part_of_the_proof(told, said):
    one = access(bind(USER, TEAM), bind("roles/browser", STAFF), groups=groups(**told))
    for decision in (one.decide(HEAP, JOBS), one.holds_role(HEAP, USER)):
        assert decision.answer is NOT_GRANTED
        outside = [e.resource for e in decision.evidence if e.detail.startswith(f"{HEAP} is not a member of")]
        assert outside == [f"groups/{name}" for name in said]


def test_of_many_groups_some_are_named():
    names = [f"g{number}" for number in range(30)]
    many = access(*(bind(USER, f"group:{n}@acme.example") for n in names), groups=groups(**dict.fromkeys(names, ())))
    assert sum("is not a member" in e.detail for e in many.decide(HEAP, JOBS).evidence) == 10

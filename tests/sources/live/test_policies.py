"""Deny policies, the organisation and its policies, tags, groups, second opinions: read live over both transports."""

import msgspec
import pytest

from preflight.emulator import Fault, World
from preflight.emulator import world as w
from preflight.facts.dataset import Datasets, DatasetSettings
from preflight.facts.deny import DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import KNOWN_CONSTRAINTS, Organization, OrgPolicies, PolicyRule, Tags
from preflight.facts.policy import AllowPolicies, Condition, Role, Roles
from preflight.facts.project import Ancestry
from preflight.facts.second_opinion import SecondOpinions, Troubleshot
from preflight.facts.seen import Denied, NotCollected, PerimeterBlocked, Provenance, Unknown
from preflight.sources.live.groups import groups_to_ask
from tests.sources.live.conftest import ALL, VENDOR, with_binding, with_project

TRANSPORTS = pytest.mark.parametrize("transport", ["grpc", "rest"])
TAGGED = Condition("resource.matchTag('1000/env', 'prod')", "in production")
LEVELS = ["projects/acme-deep", "folders/3", "folders/2", "folders/1", "organizations/1000"]
VENDOR_MEMBER = f"serviceAccount:{VENDOR}"


@TRANSPORTS
def test_deny_policies_at_every_level(deep, serve, read, transport):
    _, snapshot = read(serve(deep), frozenset({DenyPolicies}), project="acme-deep", transport=transport)
    denied = snapshot.deny_policies
    assert list(denied.attached) == LEVELS
    assert denied.completeness.complete
    assert [len(one.policies) for one in denied.attached.values()] == [2, 0, 0, 0, 1]
    project = denied.attached["projects/acme-deep"]
    assert project.provenance.source == "iam.policies.listPolicies"
    assert project.policies["empty"].rules == ()
    assert project.policies["vendors-out"].rules == (
        DenyRule(
            denied_principals=(f"principal://iam.googleapis.com/projects/-/serviceAccounts/{VENDOR}",),
            denied_permissions=("bigquery.googleapis.com/jobs.create", "bigquery.googleapis.com/datasets.*"),
            condition=TAGGED,
        ),
    )
    (rule,) = denied.attached["organizations/1000"].policies["no-deletion"].rules
    assert rule.exception_principals == ("principalSet://goog/group/Data@acme.example",)
    assert rule.exception_permissions == ("bigquery.googleapis.com/tables.delete",)


def test_a_list_of_deny_policies_that_is_refused_is_unknown_and_the_others_are_kept(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="iam.policies.listPolicies", kind="denied", times=1))
    _, snapshot = read(cloud, frozenset({DenyPolicies}), project="acme-deep")
    (unknown,) = [one for one in snapshot.deny_policies.attached.values() if isinstance(one, Unknown)]
    assert unknown.reason.permission == "iam.denypolicies.list"
    assert unknown.reason.resource in LEVELS
    assert len(snapshot.gaps()) == 1


def test_a_deny_policy_that_is_refused_is_unknown_by_its_name(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="iam.policies.get", kind="denied"))
    _, snapshot = read(cloud, frozenset({DenyPolicies}), project="acme-deep")
    policies = snapshot.deny_policies.attached["projects/acme-deep"].policies
    assert {name: one.reason for name, one in policies.items()} == dict.fromkeys(
        ("vendors-out", "empty"), Denied("iam.denypolicies.get", "projects/acme-deep")
    )


@TRANSPORTS
def test_a_list_of_deny_policies_without_end(deep, serve, read, transport):
    cloud = serve(deep)
    cloud.inject(Fault(method="iam.policies.listPolicies", kind="endless_pages"))
    _, snapshot = read(cloud, frozenset({DenyPolicies}), project="acme-deep", transport=transport)
    project = snapshot.deny_policies.attached["projects/acme-deep"]
    assert project.completeness.gap.kind == "incomplete"
    assert all(isinstance(policy, DenyPolicy) for policy in project.policies.values())
    assert isinstance(snapshot.deny_policies.attached["folders/3"], Unknown), "not even one that was listed is known"


@TRANSPORTS
def test_the_organization(deep, serve, read, transport):
    _, snapshot = read(serve(deep), frozenset({Organization}), project="acme-deep", transport=transport)
    found = snapshot.organization
    assert (found.name, found.domain, found.directory_customer_id) == ("organizations/1000", "acme.example", "C0acme")
    assert found.provenance.source == "cloudresourcemanager.organizations.get"


def test_a_project_in_no_organization_has_no_gap(deep, serve, read):
    _, snapshot = read(serve(with_project(deep, parent="")), frozenset({Organization}), project="acme-deep")
    assert snapshot.organization.reason == NotCollected("the project is in no organization")
    assert snapshot.gaps() == ()


@pytest.mark.parametrize(
    ("method", "permission", "resource"),
    [
        ("cloudresourcemanager.projects.get", "resourcemanager.projects.get", "projects/acme-deep"),
        ("cloudresourcemanager.folders.get", "resourcemanager.folders.get", "folders/3"),
        ("cloudresourcemanager.organizations.get", "resourcemanager.organizations.get", "organizations/1000"),
    ],
)
def test_an_organization_that_can_not_be_seen(deep, serve, read, method, permission, resource):
    cloud = serve(deep)
    cloud.inject(Fault(method=method, kind="denied"))
    _, snapshot = read(cloud, frozenset({Organization}), project="acme-deep")
    assert snapshot.organization.reason == Denied(permission, resource)


@TRANSPORTS
def test_what_the_organizations_policies_demand(deep, serve, read, transport):
    _, snapshot = read(serve(deep), frozenset({OrgPolicies}), project="acme-deep", transport=transport)
    policies = snapshot.org_policies.policies
    assert tuple(policies) == KNOWN_CONSTRAINTS
    assert {name: policy.rules for name, policy in policies.items()} == {
        "iam.allowedPolicyMemberDomains": (PolicyRule(allow_all=True),),
        "iam.managed.allowedPolicyMembers": (
            PolicyRule(
                enforce=True,
                parameters={"allowedMemberSubjects": ("user:ana@acme.example",), "strict": ("true",)},
            ),
        ),
        "gcp.resourceLocations": (PolicyRule(allowed=("in:eu-locations", "in:us-locations"), denied=("us-east1",)),),
        "gcp.restrictServiceUsage": (
            PolicyRule(denied=("bigquery.googleapis.com",), condition=TAGGED),
            PolicyRule(allow_all=True),
        ),
        "gcp.restrictNonCmekServices": (PolicyRule(allow_all=True),),
    }


@TRANSPORTS
def test_a_managed_constraint_that_is_not_enforced_is_told_from_a_list(ready, read, transport):
    _, snapshot = read(ready, frozenset({OrgPolicies}), transport=transport)
    assert snapshot.org_policies.policies["iam.managed.allowedPolicyMembers"].rules == (PolicyRule(enforce=False),)


@TRANSPORTS
def test_tags_are_read_where_a_condition_looks_at_them(deep, serve, read, transport):
    _, snapshot = read(serve(deep), frozenset({Tags}), project="acme-deep", transport=transport)
    assert snapshot.tags.tags == {"1000/env": "1000/env/prod", "1000/team": "1000/team/data"}
    assert all(key.startswith("tagKeys/") for key in snapshot.tags.ids)
    assert all(value.startswith("tagValues/") for value in snapshot.tags.ids.values())


@pytest.mark.parametrize("facts", [{Tags}, {Tags, DenyPolicies}, {Tags, OrgPolicies}], ids=["none", "deny", "org"])
def test_which_conditions_ask_for_tags(deep, serve, read, facts):
    """The condition in the folder's allow policy apart, it hangs on the other facts whether one is read."""
    middle = [msgspec.structs.replace(folder, bindings=()) for folder in deep.folders]
    cloud = serve(msgspec.structs.replace(deep, folders=tuple(middle)))
    _, snapshot = read(cloud, frozenset(facts), project="acme-deep")
    if facts == {Tags}:
        assert snapshot.tags.reason == NotCollected("no condition that was read looks at tags")
    else:
        assert "1000/env" in snapshot.tags.tags
    assert snapshot.gaps() == ()


def test_tags_need_the_projects_number(deep, serve, read):
    cloud = serve(with_binding(deep, "roles/browser", "user:ana@acme.example"))
    cloud.inject(Fault(method="cloudresourcemanager.projects.get", kind="denied"))
    _, snapshot = read(cloud, frozenset({Tags, DenyPolicies}), project="acme-deep")
    assert snapshot.tags.reason == Denied("resourcemanager.projects.get", "projects/acme-deep")


def test_a_list_of_tags_without_end(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="cloudresourcemanager.effectiveTags.list", kind="endless_pages"))
    _, snapshot = read(cloud, frozenset({Tags}), project="acme-deep")
    assert snapshot.tags.reason.kind == "incomplete"


def test_a_group_is_asked_about_the_principal_alone(deep, serve, read):
    cloud = serve(deep)
    _, snapshot = read(cloud, frozenset({Groups, DenyPolicies}), project="acme-deep")
    (group,) = snapshot.groups.groups.values()
    assert isinstance(group, Group)
    assert (group.email, group.members) == ("data@acme.example", ())
    assert group.checked == {VENDOR_MEMBER: True}, "by a group within it"
    assert group.completeness.gap == NotCollected(f"only {VENDOR_MEMBER} was asked about")
    assert snapshot.gaps() == (), "who else is in it, nobody asked"


def test_who_is_in_no_group(deep, serve, read):
    cloud = serve(msgspec.structs.replace(deep, groups=deep.groups[:1]))
    _, snapshot = read(cloud, frozenset({Groups, DenyPolicies}), project="acme-deep")
    assert snapshot.groups.groups["data@acme.example"].checked == {VENDOR_MEMBER: False}


def test_a_group_that_may_not_be_seen_names_who_could_show_it(deep, serve, read):
    hidden = msgspec.structs.replace(deep.groups[0], viewers=())
    _, snapshot = read(
        serve(msgspec.structs.replace(deep, groups=(hidden, *deep.groups[1:]))),
        frozenset({Groups, DenyPolicies}),
        project="acme-deep",
    )
    reason = snapshot.groups.groups["data@acme.example"].reason
    assert reason.kind == "denied"
    assert reason.resource == "group:data@acme.example"
    assert "Groups Reader" in reason.settle()


@pytest.mark.parametrize("kind", ["not_json", "truncated", "wrong_content_type", "quota", "hang", "reset"])
@pytest.mark.parametrize("method", ["lookup", "memberships.checkTransitiveMembership"])
def test_a_group_that_is_not_told(deep, serve, read, method, kind):
    cloud = serve(deep)
    cloud.inject(Fault(method=f"cloudidentity.groups.{method}", kind=kind))
    _, snapshot = read(cloud, frozenset({Groups, DenyPolicies}), project="acme-deep", timeout=2.0)
    group = snapshot.groups.groups["data@acme.example"]
    assert isinstance(group, Unknown)
    assert group.provenance.source == f"cloudidentity.groups.{method}"


def test_a_call_that_hangs_does_not_cost_the_groups(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="iam.roles.get", kind="hang"))
    _, snapshot = read(cloud, frozenset({Groups, DenyPolicies}), project="acme-deep", timeout=2.0)
    assert snapshot.groups.groups["data@acme.example"].checked == {VENDOR_MEMBER: True}


def role(name: str, *permissions: str, deleted: bool = False) -> Role:
    return Role(provenance=Provenance("test", name), name=name, permissions=frozenset(permissions), deleted=deleted)


@pytest.mark.parametrize(
    ("bound", "rules", "expected"),
    [
        pytest.param([("runs", "group:A@x.example")], [], ("a@x.example",), id="a role that holds it"),
        pytest.param([("runs", "user:a@x.example")], [], (), id="no group"),
        pytest.param([("looks", "group:a@x.example")], [], (), id="a role that doesn't"),
        pytest.param([("gone", "group:a@x.example")], [], (), id="a deleted role"),
        pytest.param([("hidden", "group:a@x.example")], [], ("a@x.example",), id="a role that was not told"),
        pytest.param([("unread", "group:a@x.example")], [], ("a@x.example",), id="a role that was not read"),
        pytest.param([("runs", "principalSet://goog/group/a@x.example")], [], ("a@x.example",), id="the other form"),
        pytest.param([("runs", "deleted:group:a@x.example?uid=1")], [], (), id="a deleted group"),
        pytest.param([], [("principalSet://goog/group/a@x.example", "")], ("a@x.example",), id="denied"),
        pytest.param([], [("", "principalSet://goog/group/a@x.example")], ("a@x.example",), id="excepted"),
    ],
)
def test_which_groups_matter(bound, rules, expected):
    roles = {
        "runs": role("runs", "x.y.z", "a.b.c"),
        "looks": role("looks", "a.b.c"),
        "gone": role("gone", "x.y.z", deleted=True),
        "hidden": Unknown(Denied("iam.roles.get")),
    }
    denying = [DenyRule((denied,), ("x",), exception_principals=(excepted,)) for denied, excepted in rules]
    assert groups_to_ask(bound, roles, denying, ["x.y.z"]) == expected


@TRANSPORTS
def test_second_opinions(deep, serve, read, transport):
    without_deny = with_project(deep, deny=())
    _, snapshot = read(serve(without_deny), frozenset({SecondOpinions}), project="acme-deep", transport=transport)
    opinions = snapshot.second_opinions
    assert opinions.principal == VENDOR_MEMBER
    assert {name: one.answer for name, one in opinions.answers.items()} == {
        "bigquery.datasets.create": Troubleshot.GRANTED,
        "bigquery.jobs.create": Troubleshot.GRANTED,
    }
    opinion = opinions.answers["bigquery.jobs.create"]
    assert opinion.resource == "projects/acme-deep"
    assert "organizations/1000/roles/sqlRunner on organizations/1000 grants it" in opinion.shown
    assert snapshot.started_at <= opinion.at <= snapshot.finished_at


def test_a_second_opinion_names_what_denies(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({SecondOpinions}), project="acme-deep")
    opinion = snapshot.second_opinions.answers["bigquery.jobs.create"]
    assert opinion.answer is Troubleshot.NOT_GRANTED
    assert opinion.shown[0] == "deny policy vendors-out on projects/3000 denies it"


def test_a_second_opinion_of_who_sees_nothing(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({SecondOpinions}), project="acme-deep", caller="shy@acme.example")
    opinion = snapshot.second_opinions.answers["bigquery.jobs.create"]
    assert opinion.answer is Troubleshot.UNKNOWN
    assert "the allow policy of organizations/1000 is not shown to the caller" in opinion.shown
    assert "the deny policies of folders/1 are not shown to the caller" in opinion.shown


def test_what_a_dataset_does_by_itself(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({Datasets}), project="acme-deep")
    settings = snapshot.datasets.get("heap_production").settings
    assert settings == DatasetSettings(86_400_000, None, "projects/k/locations/eu/keyRings/r/cryptoKeys/c")
    other = with_project(deep, datasets=(w.Dataset(id="heap_production", location="EU"),))
    _, snapshot = read(serve(other), frozenset({Datasets}), project="acme-deep")
    assert snapshot.datasets.get("heap_production").settings == DatasetSettings()


def test_a_conditional_entry_of_a_dataset_keeps_its_condition(deep, serve, read):
    (dataset,) = deep.projects[0].datasets
    entry = {
        "role": "WRITER",
        "userByEmail": VENDOR,
        "condition": {"expression": "request.time < timestamp('2030-01-01T00:00:00Z')", "title": "until 2030"},
    }
    changed = with_project(deep, datasets=(msgspec.structs.replace(dataset, access=(entry,)),))
    cloud = serve(changed)
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep")
    (access,) = snapshot.datasets.get("heap_production").access
    assert access.role == "WRITER"
    assert access.condition == Condition("request.time < timestamp('2030-01-01T00:00:00Z')", "until 2030")
    asked = [exchange for exchange in cloud.exchanges if exchange.method == "bigquery.datasets.get"]
    assert {exchange.query["accessPolicyVersion"] for exchange in asked} == {"3"}


@TRANSPORTS
def test_a_perimeter_is_named_with_its_identifier(deep, serve, read, transport):
    cloud = serve(deep)
    cloud.inject(Fault(method="*", kind="vpc_service_controls"))
    _, snapshot = read(cloud, project="acme-deep", transport=transport)
    reasons = {type(gap.reason) for gap in snapshot.gaps() if gap.fact != "caller_identity"}
    assert reasons == {PerimeterBlocked}
    assert all(len(gap.reason.identifier) > 20 for gap in snapshot.gaps() if gap.fact != "caller_identity")
    assert snapshot.gaps()[0].reason.identifier in snapshot.gaps()[0].reason.settle()


def test_facts_that_need_none_of_these_call_none(deep, serve, read):
    cloud = serve(deep)
    read(cloud, frozenset({Ancestry, AllowPolicies, Roles}), project="acme-deep")
    apis = {exchange.method.partition(".")[0] for exchange in cloud.exchanges}
    assert apis == {"cloudresourcemanager", "iam"}
    assert not any(exchange.method.startswith("iam.policies.") for exchange in cloud.exchanges)


def test_a_ready_demo_is_seen_whole_with_all_facts(read):
    from preflight.emulator import Emulator

    with Emulator(World.demo("ready")) as cloud:
        _, snapshot = read(cloud, ALL, dataset=None)
    assert snapshot.gaps() == ()
    assert isinstance(snapshot.organization, Organization)
    assert snapshot.groups.groups["data-team@acme.example"].checked == {VENDOR_MEMBER: False}

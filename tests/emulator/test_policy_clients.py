"""Google's clients for deny policies, organisation policies, tags and Policy Troubleshooter, and Cloud Identity."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import google.api_core.exceptions
import msgspec
import pytest

from preflight.emulator import Emulator, Fault, World
from preflight.emulator.errors import PERIMETER_ID
from preflight.emulator.methods.orgpolicy import effective_rules
from preflight.emulator.world import Binding, Condition, Folder, Organization, OrgPolicy, Project
from tests.emulator.conftest import ADMIN, HEAP
from tests.emulator.discovery_schema import check_exchange
from tests.emulator.google_clients import Clients
from tests.emulator.raw import ask

BOTH = pytest.mark.parametrize("transport", ["grpc", "rest"])
NOBODY = "nobody@elsewhere.example"
POINT = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F"
HOST = "//cloudresourcemanager.googleapis.com"


@BOTH
@pytest.mark.parametrize("project", ["acme-analytics", "3000"])
def test_deny_policies(clients, transport, project):
    client = clients(transport=transport).gapic("deny")
    listed = list(client.list_policies(request={"parent": f"{POINT}{project}/denypolicies", "page_size": 1}))
    assert [policy.name for policy in listed] == [
        f"{POINT}3000/denypolicies/{name}" for name in ("no-deletion", "nothing")
    ]
    assert not any(policy.rules for policy in listed), "the list has no rules"
    policy = client.get_policy(name=f"{POINT}{project}/denypolicies/no-deletion")
    (rule,) = policy.rules
    assert list(rule.deny_rule.denied_principals) == ["principalSet://goog/public:all"]
    assert list(rule.deny_rule.exception_permissions) == ["bigquery.googleapis.com/routines.get"]
    assert rule.deny_rule.denial_condition.expression == "resource.matchTag('1000/env', 'prod')"
    with pytest.raises(google.api_core.exceptions.NotFound):
        client.get_policy(name=f"{POINT}{project}/denypolicies/not-there")


@BOTH
def test_deny_policies_are_not_for_everybody(clients, transport):
    client = clients(NOBODY, transport).gapic("deny")
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        client.list_policies(parent=f"{POINT}acme-analytics/denypolicies")
    assert "iam.denypolicies.list" in refused.value.message


def test_the_slashes_of_an_attachment_point_have_to_be_written_otherwise(cloud):
    path = "/v2/policies/cloudresourcemanager.googleapis.com/projects/acme-analytics/denypolicies"
    assert ask(cloud, "GET", path, caller=ADMIN)[0] == 404


@BOTH
def test_effective_organization_policies(clients, transport):
    client = clients(transport=transport).gapic("org_policies")
    policy = client.get_effective_policy(name="projects/acme-analytics/policies/gcp.resourceLocations")
    assert policy.name == "projects/3000/policies/gcp.resourceLocations"
    values, everything = policy.spec.rules
    assert list(values.values.allowed_values) == ["in:eu-locations", "in:us-locations"]
    assert list(values.values.denied_values) == ["us-east1"]
    assert everything.deny_all is True
    for name, default in (("gcp.restrictServiceUsage", "allow_all"), ("iam.managed.allowedPolicyMembers", "enforce")):
        (rule,) = client.get_effective_policy(name=f"projects/3000/policies/{name}").spec.rules
        assert type(rule).pb(rule).WhichOneof("kind") == default
    with pytest.raises(google.api_core.exceptions.Forbidden):
        clients(NOBODY, transport).gapic("org_policies").get_effective_policy(name=policy.name)


ALLOWS_EU = OrgPolicy(rules=({"values": {"allowedValues": ["in:eu-locations"]}},))
ALL = [{"allowAll": True}]


@pytest.mark.parametrize(
    ("project", "folder", "organization", "expected"),
    [
        pytest.param(None, None, None, ALL, id="Google's default"),
        pytest.param(None, ALLOWS_EU, OrgPolicy(rules=({"denyAll": True},)), list(ALLOWS_EU.rules), id="the nearest"),
        pytest.param(OrgPolicy(reset=True), ALLOWS_EU, None, ALL, id="reset"),
        pytest.param(None, OrgPolicy(inherit_from_parent=True), ALLOWS_EU, list(ALLOWS_EU.rules), id="inherited"),
        pytest.param(OrgPolicy(inherit_from_parent=True, rules=({"denyAll": True},)), None, None,
                     [{"denyAll": True}], id="nothing to inherit"),
    ],
)  # fmt: skip
def test_which_organization_policy_holds(project, folder, organization, expected):
    chain = [
        node(policy)
        for node, policy in (
            (lambda found: Project(id="p", number="1", org_policies=found), project),
            (lambda found: Folder(id="2", parent="organizations/3", org_policies=found), folder),
            (lambda found: Organization(id="3", org_policies=found), organization),
        )
        for policy in [{"gcp.resourceLocations": policy} if policy else {}]
    ]
    assert effective_rules(chain, "gcp.resourceLocations") == expected


@BOTH
def test_effective_tags(clients, transport):
    client = clients(transport=transport).gapic("tags")
    tags = list(client.list_effective_tags(request={"parent": f"{HOST}/projects/3000", "page_size": 1}))
    assert [(tag.namespaced_tag_key, tag.namespaced_tag_value, tag.inherited) for tag in tags] == [
        ("1000/env", "1000/env/prod", True),
        ("1000/team", "1000/team/data", True),
    ]
    assert tags[0].tag_key.startswith("tagKeys/")
    assert tags[0].tag_key_parent_name == "organizations/1000"
    with pytest.raises(google.api_core.exceptions.Forbidden):
        list(clients(NOBODY, transport).gapic("tags").list_effective_tags(parent=f"{HOST}/projects/3000"))


def groups(cloud: Emulator, path: str, caller: str) -> tuple[int, dict[str, Any]]:
    status, _, answer = ask(cloud, "GET", path, caller=caller)
    check_exchange(cloud.exchanges[-1])
    return status, answer


def test_membership_in_a_group(cloud):
    status, found = groups(cloud, "/v1/groups:lookup?groupKey.id=Leads@acme.example", "lea@acme.example")
    assert status == 200
    for who, member in (("lea", True), ("ana", True), ("admin", False)):  # ana by the group that is in it
        query = quote(f"member_key_id == '{who}@acme.example'")
        path = f"/v1/{found['name']}/memberships:checkTransitiveMembership?query={query}"
        assert groups(cloud, path, "lea@acme.example") == (200, {"hasMembership": True} if member else {})
        status, answer = groups(cloud, path, NOBODY)
        assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert "or it may not exist" in answer["error"]["message"]


def test_who_sees_a_group(cloud):
    for caller, group, status in (
        (ADMIN, "data", 200),  # by the domain that its viewers name
        ("ana@acme.example", "data", 200),  # a member
        (ADMIN, "leads", 403),
        (ADMIN, "not-there", 403),
    ):
        assert groups(cloud, f"/v1/groups:lookup?groupKey.id={group}@acme.example", caller)[0] == status


def troubleshoot(clients, transport, principal, permission, *, caller=ADMIN, at="2026-03-01T12:00:00+00:00"):
    context = {"request": {"receive_time": datetime.fromisoformat(at).astimezone(UTC)}} if at else {}
    asked = {
        "principal": principal,
        "full_resource_name": f"{HOST}/projects/acme-analytics",
        "permission": permission,
        "condition_context": context,
    }
    client = clients(caller, transport).gapic("troubleshooter")
    return client.troubleshoot_iam_policy(request={"access_tuple": asked})


@BOTH
@pytest.mark.parametrize(
    ("principal", "permission", "options", "state"),
    [
        pytest.param(HEAP, "bigquery.jobs.create", {}, "CAN_ACCESS", id="while the condition holds"),
        pytest.param(HEAP, "bigquery.jobs.create", {"at": "2027-03-01T12:00:00+00:00"}, "CANNOT_ACCESS", id="after it"),
        pytest.param(HEAP, "bigquery.jobs.create", {"at": ""}, "UNKNOWN_CONDITIONAL", id="without the moment"),
        pytest.param(HEAP, "bigquery.jobs.create", {"caller": NOBODY}, "UNKNOWN_INFO", id="who may see nothing"),
        pytest.param(HEAP, "bigquery.tables.getData", {}, "CANNOT_ACCESS", id="not in the role"),
        pytest.param(ADMIN, "bigquery.datasets.get", {}, "CAN_ACCESS", id="a user"),
        pytest.param(ADMIN, "bigquery.routines.list", {}, "CANNOT_ACCESS", id="denied"),
        pytest.param(ADMIN, "bigquery.routines.get", {}, "CAN_ACCESS", id="an exception"),
    ],
)
def test_second_opinions(clients, cloud, transport, principal, permission, options, state):
    answer = troubleshoot(clients, transport, principal, permission, **options)
    assert answer.overall_access_state.name == state
    check_exchange(cloud.exchanges[-1])
    shown = answer.allow_policy_explanation.explained_policies
    if options.get("caller") == NOBODY:
        assert {policy.allow_access_state.name for policy in shown} == {"ALLOW_ACCESS_STATE_UNKNOWN_INFO"}
        assert not any(policy.binding_explanations or policy.policy.bindings for policy in shown), (
            "nothing is given away"
        )
    elif state == "CAN_ACCESS":
        granting = [b for policy in shown for b in policy.binding_explanations if b.allow_access_state == 1]
        assert granting
        assert all(binding.role_permission.name == "ROLE_PERMISSION_INCLUDED" for binding in granting)


def test_a_group_that_the_asker_does_not_see_leaves_it_open(world):
    project = world.projects[0]
    # The grant hangs on a group of which the asker is neither a member nor a viewer.
    bindings = (*project.bindings, Binding(role="roles/bigquery.dataViewer", members=("group:leads@acme.example",)))
    changed = msgspec.structs.replace(world, projects=(msgspec.structs.replace(project, bindings=bindings),))
    for caller, state in ((ADMIN, "UNKNOWN_INFO"), ("lea@acme.example", "CAN_ACCESS")):
        with Emulator(_auditor(changed, caller)) as cloud:
            client = Clients(cloud, caller)
            answer = troubleshoot(
                lambda *_, client=client: client, "grpc", "lea@acme.example", "bigquery.tables.getData"
            )
            client.close()
        assert answer.overall_access_state.name == state


def _auditor(world: World, caller: str) -> World:
    """The same world, in which the caller may read all policies."""
    (top,) = world.organizations
    grant = Binding(role="roles/iam.securityAuditor", members=(f"user:{caller}",))
    return msgspec.structs.replace(
        world, organizations=(msgspec.structs.replace(top, bindings=(*top.bindings, grant)),)
    )


def test_the_answer_is_what_the_stand_in_itself_decides(clients, cloud, world):
    """For everybody and a few permissions: as testIamPermissions of that caller says, where all can be seen."""
    permissions = [
        "bigquery.jobs.create",
        "bigquery.datasets.delete",
        "bigquery.datasets.get",
        "bigquery.routines.list",
    ]
    for who in (ADMIN, HEAP, "ana@acme.example", "lea@acme.example", NOBODY):
        own = clients(who).gapic("projects")
        held = own.test_iam_permissions(resource="projects/acme-analytics", permissions=permissions).permissions
        for permission in permissions:
            answer = troubleshoot(clients, "grpc", who, permission).overall_access_state.name
            assert answer == ("CAN_ACCESS" if permission in held else "CANNOT_ACCESS"), (who, permission)


def test_conditions_hang_on_what_the_asker_tells(world):
    project = world.projects[0]
    named = Condition(expression="resource.name == 'projects/acme-analytics'")
    grant = Binding(role="roles/bigquery.jobUser", members=("user:eve@acme.example",), condition=named)
    changed = msgspec.structs.replace(
        world, projects=(msgspec.structs.replace(project, bindings=(*project.bindings, grant)),)
    )
    question = {
        "principal": "eve@acme.example",
        "fullResourceName": f"{HOST}/projects/acme-analytics",
        "permission": "bigquery.jobs.create",
    }
    told = {"resource": {"name": "projects/acme-analytics"}}
    with Emulator(changed) as cloud:
        for context, state in (({}, "UNKNOWN_CONDITIONAL"), (told, "CAN_ACCESS")):
            body = {"accessTuple": question | {"conditionContext": context}}
            answer = ask(cloud, "POST", "/v3/iam:troubleshoot", caller=ADMIN, body=body)[2]
            assert answer["overallAccessState"] == state


@BOTH
@pytest.mark.parametrize("which", ["projects", "deny"])
def test_a_perimeter(clients, cloud, transport, which):
    cloud.inject(Fault(method="*", kind="vpc_service_controls"))
    client = clients(transport=transport).gapic(which)
    call = {
        "projects": lambda: client.get_project(name="projects/acme-analytics"),
        "deny": lambda: client.list_policies(parent=f"{POINT}acme-analytics/denypolicies"),
    }[which]
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        call()
    assert refused.value.reason == "SECURITY_POLICY_VIOLATED"
    assert refused.value.metadata["uid"] == PERIMETER_ID
    assert refused.value.message.endswith(f"vpcServiceControlsUniqueIdentifier: {PERIMETER_ID}")
    assert PERIMETER_ID in json.dumps([str(detail) for detail in refused.value.details])


def test_a_perimeter_in_bigquerys_words(clients, cloud):
    cloud.inject(Fault(method="bigquery.datasets.get", kind="vpc_service_controls"))
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        clients().bigquery("acme-analytics").get_dataset("sales")
    assert refused.value.errors[0]["reason"] == "policyViolation"
    assert "VPC Service Controls: Request is prohibited" in refused.value.message


@pytest.mark.parametrize(
    ("method", "service"),
    [
        ("orgpolicy.projects.policies.getEffectivePolicy", "orgpolicy.googleapis.com"),
        ("policytroubleshooter.iam.troubleshoot", "policytroubleshooter.googleapis.com"),
        ("cloudidentity.groups.lookup", "cloudidentity.googleapis.com"),
        ("iam.policies.listPolicies", "iam.googleapis.com"),
    ],
)
def test_the_quota_project_needs_these_apis(cloud, method, service):
    verb, path, body = {
        "orgpolicy": ("GET", "/v2/projects/3000/policies/gcp.resourceLocations:getEffectivePolicy", None),
        "policytroubleshooter": ("POST", "/v3/iam:troubleshoot", {}),
        "cloudidentity": ("GET", "/v1/groups:lookup?groupKey.id=data@acme.example", None),
        "iam": ("GET", f"/v2/{POINT}3000/denypolicies", None),
    }[method.partition(".")[0]]
    quota = {"X-Goog-User-Project": "acme-tools"}
    status, _, answer = ask(cloud, verb, path, caller=ADMIN, body=body, headers=quota)
    assert (status, cloud.exchanges[-1].method) == (403, method)
    info = next(one for one in answer["error"]["details"] if one["@type"].endswith("ErrorInfo"))
    assert (info["reason"], info["metadata"]["service"]) == ("SERVICE_DISABLED", service)

"""auditor-access: a case for each answer, named by what its reader has in front of them."""

import shlex

import pytest

from preflight import (
    AllowPolicies,
    ApiDisabled,
    Billing,
    CallerIdentity,
    Denied,
    NotCollected,
    PerimeterBlocked,
    TimedOut,
    Unauthenticated,
    Unknown,
)
from preflight.testing import HERE, deny, judge, target
from tests.conftest import ACME, FOLDER, ORGANIZATION, policies, unreadable

ADA = CallerIdentity(provenance=HERE, email="ada@acme.example")
ROBOT = CallerIdentity(provenance=HERE, email="audit@acme-ops.iam.gserviceaccount.com")
NOBODY = Unknown(Unauthenticated("oauth2.tokeninfo"), HERE)
BILLING = Billing(provenance=HERE, enabled=True, account="billingAccounts/1")
GET = "resourcemanager.projects.get"


def refused(permission: str, resource: str, **also: bool) -> Unknown:
    return Unknown(Denied(permission, resource, **also), HERE)


def off(api: str, project: str = "") -> Unknown:
    return Unknown(ApiDisabled(f"{api}.googleapis.com", project, quota_project=True), HERE)


LATE = Unknown(TimedOut("bigquery.datasets.list", 60), HERE)


@pytest.mark.parametrize(
    ("facts", "status", "says"),
    [
        pytest.param({"billing": BILLING, "allow_policies": policies(folder=())}, "pass", "nothing", id="all seen"),
        pytest.param({"billing": refused(GET, ACME)}, "warn", "1 grant is missing", id="a grant"),
        pytest.param({"allow_policies": policies(folder=unreadable(FOLDER), organization=unreadable(ORGANIZATION))},
                     "warn", "2 grants are missing", id="grants above the project"),
        pytest.param({"billing": off("cloudbilling", "projects/42")}, "warn", "1 API is off", id="an API"),
        pytest.param({"billing": off("cloudbilling"), "project": off("cloudresourcemanager"), "datasets": LATE}, "warn",
                     "2 APIs are off", id="APIs, and no answer of another"),
        pytest.param({"billing": off("cloudbilling"), "project": refused(GET, ACME)}, "warn",
                     "1 grant is missing and 1 API is off", id="both"),
        pytest.param({"billing": refused("strange.things.see", ACME)}, "warn", "1 grant is missing",
                     id="a permission that no role of ours holds"),
        pytest.param({"datasets": LATE}, "unknown", "did not answer within 60 s", id="just no answer"),
        pytest.param({"billing": Unknown(NotCollected())}, "skip", "ask nothing", id="nothing asked"),
        pytest.param({}, "skip", "ask nothing", id="no facts at all"),
    ],
)  # fmt: skip
def test_each_answer(facts, status, says):
    verdict = judge("auditor-access", caller_identity=ADA, **facts)
    assert verdict.status == status
    assert says in verdict.message
    assert status not in {"warn", "fail"} or verdict.evidence
    assert status != "warn" or verdict.remedies


UNREAD_DENY = Unknown(Denied("iam.denypolicies.list", ACME), HERE)
BLOCKED = Unknown(PerimeterBlocked("bigquery.googleapis.com", "abc-123"), HERE)


@pytest.mark.parametrize(
    ("facts", "blocks", "status", "says"),
    [
        pytest.param({"deny_policies": UNREAD_DENY}, False, "pass", "and none is assumed", id="noted"),
        pytest.param({"deny_policies": UNREAD_DENY}, True, "warn", "1 grant is missing", id="said to count"),
        pytest.param({"deny_policies": UNREAD_DENY, "billing": refused(GET, ACME)}, False, "warn",
                     "1 grant is missing; deny policies could not be read", id="noted beside a grant"),
        pytest.param({"deny_policies": UNREAD_DENY, "datasets": LATE}, False, "unknown", "and none is assumed",
                     id="noted beside no answer"),
        pytest.param({"deny_policies": deny()}, False, "pass", "nothing that the selected rules need was out of sight",
                     id="read"),
    ],
)  # fmt: skip
def test_deny_policies_that_can_not_be_read(facts, blocks, status, says):
    chosen = target(unread_deny_blocks=blocks)
    verdict = judge("auditor-access", caller_identity=ADA, target=chosen, **facts)
    assert verdict.status == status
    assert says in verdict.message
    grants = [command for remedy in verdict.remedies for command in remedy.commands]
    assert any("roles/iam.denyReviewer" in command for command in grants) == blocks


def test_an_assumption_is_shown_with_the_call_that_was_refused():
    verdict = judge("auditor-access", caller_identity=ADA, deny_policies=UNREAD_DENY)
    assert any("iam.denypolicies.list" in evidence.detail for evidence in verdict.evidence)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param({"datasets": BLOCKED}, "unknown", id="nothing else"),
        pytest.param({"datasets": BLOCKED, "billing": refused(GET, ACME)}, "warn", id="beside a grant"),
        pytest.param({"datasets": BLOCKED, "billing": LATE}, "unknown", id="beside no answer"),
    ],
)
def test_a_perimeters_refusal_is_named_with_its_identifier(facts, status):
    verdict = judge("auditor-access", caller_identity=ADA, **facts)
    assert verdict.status == status
    assert "VPC Service Controls perimeter" in verdict.message
    assert "abc-123" in verdict.message
    assert sum("abc-123" in remedy.summary for remedy in verdict.remedies) == 1


GCLOUD_ROLE = "--role=roles/iam.securityReviewer --condition=None"
MEMBER = "--member=user:ada@acme.example"


@pytest.mark.parametrize(
    ("gap", "command"),
    [
        pytest.param(refused(GET, ACME),
                     f"gcloud projects add-iam-policy-binding acme-analytics {MEMBER} --role=roles/browser "
                     "--condition=None", id="the project"),
        pytest.param(refused("serviceusage.services.get", ACME),
                     f"gcloud projects add-iam-policy-binding acme-analytics {MEMBER} "
                     "--role=roles/serviceusage.serviceUsageViewer --condition=None", id="its services"),
        pytest.param(refused("bigquery.datasets.get", f"{ACME}/datasets/heap"),
                     f"gcloud projects add-iam-policy-binding acme-analytics {MEMBER} "
                     "--role=roles/bigquery.metadataViewer --condition=None", id="a dataset: on its project"),
        pytest.param(refused("resourcemanager.folders.getIamPolicy", FOLDER),
                     f"gcloud resource-manager folders add-iam-policy-binding 77 {MEMBER} {GCLOUD_ROLE}",
                     id="a folder"),
        pytest.param(refused("resourcemanager.folders.get", FOLDER),
                     f"gcloud resource-manager folders add-iam-policy-binding 77 {MEMBER} --role=roles/browser "
                     "--condition=None", id="what a folder is in"),
        pytest.param(refused("resourcemanager.organizations.getIamPolicy", ORGANIZATION),
                     f"gcloud organizations add-iam-policy-binding 9 {MEMBER} {GCLOUD_ROLE}", id="the organization"),
        pytest.param(refused("iam.roles.get", ORGANIZATION),
                     f"gcloud organizations add-iam-policy-binding 9 {MEMBER} "
                     "--role=roles/iam.organizationRoleViewer --condition=None", id="a role of the organization"),
        pytest.param(refused("serviceusage.services.use", "projects/payer", quota_project=True),
                     f"gcloud projects add-iam-policy-binding payer {MEMBER} "
                     "--role=roles/serviceusage.serviceUsageConsumer --condition=None", id="the quota project"),
        pytest.param(refused("serviceusage.services.use", "", quota_project=True),
                     f"gcloud projects add-iam-policy-binding QUOTA_PROJECT {MEMBER} "
                     "--role=roles/serviceusage.serviceUsageConsumer --condition=None", id="a quota project not named"),
        pytest.param(off("cloudbilling", "projects/42"),
                     "gcloud services enable cloudbilling.googleapis.com --project=42", id="an API, by number"),
        pytest.param(off("iam"), "gcloud services enable iam.googleapis.com --project=QUOTA_PROJECT",
                     id="an API, the project not named"),
    ],
)  # fmt: skip
def test_the_commands(gap, command):
    verdict = judge("auditor-access", billing=gap, caller_identity=ADA)
    assert [c for remedy in verdict.remedies for c in remedy.commands] == [command]


def test_a_permission_that_no_role_of_ours_holds_is_named():
    verdict = judge("auditor-access", billing=refused("strange.things.see", ACME), caller_identity=ADA)
    assert "strange.things.see on projects/acme-analytics" in verdict.remedies[0].summary


@pytest.mark.parametrize(
    ("identity", "member"),
    [(ADA, "user:ada@acme.example"), (ROBOT, f"serviceAccount:{ROBOT.email}"), (NOBODY, "user:YOU@EXAMPLE.COM")],
    ids=["a user", "a service account", "not known"],
)
def test_who_gets_the_grant(identity, member):
    verdict = judge("auditor-access", billing=refused(GET, ACME), caller_identity=identity)
    assert f"--member={member}" in shlex.split(verdict.remedies[0].commands[0])


def test_not_knowing_who_the_caller_is_takes_no_sight_away():
    assert judge("auditor-access", billing=BILLING, caller_identity=NOBODY).status == "pass"


def test_one_command_a_role_and_resource_and_all_gaps_as_evidence():
    facts = {"project": refused(GET, ACME), "billing": refused(GET, ACME),
             "allow_policies": refused("resourcemanager.projects.getIamPolicy", ACME)}  # fmt: skip
    verdict = judge("auditor-access", caller_identity=ADA, **facts)
    assert len(verdict.remedies[0].commands) == 1
    assert len(verdict.evidence) == 2, "the same refusal twice is one"


@pytest.mark.parametrize("name", ["$(reboot)", "a; rm -rf ~", "`id`", "a b", "a'b", "--impersonate-service-account=x"])
def test_hostile_names_stay_one_word_of_the_command(name):
    folder = f"folders/{name}"
    facts = {"allow_policies": AllowPolicies(policies={ACME: policies().policies[ACME], folder: unreadable(folder)}),
             "billing": off("cloudbilling", f"projects/{name}")}  # fmt: skip
    verdict = judge("auditor-access", caller_identity=ADA, **facts)
    (grant,), (enable,) = (
        (shlex.split(c) for c in verdict.remedies[0].commands),
        (shlex.split(c) for c in verdict.remedies[1].commands),
    )
    assert grant[:5] == ["gcloud", "resource-manager", "folders", "add-iam-policy-binding", name]
    assert len(grant) == 8
    assert enable[-1] == f"--project={name}"
    assert len(enable) == 5

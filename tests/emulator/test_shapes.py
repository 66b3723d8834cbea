"""Every method over REST: request and answer fit Google's discovery documents and hold the keys of real answers."""

from urllib.parse import quote

import msgspec
import pytest

from preflight.emulator.methods import METHODS
from preflight.emulator.methods.cloudidentity import group_name
from preflight.emulator.world import Group
from tests.emulator.conftest import ADMIN, HEAP
from tests.emulator.discovery_schema import api_of, check_exchange, methods
from tests.emulator.raw import ask

P = "/v3/projects/acme-analytics"
VERSION_3 = {"options": {"requestedPolicyVersion": 3}}
TEST = {"permissions": ["bigquery.jobs.create"]}
DENY = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-analytics/denypolicies"
GROUP = group_name(Group(email="data@acme.example"))
QUESTION = {
    "accessTuple": {
        "principal": HEAP,
        "fullResourceName": "//cloudresourcemanager.googleapis.com/projects/acme-analytics",
        "permission": "bigquery.jobs.create",
        "conditionContext": {"request": {"receiveTime": "2026-03-01T12:00:00Z"}},
    }
}
BIGQUERY = "/bigquery/v2/projects/acme-analytics"

CALLS = [
    ("cloudresourcemanager.projects.get", "GET", P, None),
    ("cloudresourcemanager.projects.getIamPolicy", "POST", f"{P}:getIamPolicy", VERSION_3),
    ("cloudresourcemanager.projects.getIamPolicy", "POST", f"{P}:getIamPolicy", {}),
    ("cloudresourcemanager.projects.testIamPermissions", "POST", f"{P}:testIamPermissions", TEST),
    ("cloudresourcemanager.projects.search", "GET", "/v3/projects:search?pageSize=1", None),
    ("cloudresourcemanager.folders.get", "GET", "/v3/folders/2000", None),
    ("cloudresourcemanager.folders.getIamPolicy", "POST", "/v3/folders/2000:getIamPolicy", VERSION_3),
    ("cloudresourcemanager.folders.testIamPermissions", "POST", "/v3/folders/2000:testIamPermissions", TEST),
    ("cloudresourcemanager.organizations.get", "GET", "/v3/organizations/1000", None),
    ("cloudresourcemanager.organizations.getIamPolicy", "POST", "/v3/organizations/1000:getIamPolicy", VERSION_3),
    (
        "cloudresourcemanager.organizations.testIamPermissions",
        "POST",
        "/v3/organizations/1000:testIamPermissions",
        TEST,
    ),
    ("serviceusage.services.get", "GET", "/v1/projects/acme-analytics/services/bigquery.googleapis.com", None),
    ("serviceusage.services.get", "GET", "/v1/projects/3000/services/iam.googleapis.com", None),
    (
        "serviceusage.services.batchGet",
        "GET",
        "/v1/projects/3000/services:batchGet?names=projects/3000/services/bigquery.googleapis.com"
        "&names=projects/3000/services/iam.googleapis.com",
        None,
    ),
    ("serviceusage.services.list", "GET", "/v1/projects/3000/services?filter=state:ENABLED&pageSize=1", None),
    ("cloudbilling.projects.getBillingInfo", "GET", "/v1/projects/acme-analytics/billingInfo", None),
    ("cloudbilling.projects.getBillingInfo", "GET", "/v1/projects/example.com%3Alegacy/billingInfo", None),
    ("iam.roles.get", "GET", "/v1/roles/bigquery.user", None),
    ("iam.roles.list", "GET", "/v1/roles?pageSize=5&view=FULL", None),
    ("iam.projects.roles.get", "GET", "/v1/projects/acme-analytics/roles/gone", None),
    ("iam.projects.roles.list", "GET", "/v1/projects/acme-analytics/roles?showDeleted=true", None),
    ("iam.organizations.roles.get", "GET", "/v1/organizations/1000/roles/sqlRunner", None),
    ("iam.organizations.roles.list", "GET", "/v1/organizations/1000/roles", None),
    ("iam.policies.listPolicies", "GET", f"/v2/{DENY}", None),
    ("iam.policies.listPolicies", "GET", f"/v2/{DENY.replace('projects%2Facme-analytics', 'folders%2F2000')}", None),
    ("iam.policies.get", "GET", f"/v2/{DENY}/no-deletion", None),
    (
        "orgpolicy.projects.policies.getEffectivePolicy",
        "GET",
        "/v2/projects/acme-analytics/policies/gcp.resourceLocations:getEffectivePolicy",
        None,
    ),
    (
        "orgpolicy.projects.policies.getEffectivePolicy",
        "GET",
        "/v2/projects/3000/policies/iam.managed.allowedPolicyMembers:getEffectivePolicy",
        None,
    ),
    (
        "cloudresourcemanager.effectiveTags.list",
        "GET",
        "/v3/effectiveTags?pageSize=1&parent=//cloudresourcemanager.googleapis.com/projects/3000",
        None,
    ),
    ("cloudidentity.groups.lookup", "GET", "/v1/groups:lookup?groupKey.id=data@acme.example", None),
    (
        "cloudidentity.groups.memberships.checkTransitiveMembership",
        "GET",
        f"/v1/{GROUP}/memberships:checkTransitiveMembership?query=" + quote("member_key_id == 'lea@acme.example'"),
        None,
    ),
    ("policytroubleshooter.iam.troubleshoot", "POST", "/v3/iam:troubleshoot", QUESTION),
    (
        "iamcredentials.projects.serviceAccounts.generateAccessToken",
        "POST",
        f"/v1/projects/-/serviceAccounts/{HEAP}:generateAccessToken",
        {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s"},
    ),
    ("bigquery.datasets.list", "GET", f"{BIGQUERY}/datasets?maxResults=1&all=true", None),
    ("bigquery.datasets.get", "GET", f"{BIGQUERY}/datasets/sales?accessPolicyVersion=3", None),
    ("bigquery.datasets.get", "GET", f"{BIGQUERY}/datasets/sales", None),
    ("bigquery.tables.list", "GET", f"{BIGQUERY}/datasets/sales/tables?maxResults=2", None),
    ("oauth2.tokeninfo", "GET", f"/tokeninfo?access_token={quote('token-for-' + ADMIN)}", None),
]


@pytest.mark.parametrize(("method", "verb", "path", "body"), CALLS)
def test_an_answer_fits(cloud, method, verb, path, body):
    caller = "reader@acme.example" if method == "bigquery.tables.list" else ADMIN
    status, headers, _ = ask(cloud, verb, path, caller=caller, body=body)
    (exchange,) = cloud.exchanges
    assert (status, exchange.method, exchange.status) == (200, method, 200), exchange
    assert headers["content-type"].startswith("application/json")
    check_exchange(exchange)


@pytest.mark.parametrize(("method", "verb", "path", "body"), CALLS)
def test_a_refusal_fits(cloud, method, verb, path, body):
    status, _, answer = ask(cloud, verb, path, caller="nobody@elsewhere.example", body=body)
    (exchange,) = cloud.exchanges
    open_to_all = method in {"iam.roles.get", "iam.roles.list", "oauth2.tokeninfo"} or method.endswith(
        ("testIamPermissions", "search", "troubleshoot")
    )
    assert status == (200 if open_to_all else 403), answer
    check_exchange(exchange)


@pytest.mark.parametrize(("method", "verb", "path", "body"), CALLS)
def test_without_a_token(cloud, method, verb, path, body):
    status, headers, answer = ask(cloud, verb, path, body=body)
    if method == "oauth2.tokeninfo":
        assert status == 200
        return
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer ")
    assert answer["error"]["status"] == "UNAUTHENTICATED"
    check_exchange(cloud.exchanges[0])


def test_every_method_is_here():
    assert {method for method, *_ in CALLS} == {*METHODS, "oauth2.tokeninfo"}


def test_every_method_is_one_of_googles():
    for method in METHODS:
        assert method in methods(api_of(method))


def test_a_missing_parameter_and_a_wrong_body_are_400(cloud):
    for verb, path, body in (
        ("POST", f"{P}:getIamPolicy", {"options": {"requestedPolicyVersion": 7}}),
        ("POST", f"{P}:testIamPermissions", {"permissions": "bigquery.jobs.create"}),
        ("POST", f"{P}:getIamPolicy", ["no object"]),
        ("GET", f"{BIGQUERY}/datasets?maxResults=many", None),
        ("GET", f"{BIGQUERY}/datasets?pageToken=invented", None),
        ("GET", "/v1/projects/3000/services?filter=nonsense", None),
    ):
        status, _, answer = ask(cloud, verb, path, caller=ADMIN, body=body)
        assert (status, answer["error"]["code"]) == (400, 400), path
    for exchange in cloud.exchanges:
        check_exchange(exchange)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.pop("etag"),
        lambda body: body.update(surprise=1),
        lambda body: body.update(state=1),
        lambda body: body.update(state="WELL"),
    ],
    ids=["missing key", "unknown key", "wrong type", "unknown state"],
)
def test_the_check_catches_what_is_wrong(cloud, spoil):
    ask(cloud, "GET", P, caller=ADMIN)
    (exchange,) = cloud.exchanges
    body = dict(exchange.response)
    spoil(body)
    with pytest.raises(AssertionError):
        check_exchange(msgspec.structs.replace(exchange, response=body))

"""`--impersonate-service-account` against the stand-in: nothing stands between them."""

import pytest

from preflight.emulator import Fault
from preflight.testing import world
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR

AUDITOR = "auditor@acme-analytics.iam.gserviceaccount.com"
CREATOR = "roles/iam.serviceAccountTokenCreator"
GENERATE = "iamcredentials.projects.serviceAccounts.generateAccessToken"
GRANT = f"""
[[{{place}}.bindings]]
role = "{CREATOR}"
members = ["user:{ADMIN}"]
"""
SEES_ALL = f"""
[[callers]]
email = "{ADMIN}"

[[callers]]
email = "{AUDITOR}"
kind = "service_account"
{{on_account}}
[[organizations]]
id = "1000"
display_name = "acme.example"
bindings = [{{{{ role = "roles/iam.securityAuditor", members = ["serviceAccount:{AUDITOR}"] }}}}]

[[projects]]
id = "acme-analytics"
number = "3000"
parent = "organizations/1000"
services = [
    "bigquery.googleapis.com", "cloudbilling.googleapis.com", "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com", "orgpolicy.googleapis.com", "serviceusage.googleapis.com",
]
billing = {{{{ account = "billingAccounts/01A2B3-C4D5E6-F70819", enabled = true }}}}
{{on_project}}
[[projects.bindings]]
role = "roles/bigquery.user"
members = ["serviceAccount:{VENDOR}"]

[[projects.bindings]]
role = "roles/viewer"
members = ["serviceAccount:{AUDITOR}"]

[[projects.bindings]]
role = "roles/serviceusage.serviceUsageConsumer"
members = ["user:{ADMIN}"]
"""


def cloud_with(serve, on=""):
    grants = {place: GRANT.format(place=place) if place == on else "" for place in ("callers", "projects")}
    return serve(world(SEES_ALL.format(on_account=grants["callers"], on_project=grants["projects"])))


@pytest.mark.parametrize("on", ["callers", "projects"], ids=["granted on the account", "granted on its project"])
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_run_as_an_account_that_the_caller_may_act_as(preflight, serve, on, transport):
    cloud = cloud_with(serve, on)
    options = ("--transport", transport, "--impersonate-service-account", AUDITOR)
    result = preflight(*RUN, *JSON, *options, environ=cloud.environ(ADMIN))
    assert (result.code, result.report["verdict"]) == (0, "pass"), result.report["findings"]
    first, *others = cloud.emulator.exchanges
    assert (first.method, first.caller) == (GENERATE, ADMIN)
    assert {exchange.caller for exchange in others if exchange.caller} == {AUDITOR}
    blind = preflight(*RUN, *JSON, "--transport", transport, environ=cloud.environ(ADMIN))
    assert blind.report["verdict"] == "unknown", "the caller's own account does not see it"


def test_without_the_role_it_ends_with_the_command_that_grants_it(preflight, serve):
    cloud = cloud_with(serve)
    result = preflight(*RUN, "--impersonate-service-account", AUDITOR, environ=cloud.environ(ADMIN))
    result.refuses(
        f"{AUDITOR} may not be impersonated: the caller lacks {CREATOR} on it",
        f"gcloud iam service-accounts add-iam-policy-binding {AUDITOR}",
    )
    assert [exchange.method for exchange in cloud.emulator.exchanges] == [GENERATE]


def test_an_account_that_is_not_there(preflight, serve):
    nobody = "nobody@acme-analytics.iam.gserviceaccount.com"
    cloud = cloud_with(serve, "projects")
    result = preflight(*RUN, "--impersonate-service-account", nobody, environ=cloud.environ(ADMIN))
    result.refuses(f"There is no service account {nobody}.")


def test_a_quota_project_in_which_the_api_is_off(preflight, serve):
    cloud = cloud_with(serve, "callers")
    options = ("--impersonate-service-account", AUDITOR, "--quota-project", "acme-analytics")
    result = preflight(*RUN, *options, environ=cloud.environ(ADMIN))
    result.refuses("the API for it is not enabled", "gcloud services enable iamcredentials.googleapis.com")


def test_a_fault_that_passes_is_overcome(preflight, serve):
    cloud = cloud_with(serve, "callers")
    cloud.emulator.inject(Fault(GENERATE, "unavailable_503", times=2))
    result = preflight(*RUN, *JSON, "--impersonate-service-account", AUDITOR, environ=cloud.environ(ADMIN))
    assert result.report["verdict"] == "pass"


def test_doctor_tells_it_before_a_run(preflight, serve):
    cloud = cloud_with(serve, "callers")
    told = preflight("doctor", "--impersonate-service-account", AUDITOR, environ=cloud.environ(ADMIN))
    assert told.code == 0, told
    assert AUDITOR in told.out

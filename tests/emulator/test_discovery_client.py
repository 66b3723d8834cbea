"""google-api-python-client, which shares no code with the other clients, reads the same world."""

import googleapiclient.errors
import pytest

from tests.emulator.discovery_schema import check_exchange

PROJECT = "projects/acme-analytics"


@pytest.fixture
def google(clients, cloud):
    made = []

    def build(api, version):
        made.append(clients().discovery(api, version))
        return made[-1]

    yield build
    for service in made:
        service.close()
    for exchange in cloud.exchanges:
        check_exchange(exchange)


def test_resource_manager(google):
    manager = google("cloudresourcemanager", "v3")
    assert manager.projects().get(name=PROJECT).execute()["name"] == "projects/3000"
    assert manager.folders().get(name="folders/2000").execute()["parent"] == "organizations/1000"
    assert manager.organizations().get(name="organizations/1000").execute()["displayName"] == "acme.example"
    options = {"options": {"requestedPolicyVersion": 3}}
    policy = manager.projects().getIamPolicy(resource=PROJECT, body=options).execute()
    assert policy["bindings"][1]["condition"]["title"] == "for a year"
    asked = {"permissions": ["bigquery.jobs.create", "bigquery.datasets.create"]}
    held = manager.projects().testIamPermissions(resource=PROJECT, body=asked).execute()
    assert held == {"permissions": ["bigquery.jobs.create"]}
    found = manager.projects().search(pageSize=1).execute()
    following = manager.projects().search_next(manager.projects().search(pageSize=1), found)
    assert following.execute()["projects"][0]["projectId"] == "example.com:legacy"


def test_services_billing_and_roles(google):
    services = google("serviceusage", "v1").services()
    assert services.get(name=f"{PROJECT}/services/bigquery.googleapis.com").execute()["state"] == "ENABLED"
    names = [f"{PROJECT}/services/iam.googleapis.com"]
    assert services.batchGet(parent=PROJECT, names=names).execute()["services"][0]["state"] == "DISABLED"
    assert len(services.list(parent=PROJECT, filter="state:ENABLED").execute()["services"]) == 3
    billing = google("cloudbilling", "v1").projects()
    assert billing.getBillingInfo(name=PROJECT).execute()["billingEnabled"] is True
    iam = google("iam", "v1")
    assert "bigquery.jobs.create" in iam.roles().get(name="roles/bigquery.user").execute()["includedPermissions"]
    assert iam.projects().roles().get(name=f"{PROJECT}/roles/gone").execute()["deleted"] is True


def test_bigquery(google):
    service = google("bigquery", "v2")
    call = service.datasets().list(projectId="acme-analytics", maxResults=1)
    seen = []
    while call is not None:
        answer = call.execute()
        seen += [(item["datasetReference"]["datasetId"], item["location"]) for item in answer["datasets"]]
        call = service.datasets().list_next(call, answer)
    assert seen == [("sales", "EU"), ("web", "europe-west2")]
    dataset = service.datasets().get(projectId="acme-analytics", datasetId="sales").execute()
    assert dataset["access"][3]["role"].startswith("WRITER_with_conditionalbinding_")
    whole = service.datasets().get(projectId="acme-analytics", datasetId="sales", accessPolicyVersion=3).execute()
    assert whole["access"][3]["condition"] == {"expression": "false"}


def test_a_refusal_tells_why(google):
    with pytest.raises(googleapiclient.errors.HttpError) as refused:
        google("bigquery", "v2").datasets().list(projectId="acme-off").execute()
    assert refused.value.status_code == 403
    assert any(detail.get("reason") == "SERVICE_DISABLED" for detail in refused.value.error_details)

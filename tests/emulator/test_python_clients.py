"""Google's own Python clients read a world, over gRPC and over REST."""

import google.api_core.exceptions
import pytest
from google.cloud import iam_admin_v1, resourcemanager_v3
from google.iam.v1 import iam_policy_pb2, options_pb2

from tests.emulator.conftest import ADMIN, HEAP
from tests.emulator.discovery_schema import check_exchange

PROJECT = "projects/acme-analytics"
BOTH = pytest.mark.parametrize("transport", ["grpc", "rest"])


@pytest.fixture(autouse=True)
def every_exchange_fits_the_discovery_documents(cloud):
    yield
    for exchange in cloud.exchanges:
        check_exchange(exchange)


def policy_request(resource: str, version: int = 3) -> iam_policy_pb2.GetIamPolicyRequest:
    options = options_pb2.GetPolicyOptions(requested_policy_version=version)
    return iam_policy_pb2.GetIamPolicyRequest(resource=resource, options=options)


@BOTH
@pytest.mark.parametrize("name", ["acme-analytics", "3000"])
def test_a_project_by_id_and_by_number(clients, transport, name):
    project = clients(transport=transport).gapic("projects").get_project(name=f"projects/{name}")
    assert project.name == "projects/3000"
    assert project.project_id == "acme-analytics"
    assert project.parent == "folders/2000"
    assert project.state == resourcemanager_v3.Project.State.ACTIVE
    assert dict(project.labels) == {"team": "data"}
    assert project.etag


@BOTH
def test_a_legacy_id_has_a_domain(clients, transport):
    client = clients(transport=transport)
    assert client.gapic("projects").get_project(name="projects/example.com:legacy").name == "projects/3001"
    policy = client.gapic("projects").get_iam_policy(policy_request("projects/example.com:legacy"))
    assert policy.bindings[0].role == "roles/owner"
    assert client.gapic("billing").get_project_billing_info(name="projects/example.com:legacy").billing_enabled is False
    assert list(client.bigquery("example.com:legacy").list_datasets()) == []


@BOTH
def test_a_project_that_is_being_deleted(clients, transport):
    client = clients(transport=transport)
    project = client.gapic("projects").get_project(name="projects/acme-gone")
    assert project.state == resourcemanager_v3.Project.State.DELETE_REQUESTED
    assert project.delete_time.year == 2026
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        list(client.bigquery("acme-gone").list_datasets())
    assert refused.value.reason == "CONSUMER_INVALID"


@BOTH
def test_folder_and_organisation(clients, transport):
    client = clients(transport=transport)
    folder = client.gapic("folders").get_folder(name="folders/2000")
    assert folder.parent == "organizations/1000"
    organization = client.gapic("organizations").get_organization(name=folder.parent)
    assert organization.directory_customer_id == "C0acme"
    assert client.gapic("folders").get_iam_policy(policy_request("folders/2000")).bindings[0].role == "roles/browser"
    policy = client.gapic("organizations").get_iam_policy(policy_request("organizations/1000"))
    assert list(policy.bindings[0].members) == ["user:Admin@ACME.example"]


@BOTH
def test_the_policy_with_its_condition_in_version_3(clients, transport):
    policy = clients(transport=transport).gapic("projects").get_iam_policy(policy_request(PROJECT))
    binding = policy.bindings[1]
    assert (policy.version, binding.role) == (3, "roles/bigquery.user")
    assert binding.condition.expression == "request.time < timestamp('2027-01-01T00:00:00Z')"
    assert binding.condition.title == "for a year"
    assert policy.audit_configs[0].service == "allServices"


@BOTH
@pytest.mark.parametrize("version", [0, 1])
def test_below_version_3_the_condition_is_lost_and_the_role_says_so(clients, transport, version):
    policy = clients(transport=transport).gapic("projects").get_iam_policy(policy_request(PROJECT, version))
    binding = policy.bindings[1]
    assert policy.version == 1
    assert binding.role.startswith("roles/bigquery.user_withcond_")
    assert not binding.condition.expression
    assert list(binding.members) == [f"serviceAccount:{HEAP}"]


@BOTH
def test_the_callers_own_permissions(clients, transport):
    asked = ["bigquery.jobs.create", "bigquery.datasets.create", "resourcemanager.projects.setIamPolicy"]

    def held(caller: str) -> list[str]:
        client = clients(caller, transport).gapic("projects")
        return list(client.test_iam_permissions(resource=PROJECT, permissions=asked).permissions)

    assert held(ADMIN) == asked[:1]
    assert held(HEAP) == asked[:2]
    assert held("nobody@elsewhere.example") == []


@BOTH
def test_testing_refuses_wildcards_and_projects_that_are_not_there(clients, transport):
    client = clients(transport=transport).gapic("projects")
    with pytest.raises(google.api_core.exceptions.BadRequest):
        client.test_iam_permissions(resource=PROJECT, permissions=["bigquery.*"])
    with pytest.raises(google.api_core.exceptions.Forbidden):
        client.test_iam_permissions(resource="projects/not-there", permissions=["bigquery.jobs.create"])


@BOTH
def test_what_is_not_there_answers_like_what_may_not_be_seen(clients, transport):
    messages = set()
    for caller, name in ((ADMIN, "not-there"), ("nobody@elsewhere.example", "acme-analytics")):
        with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
            clients(caller, transport).gapic("projects").get_project(name=f"projects/{name}")
        messages.add(refused.value.message.rpartition(": ")[2])
    assert messages == {"The caller does not have permission"}


@BOTH
def test_projects_that_the_caller_may_see(clients, transport):
    client = clients(transport=transport).gapic("projects")
    found = [project.project_id for project in client.search_projects(request={"page_size": 1})]
    assert found == ["acme-analytics", "example.com:legacy", "acme-off", "acme-gone"]
    assert [project.project_id for project in client.search_projects(query="id:acme-o*")] == ["acme-off"]


@BOTH
@pytest.mark.parametrize("project", ["3000", "acme-analytics"])
def test_services(clients, transport, project):
    client = clients(transport=transport).gapic("services")
    one = client.get_service(request={"name": f"projects/{project}/services/bigquery.googleapis.com"})
    assert (one.name, one.state.name) == ("projects/3000/services/bigquery.googleapis.com", "ENABLED")
    assert one.config.title == "BigQuery API"
    off = client.get_service(request={"name": f"projects/{project}/services/iam.googleapis.com"})
    assert off.state.name == "DISABLED"
    parent = f"projects/{project}"
    names = [f"{parent}/services/{name}.googleapis.com" for name in ("iam", "bigquery")]
    batch = client.batch_get_services(request={"parent": parent, "names": names})
    assert [service.state.name for service in batch.services] == ["DISABLED", "ENABLED"]
    listed = client.list_services(request={"parent": parent, "filter": "state:ENABLED", "page_size": 2})
    assert len(list(listed)) == 3


@BOTH
def test_a_batch_holds_thirty_names_at_most(clients, transport):
    names = [f"{PROJECT}/services/s{index}.googleapis.com" for index in range(31)]
    with pytest.raises(google.api_core.exceptions.BadRequest):
        clients(transport=transport).gapic("services").batch_get_services(request={"parent": PROJECT, "names": names})


@BOTH
def test_billing(clients, transport):
    client = clients(transport=transport).gapic("billing")
    info = client.get_project_billing_info(name=PROJECT)
    assert (info.billing_account_name, info.billing_enabled) == ("billingAccounts/01A2B3-C4D5E6-F70819", True)
    never = client.get_project_billing_info(name="projects/acme-off")
    assert (never.billing_account_name, never.billing_enabled) == ("", False)
    closed = client.get_project_billing_info(name="projects/3001")
    assert (closed.billing_account_name, closed.billing_enabled) == ("billingAccounts/01A2B3-C4D5E6-F70819", False)


def test_roles(clients):
    client = clients().gapic("iam")
    user = client.get_role(request={"name": "roles/bigquery.user"})
    assert "bigquery.jobs.create" in user.included_permissions
    assert "bigquery.tables.create" not in user.included_permissions
    writer = client.get_role(request={"name": f"{PROJECT}/roles/writer"})
    assert (writer.name, writer.title) == ("projects/acme-analytics/roles/writer", "Writer")
    assert list(client.get_role(request={"name": f"{PROJECT}/roles/empty"}).included_permissions) == []
    assert client.get_role(request={"name": f"{PROJECT}/roles/gone"}).deleted is True
    assert client.get_role(request={"name": "organizations/1000/roles/sqlRunner"}).etag


def test_the_permissions_of_an_empty_role_are_absent(clients, cloud):
    clients().gapic("iam").get_role(request={"name": f"{PROJECT}/roles/empty"})
    assert "includedPermissions" not in cloud.exchanges[-1].response


def test_lists_of_roles(clients):
    client = clients().gapic("iam")
    full = iam_admin_v1.RoleView.FULL
    custom = list(client.list_roles(request={"parent": PROJECT, "view": full}))
    assert [role.name.rpartition("/")[2] for role in custom] == ["writer", "empty"]
    assert custom[0].included_permissions
    shown = list(client.list_roles(request={"parent": PROJECT, "show_deleted": True}))
    assert [bool(role.included_permissions) for role in shown] == [False, False, False]
    assert len(list(client.list_roles(request={"page_size": 10}))) > 50


def test_roles_that_are_not_there_or_not_shown(clients):
    with pytest.raises(google.api_core.exceptions.NotFound):
        clients().gapic("iam").get_role(request={"name": "roles/not.there"})
    with pytest.raises(google.api_core.exceptions.NotFound):
        clients().gapic("iam").get_role(request={"name": f"{PROJECT}/roles/not_there"})
    anyone = clients("nobody@elsewhere.example").gapic("iam")
    assert anyone.get_role(request={"name": "roles/bigquery.user"}).included_permissions
    with pytest.raises(google.api_core.exceptions.PermissionDenied):
        anyone.get_role(request={"name": f"{PROJECT}/roles/writer"})


def test_datasets_are_listed_page_by_page(clients, cloud):
    client = clients().bigquery("acme-analytics")
    listed = list(client.list_datasets(page_size=1))
    assert [item.dataset_id for item in listed] == ["sales", "web"]
    assert len([e for e in cloud.exchanges if e.method == "bigquery.datasets.list"]) == 2
    assert cloud.exchanges[0].response["datasets"][0]["location"] == "EU"
    everything = client.list_datasets(include_all=True)
    assert [item.dataset_id for item in everything] == ["sales", "web", "_1234abcd"]
    assert [item.dataset_id for item in client.list_datasets(filter="labels.tier:gold")] == ["sales"]


def test_a_list_shows_what_its_caller_may_see(clients):
    reader = clients("reader@acme.example").bigquery("acme-analytics")
    assert [item.dataset_id for item in reader.list_datasets()] == ["sales"]
    assert list(clients("ana@acme.example").bigquery("acme-analytics").list_datasets()) == []
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        list(clients("nobody@elsewhere.example").bigquery("acme-analytics").list_datasets())
    assert refused.value.errors[0]["reason"] == "accessDenied"


def test_one_dataset_and_its_tables(clients):
    client = clients().bigquery("acme-analytics")
    dataset = client.get_dataset("sales")
    assert (dataset.location, dataset.friendly_name) == ("EU", "Sales")
    assert dataset.default_table_expiration_ms == 604800000
    assert [entry.entity_type for entry in dataset.access_entries][:3] == [
        "specialGroup",
        "specialGroup",
        "userByEmail",
    ]
    reader = clients("reader@acme.example").bigquery("acme-analytics")
    assert [table.table_type for table in reader.list_tables("sales")] == ["TABLE", "VIEW", "MATERIALIZED_VIEW"]
    assert len(list(reader.list_tables("sales", page_size=2))) == 3


def test_a_missing_dataset_is_404_only_to_who_may_see_all(clients):
    with pytest.raises(google.api_core.exceptions.NotFound) as missing:
        clients().bigquery("acme-analytics").get_dataset("not_there")
    assert missing.value.errors[0]["reason"] == "notFound"
    for name in ("not_there", "web"):
        with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
            clients("reader@acme.example").bigquery("acme-analytics").get_dataset(name)
        told = f"Permission bigquery.datasets.get denied on dataset acme-analytics:{name} (or it may not exist)."
        assert told in refused.value.message
        assert refused.value.errors[0]["reason"] == "accessDenied"


def test_bigquery_is_off(clients):
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        list(clients().bigquery("acme-off").list_datasets())
    assert refused.value.errors[0]["reason"] == "accessNotConfigured"
    assert refused.value.reason == "SERVICE_DISABLED"
    assert refused.value.metadata["consumer"] == "projects/3002"


@BOTH
@pytest.mark.parametrize(
    ("quota", "reason", "consumer"),
    [
        ("acme-off", "SERVICE_DISABLED", "projects/3002"),
        ("acme-analytics", "USER_PROJECT_DENIED", "projects/acme-analytics"),
        ("not-there", "USER_PROJECT_DENIED", "projects/not-there"),
    ],
)
def test_troubles_of_the_quota_project(clients, transport, quota, reason, consumer):
    with pytest.raises(google.api_core.exceptions.Forbidden) as refused:
        clients(transport=transport, quota_project=quota).gapic("projects").get_project(name=PROJECT)
    assert (refused.value.reason, refused.value.domain) == (reason, "googleapis.com")
    assert refused.value.metadata["consumer"] == consumer
    assert refused.value.metadata["service"] == "cloudresourcemanager.googleapis.com"


@BOTH
def test_a_quota_project_that_is_in_order(clients, transport):
    client = clients(transport=transport, quota_project="acme-tools").gapic("projects")
    assert client.get_project(name=PROJECT).project_id == "acme-analytics"


@BOTH
def test_two_callers_are_told_apart(clients, cloud, transport):
    for caller in (ADMIN, HEAP):
        clients(caller, transport).gapic("projects").test_iam_permissions(
            resource=PROJECT, permissions=["bigquery.jobs.create"]
        )
    assert [exchange.caller for exchange in cloud.exchanges] == [ADMIN, HEAP]
    assert {exchange.transport for exchange in cloud.exchanges} == {transport}


def test_an_expired_token(clients):
    with pytest.raises(google.api_core.exceptions.Unauthenticated) as refused:
        clients("gone@acme.example").gapic("projects").get_project(name=PROJECT)
    assert refused.value.reason == "ACCESS_TOKEN_EXPIRED"

"""Nothing that is not on the list is sent: asked of Google's own clients, on the wire and by name."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest

from preflight.facts.methods import ALLOWED, DATASET_LIST, PROJECT_POLICY
from preflight.facts.project import Billing
from preflight.facts.snapshot import Target
from preflight.sources.live import LiveSource
from preflight.sources.live.clients import Clients
from preflight.sources.live.credentials import find_credentials
from preflight.sources.live.guard import GrpcGuard, NotAllowedError, check_grpc, check_rest
from preflight.sources.live.settings import AccessToken, LiveSettings
from tests.sources.live.conftest import ADMIN

NAMES = (
    *("projects", "folders", "organizations", "roles", "datasets", "services", "billing", "tokeninfo"),
    *("deny", "tags", "org_policies", "troubleshooter", "groups"),
)
DENY = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-analytics"


@pytest.fixture(params=["grpc", "rest"])
def clients(ready, request):
    settings = LiveSettings.from_environ(ready.environ(ADMIN), transport=request.param)
    built = Clients(settings, NAMES)
    built.build(find_credentials(settings))
    yield built
    built.close()


@pytest.mark.parametrize(
    ("client", "call"),
    [
        pytest.param(
            "projects",
            lambda c: c.set_iam_policy(request={"resource": "projects/acme-analytics", "policy": {}}, retry=None),
            id="set the project's policy",
        ),
        pytest.param("projects", lambda c: c.delete_project(name="projects/acme-analytics"), id="delete it"),
        pytest.param("projects", lambda c: list(c.search_projects(retry=None)), id="read what is not on the list"),
        pytest.param("folders", lambda c: c.delete_folder(name="folders/373737000001"), id="delete a folder"),
        pytest.param(
            "organizations",
            lambda c: c.set_iam_policy(request={"resource": "organizations/987650000001", "policy": {}}),
            id="set the organisation's policy",
        ),
        pytest.param("roles", lambda c: c.delete_role(request={"name": "projects/a/roles/b"}), id="delete a role"),
        pytest.param(
            "services",
            lambda c: c.disable_service(request={"name": "projects/acme-analytics/services/bigquery.googleapis.com"}),
            id="disable an API",
        ),
        pytest.param(
            "billing",
            lambda c: c.update_project_billing_info(name="projects/acme-analytics", retry=None),
            id="unlink billing",
        ),
        pytest.param("deny", lambda c: c.delete_policy(name=f"{DENY}/denypolicies/x"), id="delete a deny policy"),
        pytest.param(
            "deny",
            lambda c: c.create_policy(parent=f"{DENY}/denypolicies", policy={}, policy_id="x"),
            id="create a deny policy",
        ),
        pytest.param(
            "org_policies",
            lambda c: c.delete_policy(name="projects/acme-analytics/policies/gcp.resourceLocations"),
            id="delete an organisation policy",
        ),
        pytest.param(
            "org_policies",
            lambda c: c.list_policies(parent="projects/acme-analytics"),
            id="list organisation policies",
        ),
        pytest.param("tags", lambda c: c.delete_tag_binding(name="tagBindings/x"), id="untag"),
        pytest.param("groups", lambda c: c[0].delete(f"{c[1]}/groups/x"), id="delete a group"),
        pytest.param("groups", lambda c: c[0].get(f"{c[1]}/groups/x/memberships"), id="list a group's members"),
        pytest.param("datasets", lambda c: c.delete_dataset("acme-analytics.marketing"), id="delete a dataset"),
        pytest.param("datasets", lambda c: c.create_dataset("acme-analytics.other"), id="create a dataset"),
        pytest.param("datasets", lambda c: c.query("SELECT 1"), id="run a query"),
        pytest.param("datasets", lambda c: c.get_table("acme-analytics.marketing.campaigns"), id="read a table"),
    ],
)
def test_a_call_that_is_not_on_the_list_is_not_sent(ready, clients, client, call):
    with pytest.raises(NotAllowedError):
        call(clients.get(client, 1))
    assert ready.exchanges == []


def test_streams_are_refused(ready):
    roots = grpc.ssl_channel_credentials(ready.ca_file.read_bytes())
    with grpc.secure_channel(ready.grpc_endpoint, roots) as bare:
        channel = grpc.intercept_channel(bare, GrpcGuard())
        allowed = PROJECT_POLICY.grpc
        for kind in (channel.unary_stream, channel.stream_unary, channel.stream_stream):
            with pytest.raises(NotAllowedError):
                list(kind(allowed)(iter(())))
    assert ready.exchanges == []


def test_the_guard_knows_each_method_over_both_transports():
    for method in ALLOWED:
        url = f"https://{method.api}" + method.path.replace("{", "").replace("}", "")
        assert check_rest(method.verb, url, lambda m: f"https://{m.api}") in ALLOWED
        if method.grpc:
            check_grpc(method.grpc)


@pytest.mark.parametrize(
    ("verb", "url"),
    [
        ("DELETE", "https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d"),
        ("POST", "https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets"),
        ("POST", "https://cloudresourcemanager.googleapis.com/v3/projects/p:setIamPolicy"),
        ("GET", "https://cloudresourcemanager.googleapis.com/v3/projects"),
        ("GET", "https://cloudresourcemanager.googleapis.com/v3/projects/p/more"),
        ("GET", "https://cloudresourcemanager.googleapis.com/v3/projects/../folders"),
        ("GET", "https://cloudresourcemanager.googleapis.com/v3/projects/%2e%2e"),
        ("GET", "https://bigquery.googleapis.com/bigquery/v2/projects/a%2Fb/datasets"),
        ("GET", "https://bigquery.googleapis.com/v3/projects/p"),
        ("GET", "https://bigquery.googleapis.com.evil.example/bigquery/v2/projects/p/datasets"),
        ("GET", "http://bigquery.googleapis.com/bigquery/v2/projects/p/datasets"),
        ("GET", "https://user@bigquery.googleapis.com/bigquery/v2/projects/p/datasets"),
        ("GET", "https://oauth2.googleapis.com/token?access_token=sesame"),
        ("GET", f"https://iam.googleapis.com/v2/{DENY}/denypolicies/.."),
        ("GET", f"https://iam.googleapis.com/v2/{DENY}%2Fmore/denypolicies"),
        ("GET", "https://iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2F..%2Fx/denypolicies"),
        ("GET", "https://iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%252F..%252Fx/denypolicies"),
        ("GET", "https://iam.googleapis.com/v2/policies/elsewhere.googleapis.com%2Fprojects%2Fx/denypolicies"),
        ("GET", "https://bigquery.googleapis.com/bigquery/v2/projects/a%252Fb/datasets"),
        ("POST", "https://policytroubleshooter.googleapis.com/v3/iam:change"),
        ("GET", "https://cloudidentity.googleapis.com/v1/groups/x/memberships"),
    ],
)
def test_addresses_off_the_list(verb, url):
    with pytest.raises(NotAllowedError) as refused:
        check_rest(verb, url, lambda method: f"https://{method.api}")
    assert "sesame" not in str(refused.value)


def test_the_default_hosts_are_those_of_the_clients(monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    for transport in ("grpc", "rest"):
        settings = LiveSettings.from_environ({"GOOGLE_OAUTH_ACCESS_TOKEN": "t"}, transport=transport)
        built = Clients(settings, NAMES)
        built.build(find_credentials(settings))
        hosts = {
            "projects": "cloudresourcemanager.googleapis.com",
            "folders": "cloudresourcemanager.googleapis.com",
            "organizations": "cloudresourcemanager.googleapis.com",
            "roles": "iam.googleapis.com",
            "services": "serviceusage.googleapis.com",
            "billing": "cloudbilling.googleapis.com",
            "deny": "iam.googleapis.com",
            "tags": "cloudresourcemanager.googleapis.com",
            "org_policies": "orgpolicy.googleapis.com",
            "troubleshooter": "policytroubleshooter.googleapis.com",
        }
        for name, host in hosts.items():
            assert host in built.get(name, 1).transport.host
        client = built.get("datasets", 1)
        assert client._connection.build_api_url("/x").startswith(f"https://{DATASET_LIST.api}/bigquery/v2/x")
        assert built.get("groups", 1)[1] == "https://cloudidentity.googleapis.com/v1"
        assert built.get("tokeninfo", 1)[1] == "https://oauth2.googleapis.com/tokeninfo"
        built.close()


def test_a_session_goes_nowhere_else(ready):
    settings = LiveSettings.from_environ(ready.environ(ADMIN))
    built = Clients(settings, ["tokeninfo"])
    built.build(find_credentials(settings))
    session = built.get("tokeninfo", 1)[0]
    with pytest.raises(NotAllowedError):
        session.get("https://example.com/")
    built.close()


def test_other_methods_are_refused_by_name():
    for name in ("/google.cloud.resourcemanager.v3.Projects/SetIamPolicy", "/google.iam.admin.v1.IAM/CreateRole", ""):
        with pytest.raises(NotAllowedError):
            check_grpc(name)


def test_a_redirect_is_not_followed(heap):
    asked = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/bigquery/v2/projects/acme/datasets?again")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = LiveSettings(
            rest_endpoint=f"http://127.0.0.1:{server.server_port}", transport="rest", token=AccessToken("t")
        )
        snapshot = LiveSource(settings, heap, Target("acme", heap.principal)).collect(frozenset({Billing}))
        server.shutdown()
    assert snapshot.billing.reason.detail == "a redirect to another address"
    assert len(asked) == 1

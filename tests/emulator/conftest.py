"""A world with something of everything, served; and clients of it that are closed in the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from preflight.emulator import Emulator, World
from tests.emulator.google_clients import Clients

WORLD = """
now = 2026-03-01T12:00:00Z

[[callers]]
email = "admin@acme.example"
[[callers]]
email = "nobody@elsewhere.example"
[[callers]]
email = "gone@acme.example"
expired = true
[[callers]]
email = "shy@acme.example"
email_scope = false
[[callers]]
email = "heap-sql@heap-204122.iam.gserviceaccount.com"
kind = "service_account"
bindings = [{ role = "roles/iam.serviceAccountTokenCreator", members = ["user:admin@acme.example"] }]

[[groups]]
email = "data@acme.example"
members = ["user:ana@acme.example", "group:leads@acme.example"]
viewers = ["domain:acme.example"]
[[groups]]
email = "leads@acme.example"
members = ["user:lea@acme.example", "group:data@acme.example"]

[[organizations]]
id = "1000"
display_name = "acme.example"
directory_customer_id = "C0acme"
bindings = [{ role = "roles/iam.securityAuditor", members = ["user:Admin@ACME.example"] }]
roles = [{ name = "sqlRunner", permissions = ["bigquery.jobs.create"] }]
tags = { "1000/env" = "prod", "1000/team" = "none" }
org_policies = { "gcp.resourceLocations" = { rules = [{ values = { allowedValues = ["in:eu-locations"] } }] } }

[[folders]]
id = "2000"
parent = "organizations/1000"
display_name = "analytics"
bindings = [{ role = "roles/browser", members = ["group:data@acme.example"] }]
tags = { "1000/team" = "data" }

[[projects]]
id = "acme-analytics"
number = "3000"
parent = "folders/2000"
display_name = "Acme Analytics"
labels = { team = "data" }
services = ["bigquery.googleapis.com", "cloudbilling.googleapis.com", "serviceusage.googleapis.com"]
billing = { account = "01A2B3-C4D5E6-F70819", enabled = true }
audit_configs = [{ service = "allServices", auditLogConfigs = [{ logType = "ADMIN_READ" }] }]
roles = [
    { name = "writer", title = "Writer", permissions = ["bigquery.tables.create", "bigquery.tables.updateData"] },
    { name = "empty" },
    { name = "gone", permissions = ["bigquery.jobs.create"], deleted = true },
]

[[projects.bindings]]
role = "roles/viewer"
members = ["user:admin@acme.example"]
[[projects.bindings]]
role = "roles/bigquery.user"
members = ["serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"]
condition = { title = "for a year", expression = "request.time < timestamp('2027-01-01T00:00:00Z')" }
[[projects.bindings]]
role = "roles/bigquery.metadataViewer"
members = ["user:lea@acme.example"]

[[projects.deny]]
name = "no-deletion"
[[projects.deny.rules]]
denied_principals = ["principalSet://goog/public:all"]
exception_principals = ["principal://goog/subject/ana@acme.example"]
denied_permissions = ["bigquery.googleapis.com/datasets.delete", "bigquery.googleapis.com/routines.*"]
exception_permissions = ["bigquery.googleapis.com/routines.get"]
condition = { title = "in production", expression = "resource.matchTag('1000/env', 'prod')" }
[[projects.deny]]
name = "nothing"
rules = []
[projects.org_policies."gcp.resourceLocations"]
inherit_from_parent = true
rules = [{ values = { allowedValues = ["in:us-locations"], deniedValues = ["us-east1"] } }, { denyAll = true }]
[[projects.datasets]]
id = "sales"
location = "EU"
access = [
    { role = "OWNER", specialGroup = "projectOwners" },
    { role = "READER", specialGroup = "projectReaders" },
    { role = "READER", userByEmail = "reader@acme.example" },
    { role = "WRITER", userByEmail = "reader@acme.example", condition = { expression = "false" } },
    { view = { projectId = "acme-analytics", datasetId = "shared", tableId = "v" } },
]
tables = [{ id = "orders" }, { id = "by_day", type = "VIEW" }, { id = "m", type = "MATERIALIZED_VIEW" }]
labels = { tier = "gold" }
more = { friendlyName = "Sales", defaultTableExpirationMs = "604800000" }
[[projects.datasets]]
id = "web"
location = "europe-west2"
[[projects.datasets]]
id = "_1234abcd"
location = "EU"
hidden = true

[[projects]]
id = "example.com:legacy"
number = "3001"
bindings = [{ role = "roles/owner", members = ["user:admin@acme.example"] }]
billing = { account = "01A2B3-C4D5E6-F70819" }

[[projects]]
id = "acme-off"
number = "3002"
services = []
bindings = [{ role = "roles/owner", members = ["user:admin@acme.example"] }]

[[projects]]
id = "acme-gone"
number = "3004"
state = "DELETE_REQUESTED"
delete_time = "2026-02-01T00:00:00Z"
bindings = [{ role = "roles/owner", members = ["user:admin@acme.example"] }]

[[projects]]
id = "acme-tools"
number = "3003"
services = ["cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"]
bindings = [{ role = "roles/serviceusage.serviceUsageConsumer", members = ["user:admin@acme.example"] }]
"""

ADMIN = "admin@acme.example"
HEAP = "heap-sql@heap-204122.iam.gserviceaccount.com"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    path = tmp_path_factory.mktemp("world") / "world.toml"
    path.write_text(WORLD, encoding="utf-8")
    return World.load(path)


@pytest.fixture
def cloud(world: World) -> Iterator[Emulator]:
    with Emulator(world) as running:
        yield running


@pytest.fixture
def clients(cloud: Emulator) -> Iterator[Callable[..., Clients]]:
    made: list[Clients] = []

    def make(caller: str = ADMIN, transport: str = "grpc", quota_project: str = "") -> Clients:
        made.append(Clients(cloud, caller, transport, quota_project))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded projects; whoever lacks it sees in the summary that these tests were skipped."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "api"
    if not folder.is_dir():
        pytest.skip(f"the recorded projects are not at {folder}: nothing real was read")
    return folder

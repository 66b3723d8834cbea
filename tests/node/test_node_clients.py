"""Google's Node clients, which no one here wrote, read a world over gRPC and REST as it was written.

The packages are locked beside this file, by version and checksum; they are fetched once, into pytest's cache.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from preflight.cli.emulator import NODE
from preflight.emulator import Emulator, Fault
from preflight.testing import world
from tests.npm_packages import alone, fetched

HERE = Path(__file__).parent
ADMIN, VENDOR = "admin@acme.example", "heap-sql@heap-204122.iam.gserviceaccount.com"
CONDITION = "request.time < timestamp('2100-01-01T00:00:00Z')"
WORLD = f"""
[[callers]]
email = "{ADMIN}"

[[organizations]]
id = "1000"
display_name = "acme.example"
bindings = [{{ role = "roles/iam.securityAuditor", members = ["user:{ADMIN}"] }}]

[[folders]]
id = "2000"
parent = "organizations/1000"
display_name = "analytics"

[[projects]]
id = "acme-analytics"
number = "3000"
parent = "folders/2000"
display_name = "Acme Analytics"
services = ["bigquery.googleapis.com", "cloudbilling.googleapis.com", "serviceusage.googleapis.com"]
billing = {{ account = "billingAccounts/01A2B3-C4D5E6-F70819", enabled = true }}

[[projects.bindings]]
role = "roles/viewer"
members = ["user:{ADMIN}"]

[[projects.bindings]]
role = "roles/bigquery.user"
members = ["serviceAccount:{VENDOR}"]
condition = {{ title = "long", expression = "{CONDITION}" }}

[[projects.datasets]]
id = "sales"
location = "EU"
access = [{{ role = "READER", specialGroup = "projectReaders" }}]
tables = [{{ id = "orders" }}, {{ id = "by_day", type = "VIEW" }}]

[[projects.datasets]]
id = "secret"
location = "europe-west2"
access = [{{ role = "OWNER", userByEmail = "root@acme.example" }}]
"""


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the script and the packages that the lock file names."""
    folder = fetched(HERE, "node-clients", "Google's Node clients were", request, tmp_path_factory)
    with alone(folder.parent):
        shutil.copy(HERE / "read_world.mjs", folder)
    return folder


@pytest.fixture(scope="session")
def read(packages: Path) -> Any:
    """What the clients tell of a stand-in, as one of its callers."""

    def run(cloud: Emulator, caller: str) -> dict[str, Any]:
        foreign = ("GOOGLE_", "GRPC_", "BIGQUERY_", "CLOUDSDK_", "NODE_")
        proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "grpc_proxy")
        kept = {n: v for n, v in os.environ.items() if not n.startswith(foreign) and n.lower() not in proxies}
        done = subprocess.run(
            ["node", "--no-deprecation", "read_world.mjs"],
            cwd=packages,
            env={
                **kept,
                **cloud.environ(caller),
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(cloud.ca_file),
                "FOLDER": "folders/2000",
                "ORGANIZATION": "organizations/1000",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


@pytest.fixture(scope="session")
def as_admin(read: Any) -> dict[str, Any]:
    with Emulator(world(WORLD)) as cloud:
        told: dict[str, Any] = read(cloud, ADMIN)
        told["methods"] = {(call.transport, call.method) for call in cloud.exchanges}
        return told


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_they_read_the_project_and_its_surroundings(as_admin, transport):
    told = as_admin[transport]
    assert {key: told["project"][key] for key in ("name", "projectId", "parent", "state", "displayName")} == {
        "name": "projects/3000",
        "projectId": "acme-analytics",
        "parent": "folders/2000",
        "state": "ACTIVE",
        "displayName": "Acme Analytics",
    }
    assert (told["folder"]["name"], told["folder"]["parent"]) == ("folders/2000", "organizations/1000")
    assert told["billing"]["billingAccountName"] == "billingAccounts/01A2B3-C4D5E6-F70819"
    assert told["billing"]["billingEnabled"] is True
    assert told["service"]["state"] == "ENABLED"
    assert sorted(service["config"]["name"] for service in told["enabled"]) == [
        "bigquery.googleapis.com",
        "cloudbilling.googleapis.com",
        "serviceusage.googleapis.com",
    ]


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_they_read_policies_of_version_3_with_conditions(as_admin, transport):
    policies = as_admin[transport]["policies"]
    assert policies["project"]["version"] == 3
    bindings = {binding["role"]: binding for binding in policies["project"]["bindings"]}
    assert bindings["roles/viewer"]["members"] == [f"user:{ADMIN}"]
    assert bindings["roles/viewer"]["condition"] is None
    conditional = bindings["roles/bigquery.user"]
    assert conditional["members"] == [f"serviceAccount:{VENDOR}"]
    assert conditional["condition"]["expression"] == CONDITION
    assert policies["folder"]["bindings"] == []
    assert [binding["role"] for binding in policies["organization"]["bindings"]] == ["roles/iam.securityAuditor"]


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_they_are_told_what_the_caller_may_do(as_admin, transport):
    assert as_admin[transport]["permissions"]["permissions"] == ["bigquery.datasets.get"]


def test_they_list_and_get_datasets(as_admin):
    datasets = as_admin["bigquery"]["datasets"]
    assert sorted(datasets) == ["sales", "secret"]
    assert datasets["sales"]["metadata"]["location"] == "EU"
    assert datasets["sales"]["metadata"]["access"] == [{"role": "READER", "specialGroup": "projectReaders"}]
    assert datasets["sales"]["tables"] == ["orders", "by_day"]
    assert as_admin["bigquery"]["absent"] == {"refused": 404}


def test_both_transports_were_used(as_admin):
    for transport in ("grpc", "rest"):
        assert (transport, "cloudresourcemanager.projects.getIamPolicy") in as_admin["methods"]
    assert ("rest", "bigquery.datasets.list") in as_admin["methods"]


def test_a_refusal_reaches_them_as_one(read):
    with Emulator(world(WORLD)) as cloud:
        cloud.inject(Fault("cloudresourcemanager.organizations.getIamPolicy", "denied"))
        told = read(cloud, ADMIN)
    assert told["grpc"]["policies"]["organization"] == {"refused": 7}  # PERMISSION_DENIED
    assert told["rest"]["policies"]["organization"]["refused"] in {7, 403}
    assert told["grpc"]["policies"]["project"]["version"] == 3


def test_the_lines_that_the_command_prints_work(packages):
    with Emulator(world("ready")) as cloud:
        done = subprocess.run(
            [shutil.which("bash") or "sh", "-c", NODE.replace("PROJECT", "acme-analytics")],
            cwd=packages,
            env={**os.environ, **cloud.environ(ADMIN)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stdout == "Acme Analytics\n[ 'marketing', 'finance' ]\n", done.stderr


def test_the_lock_file_names_no_registry():
    """It serves whichever registry npm is set up for."""
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []

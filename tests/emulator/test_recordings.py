"""Recorded projects: each loads, is served over both transports, and refuses what was not recorded."""

import json
from pathlib import Path
from typing import Any

import google.api_core.exceptions
import pytest

from preflight.emulator import AUDITOR, Emulator, World, WorldError
from tests.emulator.discovery_schema import check_exchange
from tests.emulator.google_clients import Clients
from tests.emulator.raw import ask

NAMES = (
    "bigquery1",
    "billing1",
    "cloudrun1",
    "cloudrun2",
    "cloudsql1",
    "cloudsql2",
    "cloudsql3",
    "dataflow1",
    "fw-policy",
    "gaes1",
    "gcb1",
    "gce1",
    "gce3",
    "gce6",
    "gcf1",
    "gcf2",
    "gcs1",
    "gke1",
    "gke5",
    "interconnect1",
    "lb1",
    "nat1",
    "notebooks1",
    "notebooks2",
    "osconfig1",
    "tpu1",
    "vertex1",
    "vpc1",
    "vpc2",
)


def read(folder: Path, name: str) -> Any:
    path = folder / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def test_all_are_here(recordings):
    assert sorted(path.parent.name for path in recordings.glob("*/project.json")) == sorted(NAMES)


@pytest.fixture(params=NAMES)
def folder(request, recordings):
    return recordings / request.param


def test_over_rest_everything_is_as_recorded(folder):
    project = read(folder, "project.json")
    policy, services = read(folder, "iam-policy.json"), read(folder, "services.json")
    billing, custom = read(folder, "project_billing_info.json"), read(folder, "iam-roles-custom.json")
    name = f"projects/{project['projectId']}"
    with Emulator(World.recording(folder)) as cloud:

        def get(path: str, verb: str = "GET", body: Any = None) -> Any:
            status, _, answer = ask(cloud, verb, path, caller=AUDITOR, body=body)
            return answer if status == 200 else status

        assert get(f"/v3/{name}") == project
        assert get(f"/v3/{project['name']}") == project
        assert get(f"/v3/{name}:getIamPolicy", "POST", {"options": {"requestedPolicyVersion": 3}}) == (policy or 403)
        tested = {"permissions": ["resourcemanager.projects.get", "bigquery.jobs.create"]}
        held = {"permissions": ["resourcemanager.projects.get"]}
        assert get(f"/v3/{name}:testIamPermissions", "POST", tested) == (held if policy else 403)
        assert get(f"/v3/{project['parent']}") == 403
        assert get(f"/v3/{project['parent']}:getIamPolicy", "POST", {}) == 403
        assert get(f"/v1/{name}/billingInfo") == (billing or 403)
        assert get(f"/bigquery/v2/{name}/datasets") == 403
        known = {raw["config"]["name"]: raw for raw in (services or {}).get("services", [])}
        for service in ("bigquery.googleapis.com", "compute.googleapis.com", "orgpolicy.googleapis.com"):
            answer = get(f"/v1/{name}/services/{service}")
            if service in known:
                assert answer == known[service]
            elif services is None or services.get("nextPageToken"):
                assert answer == 403
            else:
                assert answer["state"] == "DISABLED"
        for role in (custom or {}).get("roles", []):
            assert get(f"/v1/{role['name']}") == role
        for exchange in cloud.exchanges:
            check_exchange(exchange)


def test_over_grpc_it_can_be_read(folder):
    project = read(folder, "project.json")
    policy, services = read(folder, "iam-policy.json"), read(folder, "services.json")
    name = f"projects/{project['projectId']}"
    with Emulator(World.recording(folder)) as cloud:
        clients = Clients(cloud, AUDITOR)
        try:
            assert clients.gapic("projects").get_project(name=name).name == project["name"]
            if policy is None:
                with pytest.raises(google.api_core.exceptions.PermissionDenied):
                    clients.gapic("projects").get_iam_policy(request={"resource": name})
            else:
                answer = clients.gapic("projects").get_iam_policy(request={"resource": name})
                assert len(answer.bindings) == len(policy["bindings"])
            if services is None or services.get("nextPageToken"):
                with pytest.raises(google.api_core.exceptions.PermissionDenied):
                    list(clients.gapic("services").list_services(request={"parent": name}))
            else:
                listed = list(
                    clients.gapic("services").list_services(
                        request={"parent": name, "filter": "state:ENABLED", "page_size": 200}
                    )
                )
                assert [item.config.name for item in listed] == [raw["config"]["name"] for raw in services["services"]]
        finally:
            clients.close()


def test_whoever_a_policy_names_can_call(recordings):
    with Emulator(World.recording(recordings / "bigquery1")) as cloud:
        clients = Clients(cloud, "testuser@example.com")
        try:
            tested = clients.gapic("projects").test_iam_permissions(
                resource="projects/gcpdiag-cloudsql1-aaaa", permissions=["bigquery.jobs.create"]
            )
            assert list(tested.permissions) == ["bigquery.jobs.create"]
        finally:
            clients.close()


def test_predefined_roles_that_were_recorded_are_served_as_recorded(recordings):
    with Emulator(World.recording(recordings / "gke1")) as cloud:
        _, _, role = ask(cloud, "GET", "/v1/roles/container.nodeServiceAgent", caller=AUDITOR)
        assert role["title"] == "[Deprecated] Kubernetes Engine Node Service Agent"
        bare = [role for role in cloud.world.roles if not role.permissions]
        assert len(bare) == 2
        for role in bare:
            _, _, answer = ask(cloud, "GET", f"/v1/{role.name}", caller=AUDITOR)
            assert "includedPermissions" not in answer


def test_all_of_them_as_one_world(recordings):
    with Emulator(World.load(recordings)) as cloud:
        clients = Clients(cloud, AUDITOR)
        try:
            found = {project.project_id for project in clients.gapic("projects").search_projects()}
        finally:
            clients.close()
        assert len(found) == len(NAMES) - 1  # two folders tell of the same ID


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "projects/1"}', "{"])
def test_a_broken_recording_is_named(tmp_path, text):
    (tmp_path / "project.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"project\.json"):
        World.load(tmp_path)


def test_a_recording_of_another_shape_is_named(tmp_path):
    text = '{"name": "projects/1", "projectId": "acme-analytics", "labels": ["team"]}'
    (tmp_path / "project.json").write_text(text, encoding="utf-8")
    with pytest.raises(WorldError, match=rf"{tmp_path}: Expected `object`, got `array` - at `\$.projects\[0\].labels`"):
        World.load(tmp_path)

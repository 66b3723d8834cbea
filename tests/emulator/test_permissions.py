"""Permissions are computed: one small world a case, asked about one account and one permission."""

from typing import Any

import msgspec
import pytest

from preflight.emulator import World
from preflight.emulator.directory import Directory
from preflight.emulator.methods import withheld_permissions
from preflight.emulator.policy import Access, deny_form, deny_matches

HEAP = "heap-sql@heap-204122.iam.gserviceaccount.com"
SA = f"serviceAccount:{HEAP}"
JOBS = "bigquery.jobs.create"

BASE = {
    "now": "2026-03-01T12:00:00Z",
    "callers": [
        {"email": HEAP, "kind": "service_account"},
        {"email": "ana@acme.example"},
        {"email": "robot@acme-analytics.iam.gserviceaccount.com", "kind": "service_account"},
        {"email": "auditor@example.org", "sees_all": True},
    ],
    "organizations": [{"id": "1000", "display_name": "acme.example", "directory_customer_id": "C0acme"}],
    "folders": [{"id": "2000", "parent": "organizations/1000"}],
}


def world(bindings: Any = (), **more: Any) -> World:
    """A project with these bindings; other keys go to the project, or by their full name to other places."""
    raw = msgspec.json.decode(msgspec.json.encode(BASE))
    project = {"id": "acme-analytics", "number": "3000", "parent": "folders/2000", "bindings": list(bindings)}
    for key, value in more.items():
        if key == "groups":
            raw[key] = value
        elif key.startswith("folder_"):
            raw["folders"][0][key.removeprefix("folder_")] = value
        elif key.startswith("organization_"):
            raw["organizations"][0][key.removeprefix("organization_")] = value
        else:
            project[key] = value
    raw["projects"] = [project]
    return msgspec.convert(raw, World)


def grant(role: str = "roles/bigquery.user", member: str = SA, expression: str = "") -> dict[str, Any]:
    binding: dict[str, Any] = {"role": role, "members": [member]}
    return binding | ({"condition": {"expression": expression}} if expression else {})


def deny(permissions: Any = ("bigquery.googleapis.com/jobs.create",), principals: Any = (), **more: Any) -> list[Any]:
    principals = principals or (f"principal://iam.googleapis.com/projects/-/serviceAccounts/{HEAP}",)
    rule = {"denied_principals": list(principals), "denied_permissions": list(permissions), **more}
    return [{"name": "policies/x", "rules": [rule]}]


def holds(made: World, permission: str = JOBS, email: str = HEAP, dataset: str | None = None) -> bool:
    directory = Directory(made)
    project = directory.project("acme-analytics")
    assert project is not None
    found = next((item for item in project.datasets if item.id == dataset), None)
    caller = directory.callers[email.lower()]
    return Access(directory, withheld_permissions).holds(caller, permission, project, found)


BEFORE = "request.time < timestamp('2026-01-01T00:00:00Z')"
AFTER = "request.time > timestamp('2026-01-01T00:00:00Z')"
NESTED = [
    {"email": "outer@acme.example", "members": ["group:Inner@acme.example"]},
    {"email": "inner@acme.example", "members": [SA, "group:outer@acme.example"]},
]
CUSTOM = "projects/acme-analytics/roles/runner"
RUNNER = {"name": "runner", "permissions": [JOBS]}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(world(), False, id="nothing granted"),
        pytest.param(world([grant()]), True, id="on the project"),
        pytest.param(world(folder_bindings=[grant()]), True, id="on the folder"),
        pytest.param(world(organization_bindings=[grant()]), True, id="on the organisation"),
        pytest.param(world(parent="", folder_bindings=[grant()]), False, id="on a folder that is no ancestor"),
        pytest.param(world([grant(role="roles/bigquery.dataEditor")]), False, id="a role without it"),
        pytest.param(world([grant(role="roles/not.known")]), False, id="a role that nobody knows"),
        pytest.param(world([grant(member=SA.upper().replace("SERVICEACCOUNT", "serviceAccount"))]), True, id="case"),
        pytest.param(world([grant(member=f"user:{HEAP}")]), False, id="an account written as a user"),
        pytest.param(world([grant(member=f"deleted:{SA}?uid=1")]), False, id="deleted"),
        pytest.param(world([grant(member=SA.replace("204122", "204112"))]), False, id="misspelt"),
        pytest.param(world([grant(member="allUsers")]), True, id="all users"),
        pytest.param(world([grant(member="allAuthenticatedUsers")]), True, id="authenticated: accounts too"),
        pytest.param(world([grant(member="domain:heap-204122.iam.gserviceaccount.com")]), False, id="no domain"),
        pytest.param(world([grant(member="group:outer@acme.example")], groups=NESTED), True, id="nested groups"),
        pytest.param(world([grant(member="group:other@acme.example")], groups=NESTED), False, id="unknown group"),
        pytest.param(
            world([grant(member=f"principal://iam.googleapis.com/projects/-/serviceAccounts/{HEAP}")]),
            True,
            id="principal://",
        ),
        pytest.param(world([grant(expression=AFTER)]), True, id="condition true"),
        pytest.param(world([grant(expression=BEFORE)]), False, id="condition false"),
        pytest.param(world([grant(expression="api.getAttribute('x', []) == 1")]), False, id="condition unknown"),
        pytest.param(world([grant(expression=BEFORE), grant()]), True, id="another binding without condition"),
        pytest.param(world([grant(role=CUSTOM)], roles=[RUNNER]), True, id="custom role"),
        pytest.param(world([grant(role=CUSTOM)], roles=[RUNNER | {"deleted": True}]), False, id="deleted role"),
        pytest.param(world([grant(role=CUSTOM)], roles=[RUNNER | {"stage": "DISABLED"}]), False, id="disabled role"),
        pytest.param(world(folder_bindings=[grant(role=CUSTOM)], roles=[RUNNER]), False, id="outside its project"),
        pytest.param(
            world([grant(role="organizations/1000/roles/runner")], organization_roles=[RUNNER]),
            True,
            id="custom role of the organisation",
        ),
        pytest.param(world([grant()], tags={"1000/env": "prod"}, deny=deny()), False, id="denied"),
        pytest.param(world([grant()], folder_deny=deny()), False, id="denied on the folder"),
        pytest.param(world([grant()], organization_deny=deny()), False, id="denied on the organisation"),
        pytest.param(world([grant()], deny=deny(["bigquery.googleapis.com/*.*"])), False, id="denied by *.*"),
        pytest.param(world([grant()], deny=deny(["bigquery.googleapis.com/jobs.*"])), False, id="denied by jobs.*"),
        pytest.param(world([grant()], deny=deny(["bigquery.googleapis.com/*.create"])), False, id="by *.create"),
        pytest.param(world([grant()], deny=deny(["bigquery.googleapis.com/*.get"])), True, id="another verb denied"),
        pytest.param(
            world([grant()], deny=deny(principals=["principalSet://goog/public:all"])), False, id="all denied"
        ),
        pytest.param(
            world([grant()], deny=deny(principals=["principal://goog/subject/ana@acme.example"])),
            True,
            id="somebody else denied",
        ),
        pytest.param(
            world(
                [grant()],
                deny=deny(
                    principals=["principalSet://goog/public:all"],
                    exception_principals=[f"principal://iam.googleapis.com/projects/-/serviceAccounts/{HEAP}"],
                ),
            ),
            True,
            id="excepted principal",
        ),
        pytest.param(
            world(
                [grant()],
                deny=deny(
                    ["bigquery.googleapis.com/*.*"], exception_permissions=["bigquery.googleapis.com/jobs.create"]
                ),
            ),
            True,
            id="excepted permission",
        ),
        pytest.param(
            world(
                [grant()],
                tags={"1000/env": "prod"},
                deny=deny(condition={"expression": "!resource.matchTag('1000/env', 'prod')"}),
            ),
            True,
            id="deny condition false",
        ),
        pytest.param(
            world([grant()], deny=deny(condition={"expression": "resource.matchTagId('tagKeys/1', 'tagValues/1')"})),
            False,
            id="deny condition unknown: it applies",
        ),
        pytest.param(
            world([grant()], groups=NESTED, deny=deny(principals=["principalSet://goog/group/outer@acme.example"])),
            False,
            id="denied through a group",
        ),
    ],
)
def test_jobs_create_for_the_vendor(made, expected):
    assert holds(made) is expected


@pytest.mark.parametrize(
    ("member", "email", "expected"),
    [
        ("domain:acme.example", "ana@acme.example", True),
        ("domain:ACME.example", "ana@acme.example", True),
        ("principal://goog/subject/ANA@acme.example", "ana@acme.example", True),
        ("principalSet://goog/cloudIdentityCustomerId/C0acme", "ana@acme.example", True),
        ("principalSet://goog/cloudIdentityCustomerId/C0acme", HEAP, False),
        (
            "principalSet://cloudresourcemanager.googleapis.com/projects/3000/type/ServiceAccount",
            "robot@acme-analytics.iam.gserviceaccount.com",
            True,
        ),
        (
            "principalSet://cloudresourcemanager.googleapis.com/organizations/1000/type/ServiceAccount",
            "robot@acme-analytics.iam.gserviceaccount.com",
            True,
        ),
        ("principalSet://cloudresourcemanager.googleapis.com/folders/2000/type/ServiceAccount", HEAP, False),
        ("principalSet://iam.googleapis.com/locations/global/workforcePools/p/*", "ana@acme.example", False),
        ("nonsense", "ana@acme.example", False),
    ],
)
def test_members(member, email, expected):
    assert holds(world([grant(member=member)]), email=email) is expected


def dataset(*access: dict[str, Any]) -> list[Any]:
    return [{"id": "sales", "access": list(access)}]


DATA = "bigquery.tables.updateData"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(world([grant()], datasets=dataset()), False, id="BigQuery User can't write"),
        pytest.param(world([grant("roles/bigquery.dataEditor")], datasets=dataset()), True, id="from the project"),
        pytest.param(world(datasets=dataset({"role": "WRITER", "userByEmail": HEAP})), True, id="WRITER"),
        pytest.param(world(datasets=dataset({"role": "READER", "userByEmail": HEAP})), False, id="READER"),
        pytest.param(
            world(datasets=dataset({"role": "roles/bigquery.dataOwner", "iamMember": SA})), True, id="iamMember"
        ),
        pytest.param(
            world([grant("roles/editor")], datasets=dataset({"role": "WRITER", "specialGroup": "projectWriters"})),
            True,
            id="projectWriters",
        ),
        pytest.param(
            world([grant("roles/viewer")], datasets=dataset({"role": "WRITER", "specialGroup": "projectWriters"})),
            False,
            id="projectWriters are editors",
        ),
        pytest.param(
            world(
                [grant("roles/owner")], datasets=dataset({"role": "WRITER", "iamMember": "projectOwner:acme-analytics"})
            ),
            True,
            id="projectOwner:ID",
        ),
        pytest.param(
            world(datasets=dataset({"role": "WRITER", "specialGroup": "allAuthenticatedUsers"})), True, id="everyone"
        ),
        pytest.param(
            world(groups=NESTED, datasets=dataset({"role": "WRITER", "groupByEmail": "outer@acme.example"})),
            True,
            id="a group",
        ),
        pytest.param(world(datasets=dataset({"role": "WRITER", "domain": "acme.example"})), False, id="a domain"),
        pytest.param(world(datasets=dataset({"view": {"tableId": "v"}})), False, id="an authorised view"),
        pytest.param(
            world(datasets=dataset({"role": "WRITER", "userByEmail": HEAP, "condition": {"expression": AFTER}})),
            True,
            id="condition true",
        ),
        pytest.param(
            world(datasets=dataset({"role": "WRITER", "userByEmail": HEAP, "condition": {"expression": BEFORE}})),
            False,
            id="condition false",
        ),
        pytest.param(
            world(
                [grant("roles/bigquery.dataEditor", expression="resource.name.endsWith('/datasets/sales')")],
                datasets=dataset(),
            ),
            True,
            id="a condition on the dataset's name",
        ),
        pytest.param(
            world(
                datasets=dataset({"role": "WRITER", "userByEmail": HEAP}),
                deny=deny(["bigquery.googleapis.com/tables.*"]),
            ),
            False,
            id="deny wins over the access list",
        ),
    ],
)
def test_writing_to_a_dataset(made, expected):
    assert holds(made, DATA, dataset="sales") is expected


def test_the_auditor_of_a_recording_reads_all_and_writes_nothing():
    made = world(withheld=["cloudresourcemanager.projects.getIamPolicy"])
    for permission, expected in (
        ("resourcemanager.projects.get", True),
        ("serviceusage.services.use", True),
        ("resourcemanager.projects.setIamPolicy", False),
        (JOBS, False),
        ("resourcemanager.projects.getIamPolicy", False),  # withheld: the call would be refused
    ):
        assert holds(made, permission, "auditor@example.org") is expected, permission


def test_the_form_of_deny_policies():
    assert deny_form("resourcemanager.projects.get") == "cloudresourcemanager.googleapis.com/projects.get"
    assert deny_form("bigquery.jobs.create") == "bigquery.googleapis.com/jobs.create"
    assert not deny_matches("iam.googleapis.com/*.*", deny_form(JOBS))

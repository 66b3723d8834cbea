"""A world with nested folders and custom roles, and a way to read it: `read(...)` gives source and snapshot."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from preflight.emulator import Emulator, World
from preflight.emulator import world as w
from preflight.facts.project import Fact
from preflight.facts.snapshot import FIELD_OF, Snapshot, Target
from preflight.profile import Profile, load_profile
from preflight.sources.live import LiveSettings, LiveSource

ADMIN = "admin@acme.example"
VENDOR = "heap-sql@heap-204122.iam.gserviceaccount.com"
ALL = frozenset(FIELD_OF)

UNTIL = """expression = "request.time < timestamp('2030-01-01T00:00:00Z')", title = "until 2030\""""
TAGGED = """expression = "resource.matchTag('1000/env', 'prod')", title = "in production\""""
DEEP = f"""
[[callers]]
email = "{ADMIN}"
[[callers]]
email = "{VENDOR}"
kind = "service_account"
[[callers]]
email = "ana@acme.example"
[[callers]]
email = "shy@acme.example"
email_scope = false

[[groups]]
email = "data@acme.example"
members = ["user:ana@acme.example", "group:vendors@acme.example"]
viewers = ["user:{ADMIN}"]
[[groups]]
email = "vendors@acme.example"
members = ["serviceAccount:{VENDOR}"]

[[organizations]]
id = "1000"
display_name = "acme.example"
directory_customer_id = "C0acme"
bindings = [
    {{ role = "roles/iam.securityAuditor", members = ["user:{ADMIN}"] }},
    {{ role = "organizations/1000/roles/sqlRunner", members = ["serviceAccount:{VENDOR}"] }},
]
roles = [{{ name = "sqlRunner", permissions = ["bigquery.jobs.create"] }}]
tags = {{ "1000/env" = "prod", "1000/team" = "none" }}
[organizations.org_policies]
"gcp.resourceLocations" = {{ rules = [{{ values = {{ allowedValues = ["in:eu-locations"] }} }}] }}
"iam.managed.allowedPolicyMembers" = {{ rules = [
    {{ enforce = true, parameters = {{ allowedMemberSubjects = ["user:ana@acme.example"], strict = true }} }},
] }}
[[organizations.deny]]
name = "no-deletion"
[[organizations.deny.rules]]
denied_principals = ["principalSet://goog/public:all"]
exception_principals = ["principalSet://goog/group/Data@acme.example"]
denied_permissions = ["bigquery.googleapis.com/datasets.delete"]
exception_permissions = ["bigquery.googleapis.com/tables.delete"]

[[folders]]
id = "1"
parent = "organizations/1000"
display_name = "top"
[[folders]]
id = "2"
parent = "folders/1"
display_name = "middle"
bindings = [
    {{ role = "roles/logging.viewer", members = ["user:ana@acme.example"], condition = {{ {TAGGED} }} }},
]
tags = {{ "1000/team" = "data" }}
[folders.org_policies]
"gcp.resourceLocations" = {{ inherit_from_parent = true, rules = [
    {{ values = {{ allowedValues = ["in:us-locations"], deniedValues = ["us-east1"] }} }},
] }}
[[folders]]
id = "3"
parent = "folders/2"
display_name = "near"

[[projects]]
id = "acme-deep"
number = "3000"
parent = "folders/3"
services = ["bigquery.googleapis.com"]
billing = {{ account = "01A2B3-C4D5E6-F70819", enabled = false }}
bindings = [
    {{ role = "roles/owner", members = ["user:{ADMIN}"] }},
    {{ role = "projects/acme-deep/roles/gone", members = ["group:data@acme.example"] }},
    {{ role = "projects/acme-deep/roles/empty", members = ["allAuthenticatedUsers"] }},
    {{ role = "roles/bigquery.user", members = ["serviceAccount:{VENDOR}"], condition = {{ {UNTIL} }} }},
    {{ role = "roles/pubsub.viewer", members = ["deleted:serviceAccount:{VENDOR}?uid=1"] }},
]
roles = [
    {{ name = "gone", permissions = ["bigquery.jobs.create"], deleted = true }},
    {{ name = "empty" }},
]
[projects.org_policies]
"gcp.restrictServiceUsage" = {{ rules = [
    {{ values = {{ deniedValues = ["bigquery.googleapis.com"] }}, condition = {{ {TAGGED} }} }},
    {{ allowAll = true }},
] }}
[[projects.deny]]
name = "vendors-out"
[[projects.deny.rules]]
denied_principals = ["principal://iam.googleapis.com/projects/-/serviceAccounts/{VENDOR}"]
denied_permissions = ["bigquery.googleapis.com/jobs.create", "bigquery.googleapis.com/datasets.*"]
condition = {{ {TAGGED} }}
[[projects.deny]]
name = "empty"
rules = []
[[projects.datasets]]
id = "heap_production"
location = "EU"
access = [
    {{ role = "OWNER", specialGroup = "projectOwners" }},
    {{ role = "WRITER", userByEmail = "{VENDOR}" }},
    {{ role = "roles/bigquery.metadataViewer", userByEmail = "ana@acme.example" }},
    {{ view = {{ projectId = "acme-deep", datasetId = "views", tableId = "v" }} }},
]
[projects.datasets.more]
defaultTableExpirationMs = "86400000"
defaultPartitionExpirationMs = "0"
defaultEncryptionConfiguration = {{ kmsKeyName = "projects/k/locations/eu/keyRings/r/cryptoKeys/c" }}
"""

Read = Callable[..., tuple[LiveSource, Snapshot]]


@pytest.fixture(scope="session")
def heap() -> Profile:
    return load_profile("heap")


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> World:
    path: Path = tmp_path_factory.mktemp("world") / "world.toml"
    path.write_text(DEEP, encoding="utf-8")
    return World.load(path)


@pytest.fixture
def ready() -> Iterator[Emulator]:
    with Emulator(World.demo("ready")) as cloud:
        yield cloud


@pytest.fixture
def serve() -> Iterator[Callable[[World], Emulator]]:
    """Serves worlds until the test ends."""
    clouds: list[Emulator] = []

    def start(world: World) -> Emulator:
        clouds.append(Emulator(world).start())
        return clouds[-1]

    yield start
    for cloud in clouds:
        cloud.stop()


@pytest.fixture
def read(heap: Profile) -> Read:
    """Collects from a stand-in, as `caller`; `settings` are those of LiveSettings."""

    def collect(
        cloud: Emulator,
        wanted: frozenset[type[Fact]] = ALL,
        *,
        caller: str = ADMIN,
        project: str = "acme-analytics",
        dataset: str | None = "heap_production",
        **settings: Any,
    ) -> tuple[LiveSource, Snapshot]:
        chosen = LiveSettings.from_environ(cloud.environ(caller), **settings)
        source = LiveSource(chosen, heap, Target(project, heap.principal, dataset=dataset))
        return source, source.collect(wanted)

    return collect


def with_project(world: World, **changes: Any) -> World:
    """The same world with its first project changed."""
    first = msgspec.structs.replace(world.projects[0], **changes)
    return msgspec.structs.replace(world, projects=(first, *world.projects[1:]))


def with_binding(world: World, role: str, *members: str) -> World:
    """The same world with one more binding on its first project."""
    return with_project(world, bindings=(*world.projects[0].bindings, w.Binding(role=role, members=members)))


@contextmanager
def environment(monkeypatch: pytest.MonkeyPatch, **variables: str | None) -> Iterator[None]:
    """These variables set, or unset where None."""
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        yield

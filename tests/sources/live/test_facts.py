"""What is told of a world that the caller may see: each kind of fact, over either transport."""

import msgspec
import pytest

from preflight.emulator import World
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.policy import AllowPolicies, AllowPolicy, Condition, Role, Roles
from preflight.facts.project import Ancestry, Billing, Project, Services, ServiceState
from preflight.facts.seen import COMPLETE, Provenance
from preflight.sources.live.collector import permissions_to_test
from tests.sources.live.conftest import ADMIN, VENDOR, with_project

TRANSPORTS = pytest.mark.parametrize("transport", ["grpc", "rest"])


def timeless(value):
    """The same without the moments, so that two runs compare."""
    if isinstance(value, Provenance):
        return Provenance(value.source, value.resource)
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items()}
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value,
            **{n: None if n in MOMENTS else timeless(getattr(value, n)) for n in value.__struct_fields__},
        )
    return value


MOMENTS = {"started_at", "finished_at", "at"}


@TRANSPORTS
def test_a_ready_project_is_seen_whole(ready, read, transport):
    _, snapshot = read(ready, transport=transport)
    assert snapshot.gaps() == ()
    assert snapshot.source == "live"
    assert isinstance(snapshot.project, Project)
    assert (snapshot.project.id, snapshot.project.number) == ("acme-analytics", "421700000001")
    assert (snapshot.project.state, snapshot.project.name) == ("ACTIVE", "Acme Analytics")
    assert snapshot.project.parent == "folders/373737000001"
    assert isinstance(snapshot.billing, Billing)
    assert snapshot.billing.enabled
    assert snapshot.billing.account == "billingAccounts/01A2B3-C4D5E6-F70819"
    assert isinstance(snapshot.services, Services)
    assert {name: one.state for name, one in snapshot.services.services.items()} == {
        "bigquery.googleapis.com": ServiceState.ENABLED
    }
    assert snapshot.ancestry == Ancestry(resources=("folders/373737000001", "organizations/987650000001"))
    assert isinstance(snapshot.caller_identity, CallerIdentity)
    assert snapshot.caller_identity.email == ADMIN
    assert isinstance(snapshot.roles, Roles)
    assert "bigquery.jobs.create" in snapshot.roles.roles["roles/bigquery.user"].granted
    assert isinstance(snapshot.datasets, Datasets)
    assert snapshot.datasets.completeness == COMPLETE
    assert {name: one.location for name, one in snapshot.datasets.datasets.items()} == {
        "marketing": "EU",
        "finance": "EU",
    }
    assert snapshot.datasets.get("heap_production") is None, "absence is known where the caller may see all"


def test_both_transports_tell_the_same(ready, read):
    over = {transport: timeless(read(ready, transport=transport)[1]) for transport in ("grpc", "rest")}
    assert over["grpc"] == over["rest"]
    used = {exchange.transport for exchange in ready.exchanges if exchange.method.startswith("cloudres")}
    assert used == {"grpc", "rest"}


def test_each_fact_says_where_and_when_it_was_seen(ready, read):
    _, snapshot = read(ready)
    seen = snapshot.project.provenance
    assert (seen.source, seen.resource) == ("cloudresourcemanager.projects.get", "projects/acme-analytics")
    assert snapshot.started_at <= seen.observed_at <= snapshot.finished_at
    service = snapshot.services.services["bigquery.googleapis.com"].provenance
    assert service.resource == "projects/acme-analytics/services/bigquery.googleapis.com"


@TRANSPORTS
def test_nested_folders_are_climbed_and_their_policies_read_nearest_first(deep, serve, read, transport):
    _, snapshot = read(serve(deep), project="acme-deep", transport=transport)
    above = ("folders/3", "folders/2", "folders/1", "organizations/1000")
    assert snapshot.ancestry == Ancestry(resources=above)
    assert isinstance(snapshot.allow_policies, AllowPolicies)
    assert tuple(snapshot.allow_policies.policies) == ("projects/acme-deep", *above)
    assert all(isinstance(policy, AllowPolicy) for policy in snapshot.allow_policies.policies.values())
    assert snapshot.allow_policies.completeness == COMPLETE


def test_roles_are_read_once_each_and_only_those_that_may_matter(deep, serve, read):
    cloud = serve(deep)
    _, snapshot = read(cloud, project="acme-deep")
    assert set(snapshot.roles.roles) == {
        "projects/acme-deep/roles/gone",  # a group, whose members are not known
        "projects/acme-deep/roles/empty",
        "organizations/1000/roles/sqlRunner",  # bound on the organisation
        "roles/bigquery.user",
        "roles/bigquery.dataEditor",  # by the dataset's access list
        "roles/bigquery.dataOwner",  # a special group may include the principal
    }
    asked = [exchange.resource for exchange in cloud.exchanges if exchange.method.endswith("roles.get")]
    assert len(asked) == len(set(asked)) == 6


def test_custom_roles_empty_and_deleted(deep, serve, read):
    _, snapshot = read(serve(deep), project="acme-deep")
    roles = snapshot.roles.roles
    assert roles["projects/acme-deep/roles/empty"].permissions == frozenset()
    assert roles["projects/acme-deep/roles/gone"].deleted
    assert roles["projects/acme-deep/roles/gone"].granted == frozenset()
    assert roles["organizations/1000/roles/sqlRunner"].granted == {"bigquery.jobs.create"}
    assert all(isinstance(role, Role) for role in roles.values())


def test_a_condition_is_kept(deep, serve, read):
    _, snapshot = read(serve(deep), project="acme-deep")
    bindings = snapshot.allow_policies.policies["projects/acme-deep"].bindings
    (user,) = [binding for binding in bindings if binding.role == "roles/bigquery.user"]
    assert user.condition == Condition("request.time < timestamp('2030-01-01T00:00:00Z')", "until 2030")


def test_a_closed_account_stays_linked(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({Billing}), project="acme-deep")
    assert not snapshot.billing.enabled
    assert snapshot.billing.account == "billingAccounts/01A2B3-C4D5E6-F70819"


def test_billing_that_was_never_linked(deep, serve, read):
    bare = with_project(deep, billing=type(deep.projects[0].billing)())
    _, snapshot = read(serve(bare), frozenset({Billing}), project="acme-deep")
    assert (snapshot.billing.enabled, snapshot.billing.account) == (False, None)


def test_a_service_that_is_off(deep, serve, read):
    off = with_project(deep, services=())
    _, snapshot = read(serve(off), frozenset({Services}), project="acme-deep")
    assert snapshot.services.services["bigquery.googleapis.com"].state is ServiceState.DISABLED


def test_a_project_without_parent_has_no_ancestors(deep, serve, read):
    alone = with_project(deep, parent="")
    _, snapshot = read(serve(alone), project="acme-deep")
    assert snapshot.ancestry == Ancestry(resources=())
    assert tuple(snapshot.allow_policies.policies) == ("projects/acme-deep",)


def test_the_destination_is_read_with_its_access_list(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({Datasets}), project="acme-deep")
    dataset = snapshot.datasets.get("heap_production")
    assert isinstance(dataset, Dataset)
    assert dataset.location == "EU"
    assert [(entry.role, entry.member) for entry in dataset.access] == [
        ("OWNER", "projectOwners"),
        ("WRITER", f"serviceAccount:{VENDOR}"),
        ("roles/bigquery.metadataViewer", "user:ana@acme.example"),
        ("", ""),
    ]
    assert dataset.access[3].authorized == "view acme-deep.views.v"


@TRANSPORTS
def test_what_the_caller_may_do_is_asked_for_in_one_list(ready, read, heap, transport):
    _, snapshot = read(ready, frozenset({CallerPermissions}), transport=transport)
    asked = permissions_to_test(heap)
    assert snapshot.caller_permissions.asked == set(asked)
    assert snapshot.caller_permissions.holds("resourcemanager.projects.get") is True
    assert snapshot.caller_permissions.holds("bigquery.datasets.create") is False
    assert snapshot.caller_permissions.holds("storage.objects.get") is None
    assert not any("*" in name for name in asked)


def test_who_calls_may_be_untold(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({CallerIdentity}), project="acme-deep", caller="shy@acme.example")
    assert snapshot.caller_identity.reason.kind == "incomplete"


def test_a_number_is_resolved_and_all_else_uses_the_id(ready, read):
    source, snapshot = read(ready, project="421700000001")
    assert source.target.project == snapshot.project.id == "acme-analytics"
    assert snapshot.gaps() == ()
    by_number = [exchange for exchange in ready.exchanges if "421700000001" in (exchange.resource + exchange.path)]
    assert [exchange.method for exchange in by_number] == ["cloudresourcemanager.projects.get"]


def test_a_number_is_resolved_whatever_is_wanted(ready, read):
    source, snapshot = read(ready, frozenset({Billing}), project="421700000001")
    assert source.target.project == snapshot.project.id == "acme-analytics"
    assert snapshot.billing.enabled


def test_a_number_that_nobody_may_resolve_stays_a_number(ready, read):
    source, snapshot = read(ready, frozenset({Project, Billing}), project="111111111111")
    assert source.target.project == "111111111111"
    assert snapshot.project.reason.kind == "denied"
    assert snapshot.billing.reason.kind == "denied"


def test_an_id_with_a_domain(deep, serve, read):
    legacy = with_project(deep, id="acme.example:deep")
    for transport in ("grpc", "rest"):
        _, snapshot = read(serve(legacy), project="acme.example:deep", transport=transport)
        assert snapshot.project.id == "acme.example:deep"
        assert snapshot.allow_policies.policies["projects/acme.example:deep"].bindings
        assert snapshot.datasets.get("heap_production").location == "EU"
        assert snapshot.services.services["bigquery.googleapis.com"].state is ServiceState.ENABLED


def test_many_datasets_come_in_pages(deep, serve, read):
    one = deep.projects[0].datasets[0]
    many = tuple(msgspec.structs.replace(one, id=f"d{number}") for number in range(2500))
    cloud = serve(with_project(deep, datasets=many))
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep", dataset=None)
    assert len(snapshot.datasets.datasets) == 2500
    assert snapshot.datasets.completeness == COMPLETE
    assert [exchange.method for exchange in cloud.exchanges].count("bigquery.datasets.list") == 3


def test_a_policy_with_many_members_and_odd_roles(deep, serve, read):
    binding = type(deep.projects[0].bindings[0])
    odd = tuple(binding(role=f"roles/nothing.{n}", members=(f"user:u{n}@x.example",)) for n in range(1500))
    strange = (
        binding(role="", members=(f"serviceAccount:{VENDOR}",)),
        binding(role="projects/../x/roles/y", members=(f"serviceAccount:{VENDOR}",)),
        binding(role="roles/no.such_role", members=(f"serviceAccount:{VENDOR}", "", "ßé…")),
        binding(role="roles/viewer", members=()),
    )
    cloud = serve(with_project(deep, bindings=(*deep.projects[0].bindings, *odd, *strange)))
    _, snapshot = read(cloud, project="acme-deep")
    assert len(snapshot.allow_policies.policies["projects/acme-deep"].bindings) == 1509
    assert {name: one.reason.kind for name, one in snapshot.roles.roles.items() if hasattr(one, "reason")} == {
        "": "not_found",
        "projects/../x/roles/y": "not_found",
        "roles/no.such_role": "not_found",
    }


def test_a_dataset_that_cannot_be_called_so_is_not_asked_for(ready, read):
    for name in ("a/../b", "heap-production", "x" * 1025, "übung"):
        read(ready, frozenset({Datasets}), dataset=name)
    assert "bigquery.datasets.get" not in {exchange.method for exchange in ready.exchanges}


def test_every_recorded_world_can_be_read(read, serve, request):
    recordings = request.config.rootpath.parent / "shared" / "data" / "api"
    if not recordings.is_dir():
        pytest.skip("the recordings are not here")
    for folder in sorted(recordings.glob("*/project.json"))[:6]:
        world = World.load(folder.parent)
        cloud = serve(world)
        _, snapshot = read(cloud, caller=world.callers[0].email, project=world.projects[0].id)
        assert not [gap for gap in snapshot.gaps() if gap.reason.kind in {"internal", "malformed"}], folder

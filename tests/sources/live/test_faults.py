"""Faults on the wire: what is known, what is not, why, and how long it takes to say so."""

import time
from types import SimpleNamespace

import pytest

from preflight.emulator import Fault
from preflight.facts.caller import CallerPermissions
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.organization import OrgPolicies
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Billing, Project, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import ApiDisabled, Denied, NotFound, Provenance, QuotaExceeded, Unknown
from preflight.sources.live.datasets import DatasetReader
from tests.sources.live.conftest import ALL, with_binding

KINDS = {
    "denied": "denied",
    "api_disabled": "api_disabled",
    "user_project_denied": "denied",
    "vpc_service_controls": "vpc_service_controls",
    "quota": "quota",
    "error_500": "unavailable",
    "unavailable_503": "unavailable",
    "unauthenticated_401": "unauthenticated",
    "hang": "timeout",
    "drip": "timeout",
    "reset": "unavailable",
    "truncated": "malformed",
    "wrong_content_type": "malformed",
    "not_json": "malformed",
}
"""Each kind of fault, and the reason that comes of it."""

SINGLE = {
    "cloudresourcemanager.projects.get": Project,
    "cloudbilling.projects.getBillingInfo": Billing,
    "bigquery.datasets.list": Datasets,
}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("method", list(SINGLE))
@pytest.mark.parametrize("kind", list(KINDS))
def test_each_fault_has_its_reason(ready, read, kind, method, transport):
    ready.inject(Fault(method=method, kind=kind))
    fact = SINGLE[method]
    started = time.monotonic()
    _, snapshot = read(ready, frozenset({fact}), dataset=None, transport=transport, timeout=1.0)
    assert time.monotonic() - started < 2
    unknown = snapshot.fact(fact)
    assert isinstance(unknown, Unknown)
    assert unknown.reason.kind == KINDS[kind], unknown.reason
    assert unknown.provenance.source == method


@pytest.mark.parametrize("kind", ["error_500", "unavailable_503", "quota", "reset", "truncated", "hang"])
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_fault_that_clears_is_not_noticed(ready, read, kind, transport):
    ready.inject(Fault(method="cloudresourcemanager.projects.get", kind=kind, times=1))
    source, snapshot = read(ready, transport=transport, timeout=3.0)
    assert snapshot.gaps() == ()
    assert max(call.attempts for call in source.trace) == 2


def test_one_trouble_does_not_touch_the_other_facts(ready, read):
    ready.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="denied"))
    _, snapshot = read(ready)
    assert {gap.fact for gap in snapshot.gaps()} == {"billing"}
    assert snapshot.billing.reason == Denied("resourcemanager.projects.get", "projects/acme-analytics")


def test_the_quota_project_is_told_from_the_one_asked_about(ready, read):
    """Google names it by number, before or after the number of the project asked about is known."""
    for method in ("cloudresourcemanager.projects.getIamPolicy", "serviceusage.services.get"):
        ready.inject(Fault(method=method, kind="api_disabled", consumer="projects/421700000001"))
    ready.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="api_disabled", consumer="projects/777"))
    _, snapshot = read(ready)
    policy = snapshot.allow_policies.policies["projects/acme-analytics"]
    assert policy.reason == ApiDisabled("cloudresourcemanager.googleapis.com", "projects/421700000001")
    service = snapshot.services.services["bigquery.googleapis.com"]
    assert service.reason == ApiDisabled("serviceusage.googleapis.com", "projects/421700000001")
    assert snapshot.billing.reason == ApiDisabled("cloudbilling.googleapis.com", "projects/777", quota_project=True)


def test_the_quota_project_pays(ready, read):
    ready.inject(Fault(method="bigquery.datasets.list", kind="user_project_denied", consumer="projects/payer"))
    _, snapshot = read(ready, frozenset({Datasets}), quota_project="payer")
    assert snapshot.datasets.reason == Denied("serviceusage.services.use", "projects/payer", quota_project=True)


# What a blind caller may still know, and what a fault in one place hides in another.


def test_a_project_that_cannot_be_read_hides_its_ancestors_but_not_its_policy(ready, read):
    ready.inject(Fault(method="cloudresourcemanager.projects.get", kind="denied"))
    _, snapshot = read(ready)
    refused = Denied("resourcemanager.projects.get", "projects/acme-analytics")
    assert snapshot.project.reason == refused
    assert snapshot.ancestry.reason == refused
    assert list(snapshot.allow_policies.policies) == ["projects/acme-analytics"]
    assert snapshot.allow_policies.completeness.gap == refused


def test_a_folder_that_cannot_be_read_leaves_a_gap(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="cloudresourcemanager.folders.get", kind="denied"))
    _, snapshot = read(cloud, project="acme-deep")
    refused = Denied("resourcemanager.folders.get", "folders/3")
    assert snapshot.ancestry.resources == ("folders/3",)
    assert snapshot.ancestry.completeness.gap == refused
    assert snapshot.ancestry.completeness.provenance.source == "cloudresourcemanager.folders.get"
    assert list(snapshot.allow_policies.policies) == ["projects/acme-deep", "folders/3"]
    assert snapshot.allow_policies.completeness.gap == refused


def test_a_policy_that_cannot_be_read_stands_among_the_others(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="cloudresourcemanager.folders.getIamPolicy", kind="denied"))
    _, snapshot = read(cloud, project="acme-deep")
    policies = snapshot.allow_policies.policies
    assert [name for name, policy in policies.items() if isinstance(policy, Unknown)] == [
        "folders/3",
        "folders/2",
        "folders/1",
    ]
    assert policies["folders/2"].reason == Denied("resourcemanager.folders.getIamPolicy", "folders/2")
    assert snapshot.allow_policies.completeness.complete, "which ancestors there are is known"


def test_roles_when_no_policy_can_be_read(ready, read):
    for kind in ("projects", "folders", "organizations"):
        ready.inject(Fault(method=f"cloudresourcemanager.{kind}.getIamPolicy", kind="denied"))
    _, snapshot = read(ready, frozenset({AllowPolicies, Roles}))
    assert snapshot.roles.reason == Denied("resourcemanager.projects.getIamPolicy", "projects/acme-analytics")


def test_a_custom_role_that_cannot_be_read(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="iam.projects.roles.get", kind="denied"))
    _, snapshot = read(cloud, project="acme-deep")
    assert snapshot.roles.roles["projects/acme-deep/roles/gone"].reason == Denied("iam.roles.get", "projects/acme-deep")


def test_a_list_of_datasets_is_complete_only_for_who_may_see_all(deep, serve, read):
    cloud = serve(deep)
    _, snapshot = read(cloud, project="acme-deep", caller="ana@acme.example")
    assert isinstance(snapshot.datasets, Datasets)
    assert snapshot.datasets.completeness.gap == Denied("bigquery.datasets.get", "projects/acme-deep")
    assert isinstance(snapshot.datasets.get("heap_production"), Dataset)
    assert isinstance(snapshot.datasets.get("another"), Unknown)


def test_when_it_is_not_known_what_the_caller_may_see(ready, read):
    ready.inject(Fault(method="cloudresourcemanager.projects.testIamPermissions", kind="unavailable_503"))
    _, snapshot = read(ready, frozenset({Datasets}), timeout=1.0)
    assert snapshot.datasets.completeness.gap.kind == "unavailable"
    assert set(snapshot.datasets.datasets) >= {"marketing", "finance"}
    assert snapshot.datasets.get("heap_production").reason == NotFound(
        "projects/acme-analytics/datasets/heap_production"
    )


def test_the_destination_without_the_list(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="bigquery.datasets.list", kind="denied"))
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep")
    assert isinstance(snapshot.datasets.get("heap_production"), Dataset)
    assert snapshot.datasets.get("heap_production_migrated").reason.kind == "not_found"
    assert snapshot.datasets.completeness.gap == Denied("bigquery.datasets.get", "projects/acme-deep")


def test_neither_list_nor_destination(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="bigquery.datasets.list", kind="quota"))
    cloud.inject(Fault(method="bigquery.datasets.get", kind="denied"))
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep", timeout=1.0)
    assert snapshot.datasets.reason.kind == "quota"


def test_a_listed_destination_that_may_not_be_read_keeps_its_location(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="bigquery.datasets.get", kind="denied"))
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep")
    dataset = snapshot.datasets.get("heap_production")
    assert dataset.location == "EU"
    assert dataset.access.reason == Denied("bigquery.datasets.get", "projects/acme-deep/datasets/heap_production")
    # The caller holds the permission on the project, and it is not in the list.
    assert snapshot.datasets.get("heap_production_migrated") is None


def test_a_refused_destination_for_who_may_not_see_all(deep, serve, read):
    cloud = serve(deep)
    cloud.inject(Fault(method="bigquery.datasets.get", kind="denied"))
    _, snapshot = read(cloud, frozenset({Datasets}), project="acme-deep", caller="ana@acme.example", dataset="another")
    assert list(snapshot.datasets.datasets) == ["heap_production", "another", "another_migrated"]
    refused = Denied("bigquery.datasets.get", "projects/acme-deep/datasets/another")
    assert snapshot.datasets.get("another").reason == refused


def test_a_dataset_that_nobody_may_see(deep, serve, read):
    _, snapshot = read(serve(deep), frozenset({Datasets}), project="acme-deep", caller="shy@acme.example")
    assert snapshot.datasets.reason == Denied("bigquery.datasets.get", "projects/acme-deep")


def test_pages_without_end_leave_a_gap(ready, read):
    ready.inject(Fault(method="bigquery.datasets.list", kind="endless_pages"))
    _, snapshot = read(ready, frozenset({Datasets}), timeout=5.0)
    assert snapshot.datasets.completeness.gap.kind == "incomplete"
    assert isinstance(snapshot.datasets.get("heap_production"), Unknown)


class Synchronous:
    """Calls that run at once, on this thread, with a client whose second page never comes."""

    def start(self, call):
        try:
            outcome = call.read(call.fetch(self, 1.0), Provenance(call.method.id, call.resource))
        except KeyError:
            outcome = Unknown(QuotaExceeded(call.method.id), Provenance(call.method.id, call.resource))
        call.then(outcome)

    def list_datasets(self, page_token, **_):
        item = {"datasetReference": {"datasetId": "one", "projectId": "acme"}, "location": "EU"}
        first = {None: {"kind": "bigquery#datasetList", "datasets": [item], "nextPageToken": "2"}}
        return SimpleNamespace(pages=iter([SimpleNamespace(raw_page=first[page_token])]))


def test_pages_that_stop_coming_leave_a_gap():
    reader = DatasetReader(Synchronous(), (), lambda _: None)
    reader.start("acme")
    seen = Provenance("cloudresourcemanager.projects.testIamPermissions", "projects/acme")
    every = frozenset({"bigquery.datasets.get"})
    found = reader.datasets(CallerPermissions(provenance=seen, resource="projects/acme", asked=every, granted=every))
    assert list(found.datasets) == ["one"]
    assert found.completeness.gap.kind == "quota"
    assert isinstance(found.get("two"), Unknown)


def test_an_answer_of_50_megabytes(ready, read):
    ready.inject(Fault(method="cloudresourcemanager.projects.getIamPolicy", kind="huge", times=1))
    _, snapshot = read(ready, frozenset({AllowPolicies}), timeout=20.0)
    assert "projects/acme-analytics" in snapshot.allow_policies.policies


@pytest.mark.parametrize("kind", sorted({*KINDS, "not_found"} - {"hang", "drip"}))
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_everything_failing_is_no_health(ready, read, kind, transport):
    ready.inject(Fault(method="*", kind=kind))
    _, snapshot = read(ready, transport=transport, timeout=1.0)
    for fact in ALL - {Services, AllowPolicies, DenyPolicies, OrgPolicies, SecondOpinions}:
        assert isinstance(snapshot.fact(fact), Unknown), fact
    assert all(isinstance(one, Unknown) for one in snapshot.deny_policies.attached.values())
    assert not snapshot.deny_policies.completeness.complete
    assert all(isinstance(one, Unknown) for one in snapshot.org_policies.policies.values())
    assert all(isinstance(one, Unknown) for one in snapshot.second_opinions.answers.values())
    assert all(isinstance(one, Unknown) for one in snapshot.services.services.values())
    assert all(isinstance(one, Unknown) for one in snapshot.allow_policies.policies.values())
    assert not snapshot.allow_policies.completeness.complete


def test_a_lookalike_bound_to_many_roles_costs_no_calls(deep, serve, read):
    cloud = serve(with_binding(deep, "roles/editor", "user:someone@else.example"))
    _, snapshot = read(cloud, project="acme-deep")
    assert "roles/editor" not in snapshot.roles.roles

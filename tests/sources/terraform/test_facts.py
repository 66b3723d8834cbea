"""Facts about the project itself, its APIs, billing, datasets and organization policies, by each kind of change."""

import pytest

from preflight import Billing, Dataset, Project, Service, Unknown
from tests.sources.terraform.conftest import ACME, change
from tests.sources.terraform.test_grants import side

API = "bigquery.googleapis.com"
VENDOR = "serviceAccount:robot@vendor-project.iam.gserviceaccount.com"


def project(actions=("create",), address="google_project.it", **more):
    values = {"project_id": ACME, "name": "Acme", "org_id": "12", "folder_id": None, "billing_account": "0A-0B-0C"}
    return side(address, values | more.pop("values", {}), actions, **more)


def service(actions=("create",), name="s", **more):
    values = {"project": ACME, "service": API, "disable_on_destroy": True} | more.pop("values", {})
    return side(f"google_project_service.{name}", values, actions, **more)


def dataset(actions=("create",), name="d", **more):
    values = {"project": ACME, "dataset_id": "sales", "location": "EU"} | more.pop("values", {})
    return side(f"google_bigquery_dataset.{name}", values, actions, **more)


# The project


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        pytest.param([project()], "ACTIVE", id="made"),
        pytest.param([project(("no-op",))], "ACTIVE", id="there"),
        pytest.param([project(("update",))], "ACTIVE", id="changed"),
        pytest.param([project(("delete",))], "DELETE_REQUESTED", id="deleted"),
        pytest.param([project(("delete",), values={"deletion_policy": "DELETE"})], "DELETE_REQUESTED", id="on purpose"),
        pytest.param([project(("delete",), values={"deletion_policy": "ABANDON"})], "ACTIVE", id="abandoned"),
        pytest.param([project(("delete",), values={"skip_delete": True})], "ACTIVE", id="abandoned, of old"),
        pytest.param([project(("delete",), values={"deletion_policy": "PREVENT"})], None, id="refused"),
        pytest.param([project(("forget",))], "ACTIVE", id="forgotten"),
        pytest.param(
            [project(("delete", "create"), values={"project_id": "new-project"}, before={"project_id": ACME})],
            "DELETE_REQUESTED", id="replaced by another",
        ),
        pytest.param([project(unknown={"project_id": True})], None, id="an ID that isn't known"),
        pytest.param([project(values={"project_id": "another-project"})], None, id="another one"),
        pytest.param([], None, id="not declared"),
        pytest.param([change("data.google_project.it", {"project_id": ACME, "number": "42"}, "read")], "ACTIVE",
                     id="data"),
        pytest.param([change("data.google_project.it", {"project_id": ACME}, "read", unknown={"number": True})], None,
                     id="data that is not read yet"),
    ],
)  # fmt: skip
def test_the_projects_state(facts, changes, state):
    found = facts(*changes).project
    if state is None:
        assert isinstance(found, Unknown)
    else:
        assert isinstance(found, Project), found
        assert (found.id, found.state) == (ACME, state)


def test_a_new_project_has_no_number_yet(facts):
    found = facts(project(unknown={"number": True, "id": True})).project
    assert found.number == ""
    assert facts(project(("no-op",), values={"number": "421700000001"})).project.number == "421700000001"


def test_it_can_be_asked_for_by_number(facts):
    snapshot = facts(project(("no-op",), values={"number": "421700000001"}), service(), project="421700000001")
    assert snapshot.project.id == ACME
    assert snapshot.services.services[API].state == "ENABLED"
    unsure = facts(service(), project="421700000001").services.services[API]
    assert "can't be told" in unsure.reason.describe()


@pytest.mark.parametrize(
    ("values", "unknown", "parent", "chain", "complete"),
    [
        ({"org_id": "12"}, None, "organizations/12", ("organizations/12",), True),
        ({"org_id": None, "folder_id": "7"}, None, "folders/7", ("folders/7",), False),
        ({"org_id": None, "folder_id": "folders/7"}, None, "folders/7", ("folders/7",), False),
        ({"org_id": None}, None, None, (), True),
        ({"org_id": None}, {"folder_id": True}, Unknown, (), False),
    ],
)
def test_what_it_is_in(facts, values, unknown, parent, chain, complete):
    snapshot = facts(project(values=values, unknown=unknown))
    found = snapshot.project.parent
    assert isinstance(found, Unknown) if parent is Unknown else found == parent
    assert (snapshot.ancestry.resources, snapshot.ancestry.completeness.complete) == (chain, complete)


# Billing


def info(account="0A-0B-0C", **more):
    return side("google_billing_project_info.b", {"project": ACME, "billing_account": account}, ("create",), **more)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param([project()], "billingAccounts/0A-0B-0C is linked", id="an account"),
        pytest.param([project(unknown={"billing_account": True})], "known after apply", id="not known"),
        pytest.param([project(values={"billing_account": None}), info()], "billingAccounts/0A-0B-0C is linked",
                     id="apart"),
        pytest.param([project(), info("1A-1B-1C")], "different billing accounts", id="two"),
        pytest.param([info(unknown={"project": True})], "known after apply", id="of any project"),
        pytest.param([], "doesn't declare", id="nothing"),
    ],
)  # fmt: skip
def test_an_account_that_is_linked_may_be_closed(facts, changes, says):
    found = facts(*changes).billing
    assert isinstance(found, Unknown)
    assert says in found.reason.describe()


def test_none_is_linked(facts):
    found = facts(project(values={"billing_account": None})).billing
    assert isinstance(found, Billing)
    assert (found.enabled, found.account) == (False, None)


# APIs


def old_services(*names, actions=("create",), **more):
    values = {"project": ACME, "services": list(names), "disable_on_destroy": True} | more.pop("values", {})
    return side("google_project_services.all", values, actions, **more)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        pytest.param([service()], "ENABLED", id="turned on"),
        pytest.param([service(("no-op",))], "ENABLED", id="on"),
        pytest.param([service(("delete",))], "DISABLED", id="turned off"),
        pytest.param([service(("delete",), values={"disable_on_destroy": False})], "ENABLED", id="left on"),
        pytest.param([service(("delete",), values={"disable_on_destroy": None})], None,
                     id="it depends on the provider"),
        pytest.param([service(("forget",))], "ENABLED", id="forgotten"),
        pytest.param([service(), service(("delete",), name="old")], None, id="on and off: in which order?"),
        pytest.param([service(("delete", "create"), values={"service": "x.googleapis.com"},
                              before={"project": ACME, "service": API, "disable_on_destroy": True})],
                     "DISABLED", id="replaced by another"),
        pytest.param([service(values={"service": "x.googleapis.com"})], None, id="another API"),
        pytest.param([service(values={"project": "another-project"})], None, id="another project"),
        pytest.param([service(unknown={"project": True})], None, id="of any project"),
        pytest.param([service(unknown={"service": True})], None, id="which isn't known"),
        pytest.param([service(), service(name="t", unknown={"service": True})], "ENABLED",
                     id="beside one that isn't known"),
        pytest.param([service(("transmogrify",))], None, id="a change that isn't known"),
        pytest.param([old_services(API, "x.googleapis.com")], "ENABLED", id="the old list has it"),
        pytest.param([old_services("x.googleapis.com")], "DISABLED", id="and turns all others off"),
        pytest.param([old_services("x", None, unknown={"services": [False, True]})], None, id="one of it isn't known"),
        pytest.param([old_services(unknown={"services": True})], None, id="none of it is known"),
        pytest.param([old_services("x", unknown={"project": True})], None, id="a list of any project"),
        pytest.param([service(), old_services("x")], None, id="a list beside it"),
        pytest.param([old_services(API, actions=("delete",))], "DISABLED", id="a list goes"),
        pytest.param([old_services("x", actions=("delete",))], None, id="a list without it goes"),
    ],
)  # fmt: skip
def test_apis(facts, changes, state):
    found = facts(*changes).services.services[API]
    if state is None:
        assert isinstance(found, Unknown), found
    else:
        assert isinstance(found, Service), found
        assert found.state == state
        assert "google_project_service" in found.provenance.resource


# Datasets

ENTRY = {"role": "WRITER", "user_by_email": "robot@vendor-project.iam.gserviceaccount.com"}
OWNERS = {"role": "OWNER", "special_group": "projectOwners"}


def access_of(name="a", actions=("create",), **more):
    values = {"project": ACME, "dataset_id": "sales"} | ENTRY | more.pop("values", {})
    return side(f"google_bigquery_dataset_access.{name}", values, actions, **more)


def granting(manner, actions=("create",), **more):
    given = {
        "member": {"role": "roles/bigquery.dataEditor", "member": VENDOR},
        "binding": {"role": "roles/bigquery.dataEditor", "members": [VENDOR]},
        "policy": {
            "policy_data": '{"bindings":[{"role":"roles/bigquery.dataEditor","members":["%s"]}]}' % VENDOR  # noqa: UP031
        },
    }
    values = {"project": ACME, "dataset_id": "sales"} | given[manner] | more.pop("values", {})
    return side(f"google_bigquery_dataset_iam_{manner}.i", values, actions, **more)


NEW = {"access": True}
LISTED = {"access": [OWNERS]}


@pytest.mark.parametrize(
    ("changes", "granted", "complete"),
    [
        pytest.param([dataset(unknown=NEW)], None, None, id="a new one: BigQuery fills the list in"),
        pytest.param([dataset(values={"access": [OWNERS, ENTRY]})], True, True, id="in its own list"),
        pytest.param([dataset(values=LISTED)], False, True, id="not in its own list"),
        pytest.param([dataset(unknown=NEW), access_of()], True, False, id="an entry of its own"),
        pytest.param([dataset(values=LISTED), access_of()], False, False, id="which the list takes away again"),
        pytest.param([dataset(("no-op",), values=LISTED), access_of()], True, True,
                     id="beside a list that stays as it is"),
        pytest.param([dataset(("update",), values=LISTED, before=LISTED), access_of()], True, True,
                     id="beside a list that is not what changes"),
        pytest.param([dataset(("update",), values=LISTED, before={"access": []}), access_of()], False, False,
                     id="beside a list that is what changes"),
        pytest.param([dataset(("no-op",), values={"access": [OWNERS, ENTRY]}), access_of(actions=("delete",))],
                     False, True, id="an entry that goes"),
        pytest.param([dataset(unknown=NEW), granting("member")], True, False, id="a member"),
        pytest.param([dataset(unknown=NEW), granting("binding")], True, False, id="a binding"),
        pytest.param([dataset(unknown=NEW), granting("policy")], True, True, id="a policy"),
        pytest.param([dataset(("no-op",), values=LISTED), granting("policy", values={"policy_data": "{}"})],
                     False, True,
                     id="a policy takes away what is there"),
        pytest.param([dataset(("no-op",), values={"access": [OWNERS, ENTRY]}),
                      granting("binding", values={"members": []})], False, True, id="a binding takes its role away"),
        pytest.param([dataset(values=LISTED), granting("binding")], False, False, id="a binding beside a list"),
        pytest.param([dataset(unknown=NEW), granting("member", unknown={"member": True})], None, None, id="to whom?"),
        pytest.param([dataset(("no-op",), values=LISTED), granting("member", unknown={"dataset_id": True})],
                     False, False,
                     id="on which?"),
        pytest.param([dataset(("no-op",), values=LISTED), granting("member", values={"dataset_id": "other"})],
                     False, True,
                     id="on another"),
        pytest.param([dataset(unknown=NEW), granting("member", values={
            "project": None, "dataset_id": f"projects/{ACME}/datasets/sales"})], True, False, id="by its full name"),
        pytest.param([dataset(("no-op",), values=LISTED), granting("policy", unknown={"policy_data": True})],
                     False, False,
                     id="a policy that isn't known"),
        pytest.param([dataset(values={"access": [OWNERS, {}]}, unknown={"access": [{}, {"user_by_email": True}]})],
                     False, False, id="an entry that isn't known"),
    ],
)  # fmt: skip
def test_access_lists(facts, changes, granted, complete):
    found = facts(*changes).datasets.datasets["sales"]
    assert isinstance(found, Dataset)
    if granted is None:
        assert isinstance(found.access, Unknown), found.access
        return
    if isinstance(found.access, Unknown):
        assert (granted, complete) == (False, False)
        return
    given = {(entry.role_name, entry.member) for entry in found.access}
    assert (("roles/bigquery.dataEditor", VENDOR) in given) is granted
    assert found.access_completeness.complete is complete


def test_an_entrys_evidence_names_what_gives_it(facts):
    found = facts(dataset(unknown=NEW), access_of()).datasets.datasets["sales"]
    seen = found.shows(found.access[0], "it is there")
    assert seen.resource.endswith("google_bigquery_dataset_access.a")


def test_authorised_views_are_no_grants(facts):
    view = {"view": [{"project_id": ACME, "dataset_id": "other", "table_id": "v"}], "role": None}
    found = facts(dataset(values={"access": [view]})).datasets.datasets["sales"]
    assert [(entry.authorized, entry.member) for entry in found.access] == [(f"view {ACME}.other.v", "")]


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        pytest.param([dataset()], "EU", id="given"),
        pytest.param([dataset(values={"location": None})], "US", id="the provider's default"),
        pytest.param([dataset(unknown={"location": True})], None, id="not known"),
        pytest.param([dataset(("transmogrify",))], None, id="a change that isn't known"),
        pytest.param([dataset(unknown={"project": True})], None, id="of any project"),
        pytest.param([dataset(values={"project": "another-project"})], None, id="of another project"),
        pytest.param([dataset(values={"dataset_id": "other"})], None, id="another one"),
        pytest.param([dataset(unknown={"dataset_id": True})], None, id="of any name"),
        pytest.param([dataset(("delete",))], "gone", id="deleted"),
        pytest.param([dataset(("forget",))], "EU", id="forgotten"),
        pytest.param([dataset(("delete", "create"), before={"project": ACME, "dataset_id": "sales", "location": "US"})],
                     "EU", id="made anew elsewhere"),
        pytest.param([dataset(("delete", "create"), values={"dataset_id": "new"},
                              before={"project": ACME, "dataset_id": "sales", "location": "US"})],
                     "gone", id="made anew under another name"),
    ],
)  # fmt: skip
def test_where_datasets_are(facts, changes, location):
    datasets = facts(*changes).datasets
    found = datasets if isinstance(datasets, Unknown) else datasets.get("sales")
    if location is None:
        assert isinstance(found, Unknown), found
    elif location == "gone":
        assert found is None
        assert datasets.seen_absent("sales").detail == "sales is deleted"
    else:
        assert found.location == location


def test_defaults_of_datasets(facts):
    given = {
        "default_table_expiration_ms": 3600000,
        "default_partition_expiration_ms": None,
        "default_encryption_configuration": [{"kms_key_name": "projects/k/key"}],
    }
    settings = facts(dataset(values=given)).datasets.datasets["sales"].settings
    assert (settings.table_expiration_ms, settings.partition_expiration_ms) == (3600000, None)
    assert settings.kms_key == "projects/k/key"
    unknown = {"default_encryption_configuration": [{"kms_key_name": True}]}
    assert isinstance(facts(dataset(values=given, unknown=unknown)).datasets.datasets["sales"].settings, Unknown)


# Organization policies

LOCATIONS = "gcp.resourceLocations"


def old(level="project", where=ACME, actions=("create",), name="o", **listed):
    prefix, key = {"project": ("project_", "project"), "folder": ("folder_", "folder"), "organization": ("", "org_id")}[
        level
    ]
    values = {key: where, "constraint": f"constraints/{LOCATIONS}", "list_policy": [listed] if listed else []}
    return side(f"google_{prefix}organization_policy.{name}", values, actions)


def new(where=f"projects/{ACME}", actions=("create",), unknown=None, name="n", **spec):
    values = {"parent": where, "name": f"{where}/policies/{LOCATIONS}", "spec": [spec] if spec else []}
    return side(f"google_org_policy_policy.{name}", values, actions, unknown=unknown)


EU = {"values": [{"allowed_values": ["in:eu-locations"]}]}
IN_ORG = project(("no-op",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param([old(allow=[{"values": ["in:eu-locations"]}])], "allowed: in:eu-locations", id="allowed"),
        pytest.param([old(deny=[{"all": True}])], "all values are denied", id="denied"),
        pytest.param([old()], "", id="Google's default"),
        pytest.param([old(allow=[{"all": True}], inherit_from_parent=True)], None, id="inherits what isn't declared"),
        pytest.param([IN_ORG, old(allow=[{"values": ["a"]}], inherit_from_parent=True),
                      old("organization", "12", allow=[{"values": ["b"]}])], "allowed: a, b", id="inherits"),
        pytest.param([IN_ORG, old("organization", "12", allow=[{"values": ["b"]}])], None, id="its own isn't declared"),
        pytest.param([new(rules=[EU])], "allowed: in:eu-locations", id="the new API"),
        pytest.param([new(rules=[{"enforce": "TRUE"}])], "enforced", id="a managed one"),
        pytest.param([new(rules=[{"enforce": "TRUE", "parameters": '{"allowed": ["x"]}'}])], "enforced, allowed: x",
                     id="with parameters"),
        pytest.param([new(reset=True)], "", id="reset"),
        pytest.param([new()], None, id="only tried out"),
        pytest.param([new(rules=[EU], unknown={"spec": [{"rules": [{"values": True}]}]})], None, id="not known"),
        pytest.param([new(rules=[EU], unknown={"parent": True})], None, id="on what isn't known"),
        pytest.param([new(rules=[EU], unknown={"name": True})], None, id="which isn't known"),
        pytest.param([new(rules=[EU], actions=("delete",))], None, id="deleted"),
        pytest.param([new(rules=[EU]), new(rules=[{"allow_all": "TRUE"}], name="m")], None, id="set twice"),
        pytest.param([new("projects/another-project", rules=[EU])], None, id="another project's"),
        pytest.param([new(rules=[EU | {"condition": [{"expression": "resource.matchTag('a', 'b')"}]}])],
                     "allowed: in:eu-locations, only if resource.matchTag('a', 'b')", id="on a condition"),
    ],
)  # fmt: skip
def test_organization_policies(facts, changes, said):
    found = facts(*changes).org_policies.of(LOCATIONS)
    if said is None:
        assert isinstance(found, Unknown), found
    else:
        assert "; ".join(rule.said for rule in found.rules) == said

"""What exports hold in projects and organizations: datasets, roles, deny policies, organization policies."""

from pathlib import Path
from typing import Any

import pytest

from preflight import Unknown
from preflight.facts.deny import AttachedDenyPolicies
from preflight.facts.hidden_conditions import HIDDEN
from tests.sources.assets.conftest import CHAIN, FOLDER, ORGANIZATION, OWN, PROJECT, Told, line_of, without
from tests.sources.assets.exporting import RM, Line, asset, resource

DATASET = "bigquery.googleapis.com/projects/acme-analytics/datasets/{}"


def dataset(name: str, **data: Any) -> Line:
    told = {"datasetReference": {"datasetId": name}, "location": "EU", **data}
    return resource("bigquery.googleapis.com/Dataset", DATASET.format(name), CHAIN, told)


def test_access_lists(ready: list[Line], tell: Told):
    entries = [
        {"role": "OWNER", "specialGroup": "projectOwners"},
        {"role": "WRITER", "userByEmail": "heap-sql@heap-204122.iam.gserviceaccount.com"},
        {"role": "READER", "groupByEmail": "g@x.example"},
        {"role": "READER", "domain": "x.example"},
        {"role": "roles/bigquery.dataViewer", "iamMember": "allUsers", "condition": {"expression": "true"}},
        {"role": "READER_with_conditionalbinding_1a2b", "userByEmail": "c@x.example"},
        {"view": {"projectId": "p", "datasetId": "d", "tableId": "t"}},
        {"dataset": {"dataset": {"projectId": "p", "datasetId": "d"}, "targetTypes": ["VIEWS"]}},
        {"role": "READER", "someday": "a kind of tomorrow"},
    ]
    lines = [*ready, dataset("wide", access=entries, defaultTableExpirationMs="86400000")]
    made = tell(lines).datasets.datasets["wide"]
    assert [entry.member for entry in made.access[:6]] == [
        "projectOwners",
        "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com",
        "group:g@x.example",
        "domain:x.example",
        "allUsers",
        "user:c@x.example",
    ]
    assert [entry.authorized for entry in made.access[6:8]] == ["view p.d.t", "dataset p.d"]
    assert made.access[8].member.startswith("unknown:")
    assert made.access[4].condition.expression == "true"
    assert (made.access[5].role, made.access[5].condition.expression) == ("READER", HIDDEN)
    assert made.settings.table_expiration_ms == 86_400_000


def test_a_datasets_policy_counts_before_its_access_list(ready: list[Line], tell: Told, tmp_path: Path):
    never = {"role": "roles/bigquery.dataOwner", "members": ["user:a@x.example"], "condition": {"expression": "false"}}
    policy = asset(
        "bigquery.googleapis.com/Dataset", DATASET.format("marketing"), CHAIN, iam_policy={"bindings": [never]}
    )
    shop = tell(ready, [policy]).datasets.datasets["marketing"]
    (entry,) = shop.access
    assert (entry.member, entry.condition.expression) == ("user:a@x.example", "false")
    places = f"{tmp_path}/export.json:{line_of(ready, 'Dataset')} and {tmp_path}/export1.json:1"
    assert shop.provenance.resource == places


def test_a_dataset_of_which_only_the_policy_was_exported_is_unknown(ready: list[Line], tell: Told):
    only = asset("bigquery.googleapis.com/Dataset", DATASET.format("hidden"), CHAIN, iam_policy={"bindings": []})
    datasets = tell([*ready, only]).datasets
    assert isinstance(datasets.get("hidden"), Unknown)
    assert datasets.get("nowhere") is None


def test_that_a_dataset_is_absent_is_known_only_from_an_export_that_covers_the_project(ready: list[Line], tell: Told):
    none, kind = without(ready, "Dataset"), "bigquery.googleapis.com/Dataset"
    name = "bigquery.googleapis.com/projects/other/datasets/d"
    other = resource(kind, name, ["projects/7", ORGANIZATION], {"location": "EU"})
    assert tell([*none, other]).datasets.get("heap_production") is None
    # In a file of its own it may be from an export of that other project alone.
    assert isinstance(tell(none, [other]).datasets, Unknown)
    elsewhere = {**other, "ancestors": ["projects/7", "organizations/1"]}
    assert isinstance(tell([*none, elsewhere]).datasets, Unknown)


@pytest.mark.parametrize("data", [{"location": ""}, {"access": 7}, {"defaultTableExpirationMs": "soon"}])
def test_a_dataset_that_is_not_as_documented_is_unknown(data: dict[str, Any], ready: list[Line], tell: Told):
    lines = [*ready, dataset("odd", **data)]
    assert f"line {len(lines)} of" in tell(lines).datasets.datasets["odd"].reason.describe()


def test_an_access_list_that_is_not_told_is_unknown(ready: list[Line], tell: Told):
    assert isinstance(tell([*ready, dataset("bare")]).datasets.datasets["bare"].access, Unknown)


def test_custom_roles(ready: list[Line], tell: Told):
    def role(name: str, **data: Any) -> Line:
        return resource("iam.googleapis.com/Role", f"iam.googleapis.com/{name}", CHAIN[2:], {"name": name, **data})

    mine, above, odd = f"{OWN}/roles/mine", f"{ORGANIZATION}/roles/above", f"{ORGANIZATION}/roles/odd"
    off, foreign = f"{ORGANIZATION}/roles/off", "organizations/1/roles/foreign"
    lines = [
        role(mine, includedPermissions=["bigquery.jobs.create"], stage="GA"),
        role(above, includedPermissions=["bigquery.jobs.create"], deleted=True),
        role(off, stage="DISABLED"),
        role(foreign),
        role(odd, includedPermissions="all"),
    ]
    roles = tell([*ready, *lines]).roles.roles
    assert roles[mine].granted == {"bigquery.jobs.create"}
    assert (roles[above].gone, roles[off].gone) == (True, True)
    assert isinstance(roles[odd], Unknown)
    assert foreign not in roles


def deny(attached: str) -> Line:
    rules = [{"denyRule": {"deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": ["x/y.z"]}}]
    name = f"iam.googleapis.com/policies/{RM}%2F{attached.replace('/', '%2F')}/denypolicies/d"
    return resource("iam.googleapis.com/PolicyV2", name, CHAIN[2:], {"kind": "DenyPolicy", "rules": rules})


def test_deny_policies_and_where_there_are_surely_none(ready: list[Line], tell: Told):
    attached = tell([*ready, deny(ORGANIZATION)]).deny_policies.attached
    assert attached[ORGANIZATION].policies["d"].rules[0].denied_permissions == ("x/y.z",)
    assert isinstance(attached[OWN], AttachedDenyPolicies)
    assert attached[FOLDER].policies == {}
    attached = tell([*ready, deny(OWN)]).deny_policies.attached
    assert list(attached[OWN].policies) == ["d"]
    assert isinstance(attached[ORGANIZATION], Unknown)


LOCATIONS = "gcp.resourceLocations"


def v1(kind: str, name: str, *policies: Line) -> Line:
    return asset(f"{RM}/{kind}", f"{RM}/{name}", CHAIN[CHAIN.index(name) :], org_policy=[*policies])


def allows(*values: str, inherit: bool = False) -> Line:
    listed = {"allowed_values": [*values], "inherit_from_parent": inherit}
    return {"constraint": f"constraints/{LOCATIONS}", "list_policy": listed}


def v2(name: str, *rules: Line, **spec: Any) -> Line:
    full = f"orgpolicy.googleapis.com/{name}/policies/{LOCATIONS}"
    data = {"spec": {"rules": [*rules], **spec}}
    return resource("orgpolicy.googleapis.com/Policy", full, CHAIN[CHAIN.index(name) :], data)


A, B = {"values": {"allowedValues": ["a"]}}, {"values": {"allowedValues": ["b"]}}


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        pytest.param([v1("Organization", ORGANIZATION, allows("a"))], ["a"], id="inherited"),
        pytest.param(
            [v1("Organization", ORGANIZATION, allows("a")), v1("Project", PROJECT, allows("b"))], ["b"], id="replaced"
        ),
        pytest.param(
            [v1("Organization", ORGANIZATION, allows("a")), v1("Project", PROJECT, allows("b", inherit=True))],
            ["b", "a"],
            id="added to",
        ),
        pytest.param([v1("Organization", ORGANIZATION, allows("a")), v2(FOLDER, reset=True)], [], id="reset"),
        pytest.param([v2(ORGANIZATION, A), v2(PROJECT, B, inheritFromParent=True)], ["b", "a"], id="the new form"),
        pytest.param([v1("Organization", ORGANIZATION)], [], id="known not to be set"),
    ],
)
def test_organization_policies_of_several_levels(lines: list[Line], allowed: list[str], ready: list[Line], tell: Told):
    policy = tell([*ready, *lines]).org_policies.policies[LOCATIONS]
    assert [value for rule in policy.rules for value in rule.allowed] == allowed


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([v1("Folder", FOLDER)], id="none of the organization"),
        pytest.param([v1("Organization", ORGANIZATION, {"constraint": 7})], id="not in the documented form"),
        pytest.param(
            [v2(ORGANIZATION, {"allowAll": True}), v2(PROJECT, B, inheritFromParent=True)], id="all beside some"
        ),
    ],
)
def test_organization_policies_that_can_not_be_told(lines: list[Line], ready: list[Line], tell: Told):
    assert isinstance(tell([*ready, *lines]).org_policies.policies[LOCATIONS], Unknown)

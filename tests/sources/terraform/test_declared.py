"""Resources as HCL declares them: evidence by file and line, what may exist, what was not read, blocks in any form."""

import pytest

from preflight import Answer, Unknown
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.snapshot import FIELD_OF
from preflight.sources.terraform.resources import Declared, Omission, Place, Resource, Unsettled
from preflight.sources.terraform.semantics import policy_document, projects_in, snapshot_of
from preflight.testing import MOMENT

ACME, JANE, USER, JOBS = "acme-analytics", "user:jane@acme.example", "roles/bigquery.user", "bigquery.jobs.create"
API = "bigquery.googleapis.com"
ROOT = Place("infra")
WHETHER = Unsettled("var.grants has no value", "--var grants=…, or a plan", Place("infra/variables.tf", 4, 3))
GRANT = {"project": ACME, "role": USER, "member": JANE}


def resource(kind, values, line=7, **more):
    return Resource(address=f"{kind}.x", type=kind, values=values, place=Place("infra/main.tf", line, 1), **more)


ALONE = resource("google_project", {"project_id": ACME, "name": "Acme", "billing_account": None})


def facts(*resources, omissions=(), project=ACME):
    declared = Declared(root=ROOT, resources=resources, omissions=tuple(omissions))
    return snapshot_of(declared, project, (API,), frozenset(FIELD_OF), "terraform")[0]


def access(*resources, **more):
    found = facts(*resources, **more)
    return ProjectAccess(
        AccessFacts(
            project=ACME, allow=found.allow_policies, roles=found.roles, deny=found.deny_policies, moment=MOMENT
        )
    )


def test_evidence_names_file_and_line():
    (seen, *_) = access(resource("google_project_iam_member", GRANT)).decide(JANE, JOBS).evidence
    assert (seen.source, seen.resource) == ("terraform", "infra/main.tf:7:1")
    places = {"location": Place("infra/main.tf", 9, 14)}
    values = {"project": ACME, "dataset_id": "sales", "location": "EU"}
    dataset = facts(resource("google_bigquery_dataset", values, places=places)).datasets.datasets["sales"]
    assert dataset.provenance.resource == "infra/main.tf:9:14"


def test_the_location_that_is_not_written_is_the_providers_default():
    dataset = facts(resource("google_bigquery_dataset", {"project": ACME, "dataset_id": "sales"})).datasets
    assert dataset.datasets["sales"].location == "US"
    assert isinstance(dataset.get("other"), Unknown)


def whole(*members):
    data = '{"bindings":[{"role":"%s","members":[%s]}]}' % (USER, ",".join(f'"{m}"' for m in members))  # noqa: UP031
    return {"project": ACME, "policy_data": data}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param([resource("google_project_iam_member", GRANT)], "granted", id="a member"),
        pytest.param([resource("google_project_iam_policy", whole())], "not granted", id="a policy without her"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", GRANT, maybe=WHETHER)], "unknown",
                     id="a member that may be turns no into unknown"),
        pytest.param([resource("google_project_iam_member", GRANT),
                      resource("google_project_iam_policy", whole(), maybe=WHETHER)], "unknown",
                     id="a policy that may be turns yes into unknown"),
        pytest.param([resource("google_project_iam_member", GRANT),
                      resource("google_project_iam_binding", {"project": ACME, "role": USER, "members": []},
                               maybe=WHETHER)], "unknown", id="so does a binding"),
        pytest.param([resource("google_project_iam_member", GRANT),
                      resource("google_project_iam_policy", whole(JANE), maybe=WHETHER)], "granted",
                     id="but not one that gives it too"),
        pytest.param([resource("google_project_iam_member", GRANT),
                      resource("google_project_iam_member", GRANT | {"role": "roles/viewer"}, maybe=WHETHER)],
                     "granted", id="nor one that adds"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", GRANT | {"project": WHETHER})], "unknown",
                     id="of a project that isn't settled"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", {"role": USER, "member": JANE})], "unknown",
                     id="of no project, and no provider's"),
        pytest.param([resource("google_project_iam_member", {"role": USER, "member": JANE}, providers_project=ACME)],
                     "granted", id="of the provider's project"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", {"role": USER, "member": JANE}, providers_project=WHETHER)],
                     "unknown", id="of a provider's project that isn't settled"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", {"role": USER, "member": JANE}, providers_project="other")],
                     "not granted", id="of another provider's project"),
        pytest.param([resource("google_project_iam_member",
                               GRANT | {"condition": {"title": "t", "expression": "false"}}),
                      resource("google_project_iam_policy", whole(), maybe=WHETHER)], "unknown", id="one block"),
        pytest.param([resource("google_project_iam_policy", whole()),
                      resource("google_project_iam_member", GRANT, data=True)], "not granted", id="a data source"),
    ],
)  # fmt: skip
def test_what_may_exist(resources, expected):
    assert access(ALONE, *resources).decide(JANE, JOBS).answer == expected


def test_what_is_missing_is_said_with_what_would_settle_it():
    decision = access(
        ALONE,
        resource("google_project_iam_policy", whole()),
        resource("google_project_iam_member", GRANT, maybe=WHETHER),
    ).decide(JANE, JOBS)
    (fact,) = decision.missing
    assert fact.unknown.reason.describe() == "var.grants has no value"
    assert fact.unknown.reason.settle() == "--var grants=…, or a plan."
    assert fact.unknown.provenance.resource == "infra/variables.tf:4:3"


# What was not read


def omission(*types):
    return Omission(
        why="module.team is not downloaded",
        settled_by="terraform init",
        place=Place("infra/main.tf", 30),
        types=frozenset(types) if types else None,
    )


@pytest.mark.parametrize(
    ("types", "granted", "not_granted"),
    [
        pytest.param((), "unknown", "unknown", id="anything"),
        pytest.param(("google_project_iam_member",), "granted", "unknown", id="grants, which take nothing away"),
        pytest.param(("google_project_iam_policy",), "unknown", "unknown", id="whole policies"),
        pytest.param(("google_storage_bucket",), "granted", "not granted", id="what doesn't matter"),
        pytest.param(("google_folder_iam_member",), "granted", "not granted", id="what is elsewhere"),
    ],
)
def test_what_was_not_read_may_add_and_take_away(types, granted, not_granted):
    resources = [ALONE, resource("google_project_iam_policy", whole(JANE))]
    found = access(*resources, omissions=[omission(*types)])
    assert found.decide(JANE, JOBS).answer == granted
    assert found.decide("user:bob@acme.example", JOBS).answer == not_granted


@pytest.mark.parametrize("fact", ["project", "billing", "allow_policies", "deny_policies", "datasets"])
def test_what_was_not_read_is_why_something_is_unknown(fact):
    found = getattr(facts(omissions=[omission()]), fact)
    found = found.policies[f"projects/{ACME}"] if fact == "allow_policies" else found
    assert isinstance(found, Unknown)
    assert found.reason.describe() == "module.team is not downloaded"
    assert found.reason.settle() == "terraform init."
    assert found.provenance.resource == "infra/main.tf:30"


def test_an_api_that_may_be_in_what_was_not_read():
    services = facts(omissions=[omission("google_project_service")]).services.services
    assert services[API].reason.describe() == "module.team is not downloaded"
    other = facts(omissions=[omission("google_folder")]).services.services
    assert "doesn't declare" in other[API].reason.describe()


def test_the_projects_that_are_declared():
    declared = Declared(
        root=ROOT,
        resources=(
            resource("google_project_iam_member", GRANT),
            resource("google_project", {"project_id": "another-project"}),
            resource("google_project_service", {"service": API}, providers_project="third-project"),
            resource("google_project_service", {"service": API, "project": WHETHER}),
        ),
    )
    assert set(projects_in(declared)) == {ACME, "another-project", "third-project"}


@pytest.mark.parametrize("value", [5, 5.5, True, [], {}, [[]], [5], {"a": 1}, "", "x" * 100_000, None, WHETHER])
@pytest.mark.parametrize(
    "kind",
    [
        "google_project_iam_member", "google_project_iam_binding", "google_project_iam_policy", "google_project",
        "google_project_service", "google_project_services", "google_bigquery_dataset",
        "google_bigquery_dataset_access",
        "google_bigquery_dataset_iam_policy", "google_bigquery_dataset_iam_binding", "google_iam_deny_policy",
        "google_org_policy_policy", "google_project_organization_policy", "google_project_iam_custom_role",
        "google_folder", "google_billing_project_info",
    ],
)  # fmt: skip
def test_values_of_any_shape_break_nothing_and_grant_nothing(kind, value):
    """Each argument in turn is not what it should be."""
    sane = GRANT | {
        "members": ["user:x@acme.example"], "member": "user:x@acme.example", "policy_data": "{}", "project_id": ACME,
        "service": API, "services": [API], "dataset_id": "sales", "location": "EU", "access": [], "condition": [],
        "default_table_expiration_ms": 5, "default_encryption_configuration": [], "parent": f"projects/{ACME}",
        "name": f"projects/{ACME}/policies/gcp.resourceLocations", "rules": [], "spec": [{"rules": [{}]}],
        "constraint": "gcp.resourceLocations", "list_policy": [], "boolean_policy": [], "permissions": [JOBS],
        "role_id": "x", "stage": "GA", "billing_account": "0A", "folder_id": None, "org_id": "12",
        "role": USER, "deletion_policy": "DELETE", "user_by_email": "x@acme.example",
    }  # fmt: skip
    for key in sane:
        found = access(resource(kind, sane | {key: value}))
        assert found.decide(JANE, JOBS).answer is Answer.UNKNOWN, (key, value)
    for key in ("deny_rule", "denial_condition", "values"):
        nested = {"rules": [{key: value}], "spec": [{"rules": [{key: value}]}], "access": [{key: value}, value]}
        assert access(resource(kind, sane | nested)).decide(JANE, JOBS).answer is Answer.UNKNOWN


DOCUMENT = {"binding": [{"role": USER, "members": [JANE], "condition": [{"expression": "true", "title": "always"}]}]}


def test_a_policy_that_a_data_source_makes():
    made = policy_document(DOCUMENT)
    found = access(ALONE, resource("google_project_iam_policy", {"project": ACME, "policy_data": made}))
    assert found.decide(JANE, JOBS).answer is Answer.GRANTED
    assert found.decide("user:bob@acme.example", JOBS).answer is Answer.NOT_GRANTED
    assert policy_document({"policy_data": made}) == made


@pytest.mark.parametrize(
    "unsettled",
    [
        {"binding": WHETHER},
        {"binding": [WHETHER]},
        {"binding": [{"role": WHETHER, "members": []}]},
        {"binding": [{"role": USER, "members": WHETHER}]},
        {"binding": [{"role": USER, "members": [JANE, WHETHER]}]},
        {"binding": [{"role": USER, "members": [JANE], "condition": WHETHER}]},
        {"binding": [{"members": [JANE]}]},
    ],
)
def test_a_policy_of_which_a_part_is_not_settled(unsettled):
    assert isinstance(policy_document(unsettled), Unsettled)

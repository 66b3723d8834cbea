"""`preflight access` as its users meet it: one question, its answer as the exit code, and the proof."""

import json
from pathlib import Path

import jsonschema
import pytest

from preflight.emulator import Fault, World
from tests.end_to_end.acme import acme, binding, dataset, denying, export, other_project
from tests.end_to_end.conftest import Preflight, Result, Serve, words

PROJECT = ("--project", "acme-analytics")
ANA, JOBS, DATA = "user:ana@acme.example", "bigquery.jobs.create", "bigquery.tables.getData"
ROBOT = "serviceAccount:etl@acme-analytics.iam.gserviceaccount.com"
USER, VIEWER = "roles/bigquery.user", "roles/bigquery.dataViewer"
TEAM = "group:team@acme.example"
TILL, PAST = ("request.time < timestamp('2040-01-01T00:00:00Z')", "request.time < timestamp('2025-01-01T00:00:00Z')")
SALES = dataset("sales", {"role": "READER", "userByEmail": "ana@acme.example"})
GROUP = """
[[groups]]
email = "team@acme.example"
members = ["user:ana@acme.example"]
viewers = ["user:admin@acme.example"]
"""
FOLDER, DENY = "cloudresourcemanager.folders.getIamPolicy", "iam.policies.listPolicies"


@pytest.fixture
def asked(serve: Serve, preflight: Preflight):
    """Asks in a world as its admin, in JSON unless another format is given; checks each JSON by the printed schema."""

    def run(cloud: World, *arguments: str, faults: tuple[Fault, ...] = ()) -> Result:
        served = serve(cloud)
        for fault in faults:
            served.emulator.inject(fault)
        form = () if "--format" in arguments else ("--format", "json")
        result = preflight("access", *arguments, *form, environ=served.environ())
        if form and result.out:
            schema = json.loads(preflight("schema", "access").out)
            jsonschema.validate(result.report, schema, cls=jsonschema.Draft202012Validator)
            assert result.report["exit_code"] == result.code
        return result

    return run


def missing(result: Result) -> set[tuple[str, str]]:
    return {(one["kind"], one["about"]) for one in result.report["proof"]["missing"]}


@pytest.mark.parametrize(
    ("parts", "code", "answer"),
    [
        ((binding(USER, ANA),), 0, "granted"),
        ((binding(USER, ANA, only_if=TILL),), 0, "granted"),
        ((binding(VIEWER, ANA),), 1, "not_granted"),
        ((binding(USER, ANA, only_if=PAST),), 1, "not_granted"),
        ((binding(USER, "deleted:user:ana@acme.example?uid=1"),), 1, "not_granted"),
        ((binding(USER, TEAM),), 3, "unknown"),
        ((binding(USER, ANA, only_if="'x' in request.auth.access_levels"),), 3, "unknown"),
        ((binding(USER, "allAuthenticatedUsers"),), 0, "granted"),
        ((binding(USER, ANA), denying("principalSet://goog/public:all", "bigquery.googleapis.com/jobs.*")), 1,
         "not_granted"),
    ],
)  # fmt: skip
def test_the_exit_code_is_the_answer(parts, code, answer, asked):
    result = asked(acme(*parts), ANA, JOBS, *PROJECT)
    assert (result.code, result.report["proof"]["answer"], result.err) == (code, answer, "")


def test_the_proof_as_a_tree(asked):
    parts = (binding(VIEWER, ANA, only_if=PAST), binding(USER, ANA, only_if=TILL), binding("roles/owner", ROBOT))
    shown = asked(acme(*parts), ANA, JOBS, *PROJECT, "--format", "terminal")
    text = words(shown)
    assert text.startswith("GRANTED: user:ana@acme.example holds bigquery.jobs.create on projects/acme-analytics")
    assert "roles/bigquery.user is granted to user:ana@acme.example" in text
    assert "condition 'for a time' is true until 2040-01-01 00:00:00 UTC" in text
    assert "(iam.roles.get" in text
    assert ROBOT not in text
    markdown = asked(acme(*parts), ANA, JOBS, *PROJECT, "--format", "markdown")
    assert markdown.out.startswith("**GRANTED**: `user:ana@acme.example holds bigquery.jobs.create")
    later = asked(acme(*parts), ANA, JOBS, *PROJECT, "--at", "2041-01-01", "--format", "terminal")
    assert later.code == 1
    assert "near miss: granted, but not now" in words(later)


def test_a_deny_rule_is_shown_with_what_it_takes_away(asked):
    rule = denying("principal://goog/subject/ana@acme.example", "bigquery.googleapis.com/jobs.create", "organizations")
    result = asked(acme(binding(USER, ANA), organization=rule), ANA, JOBS, *PROJECT, "--format", "terminal")
    assert result.code == 1
    assert "denied on organizations/9 by deny policy guard" in words(result)
    assert "granted all the same, which the denial takes away" in words(result)


def test_on_a_dataset_its_own_list_counts(asked):
    cloud = acme(SALES, dataset("finance"), binding("roles/bigquery.dataEditor", ROBOT))
    own = "projects/acme-analytics/datasets/sales"
    for resource, options in (("sales", PROJECT), (own, PROJECT), (own, ())):
        result = asked(cloud, ANA, DATA, *options, "--resource", resource)
        assert result.code == 0
        assert result.report["proof"]["resource"] == own
        assert [grant["resource"] for grant in result.report["proof"]["grants"]] == ["sales"]
    assert asked(cloud, ANA, DATA, *PROJECT, "--resource", "finance").code == 1
    assert asked(cloud, ANA, DATA, *PROJECT).code == 1
    assert asked(cloud, ANA, DATA, "--resource", "projects/acme-analytics").code == 1
    assert asked(cloud, ROBOT, DATA, *PROJECT, "--resource", "finance").code == 0
    unread = asked(
        cloud, ANA, DATA, *PROJECT, "--resource", "sales", faults=(Fault("bigquery.datasets.get", "denied"),)
    )
    assert unread.code == 3
    assert missing(unread) == {("dataset access", "sales")}


def test_a_folder_that_can_not_be_read_leaves_open_what_is_not_granted(asked):
    cloud = acme(binding(USER, ANA), folder=f'withheld = ["{FOLDER}"]')
    assert asked(cloud, ANA, JOBS, *PROJECT).code == 0
    result = asked(cloud, ANA, DATA, *PROJECT)
    assert result.code == 3
    assert missing(result) == {("policy", "folders/77")}
    (gap,) = result.report["proof"]["missing"]
    assert "resourcemanager.folders.getIamPolicy" in gap["reason"]["settle"]
    shown = asked(cloud, ANA, DATA, *PROJECT, "--format", "terminal")
    assert shown.out.startswith("CAN'T TELL: user:ana@acme.example may hold")
    assert "Grant the caller resourcemanager.folders.getIamPolicy on folders/77" in words(shown)


def test_unread_deny_policies_are_assumed_away_or_missing_as_one_says(asked):
    cloud, fault = acme(binding(USER, ANA)), (Fault(DENY, "denied"),)
    noted = asked(cloud, ANA, JOBS, *PROJECT, faults=fault)
    assert noted.code == 0
    assert noted.report["proof"]["assumptions"]
    strict = asked(cloud, ANA, JOBS, *PROJECT, "--unread-deny", "unknown", faults=fault)
    assert strict.code == 3
    assert {kind for kind, _ in missing(strict)} == {"deny policy"}
    # What nothing grants needs no deny policy.
    assert asked(cloud, ANA, DATA, *PROJECT, "--unread-deny", "unknown", faults=fault).code == 1


def test_who_is_in_a_group_cloud_identity_or_a_file_tells(asked, tmp_path: Path):
    cloud = acme(binding(USER, TEAM))
    result = asked(cloud, ANA, JOBS, *PROJECT)
    assert missing(result) == {("group", "team@acme.example")}
    for members, code in (("team@acme.example,ana@acme.example", 0), ("team@acme.example,", 1)):
        told = tmp_path / "members.csv"
        told.write_text(members, encoding="utf-8")
        known = asked(cloud, ANA, JOBS, *PROJECT, "--group-members", str(told))
        assert known.code == code
    looked_up = asked(acme(binding(USER, TEAM), organization=GROUP), ANA, JOBS, *PROJECT, "--format", "terminal")
    assert looked_up.code == 0
    assert "user:ana@acme.example is a member of team@acme.example" in words(looked_up)
    # A group itself may be asked about.
    assert asked(cloud, TEAM, JOBS, *PROJECT).code == 0


def test_an_export_answers_as_the_live_apis_do(asked, preflight: Preflight, tmp_path: Path):
    cloud = acme(SALES, binding(USER, TEAM), binding(VIEWER, ROBOT), folder=binding(USER, ROBOT, on="folders"))
    path = str(export(cloud, tmp_path / "assets.json"))
    for principal, permission, options in (
        (ANA, DATA, ("--resource", "sales")),
        (ANA, DATA, ()),
        (ANA, JOBS, ()),
        (ROBOT, JOBS, ()),
        (ROBOT, "bigquery.tables.updateData", ("--resource", "sales")),
    ):
        live = asked(cloud, principal, permission, *PROJECT, *options)
        for project in (PROJECT, ()):
            read = preflight("access", principal, permission, *project, *options, "--assets", path, "--format", "json")
            assert read.report["proof"]["answer"] == live.report["proof"]["answer"]
            assert read.code == live.code
            assert missing(read) == missing(live)
    told = tmp_path / "members.toml"
    told.write_text('"team@acme.example" = ["ana@acme.example"]\n', encoding="utf-8")
    assert preflight("access", ANA, JOBS, "--assets", path, "--group-members", str(told)).code == 0
    assert preflight("access", ROBOT, JOBS, "--assets", path, "--unread-deny", "unknown").code == 3
    preflight("access", ANA, JOBS, "--assets", path, "--transport", "rest").refuses("--transport")
    two = str(export(cloud, tmp_path / "two.json", other_project("acme-other", "421700000002")))
    preflight("access", ANA, JOBS, "--assets", two).refuses("holds 2 projects")
    own = ("--resource", "projects/acme-analytics/datasets/sales")
    assert preflight("access", ANA, DATA, *own, "--assets", two).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody", JOBS, *PROJECT), ("'nobody' is not a principal", "user:NAME@DOMAIN")),
        ((ANA, "roles/bigquery.user", *PROJECT), ("is not a permission", "bigquery.jobs.create")),
        ((ANA, "bigquery.jobs.creat", "--project", "x"), ("is not a project ID",)),
        ((ANA, JOBS), ("Which project?", "--project")),
        ((ANA, DATA, *PROJECT, "--resource", "projects/acme-other/datasets/sales"), ("acme-other",)),
        ((ANA, DATA, *PROJECT, "--resource", "sales/orders"), ("is not a resource", "a dataset's name")),
        ((ANA, JOBS, *PROJECT, "--at", "tomorrow"), ("'tomorrow' is not a time", "2027-01-31")),
        ((ANA, JOBS, *PROJECT, "--group-members", "absent.csv"), ("absent.csv",)),
    ],
)
def test_what_can_not_be_asked_is_refused(arguments, said, preflight: Preflight):
    preflight("access", *arguments).refuses(*said)


def test_a_dataset_that_is_not_there_is_refused_with_the_nearest(asked):
    asked(acme(SALES), ANA, DATA, *PROJECT, "--resource", "sale").refuses("There is no dataset 'sale'", "sales")


@pytest.mark.parametrize(
    ("permission", "said"),
    [
        ("bigquery.jobs.craete", "Did you mean 'bigquery.jobs.create'?"),
        ("pubsub.things.fly", "See that it is spelt right."),
        (DATA, ""),
    ],
)
def test_a_permission_that_no_role_holds_may_not_exist(permission, said, asked):
    result = asked(acme(binding(USER, ANA)), ANA, permission, *PROJECT)
    assert result.code == 1
    assert (said in result.err and f"holds {permission}" in result.err) if said else result.err == ""

"""`preflight audit` as its users meet it: exit codes, flags, what is granted, open and blank, and where it reads."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from preflight.emulator import Fault, World
from preflight.testing import world
from tests.end_to_end.acme import acme, binding, dataset, denying, export, other_project
from tests.end_to_end.conftest import Preflight, Result, Serve, words

AUDIT = ("audit", "--project", "acme-analytics")
ANA, ROOT, ROBOT = (
    "user:ana@acme.example",
    "user:root@acme.example",
    "serviceAccount:x@acme-analytics.iam.gserviceaccount.com",
)
USER, VIEWER = "roles/bigquery.user", "roles/bigquery.dataViewer"
TEAM = "group:team@acme.example"
TILL = "request.time < timestamp('2040-01-01T00:00:00Z')"
FOLDER = "cloudresourcemanager.folders.getIamPolicy"
DENY = "iam.policies.listPolicies"


def states(result: Result, member: str) -> dict[str, str]:
    """The row of a member: what each cell says."""
    (row,) = [row for row in result.report["rows"] if row["member"] == member]
    return {name: cell["state"] for name, cell in row["cells"].items()}


def flags(result: Result) -> dict[str, list[str]]:
    """Flags by member."""
    return {row["member"]: [flag["kind"] for flag in row["flags"]] for row in result.report["rows"] if row["flags"]}


def gaps(result: Result) -> list[tuple[str, str, bool]]:
    return [(gap["kind"], gap["about"], gap["weighs"]) for gap in result.report["not_seen"]]


@pytest.fixture
def audited(serve: Serve, preflight: Preflight):
    """Audits a world as its admin, in JSON unless another format is given; checks each JSON by the printed schema."""

    def run(cloud: World, *options: str, faults: tuple[Fault, ...] = ()) -> Result:
        served = serve(cloud)
        for fault in faults:
            served.emulator.inject(fault)
        form = () if "--format" in options else ("--format", "json")
        result = preflight(*AUDIT, *form, *options, environ=served.environ())
        if form and result.out:
            schema = json.loads(preflight("schema", "audit").out)
            jsonschema.validate(result.report, schema, cls=jsonschema.Draft202012Validator)
        return result

    return run


def test_granted_and_blank_where_all_was_seen(audited):
    result = audited(acme(binding(USER, ANA), binding(VIEWER, ROOT, only_if=TILL)))
    assert (result.code, result.err) == (0, "")
    assert states(result, ANA) == {"run-jobs": "granted", "create-datasets": "granted", "read-data": "not_granted",
                                   "write-data": "not_granted", "change-access": "not_granted"}  # fmt: skip
    assert states(result, ROOT)["read-data"] == "granted"
    (row,) = [row for row in result.report["rows"] if row["member"] == ROOT]
    assert row["cells"]["read-data"]["until"] == "2040-01-01T00:00:00Z"
    assert result.report["complete"]
    assert gaps(result) == []


@pytest.mark.parametrize(
    ("parts", "member", "flag"),
    [
        ([binding(USER, "allUsers")], "allUsers", "public"),
        ([dataset("open", {"role": "READER", "specialGroup": "allAuthenticatedUsers"})],
         "allAuthenticatedUsers", "public"),
        ([binding(USER, "user:kim@partner.example")], "user:kim@partner.example", "outside"),
        ([dataset("own", {"role": "READER", "groupByEmail": "all@partner.example"})],
         "group:all@partner.example", "outside"),
        ([binding(USER, "serviceAccount:x@elsewhere-1.iam.gserviceaccount.com")],
         "serviceAccount:x@elsewhere-1.iam.gserviceaccount.com", "other-project"),
        ([binding("roles/resourcemanager.projectIamAdmin", ANA)], ANA, "permanent-admin"),
        ([dataset("own", {"role": "OWNER", "userByEmail": "ana@acme.example"})], ANA, "permanent-admin"),
        ([binding(USER, "deleted:user:gone@acme.example?uid=123")], "deleted:user:gone@acme.example?uid=123",
         "deleted"),
        ([binding("roles/viewer", ANA)], ANA, "broad-role"),
    ],
)  # fmt: skip
def test_each_flag_is_raised_and_can_fail_a_ci_job(parts, member, flag, audited, preflight):
    cloud = acme(*parts)
    result = audited(cloud, "--allow-unknown")
    assert result.code == 0
    assert flags(result) == {member: [flag]}
    for asked, code in ((flag, 1), ("any", 1), ("public" if flag != "public" else "deleted", 0)):
        assert audited(cloud, "--allow-unknown", "--fail-on", asked).code == code


def test_an_admin_whose_grant_ends_is_not_flagged(audited):
    ending = acme(binding("roles/resourcemanager.projectIamAdmin", ANA, only_if=TILL))
    result = audited(ending, "--fail-on", "any")
    assert (result.code, flags(result)) == (0, {})
    assert states(result, ANA)["change-access"] == "granted"


def test_a_group_whose_members_can_not_be_seen_leaves_cells_open_till_a_file_tells(audited, tmp_path: Path):
    cloud = acme(binding(VIEWER, TEAM), binding(USER, ANA, ROOT))
    result = audited(cloud)
    assert result.code == 3
    assert [states(result, one)["read-data"] for one in (TEAM, ANA, ROOT)] == ["granted", "unknown", "unknown"]
    assert gaps(result) == [("group", "team@acme.example", True)]
    assert "--group-members" in result.report["not_seen"][0]["reason"]["settle"]
    assert audited(cloud, "--allow-unknown").code == 0
    told = tmp_path / "members.csv"
    told.write_text("team@acme.example,ana@acme.example\n", encoding="utf-8")
    known = audited(cloud, "--group-members", str(told))
    assert known.code == 0
    assert [states(known, one)["read-data"] for one in (ANA, ROOT)] == ["granted", "not_granted"]


def test_a_folder_that_can_not_be_read_leaves_no_blank_but_what_is_granted(audited):
    cloud = acme(binding(USER, ANA), folder=f'withheld = ["{FOLDER}"]')
    result = audited(cloud)
    assert result.code == 3
    assert set(states(result, ANA).values()) == {"granted", "unknown"}
    assert states(result, ANA)["run-jobs"] == "granted"
    assert ("policy", "folders/77", True) in gaps(result)
    assert not result.report["complete"]
    shown = audited(cloud, "--format", "terminal")
    assert "The policy of folders/77 was not read whole" in words(shown)
    assert "resourcemanager.folders.getIamPolicy" in shown.out
    # A flag that was asked for goes before what could not be seen.
    assert audited(acme(binding(USER, "allUsers"), folder=f'withheld = ["{FOLDER}"]'), "--fail-on", "public").code == 1


def test_who_inherits_a_basic_role_may_or_may_not_be_whom_a_list_means(audited):
    sales = dataset("sales", {"role": "READER", "specialGroup": "projectReaders"})
    result = audited(acme(sales, folder=binding("roles/viewer", ANA, on="folders")))
    assert result.code == 3
    assert states(result, ANA)["read-data"] == "unknown"
    assert gaps(result) == [("basic role", "projectReaders", True)]
    sure = audited(acme(sales, binding("roles/viewer", ANA)))
    assert (sure.code, states(sure, ANA)["read-data"]) == (0, "granted")


def test_unread_deny_policies_are_a_note_or_unknown_as_one_says(audited):
    cloud = acme(binding(USER, ANA))
    fault = Fault(DENY, "denied")
    noted = audited(cloud, faults=(fault,))
    assert noted.code == 0
    assert states(noted, ANA)["run-jobs"] == "granted"
    assert noted.report["not_seen"]
    assert not any(weighs for *_, weighs in gaps(noted))
    strict = audited(cloud, "--unread-deny", "unknown", faults=(fault,))
    assert strict.code == 3
    assert states(strict, ANA)["run-jobs"] == "unknown"
    assert {kind for kind, _, weighs in gaps(strict) if weighs} == {"deny policy"}


def test_a_deny_policy_blanks_a_cell(audited):
    ana = "principal://goog/subject/ana@acme.example"
    result = audited(
        acme(
            binding(USER, ANA, ROOT), organization=denying(ana, "bigquery.googleapis.com/jobs.create", "organizations")
        )
    )
    assert result.code == 0
    assert states(result, ANA)["run-jobs"] == "not_granted"
    assert states(result, ROOT)["run-jobs"] == "granted"


def test_datasets_own_lists_give_access_there_alone(audited):
    entry = {"role": "READER", "userByEmail": "ana@acme.example"}
    result = audited(acme(dataset("sales", entry), dataset("finance"), dataset("tmp", entry)))
    (row,) = [row for row in result.report["rows"] if row["member"] == ANA]
    assert row["cells"]["read-data"] | {"proofs": []} == {
        "state": "granted", "on_project": "not_granted", "datasets": ["sales", "tmp"], "unknown_datasets": [],
        "unknown_datasets_count": 0, "more": False, "until": None, "proofs": [],
    }  # fmt: skip
    blind = audited(
        acme(dataset("sales", entry), dataset("finance")), faults=(Fault("bigquery.datasets.get", "denied"),)
    )
    assert blind.code == 3
    assert {kind for kind, *_ in gaps(blind)} == {"dataset access"}


def test_a_project_in_no_organization_flags_nobody_as_outside(audited):
    alone = """
[[callers]]
email = "admin@acme.example"

[[projects]]
id = "acme-analytics"
number = "421700000001"

[[projects.bindings]]
role = "roles/iam.securityAuditor"
members = ["user:admin@acme.example", "user:kim@partner.example"]
"""
    result = audited(world(alone))
    assert flags(result) == {}


def test_the_proof_of_a_cell_and_of_a_row(audited):
    cloud = acme(binding(USER, ANA), dataset("sales", {"role": "READER", "userByEmail": "ana@acme.example"}))
    shown = audited(cloud, "--path", "ana@acme.example:run-jobs", "--format", "terminal")
    said = words(shown)
    assert "GRANTED: user:ana@acme.example holds bigquery.jobs.create on projects/acme-analytics" in said
    assert "roles/bigquery.user is granted to user:ana@acme.example" in said
    assert "tables.getData" not in shown.out
    row = audited(cloud, "--path", ANA, "--format", "markdown")
    assert "holds bigquery.tables.getData on projects/acme-analytics/datasets/sales" in row.out
    proved = audited(cloud, "--path", f"{ANA}:read-data")
    (only,) = proved.report["rows"]
    (proof,) = only["cells"]["read-data"]["proofs"]
    assert (proof["answer"], proof["resource"]) == ("granted", "projects/acme-analytics/datasets/sales")
    assert only["cells"]["run-jobs"]["proofs"] == []


def test_what_can_not_be_asked_is_refused(audited, preflight: Preflight):
    cloud = acme(binding(USER, ANA))
    audited(cloud, "--path", "anna@acme.example").refuses("No policy names anna@acme.example", "user:ana@acme.example")
    audited(cloud, "--path", ANA, "--format", "csv").refuses("CSV")
    preflight("audit").refuses("Which project?", "--project", "--assets")
    assert preflight(*AUDIT, "--fail-on", "everything").code == 2
    assert preflight(*AUDIT, "--format", "html").code == 2


def test_every_format_tells_the_same_members(audited, tmp_path: Path):
    cloud = acme(binding(USER, ANA, "allUsers"), binding("roles/owner", ROOT))
    members = [row["member"] for row in audited(cloud).report["rows"]]
    lines = list(csv.DictReader(io.StringIO(audited(cloud, "--format", "csv").out)))
    assert [line["member"] for line in lines if line["record"] == "member"] == members
    text = audited(cloud, "--format", "markdown").out
    assert sorted(members, key=text.index) == members
    assert f"{len(members)} members named" in audited(cloud, "--format", "terminal").out
    path = tmp_path / "audit.md"
    written = audited(cloud, "--format", "markdown", "--output", str(path))
    assert (written.out, written.err) == ("", f"Audit: {path}\n")
    assert all(member in path.read_text(encoding="utf-8") for member in members)
    flagged = audited(cloud, "--only-flagged")
    assert [row["member"] for row in flagged.report["rows"]] == [m for m in members if m in flags(flagged)]
    kept = path.read_bytes()
    audited(cloud, "--output", str(path / "under-a-file")).refuses(
        "cannot be written", "Name another file with --output"
    )
    audited(cloud, "--path", "nobody@acme.example", "--output", str(path)).refuses("No policy names")
    assert path.read_bytes() == kept, "what was there stays until there is something to take its place"
    assert list(tmp_path.glob("*audit*")) == [path], "and nothing is left half written"


RICH = (
    binding(USER, ANA, "allUsers"),
    binding(VIEWER, TEAM, only_if=TILL),
    binding("roles/editor", "serviceAccount:etl@elsewhere-1.iam.gserviceaccount.com",
            "deleted:user:gone@acme.example?uid=1"),
    dataset("sales", {"role": "READER", "userByEmail": "ben@acme.example"},
            {"role": "OWNER", "specialGroup": "projectOwners"}),
    dataset("finance", {"role": "WRITER", "specialGroup": "projectWriters"}),
)  # fmt: skip


def test_an_export_gives_the_same_rows_as_the_live_apis(audited, preflight: Preflight, tmp_path: Path):
    cloud = acme(*RICH, folder=binding("roles/bigquery.admin", ROOT, on="folders"))
    live = audited(cloud)
    path = export(cloud, tmp_path / "assets.json")
    for options in ((), ("--project", "acme-analytics"), ("--project", "421700000001")):
        read = preflight("audit", "--assets", str(path), *options, "--format", "json")
        assert read.report["rows"] == live.report["rows"]
        assert read.report["project"] == "acme-analytics"
        # Deny policies are in no export that has none.
        assert [gap for gap in gaps(read) if gap[2]] == [gap for gap in gaps(live) if gap[2]]
        assert read.code == live.code == 3
    told = tmp_path / "members.json"
    told.write_text('{"team@acme.example": []}', encoding="utf-8")
    known = preflight("audit", "--assets", str(path), "--group-members", str(told), "--format", "json")
    assert known.code == 0
    strict = preflight("audit", "--assets", str(path), "--unread-deny", "unknown", "--format", "json")
    assert states(strict, ANA)["run-jobs"] == "unknown"


def test_an_export_is_refused_where_it_does_not_tell_which_project(preflight: Preflight, tmp_path: Path):
    cloud = acme(binding(USER, ANA), dataset("sales"))
    two = export(cloud, tmp_path / "two.json", other_project("acme-other", "421700000002"))
    preflight("audit", "--assets", str(two)).refuses("holds 2 projects", "--project", "acme-analytics, acme-other")
    assert preflight("audit", "--assets", str(two), "--project", "acme-analytics").code == 0
    preflight("audit", "--assets", str(two), "--project", "acme-analitics").refuses("acme-analytics")
    preflight("audit", "--assets", str(two), "--project", "acme-analytics", "--timeout", "5").refuses("--timeout")
    preflight("audit", "--assets", str(tmp_path / "absent.json")).refuses("absent.json")
    nothing = tmp_path / "nothing.json"
    nothing.write_text('{"name": "//x/y", "asset_type": "x.googleapis.com/Y"}\n', encoding="utf-8")
    preflight("audit", "--assets", str(nothing)).refuses("no project")

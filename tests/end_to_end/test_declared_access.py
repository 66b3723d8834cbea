"""`preflight audit` and `preflight access` with `--plan`, `--live --plan` and `--terraform`: once that is applied."""

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.cli.audit import collect_audit
from preflight.cli.source import LiveOptions, Sources
from preflight.emulator import Emulator
from preflight.testing import world
from tests.check.repos import VENDOR, changed, without, write
from tests.end_to_end.conftest import Preflight
from tests.sources.terraform.conftest import ACME, change, plan
from tests.sources.terraform.test_facts import dataset
from tests.sources.terraform.test_grants import member, policy
from tests.sources.terraform.test_overlay import BOTH, CALLER, CASES, USER, cloud, vendor_member

ALONE = change("google_project.it", {"project_id": ACME, "org_id": None, "folder_id": None, "billing_account": "0A"})
JOBS = "bigquery.jobs.create"


@pytest.fixture
def planned(tmp_path: Path):
    """Writes a plan of these changes."""

    def write_plan(*changes) -> str:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(plan(*changes)))
        return str(path)

    return write_plan


def row(audit, name):
    (found,) = [one for one in audit["rows"] if one["member"] == name]
    return found


def answer(preflight: Preflight, *arguments: str, permission: str = JOBS) -> tuple[int, dict[str, Any]]:
    done = preflight("access", VENDOR, permission, "--project", ACME, "--format", "json", *arguments)
    return done.code, json.loads(done.out)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        pytest.param([ALONE, policy((USER, VENDOR))], 0, "granted", id="a policy that grants it"),
        pytest.param([ALONE, policy(("roles/viewer", "user:x@acme.example"))], 1, "not_granted", id="one that doesn't"),
        pytest.param([ALONE, member(USER, VENDOR)], 0, "granted", id="a member is enough"),
        pytest.param([ALONE, member("roles/logging.viewer", VENDOR)], 3, "unknown", id="there may be more"),
        pytest.param([member(USER, VENDOR, actions=("delete",))], 3, "unknown", id="taken away, and there may be more"),
        pytest.param([], 3, "unknown", id="nothing is declared"),
    ],
)
def test_a_question_about_a_plan(preflight: Preflight, planned, changes, code, says):
    told, found = answer(preflight, "--plan", planned(*changes))
    assert (told, found["proof"]["answer"]) == (code, says), found


def test_the_proof_names_the_plan(preflight: Preflight, planned):
    path = planned(ALONE, policy((USER, VENDOR)))
    assert f"{path}: google_project_iam_policy.p" in json.dumps(answer(preflight, "--plan", path)[1])


def test_a_dataset_that_the_plan_makes(preflight: Preflight, planned):
    path = planned(
        ALONE, policy(), dataset(values={"access": [{"role": "WRITER", "user_by_email": VENDOR.partition(":")[2]}]})
    )
    code, found = answer(preflight, "--plan", path, "--resource", "sales", permission="bigquery.tables.create")
    assert (code, found["proof"]["answer"]) == (0, "granted")


def test_an_audit_of_a_plan(preflight: Preflight, planned):
    changes = (ALONE, policy((USER, VENDOR), ("roles/viewer", "user:ana@acme.example")))
    done = preflight("audit", "--project", ACME, "--plan", planned(*changes), "--format", "json")
    assert done.code in {0, 3}
    audit = json.loads(done.out)
    assert {one["member"] for one in audit["rows"]} == {VENDOR, "user:ana@acme.example"}
    vendor, ana = row(audit, VENDOR)["cells"], row(audit, "user:ana@acme.example")["cells"]
    assert (vendor["run-jobs"]["state"], vendor["create-datasets"]["state"]) == ("granted", "granted")
    assert ana["create-datasets"]["state"] == "not_granted", "the policy is whole"
    assert ana["change-access"]["state"] == "unknown", "which datasets there are the plan doesn't tell"


def test_an_audit_of_what_may_stand_is_unknown(preflight: Preflight, planned):
    done = preflight("audit", "--project", ACME, "--plan", planned(member(USER, VENDOR)), "--format", "json")
    assert done.code == 3
    cells = {name: cell["state"] for name, cell in row(json.loads(done.out), VENDOR)["cells"].items()}
    assert (cells["run-jobs"], cells["change-access"]) == ("granted", "unknown")


def test_files_of_terraform(preflight: Preflight):
    write(Path("infra"), without("preflight.toml"))
    assert answer(preflight, "--terraform", "infra")[0] == 0
    done = preflight("audit", "--project", ACME, "--terraform", "infra", "--format", "json")
    assert row(json.loads(done.out), VENDOR)
    write(Path("other"), {**changed("iam.tf", "local.vendor", "var.m"), "variables.tf": 'variable "m" {}\n'})
    assert answer(preflight, "--terraform", "other")[0] == 3
    assert answer(preflight, "--terraform", "other", "--var", "m=user:x@y.example", "--var", f"m={VENDOR}")[0] == 0


def shown(audit):
    """What an audit says of everybody, without where it was seen."""
    return {
        line.member: ([cell.state.value for cell in line.cells], [flag.kind.value for flag in line.flags])
        for line in audit.rows
    }


UNSEEN = {"turns the API on", "turns the API off", "deletes the project", "mends and breaks"}
"""In one of the two worlds the datasets can't be read."""


@pytest.mark.parametrize(("before", "after", "changes"), CASES)
def test_an_audit_with_a_plan_applied_is_that_of_the_world_after_it(planned, before, after, changes, request):
    def audited(text, **options):
        with Emulator(world(text)) as running:
            sources = Sources(live=LiveOptions(whole=True), **options)
            return shown(collect_audit(ACME, sources, running.environ(caller=CALLER)))

    found, expected = audited(before, plan=Path(planned(*changes)), over=True), audited(after)
    if request.node.callspec.id not in UNSEEN:
        assert found == expected
        return
    assert found.keys() == expected.keys()
    for name, (cells, flags) in expected.items():
        assert found[name][1] == flags
        assert all(one == other or "unknown" in {one, other} for one, other in zip(found[name][0], cells, strict=True))


def test_a_question_with_a_plan_applied(preflight: Preflight, planned):
    with Emulator(world(cloud(BOTH))) as running:
        environ = running.environ(caller=CALLER)
        taken = planned(vendor_member(USER, "a", ("delete",)))
        now = preflight("access", VENDOR, JOBS, "--project", ACME, environ=environ)
        then = preflight("access", VENDOR, JOBS, "--project", ACME, "--live", "--plan", taken, environ=environ)
    assert (now.code, then.code) == (0, 1)


@pytest.mark.parametrize("command", [("audit",), ("access", VENDOR, JOBS)], ids=["audit", "access"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--plan", "x.json", "--assets", "y"), ("two sources",), id="two sources"),
        pytest.param(("--plan", "x.json", "--terraform", "."), ("two sources",), id="two of Terraform"),
        pytest.param(("--live", "--terraform", "."), ("two sources",), id="live and files"),
        pytest.param(("--plan", "x.json", "--timeout", "9"), ("--timeout",), id="about Google"),
        pytest.param(("--var", "a=b"), ("--terraform",), id="variables of nothing"),
        pytest.param(("--plan", "x.json"), ("x.json", "can't be read"), id="no such plan"),
        pytest.param(("--terraform", "nowhere"), ("nowhere",), id="no such folder"),
    ],
)
def test_what_does_not_go_together_is_refused(preflight: Preflight, command, options, words):
    preflight(*command, "--project", ACME, *options).refuses(*words)


@pytest.mark.parametrize("command", [("audit",), ("access", VENDOR, JOBS)], ids=["audit", "access"])
def test_without_a_project_it_asks_which(preflight: Preflight, planned, command):
    preflight(*command, "--plan", planned(ALONE)).refuses("Which project?", "--project ID")

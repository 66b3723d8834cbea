"""`preflight diff`: of two worlds that differ in one thing it names that thing, and nothing else."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from msgspec.structs import replace

from preflight.emulator import World
from preflight.emulator.world import Billing, Group, OrgPolicy, Role
from tests.end_to_end.conftest import RUN, Preflight, Result, Serve, whole_environ
from tests.end_to_end.made_up import (
    DESTINATION,
    EDITOR,
    FOLDER,
    GET_FOLDER_POLICY,
    HEAP,
    LIST_DATASETS,
    LIST_DENY,
    ORGANIZATION,
    OWN,
    PROJECT,
    USER,
    bind,
    cloud,
    dataset,
    denial,
    values,
)

TEAM = "data@acme.example"
RUNNER = "projects/acme-analytics/roles/runner"
LOCATIONS = "gcp.resourceLocations"
TABLES = ("hidden", "the project", "tables and views", "")


def ready(**changes: Any) -> World:
    """A world that is ready; each way in which it may break is there to be broken."""
    given: dict[str, Any] = {
        "datasets": (dataset(OWN, {"role": "READER", "userByEmail": "ana@acme.example"}), dataset("finance")),
        "groups": (Group(email=TEAM, members=(HEAP, "user:admin@acme.example")),),
        "roles": (Role(name="runner", permissions=("bigquery.jobs.create", "bigquery.datasets.create")),),
        "org_policies": {LOCATIONS: values(allowed=("in:eu-locations",))},
        "folder": (bind("roles/viewer", "user:eve@acme.example"),),
        **changes,
    }
    bindings = given.pop("bindings", (bind(USER, HEAP), bind(EDITOR, f"group:{TEAM}"), bind(RUNNER, HEAP)))
    world = cloud(*bindings, **given)
    return replace(world, projects=(replace(world.projects[0], display_name="Acme Analytics"),))


def project(**changes: Any) -> World:
    world = ready()
    return replace(world, projects=(replace(world.projects[0], **changes),))


class Fault(NamedTuple):
    """One thing that is otherwise afterwards, and the facts that are to be told of it."""

    name: str
    world: Callable[[], World]
    told: set[tuple[str, str, str, str]]
    """How, what about, what of that, and which."""
    code: int | None = 1
    """None: it depends on nothing that is tested here."""


FAULTS = (
    Fault(
        "the billing account is closed",
        lambda: project(billing=Billing(account="billingAccounts/01A2B3-C4D5E6-F70819", enabled=False)),
        {("changed", "billing", "enabled", "")},
    ),
    Fault(
        "the API is off",
        lambda: project(
            services=tuple(one for one in ready().projects[0].services if one != "bigquery.googleapis.com")
        ),
        {("changed", "bigquery.googleapis.com", "state", ""), ("hidden", "the project", "datasets", ""), TABLES},
    ),
    Fault(
        "the project is being deleted",
        lambda: ready(state="DELETE_REQUESTED"),
        {("changed", "the project", "state", ""), ("hidden", "the project", "datasets", ""), TABLES},
    ),
    Fault(
        "the vendor's role is taken away",
        lambda: ready(bindings=(bind(EDITOR, f"group:{TEAM}"), bind(RUNNER, HEAP))),
        {("vanished", PROJECT, "grant", f"{USER} to {HEAP}")},
        None,
    ),
    Fault(
        "the vendor's role has a condition",
        lambda: ready(
            bindings=(bind(USER, HEAP, only_if="request.time < timestamp('2020-01-01T00:00:00Z')"),
                      bind(EDITOR, f"group:{TEAM}"), bind(RUNNER, HEAP))
        ),
        {("changed", PROJECT, "condition of the grant", f"{USER} to {HEAP}")},
        None,
    ),
    Fault(
        "a custom role loses a permission",
        lambda: ready(roles=(Role(name="runner", permissions=("bigquery.datasets.create",)),)),
        {("vanished", RUNNER, "permission", "bigquery.jobs.create")},
        None,
    ),
    Fault(
        "the vendor leaves a group",
        lambda: ready(groups=(Group(email=TEAM, members=("user:admin@acme.example",)),)),
        {("vanished", f"group {TEAM}", "member", HEAP)},
        None,
    ),
    Fault(
        "the dataset lies elsewhere",
        lambda: ready(
            datasets=(
                dataset(OWN, {"role": "READER", "userByEmail": "ana@acme.example"}, location="US"),
                dataset("finance"),
            )
        ),
        {("changed", f"dataset {OWN}", "location", "")},
    ),
    Fault(
        "somebody loses access to the dataset",
        lambda: ready(datasets=(dataset(OWN), dataset("finance"))),
        {("vanished", f"dataset {OWN}", "grant", "roles/bigquery.dataViewer to user:ana@acme.example")},
        0,
    ),
    Fault(
        "the dataset's tables expire",
        lambda: ready(
            datasets=(
                dataset(
                    OWN, {"role": "READER", "userByEmail": "ana@acme.example"}, defaultTableExpirationMs="604800000"
                ),
                dataset("finance"),
            )
        ),
        {("changed", f"dataset {OWN}", "expiration of tables", "")},
    ),
    Fault(
        "another dataset is deleted",
        lambda: ready(datasets=(dataset(OWN, {"role": "READER", "userByEmail": "ana@acme.example"}),)),
        {("vanished", "dataset finance", "dataset", "")},
        0,
    ),
    Fault(
        "a deny policy is set above",
        lambda: ready(deny={FOLDER: denial("bigquery.googleapis.com/jobs.create")}),
        {("appeared", FOLDER, "deny policy guard", "")},
    ),
    Fault(
        "a grant above the project",
        lambda: ready(folder=(bind("roles/viewer", "user:eve@acme.example"), bind("roles/owner", "user:x@y.example"))),
        {("appeared", FOLDER, "grant", "roles/owner to user:x@y.example")},
        0,
    ),
    Fault(
        "an organization policy is set",
        lambda: ready(org_policies={LOCATIONS: values(allowed=("in:us-locations",))}),
        {("changed", LOCATIONS, "organization policy", "")},
    ),
    Fault(
        "an organization policy is added",
        lambda: ready(
            org_policies={LOCATIONS: values(allowed=("in:eu-locations",)),
                          "gcp.restrictServiceUsage": OrgPolicy(rules=({"denyAll": True},))}
        ),
        {("changed", "gcp.restrictServiceUsage", "organization policy", "")},
    ),
    Fault(
        "the folder's policy can't be read",
        lambda: ready(withheld={FOLDER: (GET_FOLDER_POLICY,)}),
        {("hidden", FOLDER, "policy", "")},
    ),
    Fault(
        "the organization's deny policies can't be read",
        lambda: ready(withheld={ORGANIZATION: (LIST_DENY,)}),
        {("hidden", ORGANIZATION, "deny policies", "")},
        None,
    ),
    Fault(
        "the datasets can't be listed",
        lambda: ready(withheld={PROJECT: (LIST_DATASETS,)}),
        {
            ("hidden", "the project", "whether that is every dataset", ""),
            ("hidden", "dataset finance", "dataset", ""),
            ("hidden", f"dataset {OWN}_migrated", "dataset", ""),
            ("hidden", f"dataset {OWN}_migrated", "table or view", ""),
        },
        None,
    ),
    Fault(
        "a custom role is deleted",
        lambda: ready(
            roles=(
                Role(name="runner", permissions=("bigquery.jobs.create", "bigquery.datasets.create"), deleted=True),
            )
        ),
        {("changed", RUNNER, "deleted", "")},
        None,
    ),
    Fault("nothing", ready, set(), 0),
)  # fmt: skip


def bundled(world: World, name: str, serve: Serve, preflight: Preflight, *options: str) -> str:
    environ = serve(world).environ()
    result = preflight(*RUN, *DESTINATION, "--no-files", "--bundle", name, *options, environ=environ)
    assert Path(name).exists(), result
    return name


def redacted(name: str, preflight: Preflight) -> str:
    """The same with pseudonyms."""
    result = preflight("run", "--snapshot", name, "--no-files", "--bundle", f"r-{name}")
    assert Path(f"r-{name}").exists(), result
    return f"r-{name}"


def difference(before: str, after: str, preflight: Preflight) -> tuple[Result, dict[str, Any]]:
    result = preflight("diff", before, after, "--format", "json")
    schema = json.loads(preflight("schema", "diff").out)
    jsonschema.validate(result.report, schema)
    assert result.report["exit_code"] == result.code
    return result, result.report


def facts(report: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    found = [(one["change"], one["about"], one["what"], one["name"] or "") for one in report["facts"]]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_it_names_the_one_thing_that_differs(fault: Fault, serve: Serve, preflight: Preflight):
    before = bundled(ready(), "before.zip", serve, preflight, "--redact", "none")
    after = bundled(fault.world(), "after.zip", serve, preflight, "--redact", "none")
    result, plain = difference(before, after, preflight)
    assert facts(plain) == fault.told
    if fault.code is not None:
        assert result.code == fault.code, plain["verdicts"]
    result, clean = difference(redacted(before, preflight), redacted(after, preflight), preflight)
    assert clean["before"]["redacted"]
    assert clean["names_compared"]
    revealed = json.loads(_revealed(result.out, preflight))
    assert facts(revealed) == fault.told
    changes = [[(one["rule"], one["worse"], one["better"]) for one in found["verdicts"]] for found in (plain, clean)]
    assert changes[0] == changes[1]


def _revealed(text: str, preflight: Preflight) -> str:
    Path("answer.txt").write_text(text, encoding="utf-8")
    return preflight("reveal", "answer.txt").out


def test_what_was_broken_and_is_mended_is_better(serve: Serve, preflight: Preflight):
    broken = bundled(project(billing=Billing()), "broken.zip", serve, preflight)
    mended = bundled(ready(), "mended.zip", serve, preflight)
    result = preflight("diff", broken, mended)
    assert result.code == 0
    assert "better  PASS, was FAIL  billing-enabled" in result.out
    assert "changed billing: enabled: yes, was no" in result.out
    assert result.out.rstrip().splitlines()[-1].startswith("BETTER: 1 verdict got better")
    assert preflight("diff", mended, broken).code == 1
    markdown = preflight("diff", mended, broken, "--format", "markdown").out
    assert markdown.startswith("## WORSE: what changed in `acme-analytics`")
    assert "| **worse** | FAIL, was PASS | `billing-enabled` |" in markdown
    assert "- **changed** billing: enabled: no, was yes" in markdown


def test_reports_are_compared_with_each_other_and_with_bundles(serve: Serve, preflight: Preflight):
    for name, world in (("old", ready()), ("new", project(billing=Billing()))):
        bundled(world, f"{name}.zip", serve, preflight, "--redact", "none", "--report", f"json={name}.json")
    for before in ("old.json", "old.zip"):
        for after in ("new.json", "new.zip"):
            result, report = difference(before, after, preflight)
            assert result.code == 1
            assert [one["rule"] for one in report["verdicts"]] == ["billing-enabled"]
            assert report["facts_compared"] == ((before, after) == ("old.zip", "new.zip"))
    assert "a report holds none" in preflight("diff", "old.json", "new.zip").out


def test_a_bare_snapshot_is_compared_too(serve: Serve, preflight: Preflight, tmp_path: Path):
    bundled(ready(), "old.zip", serve, preflight)
    bundled(project(billing=Billing()), "new.zip", serve, preflight)
    with zipfile.ZipFile("new.zip") as archive:
        Path("snapshot.json").write_bytes(archive.read("snapshot.json"))
    _, report = difference("old.zip", "snapshot.json", preflight)
    assert report["after"]["kind"] == "snapshot"
    assert ("changed", "billing", "enabled", "") in facts(report)


def test_names_that_were_replaced_are_not_compared_with_others(
    serve: Serve, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
):
    plain = bundled(ready(), "plain.zip", serve, preflight, "--redact", "none")
    clean = bundled(project(billing=Billing()), "clean.zip", serve, preflight)
    monkeypatch.setenv("PREFLIGHT_HOME", "another-key")
    other = bundled(project(billing=Billing()), "other.zip", serve, preflight)
    for before, after, why in ((plain, clean, "in the second of the two only"), (clean, other, "with another key")):
        _, report = difference(before, after, preflight)
        assert not report["names_compared"]
        assert facts(report) == ({("changed", "billing", "enabled", "")} if before == plain else set())
        assert [one["rule"] for one in report["verdicts"]] == (["billing-enabled"] if before == plain else [])
        assert (
            f"Names can't be compared: names are replaced {why}"
            in " ".join(preflight("diff", before, after).out.split())
            or why == "with another key"
        )
    assert "names are replaced in each with another key" in " ".join(preflight("diff", clean, other).out.split())


def test_what_only_one_was_asked_for_is_no_change(serve: Serve, preflight: Preflight):
    one = bundled(ready(), "one.zip", serve, preflight, "--rule", "billing-enabled")
    every = bundled(ready(), "every.zip", serve, preflight)
    result, report = difference(one, every, preflight)
    assert (result.code, report["facts"]) == (0, [])
    assert "datasets" in report["not_compared"]
    assert {one["before"] for one in report["verdicts"]} == {None}
    said = " ".join(preflight("diff", one, every).out.split())
    assert "Only one of the two was asked for these, so they were not compared:" in said


def test_what_was_asked_is_told(serve: Serve, preflight: Preflight):
    environ = serve(ready()).environ()
    for name, location in (("eu", "EU"), ("us", "US")):
        preflight(*RUN, "--location", location, "--no-files", "--bundle", f"{name}.zip", environ=environ)
    _, report = difference("eu.zip", "us.zip", preflight)
    assert [(one["what"], one["before"], one["after"]) for one in report["asked"]] == [("location", "EU", "US")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param("hello", "it is no JSON", id="text"),
        pytest.param("{}", "is no bundle, snapshot or report", id="some JSON"),
        pytest.param('{"schema_version": "1.0", "reports": []}', "holds reports on many projects", id="a fleet"),
        pytest.param('{"schema_version": "2.0", "findings": []}', "has version 2.0", id="from the future"),
        pytest.param('{"schema_version": "1.0", "findings": []}', "cannot be read", id="half a report"),
        pytest.param("[" * 100_000, "it is no JSON", id="deep"),
        pytest.param('{"findings": ' + "[" * 100_000, "it is no JSON", id="deep inside"),
        pytest.param('{"kind": "preflight-trace", "schema_version": "1.0"}', "is a trace, not a snapshot", id="trace"),
        pytest.param("PK\x03\x04", "is damaged", id="half a zip"),
    ],
)
def test_what_is_nothing_to_compare_is_refused(content, says, preflight: Preflight):
    Path("file").write_text(content, encoding="utf-8")
    preflight("diff", "file", "file").refuses(says)


def test_two_projects_or_principals_are_refused(serve: Serve, preflight: Preflight):
    one = bundled(ready(), "one.zip", serve, preflight)
    environ = serve(ready()).environ()
    preflight(*RUN, "--principal", "user:ana@acme.example", "--no-files", "--bundle", "two.zip", environ=environ)
    preflight("diff", one, "two.zip").refuses("one is about serviceAccount:heap-sql@", "user:ana@acme.example")
    preflight(*RUN, "--no-files", "--report", "json=r.json", environ=environ)
    text = Path("r.json").read_text(encoding="utf-8").replace('"id": "acme-analytics"', '"id": "evil\\u001b[31m"')
    Path("r.json").write_text(text, encoding="utf-8")
    preflight("diff", one, "r.json").refuses("one is about acme-analytics, the other about evil\\x1b[31m")


def test_it_needs_no_client_of_googles(serve: Serve, preflight: Preflight):
    for name in ("one.zip", "two.zip"):
        bundled(ready(), name, serve, preflight)
    code = (
        "import contextlib, sys; from preflight.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['diff', 'one.zip', 'two.zip'])\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'google', 'grpc', 'pydantic'}])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=whole_environ())
    assert done.stdout.endswith("NO CHANGE: no verdict got worse, no fact changed.\n[]\n")

"""What exports hold of projects and what they are in, as facts; what they don't hold, as Unknown with its reason."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preflight import Unknown
from preflight.errors import UsageError
from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.policy import AllowPolicy
from preflight.facts.seen import Incomplete, NotCollected, Unresolved
from tests.sources.assets.conftest import (
    FOLDER,
    ORGANIZATION,
    OWN,
    PROJECT,
    Told,
    changed,
    line_of,
    of_kind,
    with_bindings,
    without,
)
from tests.sources.assets.exporting import RM, UPDATED, Line, asset


def test_a_project_by_its_id_and_by_its_number(ready: list[Line], tell: Told):
    for name in ("acme-analytics", "421700000001"):
        snapshot = tell(ready, project=name)
        project = snapshot.project
        assert (project.id, project.number, project.state) == ("acme-analytics", "421700000001", "ACTIVE")
        assert (project.name, project.parent) == ("Acme Analytics", FOLDER)
        assert snapshot.ancestry.resources == (FOLDER, ORGANIZATION)
        assert snapshot.ancestry.completeness.complete
        assert snapshot.services.services["bigquery.googleapis.com"].state == "ENABLED"


@pytest.mark.parametrize("name", ["export{}.json", "export{}.json.gz"])
def test_evidence_names_file_line_and_when_the_asset_was_changed(
    name: str, ready: list[Line], tell: Told, tmp_path: Path
):
    snapshot = tell(ready, name=name)
    file = tmp_path / name.format("")
    policies = snapshot.allow_policies.policies
    for fact, number in (
        (snapshot.project, line_of(ready, "Project")),
        (snapshot.billing, line_of(ready, "ProjectBillingInfo")),
        (snapshot.organization, line_of(ready, "Organization")),
        (snapshot.services.services["bigquery.googleapis.com"], line_of(ready, "Service")),
        (policies[OWN], line_of(ready, "Project", "iam_policy")),
        (policies[ORGANIZATION], line_of(ready, "Organization", "iam_policy")),
        (snapshot.datasets.datasets["marketing"], line_of(ready, "Dataset")),
    ):
        assert fact.provenance.resource == f"{file}:{number}"
        assert fact.provenance.source == f"cloud asset export, as of {UPDATED}"


def test_an_organization(ready: list[Line], tell: Told):
    organization = tell(ready).organization
    owner = of_kind(ready, "Organization")[0]["resource"]["data"]["owner"]
    assert (organization.name, organization.domain) == (ORGANIZATION, "acme.example")
    assert organization.directory_customer_id == owner["directoryCustomerId"]


def test_bindings_and_their_conditions(ready: list[Line], tell: Told):
    lines = with_bindings(
        ready,
        "Project",
        {"role": "roles/viewer", "members": ["user:a@x.example"], "condition": {"expression": "true", "title": "t"}},
        {"role": "roles/editor_withcond_0123abcd", "members": ["user:b@x.example"]},
        {"role": "roles/owner", "members": ["user:c@x.example"], "condition": {"title": "kept back"}},
        {"role": "roles/browser"},
    )
    viewer, editor, owner, browser = tell(lines).allow_policies.policies[OWN].bindings
    assert (viewer.condition.expression, viewer.condition.title) == ("true", "t")
    assert (editor.role, editor.condition.expression) == ("roles/editor", HIDDEN)
    assert owner.condition.expression == HIDDEN
    assert (browser.members, browser.condition) == ((), None)


@pytest.mark.parametrize("spelling", ["snake", "camel"])
def test_the_files_spelling_and_the_apis(spelling: str, ready: list[Line], tell: Told):
    api = {"asset_type": "assetType", "iam_policy": "iamPolicy", "org_policy": "orgPolicy", "update_time": "updateTime"}
    names = api if spelling == "camel" else {}
    snapshot = tell([{names.get(key, key): value for key, value in line.items()} for line in ready])
    assert snapshot.project.provenance.source == f"cloud asset export, as of {UPDATED}"
    assert snapshot.allow_policies.policies[OWN].bindings


# What is above


def test_a_folder_without_bindings_is_known_to_have_none(ready: list[Line], tell: Told):
    lines = without(ready, "Folder", "iam_policy")
    policy = tell(lines).allow_policies.policies[FOLDER]
    assert policy.bindings == ()
    assert policy.provenance.resource.endswith(f":{line_of(lines, 'Folder')}")


def test_a_folder_that_is_not_in_the_export_is_unknown(ready: list[Line], tell: Told):
    lines = without(without(ready, "Folder", "iam_policy"), "Folder")
    policy = tell(lines).allow_policies.policies[FOLDER]
    assert isinstance(policy.reason, Incomplete)
    assert f"neither a RESOURCE nor an IAM_POLICY line of {FOLDER}" in policy.reason.describe()
    assert "--content-type=iam-policy" in policy.reason.settle()


def test_without_any_policy_above_none_is_known_to_be_absent(ready: list[Line], tell: Told):
    lines = without(without(ready, "Folder", "iam_policy"), "Organization", "iam_policy")
    policies = tell(lines).allow_policies.policies
    assert isinstance(policies[FOLDER], Unknown)
    assert isinstance(policies[ORGANIZATION], Unknown)
    assert isinstance(policies[OWN], AllowPolicy)


def test_a_project_without_a_policy_line_has_none_only_if_projects_were_exported(ready: list[Line], tell: Told):
    lines = without(ready, "Project", "iam_policy")
    assert isinstance(tell(lines).allow_policies.policies[OWN], Unknown)
    other = asset(f"{RM}/Project", f"{RM}/projects/7", ["projects/7", ORGANIZATION], iam_policy={"bindings": []})
    assert tell([*lines, other]).allow_policies.policies[OWN].bindings == ()


def test_ancestors_that_contradict_the_parent_leave_a_gap(ready: list[Line], tell: Told):
    lines = [
        {**one, "ancestors": [PROJECT, "folders/4", ORGANIZATION]} if one["asset_type"].endswith("/Project") else one
        for one in ready
    ]
    snapshot = tell(lines)
    assert f"names the parent {FOLDER} and the ancestor folders/4" in snapshot.ancestry.completeness.gap.describe()
    assert snapshot.allow_policies.completeness.gap is not None


def test_ancestors_that_end_below_an_organization_leave_a_gap(ready: list[Line], tell: Told):
    lines = [{**one, "ancestors": one["ancestors"][:2]} for one in ready]
    assert "not what that is in" in tell(lines).ancestry.completeness.gap.describe()


def test_ancestry_by_parents_where_there_are_no_ancestors(ready: list[Line], tell: Told):
    lines = [{key: value for key, value in one.items() if key != "ancestors"} for one in ready]
    ancestry = tell(lines).ancestry
    assert (ancestry.resources, ancestry.completeness.complete) == ((FOLDER, ORGANIZATION), True)
    ancestry = tell(without(lines, "Folder")).ancestry
    assert (ancestry.resources, ancestry.completeness.complete) == ((FOLDER,), False)


def test_a_project_alone_in_its_ancestry_is_in_nothing(ready: list[Line], tell: Told):
    (project,) = of_kind(ready, "Project")
    data = {key: value for key, value in project["resource"]["data"].items() if key != "parent"}
    alone = {**project, "resource": {"data": data}, "ancestors": [PROJECT]}
    policy = {**of_kind(ready, "Project", "iam_policy")[0], "ancestors": [PROJECT]}
    snapshot = tell([alone, policy])
    assert (snapshot.ancestry.resources, snapshot.ancestry.completeness.complete) == ((), True)
    assert list(snapshot.allow_policies.policies) == [OWN]
    assert snapshot.allow_policies.completeness.complete
    assert isinstance(snapshot.organization, Unknown)


# What is not in it


def test_what_no_line_tells_is_unknown_with_what_settles_it(ready: list[Line], tell: Told):
    snapshot = tell(without(without(without(ready, "ProjectBillingInfo"), "Service"), "Dataset"))
    for fact, settle in (
        (snapshot.billing, "gcloud billing projects describe"),
        (snapshot.services.services["bigquery.googleapis.com"], "gcloud services list --enabled"),
        (snapshot.datasets, "--content-type=resource"),
        (snapshot.org_policies.policies["gcp.resourceLocations"], "--content-type=org-policy"),
        (snapshot.deny_policies, "--content-type=resource"),
    ):
        assert settle in fact.reason.settle()
    for fact in (snapshot.groups, snapshot.tags, snapshot.caller_identity, snapshot.second_opinions):
        assert isinstance(fact.reason, NotCollected)


def test_an_api_without_a_line_is_not_known_to_be_off(ready: list[Line], tell: Told):
    (bigquery,) = [line for line in of_kind(ready, "Service") if line["name"].endswith("/bigquery.googleapis.com")]
    lines = [line for line in ready if line is not bigquery]
    assert of_kind(lines, "Service")
    for further, state in (
        ([], None),
        ([changed(bigquery, state="DISABLED")], "DISABLED"),
        ([changed(bigquery, state="")], None),
    ):
        service = tell([*lines, *further]).services.services["bigquery.googleapis.com"]
        assert isinstance(service, Unknown) if state is None else service.state == state


def test_a_project_whose_state_is_not_told_is_unknown(ready: list[Line], tell: Told):
    lines = [changed(one, lifecycleState="") if one in of_kind(ready, "Project") else one for one in ready]
    said = tell(lines).project.reason.describe()
    assert f"line {line_of(ready, 'Project')} of" in said
    assert "state" in said


# Several lines about one thing, and several files


def test_of_two_lines_the_newer_counts_whatever_their_order(ready: list[Line], tell: Told):
    (project,) = of_kind(ready, "Project")
    # As text it would come after the other.
    old = {**changed(project, lifecycleState="DELETE_REQUESTED"), "update_time": "2026-03-01T04:05:06Z"}
    for lines in ([*ready, old], [old, *ready]):
        assert tell(lines).project.state == "ACTIVE"
    new = {**old, "update_time": "2026-03-01T04:05:07Z"}
    for lines in ([*ready, new], [new, *ready]):
        assert tell(lines).project.state == "DELETE_REQUESTED"


@pytest.mark.parametrize("time", [UPDATED, "", "yesterday", "2027-03-01T04:05:06"])
def test_two_lines_that_differ_of_which_none_is_newer_are_unknown(time: str, ready: list[Line], tell: Told):
    lines = with_bindings(ready, "Project", {"role": "roles/owner", "members": ["user:x@x.example"]})
    number = line_of(lines, "Project", "iam_policy")
    policy = tell([*ready, {**lines[number - 1], "update_time": time}]).allow_policies.policies[OWN]
    assert isinstance(policy.reason, Unresolved)
    assert f"lines {number} and {len(ready) + 1} of" in policy.reason.describe()


def test_the_same_line_twice_is_the_same_once(ready: list[Line], tell: Told):
    twice, once = tell([*ready, *ready]), tell(ready)
    assert twice.project.state == once.project.state
    assert twice.allow_policies.policies[OWN].bindings == once.allow_policies.policies[OWN].bindings


def test_a_number_that_stands_for_two_projects_tells_neithers_policy(ready: list[Line], tell: Told):
    (project,) = of_kind(ready, "Project")
    snapshot = tell([*ready, changed(project, projectId="acme-other")])
    assert snapshot.project.id == "acme-analytics"
    assert "acme-analytics and acme-other" in snapshot.allow_policies.policies[OWN].reason.describe()
    assert isinstance(snapshot.services.services["bigquery.googleapis.com"], Unknown)


def test_contents_in_files_of_their_own(ready: list[Line], tell: Told):
    apart = tell([line for line in ready if "resource" in line], [line for line in ready if "iam_policy" in line])
    together = tell(ready)
    assert {name: policy.bindings for name, policy in apart.allow_policies.policies.items()} == {
        name: policy.bindings for name, policy in together.allow_policies.policies.items()
    }
    assert apart.datasets.datasets.keys() == together.datasets.datasets.keys()


def test_mixed_contents_in_one_line(ready: list[Line], tell: Told):
    (itself,), (policy,) = of_kind(ready, "Project"), of_kind(ready, "Project", "iam_policy")
    rest = [line for line in ready if line not in (itself, policy)]
    snapshot = tell([*rest, {**policy, **itself}])
    assert snapshot.project.id == "acme-analytics"
    assert snapshot.allow_policies.policies[OWN].bindings


def test_the_snapshot_says_when_it_was_read(ready: list[Line], tell: Told):
    before = datetime.now(UTC)
    snapshot = tell(ready)
    assert before <= snapshot.started_at <= snapshot.finished_at <= datetime.now(UTC)
    assert snapshot.source == "assets"


def test_a_project_that_is_not_there(ready: list[Line], tell: Told):
    with pytest.raises(UsageError, match="acme-analytic'"):
        tell(ready, project="acme-analytic")


def test_escapes_spaces_and_the_order_of_keys_hide_no_line(ready: list[Line], tell: Told, tmp_path: Path):
    path = tmp_path / "odd.json"
    path.write_text("".join(f"{oddly(line)}\n" for line in ready), encoding="utf-8")
    snapshot, usual = tell(path), tell(ready)
    assert snapshot.project.id == usual.project.id
    assert snapshot.allow_policies.policies[OWN].bindings == usual.allow_policies.policies[OWN].bindings
    assert snapshot.datasets.datasets.keys() == usual.datasets.datasets.keys()


def oddly(value: Any) -> str:
    """JSON with some letters escaped, keys backwards, and spaces wherever they may be."""
    if isinstance(value, dict):
        return f"{{{','.join(f' {oddly(key)} : {oddly(one)} ' for key, one in reversed(value.items()))}}}"
    if isinstance(value, list):
        return f"[ {' , '.join(map(oddly, value))} ]"
    if isinstance(value, str):
        return f'"{"".join(f"{chr(92)}u{ord(one):04x}" if one in "Pj/_" else one for one in value)}"'
    return json.dumps(value)

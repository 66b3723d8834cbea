"""What wins over a grant, what only Google can tell, and what nobody may ask: deny policies, second opinions, groups,
perimeters, as a user gets them."""

from pathlib import Path

import pytest

from preflight.emulator import Fault
from preflight.emulator.world import Group
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR, Preflight, Serve
from tests.end_to_end.made_up import (
    CHECK_GROUP,
    DESTINATION,
    FOLDER,
    GET_DENY,
    GET_POLICY,
    GET_ROLE,
    HEAP,
    LIST_DENY,
    ORGANIZATION,
    PERIMETER,
    PROJECT,
    TROUBLESHOOT,
    USER,
    Case,
    Seen,
    answers,
    bind,
    cloud,
    denial,
    ids,
)

JOBS = "bigquery.googleapis.com/jobs.create"
ITSELF = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{VENDOR}"
TEAM, TEAM_DENIED = "group:team@acme.example", "principalSet://goog/group/team@acme.example"
PRODUCTION = "resource.matchTag('1000/env', 'prod')"
GRANT = (Seen(GET_POLICY, PROJECT), Seen(GET_ROLE, USER))
ALL_POLICIES = (
    Seen("cloudresourcemanager.folders.getIamPolicy", FOLDER),
    Seen("cloudresourcemanager.organizations.getIamPolicy", ORGANIZATION),
)
IN_TEAM = (Group(email="team@acme.example", members=(HEAP,), viewers=(f"user:{ADMIN}",)),)
BLIND = {ORGANIZATION: (LIST_DENY,)}
UNREAD = Seen(LIST_DENY, f"{ORGANIZATION}/denypolicies")


def guard(resource: str) -> Seen:
    return Seen(GET_DENY, f"{resource}/denypolicies/guard")


@pytest.mark.parametrize(
    "case",
    [
        Case("granted, then denied", cloud(bind(USER, HEAP), deny={FOLDER: denial(JOBS, to=(ITSELF,))}), "fail",
             f"deny policy guard on {FOLDER} denies {JOBS} to {ITSELF}", (guard(FOLDER), *GRANT, *ALL_POLICIES)),
        Case("denied to a group that it is in", cloud(bind(USER, HEAP), groups=IN_TEAM,
             deny={PROJECT: denial("bigquery.googleapis.com/*.create", to=(TEAM_DENIED,))}), "fail",
             f"deny policy guard on {PROJECT}", (guard(PROJECT), *GRANT, *ALL_POLICIES)),
        Case("denied on a tag", cloud(bind(USER, HEAP), tags={"1000/env": "prod"},
             deny={ORGANIZATION: denial(JOBS, only_if=PRODUCTION)}), "fail", f"guard on {ORGANIZATION}",
             (guard(ORGANIZATION), *GRANT, *ALL_POLICIES)),
        Case("an exception", cloud(bind(USER, HEAP), deny={FOLDER: denial("bigquery.googleapis.com/*.*",
             but=(ITSELF,))}), "pass", f"{HEAP} holds bigquery.jobs.create", GRANT),
        Case("on another value of the tag", cloud(bind(USER, HEAP), tags={"1000/env": "dev"},
             deny={ORGANIZATION: denial(JOBS, only_if=PRODUCTION)}), "pass", f"{HEAP} holds", GRANT),
        Case("something else is denied", cloud(bind(USER, HEAP), deny={FOLDER: denial(
             "bigquery.googleapis.com/datasets.delete")}), "pass", f"{HEAP} holds", GRANT),
        Case("unread, and noted", cloud(bind(USER, HEAP), withheld=BLIND), "pass", f"{HEAP} holds", (*GRANT, UNREAD)),
        Case("unread, and unknown", cloud(bind(USER, HEAP), withheld=BLIND), "unknown",
             f"access denied: iam.denypolicies.list on {ORGANIZATION}", (*GRANT, *ALL_POLICIES, UNREAD),
             ("--unread-deny", "unknown"), reason="denied"),
        Case("unread, and nothing is granted", cloud(withheld=BLIND), "fail", f"no role of {HEAP}",
             (GRANT[0], *ALL_POLICIES), ("--unread-deny", "unknown")),
    ],
    ids=ids,
)  # fmt: skip
def test_deny_policies(case: Case, serve: Serve, preflight: Preflight):
    finding = answers("jobs-create", case, serve, preflight)
    noted = [one["detail"] for one in finding["evidence"] if "none is assumed" in one["detail"]]
    assert len(noted) == (case.name == "unread, and noted")
    exceptions = [one for one in finding["remedies"] if "exception" in one["summary"]]
    assert bool(exceptions) == (case.verdict == "fail" and "denied" in case.name)
    assert all(f'exception_principals = ["{ITSELF}"]' in one["terraform"] for one in exceptions)


def test_the_role_that_a_deny_policy_spoils_is_there_all_the_same(serve: Serve, preflight: Preflight):
    world = cloud(bind(USER, HEAP), deny={FOLDER: denial(JOBS, to=(ITSELF,))})
    case = Case("", world, "pass", "but deny policy guard", (guard(FOLDER), *GRANT, *ALL_POLICIES))
    answers("vendor-role", case, serve, preflight)


ASKED = Seen(TROUBLESHOOT, PROJECT)
CROSS_CHECK = ("--cross-check",)
SHUT = {ORGANIZATION: ("cloudresourcemanager.organizations.getIamPolicy",)}


@pytest.mark.parametrize(
    "case",
    [
        Case("the same: granted", cloud(bind(USER, HEAP)), "pass", "the same answers to 2 questions", (ASKED,)),
        Case("the same: denied", cloud(bind(USER, HEAP), deny={FOLDER: denial(JOBS)}), "pass",
             "the same answers to 2 questions", (ASKED,)),
        Case("the same: through a group", cloud(bind(USER, TEAM), groups=IN_TEAM), "pass",
             "the same answers to 2 questions", (ASKED,)),
        Case("a deny policy that only Google saw", cloud(bind(USER, HEAP), deny={FOLDER: denial(JOBS)}), "warn",
             f"bigquery.jobs.create on {PROJECT} is not granted for Google, and granted by what was read",
             (ASKED, *GRANT, *(Seen(LIST_DENY, f"{on}/denypolicies") for on in (PROJECT, FOLDER, ORGANIZATION))),
             faults=(Fault(LIST_DENY, "denied"),)),
        Case("Google is told no more", cloud(withheld=SHUT), "unknown", "Google can't tell either", (ASKED,),
             reason="unresolved"),
        Case("the API is off", cloud(bind(USER, HEAP)), "unknown", "policytroubleshooter.googleapis.com is not enabled",
             (ASKED,), faults=(Fault(TROUBLESHOOT, "api_disabled"),), reason="api_disabled"),
        Case("nothing to compare", cloud(bind(USER, HEAP)), "unknown",
             "bigquery.datasets.create is granted, bigquery.jobs.create is granted",
             (ASKED,), faults=(Fault("cloudresourcemanager.projects.getIamPolicy", "denied"),), reason="denied"),
    ],
    ids=ids,
)  # fmt: skip
def test_second_opinion(case: Case, serve: Serve, preflight: Preflight):
    finding = answers("second-opinion", case, serve, preflight)
    theirs = [one["detail"] for one in finding["evidence"] if one["source"] == TROUBLESHOOT]
    assert any(detail.startswith("bigquery.jobs.create on ") for detail in theirs) or case.reason == "api_disabled"


def test_second_opinion_of_the_account_itself(serve: Serve, preflight: Preflight):
    stand_in = serve(cloud(bind(USER, HEAP), organization=(bind("roles/iam.securityAuditor", HEAP),)))
    result = preflight(*RUN, "--rule", "second-opinion", *JSON, environ=stand_in.environ(VENDOR))
    finding = result.finding("second-opinion")
    assert finding["verdict"] == "pass"
    tested = [one for one in finding["evidence"] if one["source"] == "cloudresourcemanager.projects.testIamPermissions"]
    assert f"bigquery.jobs.create on {PROJECT} is granted" in {one["detail"] for one in tested}
    assert "iam.roles.get" not in finding["message"]


def test_what_follows_from_a_project_that_is_being_deleted(serve: Serve, preflight: Preflight):
    stand_in = serve(cloud(bind(USER, HEAP), state="DELETE_REQUESTED"))
    result = preflight(*RUN, *CROSS_CHECK, *DESTINATION, *JSON, environ=stand_in.environ())
    assert result.code == 1
    assert result.verdicts.pop("project-active") == "fail"
    for name, verdict in result.verdicts.items():
        assert name == "project-active" or (verdict, result.finding(name)["because"]) == ("skip", "project-active")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("groups.json", f'{{"team@acme.example": ["{VENDOR}"]}}'),
        ("groups.toml", f'"team@acme.example" = ["{VENDOR}"]'),
        ("groups.csv", f"team@acme.example,{VENDOR}"),
    ],
)
def test_group_members_are_told_by_a_file(form: str, text: str, tmp_path: Path, serve: Serve, preflight: Preflight):
    path = tmp_path / form
    path.write_text(text, encoding="utf-8")
    world = cloud(bind(USER, TEAM))
    told = ("--group-members", str(path))
    case = Case("", world, "pass", f"{HEAP} holds", (*GRANT, Seen("--group-members", f"{path}:1")), told)
    answers("jobs-create", case, serve, preflight)
    path.write_text(text.replace(VENDOR, "ana@acme.example"), encoding="utf-8")
    seen = (GRANT[0], *ALL_POLICIES, case.seen[-1])
    answers("jobs-create", case._replace(verdict="fail", says="no role", seen=seen), serve, preflight)


@pytest.mark.parametrize(
    ("form", "text", "where"),
    [
        ("groups.json", '{\n"team@acme.example": ["nobody"]}', "groups.json:2: 'nobody' is not a member"),
        ("groups.toml", 'team@acme.example = ["x"]', "groups.toml:1"),
        ("groups.csv", "group,member\nteam@acme.example", "groups.csv:2: 1 value "),
        ("groups.yaml", "team: []", "must end in .json, .toml or .csv"),
    ],
)
def test_a_bad_file_of_group_members(
    form: str, text: str, where: str, tmp_path: Path, serve: Serve, preflight: Preflight
):
    path = tmp_path / form
    path.write_text(text, encoding="utf-8")
    stand_in = serve(cloud())
    preflight(*RUN, "--group-members", str(path), *JSON, environ=stand_in.environ()).refuses(str(path), where)
    assert not stand_in.emulator.exchanges


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_perimeter_is_named_with_its_identifier_by_all_that_it_hides(
    transport: str, serve: Serve, preflight: Preflight
):
    stand_in = serve(cloud(bind(USER, HEAP)))
    stand_in.emulator.inject(Fault("*", "vpc_service_controls"))
    options = ("--transport", transport, *DESTINATION)
    result = preflight(*RUN, *options, *JSON, environ=stand_in.environ())
    assert result.code == 3
    unseen = [finding for finding in result.report["findings"] if finding["verdict"] == "unknown"]
    assert {"project-active", "billing-enabled", "jobs-create", "dataset-writable", "service-allowed"} <= {
        finding["rule"] for finding in unseen
    }
    for finding in unseen:
        assert finding["reason"]["kind"] == "vpc_service_controls"
        assert finding["reason"]["identifier"] == PERIMETER
        assert f"unique identifier {PERIMETER}" in finding["message"]
        advice = [remedy["summary"] for remedy in finding["remedies"]]
        assert advice[0].startswith(f"Give the unique identifier {PERIMETER} to the organization's security admins")
        assert len(advice) == len(set(advice))


def test_who_is_in_a_group_is_asked_only_where_it_matters(serve: Serve, preflight: Preflight):
    stand_in = serve(cloud(bind("roles/browser", TEAM), groups=IN_TEAM))
    preflight(*RUN, "--rule", "jobs-create", *JSON, environ=stand_in.environ())
    assert CHECK_GROUP not in stand_in.methods

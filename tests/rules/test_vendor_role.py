"""vendor-role: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import Completeness, Denied, Incomplete, TimedOut, Unknown
from preflight.testing import HERE, deny, groups, judge, target
from tests.conftest import (
    ACME,
    EDITOR,
    FOLDER,
    HEAP,
    JOB_USER,
    ORGANIZATION,
    USER,
    bind,
    obey,
    obey_terraform,
    policies,
    role,
    roles,
    unreadable,
)
from tests.obedience import obeyed

CUSTOM = "projects/acme-analytics/roles/sqlRunner"
ANA, ADMINS = "user:ana@acme.example", "group:admins@acme.example"
JOBS, PAST = "bigquery.jobs.create", "request.time < timestamp('2025-12-31T00:00:00Z')"
WEEKDAYS = "request.time.getDayOfWeek() in [1, 2, 3, 4]"  # it is a Friday
FROM_OFFICE = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"
NO_ROLE = Unknown(Denied("iam.roles.get", ACME), HERE)


def verdict_on(*bindings, custom=(), unread=None, **above):
    return judge("vendor-role", allow_policies=policies(*bindings, **above), roles=roles(*custom, **unread or {}))


@pytest.mark.parametrize(
    ("bindings", "above", "status", "says"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", f"has {USER}", id="the role asked for"),
        pytest.param([bind(USER, ANA, HEAP.upper().replace("SERVICEACCOUNT", "serviceAccount"))], {}, "pass", USER,
                     id="in capitals, among others"),
        pytest.param([], {"folder": (bind(USER, HEAP),)}, "pass", USER, id="by a folder"),
        pytest.param([], {"folder": (), "organization": (bind(USER, HEAP),)}, "pass", USER, id="by the organization"),
        pytest.param([bind(USER, HEAP)], {"folder": unreadable(FOLDER)}, "pass", USER, id="direct, folder unseen"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP)], {}, "pass", "the minimum", id="the minimum"),
        pytest.param([bind(EDITOR, HEAP)], {"folder": (bind(JOB_USER, HEAP),)}, "pass", "the minimum",
                     id="one half on the project, the other on a folder"),
        pytest.param([bind(EDITOR, HEAP)], {}, "fail", f"it has {EDITOR}; bigquery.jobs.create is missing",
                     id="jobs.create is missing"),
        pytest.param([bind(JOB_USER, HEAP)], {}, "fail", f"it has bigquery.jobs.create; {EDITOR} is missing",
                     id="dataEditor is missing"),
        pytest.param([bind("roles/bigquery.dataOwner", HEAP)], {}, "fail", "neither", id="a role near to it"),
        pytest.param([], {}, "fail", "neither the role asked for nor the minimum", id="no binding, and no ancestors"),
        pytest.param([bind(USER, ANA)], {"folder": (), "organization": ()}, "fail", "neither", id="someone else's"),
        pytest.param([bind("roles/owner", HEAP)], {}, "warn", "it has roles/owner", id="Owner"),
        pytest.param([bind("roles/editor", HEAP)], {}, "warn", "it has roles/editor", id="Editor"),
        pytest.param([bind("roles/bigquery.admin", HEAP)], {}, "warn", "roles/bigquery.admin", id="BigQuery Admin"),
        pytest.param([], {"organization": (bind("roles/owner", HEAP),)}, "warn", "roles/owner", id="Owner, inherited"),
        pytest.param([bind("roles/owner", HEAP)], {"folder": unreadable(FOLDER)}, "warn", "roles/owner",
                     id="Owner, folder unseen: it works in any case"),
        pytest.param([bind("roles/viewer", HEAP)], {}, "fail", "it has bigquery.jobs.create",
                     id="Viewer makes no datasets"),
        pytest.param([bind(USER, HEAP, only_if=FROM_OFFICE)], {}, "unknown", FROM_OFFICE,
                     id="on a condition that can't be told from here"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP, only_if=FROM_OFFICE)], {}, "unknown", FROM_OFFICE,
                     id="half of it on a condition that can't be told from here"),
        pytest.param([bind("roles/future.admin", HEAP)], {}, "unknown", "roles/future.admin",
                     id="a role that was not read"),
        pytest.param([bind(USER, ADMINS)], {}, "unknown", ADMINS, id="through a group"),
        pytest.param([bind("roles/owner", ADMINS)], {}, "unknown", ADMINS, id="Owner through a group would be enough"),
        pytest.param([bind("roles/browser", ADMINS)], {}, "fail", "neither", id="a group with a role of no matter"),
        pytest.param([bind(JOB_USER, ADMINS)], {}, "fail", "neither", id="a group with half of it, the other missing"),
        pytest.param([bind(USER, HEAP), bind("roles/owner", ADMINS)], {}, "pass", USER, id="direct, beside a group"),
        pytest.param([], {"folder": unreadable(FOLDER)}, "unknown", f"folders.getIamPolicy on {FOLDER}",
                     id="a folder's policy can't be read"),
        pytest.param([bind(EDITOR, HEAP)], {"folder": (), "organization": unreadable(ORGANIZATION)}, "unknown",
                     ORGANIZATION, id="half of it, the organization unseen"),
        pytest.param([bind(USER, f"deleted:{HEAP}?uid=1")], {}, "fail", "a deleted account of the same name",
                     id="deleted, and made again"),
        pytest.param([bind(USER, HEAP.replace("serviceAccount:", "user:"))], {}, "fail", "written as user: instead of",
                     id="user: instead of serviceAccount:"),
        pytest.param([bind(USER, "serviceAccount:heap-sql@acme-analytics.iam.gserviceaccount.com")], {}, "fail",
                     "an account of the same name elsewhere", id="another project's"),
        pytest.param([bind(USER, HEAP.replace("heap-sql", "heap-sqI"))], {}, "fail", "misspelt?", id="misspelt"),
        pytest.param([bind(USER, f"deleted:{HEAP}?uid=1")], {"folder": unreadable(FOLDER)}, "unknown", "deleted",
                     id="deleted, folder unseen: still named"),
    ],
)  # fmt: skip
def test_each_answer(bindings, above, status, says):
    verdict = verdict_on(*bindings, **above)
    assert verdict.status == status
    assert says in verdict.message
    assert verdict.evidence


@pytest.mark.parametrize(
    ("held", "status"),
    [
        pytest.param(role(CUSTOM, "bigquery.jobs.create"), "pass", id="it holds jobs.create"),
        pytest.param(role(CUSTOM, "bigquery.tables.get"), "fail", id="it holds something else"),
        pytest.param(role(CUSTOM), "fail", id="it holds nothing"),
        pytest.param(role(CUSTOM, "bigquery.jobs.create", deleted=True), "fail", id="it was deleted"),
        pytest.param(role(CUSTOM, "bigquery.jobs.create", disabled=True), "fail", id="its stage is disabled"),
    ],
)
def test_the_minimum_by_a_custom_role(held, status):
    assert verdict_on(bind(EDITOR, HEAP), bind(CUSTOM, HEAP), custom=[held]).status == status


@pytest.mark.parametrize(
    ("bindings", "unread", "status"),
    [
        pytest.param([bind(USER, HEAP)], {"bigquery__user": NO_ROLE}, "pass", id="the role itself is asked for"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP)], {"bigquery__jobUser": NO_ROLE}, "unknown",
                     id="whether it holds jobs.create"),
        pytest.param([bind("roles/owner", HEAP)], {"owner": NO_ROLE}, "unknown", id="whether it is more than enough"),
    ],
)  # fmt: skip
def test_a_role_whose_permissions_can_not_be_read(bindings, unread, status):
    verdict = verdict_on(*bindings, unread=unread)
    assert verdict.status == status
    assert status == "pass" or verdict.reason == NO_ROLE.reason


def test_a_preferred_role_that_was_deleted_gives_nothing(heap):
    own = replace(heap, grant=replace(heap.grant, role=CUSTOM))
    for gone, status in ((False, "pass"), (True, "fail")):
        seen = roles(role(CUSTOM, deleted=gone))
        allowed = policies(bind(CUSTOM, HEAP))
        assert judge("vendor-role", allow_policies=allowed, roles=seen, profile=own).status == status


def test_a_preferred_role_through_a_group_is_open_even_if_it_holds_little(heap):
    own = replace(heap, grant=replace(heap.grant, role=CUSTOM))
    allowed, seen = policies(bind(CUSTOM, ADMINS)), roles(role(CUSTOM, "bigquery.jobs.create"))
    assert judge("vendor-role", allow_policies=allowed, roles=seen, profile=own).status == "unknown"


def test_a_vendor_without_a_minimum_or_a_broad_grant(heap):
    strict = replace(heap, grant=replace(heap.grant, minimum_roles=(), minimum_permissions=(), broad_permissions=()))
    for held, status in ((USER, "pass"), ("roles/owner", "fail"), (EDITOR, "fail")):
        allowed = policies(bind(held, HEAP))
        assert judge("vendor-role", allow_policies=allowed, roles=roles(), profile=strict).status == status


@pytest.mark.parametrize(
    ("bindings", "status", "says"),
    [
        pytest.param([bind(USER, HEAP, only_if=PAST)], "fail", "by a condition that expired at 2025-12-31 00:00 UTC",
                     id="expired"),
        pytest.param([bind(USER, HEAP, only_if=WEEKDAYS)], "fail", "false at 2026-01-02 03:04 UTC", id="not today"),
        pytest.param([bind(USER, HEAP, only_if=f"!({PAST})")], "pass", f"has {USER}", id="a condition that is true"),
        pytest.param([bind(USER, ADMINS)], "pass", f"has {USER}", id="through a group whose members are known"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP, only_if=PAST)], "fail", "expired", id="half of it"),
    ],
)  # fmt: skip
def test_conditions_and_groups(bindings, status, says):
    known = groups({"admins@acme.example": (HEAP,)})
    verdict = judge("vendor-role", allow_policies=policies(*bindings), roles=roles(), groups=known)
    assert verdict.status == status
    assert says in verdict.message


def test_a_deny_rule_that_takes_away_what_the_role_gives_is_told():
    facts = {"allow_policies": policies(bind(USER, HEAP)), "roles": roles(), "deny_policies": deny(JOBS)}
    verdict = judge("vendor-role", **facts)
    assert verdict.status == "pass", "the role is there; jobs-create judges what is left of it"
    assert f"has {USER}; but deny policy guard on {ACME} denies" in verdict.message
    assert any("deny policy guard denies" in evidence.detail for evidence in verdict.evidence)
    assert judge("jobs-create", **facts).status == "fail"


def test_the_minimum_needs_its_permission_undenied():
    facts = {"allow_policies": policies(bind(EDITOR, HEAP), bind(JOB_USER, HEAP)), "roles": roles()}
    assert judge("vendor-role", **facts).status == "pass"
    verdict = judge("vendor-role", **facts, deny_policies=deny(JOBS))
    assert verdict.status == "fail"
    assert "denies bigquery.googleapis.com/jobs.create" in verdict.message
    assert len(verdict.remedies) == 1, "a custom role would be denied it as well"


@pytest.mark.parametrize("held", [[], [bind(EDITOR, HEAP)], [bind(JOB_USER, HEAP)]], ids=["nothing", "one", "other"])
def test_the_minimum_as_a_custom_role_passes_too(held):
    facts = {"allow_policies": policies(*held), "roles": roles()}
    remedy = judge("vendor-role", **facts).remedies[1]
    assert ("google_project_iam_custom_role" in remedy.terraform) == (bind(JOB_USER, HEAP) not in held)
    after = obeyed((remedy,), facts)
    assert "the minimum" in judge("vendor-role", **after).message
    assert len(remedy.commands) == {0: 3, 1: 2 if held == [bind(EDITOR, HEAP)] else 1}[len(held)]


@pytest.mark.parametrize("kind", ["serviceAccount", "user"])
def test_any_principal_is_judged_alike(kind):
    other = f"{kind}:sync@other.example"
    allowed = policies(bind(USER, other))
    assert judge("vendor-role", allow_policies=allowed, roles=roles(), target=target(principal=other)).status == "pass"
    assert judge("vendor-role", allow_policies=allowed, roles=roles()).status == "fail"


@pytest.mark.parametrize(
    "gap",
    [Completeness(Denied("resourcemanager.folders.get", FOLDER)), Completeness(Incomplete("a page is missing"))],
    ids=["an ancestor is not known", "a page is missing"],
)
def test_not_granted_needs_all_policies_whole(gap):
    whole = policies(bind(EDITOR, HEAP))
    cut = replace(whole.policies[ACME], completeness=gap)
    for partial in (replace(whole, completeness=gap), replace(whole, policies={ACME: cut})):
        verdict = judge("vendor-role", allow_policies=partial, roles=roles())
        assert verdict.status == "unknown"
        assert verdict.reason == gap.gap


def test_policies_of_ancestors_alone_say_nothing_of_the_projects_own():
    above = replace(policies(folder=()), policies={FOLDER: policies(folder=()).policies[FOLDER]})
    verdict = judge("vendor-role", allow_policies=above, roles=roles())
    assert verdict.status == "unknown"
    assert ACME in verdict.message


def test_nothing_of_the_policies_was_seen():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy", 5), HERE)
    verdict = judge("vendor-role", allow_policies=late, roles=roles())
    assert (verdict.status, verdict.reason) == ("unknown", late.reason)


@pytest.mark.parametrize(
    ("bindings", "above"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param([bind(EDITOR, HEAP)], {"folder": ()}, id="half"),
        pytest.param([bind(USER, f"deleted:{HEAP}?uid=1")], {}, id="a lookalike"),
        pytest.param([bind("roles/owner", HEAP)], {}, id="more than asked for"),
        pytest.param([], {"folder": unreadable(FOLDER)}, id="an ancestor unseen: the grant settles it"),
        pytest.param([bind(USER, ADMINS)], {}, id="a group: so does it here"),
    ],
)
def test_doing_what_the_remedy_says_passes(bindings, above):
    before = policies(*bindings, **above)
    remedies = judge("vendor-role", allow_policies=before, roles=roles()).remedies
    remedy = next(remedy for remedy in remedies if remedy.commands)
    for after in (obey(remedy.commands[0], before), obey_terraform(remedy.terraform, before)):
        assert judge("vendor-role", allow_policies=after, roles=roles()).status == "pass"


def test_all_lookalikes_are_in_the_evidence():
    near = [f"serviceAccount:heap-sql@other-{n}.iam.gserviceaccount.com" for n in range(5)]
    verdict = verdict_on(bind(USER, *near))
    assert all(any(member in evidence.detail for evidence in verdict.evidence) for member in near)


def test_the_evidence_of_a_pass_is_the_binding_and_where_it_is():
    (evidence,) = verdict_on(folder=(bind(USER, ANA, HEAP),)).evidence
    assert evidence.resource == FOLDER
    assert evidence.detail == f"{USER} is granted to {HEAP}"


@pytest.mark.parametrize(
    ("bindings", "above", "shown"),
    [
        ([bind(USER, HEAP)], {}, {(USER,): True}),
        ([bind(EDITOR, HEAP), bind(JOB_USER, HEAP)], {}, {(EDITOR,): True, (JOBS,): True}),
        ([], {}, {(USER, EDITOR, JOBS): False}),
        ([bind(EDITOR, HEAP)], {}, {(USER, JOBS): False, (EDITOR,): True}),
    ],
)
def test_it_shows_how_that_comes_about(bindings, above, shown):
    assert {path.wanted: path.granted for path in verdict_on(*bindings, **above).access} == shown


def test_a_role_that_is_open_is_shown_as_such():
    paths = verdict_on(folder=unreadable(FOLDER)).access
    assert {path.granted for path in paths} == {None}

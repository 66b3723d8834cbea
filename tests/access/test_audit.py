"""The audit's table: each kind of cell, each flag, and that blindness is never a blank."""

import pytest
from msgspec.structs import replace

from preflight.access.audit import State, audit
from preflight.access.audit_flags import FlagKind
from preflight.access.decision import Answer
from preflight.facts.capabilities import CAPABILITIES
from preflight.facts.dataset import AccessEntry, Datasets
from preflight.facts.deny import DenyRule
from preflight.facts.policy import Binding, Condition
from preflight.facts.seen import Completeness, Denied, Incomplete, NotCollected, TimedOut, Unknown
from preflight.testing import FOLDER, HERE, bind, custom_role, policies, roles, unreadable
from tests.access.audits import (
    ACME,
    ANA,
    MOMENT,
    ROOT,
    audited,
    cell_of,
    dataset,
    denying,
    denying_by,
    group,
    rich,
    row_of,
)

USER, VIEWER = "roles/bigquery.user", "roles/bigquery.dataViewer"
GROUP = "group:analysts@acme.example"
GRANTED, UNKNOWN, NOT_GRANTED = State.GRANTED, State.UNKNOWN, State.NOT_GRANTED
LATE = Unknown(TimedOut("x.y.get"), HERE)
EVERYBODY, JOBS = ("principalSet://goog/public:all",), "bigquery.googleapis.com/jobs.create"


def states(made, member):
    return {c.id: cell.state for c, cell in zip(CAPABILITIES, row_of(made, member).cells, strict=True)}


def flags(made, member):
    return {flag.kind.value: flag.detail for flag in row_of(made, member).flags}


def test_a_row_has_a_cell_for_each_capability():
    made = audited(policies(bind(USER, ANA)))
    assert states(made, ANA) == {
        "run-jobs": GRANTED,
        "create-datasets": GRANTED,
        "read-data": NOT_GRANTED,
        "write-data": NOT_GRANTED,
        "change-access": NOT_GRANTED,
    }
    assert not made.blind


def test_a_project_without_any_permissions_has_no_rows():
    made = audited(policies())
    assert (made.rows, made.open_points, made.blind) == ((), (), False)


def test_each_member_has_one_row_by_whatever_spelling():
    made = audited(
        policies(
            bind(USER, "user:Ana@ACME.example", ANA),
            bind("roles/viewer", "principal://goog/subject/ana@acme.example"),
            Binding("roles/viewer", ()),
            folder=(bind(VIEWER, "user:ANA@acme.example"),),
        ),
        dataset("sales", AccessEntry(role="READER", user="aNa@acme.example")),
        deny=denying("principal://goog/subject/ANA@acme.example", permission="x.googleapis.com/y.z"),
    )
    assert [row.member for row in made.rows] == ["user:Ana@ACME.example"]
    assert cell_of(made, "user:Ana@ACME.example", "read-data").state is GRANTED


@pytest.mark.parametrize(
    ("denied", "member", "principal"),
    [
        ("principal://goog/subject/Mallory@evil.example", None, "user:mallory@evil.example"),
        ("principal://iam.googleapis.com/projects/-/serviceAccounts/x@p-12345.iam.gserviceaccount.com", None,
         "serviceAccount:x@p-12345.iam.gserviceaccount.com"),
        ("principalSet://goog/group/G@acme.example", None, "group:g@acme.example"),
        ("principal://goog/subject/root@acme.example", ROOT, ROOT),
        ("principalSet://goog/public:all", "", ""),
    ],
)  # fmt: skip
def test_whom_only_a_deny_rule_names_has_a_row_too(denied, member, principal):
    made = audited(policies(bind("roles/owner", ROOT)), deny=denying(denied))
    others = [row for row in made.rows if row.member != ROOT]
    if member is None:
        assert [(row.member, row.principal) for row in others] == [(denied, principal)]
        assert {cell.state for cell in others[0].cells} == {NOT_GRANTED}
    else:
        assert others == []


def test_special_groups_of_datasets_have_no_row_but_their_holders_have_the_access():
    entries = [AccessEntry(role="OWNER", special_group=name) for name in ("projectOwners", "projectReaders")]
    made = audited(policies(bind("roles/owner", ROOT), bind("roles/viewer", GROUP)), dataset("sales", *entries))
    assert {row.member for row in made.rows} == {ROOT, GROUP}
    assert cell_of(made, GROUP, "write-data").datasets == ("sales",)


def test_a_dataset_s_own_list_gives_it_there_only():
    lists = [dataset(name, AccessEntry(role=role, user="ana@acme.example"))
             for name, role in (("b", "READER"), ("a", "OWNER"), ("c", "roles/unheard.of"))]  # fmt: skip
    made = audited(policies(), *lists, roles=roles(custom_role("roles/unheard.of")))
    assert cell_of(made, ANA, "read-data").datasets == ("a", "b")
    assert not cell_of(made, ANA, "read-data").more
    assert cell_of(made, ANA, "change-access").datasets == ("a",)
    assert cell_of(made, ANA, "run-jobs").state is NOT_GRANTED


def test_what_the_project_gives_is_not_counted_by_datasets():
    made = audited(policies(bind(VIEWER, ANA)), dataset("a", AccessEntry(role="READER", user="ana@acme.example")))
    found = cell_of(made, ANA, "read-data")
    assert (found.state, found.on_project, found.datasets) == (GRANTED, Answer.GRANTED, ())


def test_a_grant_that_ends_says_when():
    until = "request.time < timestamp('2027-01-01T00:00:00Z')"
    made = audited(policies(bind(USER, ANA, only_if=until)))
    assert cell_of(made, ANA, "run-jobs").until == MOMENT.replace(year=2027, day=1, hour=0, minute=0, second=0)
    both = audited(policies(bind(USER, ANA, only_if=until), bind("roles/bigquery.jobUser", ANA)))
    assert cell_of(both, ANA, "run-jobs").until is None
    past = audited(policies(bind(USER, ANA, only_if="request.time < timestamp('2025-01-01T00:00:00Z')")))
    assert cell_of(past, ANA, "run-jobs").state is NOT_GRANTED


def test_a_deny_rule_blanks_a_cell():
    made = audited(policies(bind(USER, ANA)), deny=denying("principalSet://goog/public:all"))
    assert states(made, ANA)["run-jobs"] is NOT_GRANTED
    assert states(made, ANA)["create-datasets"] is GRANTED


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param({"allow": policies(bind(USER, ANA), folder=unreadable(FOLDER))}, "policy", id="a policy"),
        pytest.param(
            {"allow": replace(policies(bind(USER, ANA)), completeness=Completeness(Incomplete("cut")))},
            "ancestors",
            id="ancestors",
        ),
        pytest.param({"datasets": LATE}, "datasets", id="no dataset at all"),
        pytest.param({"gap": Completeness(Denied("bigquery.datasets.list"))}, "datasets", id="some datasets"),
        pytest.param({"datasets": Datasets.of(dataset("a", unread=True))}, "dataset access", id="a list"),
        pytest.param({"datasets": Datasets(provenance=HERE, datasets={"a": LATE})}, "dataset access", id="a dataset"),
        pytest.param({"allow": policies(bind(USER, ANA), bind(VIEWER, GROUP))}, "group", id="a group"),
        pytest.param({"allow": policies(bind(USER, ANA), bind("roles/un.read", ANA))}, "role", id="a role"),
        pytest.param(
            {"allow": policies(bind(USER, ANA), bind(VIEWER, ANA, only_if="'x' in request.auth.access_levels"))},
            "condition",
            id="a condition",
        ),
        pytest.param({"allow": policies(bind(USER, ANA), bind(VIEWER, "robot:x"))}, "member", id="a kind of member"),
    ],
)
def test_what_was_not_seen_is_never_a_blank_and_is_told(change, kind):
    base = audited(policies(bind(USER, ANA)))
    facts = replace(
        base.access.facts,
        allow=change.get("allow", base.access.facts.allow),
        roles=replace(base.access.facts.roles, roles={**base.access.facts.roles.roles, "roles/un.read": LATE}),
    )
    listed = change.get("datasets", Datasets.of())
    if "gap" in change:
        listed = replace(listed, completeness=change["gap"])
    made = audit(type(base.access)(facts), listed, ACME)
    assert cell_of(made, ANA, "read-data").state is UNKNOWN
    assert states(made, ANA)["run-jobs"] is GRANTED, "what is granted stays granted"
    assert [point.kind for point in made.open_points if point.weighs] == [kind]
    assert made.blind
    assert made.open_points[0].unknown.reason.settle()


LEVELS = "'x' in request.auth.access_levels"


@pytest.mark.parametrize(
    ("facts", "entries", "kind", "about"),
    [
        pytest.param({"deny": denying(GROUP)}, (), "group", "analysts@acme.example", id="whom a deny rule denies"),
        pytest.param({"deny": denying_by(DenyRule(EVERYBODY, (JOBS,), (GROUP,)))}, (), "group",
                     "analysts@acme.example", id="the exception of a deny rule"),
        pytest.param({"deny": denying_by(DenyRule(EVERYBODY, (JOBS,), condition=Condition(LEVELS)))}, (), "condition",
                     LEVELS, id="the condition of a deny rule"),
        pytest.param({"folder": (bind("roles/viewer", ANA),)},
                     (AccessEntry(role="READER", special_group="projectReaders"),), "basic role", "projectReaders",
                     id="whoever inherits a basic role, in a dataset's list"),
        pytest.param({"folder": (bind("roles/owner", ANA),), "also": (bind(VIEWER, "projectOwner:acme-analytics"),)},
                     (), "basic role", "projectOwner:acme-analytics", id="whoever inherits it, in a binding"),
        pytest.param({}, (AccessEntry(role="READER", special_group="odd"),), "member", "odd", id="an odd group"),
    ],
)  # fmt: skip
def test_each_cause_of_an_open_cell_is_told(facts, entries, kind, about):
    facts = dict(facts)
    allow = policies(bind(USER, ANA), *facts.pop("also", ()), folder=facts.pop("folder", None))
    made = audited(allow, dataset("sales", *entries), **facts)
    assert UNKNOWN in states(made, ANA).values()
    assert [(point.kind, point.about) for point in made.open_points if point.weighs] == [(kind, about)]
    assert made.open_points[0].unknown.reason.settle()
    assert made.blind


def test_whoever_inherits_a_basic_role_is_no_open_point_where_no_list_stands_for_them():
    made = audited(policies(bind(USER, ANA), folder=(bind("roles/viewer", ANA),)), dataset("sales"))
    assert not made.blind


def test_members_of_a_known_group_leave_nothing_open():
    made = audited(policies(bind(VIEWER, GROUP), bind(USER, ANA, ROOT)), groups=group("analysts@acme.example", ANA))
    assert cell_of(made, ANA, "read-data").state is GRANTED
    assert cell_of(made, ROOT, "read-data").state is NOT_GRANTED
    assert not made.blind


def test_a_deleted_account_can_do_nothing_also_if_a_policy_is_unseen():
    gone = f"deleted:{ANA}?uid=1"
    made = audited(policies(bind("roles/owner", gone), folder=unreadable(FOLDER)))
    assert {cell.state for cell in row_of(made, gone).cells} == {NOT_GRANTED}
    assert "roles/owner on projects/acme-analytics" in flags(made, gone)["deleted"]


def test_unread_deny_policies_are_told_and_not_counted_unless_they_are_to_block():
    seen = audited(policies(bind(USER, ANA)), deny=LATE)
    assert [(point.kind, point.weighs) for point in seen.open_points] == [("deny policy", False)]
    assert not seen.blind
    strict = audited(policies(bind(USER, ANA)), deny=LATE, unread_deny_blocks=True)
    assert strict.blind
    assert states(strict, ANA)["run-jobs"] is UNKNOWN


@pytest.mark.parametrize(
    ("member", "flag", "detail"),
    [
        ("allUsers", "public", "everybody: roles/bigquery.user"),
        ("allAuthenticatedUsers", "public", "Google account"),
        ("user:x@evil.example", "outside", "evil.example is not acme.example"),
        ("group:x@evil.example", "outside", "evil.example"),
        ("domain:evil.example", "outside", "evil.example"),
        ("serviceAccount:x@other-12345.iam.gserviceaccount.com", "other-project", "other-12345"),
        ("serviceAccount:x@legacy.old.example.iam.gserviceaccount.com", "other-project", "old.example:legacy"),
        ("serviceAccount:99999-compute@developer.gserviceaccount.com", "other-project", "99999"),
        ("serviceAccount:service-99999@gcp-sa-x.iam.gserviceaccount.com", "other-project", "99999"),
        ("serviceAccount:robot@system.gserviceaccount.com", "other-project", "doesn't tell"),
        ("principalSet://iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/p/*",
         "other-project", "7"),
        ("deleted:serviceAccount:x@acme-analytics.iam.gserviceaccount.com?uid=1", "deleted", "still named"),
    ],
)  # fmt: skip
def test_flags_for_who_somebody_is(member, flag, detail):
    found = flags(audited(policies(bind(USER, member))), member)
    assert set(found) == {flag}
    assert detail in found[flag]


@pytest.mark.parametrize(
    "member",
    [
        ANA,
        "group:G@ACME.example",
        "domain:acme.example",
        "serviceAccount:x@acme-analytics.iam.gserviceaccount.com",
        "serviceAccount:acme-analytics@appspot.gserviceaccount.com",
        "serviceAccount:421700000001-compute@developer.gserviceaccount.com",
        "serviceAccount:421700000001@cloudservices.gserviceaccount.com",
        "serviceAccount:service-421700000001@gcp-sa-bigquerydatatransfer.iam.gserviceaccount.com",
        "projectOwner:acme-analytics",
        "nonsense",
    ],
)
def test_who_is_at_home_is_not_flagged(member):
    assert flags(audited(policies(bind(USER, member))), member) == {}


def test_nobody_is_outside_an_organization_that_is_not_known():
    denied = Unknown(Denied("resourcemanager.organizations.get", "organizations/9"), HERE)
    made = audited(policies(bind(USER, "user:x@evil.example")), organization=denied)
    assert flags(made, "user:x@evil.example") == {}
    assert [point.kind for point in made.open_points if point.weighs] == ["organization"]
    without = audited(policies(bind(USER, "user:x@evil.example")), organization=Unknown(NotCollected("it is in none")))
    assert not without.blind


def test_a_permanent_admin_is_one_whose_grant_does_not_end():
    admin = "roles/resourcemanager.projectIamAdmin"
    until = "request.time < timestamp('2027-01-01T00:00:00Z')"
    owned = dataset("a", AccessEntry(role="OWNER", user="ana@acme.example"))
    assert "whole project" in flags(audited(policies(bind(admin, ANA))), ANA)["permanent-admin"]
    assert flags(audited(policies(bind(admin, ANA, only_if=until))), ANA) == {}
    assert "of a," in flags(audited(policies(), owned), ANA)["permanent-admin"]
    assert flags(audited(policies(bind(USER, ANA))), ANA) == {}


def test_basic_roles_are_named_with_their_place():
    made = audited(policies(bind("roles/viewer", ANA), bind(USER, ANA), folder=(bind("roles/editor", ANA),)))
    assert flags(made, ANA)["broad-role"] == f"roles/viewer on projects/acme-analytics, roles/editor on {FOLDER}"


def test_what_is_flagged_comes_first_and_then_who_can_do_most():
    made = audited(policies(bind(USER, ANA), bind(VIEWER, ROOT), bind("roles/pubsub.viewer", "user:x@evil.example")))
    assert [row.member for row in made.rows] == ["user:x@evil.example", ANA, ROOT]


def test_every_flag_and_every_kind_of_cell_is_in_the_audit_that_formats_are_tested_on():
    made = rich()
    assert {flag.kind for row in made.rows for flag in row.flags} == set(FlagKind)
    cells = [cell for row in made.rows for cell in row.cells]
    assert {cell.state for cell in cells} == set(State)
    assert any(cell.datasets and cell.more for cell in cells)
    assert any(cell.until for cell in cells)
    assert {point.weighs for point in made.open_points} == {True, False}


def test_the_path_of_a_cell_is_the_decisions_that_make_it_so():
    made = rich()
    by_id = {capability.id: capability for capability in CAPABILITIES}
    for row in made.rows:
        if row.member.startswith("deleted:"):
            continue
        for capability in CAPABILITIES:
            found = made.decisions(row, capability)
            assert found
            assert {one.principal for one in found} == {row.principal}
            state = made.cell(row, capability).state
            assert {one.answer for one in found} == {Answer(state)}, (row.member, capability.id)
    (read,) = made.decisions(row_of(made, "user:ben@acme.example"), by_id["read-data"])
    assert read.resource == "projects/acme-analytics/datasets/sales"

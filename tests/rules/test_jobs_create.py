"""jobs-create: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import (
    AttachedDenyPolicies,
    CallerIdentity,
    CallerPermissions,
    Denied,
    DenyPolicies,
    DenyPolicy,
    DenyRule,
    TimedOut,
    Unauthenticated,
    Unknown,
)
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

JOBS = "bigquery.jobs.create"
CUSTOM = "organizations/9/roles/sqlRunner"
GROUP = "group:data@acme.example"
ADMIN = CallerIdentity(provenance=HERE, email="admin@acme.example")
VENDOR = CallerIdentity(provenance=HERE, email="Heap-SQL@heap-204122.iam.gserviceaccount.com")
NOBODY = Unknown(Unauthenticated("oauth2.tokeninfo"), HERE)
NO_ROLE = Unknown(Denied("iam.roles.get", "organizations/9"), HERE)


def asked(*granted: str, about: str = JOBS) -> CallerPermissions:
    return CallerPermissions(provenance=HERE, resource=ACME, asked=frozenset({about}), granted=frozenset(granted))


def verdict_on(*bindings, identity=ADMIN, permissions=None, custom=(), unread=None, **above):
    return judge(
        "jobs-create",
        allow_policies=policies(*bindings, **above),
        roles=roles(*custom, **unread or {}),
        identity=identity,
        permissions=asked() if permissions is None else permissions,
    )


@pytest.mark.parametrize(
    ("bindings", "above", "status", "says"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", "computed", id="by the preferred role"),
        pytest.param([bind("roles/viewer", HEAP)], {}, "pass", "computed", id="by a role that no one would think of"),
        pytest.param([bind(CUSTOM, HEAP)], {}, "pass", "computed", id="by a custom role"),
        pytest.param([], {"folder": (bind(JOB_USER, HEAP),)}, "pass", "computed", id="inherited"),
        pytest.param([bind(USER, HEAP)], {"folder": unreadable(FOLDER)}, "pass", "computed", id="direct, one unseen"),
        pytest.param([bind(EDITOR, HEAP)], {}, "fail", "no role of", id="dataEditor alone"),
        pytest.param([], {}, "fail", "no role of", id="nothing"),
        pytest.param([bind(USER, f"deleted:{HEAP}?uid=1")], {}, "fail", "no role of", id="deleted"),
        pytest.param([bind(EDITOR, HEAP)], {"folder": unreadable(FOLDER)}, "unknown", FOLDER, id="an ancestor unseen"),
        pytest.param([bind(USER, HEAP, only_if="x")], {}, "unknown", "condition", id="on a condition"),
        pytest.param([bind(USER, GROUP)], {}, "unknown", GROUP, id="through a group"),
        pytest.param([bind(EDITOR, GROUP)], {}, "fail", "no role of", id="a group with a role of no matter"),
    ],
)
def test_each_answer_where_someone_else_asks(bindings, above, status, says):
    verdict = verdict_on(*bindings, custom=[role(CUSTOM, JOBS)], **above)
    assert verdict.status == status
    assert says in verdict.message


PAST, FUTURE = "request.time < timestamp('2025-12-31T00:00:00Z')", "request.time > timestamp('2026-02-01T00:00:00Z')"
WEEKDAYS = "request.time.getDayOfWeek() in [1, 2, 3, 4]"  # it is a Friday
TO_HEAP = (f"principal://iam.googleapis.com/projects/-/serviceAccounts/{HEAP.partition(':')[2]}",)
TO_GROUP = ("principalSet://goog/group/data@acme.example",)


@pytest.mark.parametrize(
    ("facts", "status", "says"),
    [
        pytest.param({"deny_policies": deny(JOBS)}, "fail",
                     "is given bigquery.jobs.create, and does not hold it (computed from bindings and roles): deny "
                     f"policy guard on {ACME} denies bigquery.googleapis.com/jobs.create to principalSet://goog/public:all",
                     id="denied to all"),
        pytest.param({"deny_policies": deny("bigquery.googleapis.com/*.*", to=TO_HEAP, on=FOLDER)}, "fail",
                     f"guard on {FOLDER} denies bigquery.googleapis.com/*.*", id="all of BigQuery, on a folder"),
        pytest.param({"deny_policies": deny("bigquery.tables.get")}, "pass", "computed", id="another one is denied"),
        pytest.param({"deny_policies": deny(JOBS, but=TO_HEAP)}, "pass", "computed", id="denied to all but it"),
        pytest.param({"deny_policies": deny(JOBS, to=TO_GROUP)}, "unknown", GROUP, id="denied to a group"),
        pytest.param({"deny_policies": deny(JOBS, to=TO_GROUP), "groups": groups({"data@acme.example": (HEAP,)})},
                     "fail", "denies", id="denied to a group that it is in"),
        pytest.param({"deny_policies": deny(JOBS, to=TO_GROUP), "groups": groups({"data@acme.example": ()})},
                     "pass", "computed", id="denied to a group that it isn't in"),
        pytest.param({"deny_policies": Unknown(Denied("iam.denypolicies.list", ACME), HERE)}, "pass", "computed",
                     id="deny policies unread: none is assumed"),
        pytest.param({"deny_policies": Unknown(Denied("iam.denypolicies.list", ACME), HERE),
                      "target": target(unread_deny_blocks=True)}, "unknown", "iam.denypolicies.list",
                     id="deny policies unread, and that was said to count"),
    ],
)  # fmt: skip
def test_deny_policies(facts, status, says):
    verdict = judge("jobs-create", allow_policies=policies(bind(USER, HEAP)), roles=roles(), **facts)
    assert verdict.status == status
    assert says in verdict.message


def test_that_no_deny_policy_is_assumed_is_in_the_evidence():
    unread = Unknown(Denied("iam.denypolicies.list", ACME), HERE)
    verdict = judge("jobs-create", allow_policies=policies(bind(USER, HEAP)), roles=roles(), deny_policies=unread)
    assert any("none is assumed" in evidence.detail for evidence in verdict.evidence)


@pytest.mark.parametrize(
    ("bindings", "also", "status", "says"),
    [
        pytest.param([bind(USER, HEAP, only_if=PAST)], {}, "fail", "expired at 2025-12-31 00:00 UTC: request.time <",
                     id="expired"),
        pytest.param([bind(USER, HEAP, only_if=FUTURE)], {}, "fail", "holds only from 2026-02-01 00:00 UTC",
                     id="not yet"),
        pytest.param([bind(USER, HEAP, only_if=WEEKDAYS)], {}, "fail", "false at 2026-01-02 03:04 UTC", id="not today"),
        pytest.param([bind(USER, HEAP, only_if="resource.type == 'x.googleapis.com/Y'")], {}, "fail",
                     "by a condition that is false: resource.type ==", id="of another kind"),
        pytest.param([bind(USER, HEAP, only_if=f"!({PAST})")], {}, "pass", "computed", id="a condition that is true"),
        pytest.param([bind(USER, GROUP)], {"groups": groups({"data@acme.example": (HEAP,)})}, "pass", "computed",
                     id="in the group"),
        pytest.param([bind(USER, GROUP)], {"groups": groups({"data@acme.example": ()})}, "fail", "no role of",
                     id="not in the group"),
    ],
)  # fmt: skip
def test_conditions_and_groups(bindings, also, status, says):
    verdict = judge("jobs-create", allow_policies=policies(*bindings), roles=roles(), **also)
    assert verdict.status == status
    assert says in verdict.message


def test_unknown_names_each_missing_fact_with_how_to_get_it():
    allowed = policies(bind(USER, GROUP), folder=unreadable(FOLDER), organization=unreadable(ORGANIZATION))
    verdict = judge("jobs-create", allow_policies=allowed, roles=roles())
    summaries = [remedy.summary for remedy in verdict.remedies]
    for what in (
        f"folders.getIamPolicy on {FOLDER}",
        f"organizations.getIamPolicy on {ORGANIZATION}",
        "--group-members",
    ):
        assert sum(what in summary for summary in summaries) == 1, what
    assert summaries[-1].startswith(f"Or grant {USER}")


def test_of_many_missing_facts_five_have_a_remedy():
    allowed = policies(*(bind(USER, f"group:g{n}@acme.example") for n in range(9)))
    verdict = judge("jobs-create", allow_policies=allowed, roles=roles())
    assert sum("--group-members" in remedy.summary for remedy in verdict.remedies) == 5
    assert verdict.message.endswith("; and 6 more")


@pytest.mark.parametrize("bindings", [[bind(USER, HEAP)], []], ids=["given", "not given either"])
@pytest.mark.parametrize("denied", [deny(JOBS), deny(JOBS, to=TO_GROUP), deny(JOBS, on=FOLDER, but=("x",))])
def test_doing_what_the_remedy_says_lifts_a_denial(bindings, denied):
    facts = {"allow_policies": policies(*bindings), "roles": roles(), "deny_policies": denied}
    verdict = judge("jobs-create", **facts)
    after = obeyed(verdict.remedies, facts)
    assert judge("jobs-create", **after).status == "pass"


@pytest.mark.parametrize(
    ("held", "status"),
    [
        pytest.param(role(CUSTOM, JOBS, deleted=True), "fail", id="deleted"),
        pytest.param(role(CUSTOM, JOBS, disabled=True), "fail", id="disabled"),
        pytest.param(role(CUSTOM), "fail", id="empty"),
    ],
)
def test_a_custom_role_that_gives_nothing(held, status):
    assert verdict_on(bind(CUSTOM, HEAP), custom=[held]).status == status


def test_a_role_that_can_not_be_read_may_hold_it():
    verdict = verdict_on(bind(JOB_USER, HEAP), unread={"bigquery__jobUser": NO_ROLE})
    assert (verdict.status, verdict.reason) == ("unknown", NO_ROLE.reason)


@pytest.mark.parametrize(
    ("bindings", "permissions", "status"),
    [
        pytest.param([], asked(JOBS), "pass", id="yes, though no binding that we read says so"),
        pytest.param([bind(USER, HEAP)], asked(), "fail", id="no, though a binding says so: a deny policy, perhaps"),
    ],
)
def test_where_the_vendors_own_account_asks_its_answer_decides(bindings, permissions, status):
    verdict = verdict_on(*bindings, identity=VENDOR, permissions=permissions)
    assert verdict.status == status
    assert "itself was asked" in verdict.message
    assert [e.detail.rpartition(": ")[0] for e in verdict.evidence] == [f"asked as {HEAP} itself"]


@pytest.mark.parametrize("identity", [ADMIN, NOBODY], ids=["an admin", "someone unknown"])
@pytest.mark.parametrize("bindings", [[], [bind(USER, HEAP)]], ids=["not granted", "granted"])
def test_the_callers_own_permissions_never_stand_for_the_vendors(identity, bindings):
    answers = [verdict_on(*bindings, identity=identity, permissions=p) for p in (asked(JOBS), asked())]
    assert answers[0] == answers[1]
    assert answers[0].status == ("pass" if bindings else "fail")
    assert "computed" in answers[0].message


def test_the_same_email_as_a_user_is_not_the_service_account():
    as_user = target(principal=HEAP.replace("serviceAccount:", "user:"))
    verdict = judge("jobs-create", allow_policies=policies(), roles=roles(), identity=VENDOR, permissions=asked(JOBS),
                    target=as_user)  # fmt: skip
    assert verdict.status == "fail"


@pytest.mark.parametrize(
    "permissions",
    [Unknown(TimedOut("cloudresourcemanager.projects.testIamPermissions"), HERE), asked(about="bigquery.tables.get")],
    ids=["no answer", "asked about something else"],
)
def test_where_the_vendor_asks_and_is_not_answered_it_is_computed(permissions):
    assert "computed" in verdict_on(bind(USER, HEAP), identity=VENDOR, permissions=permissions).message
    assert verdict_on(identity=VENDOR, permissions=permissions, folder=unreadable(FOLDER)).status == "unknown"


def test_it_does_not_hang_on_vendor_role():
    """A custom role with just this permission: the one rule passes, the other fails."""
    facts = {"allow_policies": policies(bind(CUSTOM, HEAP)), "roles": roles(role(CUSTOM, JOBS))}
    assert judge("jobs-create", **facts).status == "pass"
    assert judge("vendor-role", **facts).status == "fail"


@pytest.mark.parametrize("above", [{}, {"folder": unreadable(FOLDER)}], ids=["failed", "unknown"])
def test_doing_what_the_remedy_says_passes(above):
    before = policies(bind(EDITOR, HEAP), **above)
    verdict = judge("jobs-create", allow_policies=before, roles=roles(), identity=ADMIN)
    remedy = next(remedy for remedy in verdict.remedies if remedy.commands)
    for after in (obey(remedy.commands[0], before), obey_terraform(remedy.terraform, before)):
        assert judge("jobs-create", allow_policies=after, roles=roles(), identity=ADMIN).status == "pass"


def test_nothing_of_the_policies_was_seen():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy", 5), HERE)
    verdict = judge("jobs-create", allow_policies=late, roles=roles(), identity=ADMIN)
    assert (verdict.status, verdict.reason) == ("unknown", late.reason)


def test_just_that_permission_may_be_granted_instead():
    facts = {"allow_policies": policies(), "roles": roles()}
    remedy = judge("jobs-create", **facts).remedies[-1]
    assert remedy.summary == f"Or grant just {JOBS}, by a custom role."
    for way in ("commands", "terraform"):
        after = obeyed((remedy,), facts, way)
        assert judge("jobs-create", **after).status == "pass"
        (name,) = set(after["roles"].roles) - set(facts["roles"].roles)
        assert after["roles"].roles[name].permissions == {JOBS}


def test_each_rule_that_denies_it_is_named():
    everybody = "principalSet://goog/public:all"
    rules = [DenyRule(denied_principals=(whom,), denied_permissions=(f"bigquery.googleapis.com/{what}",))
             for whom, what in ((everybody, "jobs.create"), (everybody, "*.*"))]  # fmt: skip
    guard = DenyPolicy(provenance=HERE, name="guard", rules=tuple(rules))
    attached = AttachedDenyPolicies(provenance=HERE, resource=ACME, policies={"guard": guard})
    facts = {
        "allow_policies": policies(bind(USER, HEAP)),
        "roles": roles(),
        "deny_policies": DenyPolicies(attached={ACME: attached}),
    }
    verdict = judge("jobs-create", **facts)
    assert len(verdict.remedies) == 2
    assert judge("jobs-create", **obeyed(verdict.remedies[:1], facts)).status == "fail"
    assert judge("jobs-create", **obeyed(verdict.remedies, facts)).status == "pass"


@pytest.mark.parametrize(
    ("bindings", "above", "granted"),
    [([bind(USER, HEAP)], {}, True), ([], {}, False), ([], {"folder": unreadable(FOLDER)}, None)],
)
def test_it_shows_how_that_comes_about(bindings, above, granted):
    (path,) = verdict_on(*bindings, **above).access
    assert (path.principal, path.wanted, path.granted) == (HEAP, (JOBS,), granted)


def test_what_was_asked_directly_has_no_way_to_show():
    assert verdict_on(identity=VENDOR, permissions=asked(JOBS)).access == ()

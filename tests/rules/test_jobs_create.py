"""jobs-create: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import CallerIdentity, CallerPermissions, Denied, TimedOut, Unauthenticated, Unknown
from preflight.testing import HERE, judge, target
from tests.conftest import (
    ACME,
    EDITOR,
    FOLDER,
    HEAP,
    JOB_USER,
    USER,
    bind,
    obey,
    obey_terraform,
    policies,
    role,
    roles,
    unreadable,
)

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

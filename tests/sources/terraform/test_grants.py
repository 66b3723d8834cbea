"""What resources of IAM come to: what is granted, what may be, and what is known to be all."""

import json

import pytest

from preflight import Answer, Unknown
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.testing import MOMENT
from tests.sources.terraform.conftest import ACME, change

OWN = f"projects/{ACME}"
JANE, BOB = "user:jane@acme.example", "user:bob@acme.example"
USER, EDITOR, VIEWER = "roles/bigquery.user", "roles/editor", "roles/viewer"
JOBS = "bigquery.jobs.create"
WHEN = {"expression": "request.time < timestamp('2030-01-01T00:00:00Z')", "title": "for now"}


def member(role=USER, who=JANE, name="m", actions=("create",), **more):
    values = {"project": ACME, "role": role, "member": who} | more.pop("values", {})
    return side(f"google_project_iam_member.{name}", values, actions, **more)


def binding(role=USER, who=(JANE,), name="b", actions=("create",), **more):
    values = {"project": ACME, "role": role, "members": list(who)} | more.pop("values", {})
    return side(f"google_project_iam_binding.{name}", values, actions, **more)


def policy(*bindings, name="p", actions=("create",), **more):
    data = json.dumps({"bindings": [{"role": role, "members": list(who)} for role, *who in bindings]})
    values = {"project": ACME, "policy_data": data} | more.pop("values", {})
    return side(f"google_project_iam_policy.{name}", values, actions, **more)


def side(address, values, actions, **more):
    goes = set(actions) <= {"delete", "forget"}
    before = None if actions == ("create",) else values
    return change(address, None if goes else values, *actions, before=more.pop("before", before), **more)


def access(snapshot):
    return ProjectAccess(
        AccessFacts(
            project=ACME,
            allow=snapshot.allow_policies,
            roles=snapshot.roles,
            deny=snapshot.deny_policies,
            moment=MOMENT,
        )
    )


@pytest.fixture
def answers(facts):
    """What Jane has on a project that lies in nothing, by a plan: the role, and the right to run jobs."""

    def answer(*changes, who=JANE, role=USER):
        alone = change("google_project.it", {"project_id": ACME, "org_id": None, "folder_id": None}, "no-op")
        found = access(facts(*changes, alone))
        return str(found.holds_role(who, role).answer), str(found.decide(who, JOBS).answer)

    return answer


YES, NO, OPEN = ("granted", "granted"), ("not granted", "not granted"), ("unknown", "unknown")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([member()], YES, id="a member is granted"),
        pytest.param([member(actions=("no-op",))], YES, id="also where nothing changes"),
        pytest.param([member(actions=("update",))], YES, id="updated"),
        pytest.param([member(actions=("delete", "create"), before={"role": VIEWER})], YES, id="replaced"),
        pytest.param([member(who=BOB)], OPEN, id="a member completes nothing"),
        pytest.param([binding()], YES, id="a binding grants"),
        pytest.param([binding(who=[BOB])], OPEN, id="a binding completes its role, but others may hold jobs.create"),
        pytest.param([policy((USER, JANE))], YES, id="a policy grants"),
        pytest.param([policy((USER, BOB))], NO, id="a policy is all there is"),
        pytest.param([policy()], NO, id="an empty one too"),
        pytest.param([policy((VIEWER, JANE))], ("not granted", "granted"), id="another role holds it as well"),
        pytest.param([policy((USER, BOB)), member()], OPEN, id="a member beside a policy without it: which wins?"),
        pytest.param([policy((USER, JANE)), member()], YES, id="beside a policy with it there is no question"),
        pytest.param([policy((USER, BOB)), binding()], OPEN, id="a binding beside a policy"),
        pytest.param([binding(who=[BOB]), member()], OPEN, id="a member beside a binding of the role"),
        pytest.param([binding(who=[JANE, BOB]), member()], YES, id="beside a binding that has it"),
        pytest.param([binding(role=EDITOR, who=[BOB]), member()], YES, id="beside a binding of another role"),
        pytest.param(
            [binding(who=[BOB], values={"condition": [WHEN]}), member()], YES, id="beside a binding under a condition"
        ),
        pytest.param([member(values={"condition": [WHEN]})], YES, id="on a condition that holds"),
        pytest.param(
            [policy((USER, BOB)), member(name="n", who=BOB, role=VIEWER)], NO, id="others in conflict don't matter"
        ),
        # What goes
        pytest.param([policy((USER, BOB)), member(actions=("delete",))], NO, id="a member that goes"),
        pytest.param([member(actions=("delete",))], OPEN, id="something else may grant it still"),
        pytest.param([member(), member(name="n", actions=("delete",))], OPEN,
                     id="one goes, the same comes: in which order?"),
        pytest.param([member(), binding(actions=("delete",))], OPEN, id="a binding that goes takes its role away"),
        pytest.param([binding(actions=("delete",))], OPEN, id="others may hold jobs.create"),
        pytest.param([policy((USER, JANE), actions=("delete",))], NO, id="a policy that goes leaves an empty one"),
        pytest.param([member(), policy((USER, JANE), actions=("delete",))], OPEN,
                     id="and takes others' grants with it"),
        pytest.param([member(actions=("forget",))], YES, id="what is forgotten stays in the cloud"),
        pytest.param([binding(who=[BOB], actions=("forget",)), member()], YES, id="and completes nothing"),
        pytest.param([policy((USER, BOB), actions=("forget",)), member()], YES, id="nor does a forgotten policy"),
        pytest.param(
            [binding(role=VIEWER, who=[BOB], actions=("delete", "create"),
                     before={"project": ACME, "role": USER, "members": [JANE]}), member()],
            OPEN, id="a binding's old role goes when it is replaced",
        ),
        # What isn't known
        pytest.param([member(unknown={"member": True})], OPEN, id="to whom"),
        pytest.param([policy((USER, BOB)), member(name="n", who=None, role=USER, unknown={"member": True})], OPEN,
                     id="it may be her, beside a policy"),
        pytest.param([policy((USER, BOB)), member(name="n", who=BOB, unknown={"role": True})], NO,
                     id="to somebody else whatever the role"),
        pytest.param([policy((USER, BOB)), member(name="n", unknown={"role": True})], OPEN, id="whatever role to her"),
        pytest.param([policy((USER, BOB)), member(name="n", role="roles/storage.admin", unknown={"member": True})], NO,
                     id="a role that doesn't matter to whomever"),
        pytest.param([member(), binding(who=[BOB], name="c", unknown={"role": True})], OPEN,
                     id="a binding of any role"),
        pytest.param([member(), binding(name="c", unknown={"members": True})], OPEN,
                     id="a binding whose members aren't known"),
        pytest.param([binding(who=[JANE, None], unknown={"members": [False, True]})], YES, id="of which one is known"),
        pytest.param([member(), policy(unknown={"policy_data": True})], OPEN, id="a policy that isn't known"),
        pytest.param([policy(unknown={"policy_data": True})], OPEN, id="alone"),
        pytest.param([member(), policy(values={"policy_data": "{"})], OPEN, id="a policy that can't be read"),
        pytest.param([member(unknown={"condition": True})], OPEN, id="on a condition that isn't known"),
        pytest.param([member(unknown={"project": True})], OPEN, id="on a project that isn't known"),
        pytest.param([member(), policy((USER, BOB), unknown={"project": True})], OPEN, id="a policy on any project"),
        pytest.param([member(), binding(who=[BOB], unknown={"project": True})], OPEN, id="a binding on any project"),
        pytest.param([member(values={"project": "other-project"})], OPEN, id="on another project"),
        pytest.param([member(), policy((USER, BOB), values={"project": "other-project"})], YES, id="another's policy"),
        pytest.param([member(values={"project": f"projects/{ACME}"})], YES, id="the project's full name"),
        pytest.param([member(values={"project": "421700000001"})], OPEN, id="a number that may be anybody's"),
        pytest.param([member(), member(name="n", actions=("transmogrify",))], YES, id="a change that isn't known adds"),
        pytest.param([member(), binding(who=[BOB], actions=("transmogrify",))], OPEN, id="or takes away"),
        # Of old
        pytest.param([policy((USER, BOB), values={"authoritative": False}), member()], YES,
                     id="a policy of old merges"),
        pytest.param([policy((USER, BOB), values={"authoritative": None}), member()], OPEN, id="unless it says so"),
    ],
)  # fmt: skip
def test_what_it_comes_to(answers, changes, expected):
    assert answers(*changes) == expected


def test_a_binding_completes_a_basic_role(answers):
    """Google takes no conditions on basic roles, so that there is no other binding of the role."""
    assert answers(binding(role=EDITOR, who=[BOB]), role=EDITOR)[0] == "not granted"
    assert answers(binding(role=USER, who=[BOB]), role=USER)[0] == "unknown"
    assert answers(member(role=EDITOR, who=BOB), role=EDITOR)[0] == "unknown"


def test_an_error_in_planning_makes_all_of_it_unknown(facts):
    found = access(facts(policy((USER, JANE)), errored=True))
    assert found.decide(JANE, JOBS).answer is Answer.UNKNOWN
    assert found.decide(BOB, JOBS).answer is Answer.UNKNOWN


def test_what_is_above(facts):
    """Grants on the organization count where it is known that the project is in it, and only there."""
    org = change("google_organization_iam_member.o", {"org_id": "12", "role": USER, "member": JANE})
    inside = change("google_project.it", {"project_id": ACME, "org_id": "12", "folder_id": None})
    outside = change("google_project.it", {"project_id": ACME, "org_id": "13", "folder_id": None})
    nowhere = change("google_project.it", {"project_id": ACME}, unknown={"org_id": True, "folder_id": True})
    assert access(facts(org, inside, policy())).decide(JANE, JOBS).answer is Answer.GRANTED
    assert access(facts(org, outside, policy())).decide(JANE, JOBS).answer is Answer.UNKNOWN
    assert access(facts(org, nowhere, policy())).decide(JANE, JOBS).answer is Answer.UNKNOWN
    assert access(facts(org, policy())).decide(JANE, JOBS).answer is Answer.UNKNOWN


@pytest.mark.parametrize("folder", ["folders/7", "7"])
def test_folders(facts, folder):
    grants = change("google_folder_iam_binding.f", {"folder": folder, "role": USER, "members": [JANE]})
    home = change("google_folder.f", {"name": "folders/7", "parent": "organizations/12"}, "no-op")
    it = change("google_project.it", {"project_id": ACME, "org_id": None, "folder_id": "7"}, "no-op")
    snapshot = facts(grants, home, it)
    assert snapshot.ancestry.resources == ("folders/7", "organizations/12")
    assert snapshot.ancestry.completeness.complete
    assert access(snapshot).decide(JANE, JOBS).answer is Answer.GRANTED
    maybe = facts(
        change("google_folder_iam_binding.f", {"role": USER, "members": [JANE]}, unknown={"folder": True}), it
    )
    (possible,) = maybe.allow_policies.policies["folders/7"].possible
    assert (possible.role, possible.members) == (USER, (JANE,))


def test_evidence_names_the_plan_and_the_address(facts):
    decision = access(facts(member(name='x["a"]'))).decide(JANE, JOBS)
    assert decision.answer is Answer.GRANTED
    seen = decision.evidence[0]
    assert seen.source == "terraform plan"
    assert seen.resource.endswith('plan.json: google_project_iam_member.x["a"]')
    assert seen.detail == f"{USER} is granted to {JANE}"


def test_an_unknown_names_what_it_hangs_on(facts):
    decision = access(facts(policy((USER, BOB)), member())).decide(JANE, JOBS)
    said = [fact.unknown.reason.describe() for fact in decision.missing]
    assert any("google_project_iam_policy.p" in one and "google_project_iam_member.m" in one for one in said)


def test_nothing_declared_is_unknown(facts):
    policies = facts().allow_policies.policies
    assert isinstance(policies[OWN], Unknown)
    assert "doesn't declare" in policies[OWN].reason.describe()


# Custom roles

ROLE = f"{OWN}/roles/runner"
RUNNER = {"project": ACME, "role_id": "runner", "permissions": [JOBS], "stage": "GA", "title": "Runner"}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        pytest.param(change("google_project_iam_custom_role.r", RUNNER), "granted", id="made"),
        pytest.param(change("google_project_iam_custom_role.r", RUNNER, unknown={"deleted": True}), "granted",
                     id="new"),
        pytest.param(change("google_project_iam_custom_role.r", RUNNER | {"deleted": True}), "not granted",
                     id="deleted"),
        pytest.param(change("google_project_iam_custom_role.r", None, "delete", before=RUNNER), "not granted",
                     id="goes"),
        pytest.param(
            change("google_project_iam_custom_role.r", RUNNER | {"stage": "DISABLED"}), "not granted", id="disabled"
        ),
        pytest.param(change("google_project_iam_custom_role.r", RUNNER | {"permissions": []}), "not granted",
                     id="empty"),
        pytest.param(
            change("google_project_iam_custom_role.r", RUNNER, unknown={"permissions": [True]}), "unknown", id="unknown"
        ),
        pytest.param(
            change("google_project_iam_custom_role.r", RUNNER, unknown={"role_id": True}), "unknown", id="no name"
        ),
        pytest.param(
            change("google_project_iam_custom_role.r", RUNNER | {"project": "other"}), "unknown", id="another project's"
        ),
    ],
)  # fmt: skip
def test_custom_roles(facts, role, expected):
    alone = change("google_project.it", {"project_id": ACME, "org_id": None, "folder_id": None})
    found = access(facts(role, policy((ROLE, JANE)), alone))
    assert found.decide(JANE, JOBS).answer == expected


def test_custom_roles_of_organizations(facts):
    role = change("google_organization_iam_custom_role.r", {"org_id": "12", "role_id": "x", "permissions": [JOBS]})
    assert facts(role).roles.roles["organizations/12/roles/x"].permissions == {JOBS}


# Deny policies


def deny(parent=f"cloudresourcemanager.googleapis.com%2Fprojects%2F{ACME}", unknown=None, actions=("create",), **rule):
    said = {
        "denied_principals": ["principalSet://goog/public:all"],
        "denied_permissions": ["bigquery.googleapis.com/jobs.create"],
    }
    values = {"parent": parent, "name": "guard", "rules": [{"deny_rule": [said | rule]}]}
    return side("google_iam_deny_policy.d", values, actions, unknown=unknown)


@pytest.mark.parametrize(
    ("denying", "expected"),
    [
        pytest.param(deny(), "not granted", id="denied"),
        pytest.param(deny(parent=f"cloudresourcemanager.googleapis.com/projects/{ACME}"), "not granted", id="unquoted"),
        pytest.param(deny(parent="cloudresourcemanager.googleapis.com%2Fprojects%2Fother"), "granted", id="elsewhere"),
        pytest.param(deny(exception_principals=["principal://goog/subject/jane@acme.example"]), "granted",
                     id="but her"),
        pytest.param(deny(denied_permissions=["storage.googleapis.com/*.*"]), "granted", id="something else"),
        pytest.param(deny(actions=("delete",)), "granted", id="goes"),
        pytest.param(deny(unknown={"parent": True}), "unknown", id="on what isn't known"),
        pytest.param(deny(unknown={"rules": True}), "unknown", id="what isn't known"),
        pytest.param(
            deny(unknown={"rules": [{"deny_rule": [{"denied_permissions": [True]}]}]}), "unknown", id="any permission"
        ),
        pytest.param(
            deny(exception_principals=[None], unknown={"rules": [{"deny_rule": [{"exception_principals": [True]}]}]}),
            "unknown", id="but somebody",
        ),
        pytest.param(
            deny(denied_principals=["principal://goog/subject/bob@acme.example"], exception_principals=[None],
                 unknown={"rules": [{"deny_rule": [{"exception_principals": [True]}]}]}),
            "granted", id="somebody else, but somebody",
        ),
    ],
)  # fmt: skip
def test_deny_policies(facts, denying, expected):
    assert access(facts(member(), denying)).decide(JANE, JOBS).answer == expected

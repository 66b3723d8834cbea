"""A plan laid over the live facts: the same verdicts as after really applying the change to the made-up cloud."""

import json

import pytest

# A run imports these in two threads at once, and CPython 3.11 can't compile in two at once what pytest rewrites.
import preflight.sources.live.clients
import preflight.sources.live.collector
import preflight.sources.live.credentials  # noqa: F401
from preflight.cli.judging import judge
from preflight.cli.request import Request
from preflight.emulator import Emulator
from preflight.errors import UsageError
from preflight.profile import load_profile
from preflight.testing import world
from tests.sources.terraform.conftest import ACME, change, plan
from tests.sources.terraform.test_facts import LISTED, NEW, OWNERS, access_of, dataset, granting, service
from tests.sources.terraform.test_grants import binding, deny, member, policy

VENDOR = load_profile("heap").principal
EMAIL = VENDOR.partition(":")[2]
USER, EDITOR = "roles/bigquery.user", "roles/bigquery.dataEditor"
CALLER = "admin@acme.example"
ROOT = {"roles/owner": ["user:root@acme.example"]}
APIS = ["bigquery", "cloudbilling", "cloudresourcemanager", "iam", "orgpolicy", "serviceusage"]


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def cloud(grants=None, datasets=(), apis=APIS, denied=(), above=None, roles=(), state="ACTIVE"):
    """A world whose caller sees all: `grants` on the project and `above` on its organization, by role."""
    bound = [{"role": role, "members": members} for role, members in (ROOT | (grants or {})).items() if members]
    higher = [{"role": role, "members": members} for role, members in (above or {}).items()]
    project = {
        "id": ACME,
        "number": "421700000001",
        "parent": "organizations/12",
        "state": state,
        "services": [f"{api}.googleapis.com" for api in apis],
        "billing": {"account": "billingAccounts/01A2B3-C4D5E6-F70819", "enabled": True},
        "bindings": bound,
        "datasets": list(datasets),
        "deny": list(denied),
        "roles": list(roles),
    }
    organization = {
        "id": "12", "display_name": "acme.example", "directory_customer_id": "C01acme99", "bindings": higher,
    }  # fmt: skip
    return "\n".join(
        [
            f"callers = {toml([{'email': CALLER, 'sees_all': True}])}",
            f"organizations = {toml([organization])}",
            f"projects = {toml([project])}",
        ]
    )


@pytest.fixture
def verdicts(written):
    """Each rule's verdict in a world, once a plan's changes are applied to it."""

    def verdicts(text, *changes, report=False, **options):
        path = written(plan(*changes)) if changes else None
        request = Request(
            project=ACME, location="EU", dataset="sales", plan=path, live=True, output_dir=None, **options
        )
        with Emulator(world(text)) as running:
            found = judge(request, running.environ(caller=CALLER))
        if report:
            return found
        return {one.rule: str(one.status) for one in found.findings if one.rule != "iam-resources-conflict"}

    return verdicts


BOTH = {USER: [VENDOR], EDITOR: [VENDOR]}
SALES = {"id": "sales", "location": "EU", "access": [{"role": "OWNER", "specialGroup": "projectOwners"}]}
WRITER = {"role": "WRITER", "userByEmail": EMAIL}
SALES_FOR_VENDOR = SALES | {"access": [*SALES["access"], WRITER]}
GUARD = {
    "name": "guard",
    "rules": [
        {
            "denied_principals": ["principalSet://goog/public:all"],
            "denied_permissions": ["bigquery.googleapis.com/jobs.create"],
        }
    ],
}
OWNER_POLICY = ("roles/owner", "user:root@acme.example")
VENDOR_ENTRY = {"role": "WRITER", "user_by_email": EMAIL}


def vendor_member(role, name, actions=("create",), **more):
    return member(role, VENDOR, name, actions, **more)


CASES = [
    # It mends
    pytest.param(cloud(), cloud(BOTH), [vendor_member(USER, "a"), vendor_member(EDITOR, "b")], id="grants"),
    pytest.param(cloud({USER: [VENDOR]}, apis=APIS[1:]), cloud({USER: [VENDOR]}), [service()], id="turns the API on"),
    pytest.param(cloud(BOTH, denied=[GUARD]), cloud(BOTH), [deny(actions=("delete",))], id="takes a deny policy away"),
    pytest.param(
        cloud(BOTH), cloud(BOTH, [SALES_FOR_VENDOR]), [dataset(values={"access": [OWNERS, VENDOR_ENTRY]})],
        id="makes the dataset",
    ),
    pytest.param(
        cloud({USER: [VENDOR]}, [SALES]), cloud({USER: [VENDOR]}, [SALES_FOR_VENDOR]),
        [dataset(("no-op",), values=LISTED), access_of(values=VENDOR_ENTRY)], id="lets it write",
    ),
    pytest.param(
        cloud(), cloud(above=BOTH),
        [change("google_organization_iam_member.a", {"org_id": "12", "role": USER, "member": VENDOR}),
         change("google_organization_iam_member.b", {"org_id": "12", "role": EDITOR, "member": VENDOR})],
        id="grants on the organization",
    ),
    pytest.param(
        cloud(), cloud({f"projects/{ACME}/roles/runner": [VENDOR]},
                       roles=[{"name": "runner", "permissions": ["bigquery.jobs.create"]}]),
        [change("google_project_iam_custom_role.r",
                {"project": ACME, "role_id": "runner", "permissions": ["bigquery.jobs.create"]}),
         vendor_member(f"projects/{ACME}/roles/runner", "a")],
        id="grants a role that it makes",
    ),
    # It breaks
    pytest.param(cloud(BOTH), cloud({EDITOR: [VENDOR]}), [vendor_member(USER, "a", ("delete",))], id="takes away"),
    pytest.param(cloud(BOTH), cloud(), [policy(OWNER_POLICY, actions=("update",))], id="a policy drops the vendor"),
    pytest.param(
        cloud(BOTH), cloud({USER: ["user:x@acme.example"], EDITOR: [VENDOR]}), [binding(USER, ["user:x@acme.example"])],
        id="a binding drops the vendor",
    ),
    pytest.param(cloud(BOTH), cloud({EDITOR: [VENDOR]}), [binding(USER, [VENDOR], actions=("delete",))],
                 id="a binding goes"),
    pytest.param(cloud(BOTH), cloud(BOTH, apis=APIS[1:]), [service(("delete",))], id="turns the API off"),
    pytest.param(cloud(BOTH), cloud(BOTH, denied=[GUARD]), [deny()], id="denies"),
    pytest.param(
        cloud(BOTH), cloud(BOTH, [SALES | {"location": "europe-west2"}]),
        [dataset(values=LISTED | {"location": "europe-west2"})], id="makes the dataset in London",
    ),
    pytest.param(
        cloud({USER: [VENDOR]}, [SALES_FOR_VENDOR]), cloud({USER: [VENDOR]}, [SALES]),
        [granting("member", ("delete",), values={"member": VENDOR})], id="takes the dataset's grant away",
    ),
    pytest.param(
        cloud({USER: [VENDOR]}, [SALES_FOR_VENDOR]), cloud({USER: [VENDOR]}, [SALES]),
        [dataset(("update",), values=LISTED, before={"access": [OWNERS, VENDOR_ENTRY]})], id="sets the dataset's list",
    ),
    pytest.param(cloud(BOTH, [SALES]), cloud(BOTH), [dataset(("delete",), values=LISTED)], id="deletes the dataset"),
    pytest.param(
        cloud(BOTH), cloud(BOTH, state="DELETE_REQUESTED"), [change("google_project.it", None, "delete", before={
            "project_id": ACME, "number": "421700000001"})], id="deletes the project",
    ),
    # Both
    pytest.param(
        cloud({USER: [VENDOR]}, apis=APIS[1:]), cloud({EDITOR: [VENDOR]}),
        [service(), vendor_member(USER, "a", ("delete",)), vendor_member(EDITOR, "b")], id="mends and breaks",
    ),
    pytest.param(
        cloud({USER: [VENDOR]}), cloud({EDITOR: [VENDOR]}),
        [vendor_member(EDITOR, "a", ("delete", "create"), before={"project": ACME, "role": USER, "member": VENDOR})],
        id="replaces a grant by another",
    ),
    # Neither
    pytest.param(cloud(BOTH), cloud(BOTH), [vendor_member(USER, "a", ("no-op",)), service(("no-op",))], id="nothing"),
    pytest.param(cloud(BOTH), cloud(BOTH), [vendor_member(USER, "a", ("forget",)), policy(actions=("forget",))],
                 id="forgets"),
    pytest.param(cloud(BOTH), cloud(BOTH), [policy(values={"project": "another-project"}),
                                            service(("delete",), values={"project": "another-project"})],
                 id="what is another project's"),
    pytest.param(cloud(BOTH), cloud(BOTH), [policy(actions=("no-op",)), binding(USER, [], actions=("no-op",))],
                 id="what is there wins over what the plan saw"),
]  # fmt: skip


OFF = {
    "dataset-location",
    "dataset-writable",
    "dataset-expiration",
    "dataset-public",
    "synced-datasets",
    "synced-views",
}
"""What could not be read while the API was off: that a plan turns it on shows no datasets."""


@pytest.mark.parametrize(("before", "after", "changes"), CASES)
def test_the_verdicts_are_those_after_applying_it(verdicts, before, after, changes):
    found, expected = verdicts(before, *changes), verdicts(after)
    found.pop("auditor-access"), expected.pop("auditor-access")  # which calls were refused, and a plan changes none
    unseen = OFF if '"bigquery.googleapis.com"' not in before else set()
    assert {rule: found[rule] for rule in expected if rule not in unseen} == {
        rule: verdict for rule, verdict in expected.items() if rule not in unseen
    }
    assert all(found[rule] in {"unknown", expected[rule]} for rule in unseen)


BREAKING = [policy(unknown={"project": True}), policy(unknown={"policy_data": True}),
            binding(USER, unknown={"role": True}), deny(unknown={"rules": True})]  # fmt: skip


@pytest.mark.parametrize(
    "breaking", BREAKING, ids=["a policy of any project", "any policy", "any binding", "any denial"]
)
def test_what_may_break_it_makes_it_unknown(verdicts, breaking):
    assert verdicts(cloud(BOTH))["jobs-create"] == "pass"
    assert verdicts(cloud(BOTH), breaking)["jobs-create"] == "unknown"


@pytest.mark.parametrize("mending", [
    vendor_member(USER, "a", unknown={"project": True}),
    vendor_member(USER, "a", unknown={"member": True}),
    vendor_member(USER, "a", unknown={"role": True}),
])  # fmt: skip
def test_what_may_mend_it_makes_it_unknown(verdicts, mending):
    assert verdicts(cloud())["jobs-create"] == "fail"
    assert verdicts(cloud(), mending)["jobs-create"] == "unknown"
    assert verdicts(cloud(), service(("create",), unknown={"project": True}))["jobs-create"] == "fail"


def test_a_new_dataset_whose_list_google_fills_in_is_unknown(verdicts):
    found = verdicts(cloud({USER: [VENDOR]}), dataset(unknown=NEW))
    assert (found["dataset-writable"], found["dataset-location"]) == ("unknown", "pass")


def test_each_finding_tells_what_it_was_before(verdicts):
    report = verdicts(cloud(BOTH), vendor_member(USER, "a", ("delete",)), report=True)
    before = {one.rule: (str(one.before), str(one.status), one.worse) for one in report.findings}
    assert before["jobs-create"] == ("pass", "fail", True)
    assert before["project-active"] == ("pass", "pass", False)
    assert report.source == "live"
    assert report.plan.endswith("plan.json")


def test_only_new_counts_just_what_got_worse(verdicts):
    ill = cloud(BOTH, apis=APIS[1:])  # the API is off, before and after
    worse = verdicts(ill, vendor_member(USER, "a", ("delete",)), report=True, only_new=True)
    same = verdicts(ill, vendor_member("roles/viewer", "a"), report=True, only_new=True)
    whole = verdicts(ill, vendor_member("roles/viewer", "a"), report=True)
    assert [int(one.exit_code) for one in (worse, same, whole)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("there", "changes", "says"),
    [
        pytest.param(cloud(), [vendor_member(USER, "a", ("no-op",))], "gave roles/bigquery.user to", id="a member"),
        pytest.param(cloud(BOTH), [binding(USER, [], actions=("no-op",))], "did not list", id="a binding lacks it"),
        pytest.param(cloud(), [binding(USER, [VENDOR], actions=("update",))], "is not there now", id="a binding"),
        pytest.param(cloud(BOTH), [policy(OWNER_POLICY, actions=("no-op",))], "did not list", id="a policy"),
        pytest.param(cloud(apis=APIS[1:]), [service(("no-op",))], "is off now", id="an API"),
        pytest.param(cloud(), [dataset(("no-op",))], "not there now", id="a dataset is gone"),
        pytest.param(cloud(datasets=[SALES]), [dataset()], "there already", id="a dataset is there"),
        pytest.param(cloud(datasets=[SALES]), [dataset(("no-op",), values={"location": "US"})], "it is in EU",
                     id="a dataset elsewhere"),
    ],
)  # fmt: skip
def test_a_plan_that_is_out_of_date_is_told(verdicts, capsys, there, changes, says):
    verdicts(there, *changes)
    err = capsys.readouterr().err
    assert "plan.json is stale, and what is there counts" in err
    assert says in err


def test_a_plan_that_is_up_to_date_is_not_called_stale(verdicts, capsys):
    fresh = [vendor_member(USER, "a", ("no-op",)), binding(EDITOR, [VENDOR], actions=("no-op",)), service(("no-op",)),
             dataset(("no-op",))]  # fmt: skip
    verdicts(cloud(BOTH, [SALES]), *fresh)
    assert "stale" not in capsys.readouterr().err


def test_a_bad_plan_is_refused_before_any_call(written):
    request = Request(project=ACME, plan=written("{}"), live=True)
    with Emulator(world(cloud())) as running:
        with pytest.raises(UsageError, match="no format_version"):
            judge(request, running.environ(caller=CALLER))
        assert not running.exchanges


def test_what_surely_goes_is_gone_whatever_else_may_happen(verdicts):
    maybe = policy(("roles/viewer", "user:x@acme.example"), unknown={"project": True})
    found = verdicts(cloud(BOTH), maybe, vendor_member(USER, "a", ("delete",)), vendor_member(EDITOR, "b", ("delete",)))
    assert found["jobs-create"] == "fail"


def test_what_google_says_of_the_vendor_itself_is_about_now(written):
    """Run by the vendor, testIamPermissions answers exactly, and for the project as it is."""
    text = cloud(BOTH).replace("callers = [", f'callers = [{{ email = "{EMAIL}", kind = "service_account" }}, ')
    changes = plan(vendor_member(USER, "a", ("delete",)))
    request = Request(project=ACME, plan=written(changes), live=True, output_dir=None, only=("jobs-create",))
    with Emulator(world(text)) as running:
        (found,) = judge(request, running.environ(caller=EMAIL)).findings
    assert str(found.before) == "pass"
    assert str(found.status) != "pass", "what the vendor may read of the policies decides between fail and unknown"

"""vendor-least-privilege: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import AccessEntry, Completeness, Datasets, Denied, Incomplete, NotCollected, TimedOut, Unknown
from preflight.testing import HERE, dataset, groups, judge, target
from tests.conftest import (
    ACME,
    EDITOR,
    FOLDER,
    HEAP,
    JOB_USER,
    ORGANIZATION,
    USER,
    bind,
    policies,
    role,
    roles,
    unreadable,
)
from tests.obedience import obeyed

CUSTOM = "projects/acme-analytics/roles/runner"
OWNER, VIEWER, DATA_OWNER = "roles/owner", "roles/viewer", "roles/bigquery.dataOwner"
PAST, LATER = (f"request.time < timestamp('{year}-06-01T00:00:00Z')" for year in (2025, 2027))
FROM_OFFICE = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"
OWNERS = AccessEntry(role="OWNER", special_group="projectOwners")
OWN = AccessEntry(role="OWNER", iam_member=HEAP)
READER = AccessEntry(role="READER", iam_member=HEAP)
PARTIAL = Completeness(Incomplete("main.tf doesn't declare all of it"))
GROUP = "group:admins@acme.example"


def facts_of(*bindings, custom=(), datasets=None, **above):
    return {
        "allow_policies": policies(*bindings, **above),
        "roles": roles(*custom),
        "datasets": Datasets.of() if datasets is None else datasets,
        "groups": groups({"admins@acme.example": (HEAP,)}),
    }


@pytest.mark.parametrize(
    ("bindings", "above", "status", "says"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", "what it needs, and no more", id="just the role"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP)], {}, "pass", "no more", id="just the minimum"),
        pytest.param([bind(USER, HEAP), bind(JOB_USER, HEAP)], {}, "pass", "no more", id="a role within the need"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP, only_if=PAST)], {}, "pass", "no more", id="Owner, expired"),
        pytest.param([bind(OWNER, HEAP)], {}, "warn", f"{OWNER} on projects/acme-analytics", id="Owner"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP)], {}, "warn", "setIamPolicy", id="the role and Owner"),
        pytest.param([bind(USER, HEAP), bind(EDITOR, HEAP)], {}, "warn", EDITOR, id="the role, and half the minimum"),
        pytest.param([bind(DATA_OWNER, HEAP), bind(JOB_USER, HEAP)], {}, "warn", DATA_OWNER, id="near the minimum"),
        pytest.param([bind(USER, HEAP)], {"organization": (bind("roles/bigquery.admin", HEAP),)}, "warn", ORGANIZATION,
                     id="Admin of the organization"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP, only_if=LATER)], {}, "warn", OWNER, id="Owner for a while"),
        pytest.param([bind(USER, HEAP), bind(OWNER, GROUP)], {}, "warn", OWNER, id="Owner through a group"),
        pytest.param([bind(OWNER, HEAP)], {"folder": unreadable(FOLDER)}, "warn", OWNER, id="one is enough to know"),
        pytest.param([], {}, "skip", "holds nothing", id="nothing"),
        pytest.param([bind(USER, HEAP)], {"folder": unreadable(FOLDER)}, "unknown", FOLDER, id="a folder unseen"),
        pytest.param([bind(USER, HEAP), bind("roles/future.admin", HEAP)], {}, "unknown", "roles/future.admin",
                     id="a role of next year"),
        pytest.param([bind(USER, HEAP), bind(OWNER, "group:others@acme.example")], {}, "unknown", "group:others",
                     id="Owner through a group that isn't known"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP, only_if=FROM_OFFICE)], {}, "unknown", OWNER,
                     id="Owner on a condition that can't be told"),
    ],
)  # fmt: skip
def test_each_answer(bindings, above, status, says):
    verdict = judge("vendor-least-privilege", **facts_of(*bindings, **above))
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        pytest.param(["bigquery.jobs.create"], "pass", id="what is needed"),
        pytest.param(["bigquery.jobs.create", "storage.buckets.delete"], "warn", id="and more"),
        pytest.param([], "pass", id="nothing"),
    ],
)
def test_a_custom_role_is_judged_by_its_permissions(permissions, status):
    facts = facts_of(bind(USER, HEAP), bind(CUSTOM, HEAP), custom=[role(CUSTOM, *permissions)])
    assert judge("vendor-least-privilege", **facts).status == status


@pytest.mark.parametrize(
    ("datasets", "chosen", "status"),
    [
        pytest.param(Datasets.of(dataset("heap", OWN), dataset("heap_migrated", OWN)), target(dataset="heap"), "pass",
                     id="owner of its own"),
        pytest.param(Datasets.of(dataset("heap", OWN), dataset("sales", READER)),
                     target(dataset="heap"), "warn", id="reader of another one"),
        pytest.param(Datasets.of(dataset("sales", OWNERS, AccessEntry(authorized="view x"))), target(dataset="heap"),
                     "pass", id="another one, without it"),
        pytest.param(Datasets.of(dataset("sales", OWN)), target(), "pass", id="perhaps its own: none was named"),
        pytest.param(Unknown(TimedOut("bigquery.datasets.list")), target(dataset="heap"), "pass", id="unseen"),
    ],
)  # fmt: skip
def test_entries_in_datasets(datasets, chosen, status):
    verdict = judge("vendor-least-privilege", **facts_of(bind(USER, HEAP), datasets=datasets), target=chosen)
    assert verdict.status == status


def test_nothing_of_the_policies_was_seen():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy", 5), HERE)
    assert judge("vendor-least-privilege", allow_policies=late, roles=roles()).reason == late.reason


NEEDS = ("vendor-role", "jobs-create", "dataset-writable")


@pytest.mark.parametrize(
    ("bindings", "above", "datasets", "commands"),
    [
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP)], {}, [], 1, id="taken away, and that is all"),
        pytest.param([bind(OWNER, HEAP)], {}, [], 2, id="the role first"),
        pytest.param([], {"folder": (bind(OWNER, HEAP),)}, [], 2, id="inherited"),
        pytest.param([bind(OWNER, HEAP)], {}, [dataset("heap", OWNERS)], 3, id="write access to its dataset first"),
        pytest.param([bind(USER, HEAP), bind(EDITOR, HEAP)], {}, [dataset("heap", OWNERS)], 2,
                     id="what wrote to its dataset goes"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP, only_if=LATER), bind(OWNER, HEAP)], {}, [], 1,
                     id="twice, once on a condition: all of it"),
        pytest.param([bind(USER, HEAP), bind(OWNER, HEAP)], {"organization": (bind(VIEWER, HEAP), bind(OWNER, HEAP))},
                     [dataset("heap", OWNERS), dataset("heap_migrated", OWN)], 4, id="on several levels"),
        pytest.param([bind(USER, HEAP)], {}, [dataset("heap", OWN), dataset("sales", READER)], 1,
                     id="an entry in another dataset"),
    ],
)  # fmt: skip
def test_doing_what_the_remedy_says_passes_and_the_vendor_keeps_what_it_needs(bindings, above, datasets, commands):
    facts = facts_of(*bindings, datasets=Datasets.of(*datasets), **above)
    chosen = target(dataset="heap")
    before = {name: judge(name, **facts, target=chosen).status for name in NEEDS}
    verdict = judge("vendor-least-privilege", **facts, target=chosen)
    assert sum(len(remedy.commands) for remedy in verdict.remedies) == commands
    after = obeyed(verdict.remedies, facts)
    assert judge("vendor-least-privilege", **after, target=chosen).status == "pass"
    for name, status in before.items():
        now = judge(name, **after, target=chosen).status
        assert status not in {"pass", "warn"} or now == "pass", name


def test_a_group_is_named_in_words():
    (remedy,) = judge("vendor-least-privilege", **facts_of(bind(USER, HEAP), bind(OWNER, GROUP))).remedies
    assert f"Take the account out of {GROUP}" in remedy.summary
    assert remedy.commands == ()


def test_what_acts_on_more_than_the_project_is_said():
    facts = facts_of(bind(USER, HEAP), folder=(bind(OWNER, HEAP),))
    (remedy,) = judge("vendor-least-privilege", **facts).remedies
    assert "What is on folders/77 acts on every project below it." in remedy.summary


def test_what_is_too_much_beside_the_role_that_is_granted_first_goes_too():
    facts = facts_of(bind(DATA_OWNER, HEAP), bind(VIEWER, HEAP), bind(EDITOR, HEAP))
    verdict = judge("vendor-least-privilege", **facts)
    after = obeyed(verdict.remedies, facts)
    held = [binding.role for binding in after["allow_policies"].policies[ACME].bindings if binding.members]
    assert held == [USER]
    assert judge("vendor-least-privilege", **after).status == "pass"


def test_and_where_a_group_gives_it_that_is_said():
    facts = facts_of(bind(DATA_OWNER, HEAP), bind(VIEWER, HEAP), bind(EDITOR, GROUP))
    verdict = judge("vendor-least-privilege", **facts)
    assert EDITOR not in verdict.message
    assert any(f"Take the account out of {GROUP}, which has {EDITOR}" in remedy.summary for remedy in verdict.remedies)


def test_a_role_that_may_be_needed_in_a_dataset_that_was_not_seen_stays():
    unseen = Datasets(provenance=HERE, datasets={"heap": Unknown(Denied("bigquery.datasets.get", ACME), HERE)})
    facts = facts_of(bind(USER, HEAP), bind(OWNER, HEAP), bind(EDITOR, HEAP), datasets=unseen)
    chosen = target(dataset="heap")
    assert judge("dataset-writable", **facts, target=chosen).status == "pass"
    verdict = judge("vendor-least-privilege", **facts, target=chosen)
    assert "need roles/bigquery.dataEditor on projects/acme-analytics" in verdict.remedies[-1].summary
    assert "as heap could not be read" in verdict.remedies[-1].summary
    after = obeyed(verdict.remedies, facts)
    held = [binding.role for binding in after["allow_policies"].policies[ACME].bindings if binding.members]
    assert held == [USER, EDITOR]
    assert judge("dataset-writable", **after, target=chosen).status == "pass"


def test_several_entries_of_one_role_are_one_command():
    datasets = Datasets.of(dataset("heap", OWN), dataset("sales", READER, READER))
    facts = facts_of(bind(USER, HEAP), datasets=datasets)
    verdict = judge("vendor-least-privilege", **facts, target=target(dataset="heap"))
    assert len(verdict.remedies[0].commands) == 1
    after = obeyed(verdict.remedies, facts)
    assert judge("vendor-least-privilege", **after, target=target(dataset="heap")).status == "pass"


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        pytest.param(Datasets.of(dataset("heap", OWN)), "and no more", id="all were read"),
        pytest.param(Datasets.of(dataset("heap", OWN), replace(dataset("sales"), access=Unknown(NotCollected()))),
                     "the access lists of 1 other dataset were not read", id="one was not"),
        pytest.param(Datasets.of(dataset("heap", OWN), replace(dataset("sales"), access_completeness=PARTIAL)),
                     "the access lists of 1 other dataset were not read", id="one in part"),
    ],
)  # fmt: skip
def test_what_was_not_read_of_other_datasets_is_said(datasets, said):
    verdict = judge(
        "vendor-least-privilege", **facts_of(bind(USER, HEAP), datasets=datasets), target=target(dataset="heap")
    )
    assert verdict.status == "pass"
    assert verdict.message.endswith(said)

"""dataset-writable: a case for each answer, named by what its reader has in front of them."""

import re
import shlex

import pytest
from msgspec.structs import replace

from preflight import AccessEntry, Completeness, Condition, Dataset, Datasets, Denied, NotCollected, TimedOut, Unknown
from preflight.testing import HERE, deny, groups, judge, target
from tests.conftest import EDITOR, FOLDER, HEAP, JOB_USER, USER, bind, obey, policies, role, roles, unreadable
from tests.obedience import obeyed

EMAIL = HEAP.partition(":")[2]
GET = "bigquery.datasets.get"
GROUP = "data@acme.example"
PERHAPS_MORE = Completeness(Denied(GET, "projects/acme-analytics"))
REFUSED = Unknown(Denied(GET, "projects/acme-analytics"), HERE)
ADMIN = AccessEntry(role="OWNER", user="admin@acme.example")
OWNERS = AccessEntry(role="OWNER", special_group="projectOwners")
MIGRATED = "heap_migrated"
PAST = "request.time < timestamp('2025-12-31T00:00:00Z')"
MAKES_AND_RUNS = [bind(USER, HEAP)]
OWN = AccessEntry(role="OWNER", user=EMAIL)


def dataset(name: str, *access: AccessEntry) -> Dataset:
    return Dataset(provenance=HERE, id=name, location="EU", access=access)


def both(*access: AccessEntry) -> Datasets:
    return Datasets.of(dataset("heap", *access), dataset(MIGRATED, *access))


def verdict_on(bindings, datasets, custom=(), name="heap", **above):
    return judge(
        "dataset-writable",
        allow_policies=policies(*bindings, **above),
        roles=roles(*custom),
        datasets=datasets,
        target=target(dataset=name),
    )


@pytest.mark.parametrize(
    ("bindings", "datasets", "status", "says"),
    [
        pytest.param(MAKES_AND_RUNS, Datasets.of(), "pass", "can make its datasets", id="none yet, BigQuery User"),
        pytest.param([bind(EDITOR, HEAP)], Datasets.of(), "pass", "can make its datasets", id="none yet, dataEditor"),
        pytest.param([bind(JOB_USER, HEAP)], Datasets.of(), "fail", "lacks bigquery.datasets.create", id="none yet"),
        pytest.param([bind(USER, HEAP, only_if="x")], Datasets.of(), "unknown", "condition", id="none yet, condition"),
        pytest.param([bind(USER, f"group:{GROUP}")], Datasets.of(), "unknown", GROUP, id="none yet, a group"),
        pytest.param(MAKES_AND_RUNS, both(ADMIN), "fail", "heap exists, and", id="someone else made them"),
        pytest.param(MAKES_AND_RUNS, both(ADMIN, OWN), "pass", "can write", id="the vendor made them"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", user=EMAIL.upper())), "pass", "can write",
                     id="writer by the access list, in capitals"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role=EDITOR, iam_member=HEAP)), "pass", "can write",
                     id="by an IAM member of the access list"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="READER", user=EMAIL)), "fail", "lacks", id="reader"),
        pytest.param([bind(EDITOR, HEAP)], both(ADMIN), "pass", "can write", id="dataEditor on the project"),
        pytest.param([bind("roles/owner", HEAP)], both(OWNERS), "pass", "can write", id="an owner of the project"),
        pytest.param([bind("roles/owner", HEAP)], both(ADMIN), "fail", "lacks",
                     id="an owner of the project, in datasets that leave the owners out"),
        pytest.param([bind("roles/editor", HEAP)], both(AccessEntry(role="WRITER", special_group="projectWriters")),
                     "pass", "can write", id="an editor of the project"),
        pytest.param(MAKES_AND_RUNS, both(OWNERS), "fail", "lacks", id="not an owner of the project"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", special_group="allAuthenticatedUsers")), "pass",
                     "can write", id="open to every account"),
        pytest.param([*MAKES_AND_RUNS, bind("roles/owner", HEAP, only_if="x")], both(OWNERS), "unknown",
                     "its condition does: x",
                     id="an owner on a condition"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", special_group="projectFriends")), "unknown",
                     "projectFriends", id="a special group of next year"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", user=EMAIL, condition=Condition("x < y"))),
                     "unknown", "x < y", id="an entry on a condition"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", group=GROUP)), "unknown", GROUP,
                     id="a group may write"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="READER", group=GROUP)), "fail", "lacks",
                     id="a group may read: no matter"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", domain="gserviceaccount.com")), "fail", "lacks",
                     id="a domain: never a service account"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(authorized="view acme.x.y")), "fail", "lacks",
                     id="an authorized view"),
        pytest.param(MAKES_AND_RUNS, both(AccessEntry(role="WRITER", iam_member=f"deleted:{HEAP}?uid=1")), "fail",
                     "lacks", id="a deleted account of the same name"),
        pytest.param(MAKES_AND_RUNS, Datasets.of(dataset("heap", OWN), dataset(MIGRATED, ADMIN)), "fail",
                     f"{MIGRATED} exists, and", id="the companion is someone else's"),
        pytest.param(MAKES_AND_RUNS, Datasets.of(dataset(MIGRATED, ADMIN)), "fail", f"{MIGRATED} exists, and",
                     id="the companion alone is there, someone else's"),
        pytest.param(MAKES_AND_RUNS, Datasets.of(dataset("heap", OWN)), "pass", "can make its datasets",
                     id="the companion is still to be made"),
        pytest.param([bind(JOB_USER, HEAP)], Datasets.of(dataset("heap", OWN)), "fail", "can't make datasets",
                     id="the companion is still to be made, and can't be"),
        pytest.param(MAKES_AND_RUNS, REFUSED, "unknown", "could not be read", id="whether they exist was refused"),
        pytest.param([bind(EDITOR, HEAP)], REFUSED, "pass", "write to all that are there",
                     id="refused, but it may make and write whatever there is"),
        pytest.param(MAKES_AND_RUNS, replace(Datasets.of(dataset("other")), completeness=PERHAPS_MORE), "unknown",
                     "could not be read", id="the list may lack them"),
        pytest.param(MAKES_AND_RUNS, replace(Datasets.of(dataset("heap", ADMIN)), completeness=PERHAPS_MORE), "fail",
                     "heap exists, and", id="one is someone else's, the other not seen: failing is enough"),
        pytest.param(MAKES_AND_RUNS, replace(Datasets.of(dataset("heap", OWN)), completeness=PERHAPS_MORE), "unknown",
                     "its companion", id="one is fine, the other not seen"),
        pytest.param(MAKES_AND_RUNS, Datasets.of(replace(dataset("heap"), access=REFUSED), dataset(MIGRATED, OWN)),
                     "unknown", GET, id="it is there, its access list unseen"),
        pytest.param([bind(EDITOR, HEAP)], Datasets.of(replace(dataset("heap"), access=REFUSED)), "pass", "can write",
                     id="its access list unseen, but dataEditor on the project"),
        pytest.param(MAKES_AND_RUNS, Unknown(NotCollected("no such source")), "unknown", "no such source",
                     id="nobody asked for datasets"),
    ],
)  # fmt: skip
def test_each_answer(bindings, datasets, status, says):
    verdict = verdict_on(bindings, datasets)
    assert verdict.status == status
    assert says in verdict.message
    assert verdict.evidence or status == "unknown"


@pytest.mark.parametrize(
    ("bindings", "status"),
    [
        pytest.param(MAKES_AND_RUNS, "pass", id="it may make one"),
        pytest.param([bind(JOB_USER, HEAP)], "fail", id="it may not"),
        pytest.param([bind(USER, HEAP, only_if="x")], "unknown", id="that hangs on a condition"),
    ],
)
def test_without_a_dataset_named_making_one_counts(bindings, status):
    for datasets in (Datasets.of(dataset("others", ADMIN)), REFUSED):
        assert verdict_on(bindings, datasets, name=None).status == status
    if status == "pass":
        assert "name an existing one with --dataset" in verdict_on(bindings, REFUSED, name=None).message


@pytest.mark.parametrize(
    ("access", "status"),
    [([], "unknown"), ([OWN], "pass")],
    ids=["it may be granted above", "its own list is enough"],
)
def test_an_ancestor_that_can_not_be_read(access, status):
    assert verdict_on(MAKES_AND_RUNS, both(*access), folder=unreadable(FOLDER)).status == status


def test_an_inherited_owner_may_be_one_of_the_projects_owners():
    """Whether `projectOwners` stands for those who inherit the role, Google doesn't document."""
    assert verdict_on(MAKES_AND_RUNS, both(OWNERS), folder=(bind("roles/owner", HEAP),)).status == "unknown"


def test_a_custom_role_that_lacks_one_permission_is_not_enough():
    custom = "projects/acme-analytics/roles/loader"
    writes = ["bigquery.tables.create", "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.update"]
    entry = AccessEntry(role=custom, iam_member=HEAP)
    lacking = verdict_on(MAKES_AND_RUNS, both(entry), [role(custom, *writes)])
    assert lacking.status == "fail"
    assert "it lacks bigquery.tables.updateData there" in lacking.message
    assert (
        verdict_on(MAKES_AND_RUNS, both(entry), [role(custom, *writes, "bigquery.tables.updateData")]).status == "pass"
    )


@pytest.mark.parametrize(
    ("permission", "datasets", "status", "says"),
    [
        pytest.param("bigquery.datasets.create", Datasets.of(), "fail",
                     "denies bigquery.googleapis.com/datasets.create", id="making them is denied"),
        pytest.param("bigquery.datasets.create", both(OWN), "pass", "can write", id="they are there already"),
        pytest.param("bigquery.tables.updateData", both(OWN), "fail", "it lacks bigquery.tables.updateData there; deny",
                     id="writing is denied"),
        pytest.param("bigquery.googleapis.com/tables.*", both(OWN), "fail", "tables.*", id="all of it is denied"),
        pytest.param("bigquery.jobs.create", both(OWN), "pass", "can write", id="something else is denied"),
    ],
)  # fmt: skip
def test_deny_policies(permission, datasets, status, says):
    facts = {"allow_policies": policies(*MAKES_AND_RUNS), "roles": roles(), "datasets": datasets,
             "deny_policies": deny(permission)}  # fmt: skip
    verdict = judge("dataset-writable", **facts, target=target(dataset="heap"))
    assert verdict.status == status
    assert says in verdict.message
    if status == "fail":
        assert "someone else made" not in verdict.message, "that isn't why"
        after = obeyed(verdict.remedies, facts)
        assert judge("dataset-writable", **after, target=target(dataset="heap")).status == "pass"


@pytest.mark.parametrize(
    ("expression", "status", "says"),
    [
        (PAST, "fail", "expired at 2025-12-31 00:00 UTC"),
        (f"!({PAST})", "pass", "can write"),
        ("resource.name.startsWith('projects/acme-analytics/datasets/heap')", "pass", "can write"),
        ("resource.name == 'projects/acme-analytics/datasets/other'", "fail", "is false"),
    ],
)
def test_conditions_are_looked_at_in_the_dataset(expression, status, says):
    verdict = verdict_on([*MAKES_AND_RUNS, bind(EDITOR, HEAP, only_if=expression)], both(ADMIN))
    assert verdict.status == status
    assert says in verdict.message


def test_a_group_whose_members_are_known():
    entry = AccessEntry(role="WRITER", group=GROUP)
    facts = {"allow_policies": policies(*MAKES_AND_RUNS), "roles": roles(), "datasets": both(entry)}
    for members, status in (((HEAP,), "pass"), ((), "fail")):
        known = groups({GROUP: members})
        assert judge("dataset-writable", **facts, groups=known, target=target(dataset="heap")).status == status


def test_a_name_that_no_dataset_can_have_is_judged_as_absent():
    assert verdict_on(MAKES_AND_RUNS, Datasets.of(), name="heap-production").status == "pass"


def test_what_was_not_seen_of_access_is_the_reason():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy"), HERE)
    verdict = judge("dataset-writable", access=late, datasets=both(OWN), target=target(dataset="heap"))
    assert (verdict.status, verdict.reason) == ("unknown", late.reason)


def test_all_that_is_wrong_is_told_with_a_remedy_each():
    verdict = verdict_on([bind(JOB_USER, HEAP)], Datasets.of(dataset("heap", ADMIN)))
    assert "can't write to it" in verdict.message
    assert "can't make datasets" in verdict.message
    assert len(verdict.remedies) == 2


def test_doing_what_the_remedy_says_passes_where_a_dataset_can_not_be_made():
    before = policies(bind(JOB_USER, HEAP))
    facts = {"roles": roles(), "datasets": Datasets.of(), "target": target(dataset="heap")}
    failed = judge("dataset-writable", allow_policies=before, **facts)
    after = obey(failed.remedies[0].commands[0], before)
    assert judge("dataset-writable", allow_policies=after, **facts).status == "pass"


def test_doing_what_the_remedy_says_passes_where_datasets_are_someone_elses():
    granted = {}
    for remedy in verdict_on(MAKES_AND_RUNS, both(ADMIN)).remedies:
        *words, statement = shlex.split(remedy.commands[0])
        assert words == ["bq", "--project_id=acme-analytics", "--location=EU", "query", "--use_legacy_sql=false"]
        said = re.fullmatch(r'GRANT `(.+)` ON SCHEMA `acme-analytics`\.`(\w+)` TO "(.+)"', statement)
        granted[said[2]] = AccessEntry(role=said[1], iam_member=said[3])
        assert f'dataset_id = "{said[2]}"' in remedy.terraform
        assert f'member     = "{said[3]}"' in remedy.terraform
    mended = Datasets.of(*(dataset(name, ADMIN, entry) for name, entry in granted.items()))
    assert sorted(granted) == ["heap", MIGRATED]
    assert verdict_on(MAKES_AND_RUNS, mended).status == "pass"


def test_it_shows_for_each_dataset_how_that_comes_about():
    verdict = verdict_on(MAKES_AND_RUNS, both(ADMIN))
    assert verdict.status == "fail"
    assert {path.resource.rpartition("/")[2] for path in verdict.access} == {"heap", MIGRATED}
    assert {path.granted for path in verdict.access} == {False}


def test_it_shows_who_may_make_those_that_are_not_there():
    (path,) = verdict_on(MAKES_AND_RUNS, Datasets.of()).access
    assert (path.granted, [way.role for way in path.ways]) == (True, [USER])

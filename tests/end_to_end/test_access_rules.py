"""What the vendor's account has: each answer of the rules about its grants, as a user gets it."""

import pytest

from preflight.emulator.world import Group, Role
from tests.end_to_end.conftest import ADMIN, VENDOR, Preflight, Serve
from tests.end_to_end.made_up import (
    CHECK_GROUP,
    COMPANION,
    DESTINATION,
    EDITOR,
    FOLDER,
    GET_DATASET,
    GET_FOLDER_POLICY,
    GET_ORGANIZATION_POLICY,
    GET_POLICY,
    GET_ROLE,
    HEAP,
    JOB_USER,
    LIST_DATASETS,
    LOOK_UP_GROUP,
    ORGANIZATION,
    OWN,
    PROJECT,
    USER,
    Case,
    Seen,
    answers,
    before,
    bind,
    cloud,
    dataset,
    ids,
)

OWNER, VIEWER = "roles/owner", "roles/viewer"
LOOKALIKE = "serviceAccount:heap-sql@heap-204112.iam.gserviceaccount.com"
FROM_OFFICE = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"
MORNINGS_AND_AFTERNOONS = "request.time.getHours('UTC') < 24"
TEAM = "group:team@acme.example"
OF_PROJECT, OF_FOLDER = Seen(GET_POLICY, PROJECT), Seen(GET_FOLDER_POLICY, FOLDER)
OF_ORGANIZATION = Seen(GET_ORGANIZATION_POLICY, ORGANIZATION)
EVERYWHERE = (OF_PROJECT, OF_FOLDER, OF_ORGANIZATION)
IN_OWN = Seen(GET_DATASET, f"{PROJECT}/datasets/{OWN}")
ABSENT = Seen(LIST_DATASETS, f"{PROJECT}/datasets")
CUSTOM = f"{PROJECT}/roles/runner"
RUNNER = Role(name="runner", permissions=("bigquery.jobs.create",))


def role(name: str) -> Seen:
    return Seen(GET_ROLE, name)


def team(*members: str, seen: bool = True) -> tuple[Group, ...]:
    """The group, whose members the admin may see or not."""
    return (Group(email="team@acme.example", members=members, viewers=(f"user:{ADMIN}",) if seen else ()),)


@pytest.mark.parametrize(
    "case",
    [
        Case("on the project", cloud(bind(USER, HEAP)), "pass", f"{HEAP} has {USER}", (OF_PROJECT,)),
        Case("inherited", cloud(organization=(bind(USER, HEAP),)), "pass", f"{HEAP} has {USER}", (OF_ORGANIZATION,)),
        Case("while a condition holds", cloud(bind(USER, HEAP, only_if=before(60))), "pass", f"{HEAP} has {USER}",
             (OF_PROJECT,)),
        Case("the minimum, by a custom role", cloud(bind(EDITOR, HEAP), bind(CUSTOM, HEAP), roles=(RUNNER,)), "pass",
             f"{HEAP} has the minimum: {EDITOR} and bigquery.jobs.create", (OF_PROJECT, Seen("iam.projects.roles.get",
             CUSTOM))),
        Case("through a group", cloud(bind(USER, TEAM), groups=team(HEAP)), "pass", f"{HEAP} has {USER}",
             (OF_PROJECT, Seen(CHECK_GROUP, TEAM))),
        Case("broader", cloud(bind(OWNER, HEAP)), "warn", "by more than the role asked for; it has roles/owner",
             (OF_PROJECT, role(OWNER))),
        Case("a condition that ended", cloud(bind(USER, HEAP, only_if=before(-10))), "fail", "a condition that expired",
             (*EVERYWHERE, role(USER))),
        Case("a group without it", cloud(bind(USER, TEAM), groups=team()), "fail", "neither the role asked for nor",
             (*EVERYWHERE, Seen(CHECK_GROUP, TEAM))),
        Case("half of the minimum", cloud(bind(EDITOR, HEAP)), "fail",
             f"(it has {EDITOR}; bigquery.jobs.create is missing)", EVERYWHERE),
        Case("a lookalike", cloud(bind(USER, LOOKALIKE)), "fail", f"{LOOKALIKE} is an account of the same name",
             EVERYWHERE),
        Case("a group that can't be seen", cloud(bind(USER, TEAM), groups=team(HEAP, seen=False)), "unknown",
             f"may be a member of {TEAM}", (*EVERYWHERE, role(USER), Seen(LOOK_UP_GROUP, TEAM)),
             reason="unresolved"),
        Case("a condition that can't be told", cloud(bind(USER, HEAP, only_if=FROM_OFFICE)), "unknown", FROM_OFFICE,
             (*EVERYWHERE, role(USER)), reason="unresolved"),
        Case("a folder that can't be read", cloud(withheld={FOLDER: (GET_FOLDER_POLICY,)}), "unknown",
             f"resourcemanager.folders.getIamPolicy on {FOLDER}", EVERYWHERE, reason="denied"),
    ],
    ids=ids,
)  # fmt: skip
def test_vendor_role(case: Case, serve: Serve, preflight: Preflight):
    answers("vendor-role", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("by the role", cloud(bind(USER, HEAP)), "pass", f"{HEAP} holds bigquery.jobs.create",
             (OF_PROJECT, role(USER))),
        Case("by a tag", cloud(bind(USER, HEAP, only_if="resource.matchTag('1000/env', 'prod')"),
             tags={"1000/env": "prod"}), "pass", f"{HEAP} holds", (OF_PROJECT, role(USER))),
        Case("through a group", cloud(folder=(bind(JOB_USER, TEAM),), groups=team(HEAP)), "pass", f"{HEAP} holds",
             (OF_FOLDER, Seen(CHECK_GROUP, TEAM), role(JOB_USER))),
        Case("as one of the project's editors", cloud(bind("roles/editor", HEAP), bind(CUSTOM,
             "projectEditor:acme-analytics"), roles=(RUNNER,)), "pass", f"{HEAP} holds",
             (OF_PROJECT, role("roles/editor"), Seen("iam.projects.roles.get", CUSTOM))),
        Case("by another value of the tag", cloud(bind(USER, HEAP, only_if="resource.matchTag('1000/env', 'prod')"),
             tags={"1000/env": "dev"}), "fail", "does not hold bigquery.jobs.create now", (*EVERYWHERE, role(USER))),
        Case("on a dataset's name", cloud(bind(USER, HEAP, only_if=f"resource.name.startsWith('{PROJECT}/datasets/')")),
             "fail", "a condition that is false", (*EVERYWHERE, role(USER))),
        Case("ended", cloud(bind(USER, HEAP, only_if=before(-1))), "fail", "expired", (*EVERYWHERE, role(USER))),
        Case("a deleted role", cloud(bind(CUSTOM, HEAP), roles=(Role(name="runner", permissions=RUNNER.permissions,
             deleted=True),)), "fail", f"no role of {HEAP}", EVERYWHERE),
        Case("nothing", cloud(), "fail", f"no role of {HEAP}", EVERYWHERE),
        Case("a group without it", cloud(bind(USER, TEAM), groups=team()), "fail", f"no role of {HEAP}",
             (*EVERYWHERE, Seen(CHECK_GROUP, TEAM))),
        Case("a condition that can't be told", cloud(bind(USER, HEAP, only_if=FROM_OFFICE)), "unknown", FROM_OFFICE,
             (*EVERYWHERE, role(USER)), reason="unresolved"),
        Case("a group that can't be seen", cloud(bind(USER, TEAM), groups=team(seen=False)), "unknown",
             f"may be a member of {TEAM}", (*EVERYWHERE, role(USER), Seen(LOOK_UP_GROUP, TEAM)),
             reason="unresolved"),
    ],
    ids=ids,
)  # fmt: skip
def test_jobs_create(case: Case, serve: Serve, preflight: Preflight):
    answers("jobs-create", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("nobody", cloud(bind(USER, HEAP)), "pass", "nobody looks like", EVERYWHERE),
        Case("another project", cloud(bind(USER, LOOKALIKE)), "warn",
             f"{LOOKALIKE} is an account of the same name elsewhere", (OF_PROJECT,)),
        Case("as a user, on the folder", cloud(folder=(bind(VIEWER, f"user:{VENDOR}", only_if=before(5)),)), "warn",
             f"user:{VENDOR} is written as user: instead of serviceAccount:", (OF_FOLDER,)),
        Case("deleted", cloud(bind(USER, f"deleted:{HEAP}?uid=123")), "warn", "is a deleted account of the same name",
             (OF_PROJECT,)),
        Case("a folder that can't be read", cloud(withheld={FOLDER: (GET_FOLDER_POLICY,)}), "unknown",
             "nobody in what could be read", (OF_FOLDER,), reason="denied"),
    ],
    ids=ids,
)  # fmt: skip
def test_vendor_lookalike(case: Case, serve: Serve, preflight: Preflight):
    answers("vendor-lookalike", case, serve, preflight)


WRITES = {"role": "WRITER", "userByEmail": VENDOR}


@pytest.mark.parametrize(
    "case",
    [
        Case("no condition", cloud(bind(USER, HEAP)), "pass", "nothing that the vendor needs ends within 30 days",
             (OF_PROJECT, role(USER))),
        Case("two months", cloud(bind(USER, HEAP, only_if=before(60))), "pass", "within 30 days",
             (OF_PROJECT, role(USER))),
        Case("ten days", cloud(bind(USER, HEAP, only_if=before(10))), "warn", f"{USER} and bigquery.jobs.create and "
             f"bigquery.datasets.create on {PROJECT}: held until", (OF_PROJECT, role(USER))),
        Case("at certain hours", cloud(bind(USER, HEAP, only_if=MORNINGS_AND_AFTERNOONS)), "warn",
             "held only at certain hours or days", (OF_PROJECT, role(USER))),
        Case("in its dataset", cloud(bind(USER, HEAP), datasets=(dataset(OWN, WRITES | {"condition": {"expression":
             before(10)}}),)), "warn", f"bigquery.tables.updateData on {PROJECT}/datasets/{OWN}: held until",
             (IN_OWN, role(EDITOR)), DESTINATION),
        Case("it can't be told", cloud(bind(USER, HEAP, only_if=FROM_OFFICE)), "unknown", FROM_OFFICE,
             (*EVERYWHERE, role(USER)), reason="unresolved"),
        Case("it ended", cloud(bind(USER, HEAP, only_if=before(-10))), "skip", "holds nothing that could end"),
    ],
    ids=ids,
)  # fmt: skip
def test_grant_expires(case: Case, serve: Serve, preflight: Preflight):
    answers("grant-expires", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("just the role", cloud(bind(USER, HEAP)), "pass", f"{HEAP} holds what it needs, and no more",
             (OF_PROJECT,)),
        Case("more on the project and above", cloud(bind(USER, HEAP), bind(OWNER, HEAP), folder=(bind(EDITOR, HEAP),)),
             "warn", f"{OWNER} on {PROJECT}", (OF_PROJECT, OF_FOLDER)),
        Case("more through a group", cloud(bind(USER, HEAP), bind(OWNER, TEAM), groups=team(HEAP)), "warn",
             f"{OWNER} on {PROJECT}", (OF_PROJECT, Seen(CHECK_GROUP, TEAM))),
        Case("other datasets", cloud(bind(USER, HEAP), datasets=(dataset("sales", WRITES), dataset(OWN, WRITES))),
             "pass", "and no more; the access lists of 1 other dataset were not read", (OF_PROJECT,), DESTINATION),
        Case("the organization can't be read", cloud(bind(USER, HEAP), withheld={ORGANIZATION:
             (GET_ORGANIZATION_POLICY,)}), "unknown", "nothing beyond its need in what could be read",
             (OF_PROJECT, OF_ORGANIZATION), reason="denied"),
        Case("nothing", cloud(), "skip", f"{HEAP} holds nothing on the project or above"),
    ],
    ids=ids,
)  # fmt: skip
def test_vendor_least_privilege(case: Case, serve: Serve, preflight: Preflight):
    answers("vendor-least-privilege", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("neither is there", cloud(bind(USER, HEAP)), "pass", f"{HEAP} can make its datasets",
             (ABSENT, OF_PROJECT, role(USER)), DESTINATION),
        Case("an entry", cloud(bind(USER, HEAP), datasets=(dataset(OWN, WRITES), dataset(COMPANION, WRITES))), "pass",
             f"{OWN} exists, and {HEAP} can write to it", (IN_OWN, Seen(GET_DATASET, f"{PROJECT}/datasets/{COMPANION}"),
             role(EDITOR)), DESTINATION),
        Case("a role for datasets of that name", cloud(bind(USER, HEAP), bind(EDITOR, HEAP,
             only_if=f"resource.name.startsWith('{PROJECT}/datasets/heap_')"), datasets=(dataset(OWN),)), "pass",
             f"{HEAP} can write to it", (OF_PROJECT, role(EDITOR), role(USER), ABSENT), DESTINATION),
        Case("as one of the project's editors", cloud(bind("roles/editor", HEAP), datasets=(dataset(OWN, {"role":
             "WRITER", "specialGroup": "projectWriters"}),)), "pass", f"{HEAP} can write to it", (IN_OWN,
             role(EDITOR), ABSENT, OF_PROJECT, role("roles/editor")), DESTINATION),
        Case("the right to make datasets", cloud(bind(USER, HEAP), datasets=(dataset(OWN),)), "fail",
             f"{OWN} exists, and {HEAP} can't write to it", (*EVERYWHERE, IN_OWN), DESTINATION),
        Case("an entry that ended", cloud(bind(USER, HEAP), datasets=(dataset(OWN, WRITES | {"condition": {"expression":
             before(-10)}}),)), "fail", "expired", (*EVERYWHERE, IN_OWN, role(EDITOR)), DESTINATION),
        Case("a role for datasets of another name", cloud(bind(USER, HEAP), bind(EDITOR, HEAP,
             only_if=f"resource.name.startsWith('{PROJECT}/datasets/sales')"), datasets=(dataset(OWN),)), "fail",
             f"{HEAP} can't write to it", (*EVERYWHERE, IN_OWN, role(EDITOR)), DESTINATION),
        Case("an entry on what can't be told", cloud(bind(USER, HEAP), datasets=(dataset(OWN, WRITES | {"condition":
             {"expression": FROM_OFFICE}}),)), "unknown", FROM_OFFICE, (*EVERYWHERE, IN_OWN, role(EDITOR)),
             DESTINATION, reason="unresolved"),
        Case("one of the folder's editors", cloud(bind(USER, HEAP), folder=(bind("roles/editor", HEAP),), datasets=(
             dataset(OWN, {"role": "WRITER", "specialGroup": "projectWriters"}),)), "unknown",
             "projectWriters stands for the holders of roles/editor", (*EVERYWHERE, IN_OWN, role(EDITOR)),
             DESTINATION, reason="unresolved"),
    ],
    ids=ids,
)  # fmt: skip
def test_dataset_writable(case: Case, serve: Serve, preflight: Preflight):
    answers("dataset-writable", case, serve, preflight)

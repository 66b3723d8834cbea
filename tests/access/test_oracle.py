"""The oracle itself: small worlds whose answers Google's documents give; and that it shares no code with the engine."""

import ast
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.access import clauses, generate, oracle, two_valued, worlds
from tests.access.clauses import Place, text, truth
from tests.access.generate import DATASET, ID, NUMBER, ORGANIZATION, OWN, Maker
from tests.access.oracle import GRANTED, NOT_GRANTED, UNKNOWN, TooManyError, decisive, judge
from tests.access.worlds import AllowList, Denial, DenyList, Entry, Grant, Question, Role, Tags, Team, View, hidden

ANN, BOT = "user:ann@acme.example", "serviceAccount:bot@elsewhere.iam.gserviceaccount.com"
HOME = f"serviceAccount:etl@{ID}.iam.gserviceaccount.com"
RUN, JOBS = f"{OWN}/roles/run", "bigquery.jobs.create"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SETS = "principalSet://cloudresourcemanager.googleapis.com"
OFFICE = ("unseen", "'office' in request.auth.access_levels")
EXPIRED, LASTING = ("time", "<", "2026-01-01T00:00:00Z", 0), ("time", "<", "2027-01-01T00:00:00Z", 0)


def world(*grants: Grant, folder: AllowList | None = AllowList(), **more: Any) -> View:  # noqa: B008 (frozen)
    roles = {
        RUN: Role(frozenset({JOBS, "bigquery.tables.getData"})),
        "roles/owner": Role(frozenset()),
        **more.pop("roles", {}),
    }
    allow = {OWN: AllowList(grants), "folders/1": folder, ORGANIZATION: AllowList()}
    return View(ID, NUMBER, NOW, (OWN, "folders/1", ORGANIZATION), allow, roles=roles, **more)


def run(*members: str, only_if: Any = None) -> Grant:
    return Grant(RUN, members, only_if)


def denied(*principals: str, permissions: tuple[str, ...] = ("bigquery.googleapis.com/jobs.create",), **more: Any):
    return {ORGANIZATION: DenyList({"guard": (Denial(principals, permissions, **more),)})}


TEAM = {
    "team@acme.example": Team(("group:inner@acme.example",)),
    "inner@acme.example": Team((ANN, "group:TEAM@acme.example")),
}
ALL = "principalSet://goog/public:all"


@pytest.mark.parametrize(
    ("view", "principal", "answer"),
    [
        pytest.param(world(run(ANN)), ANN, GRANTED, id="a binding"),
        pytest.param(world(run("user:Ann@ACME.example")), ANN, GRANTED, id="in capitals"),
        pytest.param(world(run(ANN)), "user:ben@acme.example", NOT_GRANTED, id="someone else"),
        pytest.param(world(run("serviceAccount:ann@acme.example")), ANN, NOT_GRANTED, id="another kind"),
        pytest.param(world(run(f"deleted:{ANN}?uid=1")), ANN, NOT_GRANTED, id="a deleted namesake"),
        pytest.param(world(folder=AllowList((run(ANN),))), ANN, GRANTED, id="inherited"),
        pytest.param(world(folder=None), ANN, UNKNOWN, id="a policy that wasn't read"),
        pytest.param(world(run(ANN), folder=None), ANN, GRANTED, id="a grant beside it"),
        pytest.param(world(chain_complete=False), ANN, UNKNOWN, id="ancestors that aren't known"),
        pytest.param(world(run(ANN), roles={RUN: None}), ANN, UNKNOWN, id="a role that wasn't read"),
        pytest.param(
            world(run(ANN), roles={RUN: Role(frozenset({JOBS}), deleted=True)}), ANN, NOT_GRANTED, id="deleted"
        ),
        pytest.param(
            world(run(ANN), roles={RUN: Role(frozenset({JOBS}), disabled=True)}), ANN, NOT_GRANTED, id="disabled"
        ),
        pytest.param(world(Grant("roles/bigquery.jobUser", (ANN,))), ANN, GRANTED, id="a role in the catalogue"),
        pytest.param(world(Grant("roles/browser", (ANN,))), ANN, NOT_GRANTED, id="one that lacks it there"),
        pytest.param(world(run(ANN, only_if=EXPIRED)), ANN, NOT_GRANTED, id="expired"),
        pytest.param(world(run(ANN, only_if=LASTING)), ANN, GRANTED, id="not expired"),
        pytest.param(world(run(ANN, only_if=OFFICE)), ANN, UNKNOWN, id="a condition nobody can tell"),
        pytest.param(world(run(ANN, only_if=("or", OFFICE, LASTING))), ANN, GRANTED, id="or true"),
        pytest.param(world(run("allAuthenticatedUsers")), BOT, GRANTED, id="public"),
        pytest.param(world(run("domain:acme.example")), ANN, UNKNOWN, id="a domain"),
        pytest.param(world(run("domain:acme.example")), BOT, NOT_GRANTED, id="a domain holds no service accounts"),
        pytest.param(world(run("ann@acme.example")), ANN, UNKNOWN, id="no colon"),
        pytest.param(
            world(run(f"{SETS}/projects/{NUMBER}/type/ServiceAccount")), HOME, GRANTED, id="the project's accounts"
        ),
        pytest.param(
            world(run(f"{SETS}/projects/{NUMBER}/type/ServiceAccount")), BOT, NOT_GRANTED, id="of another project"
        ),
        pytest.param(world(run(f"{SETS}/folders/1/type/ServiceAccount")), HOME, GRANTED, id="the folder's"),
        pytest.param(world(run(f"{SETS}/folders/2/type/ServiceAccount")), HOME, NOT_GRANTED, id="another folder's"),
        pytest.param(world(run(f"{SETS}/folders/1/type/ServiceAccount")), BOT, UNKNOWN, id="that may be in the folder"),
        pytest.param(world(run(f"{SETS}/folders/1/type/ServiceAccount")), ANN, NOT_GRANTED, id="no service account"),
        pytest.param(world(run("group:team@acme.example")), ANN, UNKNOWN, id="a group"),
        pytest.param(world(run("group:Team@acme.example"), groups=TEAM), ANN, GRANTED, id="groups in a circle, in it"),
        pytest.param(
            world(run("group:team@acme.example"), groups=TEAM), BOT, NOT_GRANTED, id="groups in a circle, not in it"
        ),
        pytest.param(world(run(f"projectOwner:{ID}"), Grant("roles/owner", (ANN,))), ANN, GRANTED, id="the owners"),
        pytest.param(
            world(run(f"projectOwner:{ID}"), folder=AllowList((Grant("roles/owner", (ANN,)),))),
            ANN,
            UNKNOWN,
            id="by inheritance",
        ),
        pytest.param(world(run("projectOwner:other")), ANN, UNKNOWN, id="another project's owners"),
        pytest.param(world(run(ANN), deny=denied(ALL)), ANN, NOT_GRANTED, id="denied"),
        pytest.param(
            world(run(ANN), deny=denied(ALL, permissions=("bigquery.googleapis.com/*.create",))),
            ANN,
            NOT_GRANTED,
            id="by verb",
        ),
        pytest.param(
            world(run(ANN), deny=denied(ALL, permissions=("bigquery.googleapis.com/tables.*",))),
            ANN,
            GRANTED,
            id="other permissions",
        ),
        pytest.param(
            world(run(ANN), deny=denied(ALL, except_permissions=("bigquery.googleapis.com/jobs.*",))),
            ANN,
            GRANTED,
            id="but for this",
        ),
        pytest.param(
            world(run(ANN), deny=denied(ALL, except_principals=("principal://goog/subject/ANN@acme.example",))),
            ANN,
            GRANTED,
            id="but for her",
        ),
        pytest.param(
            world(
                run(ANN), deny=denied(ALL, condition=("matchTag", "9/env", "prod")), tags=Tags({"9/env": "9/env/prod"})
            ),
            ANN,
            NOT_GRANTED,
            id="tagged",
        ),
        pytest.param(
            world(run(ANN), deny=denied(ALL, condition=("matchTag", "9/env", "prod")), tags=None),
            ANN,
            UNKNOWN,
            id="perhaps tagged",
        ),
        pytest.param(
            world(run("group:x@y.z"), deny=denied("principalSet://goog/group/X@y.z")),
            ANN,
            NOT_GRANTED,
            id="granted and denied through one group",
        ),
        pytest.param(world(run(ANN), deny=None), ANN, GRANTED, id="unread deny policies aren't assumed"),
        pytest.param(world(run(ANN), deny=None, unread_deny_blocks=True), ANN, UNKNOWN, id="or block"),
    ],
)
def test_answers(view: View, principal: str, answer: str):
    assert judge(view, Question(principal, JOBS)) == answer


OWNERS = (Entry("special_group", "projectOwners", "OWNER"),)
READ = "bigquery.tables.getData"


@pytest.mark.parametrize(
    ("view", "principal", "answer"),
    [
        pytest.param(
            world(datasets={DATASET: (Entry("user", "Ann@acme.example", "READER"),)}), ANN, GRANTED, id="a user"
        ),
        pytest.param(world(datasets={DATASET: (Entry("user", BOT[15:], "READER"),)}), BOT, GRANTED, id="an account"),
        pytest.param(world(datasets={DATASET: (Entry("user", ANN[5:], RUN),)}), ANN, GRANTED, id="a custom role"),
        pytest.param(
            world(datasets={DATASET: (Entry("user", ANN[5:], "roles/browser"),)}),
            ANN,
            NOT_GRANTED,
            id="a role that lacks it",
        ),
        pytest.param(world(datasets={DATASET: (Entry("authorized", "a/b"),)}), ANN, NOT_GRANTED, id="a view"),
        pytest.param(
            world(datasets={DATASET: (Entry("domain", "acme.example", "READER"),)}), ANN, UNKNOWN, id="a domain"
        ),
        pytest.param(world(datasets={DATASET: (Entry("iam_member", "allUsers", "READER"),)}), ANN, GRANTED, id="all"),
        pytest.param(
            world(datasets={DATASET: (Entry("user", ANN[5:], "READER", EXPIRED),)}), ANN, NOT_GRANTED, id="expired"
        ),
        pytest.param(world(Grant("roles/owner", (ANN,)), datasets={DATASET: OWNERS}), ANN, GRANTED, id="an owner"),
        pytest.param(world(Grant("roles/editor", (ANN,)), datasets={DATASET: OWNERS}), ANN, NOT_GRANTED, id="no owner"),
        pytest.param(world(datasets={DATASET: None}), ANN, UNKNOWN, id="a list that wasn't read"),
        pytest.param(world(run(ANN), datasets={DATASET: None}), ANN, GRANTED, id="a grant on the project beside it"),
    ],
)
def test_answers_about_a_dataset(view: View, principal: str, answer: str):
    assert judge(view, Question(principal, READ, DATASET)) == answer


def test_a_role_is_held_by_a_binding_of_it():
    asked = Question(ANN, role=RUN)
    assert judge(world(run(ANN)), asked) == GRANTED
    assert judge(world(run(ANN), deny=denied(ALL)), asked) == GRANTED
    assert judge(world(Grant("roles/bigquery.admin", (ANN,))), asked) == NOT_GRANTED
    assert judge(world(run(ANN), folder=None, roles={RUN: Role(frozenset(), deleted=True)}), asked) == NOT_GRANTED
    assert judge(world(run(ANN), roles={RUN: None}), asked) == UNKNOWN


def test_only_what_the_answer_hangs_on_is_decisive():
    asked = Question(ANN, JOBS)
    assert decisive(world(run(ANN), folder=None), asked) == set()
    assert decisive(world(folder=None), asked) == {("policy", "folders/1")}
    group = world(run("group:a@b.c", only_if=OFFICE), roles={RUN: None})
    office = ("condition", text(OFFICE), "cloudresourcemanager.googleapis.com/Project")
    assert decisive(group, asked) == {("group", "a@b.c"), ("role", RUN), office}
    assert decisive(world(run("group:a@b.c"), deny=denied("principalSet://goog/group/a@b.c")), asked) == set()
    many = world(*(run(f"group:{n}@b.c") for n in range(12)))
    with pytest.raises(TooManyError):
        decisive(many, asked)
    assert judge(many, asked) == UNKNOWN


SALES = Place(f"{OWN}/datasets/sales/tables/", "bigquery.googleapis.com/Table", "bigquery.googleapis.com", some=True)
A_TABLE = ("name", "==", f"{OWN}/datasets/sales/tables/a")


@pytest.mark.parametrize(
    ("clause", "value", "cel"),
    [
        (("name", "startsWith", f"{OWN}/datasets/sales"), True, f"resource.name.startsWith('{OWN}/datasets/sales')"),
        (("name", "startsWith", "projects/other"), False, "resource.name.startsWith('projects/other')"),
        (A_TABLE, None, f'resource.name == "{OWN}/datasets/sales/tables/a"'),
        (("or", ("not", A_TABLE), A_TABLE), True, f'!({text(A_TABLE)}) || {text(A_TABLE)}'),
        (("name", "==", f"{OWN}/datasets/sales/tables/"), False, f'resource.name == "{OWN}/datasets/sales/tables/"'),
        (("type", "bigquery.googleapis.com/Table"), True, 'resource.type == "bigquery.googleapis.com/Table"'),
        (("matchTag", "9/env", "prod"), None, "resource.matchTag('9/env', 'prod')"),
        (("time", "<=", "2026-03-04T05:06:07Z", 0), True, 'request.time <= timestamp("2026-03-04T05:06:07Z")'),
        (("time", ">", "2026-03-04T00:00:00Z", 6), False,
         'request.time > timestamp("2026-03-04T00:00:00Z") + duration("6h")'),
        (("hours", ">=", 5), True, 'request.time.getHours("UTC") >= 5'),
        (("and", ("or", OFFICE, LASTING), ("not", ("constant", False))), True,
         f"({text(OFFICE)} || {text(LASTING)}) && !false"),
        (("and", OFFICE, EXPIRED), False, f"{text(OFFICE)} && {text(EXPIRED)}"),
    ],
)  # fmt: skip
def test_conditions_of_some_table(clause: Any, value: bool | None, cel: str):
    assert truth(clause, SALES, NOW, Tags({"9/env": "9/env/prod"})) is value
    assert text(clause) == cel


def test_it_imports_nothing_of_the_engine():
    for module in (clauses, worlds, two_valued, oracle, generate):
        tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
        named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        ours = {name for name in named if name.startswith(("preflight", "rules"))}
        assert ours <= {"preflight.facts.catalogue"}, module.__name__


def test_every_kind_of_fact_decides_something_in_the_generated_worlds():
    kinds: Counter[str] = Counter()
    members: Counter[str] = Counter()
    for seed in range(1500):
        case = Maker.seeded(seed).case()
        view = hidden(case.world, case.blindfolds)
        for policy in view.allow.values():
            members.update(m.partition(":")[0] for grant in (policy.grants if policy else ()) for m in grant.members)
        for question in case.questions:
            if judge(view, question) == UNKNOWN:
                try:
                    kinds.update({fact[0] for fact in decisive(view, question)})
                except TooManyError:
                    continue
    assert kinds.keys() == {"policy", "ancestors", "group", "role", "condition", "member", "basic role",
                            "deny policy", "deny ancestors", "dataset access"}  # fmt: skip
    assert min(kinds.values()) > 5, kinds
    assert members.keys() == {"user", "serviceAccount", "group", "domain", "deleted", "principal", "principalSet",
                              "projectOwner", "projectEditor", "projectViewer", "allUsers", "allAuthenticatedUsers",
                              "robot", "ann@acme.example"}  # fmt: skip
    assert min(members.values()) > 5, members

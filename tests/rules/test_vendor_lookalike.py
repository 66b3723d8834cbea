"""vendor-lookalike: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import TimedOut, Unknown, Unresolved
from preflight.facts.policy import PossibleBinding
from preflight.testing import HERE, at, judge
from tests.conftest import FOLDER, HEAP, USER, bind, policies, roles, unreadable
from tests.obedience import obeyed

DELETED = f"deleted:{HEAP}?uid=1"
ELSEWHERE = "serviceAccount:heap-sql@other.iam.gserviceaccount.com"
MISSPELT = HEAP.replace("heap-sql", "heap-sqI")
AS_USER = HEAP.replace("serviceAccount:", "user:")


@pytest.mark.parametrize(
    ("bindings", "above", "status", "says"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", "nobody looks like", id="the account itself"),
        pytest.param([bind(USER, HEAP.upper().replace("SERVICEACCOUNT", "serviceAccount"))], {}, "pass", "nobody",
                     id="itself in capitals"),
        pytest.param([bind(USER, "user:ana@acme.example")], {}, "pass", "nobody", id="someone quite else"),
        pytest.param([bind(USER, HEAP, DELETED)], {}, "warn", "a deleted account of the same name", id="deleted"),
        pytest.param([bind(USER, ELSEWHERE)], {}, "warn", "an account of the same name elsewhere", id="elsewhere"),
        pytest.param([bind(USER, MISSPELT)], {}, "warn", "misspelt?", id="misspelt"),
        pytest.param([bind(USER, AS_USER)], {}, "warn", "written as user: instead of", id="as a user"),
        pytest.param([], {"folder": (bind(USER, ELSEWHERE),)}, "warn", ELSEWHERE, id="on a folder"),
        pytest.param([bind(USER, ELSEWHERE)], {"folder": unreadable(FOLDER)}, "warn", ELSEWHERE, id="one is enough"),
        pytest.param([bind(USER, HEAP)], {"folder": unreadable(FOLDER)}, "unknown", "not all could", id="not all read"),
    ],
)  # fmt: skip
def test_each_answer(bindings, above, status, says):
    verdict = judge("vendor-lookalike", allow_policies=policies(*bindings, **above), roles=roles())
    assert verdict.status == status
    assert says in verdict.message
    assert verdict.evidence


def test_a_grant_to_it_that_may_stand_is_told_where_that_is_said():
    why = Unknown(Unresolved("google_project.main.number is known after apply"), at("plan.json: x.y"))
    allow = policies(bind(USER, HEAP))
    own = replace(allow.policies[HERE.resource], possible=(PossibleBinding(why=why, role=USER, members=(ELSEWHERE,)),))
    verdict = judge("vendor-lookalike", allow_policies=replace(allow, policies={own.resource: own}), roles=roles())
    assert verdict.status == "warn"
    assert [(seen.resource, seen.detail) for seen in verdict.evidence] == [
        ("plan.json: x.y", f"{USER} may be granted to {ELSEWHERE}")
    ]


def test_nothing_of_the_policies_was_seen():
    late = Unknown(TimedOut("cloudresourcemanager.projects.getIamPolicy", 5), HERE)
    assert judge("vendor-lookalike", allow_policies=late, roles=roles()).reason == late.reason


def test_doing_what_the_remedy_says_passes_and_leaves_the_account_alone():
    facts = {
        "allow_policies": policies(
            bind(USER, HEAP, ELSEWHERE),
            bind("roles/viewer", ELSEWHERE, only_if="request.time < timestamp('2030-01-01T00:00:00Z')"),
            folder=(bind(USER, DELETED, "user:ana@acme.example"),),
        ),
        "roles": roles(),
    }
    verdict = judge("vendor-lookalike", **facts)
    after = obeyed(verdict.remedies, facts)
    assert judge("vendor-lookalike", **after).status == "pass"
    assert judge("vendor-role", **after).status == "pass"
    assert after["allow_policies"].policies[FOLDER].bindings[0].members == ("user:ana@acme.example",)


def test_two_bindings_of_one_role_are_one_command():
    facts = {
        "allow_policies": policies(bind(USER, ELSEWHERE), bind(USER, ELSEWHERE, only_if="1 < 2")),
        "roles": roles(),
    }
    verdict = judge("vendor-lookalike", **facts)
    (remedy,) = verdict.remedies
    assert remedy.commands[0].endswith("--all")
    assert verdict.message.count(ELSEWHERE) == 1
    assert judge("vendor-lookalike", **obeyed(verdict.remedies, facts)).status == "pass"

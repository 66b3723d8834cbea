"""From a selection of rules to a report: prerequisites, defects, what is needed, and the exit code."""

from datetime import UTC, datetime
from itertools import product

import pytest
from msgspec.structs import replace

from preflight import (
    AllowPolicies,
    Ancestry,
    Billing,
    CallerIdentity,
    CallerPermissions,
    Datasets,
    Decision,
    Denied,
    DenyPolicies,
    EffectiveAccess,
    Evidence,
    Groups,
    IamResources,
    Maybe,
    NotCollected,
    Organization,
    OrgPolicies,
    Project,
    Remedy,
    Roles,
    SecondOpinions,
    Services,
    Severity,
    Snapshot,
    Status,
    Tables,
    Tags,
    Target,
    TimedOut,
    Unknown,
    Unseen,
    Verdict,
    failed,
    passed,
    rule,
    skipped,
    unknown,
    warned,
)
from preflight.engine import DERIVATIONS, check_rule, evaluate, load_rules, needed_facts
from preflight.errors import RuleError
from preflight.profile import load_profile
from preflight.report import Finding, Report
from preflight.rulebook import Rule, in_order, select
from preflight.testing import HERE, judge, snapshot, target
from tests.conftest import HEAP, USER, bind, policies, roles

SEEN = Evidence("test", "here", None, "so")
MEND = Remedy("Mend it.")
FAIL, PASS = failed("no", SEEN, remedy=MEND), passed("yes", SEEN)
WARN, SKIP = warned("hm", SEEN, remedy=MEND), skipped("n/a")
UNKNOWN = unknown("?", TimedOut("x"))
REQUIRED, IMPORTANT, RECOMMENDED = Severity.REQUIRED, Severity.IMPORTANT, Severity.RECOMMENDED


def make(name, judge, severity=REQUIRED, after=(), aliases=(), order=500) -> Rule:
    judge.__doc__ = "How."
    declared = rule(title="T", why="W", severity=severity, since="0.1", after=after, aliases=aliases, order=order)(
        judge
    )
    return check_rule(replace(declared, id=name))


def always(name, verdict, **also) -> Rule:
    def judge():
        return verdict

    return make(name, judge, **also)


def findings(*rules, facts=None, **also) -> dict[str, Finding]:
    return {f.rule: f for f in report(*rules, facts=facts, **also).findings}


def report(*rules, facts=None, **also) -> Report:
    return evaluate(in_order(rules), snapshot(**facts or {}), target(), load_profile("heap"), **also)


@pytest.mark.parametrize(
    ("before", "severity", "status", "because"),
    [
        pytest.param(FAIL, REQUIRED, "skip", "first", id="failed"),
        pytest.param(FAIL, IMPORTANT, "skip", "first", id="an important one failed"),
        pytest.param(FAIL, RECOMMENDED, "pass", None, id="a recommended one: that is a warning"),
        pytest.param(WARN, REQUIRED, "pass", None, id="warned"),
        pytest.param(UNKNOWN, REQUIRED, "pass", None, id="unknown: the other may still be seen"),
        pytest.param(SKIP, REQUIRED, "pass", None, id="not applicable"),
        pytest.param(PASS, REQUIRED, "pass", None, id="passed"),
    ],
)
def test_a_rule_whose_prerequisite(before, severity, status, because):
    # `second` comes first in the list: the prerequisite is judged all the same.
    found = findings(
        always("first", before, severity=severity, order=9), always("second", PASS, after=("first",), order=1)
    )["second"]
    assert (found.status, found.because) == (status, because)
    if because:
        assert found.verdict.message == "first failed: mend that first"


def test_skips_lead_back_to_the_cause():
    found = findings(
        always("a", FAIL), always("b", PASS, after=("a",)), always("c", PASS, after=("b",)), always("d", PASS)
    )
    assert {name: f.because for name, f in found.items()} == {"a": None, "b": "a", "c": "a", "d": None}


def test_a_prerequisite_that_was_not_selected_is_not_judged():
    rules = in_order([always("a", FAIL), always("b", PASS, after=("a",))])
    only = evaluate(select(rules, ("b",)), snapshot(), target(), load_profile("heap"))
    assert [(f.rule, f.status) for f in only.findings] == [("b", "pass")]


def test_a_prerequisite_may_be_named_by_its_alias():
    found = findings(always("new-name", FAIL, aliases=("old-name",)), always("b", PASS, after=("old-name",)))
    assert found["b"].because == "new-name"


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([always("a", PASS, after=("b",)), always("b", PASS, after=("a",))], id="two"),
        pytest.param([always("a", PASS, after=("was-b",)), always("b", PASS, after=("a",), aliases=("was-b",))],
                     id="by an alias"),
    ],
)  # fmt: skip
def test_rules_that_wait_for_each_other_are_refused(rules):
    with pytest.raises(RuleError, match=r"wait for each other: . -> . -> ."):
        in_order(rules)


def test_an_unknown_prerequisite_is_refused_with_the_nearest_name():
    with pytest.raises(RuleError, match="'b' comes after 'project-activ', which is not a rule") as caught:
        in_order([always("project-active", PASS), always("b", PASS, after=("project-activ",))])
    assert "Did you mean 'project-active'?" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (always("same", PASS), always("same", PASS)),
        (always("same", PASS), always("b", PASS, aliases=("same",))),
    ],
    ids=["twice an id", "an id and an alias"],
)
def test_a_name_used_twice_is_refused(one, other):
    with pytest.raises(RuleError, match="Two rules are named 'same'"):
        in_order([one, other])


def raising() -> Verdict:
    raise KeyError("secret-token")


def test_a_rule_that_raises_is_an_internal_unknown_and_the_others_report():
    done = report(make("broken", raising), always("failing", FAIL), always("fine", PASS))
    found = {f.rule: f for f in done.findings}
    assert {name: f.status.value for name, f in found.items()} == {
        "broken": "unknown",
        "failing": "fail",
        "fine": "pass",
    }
    assert found["broken"].verdict.reason.kind == "internal"
    assert "rule broken raised KeyError" in found["broken"].verdict.message
    assert "secret-token" not in str(found["broken"])
    assert done.exit_code == 4


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("allow_unknown", [False, True])
def test_an_internal_error_outranks_all(severity, allow_unknown):
    done = report(make("broken", raising, severity=severity), always("failing", FAIL), allow_unknown=allow_unknown)
    assert done.exit_code == 4


@pytest.mark.parametrize("answer", [None, True, "fine", Status.PASS])
def test_an_answer_that_is_no_verdict_is_a_defect(answer):
    assert findings(always("odd", answer))["odd"].verdict.reason.kind == "internal"


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: passed("yes"), id="a pass without evidence"),
        pytest.param(lambda: failed("no", remedy=MEND), id="a fail without evidence"),
        pytest.param(lambda: failed("no", SEEN, remedy=()), id="a fail without remedy"),
    ],
)
def test_a_verdict_that_rests_on_nothing_is_a_defect(build):
    with pytest.raises(ValueError, match="needs"):
        build()

    def judge():
        return build()

    assert findings(make("careless", judge))["careless"].verdict.reason.kind == "internal"


def test_a_recommended_rule_at_most_warns():
    found = findings(always("nice", FAIL, severity=RECOMMENDED))["nice"]
    assert found.verdict == replace(FAIL, status=Status.WARN)


BILLING = Billing(provenance=HERE, enabled=True, account=None)


def plain(billing: Billing) -> Verdict:
    return passed(str(billing.enabled), SEEN)


def lenient(billing: Maybe[Billing]) -> Verdict:
    return warned("unseen" if isinstance(billing, Unknown) else "seen", SEEN, remedy=MEND)


def test_a_fact_that_was_not_seen_answers_for_the_rule_unless_it_can_do_without():
    blind = Unknown(Denied("resourcemanager.projects.get", "projects/x"), HERE)
    rules = make("plain", plain), make("lenient", lenient)
    found = findings(*rules, facts={"billing": blind})
    assert found["plain"].status == "unknown"
    assert found["plain"].verdict.reason == blind.reason
    assert found["plain"].verdict.evidence == blind.seen()
    assert found["lenient"].verdict.message == "unseen"
    found = findings(*rules, facts={"billing": BILLING})
    assert [f.verdict.message for f in found.values()] == ["seen", "True"]


def test_the_finding_bears_what_the_rule_declares():
    declared = replace(always("x", PASS), title="Good", severity=IMPORTANT, requirements=("H2",))
    found = findings(declared)["x"]
    assert (found.title, found.severity, found.requirements) == ("Good", IMPORTANT, ("H2",))


def test_a_derived_fact_is_derived_once(monkeypatch):
    derived = []

    def counting(
        target: Target,
        allow_policies: AllowPolicies,
        roles: Maybe[Roles],
        deny_policies: Maybe[DenyPolicies],
        groups: Maybe[Groups],
        tags: Maybe[Tags],
        project: Maybe[Project],
        snapshot: Snapshot,
    ):
        derived.append(target)
        return original(target, allow_policies, roles, deny_policies, groups, tags, project, snapshot)

    original = DERIVATIONS[EffectiveAccess]
    monkeypatch.setitem(DERIVATIONS, EffectiveAccess, counting)

    def judge(access: EffectiveAccess) -> Verdict:
        decision: Decision = access.holds("bigquery.jobs.create")
        return passed("yes", *decision.evidence)

    facts = {"allow_policies": policies(bind(USER, HEAP)), "roles": roles()}
    found = findings(make("a", judge), make("b", judge), facts=facts)
    assert [f.status for f in found.values()] == ["pass", "pass"]
    assert len(derived) == 1


def test_a_derived_fact_is_unknown_for_the_reason_of_what_it_needs():
    def judge(access: EffectiveAccess) -> Verdict:
        return PASS

    late = Unknown(TimedOut("x"), HERE)
    assert findings(make("a", judge), facts={"allow_policies": late})["a"].verdict.reason == late.reason


ACCESS = {AllowPolicies, Roles, DenyPolicies, Groups, Tags, Project}
NEEDED = {
    "project-active": {Project},
    "billing-enabled": {Billing},
    "bigquery-api-enabled": {Services, Datasets},
    "vendor-role": ACCESS,
    "jobs-create": {*ACCESS, CallerIdentity, CallerPermissions},
    "dataset-location": {Datasets},
    "dataset-name": set(),
    "dataset-writable": {*ACCESS, Datasets},
    "auditor-access": {CallerIdentity},
    "vendor-sharing-allowed": {*ACCESS, OrgPolicies, Organization},
    "location-allowed": {OrgPolicies, Datasets, Project},
    "service-allowed": {OrgPolicies, Project},
    "dataset-encryption": {OrgPolicies, Datasets, Project},
    "dataset-expiration": {Datasets},
    "dataset-public": {Datasets},
    "vendor-least-privilege": {*ACCESS, Datasets},
    "vendor-lookalike": ACCESS,
    "grant-expires": {*ACCESS, Datasets},
    "iam-resources-conflict": {IamResources},
    "synced-datasets": {Datasets, Tables},
    "synced-views": {Datasets, Tables},
    "second-opinion": {*ACCESS, Datasets, SecondOpinions, CallerIdentity, CallerPermissions},
}


@pytest.mark.parametrize("name", NEEDED)
def test_just_what_a_rule_needs_is_asked_for(name):
    assert needed_facts(select(load_rules(), (name,))) == NEEDED[name]


def test_all_rules_together_need_no_ancestry_of_its_own():
    assert {rule.id for rule in load_rules()} == set(NEEDED)
    assert needed_facts(load_rules()) == set().union(*NEEDED.values())
    assert Ancestry not in needed_facts(load_rules())


def test_a_plain_run_asks_for_no_second_opinion():
    assert SecondOpinions not in needed_facts(select(load_rules()))
    assert SecondOpinions in needed_facts(select(load_rules(), also=("second-opinion",)))


class Moon:
    """No kind of fact."""


class Impostor:
    """No kind of fact, though it is named like one."""


Impostor.__name__ = "Billing"


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        pytest.param(Moon, "parameter 'thing' asks for Moon, which is not a kind of fact", id="no fact"),
        pytest.param(Moon | Unknown, "asks for Moon, which is not", id="no fact, perhaps"),
        pytest.param(str, "asks for str, which is not", id="a plain type"),
        pytest.param(Impostor, "asks for Billing, which is not", id="another class of the same name"),
        pytest.param(Snapshot, "asks for Snapshot, which is not", id="everything"),
        pytest.param("Moonlight", "name 'Moonlight' is not defined", id="a name that isn't imported"),
        pytest.param(None, "parameter 'thing' has no type", id="no type at all"),
    ],
)
def test_a_parameter_that_is_no_kind_of_fact_is_refused_with_both_sides_named(hint, says):
    def judge(thing):
        """How."""

    judge.__annotations__ = {"thing": hint} if hint else {}
    with pytest.raises(RuleError) as caught:
        make("curious", judge)
    assert "rule 'curious'" in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_the_nearest_kind_of_fact_is_named():
    class Bilings:
        """Misspelt."""

    def judge(thing: Moon) -> Verdict:
        """How."""
        return PASS

    judge.__annotations__["thing"] = Bilings
    with pytest.raises(RuleError) as caught:
        make("curious", judge)
    assert caught.value.hint.startswith("Did you mean 'Billing'? Known: ")


def test_what_was_not_seen_counts_what_was_asked_for():
    def judge(unseen: Unseen) -> Verdict:
        return passed(f"{unseen.asked} {[gap.fact for gap in unseen.gaps]}", SEEN)

    facts = {"billing": BILLING, "datasets": Unknown(Denied("x")), "roles": Unknown(NotCollected())}
    assert findings(make("a", judge), facts=facts)["a"].verdict.message == "2 ['datasets']"


VERDICTS = {"pass": PASS, "warn": WARN, "fail": FAIL, "unknown": UNKNOWN, "skip": SKIP}
EXPECTED = {  # severity and status of a rule: the report's status and exit code, and the code with --allow-unknown
    ("required", "pass"): ("pass", 0, 0),
    ("required", "warn"): ("warn", 0, 0),
    ("required", "fail"): ("fail", 1, 1),
    ("required", "unknown"): ("unknown", 3, 0),
    ("required", "skip"): ("pass", 0, 0),
    ("important", "pass"): ("pass", 0, 0),
    ("important", "warn"): ("warn", 0, 0),
    ("important", "fail"): ("fail", 1, 1),
    ("important", "unknown"): ("pass", 0, 0),
    ("important", "skip"): ("pass", 0, 0),
    ("recommended", "pass"): ("pass", 0, 0),
    ("recommended", "warn"): ("warn", 0, 0),
    ("recommended", "fail"): ("warn", 0, 0),
    ("recommended", "unknown"): ("pass", 0, 0),
    ("recommended", "skip"): ("pass", 0, 0),
}


def test_the_table_is_whole():
    assert set(EXPECTED) == set(product([s.value for s in Severity], VERDICTS))


@pytest.mark.parametrize(("severity", "status"), list(EXPECTED))
def test_exit_code_of_one_finding(severity, status):
    one = always("one", VERDICTS[status], severity=Severity(severity))
    answers = report(one), report(one, allow_unknown=True)
    assert (answers[0].status, *(int(a.exit_code) for a in answers)) == EXPECTED[severity, status]


@pytest.mark.parametrize(("one", "other"), list(product(EXPECTED, EXPECTED)))
def test_of_two_findings_the_worse_decides(one, other):
    rank = ["pass", "warn", "unknown", "fail"]
    done = report(*(
        always(name, VERDICTS[status], severity=Severity(severity))
        for name, (severity, status) in (("a", one), ("b", other))
    ))  # fmt: skip
    worse = max(EXPECTED[one], EXPECTED[other], key=lambda answer: rank.index(answer[0]))
    assert (done.status, int(done.exit_code)) == worse[:2]


def test_what_is_wrong_comes_first():
    done = report(*(always(name, VERDICTS[name]) for name in VERDICTS))
    assert [f.status.value for f in done.by_urgency()] == ["fail", "unknown", "warn", "pass", "skip"]
    assert [done.count(Status(name)) for name in VERDICTS] == [1] * 5


def test_the_report_says_what_was_judged_when_and_by_what():
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    project = Project(provenance=HERE, id="acme-analytics", number="12", state="ACTIVE", parent=None)
    seen = Snapshot(source="live", project=project, started_at=start, finished_at=end)
    done = evaluate((always("a", PASS),), seen, target(), load_profile("heap"))
    assert (done.project_number, done.profile, done.profile_version, done.source) == (
        "12",
        "heap",
        "2021-02-18",
        "live",
    )
    assert (done.started_at, done.finished_at) == (start, end)
    assert done.target == target()


def test_a_rule_that_exits_is_an_internal_error_beside_the_others():
    def exits(target: Target) -> Verdict:
        """Ends the process."""
        raise SystemExit(0)

    declared = rule(title="It goes on", why="Others follow.", severity=Severity.REQUIRED, since="1", after=())(exits)
    verdict = judge(declared)
    assert verdict.status == "unknown"
    assert verdict.reason.kind == "internal"

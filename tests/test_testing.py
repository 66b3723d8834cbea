"""The rule authors' kit, used as the guide for authors says."""

import pytest

from preflight import (
    Billing,
    Denied,
    EffectiveAccess,
    Maybe,
    Severity,
    Target,
    Unknown,
    Verdict,
    passed,
    rule,
    skipped,
)
from preflight.errors import RuleError, UsageError
from preflight.testing import HERE, judge, snapshot, target
from tests.conftest import HEAP, USER, bind, policies, roles

ON = Billing(provenance=HERE, enabled=True, account="billingAccounts/1")


def test_a_rule_by_its_id_on_facts_named_as_its_parameters():
    assert judge("billing-enabled", billing=ON).status == "pass"


def test_facts_may_be_named_as_in_the_snapshot_and_others_derived_from_them():
    facts = {"allow_policies": policies(bind(USER, HEAP)), "roles": roles()}
    assert judge("vendor-role", **facts).status == "pass"


def test_a_derived_fact_may_be_given_itself():
    refused = Unknown(Denied("x.y.get"))
    assert judge("vendor-role", access=refused).reason == refused.reason


def test_what_was_not_given_was_not_collected():
    verdict = judge("billing-enabled")
    assert (verdict.status, verdict.reason.kind) == ("unknown", "not_collected")
    assert snapshot().gaps() == ()


def test_a_name_that_the_rule_does_not_have():
    with pytest.raises(TypeError, match=r"billing-enabled has no parameter 'bling'; known: .*billing"):
        judge("billing-enabled", bling=ON)


def test_a_rule_that_is_not_there():
    with pytest.raises(UsageError, match="There is no rule 'billing-enable'"):
        judge("billing-enable")


def test_a_profile_that_is_none():
    with pytest.raises(TypeError, match="profile must be a Profile"):
        judge("dataset-name", profile="heap")


def test_prerequisites_do_not_count():
    assert judge("billing-enabled", billing=ON, project=Unknown(Denied("x"))).status == "pass"


def test_the_target_is_what_the_test_says():
    assert target() == Target("acme-analytics", HEAP)
    assert target(dataset="x").dataset == "x"
    assert judge("dataset-name", target=target(dataset="x")).message == "x is a valid name"


@rule(title="T", why="W.", severity=Severity.REQUIRED, since="0.1")
def declared_here(billing: Billing, access: Maybe[EffectiveAccess], target: Target) -> Verdict:
    """A rule as an author's own file declares it."""
    if isinstance(access, Unknown):
        return skipped(f"{target.project}: {access.reason.kind}")
    return passed("fine", billing.seen("enabled"))


def test_a_rule_as_declared_in_an_authors_own_file():
    assert judge(declared_here, billing=ON).message == "acme-analytics: not_collected"
    facts = {"allow_policies": policies(), "roles": roles()}
    assert judge(declared_here, billing=ON, **facts).status == "pass"


@rule(title="T", why="W.", severity=Severity.REQUIRED, since="0.1")
def asks_for_the_moon(moon: int) -> Verdict:
    """It can't be had."""
    return skipped(str(moon))


def test_a_rule_that_asks_for_what_is_no_fact():
    with pytest.raises(RuleError, match="asks for int, which is not a kind of fact"):
        judge(asks_for_the_moon)

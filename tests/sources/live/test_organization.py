"""What an organization policy's answer comes to as facts: what is in force, and nothing that is only tried out."""

import pytest
from google.cloud.orgpolicy_v2.types import Policy
from google.protobuf.struct_pb2 import Struct

from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.organization import PolicyRule
from preflight.facts.policy import Condition
from preflight.facts.seen import Provenance
from preflight.sources.live.guard import UnreadableError
from preflight.sources.live.organization import org_policy

NAME = "projects/acme-analytics/policies/gcp.resourceLocations"
SEEN = Provenance("orgpolicy.projects.policies.getEffectivePolicy", NAME)
EU = {"values": {"allowed_values": ["in:eu-locations"]}}


def rules_of(*rules: dict[str, object], **more: object) -> tuple[PolicyRule, ...]:
    return org_policy(Policy(name=NAME, spec={"rules": list(rules)}, **more), SEEN).rules


def test_a_dry_run_is_not_in_force():
    tried = {"rules": [{"deny_all": True}]}
    assert rules_of(EU, dry_run_spec=tried) == rules_of(EU) == (PolicyRule(allowed=("in:eu-locations",)),)
    assert rules_of(dry_run_spec=tried) == ()


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        pytest.param({"allow_all": True}, PolicyRule(allow_all=True), id="all are allowed"),
        pytest.param({"deny_all": True}, PolicyRule(deny_all=True), id="all are denied"),
        pytest.param({"enforce": False}, PolicyRule(enforce=False), id="not enforced, which is not a list"),
        pytest.param({"values": {"denied_values": ["us"]}}, PolicyRule(denied=("us",)), id="a list of denied ones"),
        pytest.param({"values": {}}, PolicyRule(), id="an empty list"),
        pytest.param({**EU, "condition": {"expression": "resource.matchTag('9/env', 'prod')", "title": "prod"}},
                     PolicyRule(allowed=("in:eu-locations",),
                                condition=Condition("resource.matchTag('9/env', 'prod')", "prod")), id="on a tag"),
        pytest.param({**EU, "condition": {}}, PolicyRule(allowed=("in:eu-locations",), condition=Condition(HIDDEN)),
                     id="a condition that is kept back, which is not none"),
    ],
)  # fmt: skip
def test_each_kind_of_rule(rule, read):
    assert rules_of(rule) == (read,)


def test_parameters_of_a_managed_constraint():
    parameters = Struct()
    parameters.update({"allowedMemberSubjects": ["user:ana@acme.example"], "strict": True, "note": "x"})
    (rule,) = rules_of({"enforce": True, "parameters": parameters})
    assert rule.parameters == {
        "allowedMemberSubjects": ("user:ana@acme.example",),
        "strict": ("true",),
        "note": ("x",),
    }


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Policy(name=NAME, spec={"rules": [{}]}), id="a rule of a kind of next year"),
        pytest.param(Policy(name=NAME.replace("resource", "other"), spec={"rules": [EU]}), id="another constraint"),
        pytest.param(Policy(), id="nothing"),
    ],
)
def test_what_can_not_be_read_is_not_free(answer):
    with pytest.raises(UnreadableError):
        org_policy(answer, SEEN)

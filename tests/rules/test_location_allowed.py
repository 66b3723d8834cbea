"""location-allowed: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import Condition, Datasets, Denied, OrgPolicies, OrgPolicy, PolicyRule, Project, Unknown
from preflight.testing import HERE, dataset, judge, org_policies, org_policy, target
from tests.obedience import obeyed

CONSTRAINT = "gcp.resourceLocations"
REFUSED = Unknown(Denied("orgpolicy.policy.get", "projects/acme-analytics"), HERE)
ORPHAN = Project(provenance=HERE, id="acme-analytics", number="1", state="ACTIVE", parent=None)
CHILD = Project(provenance=HERE, id="acme-analytics", number="1", state="ACTIVE", parent="folders/77")


def allowing(*values: str, **also) -> OrgPolicies:
    return org_policies(org_policy(CONSTRAINT, allowed=values, **also))


def denying(*values: str) -> OrgPolicies:
    return org_policies(org_policy(CONSTRAINT, denied=values))


def rules(*given: PolicyRule) -> OrgPolicies:
    return org_policies(OrgPolicy(provenance=HERE, constraint=CONSTRAINT, rules=given))


@pytest.mark.parametrize(
    ("demanded", "location", "status", "says"),
    [
        pytest.param(org_policies(), "EU", "pass", "EU is allowed", id="nothing is set"),
        pytest.param(allowing("in:eu-locations"), "EU", "pass", "allowed", id="the group of the multi-region"),
        pytest.param(allowing("in:us-locations"), "US", "pass", "allowed", id="the other one's"),
        pytest.param(allowing("in:us-locations"), "us", "pass", "allowed", id="in small letters"),
        pytest.param(allowing("in:us-locations"), "us-east4", "pass", "allowed", id="a region of the group"),
        pytest.param(allowing("us-locations"), "us-east4", "pass", "allowed", id="a group without its prefix"),
        pytest.param(allowing("in:europe-west1-locations"), "europe-west1", "pass", "allowed", id="a region's group"),
        pytest.param(allowing("europe-west1"), "europe-west1", "pass", "allowed", id="the region itself"),
        pytest.param(allowing("is:us"), "US", "pass", "allowed", id="just this value"),
        pytest.param(allowing("in:asia-locations", "us"), "US", "pass", "allowed", id="one of several"),
        pytest.param(allowing("in:low-carbon-locations", "eu"), "EU", "pass", "allowed", id="known beside unknown"),
        pytest.param(rules(PolicyRule(allow_all=True)), "EU", "pass", "allowed", id="all"),
        pytest.param(denying("in:us-locations"), "EU", "pass", "allowed", id="another one is denied"),
        pytest.param(allowing("in:us-locations"), "EU", "fail", "refuses new datasets in EU", id="the other group"),
        pytest.param(allowing("in:eu-locations"), "europe-west2", "fail", "refuses", id="London is not in it"),
        pytest.param(allowing("in:europe-west1-locations"), "EU", "fail", "refuses", id="a region in it, not itself"),
        pytest.param(allowing("europe-west1"), "europe-west10", "fail", "refuses", id="a name that begins alike"),
        pytest.param(denying("us"), "US", "fail", "refuses", id="denied"),
        pytest.param(denying("in:us-locations"), "us-east1", "fail", "refuses", id="its group is denied"),
        pytest.param(rules(PolicyRule(deny_all=True)), "EU", "fail", "refuses", id="all are denied"),
        pytest.param(rules(PolicyRule(allowed=("in:us-locations",), denied=("us",))), "US", "fail", "refuses",
                     id="allowed and denied: denied wins"),
        pytest.param(rules(PolicyRule(allow_all=True), PolicyRule(denied=("us",))), "US", "fail", "refuses",
                     id="all allowed by one rule, denied by another"),
        pytest.param(allowing("in:low-carbon-locations"), "EU", "unknown", "in:low-carbon-locations",
                     id="a group of next year"),
        pytest.param(allowing("in:eu-locations"), "europe-north7", "unknown", "europe-north7",
                     id="a region of next year"),
        pytest.param(denying("in:low-carbon-locations"), "EU", "unknown", "in:low-carbon-locations",
                     id="an unknown group is denied"),
        pytest.param(allowing("in:us-locations", only_if="resource.matchTag('9/env', 'prod')"), "EU", "unknown",
                     "resource.matchTag", id="on a tag"),
        pytest.param(allowing("in:eu-locations", only_if="resource.matchTag('9/env', 'prod')"), "EU", "pass",
                     "allowed", id="on a tag, and allowed in any case"),
        pytest.param(REFUSED, "EU", "unknown", "orgpolicy.policy.get", id="refused, which is not free"),
        pytest.param(OrgPolicies(policies={CONSTRAINT: REFUSED}), "EU", "unknown", "orgpolicy", id="this one refused"),
        pytest.param(OrgPolicies(policies={}), "EU", "unknown", "not asked about", id="not asked about"),
    ],
)  # fmt: skip
def test_each_answer(demanded, location, status, says):
    verdict = judge("location-allowed", org_policies=demanded, project=CHILD, target=target(location=location))
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize(
    ("chosen", "datasets", "status"),
    [
        pytest.param(target(), Datasets.of(), "skip", id="no location and no destination"),
        pytest.param(target(dataset="heap"), Datasets.of(), "skip", id="a destination that isn't there yet"),
        pytest.param(target(dataset="heap"), Datasets.of(dataset("heap", location="US")), "fail", id="where it is"),
        pytest.param(target(dataset="heap"), Datasets.of(dataset("heap", location="EU")), "pass", id="where it may be"),
        pytest.param(target(dataset="heap"), REFUSED, "unknown", id="whether it is there was refused"),
        pytest.param(target(dataset="heap", location="US"),
                     Datasets.of(dataset("heap", location="US"), dataset("heap_migrated", location="US")), "pass",
                     id="all are there: the constraint acts on new ones"),
    ],
)  # fmt: skip
def test_where_it_is_to_be(chosen, datasets, status):
    facts = {"org_policies": allowing("in:eu-locations"), "datasets": datasets, "target": chosen}
    assert judge("location-allowed", **facts).status == status


def test_a_project_in_no_organization():
    verdict = judge("location-allowed", org_policies=allowing("us"), project=ORPHAN, target=target(location="EU"))
    assert verdict.status == "skip"


def test_doing_what_the_remedy_says_passes():
    facts = {"org_policies": allowing("in:us-locations", "asia")}
    verdict = judge("location-allowed", **facts, target=target(location="EU"))
    after = obeyed(verdict.remedies, facts)
    assert after != facts
    assert judge("location-allowed", **after, target=target(location="EU")).status == "pass"
    assert judge("location-allowed", **after, target=target(location="US")).status == "pass", "nothing is lost"


def test_what_is_denied_can_not_be_allowed_beside_it():
    facts = {"org_policies": denying("us", "asia-east1")}
    verdict = judge("location-allowed", **facts, target=target(location="US"))
    assert "take us out of what gcp.resourceLocations denies" in verdict.remedies[0].summary
    after = obeyed(verdict.remedies, facts)
    assert judge("location-allowed", **after, target=target(location="US")).status == "pass"
    assert judge("location-allowed", **after, target=target(location="asia-east1")).status == "fail", "still denied"


def test_a_denial_on_a_tag_has_no_ready_policy():
    on_a_tag = PolicyRule(denied=("us",), condition=Condition("resource.matchTag('9/env', 'prod')"))
    both = rules(PolicyRule(denied=("us",)), on_a_tag)
    verdict = judge("location-allowed", org_policies=both, target=target(location="US"))
    assert (verdict.status, verdict.remedies[0].terraform) == ("fail", None)

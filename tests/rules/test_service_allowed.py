"""service-allowed: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import Denied, OrgPolicy, PolicyRule, Project, Unknown
from preflight.testing import HERE, judge, org_policies, org_policy
from tests.obedience import obeyed

CONSTRAINT, BIGQUERY = "gcp.restrictServiceUsage", "bigquery.googleapis.com"
ORPHAN = Project(provenance=HERE, id="acme-analytics", number="1", state="ACTIVE", parent=None)

NOTHING = org_policies(OrgPolicy(provenance=HERE, constraint=CONSTRAINT, rules=(PolicyRule(deny_all=True),)))


def demanded(**lists):
    return org_policies(org_policy(CONSTRAINT, **lists))


@pytest.mark.parametrize(
    ("policies", "status", "says"),
    [
        pytest.param(org_policies(), "pass", "may be used", id="nothing is set"),
        pytest.param(demanded(allowed=("storage.googleapis.com", BIGQUERY)), "pass", "may be used", id="allowed"),
        pytest.param(demanded(allowed=(f"is:{BIGQUERY}",)), "pass", "may be used", id="allowed, with a prefix"),
        pytest.param(demanded(denied=("storage.googleapis.com",)), "pass", "may be used", id="another is denied"),
        pytest.param(demanded(allowed=("storage.googleapis.com",)), "fail", f"refuses {BIGQUERY}", id="not allowed"),
        pytest.param(demanded(denied=(f"is:{BIGQUERY}",)), "fail", f"refuses {BIGQUERY}", id="denied"),
        pytest.param(demanded(denied=(BIGQUERY,), allowed=(BIGQUERY,)), "fail", "refuses", id="both: denied wins"),
        pytest.param(NOTHING,
                     "fail", "refuses", id="all are denied"),
        pytest.param(demanded(allowed=("in:data-services",)), "unknown", "in:data-services", id="a group"),
        pytest.param(demanded(denied=(BIGQUERY,), only_if="resource.matchTag('9/env', 'dev')"), "unknown", "matchTag",
                     id="denied on a tag"),
        pytest.param(Unknown(Denied("orgpolicy.policy.get"), HERE), "unknown", "orgpolicy.policy.get", id="refused"),
    ],
)  # fmt: skip
def test_each_answer(policies, status, says):
    verdict = judge("service-allowed", org_policies=policies)
    assert verdict.status == status
    assert says in verdict.message


def test_a_project_in_no_organization():
    assert judge("service-allowed", org_policies=demanded(denied=(BIGQUERY,)), project=ORPHAN).status == "skip"


def test_every_api_of_the_profile_is_looked_for(heap):
    wide = replace(heap, apis=(BIGQUERY, "storage.googleapis.com"))
    verdict = judge("service-allowed", org_policies=demanded(allowed=("run.googleapis.com",)), profile=wide)
    assert f"{BIGQUERY} and storage.googleapis.com" in verdict.message
    assert len(verdict.remedies) == 2
    verdict = judge("service-allowed", org_policies=demanded(allowed=(BIGQUERY,)), profile=wide)
    assert "refuses storage.googleapis.com in" in verdict.message


def test_doing_what_the_remedy_says_passes():
    facts = {"org_policies": demanded(allowed=("storage.googleapis.com",))}
    after = obeyed(judge("service-allowed", **facts).remedies, facts)
    assert judge("service-allowed", **after).status == "pass"

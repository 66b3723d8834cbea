"""iam-resources-conflict: a case for each answer."""

import pytest

from preflight import Denied, IamResource, IamResources, Incomplete, NotCollected, Unknown
from preflight.facts.seen import Completeness
from preflight.testing import at, judge

OWN, FOLDER = "projects/acme-analytics", "folders/7"
USER, VIEWER = "roles/bigquery.user", "roles/viewer"


def resource(manner, role="", condition="", name="a"):
    address = f"google_project_iam_{manner}.{name}"
    return IamResource(
        address=address, provenance=at(f"main.tf: {address}"), manner=manner, role=role, condition=condition
    )


def on(*managing, gap=None, **more):
    completeness = Completeness(gap) if gap else Completeness()
    return IamResources(resources={OWN: managing} | more, completeness=completeness)


POLICY, BINDING, MEMBER = resource("policy"), resource("binding", USER), resource("member", USER)


@pytest.mark.parametrize(
    ("iam", "status", "says"),
    [
        pytest.param(
            on(BINDING, MEMBER), "warn", "google_project_iam_member.a on projects/acme", id="binding and member"
        ),
        pytest.param(on(MEMBER, POLICY), "warn", "iam_policy.a", id="policy and member"),
        pytest.param(on(POLICY, BINDING), "warn", "iam_policy.a", id="policy and binding"),
        pytest.param(on(POLICY, resource("policy", name="b")), "warn", "iam_policy.b", id="two policies"),
        pytest.param(on(BINDING, resource("binding", USER, name="b")), "warn", "iam_binding.b", id="two bindings"),
        pytest.param(on(POLICY, BINDING, MEMBER), "warn", "and 2 more", id="all three"),
        pytest.param(on(MEMBER, resource("member", USER, name="b")), "pass", "2 resources", id="members don't mind"),
        pytest.param(on(BINDING, resource("member", VIEWER)), "pass", "2 resources", id="another role"),
        pytest.param(on(BINDING, resource("member", USER, "request.time > x")), "pass", "2 ", id="another condition"),
        pytest.param(on(resource("binding"), resource("member")), "pass", "2 resources", id="roles that aren't known"),
        pytest.param(on(BINDING, **{FOLDER: (MEMBER,)}), "pass", "2 resources", id="in different places"),
        pytest.param(on(POLICY), "pass", "1 resource manages grants", id="a policy alone"),
        pytest.param(on(), "skip", "no Terraform resource", id="none"),
        pytest.param(on(BINDING, gap=Incomplete("b.tf doesn't parse")), "unknown", "b.tf", id="what wasn't read"),
        pytest.param(on(BINDING, MEMBER, gap=Incomplete("x")), "warn", "manage the same", id="a fight that was read"),
        pytest.param(Unknown(NotCollected("Google doesn't tell")), "skip", "Google doesn't tell", id="another source"),
        pytest.param(Unknown(Denied("x.y.get")), "unknown", "x.y.get", id="refused"),
    ],
)
def test_each_answer(iam, status, says):
    verdict = judge("iam-resources-conflict", iam=iam)
    assert (verdict.status, says in verdict.message) == (status, True), verdict.message


def test_the_evidence_names_both_and_the_remedy_one_of_them():
    verdict = judge("iam-resources-conflict", iam=on(BINDING, MEMBER))
    assert [seen.resource for seen in verdict.evidence] == [
        "main.tf: google_project_iam_binding.a",
        "main.tf: google_project_iam_member.a",
    ]
    assert (
        "add the member of google_project_iam_member.a to google_project_iam_binding.a" in verdict.remedies[0].summary
    )


def test_doing_what_the_remedy_says_passes():
    assert judge("iam-resources-conflict", iam=on(BINDING)).status == "pass"

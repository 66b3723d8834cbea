"""vendor-sharing-allowed: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import Denied, Organization, OrgPolicies, OrgPolicy, PolicyRule, Project, Unknown
from preflight.testing import HERE, groups, judge, org_policies, org_policy, target
from tests.conftest import EDITOR, FOLDER, HEAP, JOB_USER, USER, bind, policies, roles, unreadable
from tests.obedience import obeyed

DOMAINS, MEMBERS = "iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"
OURS, THEIRS = "C01ours", "C02theirs"
OWN_SET = "//cloudresourcemanager.googleapis.com/organizations/9"
OTHER_SET = "//cloudresourcemanager.googleapis.com/organizations/10"
ACME = Organization(provenance=HERE, name="organizations/9", domain="acme.example", directory_customer_id=OURS)
ORPHAN = Project(provenance=HERE, id="acme-analytics", number="1", state="ACTIVE", parent=None)
REFUSED = Unknown(Denied("orgpolicy.policy.get", "projects/acme-analytics"), HERE)


def domains(*allowed: str, **also) -> OrgPolicies:
    return org_policies(org_policy(DOMAINS, allowed=allowed, **also))


def members(*subjects: str, sets: tuple[str, ...] = (), enforce: bool = True, only_if: str = "") -> OrgPolicies:
    lists = {
        name: found for name, found in (("allowedMemberSubjects", subjects), ("allowedPrincipalSets", sets)) if found
    }
    return org_policies(org_policy(MEMBERS, enforce=enforce, only_if=only_if, **lists))


def verdict_on(demanded, profile=None, bindings=(), **also):
    facts = {"allow_policies": policies(*bindings), "roles": roles(), "organization": ACME, **also}
    return judge("vendor-sharing-allowed", org_policies=demanded, profile=profile, **facts)


@pytest.fixture
def known(heap):
    """The vendor's profile as it would be if the vendor told its directory."""
    return replace(heap, directory_customer_id=THEIRS)


@pytest.mark.parametrize(
    ("demanded", "status", "says"),
    [
        pytest.param(org_policies(), "pass", "may name", id="nothing is set"),
        pytest.param(domains(OURS, THEIRS), "pass", "may name", id="its directory is allowed"),
        pytest.param(domains(f"is:{THEIRS}"), "pass", "may name", id="just its directory"),
        pytest.param(org_policies(OrgPolicy(provenance=HERE, constraint=DOMAINS, rules=(PolicyRule(allow_all=True),))),
                     "pass", "may name", id="all are allowed"),
        pytest.param(members(HEAP), "pass", "may name", id="the account itself is allowed"),
        pytest.param(members(enforce=False), "pass", "may name", id="the managed one is not enforced"),
        pytest.param(domains(OURS), "fail", f"{DOMAINS} would refuse", id="only its own directory"),
        pytest.param(domains(denied=(THEIRS,)), "fail", "would refuse", id="its directory is denied"),
        pytest.param(domains(f"is:principalSet:{OWN_SET}"), "fail", "would refuse", id="only the organization's own"),
        pytest.param(members("user:ana@acme.example"), "fail", f"{MEMBERS} would refuse", id="only someone else"),
        pytest.param(members(sets=(OWN_SET,)), "fail", f"{MEMBERS} would refuse", id="only the own principals"),
        pytest.param(members(), "fail", "would refuse", id="enforced with nobody in it"),
        pytest.param(members(sets=(OTHER_SET,)), "unknown", "can't be told", id="another organization: whose?"),
        pytest.param(domains(OURS, only_if="resource.matchTag('9/env', 'prod')"), "unknown", "hangs on tags",
                     id="on a tag"),
        pytest.param(members("user:ana@acme.example", only_if="resource.matchTag('9/env', 'prod')"), "unknown",
                     "hangs on tags", id="the managed one on a tag"),
        pytest.param(REFUSED, "unknown", "orgpolicy.policy.get", id="refused, which is not free"),
        pytest.param(OrgPolicies(policies={DOMAINS: REFUSED, MEMBERS: members().policies[MEMBERS]}), "fail",
                     MEMBERS, id="one was refused, the other is enough to know"),
        pytest.param(OrgPolicies(policies={DOMAINS: REFUSED, MEMBERS: org_policies().policies[MEMBERS]}), "unknown",
                     "orgpolicy.policy.get", id="one was refused, the other is free"),
    ],
)  # fmt: skip
def test_each_answer_where_the_directory_is_known(demanded, status, says, known):
    verdict = verdict_on(demanded, known)
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize(
    ("demanded", "status"),
    [
        pytest.param(org_policies(), "pass", id="nothing is set"),
        pytest.param(members(HEAP), "pass", id="the account itself is allowed"),
        pytest.param(members("user:ana@acme.example"), "fail", id="only someone else, by name"),
        pytest.param(domains(OURS), "unknown", id="some directory: perhaps the vendor's"),
        pytest.param(members(sets=(OWN_SET,)), "unknown", id="a set of principals"),
    ],
)
def test_each_answer_where_it_is_not_known(demanded, status, heap):
    verdict = verdict_on(demanded, heap)
    assert verdict.status == status
    if status == "unknown":
        assert "the directory that" in verdict.message
        assert "Ask Heap support (support@heap.io) for the directory customer ID" in verdict.remedies[0].summary


def test_where_all_are_denied_the_directory_is_asked_for(heap):
    everyone = OrgPolicy(provenance=HERE, constraint=DOMAINS, rules=(PolicyRule(deny_all=True),))
    verdict = verdict_on(org_policies(everyone), heap)
    assert verdict.status == "fail"
    assert "Ask Heap support (support@heap.io) for the directory customer ID" in verdict.remedies[0].summary
    assert verdict.remedies[0].terraform is None, "nothing can be allowed by a name that isn't known"


@pytest.mark.parametrize(
    ("bindings", "above", "status"),
    [
        pytest.param([bind(USER, HEAP)], {}, "pass", id="in place: only new grants are refused"),
        pytest.param([], {}, "fail", id="not in place"),
        pytest.param([bind(USER, HEAP, only_if="request.time < timestamp('2025-01-01T00:00:00Z')")], {}, "fail",
                     id="expired: it would have to be granted again"),
        pytest.param([bind(USER, "group:data@acme.example")], {}, "pass", id="through a group: nothing to grant"),
        pytest.param([], {"folder": (bind(USER, HEAP),)}, "pass", id="on the folder: nothing to grant"),
        pytest.param([bind(EDITOR, HEAP), bind(JOB_USER, HEAP)], {}, "pass", id="the minimum: nothing to grant"),
        pytest.param([bind(EDITOR, HEAP)], {}, "fail", id="half the minimum"),
        pytest.param([], {"folder": unreadable(FOLDER)}, "fail", id="perhaps on a folder"),
    ],
)  # fmt: skip
def test_a_grant_that_is_there_is_not_refused(bindings, above, status, known):
    verdict = verdict_on(
        domains(OURS),
        known,
        allow_policies=policies(*bindings, **above),
        groups=groups({"data@acme.example": (HEAP,)}),
    )
    assert verdict.status == status
    assert ("already" in verdict.message) == (status == "pass")


def test_a_project_in_no_organization(known):
    assert verdict_on(domains(OURS), known, project=ORPHAN).status == "skip"


@pytest.mark.parametrize(
    ("principal", "status"),
    [("user:ana@acme.example", "pass"), ("user:ana@other.example", "unknown"), ("serviceAccount:x@y.z", "unknown")],
)
def test_another_principal_is_of_another_directory_than_the_vendors(principal, status, known):
    assert verdict_on(domains(OURS), known, target=target(principal=principal)).status == status


@pytest.mark.parametrize(
    "demanded",
    [domains(OURS), members("user:ana@acme.example", sets=(OWN_SET,)), members("user:ana@acme.example")],
    ids=["a directory", "members and sets", "members"],
)
def test_doing_what_the_remedy_says_passes(demanded, known):
    facts = {"org_policies": demanded}
    verdict = verdict_on(demanded, known)
    after = obeyed(verdict.remedies, facts)["org_policies"]
    assert verdict_on(after, known).status == "pass"
    for constraint in (DOMAINS, MEMBERS):
        old, new = (found.policies[constraint].rules for found in (demanded, after))
        assert {value for rule in old for value in rule.allowed} <= {value for rule in new for value in rule.allowed}
        for rule in old:
            assert all(set(values) <= set(new[0].parameters[name]) for name, values in rule.parameters.items())


def test_beside_what_is_to_be_allowed_it_is_told_what_is_open(heap):
    both = OrgPolicies(policies={**domains(OURS).policies, MEMBERS: members("user:ana@acme.example").policies[MEMBERS]})
    verdict = verdict_on(both, heap)
    assert verdict.status == "fail"
    assert [remedy.summary.split()[0] for remedy in verdict.remedies] == ["Let", "Ask"]

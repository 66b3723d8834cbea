"""Quick answers are those of the full decision, whatever is in a policy or missing from it."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.access.quick_answers import QuickAnswers, Who
from preflight.facts.capabilities import AUDITED_PERMISSIONS
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import Binding, Condition, Roles
from preflight.facts.seen import Completeness, Incomplete, TimedOut, Unknown
from preflight.testing import FOLDER, HERE, ORGANIZATION, custom_role, policies, roles, unreadable

ANA, BEN = "user:ana@acme.example", "user:Ben@Partner.example"
ROBOT = "serviceAccount:etl@acme-analytics.iam.gserviceaccount.com"
CUSTOM = "projects/acme-analytics/roles/runner"
LATE = Unknown(TimedOut("x.y.get"), HERE)
MEMBERS = [
    *(ANA, BEN, ROBOT, "user:ANA@acme.example", f"deleted:{ANA}?uid=1", "allUsers", "allAuthenticatedUsers"),
    *("group:data@acme.example", "group:all@acme.example", "group:unknown@acme.example", "group:odd@acme.example"),
    *("domain:acme.example", "projectOwner:acme-analytics", "projectViewer:elsewhere", "robot:x", "nonsense"),
    *("principal://goog/subject/ana@acme.example", "principalSet://goog/group/data@acme.example"),
    "principalSet://cloudresourcemanager.googleapis.com/projects/acme-analytics/type/ServiceAccount",
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/ana",
]
CONDITIONS = [
    "request.time < timestamp('2030-01-01T00:00:00Z')",
    "request.time < timestamp('2020-01-01T00:00:00Z')",
    "resource.name.startsWith('projects/acme-analytics/datasets/sales')",
    "resource.type == 'cloudresourcemanager.googleapis.com/Project'",
    "'x' in request.auth.access_levels",
]
ROLES = [
    *("roles/owner", "roles/viewer", "roles/editor", "roles/bigquery.user", "roles/bigquery.dataViewer"),
    *("roles/bigquery.dataOwner", "roles/unread.one", CUSTOM, "roles/resourcemanager.projectIamAdmin"),
]
SPECIAL = ["projectOwners", "projectReaders", "projectWriters", "allUsers", "odd"]
PRINCIPALS = [Who.of(member) for member in dict.fromkeys(MEMBERS)]

conditions = st.one_of(st.none(), st.none(), st.sampled_from(CONDITIONS).map(Condition))
members = st.lists(st.sampled_from(MEMBERS), max_size=3).map(tuple)
bindings = st.lists(st.builds(Binding, st.sampled_from(ROLES), members, conditions), max_size=4).map(tuple)
gaps = st.sampled_from([None, None, None, Incomplete("a page is missing")]).map(Completeness)
entries = st.lists(
    st.one_of(
        st.builds(AccessEntry, role=st.sampled_from(["READER", "WRITER", "OWNER", CUSTOM, "roles/unread.one"]),
                  special_group=st.sampled_from(SPECIAL), condition=conditions),
        st.builds(AccessEntry, role=st.sampled_from(["READER", "OWNER"]), iam_member=st.sampled_from(MEMBERS),
                  condition=conditions),
        st.just(AccessEntry(authorized="view x.y")),
    ),
    max_size=3,
).map(tuple)  # fmt: skip
datasets = st.builds(
    Dataset, provenance=st.just(HERE), id=st.sampled_from(["sales", "finance"]), location=st.just("EU"),
    access=st.one_of(entries, entries, st.just(LATE)),
)  # fmt: skip
rules = st.builds(
    DenyRule,
    st.lists(st.sampled_from([*MEMBERS, "principalSet://goog/public:all"]), min_size=1, max_size=2).map(tuple),
    st.sampled_from([("bigquery.googleapis.com/jobs.create",), ("bigquery.googleapis.com/*.*",)]),
    st.lists(st.sampled_from(MEMBERS), max_size=1).map(tuple),
)


@st.composite
def group_facts(draw):
    def group(email, *members, **also):
        return Group(provenance=HERE, email=email, members=members, completeness=draw(gaps), **also)

    known = {
        "data@acme.example": group("data@acme.example", ANA.upper().replace("USER:", "user:"), ROBOT),
        "all@acme.example": group("all@acme.example", "group:data@acme.example", BEN, "group:all@acme.example"),
        "odd@acme.example": draw(
            st.sampled_from([group("odd@acme.example", "domain:acme.example"),
                             group("odd@acme.example", checked={ANA: False, BEN: True}), LATE])
        ),
    }  # fmt: skip
    return draw(st.sampled_from([Groups(groups=known), Groups(groups=known), LATE]))


@st.composite
def accesses(draw):
    above = {
        name: unreadable(resource) if draw(st.integers(0, 5)) == 0 else draw(bindings)
        for name, resource in (("folder", FOLDER), ("organization", ORGANIZATION))
        if draw(st.booleans())
    }
    allowed = replace(policies(*draw(bindings), **above), completeness=draw(gaps))
    custom = custom_role(CUSTOM, "bigquery.jobs.create", "bigquery.tables.getData", deleted=draw(st.booleans()))
    held = Roles(roles={**roles(custom).roles, "roles/unread.one": LATE})
    deny = DenyPolicy(provenance=HERE, name="d", rules=draw(st.lists(rules, max_size=2).map(tuple)))
    attached = {HERE.resource: AttachedDenyPolicies(provenance=HERE, resource=HERE.resource, policies={"d": deny})}
    return ProjectAccess(
        AccessFacts(
            project="acme-analytics",
            allow=allowed,
            roles=draw(st.sampled_from([held, held, LATE])),
            deny=draw(st.sampled_from([LATE, DenyPolicies(attached=attached), DenyPolicies(attached={})])),
            groups=draw(group_facts()),
            tags=Tags(provenance=HERE, tags={}),
            moment=datetime(2026, 1, 2, tzinfo=UTC),
            unread_deny_blocks=draw(st.booleans()),
        )
    )


@settings(max_examples=150)
@given(accesses(), datasets)
def test_they_are_the_full_decision_s(access, dataset):
    quick = QuickAnswers(access)
    for who in PRINCIPALS:
        for permission in AUDITED_PERMISSIONS:
            decided = access.decide(who.principal, permission)
            assert quick.answer(who, permission) is decided.answer, (who.principal, permission)
            if quick.without_end(who, permission):
                assert decided.changes_at is None, (who.principal, permission)
            found = access.decide(who.principal, permission, dataset)
            assert quick.answer(who, permission, dataset) is found.answer, (who.principal, permission, dataset.id)

"""Policies, deny rules, groups and datasets of any kind and with anything missing, for hypothesis to draw."""

from datetime import UTC, datetime

from hypothesis import strategies as st
from msgspec.structs import replace

from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import Binding, Condition, Roles
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, TimedOut, Unknown
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
    "resource.name.startsWith('projects/acme-analytics/datasets/finance') || 'x' in request.auth.access_levels",
    "'x' in request.auth.access_levels",
]
ROLES = [
    *("roles/owner", "roles/viewer", "roles/editor", "roles/bigquery.user", "roles/bigquery.dataViewer"),
    *("roles/bigquery.dataOwner", "roles/unread.one", CUSTOM, "roles/resourcemanager.projectIamAdmin"),
]
KNOWN_ROLES = [name for name in ROLES if name != "roles/unread.one"]
SPECIAL = ["projectOwners", "projectReaders", "projectWriters", "allUsers", "odd"]

conditions = st.one_of(st.none(), st.none(), st.sampled_from(CONDITIONS).map(Condition))
members = st.lists(st.sampled_from(MEMBERS), max_size=3).map(tuple)


def bindings_of(held, most):
    return st.lists(st.builds(Binding, st.sampled_from(held), members, conditions), max_size=most).map(tuple)


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
lists = st.lists(st.one_of(entries, entries, st.just(LATE)), min_size=1, max_size=2)


@st.composite
def datasets(draw):
    """A few, of which some have the same list: what an audit may take for alike, and what it may not."""
    chosen = draw(lists)
    names = draw(
        st.lists(st.sampled_from(["sales", "sales_eu", "finance", "tmp"]), min_size=1, max_size=4, unique=True)
    )
    found = [Dataset(provenance=HERE, id=n, location="EU", access=draw(st.sampled_from(chosen))) for n in names]
    return Datasets.of(*found, completeness=draw(gaps))


rules = st.builds(
    DenyRule,
    st.lists(st.sampled_from([*MEMBERS, "principalSet://goog/public:all"]), min_size=1, max_size=2).map(tuple),
    st.sampled_from(
        [
            ("bigquery.googleapis.com/jobs.create",),
            ("bigquery.googleapis.com/*.*",),
            ("bigquery.googleapis.com/tables.*",),
        ]
    ),
    st.lists(st.sampled_from(MEMBERS), max_size=1).map(tuple),
    condition=conditions,
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
def accesses(draw, *, clear=False):
    """Access to a project. `clear`: all policies and roles are known, so that answers hang on members, conditions,
    deny rules and lists."""
    gap, some = (st.just(COMPLETE), bindings_of(KNOWN_ROLES, 2)) if clear else (gaps, bindings_of(ROLES, 4))
    above = {
        name: unreadable(resource) if not clear and draw(st.integers(0, 5)) == 0 else draw(some)
        for name, resource in (("folder", FOLDER), ("organization", ORGANIZATION))
        if draw(st.booleans())
    }
    allowed = replace(policies(*draw(some), **above), completeness=draw(gap))
    custom = custom_role(CUSTOM, "bigquery.jobs.create", "bigquery.tables.getData", deleted=draw(st.booleans()))
    held = Roles(roles={**roles(custom).roles, "roles/unread.one": LATE})
    deny = DenyPolicy(provenance=HERE, name="d", rules=draw(st.lists(rules, max_size=2).map(tuple)))
    attached = {HERE.resource: AttachedDenyPolicies(provenance=HERE, resource=HERE.resource, policies={"d": deny})}
    denied = DenyPolicies(attached=attached)
    return ProjectAccess(
        AccessFacts(
            project="acme-analytics",
            allow=allowed,
            roles=held if clear else draw(st.sampled_from([held, held, LATE])),
            deny=denied if clear else draw(st.sampled_from([LATE, denied, DenyPolicies(attached={})])),
            groups=draw(group_facts()),
            tags=Tags(provenance=HERE, tags={}),
            moment=datetime(2026, 1, 2, tzinfo=UTC),
            unread_deny_blocks=draw(st.booleans()),
        )
    )

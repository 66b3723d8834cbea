"""Makes snapshots for remedies to mend: grants, denials, groups, datasets and organization policies from small
alphabets, so that things meet. It is Friday 2 January 2026."""

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from preflight import (
    AccessEntry,
    AttachedDenyPolicies,
    Billing,
    Binding,
    Completeness,
    Condition,
    Dataset,
    Datasets,
    DatasetSettings,
    Denied,
    DenyPolicies,
    DenyPolicy,
    DenyRule,
    Organization,
    OrgPolicies,
    OrgPolicy,
    PolicyRule,
    Profile,
    Project,
    Service,
    Services,
    ServiceState,
    Tables,
    Tags,
    Target,
    Unknown,
)
from preflight.profile import load_profile
from preflight.testing import HERE, at, groups, org_policies, policies, roles, tables, target, unreadable
from tests.conftest import ACME, EDITOR, FOLDER, HEAP, JOB_USER, ORGANIZATION, USER, role

ANA, TEAM, OTHERS, GHOSTS = (
    "user:ana@acme.example",
    *(f"group:{name}@acme.example" for name in ("team", "others", "ghosts")),
)
LOOKALIKES = (
    "serviceAccount:heap-sql@heap-204112.iam.gserviceaccount.com",
    f"user:{HEAP.partition(':')[2]}",
    f"deleted:{HEAP}?uid=123",
)
CAPITALS = f"serviceAccount:{HEAP.partition(':')[2].upper()}"
RUNNER, MAKER, GONE = (f"{ACME}/roles/{name}" for name in ("runner", "maker", "gone"))
OWNER, VIEWER, BROWSER, DATA_OWNER = "roles/owner", "roles/viewer", "roles/browser", "roles/bigquery.dataOwner"
GIVEN = (USER, USER, EDITOR, JOB_USER, OWNER, VIEWER, BROWSER, DATA_OWNER, RUNNER, MAKER, GONE)
LASTING, SOON, PAST = (
    f"request.time < timestamp('{day}T00:00:00Z')" for day in ("2030-01-01", "2026-01-20", "2025-06-01")
)
FROM_OFFICE = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"
IN_PRODUCTION = "resource.matchTag('9/env', 'prod')"
ON_DATASETS = f"resource.name.startsWith('{ACME}/datasets/heap')"
MORNINGS = "request.time.getHours('UTC') < 12"
REFUSED = Unknown(Denied("bigquery.datasets.get", ACME), HERE)
OWN, COMPANION, OTHER = "heap", "heap_migrated", "sales"
V2_HEAP = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{HEAP.partition(':')[2]}"
DENIED = ("bigquery.googleapis.com/jobs.create", "bigquery.googleapis.com/*.*", "bigquery.googleapis.com/tables.*",
          "bigquery.googleapis.com/datasets.create", "storage.googleapis.com/buckets.get")  # fmt: skip
LISTS = {
    "gcp.resourceLocations": (
        "in:us-locations",
        "in:eu-locations",
        "us",
        "eu",
        "asia-east1",
        "in:europe-west3-locations",
    ),
    "gcp.restrictServiceUsage": ("bigquery.googleapis.com", "storage.googleapis.com", "is:pubsub.googleapis.com"),
    "gcp.restrictNonCmekServices": ("bigquery.googleapis.com", "is:storage.googleapis.com"),
    "iam.allowedPolicyMemberDomains": ("C01ours", "is:C02theirs", "C03others"),
}
MANAGED = "iam.managed.allowedPolicyMembers"


class Case(Struct, frozen=True):
    """Facts as `judge` takes them, and what is to be connected."""

    facts: dict[str, Any]
    target: Target
    profile: Profile
    blind: bool
    """Something could not be seen or told, so that an answer may stay unknown whatever is done."""

    def __repr__(self) -> str:
        """Without the roles: there are thousands of Google's."""
        return f"{[fact for name, fact in self.facts.items() if name != 'roles']} {self.target} {self.profile.name}"


def some(*values: Any, most: int = 2, least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True).map(tuple)


def maybe(strategy: st.SearchStrategy[Any], odds: int = 3) -> st.SearchStrategy[Any]:
    """None, or once in so many times something."""
    return st.integers(1, odds).flatmap(lambda n: strategy if n == odds else st.none())


KNOWN = st.sampled_from((LASTING, SOON, PAST, IN_PRODUCTION, ON_DATASETS, MORNINGS))


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    blind = draw(st.integers(0, 3)) == 3
    conditions = KNOWN | st.just(FROM_OFFICE) if blind else KNOWN
    members = (HEAP, HEAP, CAPITALS, ANA, TEAM, OTHERS, *LOOKALIKES, *((GHOSTS,) if blind else ()))
    condition = maybe(conditions.map(Condition))
    binding = st.builds(Binding, st.sampled_from(GIVEN), some(*members, least=1, most=3), condition)
    bindings = st.lists(binding, max_size=4).map(tuple)
    above: dict[str, Any] = {
        name: draw(maybe(st.lists(binding, max_size=2).map(tuple), 2)) for name in ("folder", "organization")
    }
    if blind and draw(st.booleans()):
        above["folder"] = unreadable(FOLDER)
    chosen = target(
        dataset=draw(st.sampled_from((None, OWN, OWN))), location=draw(st.sampled_from(("EU", "EU", "US", None)))
    )
    heap = load_profile("heap")
    facts = {
        "allow_policies": policies(*draw(bindings), **above),
        "roles": roles(
            role(RUNNER, "bigquery.jobs.create"),
            role(MAKER, "bigquery.datasets.create", "storage.buckets.list"),
            role(GONE, "bigquery.jobs.create", deleted=True),
        ),
        "groups": groups({"team@acme.example": (HEAP,), "others@acme.example": (ANA,)}),
        "deny_policies": draw(_denials()),
        "tags": Tags(provenance=HERE, tags={"9/env": "9/env/prod"}),
        "datasets": draw(_datasets(condition, blind=blind)),
        "tables": draw(_tables(blind=blind)),
        "org_policies": draw(_org_policies()),
        "project": Project(
            provenance=HERE,
            id="acme-analytics",
            number="1",
            state=draw(st.sampled_from(("ACTIVE", "ACTIVE", "DELETE_REQUESTED"))),
            parent=FOLDER,
        ),
        "organization": Organization(
            provenance=HERE, name=ORGANIZATION, domain="acme.example", directory_customer_id="C01ours"
        ),
        "billing": Billing(
            provenance=HERE, enabled=draw(st.booleans()), account=draw(st.sampled_from((None, "billingAccounts/1")))
        ),
        "services": Services(
            services={
                api: Service(
                    provenance=HERE,
                    name=api,
                    state=draw(st.sampled_from((ServiceState.ENABLED, ServiceState.DISABLED))),
                )
                for api in heap.apis
            }
        ),
    }
    profile = draw(st.sampled_from((heap, _told(heap))))
    # Whether a dataset or a table has a tag of its own isn't known.
    tagged = "matchTag" in f"{[fact for name, fact in facts.items() if name != 'roles']}"
    return Case(facts, chosen, profile, blind or tagged)


def _told(profile: Profile) -> Profile:
    """The profile as it would be if the vendor told its directory."""
    return replace(profile, directory_customer_id="C02theirs")


@st.composite
def _denials(draw: st.DrawFn) -> DenyPolicies:
    whom = (V2_HEAP, "principalSet://goog/public:all", "principalSet://goog/group/team@acme.example",
            "principal://goog/subject/ana@acme.example")  # fmt: skip
    rule = st.builds(
        DenyRule,
        denied_principals=some(*whom, least=1),
        denied_permissions=some(*DENIED, least=1),
        exception_principals=some("principal://goog/subject/root@acme.example", V2_HEAP, most=1),
        condition=maybe(st.sampled_from((IN_PRODUCTION, "resource.matchTag('9/env', 'dev')")).map(Condition)),
    )
    attached: dict[str, AttachedDenyPolicies | Unknown] = {}
    for place in (ACME, FOLDER):
        found = draw(maybe(st.lists(rule, min_size=1, max_size=2).map(tuple), 4))
        guard: dict[str, DenyPolicy | Unknown] = {}
        if found:
            guard["guard"] = DenyPolicy(provenance=at(place), name="guard", rules=found)
        attached[place] = AttachedDenyPolicies(provenance=at(place), resource=place, policies=guard)
    return DenyPolicies(attached=attached)


@st.composite
def _datasets(draw: st.DrawFn, condition: st.SearchStrategy[Any], *, blind: bool) -> Datasets:
    entry = st.builds(
        AccessEntry,
        role=st.sampled_from(("READER", "WRITER", "OWNER", EDITOR)),
        iam_member=st.sampled_from((HEAP, HEAP, CAPITALS, ANA, TEAM, LOOKALIKES[0], "allUsers")),
        condition=condition,
    ) | st.builds(
        AccessEntry,
        role=st.sampled_from(("READER", "WRITER", "OWNER")),
        special_group=st.sampled_from(("projectOwners", "projectWriters", "projectReaders", "allAuthenticatedUsers")),
    )
    span = st.sampled_from((None, None, 3_600_000))
    key = st.sampled_from(("", "", "projects/keys/locations/eu/keyRings/r/cryptoKeys/k"))
    settings = st.builds(DatasetSettings, table_expiration_ms=span, partition_expiration_ms=span, kms_key=key)
    found: dict[str, Dataset | Unknown] = {}
    for name in (OWN, COMPANION, OTHER):
        if draw(st.booleans()):
            found[name] = Dataset(
                provenance=at(f"{ACME}/datasets/{name}"),
                id=name,
                location=draw(st.sampled_from(("EU", "US"))),
                access=draw(st.lists(entry, max_size=3).map(tuple)),
                settings=draw(settings),
            )
        elif blind and draw(st.booleans()):
            found[name] = REFUSED
    gap = Completeness(REFUSED.reason, HERE) if blind and draw(st.booleans()) else Completeness()
    return Datasets(provenance=HERE, datasets=found, completeness=gap)


RELATIONS = ("users", "users_raw", "Users", "sessions", "sessions_raw", "all_events", "notes")
KINDS = ("VIEW", "VIEW", "TABLE", "MATERIALIZED_VIEW")


@st.composite
def _tables(draw: st.DrawFn, *, blind: bool) -> Tables:
    listed = st.dictionaries(st.sampled_from(RELATIONS), st.sampled_from(KINDS), max_size=6)
    refused = Unknown(Denied("bigquery.tables.list", f"{ACME}/datasets/{OWN}"), HERE)
    found = listed | st.just(refused) if blind else listed
    gap = refused.reason if blind and draw(st.booleans()) else None
    return tables({name: draw(found) for name in (OWN, COMPANION)}, gap=gap)


@st.composite
def _org_policies(draw: st.DrawFn) -> OrgPolicies:
    found = []
    for constraint, listed in LISTS.items():
        rule = st.builds(PolicyRule, allowed=some(*listed, least=1), denied=some(*listed, most=1)) | st.sampled_from(
            (PolicyRule(allow_all=True), PolicyRule(deny_all=True))
        )
        rules = draw(maybe(st.lists(rule, min_size=1, max_size=2).map(tuple), 2))
        if rules:
            found.append(OrgPolicy(provenance=HERE, constraint=constraint, rules=rules))
    if draw(st.booleans()):
        lists = {"allowedMemberSubjects": draw(some(ANA, HEAP, most=2)), "allowedPrincipalSets": ()}
        sets = draw(some(f"//cloudresourcemanager.googleapis.com/{ORGANIZATION}", most=1))
        parameters = {name: values for name, values in {**lists, "allowedPrincipalSets": sets}.items() if values}
        enforced = PolicyRule(enforce=draw(st.booleans()), parameters=parameters)
        found.append(OrgPolicy(provenance=HERE, constraint=MANAGED, rules=(enforced,)))
    return org_policies(*found)


cases = _cases()

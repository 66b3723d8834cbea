"""Snapshots full of names of every kind, each spelt with a mark by which it is found again; and their bundles."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from preflight.bundle.contents import Asked, Call
from preflight.bundle.writing import Bundle, Material, bundle
from preflight.engine import evaluate, load_rules
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import AccessEntry, Dataset, Datasets, DatasetSettings
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import Binding, Condition
from preflight.facts.project import Ancestry, Billing, Project
from preflight.facts.seen import Incomplete, Provenance, Unavailable, Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import load_profile
from preflight.redaction.snapshot import Level
from preflight.rulebook import select
from preflight.testing import (
    FOLDER,
    HERE,
    MOMENT,
    ORGANIZATION,
    at,
    custom_role,
    groups,
    org_policies,
    org_policy,
    policies,
    roles,
    tables,
)

RULES = select(load_rules())
PROFILE = load_profile("heap")
KEY = bytes(range(32))
OWN = "heap_production"

DOMAIN = "qzdomain.example"
MEMBERS = (
    *(f"user:qzann@{DOMAIN}", f"user:QzAnn@{DOMAIN}", "user:qzbob+qzplus@gmail.com", "user:qz.o'neil@qzother.example"),
    *(f"group:qzteam@{DOMAIN}", "domain:qzdomain.example", "domain:qzfriends.example"),
    *(f"deleted:user:qzgone@{DOMAIN}?uid=771177117711", f"deleted:group:qzgroup@{DOMAIN}?uid=771177117712"),
    "serviceAccount:qzrobot@qzproject.iam.gserviceaccount.com",
    "serviceAccount:qzrobot@qzname.qzorg.example.iam.gserviceaccount.com",
    "deleted:serviceAccount:qzoff@qzproject.iam.gserviceaccount.com?uid=771177117713",
    "serviceAccount:qzproject.svc.id.goog[qznamespace/qzpod]",
    "serviceAccount:qzappspot@appspot.gserviceaccount.com",
    "serviceAccount:773377337733-compute@developer.gserviceaccount.com",
    "serviceAccount:service-773377337734@gcp-sa-bigquerydatatransfer.iam.gserviceaccount.com",
    "serviceAccount:773377337735@cloudservices.gserviceaccount.com",
    "projectOwner:qzproject",
    "principal://iam.googleapis.com/locations/global/workforcePools/qzpool/subject/qzsubject@qzidp.example",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/qzpool/group/qzwfgroup",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/qzpool/attribute.qzattr/qzvalue/qzmore",
    "principalSet://iam.googleapis.com/projects/773377337736/locations/global/workloadIdentityPools/qzwlpool/*",
    "principal://iam.googleapis.com/projects/773377337736/locations/global/workloadIdentityPools/qzwlpool/subject/"
    "repo:qzgithub/qzrepo:ref:refs/heads/qzmain",
    "principal://iam.googleapis.com/projects/773377337736/locations/global/workloadIdentityPools/"
    "qzcluster.svc.id.goog/subject/ns/qzns/sa/qzksa",
    "principalSet://iam.googleapis.com/projects/773377337736/locations/global/workloadIdentityPools/"
    "qzcluster.svc.id.goog/kubernetes.cluster/https://container.googleapis.com/v1/projects/qzp/locations/x/clusters/qzk",
    "deleted:principal://iam.googleapis.com/locations/global/workforcePools/qzpool/subject/qzdeleted",
    "principalSet://cloudresourcemanager.googleapis.com/organizations/774477447744",
    "user:qzünïcode@qzbücher.example",
)
"""Each name in them that should go begins with `qz`, or is a number of `77…`."""

PREFIX = "projects/acme-analytics/datasets/"
CONDITIONS = (
    f"resource.name.startsWith('{PREFIX}qzfin')",
    f"resource.name.endsWith('qzfinance')",  # noqa: F541  as the others
    f"resource.name.endsWith('nance')",  # noqa: F541
    f"resource.name == '{PREFIX}qzfinance' || request.time < timestamp('2027-01-01T00:00:00Z')",
    f"resource.name in ['{PREFIX}qzfinance', '{PREFIX}qzfin_eu']",
    f"resource.name.extract('{PREFIX}{{name}}/') == 'qzfinance'",
    "resource.name.contains('qzfin')",
    "resource.name.matches('.*qzfin.*')",
    "resource.name.startsWith('projects/_/buckets/qzbucket/objects/qzfolder/')",
    "resource.name == 'projects/771177117719/secrets/qzsecret/versions/1'",
    "resource.name.startsWith('//cloudkms.googleapis.com/projects/qzkms/locations/eu/keyRings/qzring')",
    "resource.matchTag('774477447744/qzenv', 'qzprod')",
    "resource.matchTag('qzorg-name/qzenv', 'qzprod') && resource.type == 'bigquery.googleapis.com/Dataset'",
    "resource.matchTagId('tagKeys/775577557755', 'tagValues/775577557756')",
    "'accessPolicies/776677667766/accessLevels/qzlevel' in request.auth.access_levels",
    "request.auth.claims.email == 'qzclaim@qzdomain.example'",
    "resource.name != 'x' // qzcomment of Qz Person, qzperson@qzdomain.example\n && true",
    "qzidentifier.qzfield == 1",
    "resource.name == 'ask qzann@qzdomain.example or qzperson about it'",
    'resource.name == r"qz\\raw" || resource.name == """qztriple"""',
    "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['projects/qzp/roles/qzRole'])",
    "request.time < timestamp('2099-01-01T00:00:00Z') && resource.name.startsWith('" + PREFIX + "qz_expiring')",
    "qzbroken ' (",
)
DATASETS = ("qzfinance", "qzfin", "qzfin_eu", "QZFinance", "qzfinance_raw", "qz_migrated", "data", "project", "heap",
            "user", "live", "status", "reason", "bigquery")  # fmt: skip


def target(**more: Any) -> Target:
    return Target("acme-analytics", PROFILE.principal, "EU", OWN, **more)


def crowded(bindings: Iterable[Binding] | None = None, more_datasets: Iterable[str] = (), **facts: Any) -> Snapshot:
    """All kinds of names at once."""
    if bindings is None:
        bindings = [
            *(Binding("roles/bigquery.dataViewer", (member,)) for member in MEMBERS),
            *(
                Binding("roles/bigquery.dataEditor", (PROFILE.principal, f"user:qzann@{DOMAIN}"),
                        Condition(expression, f"qztitle {number} of Qz Person"))
                for number, expression in enumerate(CONDITIONS)
            ),
            Binding("roles/bigquery.user", (PROFILE.principal, f"group:qzteam@{DOMAIN}")),
            Binding("projects/acme-analytics/roles/qzRunner", (PROFILE.principal,)),
            Binding("organizations/774477447744/roles/qzOrgRole", (f"group:qzteam@{DOMAIN}",)),
        ]  # fmt: skip
    entries = (
        AccessEntry(role="OWNER", user=f"qzann@{DOMAIN}"),
        AccessEntry(role="READER", group=f"qzteam@{DOMAIN}"),
        AccessEntry(role="READER", domain="qzfriends.example"),
        AccessEntry(role="WRITER", special_group="projectWriters"),
        AccessEntry(role="roles/bigquery.dataViewer", iam_member=MEMBERS[-4]),
        AccessEntry(authorized="qzproject.qzfinance.qzview"),
        AccessEntry(role="WRITER", user="heap-sql@heap-204122.iam.gserviceaccount.com"),
    )
    sets = {
        name: Dataset(
            provenance=at(f"{HERE.resource}/datasets/{name}"),
            id=name,
            location="EU",
            access=entries,
            settings=DatasetSettings(kms_key="projects/qzkeys/locations/eu/keyRings/qzring/cryptoKeys/qzkey"),
        )
        for name in (OWN, *DATASETS, *more_datasets)
    }
    whose = "policies/cloudresourcemanager.googleapis.com%2Ffolders%2F778877887788/denypolicies/qzguard"
    stated = {
        "project": Project(provenance=HERE, id="acme-analytics", number="421700000001", name="Qz Warehouse (qzeu)",
                           state="ACTIVE", parent=FOLDER),
        "billing": Billing(provenance=HERE, enabled=True, account="billingAccounts/77AA77-77BB77-77CC77"),
        "ancestry": Ancestry(resources=(FOLDER, ORGANIZATION)),
        "allow_policies": policies(*bindings, folder=(), organization=()),
        "roles": roles(
            custom_role("projects/acme-analytics/roles/qzRunner", "bigquery.jobs.create"),
            custom_role("organizations/774477447744/roles/qzOrgRole", "bigquery.jobs.create"),
        ),
        "groups": groups({f"qzteam@{DOMAIN}": MEMBERS[:3], "qzteam2@qzother.example": MEMBERS[4:7]}),
        "deny_policies": DenyPolicies(attached={HERE.resource: AttachedDenyPolicies(
            provenance=at(HERE.resource), resource=HERE.resource, policies={"qzguard": DenyPolicy(
                provenance=at(whose), name="qzguard", rules=(DenyRule(
                    denied_principals=(f"principal://goog/subject/qzann@{DOMAIN}", f"principalSet://goog/group/qzteam@{DOMAIN}",
                                       "principalSet://goog/cloudIdentityCustomerId/C07qz7qz7"),
                    denied_permissions=("bigquery.googleapis.com/jobs.create",),
                    exception_principals=("principal://iam.googleapis.com/projects/-/serviceAccounts/qzrobot@qzproject.iam.gserviceaccount.com",),
                    condition=Condition("resource.matchTag('774477447744/qzenv', 'qzprod')", "qztitle")),))})}),
        "tags": Tags(provenance=HERE, tags={"774477447744/qzenv": "774477447744/qzenv/qzprod"},
                     ids={"tagKeys/775577557755": "tagValues/775577557756"}),
        "organization": Organization(provenance=at("organizations/774477447744"), name="organizations/774477447744",
                                     domain=DOMAIN, directory_customer_id="C07qz7qz7"),
        "org_policies": org_policies(
            org_policy("iam.allowedPolicyMemberDomains", allowed=("C07qz7qz7", "is:C07qz7qz8", "qzlegacy.example",
                       "principalSet://iam.googleapis.com/organizations/774477447744")),
            org_policy("gcp.resourceLocations", allowed=("in:eu-locations", "europe-west1")),
            org_policy("gcp.restrictNonCmekServices", denied=("is:bigquery.googleapis.com", "under:projects/qzunder")),
            org_policy("iam.managed.allowedPolicyMembers", enforce=True,
                       allowedMemberSubjects=(f"user:qzann@{DOMAIN}",),
                       allowedPrincipalSets=("//cloudresourcemanager.googleapis.com/organizations/774477447744",)),
        ),
        "datasets": Datasets(provenance=HERE, datasets={**sets, "qzunread": Unknown(
            Unavailable("bigquery.googleapis.com", f"qzann@{DOMAIN} has no qzfinance in qzdomain.example"), HERE)}),
        "tables": tables({OWN: {"qztable": "TABLE", "qztable_raw": "TABLE", "all_events": "VIEW"}}),
        "caller_identity": CallerIdentity(provenance=Provenance("credentials", f"user:qzcaller@{DOMAIN}", MOMENT),
                                          email=f"qzcaller@{DOMAIN}"),
        "caller_permissions": CallerPermissions(provenance=HERE, resource=HERE.resource,
                                                asked=frozenset({"bigquery.jobs.create"}), granted=frozenset()),
    }  # fmt: skip
    return Snapshot(source="live", started_at=MOMENT, finished_at=MOMENT, **(stated | facts))


def made(seen: Snapshot, level: Level = "default", calls: tuple[Call, ...] = ()) -> Bundle:
    """The bundle of a snapshot, as a run writes it. Raises RedactionError where it must not be written."""
    wanted = target()
    report = evaluate(RULES, seen, wanted, PROFILE)
    report = replace(report, started_at=datetime(2026, 1, 2, tzinfo=UTC)) if hasattr(report, "started_at") else report
    asked = Asked(project=wanted.project, principal=wanted.principal, profile="heap", location="EU", dataset=OWN)
    calls = calls or (
        Call(method="cloudidentity.groups.lookup", resource=f"group:qzteam@{DOMAIN}", outcome="ok", milliseconds=1,
             attempts=1),
        Call(method="bigquery.datasets.get", resource=f"{HERE.resource}/datasets/qzfinance", outcome="ok",
             milliseconds=1, attempts=1),
        Call(method="iam.roles.get", resource="organizations/774477447744/roles/qzOrgRole", outcome="denied",
             milliseconds=1, attempts=1),
        Call(method="iam.policies.get", resource="policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-"
             "analytics/denypolicies/qzguard", outcome="denied", milliseconds=1, attempts=1),
        Call(method="cloudidentity.checkTransitiveMembership", resource="groups/qzgroupid", outcome="denied",
             milliseconds=1, attempts=1),
    )  # fmt: skip
    return bundle(
        Material(
            asked=asked, profile=PROFILE, own_profile=None, rules=RULES, snapshot=seen, target=wanted, report=report,
            calls=calls,
        ),
        level,
        KEY,
    )  # fmt: skip


INCOMPLETE = Incomplete("a page is missing")

"""Audits and answers about access that their renderers are tested on."""

from msgspec.structs import replace

from preflight.access.audit import Audit
from preflight.access.decision import Decision
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import AllowPolicies, Binding, Condition
from preflight.facts.seen import Completeness, Denied, Unknown
from preflight.testing import (
    FOLDER,
    HERE,
    ORGANIZATION,
    at,
    bind,
    custom_role,
    dataset,
    deny,
    groups,
    policies,
    roles,
    unreadable,
)  # fmt: skip
from tests.access.audits import ACME, MOMENT, NUMBER, audited

ANA, KIM = "user:ana@acme.example", "user:kim@partner.example"
DATA, JOBS = "bigquery.tables.getData", "bigquery.jobs.create"
TEAM = "group:analysts@acme.example"
LATER = "request.time < timestamp('2035-01-01T00:00:00Z')"
PAST = "request.time < timestamp('2025-07-01T00:00:00Z')"
LEVELS = "'accessPolicies/1/accessLevels/office' in request.auth.access_levels"


def titled(role: str, member: str, only_if: str, title: str) -> Binding:
    """A binding under a condition that has a title."""
    return Binding(role, (member,), Condition(only_if, title=title))


def access(allow: AllowPolicies, denied: DenyPolicies | Unknown, told: Groups | Unknown) -> ProjectAccess:
    """The engine on these facts, with all roles known."""
    known = roles(custom_role("projects/acme-analytics/roles/runner", JOBS))
    facts = AccessFacts(
        project="acme-analytics", number=NUMBER, allow=allow, roles=known, deny=denied, groups=told,
        tags=Tags(provenance=HERE, tags={}), moment=MOMENT,
    )  # fmt: skip
    return ProjectAccess(facts)


def decisions() -> dict[str, Decision]:
    """One answer of each kind, with each part that a proof can have."""
    members = groups({"analysts@acme.example": ("group:inner@acme.example",), "inner@acme.example": (KIM,)})
    inherited = (titled("roles/bigquery.dataViewer", TEAM, LATER, "till the end of 2034"),)
    unread_deny = Unknown(Denied("iam.denypolicies.list", HERE.resource), HERE)
    granted = access(
        policies(titled("roles/bigquery.dataEditor", KIM, PAST, "for the migration"), folder=inherited),
        unread_deny,
        members,
    )
    denied = access(
        policies(bind("roles/bigquery.user", ANA), organization=()),
        deny(JOBS, on=ORGANIZATION, but=("principalSet://goog/group/admins@acme.example",)),
        groups({"admins@acme.example": ()}),
    )
    unknown = access(
        policies(bind("roles/bigquery.user", TEAM), bind("roles/bigquery.jobUser", ANA, only_if=LEVELS),
                 folder=unreadable(FOLDER)),
        deny(JOBS, to=("principalSet://goog/group/contractors@acme.example",), only_if=LATER),
        Unknown(Denied("cloudidentity.groups.memberships.list", TEAM), HERE),
    )  # fmt: skip
    sales = dataset("sales", AccessEntry(role="READER", user="ana@acme.example"))
    return {
        "granted": granted.decide(KIM, DATA),
        "dataset": denied.decide(ANA, DATA, sales),
        "denied": denied.decide(ANA, JOBS),
        "nothing": denied.decide(KIM, DATA, sales),
        "unknown": unknown.decide(ANA, JOBS),
    }


def hostile_facts(name: str) -> tuple[AllowPolicies, Dataset, DenyPolicies]:
    """A policy, a dataset and deny rules that say `name` wherever text from outside can stand."""
    allow = policies(
        bind("roles/bigquery.user", f"user:{name}", f"group:{name}", f"deleted:user:{name}?uid=1", name),
        titled("roles/bigquery.dataViewer", ANA, f"request.host == {name}", name),
        titled("roles/bigquery.dataEditor", ANA, name, name),
        bind(f"projects/acme-analytics/roles/{name}", f"serviceAccount:{name}"),
        folder=unreadable(f"folders/{name}"),
    )
    listed = dataset(
        name, AccessEntry(role="READER", iam_member=f"user:x{name}@evil.example", condition=Condition(name, title=name))
    )
    named = f"principal://goog/subject/{name}"
    return allow, listed, deny(JOBS, to=(named, ANA), but=(f"{named}!",), only_if=name)


def hostile_audit(name: str) -> Audit:
    """An audit with hostile names in it."""
    allow, listed, denied = hostile_facts(name)
    organization: Organization = replace(ACME, domain=name)
    gap = Completeness(Denied("bigquery.datasets.list", name))
    return audited(allow, listed, replace(listed, id=f"{name}2", provenance=at(name)), deny=denied,
                   organization=organization, gap=gap)  # fmt: skip


def hostile_decisions(name: str) -> tuple[Decision, ...]:
    """Answers with hostile names in their proofs."""
    allow, listed, denied = hostile_facts(name)
    engine = access(allow, denied, Unknown(Denied(name, name), HERE))
    asked = [(ANA, JOBS, None), (ANA, DATA, None), (f"user:x{name}@evil.example", DATA, listed), (name, name, None)]
    return tuple(engine.decide(*question) for question in asked)

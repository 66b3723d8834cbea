"""Audits that tests of the table and of its formats share, from facts alone."""

from datetime import UTC, datetime
from typing import Any

from preflight.access.audit import Audit, Cell, Row, audit
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import AllowPolicies
from preflight.facts.seen import Completeness, Denied, Unknown
from preflight.testing import HERE, at, bind, policies, roles

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT, ANA = "user:root@acme.example", "user:ana@acme.example"
NUMBER = "421700000001"
ACME = Organization(provenance=HERE, name="organizations/9", domain="acme.example", directory_customer_id="C0")
NO_DENY = DenyPolicies(attached={})
UNREAD = Unknown(Denied("bigquery.datasets.get", "projects/acme-analytics/datasets/secret"), at("secret"))


def dataset(name: str, *entries: AccessEntry, unread: bool = False) -> Dataset:
    """A dataset with this list; or one whose list the caller may not read."""
    return Dataset(provenance=at(name), id=name, location="EU", access=UNREAD if unread else entries)


def denying(*principals: str, permission: str = "bigquery.googleapis.com/jobs.create") -> DenyPolicies:
    """One deny rule on the project."""
    return denying_by(DenyRule(principals, (permission,)))


def denying_by(*rules: DenyRule) -> DenyPolicies:
    """A deny policy on the project."""
    policy = DenyPolicy(provenance=HERE, name="d", rules=rules)
    attached = AttachedDenyPolicies(provenance=HERE, resource=HERE.resource, policies={"d": policy})
    return DenyPolicies(attached={HERE.resource: attached})


def group(email: str, *members: str) -> Groups:
    """One group of which all members are known."""
    return Groups(groups={email: Group(provenance=HERE, email=email, members=members)})


def audited(
    allow: AllowPolicies,
    *datasets: Dataset,
    organization: Organization | Unknown = ACME,
    gap: Completeness | None = None,
    **facts: Any,
) -> Audit:
    """The audit of acme-analytics with these facts; all else is known and empty."""
    given: dict[str, Any] = {"roles": roles(), "deny": NO_DENY, "tags": Tags(provenance=HERE, tags={}), **facts}
    access = ProjectAccess(AccessFacts(project="acme-analytics", number=NUMBER, allow=allow, moment=MOMENT, **given))
    listed = Datasets.of(*datasets)
    if gap:
        listed = Datasets(provenance=HERE, datasets=listed.datasets, completeness=gap)
    return audit(access, listed, organization)


def row_of(made: Audit, member: str) -> Row:
    """The one row of a member."""
    (found,) = [row for row in made.rows if row.member == member]
    return found


def cell_of(made: Audit, member: str, capability: str) -> Cell:
    """One cell, by the capability's id."""
    (wanted,) = [one for one in made.capabilities if one.id == capability]
    return made.cell(row_of(made, member), wanted)


def rich() -> Audit:
    """One of each kind of cell and each flag."""
    return audited(
        policies(
            bind("roles/owner", ROOT),
            bind("roles/bigquery.user", ANA, "allUsers"),
            bind("roles/bigquery.dataViewer", "user:kim@partner.example",
                 only_if="request.time < timestamp('2027-01-01T00:00:00Z')"),
            bind("roles/bigquery.dataEditor", "group:analysts@acme.example"),
            bind("roles/editor", "deleted:user:gone@acme.example?uid=1",
                 "serviceAccount:etl@other-project.iam.gserviceaccount.com"),
        ),
        dataset("sales", AccessEntry(role="READER", user="ben@acme.example"),
                AccessEntry(role="OWNER", special_group="projectOwners")),
        dataset("secret", unread=True),
        deny=Unknown(Denied("iam.denypolicies.list", HERE.resource), HERE),
    )  # fmt: skip

"""A made-up cloud for one question at a time: an admin who sees all, in a project in a folder in an organization."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from preflight.emulator import Caller, Fault, World
from preflight.emulator.world import (
    Billing,
    Binding,
    Condition,
    Dataset,
    DenyPolicy,
    DenyRule,
    Folder,
    Group,
    Organization,
    OrgPolicy,
    Project,
    Role,
)
from preflight.facts.methods import ALLOWED
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR, Preflight, Serve

HEAP = f"serviceAccount:{VENDOR}"
USER, EDITOR, JOB_USER = "roles/bigquery.user", "roles/bigquery.dataEditor", "roles/bigquery.jobUser"
PROJECT, FOLDER, ORGANIZATION = "projects/acme-analytics", "folders/2000", "organizations/1000"
DESTINATION = ("--location", "EU", "--dataset", "heap_production")
OWN, COMPANION = "heap_production", "heap_production_migrated"

GET_POLICY = "cloudresourcemanager.projects.getIamPolicy"
GET_FOLDER_POLICY = "cloudresourcemanager.folders.getIamPolicy"
GET_ORGANIZATION_POLICY = "cloudresourcemanager.organizations.getIamPolicy"
GET_ROLE = "iam.roles.get"
EFFECTIVE = "orgpolicy.projects.policies.getEffectivePolicy"
LIST_DATASETS, GET_DATASET = "bigquery.datasets.list", "bigquery.datasets.get"
LIST_DENY, GET_DENY = "iam.policies.listPolicies", "iam.policies.get"
LOOK_UP_GROUP = "cloudidentity.groups.lookup"
CHECK_GROUP = "cloudidentity.groups.memberships.checkTransitiveMembership"
TROUBLESHOOT = "policytroubleshooter.iam.troubleshoot"

PERIMETER = "Xq3mPzT0vK7wJd1sN5bLr9cYhUe2GfAoVi8xQ4tSkRnWyM6zDpHj-A"
"""What the stand-in puts into a refusal by VPC Service Controls."""
_AUDITOR = "roles/made.upAuditor"
"""A role of the stand-in's: what any method of the tool needs, so that all is seen unless a test hides it."""
_APIS = ("bigquery", "cloudbilling", "cloudidentity", "cloudresourcemanager", "iam", "orgpolicy",
         "policytroubleshooter", "serviceusage")  # fmt: skip


class Seen(NamedTuple):
    """One piece of evidence, as a test expects it."""

    source: str
    resource: str


def bind(role: str, *members: str, only_if: str = "") -> Binding:
    """One role for these members, under a condition if `only_if` is one."""
    return Binding(role=role, members=members, condition=Condition(expression=only_if) if only_if else None)


def before(days: int) -> str:
    """A condition that ends so many days from now; a negative number: that ended so many days ago."""
    end = datetime.now(UTC) + timedelta(days=days)
    return f"request.time < timestamp('{end:%Y-%m-%dT%H:%M:%SZ}')"


def values(allowed: tuple[str, ...] = (), denied: tuple[str, ...] = (), only_if: str = "") -> OrgPolicy:
    """A list constraint with these values."""
    listed = {"allowedValues": list(allowed), "deniedValues": list(denied)}
    rule: dict[str, Any] = {"values": {name: found for name, found in listed.items() if found}}
    if only_if:
        rule["condition"] = {"expression": only_if}
    return OrgPolicy(rules=(rule,))


def denial(
    *permissions: str, to: tuple[str, ...] = (), but: tuple[str, ...] = (), only_if: str = "", name: str = "guard"
) -> DenyPolicy:
    """A deny policy; left out, `to` is everybody."""
    return DenyPolicy(
        name=name,
        rules=(
            DenyRule(
                denied_principals=to or ("principalSet://goog/public:all",),
                denied_permissions=permissions,
                exception_principals=but,
                condition=Condition(expression=only_if) if only_if else None,
            ),
        ),
    )


def dataset(name: str, *access: dict[str, Any], location: str = "EU", **more: Any) -> Dataset:
    """A dataset that the project's owners own, with these entries beside; `more` are other keys of BigQuery's JSON."""
    owners = {"role": "OWNER", "specialGroup": "projectOwners"}
    return Dataset(id=name, location=location, access=(owners, *access), more=more)


def cloud(
    *bindings: Binding,
    folder: tuple[Binding, ...] = (),
    organization: tuple[Binding, ...] = (),
    datasets: tuple[Dataset, ...] = (),
    groups: tuple[Group, ...] = (),
    deny: Mapping[str, DenyPolicy] | None = None,
    org_policies: Mapping[str, OrgPolicy] | None = None,
    roles: tuple[Role, ...] = (),
    tags: dict[str, str] | None = None,
    withheld: Mapping[str, tuple[str, ...]] | None = None,
    state: str = "ACTIVE",
    at_home: bool = True,
) -> World:
    """The world. `bindings` are on the project; `deny` and `withheld` say by `PROJECT`, `FOLDER` or `ORGANIZATION`
    where; organization policies are set on the organization. Not `at_home`: the project is in no organization."""

    def shared(name: str) -> dict[str, Any]:
        found = (deny or {}).get(name)
        return {"deny": (found,) if found else (), "withheld": (withheld or {}).get(name, ())}

    auditing = Binding(role=_AUDITOR, members=(f"user:{ADMIN}",))
    project = Project(
        id="acme-analytics",
        number="3000",
        parent=FOLDER if at_home else "",
        state=state,
        delete_time="" if state == "ACTIVE" else "2026-01-01T00:00:00Z",
        services=tuple(f"{api}.googleapis.com" for api in _APIS),
        billing=Billing(account="billingAccounts/01A2B3-C4D5E6-F70819", enabled=True),
        bindings=(*bindings, bind("roles/owner", "user:root@acme.example"), auditing),
        roles=roles,
        datasets=datasets,
        tags=tags or {},
        **shared(PROJECT),
    )
    above = Folder(id="2000", parent=ORGANIZATION, bindings=folder, **shared(FOLDER))
    top = Organization(
        id="1000",
        display_name="acme.example",
        directory_customer_id="C01ours",
        bindings=(*organization, auditing),
        org_policies=dict(org_policies or {}),
        **shared(ORGANIZATION),
    )
    return World(
        callers=(Caller(email=ADMIN), Caller(email=VENDOR, kind="service_account")),
        groups=groups,
        organizations=(top,),
        folders=(above,),
        projects=(project,),
        roles=(Role(name=_AUDITOR, permissions=tuple({m.permission for m in ALLOWED} - {""})),),
    )


class Case(NamedTuple):
    """One question on one world, and the answer of one rule."""

    name: str
    world: World
    verdict: str
    says: str
    seen: tuple[Seen, ...] = ()
    """All of its evidence, each source and resource once, in any order."""
    options: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    reason: str = ""
    """With unknown: the kind of its reason."""


def answers(rule: str, case: Case, serve: Serve, preflight: Preflight) -> dict[str, Any]:
    """Asserts that a run of the command line on the case's world gives its answer; the rule's finding."""
    stand_in = serve(case.world)
    stand_in.emulator.inject(*case.faults)
    result = preflight(*RUN, "--rule", rule, *case.options, *JSON, environ=stand_in.environ())
    finding = result.finding(rule)
    assert finding["verdict"] == case.verdict, finding
    assert case.says in finding["message"], finding["message"]
    found = {Seen(one["source"], one["resource"]) for one in finding["evidence"]}
    assert found == set(case.seen), f"beside: {found - set(case.seen)}, wanting: {set(case.seen) - found}"
    assert (finding["reason"] or {}).get("kind", "") == case.reason, finding["reason"]
    assert bool(finding["remedies"]) == (case.verdict in {"fail", "warn", "unknown"}), finding["remedies"]
    blocks = {"fail": 1, "unknown": 3 if finding["severity"] == "required" else 0}
    assert result.code == blocks.get(case.verdict, 0)
    return finding


def ids(case: Case) -> str:
    """What pytest calls a case."""
    return case.name

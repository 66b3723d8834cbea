"""The facts about one project from all that is declared."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.iam_resources import IamResources
from preflight.facts.organization import Organization, OrgPolicies, Tags
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import NotCollected, Unknown
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.facts.tables import Tables
from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.resources import Declared
from preflight.sources.terraform.semantics import datasets, deny, managed, org_policies, policies, project
from preflight.sources.terraform.semantics.home import home_of, project_named
from preflight.sources.terraform.semantics.items import World
from preflight.sources.terraform.semantics.roles import roles
from preflight.sources.terraform.semantics.services import services

_NOT_HERE = {
    CallerIdentity: "Terraform tells nothing of who runs the tool",
    CallerPermissions: "Terraform tells nothing of who runs the tool",
    Groups: "who is in a group is not read from Terraform",
    SecondOpinions: "Terraform holds no answers of Policy Troubleshooter",
    Tables: "Terraform doesn't declare what the vendor's syncs make",
    Tags: "which tags a project has is not read from Terraform",
    Organization: "Terraform doesn't declare the organization itself",
}


def snapshot_of(
    declared: Declared,
    name: str,
    apis: tuple[str, ...],
    wanted: frozenset[type[Fact]],
    source: str,
    started: datetime | None = None,
) -> tuple[Snapshot, str | None]:
    """The wanted facts about a project, by its ID or number, as it will be once all is applied; and its ID, if known.

    `source` is `plan` or `terraform`; `apis` are those whose state matters.
    """
    world = World(declared, name)
    home = home_of(world, name)
    ancestry = project.ancestry(world, home)
    tell: dict[type[Fact], Callable[[], Any]] = {
        Project: lambda: project.project(world, home),
        Billing: lambda: project.billing(world, home),
        Services: lambda: services(world, home, apis),
        Ancestry: lambda: ancestry,
        AllowPolicies: lambda: policies.allow_policies(world, home, ancestry),
        Roles: lambda: roles(world, home),
        DenyPolicies: lambda: deny.deny_policies(world, home, ancestry),
        OrgPolicies: lambda: org_policies.org_policies(world, home, ancestry),
        Datasets: lambda: datasets.datasets(world, home),
        IamResources: lambda: managed.iam_resources(world, home, ancestry),
    }
    facts = {FIELD_OF[kind]: make() for kind, make in tell.items() if kind in wanted}
    facts |= {FIELD_OF[kind]: Unknown(NotCollected(why)) for kind, why in _NOT_HERE.items() if kind in wanted}
    now = datetime.now(UTC)
    return Snapshot(source=source, **facts, started_at=started or now, finished_at=now), home.id


def projects_in(declared: Declared) -> tuple[str, ...]:
    """The IDs of all projects that something declared is about, in their order."""
    world = World(declared, "ID")
    found: dict[str, bool] = {}
    for item in world.of(*sorted(RELEVANT)):
        for value in (item.values.get("project_id"), project_named(item)):
            if isinstance(value, str) and value:
                found[value.removeprefix("projects/")] = True
    return tuple(found)

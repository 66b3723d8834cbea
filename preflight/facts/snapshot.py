"""All that was seen of one project in one go."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.iam_resources import IamResources
from preflight.facts.organization import Organization, OrgPolicies, Tags
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import NotCollected, Provenance, Reason, Unknown
from preflight.facts.tables import Tables

NOT_ASKED = Unknown(NotCollected("no selected rule needed it"))
"""What stands for a fact that nobody asked for."""

UNKNOWN_PROJECT = "PROJECT_ID"
"""What stands for a project of which it isn't known which one it is: in commands, for a reader to fill in."""

OFFLINE = frozenset({"assets", "plan", "terraform"})
"""Sources that ask nothing of Google."""


class Target(Struct, frozen=True):
    """What is to be connected: the run's own choices, always known."""

    project: str
    """The project's ID; a number only where the ID could not be found out; UNKNOWN_PROJECT where neither is known."""
    principal: str
    """The vendor's principal in the form of IAM policies."""
    location: str | None = None
    dataset: str | None = None
    unread_deny_blocks: bool = False
    """Deny policies that can't be read make "granted" unknown; else it is noted that none are assumed."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """The facts about one project, each known or Unknown with its reason. One field a kind of fact."""

    source: str
    """`live`, `snapshot`, `plan`, `terraform` or `assets`."""
    project: Project | Unknown = NOT_ASKED
    billing: Billing | Unknown = NOT_ASKED
    services: Services | Unknown = NOT_ASKED
    ancestry: Ancestry | Unknown = NOT_ASKED
    allow_policies: AllowPolicies | Unknown = NOT_ASKED
    roles: Roles | Unknown = NOT_ASKED
    deny_policies: DenyPolicies | Unknown = NOT_ASKED
    groups: Groups | Unknown = NOT_ASKED
    tags: Tags | Unknown = NOT_ASKED
    organization: Organization | Unknown = NOT_ASKED
    org_policies: OrgPolicies | Unknown = NOT_ASKED
    datasets: Datasets | Unknown = NOT_ASKED
    caller_identity: CallerIdentity | Unknown = NOT_ASKED
    caller_permissions: CallerPermissions | Unknown = NOT_ASKED
    second_opinions: SecondOpinions | Unknown = NOT_ASKED
    iam_resources: IamResources | Unknown = NOT_ASKED
    tables: Tables | Unknown = NOT_ASKED
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def fact(self, kind: type[Fact]) -> Any:
        """The fact of this kind, or Unknown. Raises KeyError for a type that is not a kind of fact."""
        return getattr(self, FIELD_OF[kind])

    def facts(self) -> tuple[Any, ...]:
        """All facts, known or Unknown."""
        return tuple(getattr(self, field) for field in FIELD_OF.values())

    def gaps(self) -> tuple["Gap", ...]:
        """Everything that was asked for and not seen, also inside the facts, each with where it was asked."""
        return tuple(
            gap
            for field in FIELD_OF.values()
            if (value := getattr(self, field)) != NOT_ASKED
            for gap in _gaps_in(value, field, None)
        )


class Gap(Struct, frozen=True):
    """One thing that was not seen."""

    fact: str
    """The fact's name in the snapshot, such as `allow_policies`."""
    about: str
    """What in it, such as `folders/12`; empty for all of it."""
    reason: Reason
    provenance: Provenance | None


def _gaps_in(value: Any, fact: str, about: str | None) -> "list[Gap]":
    if isinstance(value, Unknown):
        return (
            [] if isinstance(value.reason, NotCollected) else [Gap(fact, about or "", value.reason, value.provenance)]
        )
    found: list[Gap] = []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _gaps_in(item, fact, str(key))
    elif isinstance(value, Struct):
        completeness = getattr(value, "completeness", None)
        # Who else is in a group, say, nobody asked: no gap in what was asked for.
        if completeness is not None and not isinstance(completeness.gap, NotCollected | None):
            where = completeness.provenance or getattr(value, "provenance", None)
            found.append(Gap(fact, about or "", completeness.gap, where))
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if isinstance(inner, dict | Unknown):
                found += _gaps_in(inner, fact, about)
    return found


FIELD_OF: dict[type[Fact], str] = {
    kind: field.name
    for field in msgspec.structs.fields(Snapshot)
    for kind in getattr(field.type, "__args__", ())
    if isinstance(kind, type) and issubclass(kind, Fact)
}
"""The kinds of facts, and the snapshot's field of each."""

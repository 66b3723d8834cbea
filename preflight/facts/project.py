"""The project itself: its identity and state, its billing, its APIs, its place in the hierarchy."""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from preflight.facts.seen import COMPLETE, Completeness, Evidence, Provenance, Unknown


class Fact(Struct, frozen=True, tag_field="fact", kw_only=True):
    """Something known about a project. Each kind of fact is one subclass; rules ask for it by its type."""


class Observed(Fact, frozen=True, kw_only=True):
    """A fact that came from one call or one place in a file."""

    provenance: Provenance

    def seen(self, *fields: str) -> Evidence:
        """The values of these fields as evidence: `billing_enabled: false`, with where and when."""
        return self.provenance.saw(", ".join(f"{name}: {_shown(getattr(self, name))}" for name in fields))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


class Project(Observed, frozen=True, kw_only=True, tag="project"):
    """Resource Manager v3 `projects.get`."""

    id: str
    number: str
    """Digits, as text. Real answers hold numbers that belong to several IDs: key nothing on it."""
    name: str = ""
    state: str
    """`ACTIVE` or `DELETE_REQUESTED`."""
    parent: str | Unknown | None
    """`folders/N` or `organizations/N`; None for a project without one."""


class Billing(Observed, frozen=True, kw_only=True, tag="billing"):
    """Cloud Billing v1 `projects.getBillingInfo`."""

    enabled: bool
    account: str | None
    """`billingAccounts/…`; None when none is linked. A linked account that is closed stays here."""


class ServiceState(StrEnum):
    """Service Usage v1 `State`."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class Service(Observed, frozen=True, kw_only=True, tag="service"):
    """Service Usage v1 `services.get`: one API and whether it is on in the project."""

    name: str
    state: ServiceState


class Services(Fact, frozen=True, kw_only=True, tag="services"):
    """The APIs that the profile asks about, by name (`bigquery.googleapis.com`)."""

    services: dict[str, Service | Unknown]


class Ancestry(Fact, frozen=True, kw_only=True, tag="ancestry"):
    """What the project is in: folders, then the organisation, nearest first; from `projects.get().parent`
    and `folders.get().parent`. A project without a parent has an empty, complete ancestry."""

    resources: tuple[str, ...]
    """`folders/N` …, `organizations/N`."""
    completeness: Completeness = COMPLETE

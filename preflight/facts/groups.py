"""Google groups: who is in them, as far as a file or Cloud Identity told."""

from msgspec import field

from preflight.facts.project import Fact, Observed
from preflight.facts.seen import COMPLETE, Completeness, Unknown


class Group(Observed, frozen=True, kw_only=True, tag="group"):
    """One group: its direct members, or just who was asked about, from a file or Cloud Identity v1."""

    email: str
    members: tuple[str, ...] = ()
    """Direct members in the form of IAM policies; a nested group is `group:…`."""
    checked: dict[str, bool] = field(default_factory=dict)
    """Principals whose membership, nested groups included, was asked one by one (`checkTransitiveMembership`)."""
    completeness: Completeness = COMPLETE
    """A gap: there may be members that are not here."""


class Groups(Fact, frozen=True, kw_only=True, tag="groups"):
    """The groups that matter, by e-mail in lower case. One that isn't here was not asked about."""

    groups: dict[str, Group | Unknown]

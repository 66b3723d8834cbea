"""What the audit could not see, and what that leaves open."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import place_of, value_of
from preflight.access.formula import OpenFact, open_facts
from preflight.access.members import PUBLIC, canonical, names_one
from preflight.access.project_access import BASIC_GROUPS, ProjectAccess
from preflight.facts.capabilities import AUDITED_PERMISSIONS
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.organization import Organization
from preflight.facts.policy import AllowPolicy, Condition
from preflight.facts.seen import NotCollected, Unknown, Unresolved


class OpenPoint(Struct, frozen=True):
    """One thing that was not seen."""

    kind: str
    """`policy`, `ancestors`, `datasets`, `dataset access`, `role`, `group`, `condition`, `member`, `basic role`,
    `binding`, `deny policy`, `deny ancestors` or `organization`."""
    about: str
    unknown: Unknown
    weighs: bool = True
    """Whether cells are unknown for it; False: it is taken for absent, or concerns a flag alone."""


def open_points(
    access: ProjectAccess, datasets: Datasets | Unknown, organization: Organization | Unknown
) -> Iterator[OpenPoint]:
    """Everything that is open, each once: first what may hide grants, then what grants hang on, then the rest."""
    found: dict[tuple[str, str], OpenPoint] = {}
    for point in (
        *(_point(fact) for fact in access.bindings.blind),
        *(_point(one.stands) for one in access.bindings.possible),
        *_of_datasets(datasets),
        *_of_grants(access, datasets),
        *(_point(fact, weighs=access.facts.unread_deny_blocks) for fact in access.deny.blind),
        *_of_organization(organization),
    ):
        found.setdefault((point.kind, point.about), point)
    yield from found.values()


def _point(fact: OpenFact, *, weighs: bool = True) -> OpenPoint:
    return OpenPoint(fact.kind, fact.about, fact.unknown, weighs)


def _of_datasets(datasets: Datasets | Unknown) -> Iterator[OpenPoint]:
    if isinstance(datasets, Unknown):
        yield OpenPoint("datasets", "", datasets)
        return
    if datasets.completeness.gap:
        where = datasets.completeness.provenance or datasets.provenance
        yield OpenPoint("datasets", "", Unknown(datasets.completeness.gap, where))
    for name, dataset in datasets.datasets.items():
        entries = dataset if isinstance(dataset, Unknown) else dataset.access
        if isinstance(entries, Unknown):
            yield OpenPoint("dataset access", name, entries)
        elif isinstance(dataset, Dataset) and dataset.access_completeness.gap:
            where = dataset.access_completeness.provenance or dataset.provenance
            yield OpenPoint("dataset access", name, Unknown(dataset.access_completeness.gap, where))


def _of_organization(organization: Organization | Unknown) -> Iterator[OpenPoint]:
    if isinstance(organization, Unknown):
        # A project may be in none: then nobody was asked, and nothing is hidden.
        yield OpenPoint("organization", "", organization, weighs=not isinstance(organization.reason, NotCollected))


_ANYBODY = ("user:somebody@invalid", "serviceAccount:somebody@invalid")
"""Whoever isn't named: what may cover them can't be told of anybody."""


def _of_grants(access: ProjectAccess, datasets: Datasets | Unknown) -> Iterator[OpenPoint]:
    """What grants of the audited permissions hang on: roles, conditions, and who is covered."""
    held: dict[str, bool] = {}
    told: set[str | tuple[str, str | None]] = set()
    for role, member, condition, dataset in _grants(access, datasets):
        if role not in held:
            holding = [access.roles.holds(role, permission) for permission in AUDITED_PERMISSIONS]
            held[role] = any(holding)
            yield from (_point(one) for one in dict.fromkeys(h for h in holding if isinstance(h, OpenFact)))
        if not held[role]:
            continue
        if condition and (condition.expression, dataset) not in told:
            told.add((condition.expression, dataset))
            yield from _of_condition(access, condition, dataset)
        if member not in told and not names_one(member) and member not in PUBLIC:
            told.add(member)
            yield from _of_member(access, member)


def _of_member(access: ProjectAccess, member: str) -> Iterator[OpenPoint]:
    for somebody in _ANYBODY:
        for fact in open_facts(access.members.covers(member, somebody)):
            if fact.kind == "group":
                why = Unresolved(
                    f"who is in group:{fact.about} is not known here",
                    "Name its members in a file: --group-members FILE.",
                )
                yield _point(replace(fact, unknown=replace(fact.unknown, reason=why)))
            else:
                yield _point(fact)


def _of_condition(access: ProjectAccess, condition: Condition, dataset: str | None) -> Iterator[OpenPoint]:
    for permission in AUDITED_PERMISSIONS:
        place = place_of(permission, access.facts.project, dataset)
        value = value_of(condition.expression, place, access.facts.moment, access.facts.tags)
        if value.holds is None:
            yield OpenPoint("condition", condition.expression, value.unknown)
            return


def _grants(
    access: ProjectAccess, datasets: Datasets | Unknown
) -> Iterator[tuple[str, str, Condition | None, str | None]]:
    for policy in access.facts.allow.policies.values():
        if isinstance(policy, AllowPolicy):
            for binding in policy.bindings:
                for member in dict.fromkeys(map(canonical, binding.members)):
                    yield binding.role, member, binding.condition, None
    for dataset in () if isinstance(datasets, Unknown) else datasets.datasets.values():
        if isinstance(dataset, Dataset) and not isinstance(dataset.access, Unknown):
            for entry in dataset.access:
                if entry.member and not entry.authorized and entry.special_group not in BASIC_GROUPS:
                    yield entry.role_name, entry.member, entry.condition, dataset.id

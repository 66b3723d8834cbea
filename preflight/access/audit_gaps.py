"""What the audit could not see, and what that leaves open."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import Place, alike_at, looks_at_resource, place_of
from preflight.access.deny_rules import AttachedRule
from preflight.access.formula import OpenFact, open_facts
from preflight.access.members import CONVENIENCE, PUBLIC, canonical, names_one
from preflight.access.project_access import BASIC_GROUPS, ProjectAccess
from preflight.access.question import unlisted_in
from preflight.facts.capabilities import AUDITED_PERMISSIONS
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.organization import Organization
from preflight.facts.policy import AllowPolicy, Condition
from preflight.facts.seen import NotCollected, Unknown, Unresolved


class OpenPoint(Struct, frozen=True):
    """One thing that was not seen."""

    kind: str
    """`policy`, `ancestors`, `datasets`, `dataset access`, `role`, `group`, `condition`, `member`, `basic role`,
    `binding`, `deny policy`, `deny rule`, `deny ancestors` or `organization`."""
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
        *_of_possible(access),
        *_of_datasets(datasets),
        *_of_grants(access, datasets),
        *_of_doubtful_rules(access),
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
        if isinstance(dataset, Unknown):
            yield OpenPoint("dataset access", name, dataset)
        elif (unlisted := unlisted_in(dataset)) is not None:
            yield _point(unlisted)


def _of_possible(access: ProjectAccess) -> Iterator[OpenPoint]:
    for one in access.bindings.possible.all:
        role = one.binding.role
        if not role or any(access.roles.holds(role, permission) is not False for permission in AUDITED_PERMISSIONS):
            yield _point(one.stands)


def _of_doubtful_rules(access: ProjectAccess) -> Iterator[OpenPoint]:
    for attached in _rules(access):
        if isinstance(attached.stands, OpenFact):
            yield replace(_point(attached.stands), kind="deny rule")


def _of_organization(organization: Organization | Unknown) -> Iterator[OpenPoint]:
    if isinstance(organization, Unknown):
        # A project may be in none: then nobody was asked, and nothing is hidden.
        yield OpenPoint("organization", "", organization, weighs=not isinstance(organization.reason, NotCollected))


_ANY_ROLE = ""
_ANYBODY = ("user:somebody@invalid", "serviceAccount:somebody@invalid")
"""Whoever isn't named: what may cover them can't be told of anybody."""


def _of_grants(access: ProjectAccess, datasets: Datasets | Unknown) -> Iterator[OpenPoint]:
    """What grants of the audited permissions hang on: roles, conditions, and who is covered; and deny rules about
    them."""
    held = {_ANY_ROLE: True}
    told: set[str | tuple[str, str, str | None]] = set()
    listed = _all_listed(datasets)
    for role, member, condition, dataset in (*_grants(access, datasets), *_denials(access)):
        if role not in held:
            holding = [access.roles.holds(role, permission) for permission in AUDITED_PERMISSIONS]
            held[role] = any(holding)
            yield from (_point(one) for one in dict.fromkeys(h for h in holding if isinstance(h, OpenFact)))
        if not held[role]:
            continue
        if condition and (role, condition.expression, dataset) not in told:
            told.add((role, condition.expression, dataset))
            yield from _of_condition(access, role, condition, listed if dataset is None else (dataset,))
        if member not in told and not names_one(member) and member not in PUBLIC:
            told.add(member)
            yield from _of_member(access, member)


def _of_member(access: ProjectAccess, member: str) -> Iterator[OpenPoint]:
    if basic := BASIC_GROUPS.get(member) or _convenience(access, member):
        if access.inherited(basic):
            undocumented = Unresolved(
                f"it is not documented whether {member} also stands for those who inherit {basic}",
                "Grant them a role, or access to the dataset, by a binding or an entry of their own.",
            )
            yield OpenPoint("basic role", member, Unknown(undocumented))
        return
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


def _convenience(access: ProjectAccess, member: str) -> str:
    """The basic role for whose holders on the project a member of a policy stands."""
    kind, _, project = member.partition(":")
    return CONVENIENCE.get(kind, "") if project == access.facts.project else ""


def _of_condition(
    access: ProjectAccess, role: str, condition: Condition, datasets: tuple[str, ...]
) -> Iterator[OpenPoint]:
    """Whether it holds wherever a permission is checked that hangs on it: in each of the datasets, if these are all
    that there are, else in any."""
    for permission in AUDITED_PERMISSIONS:
        if role != _ANY_ROLE and access.roles.holds(role, permission) is False:
            continue
        whole = place_of(permission, access.facts.project, None)
        for place in _differing(access, permission, condition, datasets) if whole.below else (whole,):
            value = access.condition_at(condition, place)
            if value.holds is None:
                yield OpenPoint("condition", condition.expression, value.unknown)
                return


def _differing(
    access: ProjectAccess, permission: str, condition: Condition, datasets: tuple[str, ...]
) -> Iterable[Place]:
    """The datasets at which a condition may have another value; without any, all that there may be together."""
    if not datasets or not looks_at_resource(condition.expression):
        return (place_of(permission, access.facts.project, None),)
    places = (place_of(permission, access.facts.project, name) for name in datasets)
    return {alike_at(condition.expression, place): place for place in places}.values()


def _all_listed(datasets: Datasets | Unknown) -> tuple[str, ...]:
    """The datasets, if these are all; else none."""
    if isinstance(datasets, Unknown) or datasets.completeness.gap:
        return ()
    return tuple(datasets.datasets)


def _grants(
    access: ProjectAccess, datasets: Datasets | Unknown
) -> Iterator[tuple[str, str, Condition | None, str | None]]:
    for policy in access.facts.allow.policies.values():
        if isinstance(policy, AllowPolicy):
            for binding in policy.bindings:
                for member in dict.fromkeys(map(canonical, binding.members)):
                    yield binding.role, member, binding.condition, None
    for possible in access.bindings.possible.all:
        for member in dict.fromkeys(map(canonical, possible.binding.members)):
            yield possible.binding.role, member, None, None
    for dataset in () if isinstance(datasets, Unknown) else datasets.datasets.values():
        if isinstance(dataset, Dataset) and not isinstance(dataset.access, Unknown):
            for entry in dataset.access:
                if entry.member and not entry.authorized:
                    yield entry.role_name, entry.member, entry.condition, dataset.id


def _denials(access: ProjectAccess) -> Iterator[tuple[str, str, Condition | None, str | None]]:
    """The members of deny rules about what is audited; they act whatever role somebody has."""
    for attached in _rules(access):
        rule = attached.rule
        for member in dict.fromkeys(map(canonical, (*rule.denied_principals, *rule.exception_principals))):
            yield _ANY_ROLE, member, rule.condition, None


def _rules(access: ProjectAccess) -> Iterable[AttachedRule]:
    return dict.fromkeys(rule for one in AUDITED_PERMISSIONS for rule in access.deny.about(one))

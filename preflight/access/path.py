"""Decisions as the paths that a report carries: what a picture of them needs, and no more."""

from msgspec.structs import replace

from preflight.access.decision import Answer, Decision, Denial, Link
from preflight.facts.access_path import AccessPath, Barrier, OpenPoint, Way

_ANSWERS = {Answer.GRANTED: True, Answer.NOT_GRANTED: False, Answer.UNKNOWN: None}
_MOST_WAYS = 20
"""More than a picture can show; a principal in hundreds of groups may have as many."""


def paths(*decisions: Decision) -> tuple[AccessPath, ...]:
    """The decisions as paths, for `passed`, `failed` and the others to show. Permissions that come about in just the
    same way are one path."""
    alike: dict[AccessPath, list[str]] = {}
    for decision in decisions:
        path = path_of(decision)
        alike.setdefault(replace(path, wanted=()), []).extend(path.wanted)
    return tuple(replace(path, wanted=tuple(dict.fromkeys(wanted))) for path, wanted in alike.items())


def path_of(decision: Decision) -> AccessPath:
    """One decision as a path."""
    ways = sorted((_way(link, decision) for link in decision.links), key=_surest_first)
    return AccessPath(
        principal=decision.principal,
        wanted=(decision.permission,),
        resource=decision.resource,
        granted=_ANSWERS[decision.answer],
        levels=tuple(reversed(decision.levels)),
        ways=tuple(ways[:_MOST_WAYS]),
        more_ways=max(len(ways) - _MOST_WAYS, 0),
        barriers=tuple(_barrier(denial) for denial in decision.denials if denial.formula is not False),
        open=tuple(
            OpenPoint(fact.unknown.reason.describe(), fact.unknown.reason.settle()) for fact in decision.missing
        ),
        changes_at=decision.changes_at,
    )


def _surest_first(way: Way) -> int:
    return (True, None, False).index(way.gives)


def _way(link: Link, decision: Decision) -> Way:
    grant, condition = link.grant, link.grant.condition
    # A dataset's own list is named by the dataset alone.
    resource = grant.resource if "/" in grant.resource else decision.resource
    return Way(
        resource=resource,
        role=grant.role,
        member=grant.member,
        gives=_sure(link.formula),
        covers=True if link.membership else _sure(grant.covers),
        role_holds=True if link.role_evidence or grant.role == decision.permission else None,
        condition=condition.expression if condition else "",
        title=condition.title if condition else "",
        holds=link.condition.holds if condition and link.condition else None,
    )


def _sure(formula: object) -> bool | None:
    return formula if isinstance(formula, bool) else None


def _barrier(denial: Denial) -> Barrier:
    condition = denial.rule.condition
    return Barrier(
        policy=denial.policy,
        resource=denial.resource,
        acts=denial.formula is True,
        condition=condition.expression if condition else "",
    )

"""What is seen of a world, as the facts that the engine is given; and the engine's answers in the oracle's terms."""

from typing import NamedTuple

from preflight import AllowPolicies, AllowPolicy, Answer, Binding, Condition, Dataset, Denied, Roles, Unknown
from preflight import Role as RoleFact
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.dataset import AccessEntry
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import Tags as TagFacts
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, NotCollected
from preflight.testing import HERE
from tests.access.clauses import Clause, text
from tests.access.worlds import AllowList, Denial, DenyList, Entry, Question, Role, Team, View

UNREAD = Unknown(Denied("it.is.refused"), HERE)
UNASKED = Unknown(NotCollected())


class Answered(NamedTuple):
    """An answer of the engine: the word, and the facts that it says are missing."""

    answer: str
    missing: frozenset[tuple[str, ...]]


class Engine:
    """The engine on what is seen of a world."""

    def __init__(self, view: View) -> None:
        self.access = ProjectAccess(facts_of(view))
        self.datasets = {name: dataset_of(view, name) for name in view.datasets}

    def judge(self, question: Question) -> Answered:
        if question.role:
            decision = self.access.holds_role(question.principal, question.role)
        else:
            dataset = self.datasets[question.dataset] if question.dataset is not None else None
            decision = self.access.decide(question.principal, question.permission, dataset)
            alone = self.access.answer(question.principal, question.permission, dataset)
            assert alone is decision.answer, f"{question}: without a proof {alone}, with one {decision.answer}"
            if alone is Answer.GRANTED:
                assert self.access.ends(question.principal, question.permission, dataset) == decision.changes_at
        missing = [fact.identity if fact.asked_of else fact.key for fact in decision.missing]
        assert len(missing) == len(set(missing)), missing
        return Answered(str(decision.answer), frozenset(missing))


def facts_of(view: View) -> AccessFacts:
    """All of a view but its datasets."""
    return AccessFacts(
        project=view.project,
        number=view.number,
        allow=AllowPolicies(
            policies={r: _allow(r, view.allow[r]) for r in view.chain if r in view.allow},
            completeness=_if(view.chain_complete),
        ),
        roles=UNREAD
        if view.roles is None
        else UNASKED
        if not view.roles
        else Roles(roles={n: _role(n, r) for n, r in view.roles.items()}),
        deny=UNREAD
        if view.deny is None
        else DenyPolicies(
            attached={r: _attached(r, found) for r, found in view.deny.items()}, completeness=_if(view.deny_complete)
        ),
        groups=UNREAD if view.groups is None else Groups(groups={e: _group(e, t) for e, t in view.groups.items()}),
        tags=UNREAD
        if view.tags is None
        else TagFacts(provenance=HERE, tags=dict(view.tags.names), ids=dict(view.tags.ids)),
        moment=view.moment,
        unread_deny_blocks=view.unread_deny_blocks,
    )


def dataset_of(view: View, name: str) -> Dataset:
    """One of its datasets."""
    entries = view.datasets[name]
    access = UNREAD if entries is None else tuple(_entry(entry) for entry in entries)
    return Dataset(provenance=HERE, id=name, location="EU", access=access)


def _if(complete: bool) -> Completeness:
    return COMPLETE if complete else Completeness(Incomplete("there is more"), HERE)


def _condition(clause: Clause | None) -> Condition | None:
    return Condition(text(clause)) if clause is not None else None


def _allow(resource: str, policy: AllowList | None) -> AllowPolicy | Unknown:
    if policy is None:
        return UNREAD
    bindings = tuple(Binding(grant.role, grant.members, _condition(grant.condition)) for grant in policy.grants)
    return AllowPolicy(provenance=HERE, resource=resource, bindings=bindings, completeness=_if(policy.complete))


def _role(name: str, role: Role | None) -> RoleFact | Unknown:
    if role is None:
        return UNREAD
    return RoleFact(
        provenance=HERE, name=name, permissions=role.permissions, deleted=role.deleted, disabled=role.disabled
    )


def _group(email: str, team: Team | None) -> Group | Unknown:
    if team is None:
        return UNREAD
    return Group(
        provenance=HERE,
        email=email,
        members=team.members,
        checked=dict(team.checked),
        completeness=_if(team.complete),
    )


def _attached(resource: str, found: DenyList | None) -> AttachedDenyPolicies | Unknown:
    if found is None:
        return UNREAD
    policies: dict[str, DenyPolicy | Unknown] = {
        name: UNREAD if rules is None else DenyPolicy(provenance=HERE, name=name, rules=tuple(map(_rule, rules)))
        for name, rules in found.policies.items()
    }
    return AttachedDenyPolicies(provenance=HERE, resource=resource, policies=policies, completeness=_if(found.complete))


def _rule(rule: Denial) -> DenyRule:
    return DenyRule(
        denied_principals=rule.principals,
        denied_permissions=rule.permissions,
        exception_principals=rule.except_principals,
        exception_permissions=rule.except_permissions,
        condition=_condition(rule.condition),
    )


def _entry(entry: Entry) -> AccessEntry:
    return AccessEntry(role=entry.role, condition=_condition(entry.condition), **{entry.kind: entry.value})

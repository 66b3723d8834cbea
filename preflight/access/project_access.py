"""Who holds what on one project and its datasets: the answer in three values, with its proof.

Allow is the union over the project and its ancestors of the bindings whose member covers the principal, whose role
holds the permission and whose condition is true; a dataset's own access list grants too. A deny rule wins over all
of them (Google's "Policy evaluation"). What isn't known goes into the answer as an open fact.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import ConditionValue, Place, moments_of, place_of, value_of
from preflight.access.decision import Answer, Decision, Denial, Grant, Link
from preflight.access.deny_rules import DenyRules
from preflight.access.formula import Formula, OpenFact, both, either, negated, settled
from preflight.access.held_roles import HeldRoles
from preflight.access.members import CONVENIENCE, Home, Members, canonical, names_of, names_one
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition, Roles
from preflight.facts.seen import Evidence, NotCollected, Unknown, Unresolved

UNSEEN = Unknown(NotCollected())
BASIC_GROUPS = {"projectOwners": "roles/owner", "projectWriters": "roles/editor", "projectReaders": "roles/viewer"}
"""What a dataset's list calls the holders of a basic role."""
BASIC_ROLES = frozenset(CONVENIENCE.values())
_MOST_MOMENTS = 32
_At: TypeAlias = Callable[[datetime], tuple[list[Link], list[Denial]]]
"""The links and denials as they are at a moment."""


class AccessFacts(Struct, frozen=True, kw_only=True):
    """All that decides access to one project, as far as it was seen."""

    project: str
    """Its ID."""
    number: str | None = None
    """None: not known."""
    allow: AllowPolicies
    """The project's own policy and its ancestors', nearest first."""
    roles: Roles | Unknown = UNSEEN
    deny: DenyPolicies | Unknown = UNSEEN
    groups: Groups | Unknown = UNSEEN
    tags: Tags | Unknown = UNSEEN
    moment: datetime
    """For which the answers hold; UTC."""
    unread_deny_blocks: bool = False
    """Whether deny policies that could not be read make "granted" unknown; else it is noted that none is assumed."""


class _Bound(Struct, frozen=True):
    """One member of one binding."""

    policy: AllowPolicy
    binding: Binding
    member: str


class ProjectAccess:
    """Answers questions about access to one project. Remembers what it worked out, and reads nothing."""

    def __init__(self, facts: AccessFacts) -> None:
        self.facts = facts
        self.own = f"projects/{facts.project}"
        self.roles = HeldRoles(facts.roles)
        above = tuple(name for name in facts.allow.policies if name != self.own)
        self._home = Home(facts.project, facts.number, above, facts.allow.completeness)
        self.members = Members(self._home, facts.groups, self._holds_basic_role)
        self._named: dict[str, list[_Bound]] = {}
        self._wide: dict[str, list[_Bound]] = {}
        self._basic: list[_Bound] = []
        self.read: list[Evidence] = []
        """The policies that were read."""
        self.blind: list[OpenFact] = []
        """Policies that could not be read, or not whole: they may hold grants that are not here."""
        self._index()
        self._deny = DenyRules(facts.deny, self.own)
        self._grants: dict[str, tuple[Grant, ...]] = {}
        self._values: dict[tuple[str, Place, datetime], ConditionValue] = {}

    def _index(self) -> None:
        for resource, policy in self.facts.allow.policies.items():
            if isinstance(policy, Unknown):
                self.blind.append(OpenFact("policy", resource, policy))
                continue
            if policy.completeness.gap:
                where = policy.completeness.provenance or policy.provenance
                self.blind.append(OpenFact("policy", resource, Unknown(policy.completeness.gap, where)))
            count = len(policy.bindings)
            whole = f"the whole policy of {resource}: {count} {'binding' if count == 1 else 'bindings'}"
            self.read.append(policy.provenance.saw(whole))
            for binding in policy.bindings:
                for member in dict.fromkeys(binding.members):
                    bound = _Bound(policy, binding, member)
                    if names_one(member):
                        self._named.setdefault(canonical(member), []).append(bound)
                    else:
                        self._wide.setdefault(member, []).append(bound)
                    if binding.role in BASIC_ROLES and member.partition(":")[0] not in CONVENIENCE:
                        self._basic.append(bound)
        gap = self.facts.allow.completeness
        if gap.gap:
            self.blind.append(OpenFact("ancestors", "", Unknown(gap.gap, gap.provenance)))
        if self.own not in self.facts.allow.policies:
            why = Unknown(NotCollected(f"the policy of {self.own} was not read"))
            self.blind.append(OpenFact("policy", self.own, why))

    @property
    def unread_deny(self) -> list[OpenFact]:
        """Deny policies that could not be read, or not whole."""
        return self._deny.blind

    def grants_of(self, principal: str) -> tuple[Grant, ...]:
        """Every binding on the project and above whose member is the principal, or may be."""
        found = self._grants.get(principal)
        if found is None:
            found = self._grants[principal] = tuple(self._grants_to(principal))
        return found

    def _grants_to(self, principal: str) -> Iterator[Grant]:
        if principal.startswith("deleted:"):
            return
        for name in sorted(names_of(principal)):
            for bound in self._named.get(name, ()):
                yield _granted(bound, True)
        for member, bounds in self._wide.items():
            covers = self.members.covers(member, principal)
            if covers is not False:
                for bound in bounds:
                    yield _granted(bound, covers)

    def decide(self, principal: str, permission: str, dataset: Dataset | None = None) -> Decision:
        """Whether the principal holds the permission on the project, or on one of its datasets.

        On the project a permission that is checked on something in it (a table, a dataset) means: on all of them.
        """
        grants = [*self.grants_of(principal)]
        blind = [*self.blind]
        read = [*self.read]
        if dataset is not None:
            entries = dataset.access
            if isinstance(entries, Unknown):
                blind.append(OpenFact("dataset access", dataset.id, entries))
            else:
                count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
                read.append(dataset.provenance.saw(f"the whole access list of {dataset.id}: {count}"))
                grants += self._entries(dataset, entries, principal)
        place = place_of(permission, self.facts.project, dataset.id if dataset is not None else None)
        holding = [(grant, holds) for grant in grants if (holds := self.roles.holds(grant.role, permission))]
        resource = f"{self.own}/datasets/{dataset.id}" if dataset is not None else self.own

        def at(moment: datetime) -> tuple[list[Link], list[Denial]]:
            links = []
            for grant, holds in holding:
                value = self._condition(grant.condition, place, moment)
                formula = both(holds, grant.covers, _formula(grant.condition, value))
                links.append(Link(grant, formula, condition=value))
            denials = self._deny.about(
                principal, permission, self.members, lambda condition: self._deny_condition(condition, place, moment)
            )
            return links, denials

        decided = self._decided(at, blind)
        shown = replace(decided, principal=principal, permission=permission, resource=resource, read=tuple(read))
        return self._with_evidence(shown, blind)

    def holds_role(self, principal: str, role: str) -> Decision:
        """Whether a binding on the project or above gives the principal this very role; what a deny rule takes away
        doesn't count. A role that was deleted or disabled gives nothing."""
        gone = self.roles.gone(role)
        bound = [] if gone else [grant for grant in self.grants_of(principal) if grant.role == role]
        place = place_of("", self.facts.project, None)

        def at(moment: datetime) -> tuple[list[Link], list[Denial]]:
            links = []
            for grant in bound:
                value = self._condition(grant.condition, place, moment)
                links.append(Link(grant, both(grant.covers, _formula(grant.condition, value)), condition=value))
            return links, []

        decided = self._decided(at, self.blind, deny=False)
        return self._with_evidence(
            replace(decided, principal=principal, permission=role, resource=self.own, read=tuple(self.read)), self.blind
        )

    def _decided(self, at: _At, blind: list[OpenFact], *, deny: bool = True) -> Decision:
        moment = self.facts.moment
        links, denials = at(moment)
        unread = self._deny.blind if deny else []
        counted = unread if self.facts.unread_deny_blocks else []

        def value(links: list[Link], denials: list[Denial]) -> tuple[bool | None, tuple[OpenFact, ...]]:
            denied = either(*(denial.formula for denial in denials), *counted)
            if denied is False and any(link.formula is True for link in links):
                return True, ()
            return settled(both(either(*(link.formula for link in links), *blind), negated(denied)))

        settled_now, missing = value(links, denials)
        conditions = [link.condition for link in links if link.condition]
        moments = {m for c in conditions for m in c.moments} | {m for d in denials for m in _moments(d)}
        changes_at = None
        for when in sorted(m for m in moments if m > moment)[:_MOST_MOMENTS]:
            # At the named moment itself, or right after it: `<` and `<=` differ there.
            if any(value(*at(when + step))[0] is not settled_now for step in (timedelta(0), timedelta(microseconds=1))):
                changes_at = when
                break
        assumed = () if settled_now is not True or self.facts.unread_deny_blocks else unread
        return Decision(
            {True: Answer.GRANTED, False: Answer.NOT_GRANTED, None: Answer.UNKNOWN}[settled_now],
            (),
            missing,
            moment=moment,
            links=tuple(links),
            denials=tuple(denials),
            assumptions=tuple(_assumption(fact) for fact in assumed),
            changes_at=changes_at,
            recurring=any(condition.recurring for condition in conditions),
        )

    def _with_evidence(self, decision: Decision, blind: list[OpenFact]) -> Decision:
        """What the answer rests on: the grants that decide it, the rule that denies, or all that was read."""
        links = tuple(self._explained(link, decision) for link in decision.links)
        denials = tuple(d for d in decision.denials if d.formula is not False)
        sure = [link for link in links if link.formula is True]
        evidence: list[Evidence] = []
        if decision.answer is Answer.GRANTED:
            evidence += [e for link in sure or links for e in link.evidence]
            evidence += decision.assumptions
        elif decision.answer is Answer.NOT_GRANTED:
            evidence += [d.evidence for d in denials]
            evidence += [e for link in links for e in link.evidence]
            evidence += decision.read
        else:
            evidence += [e for link in links for e in link.evidence]
            evidence += [d.evidence for d in denials]
            evidence += decision.read
            evidence += [e for fact in decision.missing for e in fact.unknown.seen()]
        return replace(decision, links=links, evidence=tuple(dict.fromkeys(evidence)))

    def _explained(self, link: Link, decision: Decision) -> Link:
        membership = self.members.membership(link.grant.member, decision.principal)
        role = self.roles.evidence(link.grant.role, decision.permission)
        return replace(link, role_evidence=role, membership=membership)

    def _condition(self, condition: Condition | None, place: Place, moment: datetime) -> ConditionValue | None:
        if condition is None:
            return None
        key = (condition.expression, place, moment)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = value_of(condition.expression, place, moment, self.facts.tags)
        return found

    def _deny_condition(self, condition: Condition, place: Place, moment: datetime) -> Formula:
        return _formula(condition, self._condition(condition, place, moment))

    def _entries(self, dataset: Dataset, entries: Iterable[AccessEntry], principal: str) -> Iterator[Grant]:
        for entry in entries:
            if entry.authorized or not entry.member or not entry.role_name:
                continue
            covers = self._entry_covers(entry, principal)
            if covers is False:
                continue
            given = f"{entry.role or entry.role_name} is given to {entry.member} in {dataset.id}"
            condition = f", only if {entry.condition.expression}" if entry.condition else ""
            evidence = dataset.provenance.saw(given + condition)
            yield Grant(dataset.id, entry.role_name, entry.member, evidence, covers, entry.condition)

    def _entry_covers(self, entry: AccessEntry, principal: str) -> Formula:
        group = entry.special_group
        if group in BASIC_GROUPS:
            return self._holds_basic_role(principal, BASIC_GROUPS[group], group)
        if group and group not in {"allAuthenticatedUsers", "allUsers"}:
            why = Unknown(Unresolved(f"{group} may include the principal"))
            return OpenFact("member", group, why)
        return self.members.covers(entry.member, principal)

    def _holds_basic_role(self, principal: str, role: str, member: str) -> Formula:
        """Whether the principal is one of those for whom `projectOwner:ID` or `projectOwners` stands: the holders
        of the basic role by the project's own policy. Whether it stands as well for those who inherit the role from
        a folder or the organisation is nowhere documented: that is open."""
        if principal.startswith("deleted:"):
            return False
        place = place_of("", self.facts.project, None)

        def given(bound: _Bound) -> Formula:
            value = self._condition(bound.binding.condition, place, self.facts.moment)
            covers = self.members.covers(bound.member, principal)
            return both(covers, _formula(bound.binding.condition, value))

        direct = [given(b) for b in self._basic if b.binding.role == role and b.policy.resource == self.own]
        inherited = [given(b) for b in self._basic if b.binding.role == role and b.policy.resource != self.own]
        near = [fact for fact in self.blind if fact.about == self.own]
        far = [fact for fact in self.blind if fact.about != self.own]
        why = Unresolved(f"{member} stands for the holders of {role}, which may include the principal")
        return either(*direct, *near, both(either(*inherited, *far), OpenFact("basic role", member, Unknown(why))))


def _granted(bound: _Bound, covers: Formula) -> Grant:
    evidence = bound.policy.shows(bound.binding, bound.member)
    return Grant(bound.policy.resource, bound.binding.role, bound.member, evidence, covers, bound.binding.condition)


def _formula(condition: Condition | None, value: ConditionValue | None) -> Formula:
    if condition is None or value is None:
        return True
    if value.holds is not None:
        return value.holds
    return OpenFact("condition", condition.expression, value.unknown)


def _moments(denial: Denial) -> tuple[datetime, ...]:
    condition = denial.rule.condition
    return moments_of(condition.expression)[0] if condition else ()


def _assumption(fact: OpenFact) -> Evidence:
    """What was not seen and is taken for absent, said as such."""
    where = fact.about or "the ancestors that are not known"
    said = f"deny policies of {where} were not seen ({fact.unknown.reason.describe()}): none is assumed"
    provenance = fact.unknown.provenance
    return provenance.saw(said) if provenance else Evidence("assumption", where, None, said)

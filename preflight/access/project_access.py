"""Who holds what on one project and its datasets: the answer in three values, with its proof.

Allow is the union over the project and its ancestors of the bindings whose member covers the principal, whose role
holds the permission and whose condition is true; a dataset's own access list grants too. A deny rule wins over all
of them (Google's "Policy evaluation"). What isn't known goes into the answer as an open fact.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from preflight.access.bindings import Bindings, Bound
from preflight.access.conditions import ConditionValue, Place, moments_of, place_of, value_of
from preflight.access.decision import Answer, Decision, Grant, Link, with_evidence
from preflight.access.deny_rules import AttachedRule, DenyRules
from preflight.access.formula import Formula, OpenFact, both, either, negated, settled
from preflight.access.held_roles import HeldRoles
from preflight.access.members import Home, Members
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import AllowPolicies, Condition, Roles
from preflight.facts.seen import Evidence, NotCollected, Unknown, Unresolved

UNSEEN = Unknown(NotCollected())
BASIC_GROUPS = {"projectOwners": "roles/owner", "projectWriters": "roles/editor", "projectReaders": "roles/viewer"}
"""What a dataset's list calls the holders of a basic role."""
_MOST_MOMENTS = 32
_ANSWERS = {True: Answer.GRANTED, False: Answer.NOT_GRANTED, None: Answer.UNKNOWN}


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


class _Candidate(Struct, frozen=True):
    """A grant whose role holds the permission, or may, to a member who is the principal, or may be."""

    source: "Bound | _Entry"
    covers: Formula
    formula: Formula
    """Both together; what is left is the condition."""


class _Entry(Struct, frozen=True):
    """An entry of a dataset's access list."""

    dataset: Dataset
    entry: AccessEntry

    @property
    def role(self) -> str:
        return self.entry.role_name

    @property
    def condition(self) -> Condition | None:
        return self.entry.condition

    def grant(self, covers: Formula) -> Grant:
        entry = self.entry
        given = f"{entry.role or entry.role_name} is given to {entry.member} in {self.dataset.id}"
        condition = f", only if {entry.condition.expression}" if entry.condition else ""
        evidence = self.dataset.shows(entry, given + condition)
        return Grant(self.dataset.id, entry.role_name, entry.member, evidence, covers, entry.condition)


class _Question(Struct, frozen=True):
    """A question with all that bears on its answer, at whatever moment."""

    principal: str
    asked: str
    """The permission or the role."""
    resource: str
    place: Place
    candidates: tuple[_Candidate, ...]
    blind: tuple[Formula, ...]
    """Where further grants may be."""
    rules: tuple[AttachedRule, ...]
    """The deny rules about the permission."""
    unread_deny: tuple[OpenFact, ...]
    dataset: Dataset | None = None

    @property
    def conditional(self) -> bool:
        """Whether the moment may matter."""
        return bool(self._conditions)

    @property
    def moments(self) -> list[datetime]:
        """Every moment that a condition names, ascending."""
        return sorted({moment for condition in self._conditions for moment in moments_of(condition.expression)[0]})

    @property
    def _conditions(self) -> list[Condition]:
        stated = [*(c.source.condition for c in self.candidates), *(r.rule.condition for r in self.rules)]
        return [condition for condition in stated if condition is not None]


class ProjectAccess:
    """Answers questions about access to one project. Remembers what it worked out, and reads nothing."""

    def __init__(self, facts: AccessFacts) -> None:
        self.facts = facts
        self.own = f"projects/{facts.project}"
        self.roles = HeldRoles(facts.roles)
        self.bindings = Bindings(facts.allow, self.own, self.roles)
        above = tuple(name for name in facts.allow.policies if name != self.own)
        home = Home(facts.project, facts.number, above, facts.allow.completeness)
        self.members = Members(home, facts.groups, self._holds_basic_role)
        self.deny = DenyRules(facts.deny, self.own)
        self._project_place = place_of("", facts.project, None)
        self._values: dict[tuple[str, Place, datetime], ConditionValue] = {}

    def grants_of(self, principal: str) -> tuple[Grant, ...]:
        """Every binding on the project and above whose member is the principal, or may be."""
        return tuple(c.source.grant(c.covers) for c in self._candidates(principal, None))

    def decide(self, principal: str, permission: str, dataset: Dataset | None = None) -> Decision:
        """Whether the principal holds the permission on the project, or on one of its datasets; with the proof.

        On the project a permission that is checked on something in it (a table, a dataset) means: on all of them.
        """
        return self._decided(self._question(principal, permission, dataset))

    def answer(
        self, principal: str, permission: str, dataset: Dataset | None = None
    ) -> tuple[Answer, tuple[OpenFact, ...]]:
        """The same without the proof, for those who ask about thousands: the answer, and what would settle it."""
        value, missing = self._value(self._question(principal, permission, dataset), self.facts.moment)
        return _ANSWERS[value], missing

    def holds_role(self, principal: str, role: str) -> Decision:
        """Whether a binding on the project or above gives the principal this very role; what a deny rule takes away
        doesn't count. A role that was deleted or disabled gives nothing."""
        stands = self.roles.stands(role)  # if not, no policy could give it, not even one that wasn't read
        found = () if stands is False else self._candidates(principal, None, role)
        candidates = tuple(_Candidate(c.source, c.covers, both(stands, c.formula)) for c in found)
        open_: list[Formula] = [*self.bindings.blind_to(role)]
        if self.bindings.possible:
            open_ += self.bindings.may_give(role, principal, self.members)
        blind = tuple(both(stands, fact) for fact in open_)
        return self._decided(_Question(principal, role, self.own, self._project_place, candidates, blind, (), ()))

    def _question(self, principal: str, permission: str, dataset: Dataset | None) -> _Question:
        candidates = [*self._candidates(principal, permission)]
        blind: list[Formula] = [*self.bindings.blind]
        if self.bindings.possible:
            blind += self.bindings.may_hold(permission, principal, self.members)
        if dataset is not None:
            if isinstance(dataset.access, Unknown):
                blind.append(OpenFact("dataset access", dataset.id, dataset.access))
            else:
                known = dataset.access_completeness
                if known.gap:
                    why = Unknown(known.gap, known.provenance or dataset.provenance)
                    blind.append(OpenFact("dataset access", dataset.id, why))
                candidates += self._entries(dataset, dataset.access, principal, permission)
        return _Question(
            principal,
            permission,
            f"{self.own}/datasets/{dataset.id}" if dataset is not None else self.own,
            place_of(permission, self.facts.project, dataset.id if dataset is not None else None),
            tuple(candidates),
            tuple(blind),
            self.deny.about(permission),
            tuple(self.deny.blind),
            dataset,
        )

    def _candidates(self, principal: str, permission: str | None, role: str | None = None) -> Iterator[_Candidate]:
        """The bindings to look at: for a permission, or for a role, or (with neither) all."""
        if principal.startswith("deleted:"):
            return
        for bound in self.bindings.naming(principal):
            holds = True if permission is None else self.roles.holds(bound.role, permission)
            if holds is not False and role in {None, bound.role}:
                yield _Candidate(bound, True, holds)
        if permission is not None:
            for member, holding in self.bindings.wide_holding(permission):
                covers = self.members.covers(member, principal)
                if covers is not False:
                    for bound, holds in holding:
                        yield _Candidate(bound, covers, both(holds, covers))
            return
        for member, bounds in self.bindings.wide():
            covers = self.members.covers(member, principal)
            if covers is not False:
                for bound in bounds:
                    if role in {None, bound.role}:
                        yield _Candidate(bound, covers, covers)

    def _entries(
        self, dataset: Dataset, entries: Iterable[AccessEntry], principal: str, permission: str
    ) -> Iterator[_Candidate]:
        for entry in entries:
            if entry.authorized or not entry.member or not entry.role_name:
                continue
            holds = self.roles.holds(entry.role_name, permission)
            if holds is False:
                continue
            covers = self._entry_covers(entry, principal)
            if covers is not False:
                yield _Candidate(_Entry(dataset, entry), covers, both(holds, covers))

    def _value(self, question: _Question, moment: datetime) -> tuple[bool | None, tuple[OpenFact, ...]]:
        """The answer at a moment, and what is missing for it."""
        denied = self._denied(question, moment)
        if denied is True:
            return False, ()
        formulas: list[Formula] = []
        for candidate in question.candidates:
            formula = self._formula(candidate, question.place, moment)
            if formula is True and denied is False:
                return True, ()
            formulas.append(formula)
        return settled(both(either(*formulas, *question.blind), negated(denied)))

    def _denied(self, question: _Question, moment: datetime) -> Formula:
        counted = question.unread_deny if self.facts.unread_deny_blocks else ()
        return either(*(self._acts(rule, question, moment) for rule in question.rules), *counted)

    def _acts(self, attached: AttachedRule, question: _Question, moment: datetime) -> Formula:
        """Whether a deny rule takes the permission from the principal."""
        rule = attached.rule
        if question.principal.startswith("deleted:"):
            return False
        return both(
            attached.stands,
            either(*(self.members.covers(member, question.principal) for member in rule.denied_principals)),
            negated(either(*(self.members.covers(member, question.principal) for member in rule.exception_principals))),
            _formula(rule.condition, self._condition(rule.condition, question.place, moment), question.place),
        )

    def _formula(self, candidate: _Candidate, place: Place, moment: datetime) -> Formula:
        condition = candidate.source.condition
        if condition is None:
            return candidate.formula
        return both(candidate.formula, _formula(condition, self._condition(condition, place, moment), place))

    def _decided(self, question: _Question) -> Decision:
        moment = self.facts.moment
        value, missing = self._value(question, moment)
        links = tuple(self._link(candidate, question) for candidate in question.candidates)
        acting = ((rule, self._acts(rule, question, moment)) for rule in question.rules)
        denials = tuple(rule.denial(formula) for rule, formula in acting if formula is not False)
        read = [*self.bindings.read]
        if question.dataset is not None and not isinstance(question.dataset.access, Unknown):
            read.append(_list(question.dataset, len(question.dataset.access)))
        assumed = question.unread_deny if value is True and not self.facts.unread_deny_blocks else ()
        return with_evidence(
            Decision(
                _ANSWERS[value],
                (),
                missing,
                principal=question.principal,
                permission=question.asked,
                resource=question.resource,
                moment=moment,
                links=links,
                denials=denials,
                read=tuple(read),
                assumptions=tuple(_assumption(fact) for fact in assumed),
                changes_at=self._changes_at(question, value) if question.conditional else None,
                ended_at=self._ended_at(question) if question.conditional and value is False else None,
                recurring=any(link.condition.recurring for link in links if link.condition),
            )
        )

    def _link(self, candidate: _Candidate, question: _Question) -> Link:
        source = candidate.source
        grant = source.grant(candidate.covers)
        return Link(
            grant,
            self._formula(candidate, question.place, self.facts.moment),
            () if source.role == question.asked else self.roles.evidence(source.role, question.asked),
            self.members.membership(grant.member, question.principal),
            self._condition(source.condition, question.place, self.facts.moment),
        )

    def _changes_at(self, question: _Question, value: bool | None) -> datetime | None:
        """The first moment named in a condition at which the answer becomes another."""
        for when in [moment for moment in question.moments if moment > self.facts.moment][:_MOST_MOMENTS]:
            # At the named moment itself, or right after it: `<` and `<=` differ there.
            for step in (timedelta(0), timedelta(microseconds=1)):
                if self._value(question, when + step)[0] is not value:
                    return when
        return None

    def _ended_at(self, question: _Question) -> datetime | None:
        """The last moment named in a condition until which it was granted."""
        for when in [moment for moment in reversed(question.moments) if moment <= self.facts.moment][:_MOST_MOMENTS]:
            if self._value(question, when - timedelta(microseconds=1))[0]:
                return when
        return None

    def _condition(self, condition: Condition | None, place: Place, moment: datetime) -> ConditionValue | None:
        if condition is None:
            return None
        key = (condition.expression, place, moment)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = value_of(condition.expression, place, moment, self.facts.tags)
        return found

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

        def given(bound: Bound) -> Formula:
            value = self._condition(bound.condition, self._project_place, self.facts.moment)
            holds = _formula(bound.condition, value, self._project_place)
            return both(self.members.covers(bound.member, principal), holds)

        bound = [b for b in self.bindings.basic if b.role == role]
        direct = [given(b) for b in bound if b.policy.resource == self.own]
        inherited = [given(b) for b in bound if b.policy.resource != self.own]
        blind = [(fact.about, fact) for fact in self.bindings.blind_to(role)]
        open_: list[tuple[str, Formula]] = [*blind, *self.bindings.may_make_basic(role, principal, self.members)]
        near = [formula for resource, formula in open_ if resource == self.own]
        far = [formula for resource, formula in open_ if resource != self.own]
        why = Unresolved(f"{member} stands for the holders of {role}, which may include the principal")
        return either(*direct, *near, both(either(*inherited, *far), OpenFact("basic role", member, Unknown(why))))


def _formula(condition: Condition | None, value: ConditionValue | None, place: Place) -> Formula:
    if condition is None or value is None:
        return True
    if value.holds is not None:
        return value.holds
    return OpenFact("condition", condition.expression, value.unknown, place.type)


def _list(dataset: Dataset, count: int) -> Evidence:
    entries = f"{count} {'entry' if count == 1 else 'entries'}"
    what = "what is declared of the access list" if dataset.access_completeness.gap else "the whole access list"
    return dataset.provenance.saw(f"{what} of {dataset.id}: {entries}")


def _assumption(fact: OpenFact) -> Evidence:
    """What was not seen and is taken for absent, said as such."""
    where = fact.about or "the ancestors that are not known"
    said = f"deny policies of {where} were not seen ({fact.unknown.reason.describe()}): none is assumed"
    provenance = fact.unknown.provenance
    return provenance.saw(said) if provenance else Evidence("assumption", where, None, said)

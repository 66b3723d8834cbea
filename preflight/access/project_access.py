"""Who holds what on one project and its datasets: the answer in three values, with its proof.

Allow is the union over the project and its ancestors of the bindings whose member covers the principal, whose role
holds the permission and whose condition is true; a dataset's own access list grants too. A deny rule wins over all
of them (Google's "Policy evaluation"). What isn't known goes into the answer as an open fact.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.candidates import Candidates
from preflight.access.conditions import ConditionValue, Place, place_of, value_of
from preflight.access.decision import Answer, Decision, Grant, Link, with_evidence
from preflight.access.deny_rules import AttachedRule, DenyRules
from preflight.access.formula import Formula, OpenFact, both, either, negated, settled
from preflight.access.held_roles import held_roles
from preflight.access.members import CONVENIENCE, PEOPLE, Home, Members, kind_of
from preflight.access.question import Candidate, Entry, KeptQuestion, Question, list_of, unlisted_in
from preflight.facts.access_path import Level
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import AllowPolicies, AllowPolicy, Condition, Roles
from preflight.facts.seen import Evidence, NotCollected, Unknown, Unresolved

UNSEEN = Unknown(NotCollected())
BASIC_GROUPS = {"projectOwners": "roles/owner", "projectWriters": "roles/editor", "projectReaders": "roles/viewer"}
"""What a dataset's list calls the holders of a basic role."""
_MOST_MOMENTS = 32
_MOST_GROUPS = 10
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


class ProjectAccess:
    """Answers questions about access to one project. Remembers what it worked out, and reads nothing."""

    def __init__(self, facts: AccessFacts, mostly: str | None = None) -> None:
        """`mostly` is the principal about whom nearly all questions will be: then little else is looked at."""
        self.facts = facts
        self.own = f"projects/{facts.project}"
        self.roles = held_roles(facts.roles)
        above = tuple(name for name in facts.allow.policies if name != self.own)
        home = Home(facts.project, facts.number, above, facts.allow.completeness)
        self.members = Members(home, facts.groups, self._holds_basic_role)
        self._candidates = Candidates(facts.allow, self.own, self.roles, self.members, mostly)
        self.bindings = self._candidates.bindings
        """All of them, but for those that surely are about others than `mostly`."""
        self.deny = DenyRules(facts.deny, self.own, self.members)
        self._blind: tuple[Formula, ...] = tuple(self.bindings.blind)
        self._unread_deny = tuple(self.deny.blind)
        blind = {fact.about for fact in self.bindings.blind}
        self._levels = tuple(
            Level(name, name not in blind) for name in dict.fromkeys([self.own, *facts.allow.policies])
        )
        self._project_place = place_of("", facts.project, None)
        self._decisions: dict[tuple[str, str, bool], Decision] = {}
        self._values: dict[tuple[str, Place, datetime], ConditionValue] = {}
        self._basic: dict[tuple[str, str, str], Formula] = {}

    def grants_of(self, principal: str) -> tuple[Grant, ...]:
        """Every binding on the project and above whose member is the principal, or may be."""
        found = self._candidates.about(principal).reach.all(principal)
        return tuple(bound.grant(covers) for _, covers, bounds in found for bound in bounds)

    def decide(self, principal: str, permission: str, dataset: Dataset | None = None) -> Decision:
        """Whether the principal holds the permission on the project, or on one of its datasets; with the proof.

        On the project a permission that is checked on something in it (a table, a dataset) means: on all of them.
        """
        if dataset is not None:
            return self._decided(self._question(principal, permission, dataset))
        key = (principal, permission, False)
        if key not in self._decisions:
            self._decisions[key] = self._decided(self._question(principal, permission, None))
        return self._decisions[key]

    def answer(self, principal: str, permission: str, dataset: Dataset | None = None) -> Answer:
        """The same without the proof, for those who ask about thousands: it looks no further than it has to."""
        question = self._question(principal, permission, dataset)
        return _ANSWERS[self._value(question, self.facts.moment, answer_alone=True)[0]]

    def ends(self, principal: str, permission: str, dataset: Dataset | None = None) -> datetime | None:
        """Of something that is granted: when that ends by itself; None: never, as far as is known."""
        question = self._question(principal, permission, dataset)
        # What is open never gives it for sure, at no moment.
        sure = replace(question, possible=()).kept()
        lasting = any(one.formula is True and one.source.condition is None for one in sure.likely)
        if lasting and all(attached.rule.condition is None for attached in sure.rules):
            return None
        return self._changes_at(sure, value=True)

    def inherited(self, role: str) -> bool:
        """Whether somebody holds a basic role by a folder's or the organization's policy, or may."""
        if any(one.resource != self.own and one.binding.role in {"", role} for one in self.bindings.possible.all):
            return True
        return any(
            self._formula_of(binding.condition) is not False
            for name, policy in self.facts.allow.policies.items()
            if name != self.own and isinstance(policy, AllowPolicy)
            for binding in policy.bindings
            if binding.role == role and any(kind_of(member) not in CONVENIENCE for member in binding.members)
        )

    def _formula_of(self, condition: Condition | None) -> Formula:
        """A condition's value for a grant of a basic role."""
        value = self._condition(condition, self._project_place, self.facts.moment)
        return _formula(condition, value, self._project_place)

    def condition_at(self, condition: Condition, place: Place) -> ConditionValue:
        """What a condition comes to at a place, at the moment of the answers."""
        return self._evaluated(condition, place, self.facts.moment)

    def holds_role(self, principal: str, role: str) -> Decision:
        """Whether a binding on the project or above gives the principal this very role; what a deny rule takes away
        doesn't count. A role that was deleted or disabled gives nothing."""
        key = (principal, role, True)
        if key not in self._decisions:
            self._decisions[key] = self._decided(self._role_question(principal, role))
        return self._decisions[key]

    def answer_of_role(self, principal: str, role: str) -> Answer:
        """The same without the proof."""
        question = self._role_question(principal, role)
        return _ANSWERS[self._value(question, self.facts.moment, answer_alone=True)[0]]

    def links_of(self, principal: str) -> tuple[Link, ...]:
        """Every binding on the project and above whose member is the principal, or may be, and what it comes to, by
        role."""
        links: list[Link] = []
        for role, found in self._candidates.by_role(principal).items():
            stands = self.roles.stands(role)
            candidates = (Candidate(bound, covers, both(stands, covers)) for bound, covers in found)
            links += [self._link(candidate, principal, role, self._project_place) for candidate in candidates]
        return tuple(links)

    def _role_question(self, principal: str, role: str) -> Question:
        stands = self.roles.stands(role)  # if not, no policy could give it, not even one that wasn't read
        found = [] if stands is False else self._candidates.by_role(principal).get(role, [])
        candidates = tuple(Candidate(bound, covers, both(stands, covers)) for bound, covers in found)
        open_ = (*self.bindings.blind_to(role), *self.bindings.possible.of_role(role, principal))
        blind = tuple(both(stands, formula) for formula in open_)
        return Question(
            principal=principal,
            asked=role,
            resource=self.own,
            place=self._project_place,
            likely=candidates,
            blind=blind,
        )

    def _question(self, principal: str, permission: str, dataset: Dataset | None) -> Question:
        likely = self._candidates.likely(principal, permission)
        blind = (*self._blind, *self.bindings.possible.of_permission(permission, principal))
        if dataset is not None:
            if (unlisted := unlisted_in(dataset)) is not None:
                blind = (*blind, unlisted)
            if not isinstance(dataset.access, Unknown):
                likely = chain(likely, self._entries(dataset, dataset.access, principal, permission))
        return Question(
            principal=principal,
            asked=permission,
            resource=f"{self.own}/datasets/{dataset.id}" if dataset is not None else self.own,
            place=place_of(permission, self.facts.project, dataset.id if dataset is not None else None),
            likely=likely,
            possible=self._candidates.possible(principal, permission) if kind_of(principal) in PEOPLE else (),
            blind=blind,
            rules=self.deny.about(permission),
            unread_deny=self._unread_deny,
            dataset=dataset,
        )

    def _entries(
        self, dataset: Dataset, entries: Iterable[AccessEntry], principal: str, permission: str
    ) -> Iterator[Candidate]:
        for entry in entries:
            if entry.authorized or not entry.member or not entry.role_name:
                continue
            holds = self.roles.holds(entry.role_name, permission)
            if holds is False:
                continue
            covers = self._entry_covers(entry, principal)
            if covers is not False:
                yield Candidate(Entry(dataset, entry), covers, both(holds, covers))

    def _value(
        self, question: Question, moment: datetime, *, answer_alone: bool = False
    ) -> tuple[bool | None, tuple[OpenFact, ...]]:
        """The answer at a moment, and what is missing for it; for an answer alone that isn't gathered."""
        denied = self._denied(question, moment)
        if denied is True:
            return False, ()
        formulas: list[Formula] = []
        for candidate in question.likely:
            formula = self._formula(candidate, question.place, moment)
            if formula is True and denied is False:
                return True, ()
            formulas.append(formula)
        # Where surely nothing denies, nothing but a sure grant makes a yes, and anything open keeps it from a no:
        # none of the formulas has a negation in it.
        enough = answer_alone and denied is False
        if enough and any(formula is not False for formula in (*formulas, *question.blind)):
            return None, ()
        for candidate in question.possible:
            formulas.append(self._formula(candidate, question.place, moment))
            if enough and formulas[-1] is not False:
                return None, ()
        return settled(both(either(*formulas, *question.blind), negated(denied)))

    def _denied(self, question: Question, moment: datetime) -> Formula:
        counted = question.unread_deny if self.facts.unread_deny_blocks else ()
        return either(*(self._acts(rule, question, moment) for rule in question.rules), *counted)

    def _acts(self, attached: AttachedRule, question: Question, moment: datetime) -> Formula:
        """Whether a deny rule takes the permission from the principal."""
        named = attached.names(question.principal)
        if named is False:
            return False
        condition = attached.rule.condition
        value = self._condition(condition, question.place, moment)
        return both(attached.stands, named, _formula(condition, value, question.place))

    def _formula(self, candidate: Candidate, place: Place, moment: datetime) -> Formula:
        condition = candidate.source.condition
        if condition is None:
            return candidate.formula
        return both(candidate.formula, _formula(condition, self._condition(condition, place, moment), place))

    def _decided(self, asked: Question) -> Decision:
        question = asked.kept()
        moment = self.facts.moment
        value, missing = self._value(question, moment)
        links = tuple(
            self._link(candidate, question.principal, question.asked, question.place)
            for candidate in question.candidates
        )
        acting = ((rule, self._acts(rule, question, moment)) for rule in question.rules)
        denials = tuple(rule.denial(formula) for rule, formula in acting if formula is not False)
        read = [*self.bindings.read, *(self._outside(question) if value is False else ())]
        if question.dataset is not None and not isinstance(question.dataset.access, Unknown):
            read.append(list_of(question.dataset, len(question.dataset.access)))
        levels = self._levels
        if question.dataset is not None:
            levels = (Level(question.resource, unlisted_in(question.dataset) is None), *levels)
        conditional = question.conditional
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
                levels=levels,
                assumptions=tuple(_assumption(fact) for fact in assumed),
                changes_at=self._changes_at(question, value) if conditional else None,
                ended_at=self._ended_at(question) if conditional and value is False else None,
                recurring=any(link.condition.recurring for link in links if link.condition),
            )
        )

    def _outside(self, question: KeptQuestion) -> Iterator[Evidence]:
        """That the principal is known not to be in groups to which the policies give what was asked about."""
        if not isinstance(self.facts.groups, Groups):
            return iter(())  # nothing is known of any group
        given = dict.fromkeys(self.bindings.groups_about(question.asked))
        found = (seen for member in given for seen in self.members.absence(member, question.principal))
        return islice(found, _MOST_GROUPS)

    def _link(self, candidate: Candidate, principal: str, asked: str, place: Place) -> Link:
        source = candidate.source
        grant = source.grant(candidate.covers)
        evidence = () if source.role == asked else self.roles.evidence(source.role, asked)
        if isinstance(source, Entry) or source.condition or isinstance(self.facts.groups, Groups):
            return Link(
                grant,
                self._formula(candidate, place, self.facts.moment),
                evidence,
                self.members.membership(grant.member, principal),
                self._condition(source.condition, place, self.facts.moment),
            )
        # Nothing in it hangs on the project: what is granted above is the same link for many.
        known = source.links.get(asked)
        if known is None or not (
            known.grant is grant and known.formula is candidate.formula and known.role_evidence is evidence
        ):
            known = source.links[asked] = Link(grant, candidate.formula, evidence)
        return known

    def _changes_at(self, question: KeptQuestion, value: bool | None) -> datetime | None:
        """The first moment named in a condition at which the answer becomes another."""
        for when in [moment for moment in question.moments if moment > self.facts.moment][:_MOST_MOMENTS]:
            # At the named moment itself, or right after it: `<` and `<=` differ there.
            for step in (timedelta(0), timedelta(microseconds=1)):
                if self._value(question, when + step)[0] is not value:
                    return when
        return None

    def _ended_at(self, question: KeptQuestion) -> datetime | None:
        """The last moment named in a condition until which it was granted."""
        for when in [moment for moment in reversed(question.moments) if moment <= self.facts.moment][:_MOST_MOMENTS]:
            if self._value(question, when - timedelta(microseconds=1))[0]:
                return when
        return None

    def _condition(self, condition: Condition | None, place: Place, moment: datetime) -> ConditionValue | None:
        return None if condition is None else self._evaluated(condition, place, moment)

    def _evaluated(self, condition: Condition, place: Place, moment: datetime) -> ConditionValue:
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
        key = (principal, role, member)
        if key not in self._basic:
            self._basic[key] = self._basic_role_of(principal, role, member)
        return self._basic[key]

    def _basic_role_of(self, principal: str, role: str, member: str) -> Formula:
        if principal.startswith("deleted:"):
            return False
        direct: list[Formula] = []
        inherited: list[Formula] = []
        for _, covers, bounds in self._candidates.about(principal).basic(role).all(principal):
            for bound in bounds:
                given = both(covers, self._formula_of(bound.condition))
                (direct if bound.policy.resource == self.own else inherited).append(given)
        open_: list[tuple[str, Formula]] = [(fact.about, fact) for fact in self.bindings.blind_to(role)]
        open_ += self.bindings.possible.of_basic_role(role, principal)
        near = [formula for resource, formula in open_ if resource == self.own]
        far = [formula for resource, formula in open_ if resource != self.own]
        why = Unresolved(
            f"{member} stands for the holders of {role}, which may include the principal",
            f"Grant what it gives to the principal itself: who has {role} from above the project may or may not count.",
        )
        return either(*direct, *near, both(either(*inherited, *far), OpenFact("basic role", member, Unknown(why))))


def _formula(condition: Condition | None, value: ConditionValue | None, place: Place) -> Formula:
    if condition is None or value is None:
        return True
    if value.holds is not None:
        return value.holds
    return OpenFact("condition", condition.expression, value.unknown, place.type)


def _assumption(fact: OpenFact) -> Evidence:
    """What was not seen and is taken for absent, said as such."""
    where = fact.about or "the ancestors that are not known"
    said = f"deny policies of {where} were not seen ({fact.unknown.reason.describe()}): none is assumed"
    provenance = fact.unknown.provenance
    return provenance.saw(said) if provenance else Evidence("assumption", where, None, said)

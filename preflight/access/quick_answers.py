"""The same answers as `ProjectAccess.decide` without their proofs, for questions by the thousand.

The audit asks the same few permissions for everybody in a policy. So for each permission all grants are put into an
index by member once, and a question is a few look-ups: no formula is built, no evidence written. That is enough
wherever it is known whether a deny rule acts: then an answer is a mere union, granted by one grant that surely
holds, and unknown by anything that may. Where a rule may or may not deny, the full decision is made.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from preflight.access.conditions import Place, place_of, value_of
from preflight.access.decision import Answer
from preflight.access.deny_rules import AttachedRule
from preflight.access.members import CONVENIENCE, PUBLIC, canonical, kind_of, names_of, names_one
from preflight.access.project_access import BASIC_GROUPS, ProjectAccess
from preflight.facts.dataset import Dataset
from preflight.facts.groups import Group, Groups
from preflight.facts.policy import AllowPolicy, Condition
from preflight.facts.seen import Unknown

Value: TypeAlias = bool | None
"""Three values: None is what can't be told."""
_ANSWERS = {True: Answer.GRANTED, False: Answer.NOT_GRANTED, None: Answer.UNKNOWN}
_PEOPLE = frozenset({"user", "serviceAccount"})


class _Bound(Struct, frozen=True):
    """One member of one binding."""

    resource: str
    role: str
    member: str
    condition: Condition | None


class Who(Struct, frozen=True):
    """A principal with what is looked up for it, worked out once."""

    principal: str
    names: tuple[str, ...]
    person: bool
    """A user or service account, whom groups, domains and sets may hold."""

    @classmethod
    def of(cls, principal: str) -> "Who":
        """Of one principal, in the form of IAM policies."""
        return cls(principal, tuple(names_of(principal)), kind_of(principal) in _PEOPLE)


class _Index:
    """Members with what they give, so that one look tells what a principal gets of them all."""

    def __init__(self, quick: "QuickAnswers") -> None:
        self._quick = quick
        self.exact: dict[str, Value] = {}
        self.through_groups: dict[str, Value] = {}
        self.public: Value = False
        self.open_groups = False
        """Some group that gives it has members that are not known."""
        self.open_for_all = False
        self.others: list[tuple[str, Value]] = []

    def add(self, member: str, value: Value) -> None:
        """A member that surely (True) or perhaps (None) gives what is asked."""
        if member.startswith("deleted:"):
            return
        if member in PUBLIC:
            self.public = _better(self.public, value)
            return
        own = canonical(member)
        self.exact[own] = _better(self.exact.get(own, False), value)
        if names_one(member):
            return
        view = self._quick.group_view(own.removeprefix("group:")) if own.startswith("group:") else None
        if view is None:
            self.others.append((member, value))
            return
        for name in view.members:
            self.through_groups[name] = _better(self.through_groups.get(name, False), value)
        self.open_groups |= view.open

    @property
    def general(self) -> bool:
        """Whether it gives something to others than those whom it names."""
        return bool(self.public is not False or self.open_groups or self.open_for_all or self.others)

    def value(self, who: Who) -> Value:
        """What the principal gets."""
        best = self.public
        if best is True:
            return True
        for name in who.names:
            found = self.exact.get(name, False)
            if found is True:
                return True
            best = _better(best, found)
        if who.person:
            for name in who.names:
                found = self.through_groups.get(name, False)
                if found is True:
                    return True
                best = _better(best, found)
            for member, value in self.others:
                covered = self._quick.covers(member, who.principal)
                if covered and value:
                    return True
                if covered is not False:
                    best = None
            if self.open_groups:
                best = None
        return None if self.open_for_all else best


Holders: TypeAlias = tuple[tuple[str, Value], ...]
"""Special groups of a dataset's list: the basic role for whose holders each stands, and what it gives them."""


class Listed(Struct, frozen=True):
    """What is in a dataset's own list, for one permission."""

    own: _Index
    """Those whom it names, and the grants whose condition looks at the resource."""
    holders: Holders


class _GroupView(Struct, frozen=True):
    """A known group, flattened."""

    members: frozenset[str]
    open: bool


class QuickAnswers:
    """Answers without proofs, remembered by permission."""

    def __init__(self, access: ProjectAccess) -> None:
        self._access = access
        self._facts = access.facts
        self._bounds = tuple(self._bindings())
        self._views: dict[str, _GroupView | None] = {}
        self._covers: dict[tuple[str, str], Value] = {}
        self._everywhere: dict[str, tuple[_Index, _Index, list[tuple[_Bound, Value]]]] = {}
        self._denials: dict[str, list[tuple[_Index, _Index, AttachedRule]]] = {}
        self._places: dict[tuple[str, Place], _Index] = {}
        self._lists: dict[tuple[str, str], Listed] = {}
        self._holders: dict[tuple[str, Value], _Index] = {}
        self._held: dict[tuple[str, Holders], Value] = {}
        self._values: dict[tuple[str, Place], Value] = {}

    def _bindings(self) -> Iterator[_Bound]:
        for resource, policy in self._facts.allow.policies.items():
            if isinstance(policy, AllowPolicy):
                for binding in policy.bindings:
                    for member in dict.fromkeys(binding.members):
                        yield _Bound(resource, binding.role, member, binding.condition)

    def answer(self, who: Who, permission: str, dataset: Dataset | None = None) -> Answer:
        """What `decide` answers."""
        place = place_of(permission, self._facts.project, dataset.id if dataset is not None else None)
        # A deleted account is covered by nothing, not even by what covers everybody.
        denied = None if who.principal.startswith("deleted:") else self.denied(who, permission, place)
        if denied is True:
            return Answer.NOT_GRANTED
        if denied is None:
            return self._access.decide(who.principal, permission, dataset).answer
        value = self._by_permission(permission)[1].value(who)
        if dataset is None:
            return self._settled(_better(value, self._by_place(permission, place).value(who)), who, permission)
        listed = self.in_list(permission, dataset)
        value = _better(_better(value, listed.own.value(who)), self._as_holder(who, listed.holders))
        return self._settled(value, who, permission)

    def answer_by_basic_roles(self, who: Who, permission: str, holders: "Holders") -> Answer:
        """What it answers for a dataset in which nothing but these special groups is about the principal, where it
        is known that no deny rule is."""
        value = _better(self._by_permission(permission)[1].value(who), self._as_holder(who, holders))
        return self._settled(value, who, permission)

    def without_end(self, who: Who, permission: str) -> bool:
        """Whether a grant on the project or above that hangs on no condition gives it: then it never ends by
        itself."""
        unconditional, _, _ = self._by_permission(permission)
        return unconditional.value(who) is True

    def denied(self, who: Who, permission: str, place: Place) -> Value:
        """Whether a deny rule takes the permission away."""
        if permission not in self._denials:
            self._denials[permission] = [
                (self._all_of(a.rule.denied_principals), self._all_of(a.rule.exception_principals), a)
                for a in self._access.deny.about(permission)
            ]
        found: Value = False
        for denied, excepted, attached in self._denials[permission]:
            acts = _both(denied.value(who), _not(excepted.value(who)))
            if acts is not False:
                stands = True if attached.rule.doubt is None else None
                holds = _both(stands, self._condition(attached.rule.condition, place))
                found = _better(found, _both(acts, holds))
        return found

    def _all_of(self, members: Iterable[str]) -> _Index:
        index = _Index(self)
        for member in members:
            index.add(member, value=True)
        return index

    def in_list(self, permission: str, dataset: Dataset) -> "Listed":
        """What the dataset's own list gives, and the grants whose condition looks at the resource."""
        key = (permission, dataset.id)
        if key not in self._lists:
            self._lists[key] = self._listed(permission, dataset)
        return self._lists[key]

    def group_view(self, email: str) -> _GroupView | None:
        """A group's members, nested groups' included; None where a look-up can't tell, so that `covers` has to."""
        if email not in self._views:
            self._views[email] = self._flattened(email)
        return self._views[email]

    def covers(self, member: str, principal: str) -> Value:
        """Whether a member covers the principal."""
        key = (member, principal)
        if key not in self._covers:
            found = self._access.members.covers(member, principal)
            self._covers[key] = found if isinstance(found, bool) else None
        return self._covers[key]

    def _settled(self, value: Value, who: Who, permission: str) -> Answer:
        if value is False and self._access.bindings.blind:
            value = None
        if value is False and self._may_hold(who, permission):
            value = None
        if value is True and self._facts.unread_deny_blocks and self._access.deny.blind:
            value = None
        return _ANSWERS[value]

    def _may_hold(self, who: Who, permission: str) -> bool:
        """Whether a grant that may stand gives it, or may."""
        bindings = self._access.bindings
        if not bindings.possible:
            return False
        return any(one is not False for one in bindings.may_hold(permission, who.principal, self._access.members))

    def _by_permission(self, permission: str) -> tuple[_Index, _Index, list[tuple[_Bound, Value]]]:
        """The grants without a condition; those and the ones whose condition is the same everywhere; and the rest."""
        if permission in self._everywhere:
            return self._everywhere[permission]
        unconditional, always = _Index(self), _Index(self)
        depending: list[tuple[_Bound, Value]] = []
        place = place_of(permission, self._facts.project, None)
        held: dict[str, Value] = {}
        for bound in self._bounds:
            if bound.role not in held:
                held[bound.role] = self._holds(bound.role, permission)
            value = held[bound.role]
            if value is False:
                continue
            if bound.condition is None:
                unconditional.add(bound.member, value)
                always.add(bound.member, value)
            elif "resource" in bound.condition.expression:
                depending.append((bound, value))
            else:
                value = _both(value, self._condition(bound.condition, place))
                if value is not False:
                    always.add(bound.member, value)
        self._everywhere[permission] = unconditional, always, depending
        return self._everywhere[permission]

    def _by_place(self, permission: str, place: Place) -> _Index:
        key = (permission, place)
        if key not in self._places:
            index = self._places[key] = _Index(self)
            for bound, held in self._by_permission(permission)[2]:
                value = _both(held, self._condition(bound.condition, place))
                if value is not False:
                    index.add(bound.member, value)
        return self._places[key]

    def _listed(self, permission: str, dataset: Dataset) -> "Listed":
        index = _Index(self)
        holders: dict[tuple[str, Value], None] = {}
        place = place_of(permission, self._facts.project, dataset.id)
        for bound, held in self._by_permission(permission)[2]:
            value = _both(held, self._condition(bound.condition, place))
            if value is not False:
                index.add(bound.member, value)
        if isinstance(dataset.access, Unknown):
            index.open_for_all = True
            return Listed(index, ())
        index.open_for_all = not dataset.access_completeness.complete
        for entry in dataset.access:
            if entry.authorized or not entry.member or not entry.role_name:
                continue
            value = _both(self._holds(entry.role_name, permission), self._condition(entry.condition, place))
            if value is False:
                continue
            if entry.special_group in BASIC_GROUPS:
                holders[BASIC_GROUPS[entry.special_group], value] = None
            elif entry.special_group and entry.special_group not in PUBLIC:
                index.open_for_all = True
            else:
                index.add(entry.member, value)
        return Listed(index, tuple(holders))

    def _as_holder(self, who: Who, holders: "Holders") -> Value:
        key = (who.principal, holders)
        if key not in self._held:
            found: Value = False
            for role, value in holders:
                found = _better(found, self._holders_of(role, value).value(who))
            self._held[key] = found
        return self._held[key]

    def _holders_of(self, role: str, value: Value) -> _Index:
        """Those for whom a special group stands: the role's holders on the project itself surely, those who have it
        from above perhaps (see `ProjectAccess`)."""
        if (role, value) in self._holders:
            return self._holders[role, value]
        index = self._holders[role, value] = _Index(self)
        place = place_of("", self._facts.project, None)
        if self._access.bindings.blind_to(role):
            index.open_for_all = True
        if self._access.bindings.possible:
            index.open_for_all = True  # as a rule there are none, where thousands are asked about
        for bound in self._bounds:
            if bound.role == role and bound.member.partition(":")[0] not in CONVENIENCE:
                given = _both(value, self._condition(bound.condition, place))
                if given is not False:
                    index.add(bound.member, given if bound.resource == self._access.own else None)
        return index

    def _holds(self, role: str, permission: str) -> Value:
        found = self._access.roles.holds(role, permission)
        return found if isinstance(found, bool) else None

    def _condition(self, condition: Condition | None, place: Place) -> Value:
        if condition is None:
            return True
        key = (condition.expression, place)
        if key not in self._values:
            self._values[key] = value_of(condition.expression, place, self._facts.moment, self._facts.tags).holds
        return self._values[key]

    def _flattened(self, email: str) -> _GroupView | None:
        groups = self._facts.groups.groups if isinstance(self._facts.groups, Groups) else {}
        members: set[str] = set()
        open_ended = False
        seen: set[str] = set()
        left = [email]
        while left:
            one = left.pop()
            if one in seen:
                continue
            seen.add(one)
            group = groups.get(one)
            if not isinstance(group, Group):
                open_ended = True
                continue
            if group.checked:
                return None
            open_ended |= not group.completeness.complete
            for member in group.members:
                own = canonical(member)
                if own.startswith("group:"):
                    left.append(own.removeprefix("group:"))
                elif own.startswith("deleted:"):
                    continue
                elif names_one(member):
                    members.add(own)
                else:
                    return None
        return _GroupView(frozenset(members), open_ended)


def _better(one: Value, other: Value) -> Value:
    if one is True or other is True:
        return True
    return None if one is None or other is None else False


def _both(one: Value, other: Value) -> Value:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _not(one: Value) -> Value:
    return None if one is None else not one

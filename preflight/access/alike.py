"""Datasets that are alike to whoever asks: of thousands, an audit needs to ask about one of each kind.

Two datasets differ in an answer only by what is in their lists and by conditions that look at the resource. So, for
one permission and somebody on whom such conditions bear, those where these have the same values and whose lists have
the same entries for more than the named, and are all whole or all not, are of one kind; a list that names the one who
asks is asked about with just that entry. All answers are `ProjectAccess`'s own.
"""

from collections.abc import Hashable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import Place, alike_at, looks_at_resource, place_of
from preflight.access.members import CONVENIENCE, canonical, kind_of, names_of
from preflight.access.project_access import ProjectAccess
from preflight.access.reach import Reach
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.policy import AllowPolicy, Condition
from preflight.facts.seen import Unknown

_SOME_GROUP = "group:some group of which nothing is known"
"""Stands for any such group; nothing names it."""


class Kind(Struct, frozen=True):
    """Datasets that are alike to some, as far as these aren't named in their lists."""

    number: int
    """No other kind has it."""
    like: Dataset
    """One of them, with just the entries that may cover more than whom they name."""
    names: tuple[str, ...]
    """Sorted."""

    def listing(self, entries: tuple[AccessEntry, ...]) -> Dataset:
        """One whose list has these entries too."""
        given = () if isinstance(self.like.access, Unknown) else self.like.access
        return replace(self.like, access=(*given, *entries))


class Kinds(Struct, frozen=True):
    """All datasets by their kinds."""

    all: tuple[Kind, ...]
    of: dict[str, Kind]
    """By a dataset's name."""


class Alike:
    """All datasets of a project, for one permission."""

    def __init__(
        self, access: ProjectAccess, permission: str, datasets: dict[str, Dataset], numbers: Iterator[int]
    ) -> None:
        """`numbers` are those of the kinds, in turn."""
        self._access = access
        self._permission = permission
        self._told_apart = _groups_that_rules_tell_apart(access, permission)
        self._giving = ""
        """A role that surely holds the permission: all of them are as good."""
        self._named: dict[str, dict[str, list[AccessEntry]]] = {}
        """By canonical name the entries that surely cover whoever has it, by dataset."""
        self._wide = [
            replace(one, access=one.access if isinstance(one.access, Unknown) else self._sorted_out(one, one.access))
            for one in datasets.values()
        ]
        self._own_conditions = {
            one.id: tuple(dict.fromkeys(e.condition for e in one.access if e.condition and _looks(e.condition)))
            for one in datasets.values()
            if not isinstance(one.access, Unknown)
        }
        self._looking: Reach[Condition] = Reach(access.members, self._that_look(access, permission))
        """The conditions of bindings that look at the resource, by the bindings' members."""
        self._rules = [rule for rule in access.deny.about(permission) if rule.rule.condition]
        self._kinds: dict[frozenset[Condition], Kinds] = {}
        self._numbers = numbers
        self._values: dict[tuple[str, Hashable], bool | None] = {}

    @staticmethod
    def _that_look(access: ProjectAccess, permission: str) -> Iterator[tuple[str, Condition]]:
        for policy in access.facts.allow.policies.values():
            for binding in policy.bindings if isinstance(policy, AllowPolicy) else ():
                if binding.condition and _looks(binding.condition) and access.roles.holds(binding.role, permission):
                    yield from ((member, binding.condition) for member in binding.members)

    def kinds(self, principal: str) -> Kinds:
        """The datasets by what they are to the principal."""
        key = self.concerning(principal)
        if key not in self._kinds:
            self._kinds[key] = self._by_kind(key)
        return self._kinds[key]

    def concerning(self, principal: str) -> frozenset[Condition]:
        """The conditions that look at the resource and on which something hangs for the principal."""
        conditions = {c for _, _, found in self._looking.all(principal) for c in found}
        for rule in self._rules:
            condition = rule.rule.condition
            if condition and _looks(condition) and rule.names(principal) is not False:
                conditions.add(condition)
        return frozenset(conditions)

    def naming(self, principal: str) -> list[tuple[Kind, tuple[AccessEntry, ...], list[str]]]:
        """The datasets whose lists name the principal, or a group in which it surely is: their kind, the entries
        that do, and their names."""
        entries: dict[str, list[AccessEntry]] = {}
        for name in self._names(principal):
            for dataset, given in self._named.get(name, {}).items():
                entries.setdefault(dataset, []).extend(given)
        kinds = self.kinds(principal).of
        found: dict[tuple[int, tuple[AccessEntry, ...]], list[str]] = {}
        for dataset, given in entries.items():
            found.setdefault((kinds[dataset].number, tuple(dict.fromkeys(given))), []).append(dataset)
        return [(kinds[names[0]], given, names) for (_, given), names in found.items()]

    def _by_kind(self, conditions: frozenset[Condition]) -> Kinds:
        found: dict[tuple[object, ...], list[Dataset]] = {}
        for dataset in self._wide:
            place = place_of(self._permission, self._access.facts.project, dataset.id)
            looking = dict.fromkeys((*conditions, *self._own_conditions.get(dataset.id, ())))
            values = tuple((c.expression, self._value(c, place)) for c in looking)
            wide = None if isinstance(dataset.access, Unknown) else frozenset(dataset.access)
            found.setdefault((values, wide, dataset.access_completeness.complete), []).append(dataset)
        kinds = tuple(
            Kind(next(self._numbers), alike[0], tuple(sorted(one.id for one in alike))) for alike in found.values()
        )
        return Kinds(kinds, {name: kind for kind in kinds for name in kind.names})

    def _names(self, principal: str) -> Iterator[str]:
        for name in names_of(principal):
            yield name
            yield from self._access.members.groups_listing(name)

    def _sorted_out(self, dataset: Dataset, entries: tuple[AccessEntry, ...]) -> tuple[AccessEntry, ...]:
        """Puts away whom the list names; what comes back may cover others."""
        members = self._access.members
        wide: dict[AccessEntry, None] = {}
        for entry in entries:
            if not entry.member or not entry.role_name or entry.authorized:
                continue
            holds = self._access.roles.holds(entry.role_name, self._permission)
            if holds is False:
                continue
            self._giving = self._giving or (entry.role_name if holds is True else "")
            alone = AccessEntry(role=self._giving if holds is True else entry.role_name, condition=entry.condition)
            if entry.special_group:
                wide[replace(alone, special_group=entry.special_group)] = None
                continue
            own, name = replace(alone, iam_member=entry.member), canonical(entry.member)
            self._named.setdefault(name, {}).setdefault(dataset.id, []).append(own)
            if members.names_itself(entry.member):
                continue
            group = members.listed(name.removeprefix("group:")) if kind_of(name) == "group" else None
            if group is None or self._told_apart is None or not self._told_apart.isdisjoint(group.open):
                wide[own] = None
            elif group.open:
                wide[replace(alone, iam_member=_SOME_GROUP)] = None
        return tuple(wide)

    def _value(self, condition: Condition, place: Place) -> bool | None:
        key = (condition.expression, alike_at(condition.expression, place))
        if key not in self._values:
            self._values[key] = self._access.condition_at(condition, place).holds
        return self._values[key]


def _looks(condition: Condition) -> bool:
    return looks_at_resource(condition.expression)


def _groups_that_rules_tell_apart(access: ProjectAccess, permission: str) -> frozenset[str] | None:
    """The groups by which deny rules decide: one that is both in a list and in a rule is not like any other. None:
    they may be any."""
    found: set[str] = set()
    for attached in access.deny.about(permission):
        for reach in (attached.denied, attached.excepted):
            if any(kind_of(canonical(member)) in {"group", *CONVENIENCE} for member in reach.asked):
                return None
            for member in reach.open:
                listed = access.members.listed(canonical(member).removeprefix("group:"))
                found.update(listed.open if listed else ())
    return frozenset(found)

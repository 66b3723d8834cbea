"""Datasets that are alike to whoever asks: of thousands, an audit needs to ask about one of each kind.

Two datasets differ in an answer only by what is in their lists and by conditions that look at the resource. So, for
one permission, those of the same such conditions' values, with the same entries for more than the named, are of one
kind; of those whom an entry names, a question is asked with just that entry. All answers are `ProjectAccess`'s own.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.conditions import place_of
from preflight.access.members import CONVENIENCE, canonical, kind_of, names_of
from preflight.access.project_access import ProjectAccess
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.policy import AllowPolicy, Condition
from preflight.facts.seen import Unknown

_SOME_GROUP = "group:some group of which nothing is known"
"""Stands for any such group; nothing names it."""


class Kind(Struct, frozen=True):
    """Datasets that are alike to all whom their lists don't name."""

    like: Dataset
    """One of them, with just the entries that may cover more than whom they name."""
    names: tuple[str, ...]
    """Sorted."""

    def listing(self, entries: tuple[AccessEntry, ...]) -> Dataset:
        """One whose list has these entries too."""
        given = () if isinstance(self.like.access, Unknown) else self.like.access
        return replace(self.like, access=(*given, *entries))


class Alike:
    """All datasets of a project by their kinds, for one permission."""

    def __init__(self, access: ProjectAccess, permission: str, datasets: dict[str, Dataset]) -> None:
        self._access = access
        self._permission = permission
        self._looking = tuple(dict.fromkeys(_looking_at_the_resource(access, permission)))
        self._told_apart = _groups_that_rules_tell_apart(access, permission)
        self._giving = ""
        """A role that surely holds the permission: all of them are as good."""
        self._named: dict[str, dict[str, list[AccessEntry]]] = {}
        """By canonical name the entries that surely cover whoever has it, by dataset."""
        found: dict[tuple[object, ...], list[Dataset]] = {}
        for dataset in datasets.values():
            wide = dataset.access if isinstance(dataset.access, Unknown) else self._sorted_out(dataset, dataset.access)
            found.setdefault(self._key(dataset, wide), []).append(replace(dataset, access=wide))
        self.kinds = tuple(Kind(alike[0], tuple(sorted(one.id for one in alike))) for alike in found.values())
        self._kind_of = {name: number for number, kind in enumerate(self.kinds) for name in kind.names}

    def naming(self, principal: str) -> dict[tuple[int, tuple[AccessEntry, ...]], list[str]]:
        """The datasets whose lists name the principal, or a group in which it surely is: by the number of their kind
        and the entries that do."""
        entries: dict[str, list[AccessEntry]] = {}
        for name in self._names(principal):
            for dataset, given in self._named.get(name, {}).items():
                entries.setdefault(dataset, []).extend(given)
        found: dict[tuple[int, tuple[AccessEntry, ...]], list[str]] = {}
        for dataset, given in entries.items():
            found.setdefault((self._kind_of[dataset], tuple(dict.fromkeys(given))), []).append(dataset)
        return found

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

    def _key(self, dataset: Dataset, wide: tuple[AccessEntry, ...] | Unknown) -> tuple[object, ...]:
        own = () if isinstance(dataset.access, Unknown) else (entry.condition for entry in dataset.access)
        looking = dict.fromkeys((*self._looking, *(c for c in own if c is not None and _looks(c))))
        place = place_of(self._permission, self._access.facts.project, dataset.id)
        values = tuple((c.expression, self._access.condition_at(c, place).holds) for c in looking)
        return values, None if isinstance(wide, Unknown) else frozenset(wide)


def _looks(condition: Condition) -> bool:
    return "resource" in condition.expression


def _looking_at_the_resource(access: ProjectAccess, permission: str) -> Iterator[Condition]:
    """The conditions whose value may be another for each dataset."""
    for policy in access.facts.allow.policies.values():
        for binding in policy.bindings if isinstance(policy, AllowPolicy) else ():
            if binding.condition and _looks(binding.condition) and access.roles.holds(binding.role, permission):
                yield binding.condition
    for attached in access.deny.about(permission):
        if attached.rule.condition and _looks(attached.rule.condition):
            yield attached.rule.condition


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

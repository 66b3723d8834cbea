"""Members and what they carry, found by principal: which of many cover it, or may, without asking each.

Most members of a policy name one account, or are groups of which it is known who is in them: a look tells whether
they cover a principal. Of the others some may turn out to cover it, and have to be asked; groups about which nothing
is known never surely do, and can wait till the rest has said what it says.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from preflight.access.formula import Formula
from preflight.access.members import PEOPLE, Members, canonical, kind_of, names_of

T = TypeVar("T")
Covering: TypeAlias = "tuple[str, Formula, list[T]]"
"""A member as written, whether it covers the principal, and what it carries."""


class Carried(Generic[T]):
    """Members by how they are found, each with a list of whatever they were added with. What it holds hangs on what
    is known of groups, and on no project."""

    def __init__(self) -> None:
        self.named: dict[str, dict[str, list[T]]] = {}
        """By canonical name, then as written: those that cover what has the name, and nobody else."""
        self.listed: dict[str, dict[str, list[T]]] = {}
        """The same for groups whose members are known, as far as they are."""
        self.asked: dict[str, list[T]] = {}
        """Those that have to be asked."""
        self.open: dict[str, list[T]] = {}
        """Groups that may hold others than is known, or of which nothing is."""

    def add(self, member: str, item: T, members: Members) -> None:
        """One member, with something that it carries."""
        kind, colon, email = member.partition(":")
        if colon and kind in PEOPLE:  # most are these, and nothing else has to be looked at
            self.named.setdefault(f"{kind}:{email.casefold()}", {}).setdefault(member, []).append(item)
            return
        name = canonical(member)
        if members.names_itself(member):
            self.named.setdefault(name, {}).setdefault(member, []).append(item)
            return
        listed = members.listed(name.removeprefix("group:")) if name.startswith("group:") else None
        if listed is None:
            self.asked.setdefault(member, []).append(item)
            return
        self.listed.setdefault(name, {}).setdefault(member, []).append(item)
        if listed.open:
            self.open.setdefault(member, []).append(item)


class Reach(Generic[T]):
    """Members of one or several lists, asked about for one project."""

    def __init__(
        self, members: Members, carried: Iterable[tuple[str, T]] = (), parts: Iterable[Carried[T]] = ()
    ) -> None:
        self._members = members
        self.parts = tuple(parts)
        if not self.parts:
            own: Carried[T] = Carried()
            for member, item in carried:
                own.add(member, item, members)
            self.parts = (own,)

    @property
    def asked(self) -> Iterator[str]:
        """The members that have to be asked."""
        return (member for part in self.parts for member in part.asked)

    @property
    def open(self) -> Iterator[str]:
        """The groups that may hold others than is known, or of which nothing is."""
        return (member for part in self.parts for member in part.open)

    def naming(self, principal: str) -> "Iterator[Covering[T]]":
        """Those that surely cover it, found by its name."""
        yield from self.itself(principal)
        yield from self.listing(principal)

    def itself(self, principal: str) -> "Iterator[Covering[T]]":
        """Of those, the ones that are the principal."""
        if principal.startswith("deleted:"):
            return
        names = names_of(principal)
        for part in self.parts:
            for name in names:
                if name in part.named:
                    for member, items in part.named[name].items():
                        yield member, True, items

    def listing(self, principal: str) -> "Iterator[Covering[T]]":
        """Of those, the groups of which it is known that the principal is in them."""
        if principal.startswith("deleted:"):
            return
        names = names_of(principal)
        groups: list[str] | None = None
        for part in self.parts:
            if not part.listed:
                continue
            if groups is None:
                groups = self._groups_of(principal, names)
            for group in groups:
                if group in part.listed:
                    for member, items in part.listed[group].items():
                        yield member, True, items

    def _groups_of(self, principal: str, names: tuple[str, ...]) -> list[str]:
        """The groups in which it surely is, and itself if it is one."""
        if kind_of(principal) not in PEOPLE:
            return [*names]
        return [*dict.fromkeys(group for name in names for group in self._members.groups_listing(name))]

    def likely(self, principal: str) -> "Iterator[Covering[T]]":
        """Those that cover it, and those that may and have to be asked."""
        yield from self.naming(principal)
        yield from self.asking(principal)

    def asking(self, principal: str) -> "Iterator[Covering[T]]":
        """Those that cover it, or may, of the ones that have to be asked."""
        for part in self.parts:
            for member, items in part.asked.items():
                covers = self._members.covers(member, principal)
                if covers is not False:
                    yield member, covers, items

    def possible(self, principal: str) -> "Iterator[Covering[T]]":
        """All others that may cover it: groups, of which none surely does."""
        if kind_of(principal) not in PEOPLE:
            return
        for part in self.parts:
            for member, items in part.open.items():
                covers = self._members.covers(member, principal)
                if covers is not True and covers is not False:
                    yield member, covers, items

    def all(self, principal: str) -> "Iterator[Covering[T]]":
        """All that cover it, or may."""
        yield from self.likely(principal)
        yield from self.possible(principal)

"""Everybody whom a project's policies name, and what each of them can do in BigQuery: the permissions audit.

The answers are the engine's, in three values. A blank cell says that it is known not to be granted; what can't be
told is unknown, and what wasn't seen at all is listed as an open point of the whole audit.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.alike import Alike, Kind
from preflight.access.audit_flags import Flag, Grantee, Judge
from preflight.access.audit_gaps import OpenPoint, open_points
from preflight.access.decision import Answer, Decision
from preflight.access.members import PUBLIC, canonical
from preflight.access.project_access import BASIC_GROUPS, ProjectAccess
from preflight.facts.capabilities import CAPABILITIES, Capability
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy
from preflight.facts.organization import Organization
from preflight.facts.policy import AllowPolicy
from preflight.facts.seen import Provenance, Unknown

_PERSON_IN_V2 = "principal://goog/subject/"


class State(StrEnum):
    """What a cell of the audit says."""

    GRANTED = "granted"
    UNKNOWN = "unknown"
    NOT_GRANTED = "not granted"


class Cell(Struct, frozen=True):
    """Whether somebody has one capability, and where."""

    state: State
    on_project: Answer
    """By the policies of the project and above: everywhere in it."""
    datasets: tuple[str, ...] = ()
    """Where only the dataset's own list gives it."""
    lasting: tuple[str, ...] = ()
    """Of these, those where no condition ends it."""
    unsure: tuple[str, ...] = ()
    """Where it hangs on something open that concerns the dataset; with some in it that are in `datasets` as well."""
    more: bool = False
    """With granted on datasets: there may be more than these."""
    until: datetime | None = None
    """When a grant on the project or above ends by its condition; None: it doesn't."""

    @property
    def open_datasets(self) -> tuple[str, ...]:
        """Where it can't be told, though it can for the project as a whole."""
        granted = frozenset(self.datasets)
        return tuple(name for name in self.unsure if name not in granted)


class Row(Struct, frozen=True):
    """One member and what it can do."""

    member: str
    """As it is first written in a policy."""
    principal: str
    """The same in the form of IAM's allow policies."""
    cells: tuple[Cell, ...]
    """One for each of the capabilities, in their order."""
    flags: tuple[Flag, ...] = ()

    @property
    def identity(self) -> str:
        """The one name for all ways to write the member."""
        return canonical(self.principal)


class Audit(Struct, frozen=True, kw_only=True):
    """The whole table, what is open about it, and the way to the proof of each cell."""

    project: str
    moment: datetime
    rows: tuple[Row, ...]
    """What is flagged first, then who can do most."""
    capabilities: tuple[Capability, ...]
    open_points: tuple[OpenPoint, ...]
    access: ProjectAccess
    datasets: dict[str, Dataset]

    @property
    def blind(self) -> bool:
        """Whether something that bears on the table could not be seen."""
        return any(point.weighs for point in self.open_points)

    def cell(self, row: Row, capability: Capability) -> Cell:
        """One cell."""
        return row.cells[self.capabilities.index(capability)]

    def decisions(self, row: Row, capability: Capability) -> tuple[Decision, ...]:
        """What a cell rests on: the decisions that make it what it is, with their proofs. Worked out on demand."""
        cell = self.cell(row, capability)
        found = [self.access.decide(row.principal, permission) for permission in capability.permissions]
        wanted = Answer(cell.state)
        names = cell.datasets or cell.open_datasets
        if wanted is Answer.NOT_GRANTED and cell.on_project is Answer.UNKNOWN:
            names = tuple(self.datasets)
        if cell.on_project is not wanted and names:
            found = [
                self.access.decide(row.principal, permission, self.datasets[name])
                for name in names
                if name in self.datasets
                for permission in _in_datasets(capability)
            ]
        return tuple(decision for decision in found if decision.answer is wanted) or tuple(found)


def audit(access: ProjectAccess, datasets: Datasets | Unknown, organization: Organization | Unknown) -> Audit:
    """Works the table out. `datasets` is all of them, with their access lists."""
    known = {} if isinstance(datasets, Unknown) else datasets.datasets
    listed = {
        # One that couldn't be read at all has a list that couldn't be read.
        name: found if isinstance(found, Dataset) else _unread(access.own, name, found)
        for name, found in known.items()
    }
    maybe_more = isinstance(datasets, Unknown) or not datasets.completeness.complete
    grantees = _grantees(access, listed)
    cells = _Cells(access, listed, maybe_more=maybe_more)
    judge = Judge(access.facts, organization)
    rows = [_row(grantee, cells, judge) for grantee in grantees]
    return Audit(
        project=access.facts.project,
        moment=access.facts.moment,
        rows=tuple(sorted(rows, key=_importance)),
        capabilities=CAPABILITIES,
        open_points=tuple(open_points(access, datasets, organization)),
        access=access,
        datasets=listed,
    )


def _unread(project: str, name: str, why: Unknown) -> Dataset:
    where = why.provenance or Provenance("", f"{project}/datasets/{name}")
    return Dataset(provenance=where, id=name, location="", access=why)


def _row(grantee: Grantee, cells: "_Cells", judge: Judge) -> Row:
    row = Row(grantee.member, grantee.principal, cells.of(grantee.principal))
    change = next(
        (cell for cell, capability in zip(row.cells, CAPABILITIES, strict=True) if capability.id == "change-access")
    )
    where: tuple[str, ...] | None = None
    if change.on_project is Answer.GRANTED:
        where = () if change.until is None else None
    elif change.lasting:
        where = change.lasting
    return replace(row, flags=tuple(judge.flags(grantee, administers=where)))


def _importance(row: Row) -> tuple[object, ...]:
    can = sum(cell.state is State.GRANTED for cell in row.cells)
    return -len(row.flags), -can, row.identity


def _grantees(access: ProjectAccess, datasets: dict[str, Dataset]) -> list[Grantee]:
    """Whom policies, datasets' lists and deny rules name, or may, each once, with the roles that name them."""
    found: dict[str, Grantee] = {}

    def add(member: str) -> Grantee:
        principal = _as_granted(member)
        return found.setdefault(canonical(principal), Grantee(member, principal, [], []))

    for resource, policy in access.facts.allow.policies.items():
        if isinstance(policy, AllowPolicy):
            for binding in policy.bindings:
                for member in dict.fromkeys(binding.members):
                    add(member).roles.append((binding.role, resource))
    for possible in access.bindings.possible.all:
        for member in dict.fromkeys(possible.binding.members):
            add(member).perhaps.append((possible.binding.role or "some role", possible.resource))
    for dataset, entry in _entries(datasets):
        grantee = add(entry.member)
        if entry.role_name:
            grantee.roles.append((entry.role_name, dataset.id))
    for member in _denied(access.facts.deny):
        if member not in PUBLIC:
            add(member)
    return list(found.values())


def _entries(datasets: dict[str, Dataset]) -> Iterator[tuple[Dataset, AccessEntry]]:
    for dataset in datasets.values():
        for entry in () if isinstance(dataset.access, Unknown) else dataset.access:
            # Special groups stand for holders of roles, who have rows of their own.
            if entry.member and not entry.authorized and entry.special_group not in BASIC_GROUPS:
                yield dataset, entry


def _denied(deny: DenyPolicies | Unknown) -> Iterator[str]:
    for attached in () if isinstance(deny, Unknown) else deny.attached.values():
        if isinstance(attached, AttachedDenyPolicies):
            for policy in attached.policies.values():
                if isinstance(policy, DenyPolicy):
                    for rule in policy.rules:
                        yield from rule.denied_principals


def _as_granted(member: str) -> str:
    """The member as allow policies write it: `principal://goog/subject/…` of deny policies is a user or account."""
    kind, _, name = canonical(member).partition(":")
    if member.startswith(_PERSON_IN_V2):
        return f"{'serviceAccount' if name.endswith('.gserviceaccount.com') else 'user'}:{name}"
    if kind == "account":
        return f"serviceAccount:{name}"
    return f"group:{name}" if kind == "group" and not member.startswith("group:") else member


def _in_datasets(capability: Capability) -> tuple[str, ...]:
    """The permissions that a dataset's own list can give."""
    return tuple(p for p in capability.permissions if p.startswith("bigquery."))


class _Inside(Struct, frozen=True):
    """Where somebody has a capability by the datasets' own lists."""

    granted: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    """Of these, those where it doesn't end."""
    unsure: tuple[str, ...] = ()


class _Cells:
    """Works out cells, with what is the same for all rows worked out once."""

    def __init__(self, access: ProjectAccess, datasets: dict[str, Dataset], *, maybe_more: bool) -> None:
        self._access = access
        self._datasets = datasets
        self._maybe_more = maybe_more
        self._alike: dict[str, Alike] = {}
        self._unions: dict[tuple[int, ...], tuple[str, ...]] = {}
        self._numbers = count()

    def of(self, principal: str) -> tuple[Cell, ...]:
        """The row of one principal."""
        if principal.startswith("deleted:"):  # an account that is gone can do nothing, whatever else is unknown
            return tuple(Cell(State.NOT_GRANTED, Answer.NOT_GRANTED) for _ in CAPABILITIES)
        return tuple(self._cell(principal, capability) for capability in CAPABILITIES)

    def _cell(self, principal: str, capability: Capability) -> Cell:
        answers = {p: self._access.answer(principal, p) for p in capability.permissions}
        granting = [p for p, answer in answers.items() if answer is Answer.GRANTED]
        if granting:
            return Cell(State.GRANTED, Answer.GRANTED, until=self._until(principal, granting))
        open_ = [p for p, answer in answers.items() if answer is Answer.UNKNOWN]
        on_project = Answer.UNKNOWN if open_ else Answer.NOT_GRANTED
        if not capability.on_datasets:
            return Cell(State.UNKNOWN if open_ else State.NOT_GRANTED, on_project)
        within = _in_datasets(capability)
        if self._told_by_datasets(principal, within):
            # Open is then for good what doesn't hang on any dataset.
            open_ = [p for p in open_ if p not in within]
        inside = self._inside(principal, capability, open_anyway=bool(open_))
        if not self._maybe_more and len(inside.granted) == len(self._datasets) > 0:
            open_ = [p for p in open_ if p not in within]  # nothing is left for which it could be open
        more = bool(open_) or self._maybe_more or not set(inside.unsure) <= set(inside.granted)
        state = State.GRANTED if inside.granted else State.UNKNOWN if more else State.NOT_GRANTED
        return Cell(
            state,
            on_project,
            inside.granted,
            inside.lasting,
            inside.unsure,
            more=bool(inside.granted) and more,
        )

    def _told_by_datasets(self, principal: str, permissions: Iterable[str]) -> bool:
        """Whether what can't be told for the project as a whole may be known for each single dataset, and these are
        all that there are: where it hangs on conditions that look at the resource."""
        whole = bool(self._datasets) and not self._maybe_more
        return whole and any(self._alike_for(p).concerning(principal) for p in permissions)

    def _until(self, principal: str, granting: Iterable[str]) -> datetime | None:
        """When the last of the grants ends; None: never."""
        ends: list[datetime] = []
        for permission in granting:
            end = self._access.ends(principal, permission)
            if end is None:
                return None
            ends.append(end)
        return max(ends)

    def _inside(self, principal: str, capability: Capability, *, open_anyway: bool) -> _Inside:
        """What datasets' lists give. Where it is open on the whole project anyway, just what they surely do."""
        kinds: dict[str, list[Kind]] = {"granted": [], "lasting": [], "unsure": []}
        named: dict[str, list[str]] = {"granted": [], "lasting": [], "unsure": []}
        for permission in _in_datasets(capability):
            alike = self._alike_for(permission)
            for kind in alike.kinds(principal).all:
                for word in self._told(principal, permission, kind.like, open_anyway=open_anyway):
                    kinds[word].append(kind)
            for kind, entries, names in alike.naming(principal):
                listing = kind.listing(entries)
                for word in self._told(principal, permission, listing, open_anyway=open_anyway):
                    named[word] += names
        return _Inside(**{word: self._union(kinds[word], names) for word, names in named.items()})

    def _told(self, principal: str, permission: str, dataset: Dataset, *, open_anyway: bool) -> tuple[str, ...]:
        answer = self._access.answer(principal, permission, dataset)
        if answer is Answer.UNKNOWN:
            return () if open_anyway else ("unsure",)
        if answer is Answer.NOT_GRANTED:
            return ()
        return ("granted",) if self._access.ends(principal, permission, dataset) else ("granted", "lasting")

    def _union(self, kinds: list[Kind], names: list[str]) -> tuple[str, ...]:
        """The datasets of these kinds, and these. Thousands may be the same for nearly all rows: they share them."""
        key = tuple(kind.number for kind in kinds)
        if key not in self._unions:
            self._unions[key] = tuple(sorted({name for kind in kinds for name in kind.names}))
        whole = self._unions[key]
        return tuple(sorted({*whole, *names})) if set(names) - set(whole) else whole

    def _alike_for(self, permission: str) -> Alike:
        if permission not in self._alike:
            self._alike[permission] = Alike(self._access, permission, self._datasets, self._numbers)
        return self._alike[permission]

"""What stands once all is applied, what goes, and what is left alone: one item a resource and side of its change."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from preflight.facts.seen import NotCollected, Provenance, Reason, Unknown, Unresolved
from preflight.sources.terraform.resources import Change, Declared, Omission, Resource, Unsettled
from preflight.sources.terraform.semantics.values import Values

HCL, PLAN = "terraform", "terraform plan"
"""What evidence calls its source."""
_APPLY = "Apply it, then ask Google."


class Item(Struct, frozen=True):
    """One resource as it will be, or as it was where it goes."""

    resource: Resource
    values: Values
    gone: bool = False
    """It is deleted; the values are those before."""
    left: bool = False
    """It stays in the cloud, and Terraform no longer keeps it so."""

    @property
    def address(self) -> str:
        """Its address."""
        return self.resource.address

    @property
    def stands(self) -> bool:
        """Whether Terraform makes it so, and keeps it."""
        return not self.gone and not self.left

    def seen(self, argument: str = "") -> Provenance:
        """Where it is said: file and line, or the plan and the address in it."""
        return seen_at(self.resource, argument)

    def unknown(self, why: Unsettled) -> Unknown:
        """Something of it that isn't settled."""
        place = why.place
        return Unknown(reason_of(why), Provenance(self.seen().source, place.exact) if place else self.seen())


def seen_at(resource: Resource, argument: str = "") -> Provenance:
    """Where a resource, or one of its arguments, is said."""
    if resource.place.line:
        return Provenance(HCL, resource.places.get(argument, resource.place).exact)
    return Provenance(source_of(resource.change), f"{resource.place}: {resource.address}")


def source_of(change: Change) -> str:
    """What evidence calls the source of a resource with such a change."""
    return HCL if change is Change.DECLARED else PLAN


def reason_of(why: Unsettled) -> Unresolved:
    """Why something isn't settled, as a reason."""
    return Unresolved(why.why, f"{why.settled_by}." if why.settled_by else _APPLY)


class World:
    """All that is declared, by type, with what may be missing."""

    def __init__(self, declared: Declared, project: str) -> None:
        self.declared = declared
        self._ask = f"Ask Google: preflight run --project {project}"
        self._by_type: dict[str, list[Item]] = {}
        self._data: dict[str, list[Resource]] = {}
        for resource in declared.resources:
            if resource.data:
                self._data.setdefault(resource.type, []).append(resource)
            else:
                self._by_type.setdefault(resource.type, []).extend(_items(resource))

    @classmethod
    def of_changes(cls, declared: Declared, project: str) -> "World":
        """Just what a plan changes in the cloud."""
        still = {Change.NO_OP, Change.READ, Change.FORGET}
        changed = tuple(one for one in declared.resources if one.change not in still)
        return cls(replace(declared, resources=changed), project)

    def of(self, *types: str) -> Iterator[Item]:
        """The items of these types."""
        for kind in types:
            yield from self._by_type.get(kind, ())

    def data(self, kind: str) -> Iterator[Resource]:
        """The data sources of this type."""
        yield from self._data.get(kind, ())

    @property
    def root(self) -> Provenance:
        """The whole as a provenance."""
        place = self.declared.root
        plan = any(one.change is not Change.DECLARED for one in self.declared.resources)
        return Provenance(PLAN if plan or PurePosixPath(place.file).suffix == ".json" else HCL, str(place))

    def omission(self, types: Iterable[str]) -> Unknown | None:
        """What wasn't read and may hold resources of these types."""
        for one in self.declared.omissions:
            if one.types is None or not one.types.isdisjoint(types):
                return self._omitted(one)
        return None

    def _omitted(self, one: Omission) -> Unknown:
        settle = f"{one.settled_by}." if one.settled_by else self._ask
        return Unknown(Unresolved(one.why, settle), Provenance(self.root.source, one.place.exact))

    def undeclared(self, types: Iterable[str], what: str) -> Unknown:
        """That nothing is said of something: it may be in what wasn't read, else it isn't declared."""
        return self.omission(types) or Unknown(self.silence(what), self.root)

    def silence(self, what: str) -> Reason:
        """That it isn't declared."""
        return NotCollected(f"{self.declared.root} doesn't declare {what}", self._ask)


def _items(resource: Resource) -> Iterator[Item]:
    before = resource.before
    if resource.change is Change.DELETE:
        yield Item(resource, resource.values, gone=True)
        return
    if resource.change is Change.FORGET:
        yield Item(resource, resource.values, left=True)
        return
    if resource.change is Change.REPLACE and before is not None:
        yield Item(resource, before, gone=True)
    if resource.change is Change.CREATE and before is not None:
        yield Item(resource, before, left=True)
    yield Item(resource, resource.values)

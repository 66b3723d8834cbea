"""One instance of a resource or data source: its arguments, and what its attributes are known to be."""

from typing import Any

from preflight.sources.terraform.hcl.attributes import attribute
from preflight.sources.terraform.hcl.evaluate import outcome
from preflight.sources.terraform.hcl.kinds import STRING, Type
from preflight.sources.terraform.hcl.reading import Around
from preflight.sources.terraform.hcl.syntax import Attribute, Block, Body, reference
from preflight.sources.terraform.hcl.types import type_of, typed
from preflight.sources.terraform.hcl.values import (
    Lazy,
    RefusedError,
    SetValue,
    Typed,
    UnsettledError,
    export,
    items,
    unlazy,
)
from preflight.sources.terraform.resources import Place, Resource, Unsettled

_META = {"count", "for_each", "provider", "depends_on"}
_META_BLOCKS = {"lifecycle", "provisioner", "connection"}
_ID = {"id": STRING}


class Instance(Lazy):
    """An instance; as a value of the language it is an object of its attributes."""

    __slots__ = ("_values", "address", "block", "maybe", "module", "names")

    def __init__(
        self, module: Around, block: Block, address: str, names: dict[str, Any], maybe: Unsettled | None
    ) -> None:
        self.module = module
        self.block = block
        self.address = address
        self.names = names
        self.maybe = maybe
        self._values: dict[str, Any] = {}

    @property
    def type(self) -> str:
        """`google_project`."""
        return self.block.labels[0]

    @property
    def data(self) -> bool:
        """Whether it is a data source."""
        return self.block.type == "data"

    def argument(self, name: str) -> Any:
        """The value of an argument; None where it isn't given."""
        if name in self._values:
            return self._values[name]
        said = self.block.body.attributes.get(name)
        if said is None:
            return None
        self._values[name] = Unsettled(f"{self.address}.{name} refers to itself: Terraform refuses that")
        try:
            value = self._evaluated(said, self.names)
        except BaseException:
            del self._values[name]
            raise
        self._values[name] = value
        return value

    def _evaluated(self, said: Attribute, names: dict[str, Any]) -> Any:
        return self.module.reading.budget.keep(outcome(said.expr, self.module.scope(said.source).with_names(names)))

    def project(self) -> Any:
        """The provider's project: what stands in where the resource names none."""
        said = reference(self.block.body.expr("provider")) or (self.type.partition("_")[0],)
        try:
            return self.module.provider_project(said[0], said[1] if len(said) > 1 else "")
        except UnsettledError as unknown:
            return unknown.unsettled

    def blocks(self, name: str) -> list[Any]:
        """The values of its nested blocks of a type; an unsettled one stands for any number of them."""
        found: list[Any] = []
        for block, names in self._nested(self.block.body, self.names):
            if isinstance(block, Unsettled):
                if names["type"] == name:
                    found.append(block)
            elif names["type"] == name:
                found.append(self._body(block.body, names["names"]))
        return found

    # As a value

    def get(self, name: str) -> object:
        """An attribute: what the table knows of it, else unsettled."""
        try:
            known = attribute(self, name)
        except UnsettledError as unknown:
            return unknown.unsettled
        except RefusedError as refusal:
            return Unsettled(f"{self.address}.{name}: {refusal}")
        if known is not None:
            return known
        when = "is read by a plan" if self.data else "is known after apply"
        value = Unsettled(f"{self.address}.{name} {when}", "a plan" if self.data else "")
        if name == "output" and self.type == "terraform_data":
            return typed(value, type_of(self.argument("input")))
        return typed(value, _ID[name]) if name in _ID else value

    def all(self) -> Unsettled:
        """Its attributes aren't all known: the provider's schema tells them."""
        return Typed(f"{self.address} has attributes that only the provider knows", "a plan", type=Type("any"))

    # As a resource

    def resource(self) -> Resource:
        """The instance as the rest of the project sees it."""
        body = self.block.body
        values: dict[str, Any] = {}
        places: dict[str, Place] = {}
        for name, said in body.attributes.items():
            if name not in _META:
                values[name] = export(self.argument(name))
                places[name] = said.place
        self._add_blocks(body, self.names, values, places, "")
        google = self.type.startswith("google_")
        return Resource(
            address=self.address,
            type=self.type,
            data=self.data,
            values=values,
            place=self.block.place,
            places=places,
            maybe=self.maybe,
            providers_project=export(self.project()) if google else None,
        )

    def _body(self, body: Body, names: dict[str, Any]) -> dict[str, Any]:
        """A nested block's values, its own blocks in lists."""
        values: dict[str, Any] = {name: self._evaluated(said, names) for name, said in body.attributes.items()}
        self._add_blocks(body, names, values, {}, "")
        return values

    def _add_blocks(
        self, body: Body, names: dict[str, Any], values: dict[str, Any], places: dict[str, Place], path: str
    ) -> None:
        for block, found in self._nested(body, names):
            kind, inner = found["type"], found["names"]
            listed = values.setdefault(kind, [])
            if not isinstance(listed, list):
                continue  # an argument and blocks of one name: Terraform refuses that
            where = f"{path}{kind}[{len(listed)}]"
            places.setdefault(f"{path}{kind}", found["place"])
            places[where] = found["place"]
            if isinstance(block, Unsettled):
                listed.append(export(block))
                continue
            inside: dict[str, Any] = {}
            for name, said in block.body.attributes.items():
                inside[name] = export(self._evaluated(said, inner))
                places[f"{where}.{name}"] = said.place
            self._add_blocks(block.body, inner, inside, places, f"{where}.")
            listed.append(inside)

    def _nested(self, body: Body, names: dict[str, Any]) -> list[tuple[Block | Unsettled, dict[str, Any]]]:
        """The blocks in a body, `dynamic` ones unrolled, each with its type, its names and its place."""
        found: list[tuple[Block | Unsettled, dict[str, Any]]] = []
        for block in body.blocks:
            if block.type in _META_BLOCKS and body is self.block.body:
                continue
            if block.type != "dynamic" or not block.labels:
                found.append((block, {"type": block.type, "names": names, "place": block.place}))
                continue
            content = next(block.body.of("content"), None)
            kind = block.labels[0]
            for each in self._dynamic(block, names):
                inner: dict[str, Any] = {"type": kind, "names": {**names, **each} if isinstance(each, dict) else names}
                inner["place"] = block.place
                if isinstance(each, Unsettled):
                    found.append((each, inner))
                elif content is not None:
                    found.append((content, inner))
        return found

    def _dynamic(self, block: Block, names: dict[str, Any]) -> list[dict[str, Any] | Unsettled]:
        """The names of each block that a `dynamic` one makes; an unsettled value for any number of them."""
        said = block.body.attributes.get("for_each")
        if said is None:
            return [Unsettled("a dynamic block has no for_each: Terraform refuses that", "give it one", block.place)]
        iterator = reference(block.body.expr("iterator"))
        name = iterator[0] if iterator else block.labels[0]
        collection = unlazy(self._evaluated(said, names))
        limits = self.module.reading.library.limits
        if isinstance(collection, list | dict) and len(collection) > limits.instances:
            why = f"a dynamic block has {len(collection)} elements, past the limit of {limits.instances} here"
            collection = Unsettled(why, "a plan", said.place)
        if isinstance(collection, Unsettled):
            return [collection]
        try:
            if isinstance(collection, SetValue):
                pairs: list[tuple[Any, Any]] = [(one, one) for one in collection]
            else:
                pairs = list(items(collection))
        except (RefusedError, UnsettledError) as error:
            return [Unsettled(f"a dynamic block's for_each: {error}", "correct it", said.place)]
        self.module.reading.budget.spend(len(pairs))
        return [one[1] if isinstance(one[1], Unsettled) and isinstance(collection, SetValue) else
                {name: {"key": one[0], "value": one[1]}} for one in pairs]  # fmt: skip

"""A module's instance: what its variables, locals, outputs, resources and module calls come to.

Everything is worked out when it is asked for, and once. What asks for itself is a cycle, which Terraform refuses.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from preflight.sources.terraform.hcl.evaluate import outcome
from preflight.sources.terraform.hcl.expansion import SYMBOL, Expansion, expand, key_text
from preflight.sources.terraform.hcl.folder import Folder
from preflight.sources.terraform.hcl.instance import Instance
from preflight.sources.terraform.hcl.kinds import ANY, STRING, Type
from preflight.sources.terraform.hcl.modules import find_module
from preflight.sources.terraform.hcl.parsing import parse_expression
from preflight.sources.terraform.hcl.reading import Reading, shown_name
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.syntax import Attribute, Block, Expr, Literal, ObjectOf, Source, reference
from preflight.sources.terraform.hcl.types import convert, parse_type, typed
from preflight.sources.terraform.hcl.values import Lazy, RefusedError, Typed, UnsettledError
from preflight.sources.terraform.hcl.variables import ANY_VARIABLE, Given
from preflight.sources.terraform.resources import Omission, Unsettled

_META = {"source", "version", "count", "for_each", "providers", "depends_on"}
_NO_VALUE = object()


class Module:
    """One instance of a module."""

    def __init__(
        self,
        reading: Reading,
        files: Folder,
        address: str = "",
        parent: "Module | None" = None,
        call: Block | None = None,
        names: dict[str, Any] | None = None,
        maybe: Unsettled | None = None,
    ) -> None:
        self.reading = reading
        self.files = files
        self.address = address
        self.parent = parent
        self.call = call
        self.names = names or {}
        """`each` and `count` of the call, for its arguments."""
        self.maybe = maybe
        self.repository = reading.library.repository
        self.folder = Path(reading.root)
        self.given: dict[str, Given] = {}
        self.depth: int = parent.depth + 1 if parent else 0
        self._known: dict[tuple[str, str], Any] = {}
        self._expansions: dict[tuple[str, ...], Expansion] = {}
        self._instances: dict[tuple[str, ...], list[Instance]] = {}
        self._modules: dict[str, list[Module]] = {}

    def scope(self, source: Source) -> Scope:
        """The scope of an expression in one of the module's files."""
        return Scope(self, self.reading.budget, source, {})

    # What expressions refer to

    def root(self, name: str) -> object:
        """The value of a reference's first name."""
        match name:
            case "var":
                return Namespace(self.variable)
            case "local":
                return Namespace(self.local)
            case "module":
                return Namespace(self.module_value)
            case "data":
                return Namespace(lambda type_: Namespace(lambda label: self.resource_value("data", type_, label)))
            case "path":
                return Namespace(self._path)
            case "terraform":
                return Namespace(self._terraform)
            case "each" | "count" | "self":
                raise RefusedError(f"{name} cannot be used here")
        return Namespace(lambda label: self.resource_value("resource", name, label))

    def _path(self, name: str) -> object:
        match name:
            case "module":
                return self.reading.relative(self.files.path)
            case "root":
                return "."
        return Typed(f"path.{name} hangs on where Terraform runs", "a plan", type=STRING)

    def _terraform(self, name: str) -> object:
        if name == "workspace" and self.reading.inputs.workspace is not None:
            return self.reading.inputs.workspace
        return Typed(f"terraform.{name} is not known", "--workspace NAME, or a plan", type=STRING)

    def _once(self, kind: str, name: str, work: Callable[[], Any]) -> Any:
        """The result of `work`, done once; a cycle is unsettled."""
        key = (kind, name)
        if key not in self._known:
            self._known[key] = _NO_VALUE
            budget = self.reading.budget
            doubts = budget.doubts
            try:
                self._known[key] = budget.keep(work())
            finally:
                budget.doubts = doubts  # a refusal there is caught by no try() here
                if self._known[key] is _NO_VALUE:
                    del self._known[key]
        value = self._known[key]
        if value is _NO_VALUE:
            raise UnsettledError(
                Unsettled(f"{kind}.{name} refers to itself: Terraform refuses that", "break the cycle")
            )
        return value

    def local(self, name: str) -> object:
        """A local value."""
        return self._once("local", name, lambda: self._local(name))

    def _local(self, name: str) -> object:
        attribute = self.files.local(name)
        if attribute is None:
            return self._undeclared(f"local.{name}")
        return outcome(attribute.expr, self.scope(attribute.source))

    def _undeclared(self, what: str) -> Unsettled:
        return Unsettled(f"{what} is not declared in {self.files.place.file}", "declare it, or correct the name")

    def output(self, name: str) -> object:
        """An output's value."""
        return self._once("output", name, lambda: self._output(name))

    def _output(self, name: str) -> object:
        block = self.files.block("output", name)
        value = block.body.attributes.get("value") if block else None
        if block is None or value is None:
            return self._undeclared(f"output.{name}")
        if self._is_true(block, "sensitive") or self._is_true(block, "ephemeral"):
            return Unsettled(f"output {name} is marked as sensitive", "", block.place, sensitive=True)
        return outcome(value.expr, self.scope(value.source))

    def outputs(self) -> dict[str, object]:
        """All outputs."""
        return {name: self.output(name) for (name,) in self.files.keys("output")}

    def variable(self, name: str) -> object:
        """A variable's value, as its type says."""
        return self._once("var", name, lambda: self._variable(name))

    def _variable(self, name: str) -> object:
        block = self.files.block("variable", name)
        if block is None:
            return self._undeclared(f"var.{name}")
        said = block.body.attributes.get("type")
        of = ANY
        try:
            of = self._type(said)
            value = self._given(name, block, of)
            if isinstance(value, Unsettled):
                return typed(value, of)
            if self._is_true(block, "sensitive") or self._is_true(block, "ephemeral"):
                return typed(Unsettled(f"var.{name} is marked as sensitive", "", block.place, sensitive=True), of)
            return convert(value, of, lambda expr: outcome(expr, self.scope(said.source if said else block.source)))
        except RefusedError as refusal:
            why = f"Terraform refuses the value of var.{name}: {refusal}"
            return typed(Unsettled(why, "correct the value", block.place), of)
        except UnsettledError as unknown:
            return typed(unknown.unsettled, of)

    def _type(self, said: Attribute | None) -> Type:
        if said is None:
            return ANY
        if isinstance(said.expr, Literal) and isinstance(said.expr.value, str) and "(" in said.expr.value:
            return parse_type(parse_expression(said.expr.value, said.source, self.reading.library.limits).expr)
        return parse_type(said.expr)

    def _given(self, name: str, block: Block, of: Type) -> object:
        """What the variable is given: from outside, by the call, or its default."""
        value: object = _NO_VALUE
        if self.call is not None and self.parent is not None:
            argument = self.call.body.attributes.get(name)
            if argument is not None:
                value = outcome(argument.expr, self.parent.scope(argument.source).with_names(self.names))
        elif given := self.given.get(name) or self.given.get(ANY_VARIABLE):
            if given.unsettled is not None:
                return given.unsettled
            value = outcome(given.expression(of, self.reading), Scope(None, self.reading.budget, given.source, {}))
        default = block.body.attributes.get("default")
        null_too = value is None and self._is_false(block, "nullable")
        if value is not _NO_VALUE and not null_too:
            return value
        if default is not None:
            return outcome(default.expr, self.scope(default.source))
        where = f"{self.address}: " if self.address else ""
        how = f"--var {name}=…, or a plan" if self.call is None else "give it in the module's call"
        return Unsettled(f"{where}var.{name} has no value", how, block.place)

    def _is_true(self, block: Block, name: str) -> bool:
        return self._flag(block, name) not in {None, False}

    def _is_false(self, block: Block, name: str) -> bool:
        return self._flag(block, name) is False

    def _flag(self, block: Block, name: str) -> object:
        expr = block.body.expr(name)
        if expr is None:
            return None
        value = outcome(expr, self.scope(block.source))
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value

    # Resources

    def _expansion(self, *key: str) -> Expansion | None:
        """The instances of a resource or module call; None if there is no such block."""
        if key not in self._expansions:
            block = self.files.block(*key)
            if block is None:
                return None
            work = self._once("instances of " + key[0], ".".join(key[1:]), lambda: self._expanded(block))
            self._expansions[key] = work
        return self._expansions[key]

    def _expanded(self, block: Block) -> Expansion:
        return expand(block.body, self.scope(block.source))

    def instances(self, kind: str, type_: str, label: str) -> list[Instance]:
        """The instances of a resource or data source; one that may exist comes last."""
        key = (kind, type_, label)
        if key not in self._instances:
            self._instances[key] = list(self._made(key))
        return self._instances[key]

    def _made(self, key: tuple[str, str, str]) -> Iterator[Instance]:
        block = self.files.block(*key)
        if block is None:
            return
        broken = Unsettled("its block does not parse", "correct the syntax", block.broken) if block.broken else None
        try:
            found = self._expansion(*key)
        except UnsettledError as unknown:
            found = Expansion("single", [], unknown.unsettled)
        if found is None:
            return
        prefix = f"{self.address}." if self.address else ""
        address = f"{prefix}{'data.' if key[0] == 'data' else ''}{key[1]}.{key[2]}"
        budget = self.reading.budget
        for instance, names in found.instances:
            budget.spend(budget.limits.instance_steps)
            yield Instance(self, block, address + key_text(instance), names, self.maybe or broken)
        if found.open:
            yield Instance(self, block, address + SYMBOL, found.symbol, self.maybe or found.open)

    def resource_value(self, kind: str, type_: str, label: str) -> object:
        """What a reference to a resource stands for: an instance, a list or map of them."""
        found = self._expansion(kind, type_, label)
        if found is None:
            return self._undeclared(f"{'data.' if kind == 'data' else ''}{type_}.{label}")
        instances = self.instances(kind, type_, label)
        return _collected(found, instances)

    # Modules

    def modules(self, label: str) -> "list[Module]":
        """The instances of a module call; one that may exist comes last; none where it isn't here."""
        if label not in self._modules:
            self._modules[label] = []  # what a cycle sees
            self._modules[label] = list(self._called(label))
        return self._modules[label]

    def _called(self, label: str) -> "Iterator[Module]":
        block = self.files.block("module", label)
        if block is None:
            return
        files = find_module(self, label, block)
        if isinstance(files, Omission):
            self.reading.omit(files)
            return
        try:
            found = self._expansion("module", label)
        except UnsettledError as unknown:
            found = Expansion("single", [], unknown.unsettled)
        if found is None:
            return
        address = shown_name(self, label)
        broken = Unsettled("its block does not parse", "correct the syntax", block.broken) if block.broken else None
        for key, names in found.instances:
            self._count(block)
            yield Module(self.reading, files, address + key_text(key), self, block, names, self.maybe or broken)
        if found.open:
            self._count(block)
            yield Module(self.reading, files, address + SYMBOL, self, block, found.symbol, self.maybe or found.open)

    def _count(self, block: Block) -> None:
        limits = self.reading.library.limits
        self.reading.modules += 1
        if self.reading.modules > limits.modules:
            why = f"there are more than {limits.modules} modules, the limit here"
            self.reading.omit(Omission(why, "a plan", block.place))
            raise UnsettledError(Unsettled(why, "a plan", block.place))

    def module_value(self, label: str) -> object:
        """What a reference to a module stands for: its outputs, a list or map of them."""
        found = self._expansion("module", label)
        if found is None:
            return self._undeclared(f"module.{label}")
        modules = self.modules(label)
        if not modules and (found.instances or found.open):
            return Unsettled(f"module.{label} is not here to be read", "terraform init, or a plan")
        return _collected(found, [Outputs(module) for module in modules])

    # Providers

    def provider_project(self, name: str, alias: str) -> object:
        """The `project` of a provider's configuration as this module sees it; None if it says none."""
        return self._once("provider", f"{name}.{alias}", lambda: self._provider_project(name, alias))

    def _provider_project(self, name: str, alias: str) -> object:
        if self.parent and self.call:
            passed = _passed(self.call.body.expr("providers"))
            wanted = (name, alias) if alias else (name,)
            if wanted in passed:
                their = passed[wanted]
                return self.parent.provider_project(their[0], their[1] if len(their) > 1 else "")
        block = self.files.provider(name, alias)
        if block is not None:
            project = block.body.attributes.get("project")
            return outcome(project.expr, self.scope(project.source)) if project else None
        if self.parent and not alias:
            return self.parent.provider_project(name, "")
        return None


def _passed(expr: Expr | None) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The `providers` of a module call: theirs by ours."""
    if not isinstance(expr, ObjectOf):
        return {}
    return {reference(key): reference(value) for key, value in expr.items if reference(key) and reference(value)}


def _collected(found: Expansion, instances: list[Any]) -> object:
    if found.open is not None:
        return found.open
    if found.mode == "single":
        return instances[0] if instances else Unsettled("it refers to itself", "break the cycle")
    if found.mode == "count":
        return instances
    return {str(key): one for (key, _), one in zip(found.instances, instances, strict=True)}


class Namespace(Lazy):
    """`var`, `local`, `module`, a resource's type: names that are looked up one by one."""

    __slots__ = ("look_up",)

    def __init__(self, look_up: Callable[[str], object]) -> None:
        self.look_up = look_up

    def get(self, name: str) -> object:
        """The value of a name."""
        return self.look_up(name)

    def all(self) -> Unsettled:
        """Not known: Terraform refuses such a reference."""
        return Unsettled("this refers to no single value: Terraform refuses that", "complete the reference")


class Outputs(Lazy):
    """A module's outputs."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        self.module = module

    def get(self, name: str) -> object:
        """One output."""
        return self.module.output(name)

    def all(self) -> dict[str, object]:
        """All outputs."""
        return self.module.outputs()

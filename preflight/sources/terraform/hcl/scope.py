"""Where an expression is evaluated: the names it can use, the file it is in, and what may still be spent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.repository import Repository
from preflight.sources.terraform.hcl.syntax import Source
from preflight.sources.terraform.hcl.values import UnsettledError, parts_of
from preflight.sources.terraform.resources import Unsettled


class ExhaustedError(Exception):
    """The steps of this read are spent. Only the reader catches it."""


class Budget:
    """What a read may still spend: steps, and how deep it is."""

    __slots__ = ("depth", "doubts", "limits", "steps")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.steps = limits.steps
        self.depth = 0
        self.doubts = 0
        """How often a part was unsettled that Terraform may come to refuse: `try()` may go on where we don't."""

    def spend(self, steps: int) -> None:
        """Takes steps; raises ExhaustedError when there are none left."""
        self.steps -= steps
        if self.steps < 0:
            raise ExhaustedError

    def text(self, text: str) -> str:
        """The text, paid for by its length; UnsettledError past the limit."""
        if len(text) > self.limits.text:
            raise UnsettledError(Unsettled(f"a text is longer than {self.limits.text} characters, the limit here"))
        self.spend(len(text) >> 6)
        return text

    def keep(self, value: object) -> object:
        """The value, paid for by its parts; unsettled past the limit."""
        parts = parts_of(value, self.limits.parts) if isinstance(value, list | dict) else 0
        self.spend(parts >> 3)
        if parts > self.limits.parts:
            return Unsettled(f"a value has more than {self.limits.parts} parts, the limit here", "a plan")
        return value

    def room(self, elements: int) -> None:
        """Pays for a collection of so many elements before it is made; UnsettledError past the limit."""
        if elements > self.limits.elements:
            raise UnsettledError(
                Unsettled(f"a collection has more than {self.limits.elements} elements, the limit here")
            )
        self.spend(elements)


class Surroundings(Protocol):
    """What a module offers to its expressions."""

    repository: Repository
    folder: Path

    def root(self, name: str) -> object:
        """The value of a reference's first name: `var`, `local`, `module`, a resource's type. Raises RefusedError."""


class Scope:
    """The names of one place. Nothing in it changes: a loop's body gets a scope of its own."""

    __slots__ = ("budget", "names", "source", "surroundings")

    def __init__(
        self, surroundings: Surroundings | None, budget: Budget, source: Source, names: Mapping[str, object]
    ) -> None:
        self.surroundings = surroundings
        self.budget = budget
        self.source = source
        self.names = names

    def with_names(self, names: Mapping[str, object]) -> "Scope":
        """The same place with more names; they hide others."""
        return Scope(self.surroundings, self.budget, self.source, {**self.names, **names})

    def inside(self, source: Source) -> "Scope":
        """The same names in another file."""
        return self if source is self.source else Scope(self.surroundings, self.budget, source, self.names)

"""What both kinds of Terraform input come down to: resources with their values, and what may be missing beside them.

HCL and plans are read by rooms of their own (`hcl/`, `plan.py`); what resources mean for a project is said once, in
`semantics/`, for both.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where in a file something is said."""

    file: str
    """The path from the repository's root, or the plan's path as it was given; with `/`."""
    line: int = 0
    """From 1; 0: the file as a whole."""
    column: int = 0
    """From 1, counted in characters; 0: not known."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Unsettled(Struct, frozen=True):
    """A value that can't be told from the input. Never a default, never null."""

    why: str
    """What it hangs on: `var.project_id has no value`, `google_project.main.number is known after apply`."""
    settled_by: str = ""
    """What would settle it: `--var project_id=…, or a plan`. Empty: only applying it."""
    place: Place | None = None
    sensitive: bool = False
    """The input says that it is a secret: it is neither kept nor shown."""


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Unsettled | None"
"""A value of Terraform: sets and tuples are lists, objects and maps are dicts; any part may be unsettled."""


class Change(StrEnum):
    """What a plan does with a resource. HCL alone tells none: what it declares is `declared`."""

    DECLARED = "declared"
    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    """Deleted and created, in whichever order."""
    FORGET = "forget"
    """It leaves Terraform's state and stays in the cloud."""
    READ = "read"
    """A data source."""


class Resource(Struct, frozen=True, kw_only=True):
    """One instance of a resource or data source, as it will be."""

    address: str
    """`module.a["x"].google_project_iam_member.this[0]`."""
    type: str
    data: bool = False
    """A data source: it tells, and makes nothing."""
    values: dict[str, Value]
    """Its arguments (and from a plan its attributes) after the change; for a deletion those before it."""
    before: dict[str, Value] | None = None
    """A plan's view of it before the change; None where there is none."""
    change: Change = Change.DECLARED
    place: Place
    """The block's first line in HCL."""
    places: dict[str, Place] = {}
    """Where each argument is written, as far as that is known."""
    maybe: Unsettled | None = None
    """Not None: whether there is such an instance at all (and how many) hangs on this; `values` may then hold
    unsettled keys of its iteration."""
    providers_project: Value = None
    """The provider's own `project`, which stands in where the resource names none; None: it has none."""


class Omission(Struct, frozen=True):
    """What was not read and may hold resources: a module that isn't here, a file that doesn't parse."""

    why: str
    settled_by: str
    place: Place
    types: frozenset[str] | None = None
    """The types that may be in it; None: any."""


class Declared(Struct, frozen=True, kw_only=True):
    """All resources of one root module or plan."""

    root: Place
    """The root's folder, or the plan."""
    resources: tuple[Resource, ...]
    omissions: tuple[Omission, ...] = ()

    def of(self, *types: str) -> tuple[Resource, ...]:
        """The resources of these types, data sources apart, in their order."""
        return tuple(one for one in self.resources if one.type in types and not one.data)

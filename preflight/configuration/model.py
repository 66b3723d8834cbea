"""The form of `preflight.toml`: which projects a repository makes ready for a vendor, and how its roots are read."""

import json
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from preflight.errors import UsageError
from preflight.profile import DEFAULT_PROFILE, parse_principal
from preflight.target import parse_project

SCHEMA_ID = "urn:preflight:config:1.0"


class Part(StrEnum):
    """A part of a project that a repository may own: what it doesn't declare of that part isn't there."""

    PROJECT = "project"
    BILLING = "billing"
    API = "api"
    IAM = "iam"
    """Inherited grants too."""
    DATASET = "dataset"


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """Every table: an unknown key is an error."""


Name = Annotated[str, Meta(min_length=1)]
Reasons = Annotated[
    dict[str, Name],
    Meta(description="Rules that are left out for good, each with the reason, which reports print."),
]


class ProjectTable(_Table, frozen=True, kw_only=True):
    """A project that this repository makes ready for a vendor, by its ID."""

    profile: Annotated[Name, Meta(description="The vendor's profile: its name.")] = DEFAULT_PROFILE
    principal: Annotated[Name, Meta(description="Judge this user or service account, not the profile's.")] | None = None
    dataset: Annotated[Name, Meta(description="The destination dataset's name.")] | None = None
    location: Annotated[Name, Meta(description="Where the vendor is to keep its data: EU, US, or a region.")] | None = (
        None
    )
    owns: Annotated[
        tuple[Part, ...],
        Meta(
            description="What this repository alone decides: of these parts, what it doesn't declare isn't there. iam "
            "covers inherited grants too."
        ),
    ] = ()
    roots: Annotated[
        tuple[Name, ...],
        Meta(description="The root modules that declare this project; without it all of them may."),
    ] = ()
    skip: Reasons = {}

    def __post_init__(self) -> None:
        if self.principal is not None:
            parse_principal(self.principal)


class RootTable(_Table, frozen=True, kw_only=True):
    """One way in which a root module is applied; a root may be listed several times, with other variables."""

    path: Annotated[Name, Meta(description="The root module's folder, from this file's.")]
    var_files: Annotated[
        tuple[Name, ...], Meta(description="Files of variables (--var-file), from this file's folder.")
    ] = ()
    vars: Annotated[dict[str, Any], Meta(description="Values of variables (--var).")] = {}
    workspace: Annotated[Name, Meta(description="The workspace that terraform.workspace names.")] = "default"

    @property
    def given(self) -> tuple[str, ...]:
        """The variables as Terraform's options have them: `name=value`."""
        return tuple(f"{name}={_option(value)}" for name, value in self.vars.items())

    def __post_init__(self) -> None:
        for name, value in self.vars.items():
            try:
                _option(value)
            except TypeError:
                raise ValueError(
                    f"the value of '{name}' is a date, which Terraform has none of: write a text"
                ) from None


def _option(value: Any) -> str:
    """A value in Terraform's language, where a text is written as it is: JSON is a part of that language."""
    return value if isinstance(value, str) else json.dumps(value)


class Configuration(_Table, frozen=True, kw_only=True):
    """What a repository says of itself."""

    projects: Annotated[dict[str, ProjectTable], Meta(description="The projects to judge, by ID.")] = {}
    roots: Annotated[
        tuple[RootTable, ...],
        Meta(description="The root modules, and what each is applied with; without it they are looked for."),
    ] = ()
    rules: Annotated[tuple[Name, ...], Meta(description="Judge by these rules alone, by ID.")] = ()
    skip: Reasons = {}

    def __post_init__(self) -> None:
        for name in self.projects:
            try:
                parse_project(name)
            except UsageError as error:
                raise ValueError(error.message.rstrip(".")) from None


def json_schema() -> str:
    """The JSON Schema of `preflight.toml`, for editors."""
    described = msgspec.json.schema(Configuration)
    root = described["$defs"].pop("Configuration")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "preflight.toml",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": described["$defs"],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

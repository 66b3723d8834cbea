"""The world that the stand-in serves: projects, their ancestors, policies, datasets, callers.

Everything here is data, decoded from ``world.toml`` (an unknown key is an error) or built from a recording.
Keys are those of the TOML file; the shapes that Google's JSON has are made in `preflight.emulator.methods`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from preflight.emulator.recordings import first_of_each, read_project
from preflight.emulator.world_files import WorldError, read_toml

NEW_PROJECT_SERVICES = ("bigquery.googleapis.com", "serviceusage.googleapis.com")
"""On in a new project; Resource Manager, Billing and IAM are not (Google's documentation)."""

AUDITOR = "auditor@example.org"
"""The caller of a recording: it sees all that was recorded."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all that a world file may hold."""


class Condition(Strict, frozen=True):
    """A condition of a binding; `expression` is CEL."""

    expression: str
    title: str = ""
    description: str = ""


class Binding(Strict, frozen=True):
    """One role for some members, perhaps under a condition. Order and repeated members are kept."""

    role: str
    members: tuple[str, ...] = ()
    condition: Condition | None = None


class DenyRule(Strict, frozen=True):
    """One rule of a deny policy; principals and permissions are in IAM's v2 form."""

    denied_principals: tuple[str, ...]
    denied_permissions: tuple[str, ...]
    exception_principals: tuple[str, ...] = ()
    exception_permissions: tuple[str, ...] = ()
    condition: Condition | None = None


class DenyPolicy(Strict, frozen=True):
    """A deny policy attached to a project, folder or organisation."""

    name: str
    rules: tuple[DenyRule, ...]


class OrgPolicy(Strict, frozen=True):
    """What is set for one constraint: `rules` in the shape of the API's JSON (`PolicySpec.rules`)."""

    rules: tuple[dict[str, Any], ...] = ()
    inherit_from_parent: bool = False
    reset: bool = False


class Role(Strict, frozen=True):
    """A predefined role (``roles/x``) or a custom one (full name, or its ID alone in its parent's list)."""

    name: str
    title: str = ""
    description: str = ""
    permissions: tuple[str, ...] = ()
    stage: str = "GA"
    deleted: bool = False
    etag: str = ""


class Table(Strict, frozen=True):
    """A table of a dataset; `type` is BigQuery's word for it."""

    id: str
    type: Literal["TABLE", "VIEW", "MATERIALIZED_VIEW", "EXTERNAL", "SNAPSHOT"] = "TABLE"


class Dataset(Strict, frozen=True):
    """A dataset; `access` holds entries in the shape of BigQuery's JSON, `more` other keys of that JSON."""

    id: str
    location: str = "US"
    access: tuple[dict[str, Any], ...] = ()
    tables: tuple[Table, ...] = ()
    labels: dict[str, str] = {}
    hidden: bool = False
    more: dict[str, Any] = {}


class Billing(Strict, frozen=True):
    """The linked account. None linked: `account` is empty; account closed: `enabled` is false."""

    account: str = ""
    enabled: bool = False


class Node(Strict, frozen=True, kw_only=True):
    """What projects, folders and organisations have in common.

    `tags` maps a tag key's namespaced name (``123/env``) to a value's short name; `org_policies` a constraint
    (``gcp.resourceLocations``) to what is set for it here. `withheld` lists method ids that answer 403 here whoever
    asks: in a recording, what was not recorded.
    """

    display_name: str = ""
    bindings: tuple[Binding, ...] = ()
    audit_configs: tuple[dict[str, Any], ...] = ()
    policy_etag: str = ""
    deny: tuple[DenyPolicy, ...] = ()
    tags: dict[str, str] = {}
    org_policies: dict[str, OrgPolicy] = {}
    withheld: tuple[str, ...] = ()
    etag: str = ""
    create_time: str = "2021-03-01T09:00:00Z"
    update_time: str = "2021-03-01T09:00:00Z"

    @property
    def name(self) -> str:
        """The resource name, such as ``folders/1``."""
        raise NotImplementedError


class Organization(Node, frozen=True, kw_only=True):
    """An organisation; users whose e-mail has its display name as domain belong to its directory."""

    id: str
    directory_customer_id: str = "C00000000"
    state: str = "ACTIVE"
    roles: tuple[Role, ...] = ()

    @property
    def name(self) -> str:
        """``organizations/N``."""
        return f"organizations/{self.id}"


class Folder(Node, frozen=True, kw_only=True):
    """A folder; `parent` is ``folders/N`` or ``organizations/N``."""

    id: str
    parent: str
    state: str = "ACTIVE"

    @property
    def name(self) -> str:
        """``folders/N``."""
        return f"folders/{self.id}"


class Project(Node, frozen=True, kw_only=True):
    """A project. `services` are the enabled ones; where `services_complete` is false, others may be."""

    id: str
    number: str
    parent: str = ""
    state: str = "ACTIVE"
    delete_time: str = ""
    labels: dict[str, str] = {}
    services: tuple[str, ...] = NEW_PROJECT_SERVICES
    services_complete: bool = True
    services_next_page: str = ""
    recorded_services: dict[str, dict[str, Any]] = {}
    billing: Billing = Billing()
    roles: tuple[Role, ...] = ()
    datasets: tuple[Dataset, ...] = ()

    @property
    def name(self) -> str:
        """``projects/NUMBER``."""
        return f"projects/{self.number}"


class Group(Strict, frozen=True):
    """A Google group with its direct members (``user:…``, ``serviceAccount:…``, ``group:…``).

    Its members see who is in it; `viewers` do too (``user:…``, ``domain:…`` and so on).
    """

    email: str
    members: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()


class Caller(Strict, frozen=True):
    """Somebody whose token the stand-in knows.

    `project` is a service account's own project, where the e-mail doesn't tell it, `bindings` the grants on the
    account itself; `sees_all` gives every permission to read, as the auditor of a recording has.
    """

    email: str
    kind: Literal["user", "service_account"] = "user"
    token: str = ""
    expired: bool = False
    email_scope: bool = True
    project: str = ""
    bindings: tuple[Binding, ...] = ()
    sees_all: bool = False

    @property
    def bearer(self) -> str:
        """The token that stands for this caller."""
        return self.token or f"token-for-{self.email}"

    @property
    def member(self) -> str:
        """The caller as policies write it."""
        return ("serviceAccount:" if self.kind == "service_account" else "user:") + self.email


class ServiceAccount(Node, frozen=True, kw_only=True):
    """A service account as something that grants are made on; the directory makes it of its caller."""

    email: str
    parent: str = ""

    @property
    def name(self) -> str:
        """``projects/ID/serviceAccounts/EMAIL``."""
        return f"{self.parent or 'projects/-'}/serviceAccounts/{self.email}"


class World(Strict, frozen=True):
    """All that the stand-in knows. `now` stops the clock for conditions; `roles` adds predefined roles."""

    callers: tuple[Caller, ...] = ()
    groups: tuple[Group, ...] = ()
    organizations: tuple[Organization, ...] = ()
    folders: tuple[Folder, ...] = ()
    projects: tuple[Project, ...] = ()
    roles: tuple[Role, ...] = ()
    now: datetime | None = None

    @classmethod
    def load(cls, path: str | Path) -> "World":
        """A world file, a folder with ``world.toml``, a recorded project, or a folder of recorded projects.

        Raises `WorldError`, which names the file, for whatever can't be read.
        """
        path = Path(path)
        if path.is_file():
            return _built(read_toml(path), path)
        if (path / "world.toml").is_file():
            return _built(read_toml(path / "world.toml"), path / "world.toml")
        if (path / "project.json").is_file():
            return cls.recording(path)
        folders = sorted(child.parent for child in path.glob("*/project.json"))
        if not folders:
            raise WorldError(f"{path}: neither a world file nor a folder with world.toml or project.json")
        return _merged([cls.recording(folder) for folder in folders])

    @classmethod
    def recording(cls, path: str | Path, auditor: str = AUDITOR) -> "World":
        """One recorded project (a folder with ``project.json``); `auditor` is the caller who sees it all."""
        return _converted(read_project(Path(path), auditor), Path(path))

    @classmethod
    def demo(cls, name: str) -> "World":
        """One of the worlds that ship with the package; `demos` lists them."""
        if name not in cls.demos():
            raise WorldError(f"no demo world {name!r}; there are: {', '.join(cls.demos())}")
        return cls.load(Path(str(resources.files("preflight.emulator") / "worlds" / f"{name}.toml")))

    @staticmethod
    def demos() -> tuple[str, ...]:
        """The names of the worlds that ship with the package."""
        folder = resources.files("preflight.emulator") / "worlds"
        return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml")))

    def with_roles(self, roles: Mapping[str, Iterable[str]]) -> "World":
        """The same world, which also knows these predefined roles (name -> permissions); they win over others."""
        added = tuple(Role(name=name, permissions=tuple(held)) for name, held in roles.items())
        kept = tuple(role for role in self.roles if role.name not in roles)
        return msgspec.structs.replace(self, roles=kept + added)

    def with_callers(self, *callers: Caller) -> "World":
        """The same world with these callers; one of the same e-mail is replaced."""
        emails = {caller.email.lower() for caller in callers}
        kept = tuple(caller for caller in self.callers if caller.email.lower() not in emails)
        return msgspec.structs.replace(self, callers=kept + callers)


def _built(data: dict[str, Any], path: Path) -> World:
    world = _converted(data, path)
    _check(world, path)
    return world


def _converted(data: dict[str, Any], path: Path) -> World:
    try:
        return msgspec.convert(data, World)
    except msgspec.ValidationError as error:
        raise WorldError(f"{path}: {error}") from error


def _merged(worlds: Sequence[World]) -> World:
    """Several recordings as one world. Of things with the same name, the first one is served."""
    return World(
        callers=first_of_each((item for world in worlds for item in world.callers), lambda item: item.email.lower()),
        projects=first_of_each((item for world in worlds for item in world.projects), lambda item: item.id),
        folders=first_of_each((item for world in worlds for item in world.folders), lambda item: item.id),
        organizations=first_of_each((item for world in worlds for item in world.organizations), lambda item: item.id),
        roles=first_of_each((item for world in worlds for item in world.roles), lambda item: item.name),
    )


def _check(world: World, path: Path) -> None:
    """What the types can't say: names that must be unique, parents that must be names."""
    for kind, names in (
        ("project id", [project.id for project in world.projects]),
        ("project number", [project.number for project in world.projects]),
        ("folder", [folder.id for folder in world.folders]),
        ("organization", [organization.id for organization in world.organizations]),
        ("dataset", [f"{project.id}.{dataset.id}" for project in world.projects for dataset in project.datasets]),
        ("group", [group.email.lower() for group in world.groups]),
        ("caller", [caller.email.lower() for caller in world.callers]),
        ("token", [caller.bearer for caller in world.callers]),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                raise WorldError(f"{path}: {kind} {name!r} occurs twice")
    for caller in world.callers:
        if caller.bindings and caller.kind != "service_account":
            raise WorldError(f"{path}: caller {caller.email!r} has bindings, and is no service account")
    parents = [(project.name, project.parent) for project in world.projects]
    parents += [(folder.name, folder.parent) for folder in world.folders]
    for child, parent in parents:
        if parent and not parent.startswith(("folders/", "organizations/")):
            raise WorldError(f"{path}: parent {parent!r} of {child} is no folders/N or organizations/N")


@cache
def bundled_roles() -> dict[str, Role]:
    """The predefined roles that ship with the package (see README.md there for their source)."""
    text = (resources.files("preflight.emulator") / "roles.json").read_bytes()
    held = msgspec.json.decode(text, type=dict[str, tuple[str, ...]])
    return {name: Role(name=name, permissions=permissions) for name, permissions in held.items()}

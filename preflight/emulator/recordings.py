"""Worlds from recordings: folders of real API answers, one folder a project.

The layout: ``project.json`` (Resource Manager v3), ``iam-policy.json``, ``services.json`` (the first page of
Service Usage's list), ``iam-roles-custom.json``, ``iam-roles-get.json``, ``iam-roles-predefined-*.json.gz``,
``iam-service-accounts.json``, ``project_billing_info.json``, ``ancestor.json``. What a folder lacks is withheld:
those calls answer 403 to everybody. Nothing is taken for granted about numbers and IDs, which need not agree.
"""

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from preflight.emulator.world import (
    Billing,
    Binding,
    Caller,
    Condition,
    Folder,
    Organization,
    Project,
    Role,
    World,
    WorldError,
)

Thing = TypeVar("Thing")

_POLICY = ("cloudresourcemanager.projects.getIamPolicy", "cloudresourcemanager.projects.testIamPermissions")
_SERVICES = ("serviceusage.services.get", "serviceusage.services.batchGet", "serviceusage.services.list")
_BIGQUERY = ("bigquery.datasets.list", "bigquery.datasets.get", "bigquery.tables.list")
_ROLES = ("iam.projects.roles.get", "iam.projects.roles.list")
_NEVER_RECORDED = (
    "iam.policies.listPolicies",
    "iam.policies.get",
    "orgpolicy.projects.policies.getEffectivePolicy",
    "cloudresourcemanager.effectiveTags.list",
)


def load_project(folder: Path, auditor: str) -> World:
    """One recorded project, and `auditor`, who sees all of it. Raises `WorldError` for what can't be read."""
    project = _read(folder / "project.json")
    if not isinstance(project, dict) or not {"name", "projectId"} <= project.keys():
        raise WorldError(f"{folder / 'project.json'}: no project of Resource Manager v3 (name, projectId)")
    policy = _read(folder / "iam-policy.json")
    services = _read(folder / "services.json")
    billing = _read(folder / "project_billing_info.json")
    custom = _read(folder / "iam-roles-custom.json")
    roles = [_role(raw) for raw in _items(custom, "roles") + _items(_read(folder / "iam-roles-get.json"), "roles")]
    withheld = [*_BIGQUERY, *_NEVER_RECORDED]
    withheld += _POLICY if policy is None else ()
    withheld += _SERVICES if services is None else ()
    withheld += ("cloudbilling.projects.getBillingInfo",) if billing is None else ()
    withheld += _ROLES[1:] if custom is None else ()
    own_roles = _distinct(role for role in roles if role.name.startswith("projects/"))
    withheld += _ROLES[:1] if custom is None and not own_roles else ()
    recorded = {raw["config"]["name"]: raw for raw in _items(services, "services") if "config" in raw}
    folders, organizations = _ancestors(folder)
    policy = policy or {}
    info = billing or {}
    next_page = (services or {}).get("nextPageToken", "")
    built = Project(
        id=project["projectId"],
        number=str(project["name"]).removeprefix("projects/"),
        parent=project.get("parent", ""),
        state=project.get("state", "ACTIVE"),
        display_name=project.get("displayName", ""),
        create_time=project.get("createTime", ""),
        update_time=project.get("updateTime", ""),
        delete_time=project.get("deleteTime", ""),
        etag=project.get("etag", ""),
        labels=project.get("labels", {}),
        bindings=tuple(_binding(raw) for raw in policy.get("bindings", [])),
        audit_configs=tuple(policy.get("auditConfigs", [])),
        policy_etag=policy.get("etag", ""),
        services=tuple(recorded),
        services_complete=services is not None and not next_page,
        services_next_page=next_page,
        recorded_services=recorded,
        billing=Billing(info.get("billingAccountName", ""), bool(info.get("billingEnabled", False))),
        roles=own_roles,
        withheld=tuple(withheld),
    )
    accounts = _items(_read(folder / "iam-service-accounts.json"), "accounts")
    callers = [Caller(email=auditor, sees_all=True)]
    callers += [Caller(email=raw["email"], kind="service_account") for raw in accounts if "email" in raw]
    predefined = [role for role in roles if role.name.startswith("roles/")] + _predefined(folder)
    return World(
        callers=_distinct_callers(callers),
        projects=(built,),
        folders=folders,
        organizations=organizations,
        roles=_distinct(predefined),
    )


def merge(worlds: Iterable[World]) -> World:
    """Several recordings as one world. Of things with the same name, the first one is served."""
    worlds = list(worlds)
    return World(
        callers=_distinct_callers(caller for world in worlds for caller in world.callers),
        projects=_first((item for world in worlds for item in world.projects), lambda item: item.id),
        folders=_first((item for world in worlds for item in world.folders), lambda item: item.id),
        organizations=_first((item for world in worlds for item in world.organizations), lambda item: item.id),
        roles=_distinct(role for world in worlds for role in world.roles),
    )


def _read(path: Path) -> Any:
    """The JSON of a file; None if there is no such file."""
    try:
        raw = path.read_bytes()
        return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise WorldError(f"{path}: {error}") from error


def _items(body: Any, key: str) -> list[dict[str, Any]]:
    """The list under `key`; an empty list comes as a missing key."""
    found = body.get(key, []) if isinstance(body, dict) else []
    return [item for item in found if isinstance(item, dict)]


def _binding(raw: dict[str, Any]) -> Binding:
    condition = raw.get("condition")
    return Binding(
        role=raw.get("role", ""),
        members=tuple(raw.get("members", [])),
        condition=Condition(
            expression=condition.get("expression", ""),
            title=condition.get("title", ""),
            description=condition.get("description", ""),
        )
        if isinstance(condition, dict)
        else None,
    )


def _role(raw: dict[str, Any]) -> Role:
    return Role(
        name=raw.get("name", ""),
        title=raw.get("title", ""),
        description=raw.get("description", ""),
        permissions=tuple(raw.get("includedPermissions", [])),
        stage=raw.get("stage", "ALPHA"),  # the enum's zero value, which Google's JSON leaves out
        deleted=raw.get("deleted", False),
        etag=raw.get("etag", ""),
    )


def _predefined(folder: Path) -> list[Role]:
    pages = sorted(folder.glob("iam-roles-predefined-*.json*"))
    return [_role(raw) for path in pages for raw in _items(_read(path), "roles")]


def _ancestors(folder: Path) -> tuple[tuple[Folder, ...], tuple[Organization, ...]]:
    """The chain that Resource Manager v1's getAncestry tells: who is above whom, and nothing else of them."""
    names = []
    for entry in _items(_read(folder / "ancestor.json"), "ancestor"):
        identity = entry.get("resourceId", {})
        names.append((identity.get("type", ""), identity.get("id", "")))
    folders, organizations = [], []
    for index, (kind, number) in enumerate(names):
        above = names[index + 1] if index + 1 < len(names) else ("", "")
        withheld = (
            tuple(f"cloudresourcemanager.{kind}s.{verb}" for verb in ("get", "getIamPolicy", "testIamPermissions"))
            + _NEVER_RECORDED
        )
        if kind == "folder":
            parent = f"{above[0]}s/{above[1]}" if above[0] else ""
            folders.append(Folder(id=number, parent=parent, withheld=withheld))
        elif kind == "organization":
            organizations.append(Organization(id=number, withheld=withheld))
    return tuple(folders), tuple(organizations)


def _first(items: Iterable[Thing], key: Callable[[Thing], str]) -> tuple[Thing, ...]:
    """The first of each name, in order."""
    found: dict[str, Thing] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())


def _distinct(roles: Iterable[Role]) -> tuple[Role, ...]:
    return _first(roles, lambda role: role.name)


def _distinct_callers(callers: Iterable[Caller]) -> tuple[Caller, ...]:
    return _first(callers, lambda caller: caller.email.lower())

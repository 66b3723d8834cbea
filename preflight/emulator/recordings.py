"""Worlds from recordings: folders of real API answers, one folder a project.

The layout: ``project.json`` (Resource Manager v3), ``iam-policy.json``, ``services.json`` (the first page of
Service Usage's list), ``iam-roles-custom.json``, ``iam-roles-get.json``, ``iam-roles-predefined-*.json.gz``,
``iam-service-accounts.json``, ``project_billing_info.json``, ``ancestor.json``. What a folder lacks is withheld:
those calls answer 403 to everybody. Nothing is taken for granted about numbers and IDs, which need not agree.

What is read has the keys of a world file; `preflight.emulator.world` makes a world of it.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from preflight.emulator.world_files import WorldError, read_json

Thing = TypeVar("Thing")
Data = dict[str, Any]

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


def read_project(folder: Path, auditor: str) -> Data:
    """One recorded project, and `auditor`, who sees all of it. Raises `WorldError` for what can't be read."""
    project = read_json(folder / "project.json")
    if not isinstance(project, dict) or not {"name", "projectId"} <= project.keys():
        raise WorldError(f"{folder / 'project.json'}: no project of Resource Manager v3 (name, projectId)")
    policy = read_json(folder / "iam-policy.json")
    services = read_json(folder / "services.json")
    billing = read_json(folder / "project_billing_info.json")
    custom = read_json(folder / "iam-roles-custom.json")
    roles = [_role(raw) for raw in _items(custom, "roles") + _items(read_json(folder / "iam-roles-get.json"), "roles")]
    withheld = [*_BIGQUERY, *_NEVER_RECORDED]
    withheld += _POLICY if policy is None else ()
    withheld += _SERVICES if services is None else ()
    withheld += ("cloudbilling.projects.getBillingInfo",) if billing is None else ()
    withheld += _ROLES[1:] if custom is None else ()
    own_roles = _distinct(role for role in roles if role["name"].startswith("projects/"))
    withheld += _ROLES[:1] if custom is None and not own_roles else ()
    recorded = {raw["config"]["name"]: raw for raw in _items(services, "services") if "config" in raw}
    folders, organizations = _ancestors(folder)
    policy = policy or {}
    info = billing or {}
    next_page = (services or {}).get("nextPageToken", "")
    built: Data = {
        "id": project["projectId"],
        "number": str(project["name"]).removeprefix("projects/"),
        "parent": project.get("parent", ""),
        "state": project.get("state", "ACTIVE"),
        "display_name": project.get("displayName", ""),
        "create_time": project.get("createTime", ""),
        "update_time": project.get("updateTime", ""),
        "delete_time": project.get("deleteTime", ""),
        "etag": project.get("etag", ""),
        "labels": project.get("labels", {}),
        "bindings": tuple(_binding(raw) for raw in policy.get("bindings", [])),
        "audit_configs": tuple(policy.get("auditConfigs", [])),
        "policy_etag": policy.get("etag", ""),
        "services": tuple(recorded),
        "services_complete": services is not None and not next_page,
        "services_next_page": next_page,
        "recorded_services": recorded,
        "billing": {"account": info.get("billingAccountName", ""), "enabled": bool(info.get("billingEnabled", False))},
        "roles": own_roles,
        "withheld": tuple(withheld),
    }
    accounts = _items(read_json(folder / "iam-service-accounts.json"), "accounts")
    callers: list[Data] = [{"email": auditor, "sees_all": True}]
    callers += [{"email": raw["email"], "kind": "service_account"} for raw in accounts if "email" in raw]
    predefined = [role for role in roles if role["name"].startswith("roles/")] + _predefined(folder)
    return {
        "callers": _distinct(callers, "email"),
        "projects": [built],
        "folders": folders,
        "organizations": organizations,
        "roles": _distinct(predefined),
    }


def first_of_each(things: Iterable[Thing], name: Callable[[Thing], str]) -> tuple[Thing, ...]:
    """Of things with the same name, the first one; in order."""
    found: dict[str, Thing] = {}
    for thing in things:
        found.setdefault(name(thing), thing)
    return tuple(found.values())


def _items(body: Any, key: str) -> list[Data]:
    """The list under `key`; an empty list comes as a missing key."""
    found = body.get(key, []) if isinstance(body, dict) else []
    return [item for item in found if isinstance(item, dict)]


def _binding(raw: Data) -> Data:
    condition = raw.get("condition")
    return {
        "role": raw.get("role", ""),
        "members": tuple(raw.get("members", [])),
        "condition": {key: condition.get(key, "") for key in ("expression", "title", "description")}
        if isinstance(condition, dict)
        else None,
    }


def _role(raw: Data) -> Data:
    return {
        "name": raw.get("name", ""),
        "title": raw.get("title", ""),
        "description": raw.get("description", ""),
        "permissions": tuple(raw.get("includedPermissions", [])),
        "stage": raw.get("stage", "ALPHA"),  # the enum's zero value, which Google's JSON leaves out
        "deleted": raw.get("deleted", False),
        "etag": raw.get("etag", ""),
    }


def _predefined(folder: Path) -> list[Data]:
    pages = sorted(folder.glob("iam-roles-predefined-*.json*"))
    return [_role(raw) for path in pages for raw in _items(read_json(path), "roles")]


def _ancestors(folder: Path) -> tuple[list[Data], list[Data]]:
    """The chain that Resource Manager v1's getAncestry tells: who is above whom, and nothing else of them."""
    names = []
    for entry in _items(read_json(folder / "ancestor.json"), "ancestor"):
        identity = entry.get("resourceId", {})
        names.append((identity.get("type", ""), identity.get("id", "")))
    folders: list[Data] = []
    organizations: list[Data] = []
    for index, (kind, number) in enumerate(names):
        above = names[index + 1] if index + 1 < len(names) else ("", "")
        withheld = (
            tuple(f"cloudresourcemanager.{kind}s.{verb}" for verb in ("get", "getIamPolicy", "testIamPermissions"))
            + _NEVER_RECORDED
        )
        if kind == "folder":
            parent = f"{above[0]}s/{above[1]}" if above[0] else ""
            folders.append({"id": number, "parent": parent, "withheld": withheld})
        elif kind == "organization":
            organizations.append({"id": number, "withheld": withheld})
    return folders, organizations


def _distinct(things: Iterable[Data], key: str = "name") -> tuple[Data, ...]:
    return first_of_each(things, lambda thing: str(thing[key]).lower() if key == "email" else str(thing[key]))

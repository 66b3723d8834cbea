"""A made-up cloud that audits and questions about access are tried on, and the export that Google would make of it."""

import json
from pathlib import Path
from typing import Any

from preflight.emulator import World
from preflight.testing import world

_RM = "cloudresourcemanager.googleapis.com"
EMPTY = """
[[callers]]
email = "admin@acme.example"

[[organizations]]
id = "9"
display_name = "acme.example"

[[organizations.bindings]]
role = "roles/iam.securityAuditor"
members = ["user:admin@acme.example"]

[[folders]]
id = "77"
parent = "organizations/9"

[[projects]]
id = "acme-analytics"
number = "421700000001"
parent = "folders/77"
services = [
    "bigquery.googleapis.com", "cloudidentity.googleapis.com", "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com", "serviceusage.googleapis.com",
]
"""
"""Everything can be seen, and nobody but the auditor is named."""


def binding(role: str, *members: str, on: str = "projects", only_if: str = "") -> str:
    """A grant, as the world's file has it."""
    condition = f"condition = {{ expression = {json.dumps(only_if)}, title = 'for a time' }}\n" if only_if else ""
    return f"[[{on}.bindings]]\nrole = {json.dumps(role)}\nmembers = {json.dumps(members)}\n{condition}"


def dataset(name: str, *access: dict[str, Any]) -> str:
    """A dataset of the project with this list."""
    entries = ", ".join(
        "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()) + " }" for entry in access
    )
    return f'[[projects.datasets]]\nid = "{name}"\nlocation = "EU"\naccess = [{entries}]\n'


def denying(principal: str, permission: str, on: str = "projects") -> str:
    """A deny policy with one rule."""
    return (
        f'[[{on}.deny]]\nname = "guard"\n[[{on}.deny.rules]]\n'
        f"denied_principals = [{json.dumps(principal)}]\ndenied_permissions = [{json.dumps(permission)}]\n"
    )


def acme(*parts: str, folder: str = "", organization: str = "") -> World:
    """The empty world with these parts in the project, in its folder and in the organization."""
    above, project = EMPTY.split("[[projects]]")
    top, below = above.split("[[folders]]")
    return world("\n".join([top, organization, "[[folders]]" + below, folder, "[[projects]]" + project, *parts]))


def export(cloud: World, path: Path, *more: dict[str, Any]) -> Path:
    """Writes the Cloud Asset export of a world: RESOURCE lines of all there is, IAM_POLICY lines of what has
    bindings, and these lines."""
    (organization,), (folder,), (project,) = cloud.organizations, cloud.folders, cloud.projects
    above = [f"folders/{folder.id}", f"organizations/{organization.id}"]
    chain = [f"projects/{project.number}", *above]
    lines = [
        _resource(f"{_RM}/Organization", f"//{_RM}/{above[1]}", above[1:],
                  {"name": above[1], "displayName": organization.display_name,
                   "owner": {"directoryCustomerId": organization.directory_customer_id}}),
        _resource(f"{_RM}/Folder", f"//{_RM}/{above[0]}", above, {"name": above[0], "parent": above[1]}),
        _resource(f"{_RM}/Project", f"//{_RM}/{chain[0]}", chain,
                  {"projectId": project.id, "projectNumber": project.number, "lifecycleState": "ACTIVE",
                   "parent": {"type": "folder", "id": folder.id}}),
    ]  # fmt: skip
    for one in project.datasets:
        data = {"datasetReference": {"datasetId": one.id, "projectId": project.id}, "location": one.location,
                "access": list(one.access)}  # fmt: skip
        name = f"//bigquery.googleapis.com/projects/{project.id}/datasets/{one.id}"
        lines.append(_resource("bigquery.googleapis.com/Dataset", name, chain, data))
    for kind, at, node in (("Organization", 2, organization), ("Folder", 1, folder), ("Project", 0, project)):
        if node.bindings:
            policy = {"version": 3, "etag": "BwX=", "bindings": [_binding(one) for one in node.bindings]}
            lines.append({"name": f"//{_RM}/{chain[at]}", "asset_type": f"{_RM}/{kind}", "iam_policy": policy,
                          "ancestors": chain[at:]})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in (*lines, *more)), encoding="utf-8")
    return path


def other_project(name: str, number: str) -> dict[str, Any]:
    """The RESOURCE line of another project of the organization."""
    data = {"projectId": name, "projectNumber": number, "lifecycleState": "ACTIVE",
            "parent": {"type": "folder", "id": "77"}}  # fmt: skip
    chain = [f"projects/{number}", "folders/77", "organizations/9"]
    return _resource(f"{_RM}/Project", f"//{_RM}/projects/{number}", chain, data)


def _resource(kind: str, name: str, chain: list[str], data: dict[str, Any]) -> dict[str, Any]:
    resource = {"version": "v1", "data": data}
    return {"name": name, "asset_type": kind, "resource": resource, "ancestors": chain}


def _binding(one: Any) -> dict[str, Any]:
    found = {"role": one.role, "members": list(one.members)}
    if one.condition:
        found["condition"] = {"expression": one.condition.expression, "title": one.condition.title}
    return found

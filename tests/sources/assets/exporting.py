"""Cloud Asset exports of the stand-in's worlds, in the forms that Google documents (Cloud Asset v1 `Asset`)."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from preflight.emulator import World
from preflight.emulator.world import Binding, DenyPolicy, Folder, Node, Organization, OrgPolicy, Project, Role

Line = dict[str, Any]
RM = "cloudresourcemanager.googleapis.com"
UPDATED = "2026-03-01T04:05:06.123456Z"


def asset(kind: str, name: str, ancestors: Iterable[str], **contents: Any) -> Line:
    """A line of an exported file."""
    return {"name": f"//{name}", "asset_type": kind, **contents, "ancestors": list(ancestors), "update_time": UPDATED}


def resource(kind: str, name: str, ancestors: Iterable[str], data: Line, parent: str = "") -> Line:
    """A line of RESOURCE content."""
    told = {"version": "v1", "discovery_name": kind.rpartition("/")[2], "data": data}
    above = {"parent": f"//{RM}/{parent}"} if parent else {}
    return asset(kind, name, ancestors, resource={**told, **above})


def exported(world: World, *, billing: bool = True) -> list[Line]:
    """Everything that an organization-wide export of each content type has of a world: what was withheld is left out.

    Exports have no IAM_POLICY line for a resource without bindings, and here none for a service that is off.
    """
    lines: list[Line] = []
    above = _Above(world)
    for organization in world.organizations:
        lines += _organization(organization)
    for folder in world.folders:
        lines += _folder(folder, above)
    for project in world.projects:
        lines += _project(project, above, billing=billing)
    return lines


class _Above:
    """What each resource is in, itself first."""

    def __init__(self, world: World) -> None:
        self._parents = {folder.name: folder.parent for folder in world.folders}

    def of(self, name: str, parent: str) -> list[str]:
        chain = [name]
        while parent:
            chain.append(parent)
            parent = self._parents.get(parent, "")
        return chain


def _organization(organization: Organization) -> Iterator[Line]:
    chain = [organization.name]
    if "cloudresourcemanager.organizations.get" not in organization.withheld:
        data = {
            "name": organization.name,
            "displayName": organization.display_name,
            "lifecycleState": organization.state,
            "owner": {"directoryCustomerId": organization.directory_customer_id},
        }
        yield resource(f"{RM}/Organization", f"{RM}/{organization.name}", chain, data)
    yield from _roles(organization.roles, organization.name, chain)
    yield from _node(organization, "Organization", organization.name, chain)


def _folder(folder: Folder, above: _Above) -> Iterator[Line]:
    chain = above.of(folder.name, folder.parent)
    if "cloudresourcemanager.folders.get" not in folder.withheld:
        data = {
            "name": folder.name,
            "parent": folder.parent,
            "displayName": folder.display_name,
            "lifecycleState": folder.state,
        }
        yield resource(f"{RM}/Folder", f"{RM}/{folder.name}", chain, data, folder.parent)
    yield from _node(folder, "Folder", folder.name, chain)


def _project(project: Project, above: _Above, *, billing: bool) -> Iterator[Line]:
    chain = above.of(project.name, project.parent)
    kind, _, parent = project.parent.partition("/")
    data = {
        "projectId": project.id,
        "projectNumber": project.number,
        "name": project.display_name,
        "lifecycleState": project.state,
        **({"parent": {"type": kind.removesuffix("s"), "id": parent}} if parent else {}),
    }
    yield resource(f"{RM}/Project", f"{RM}/{project.name}", chain, data, project.parent)
    if billing and "cloudbilling.projects.getBillingInfo" not in project.withheld:
        info = {"billingAccountName": project.billing.account, "billingEnabled": project.billing.enabled}
        name = f"cloudbilling.googleapis.com/projects/{project.id}/billingInfo"
        yield resource("cloudbilling.googleapis.com/ProjectBillingInfo", name, chain, info)
    for service in project.services:
        name = f"serviceusage.googleapis.com/{project.name}/services/{service}"
        yield resource("serviceusage.googleapis.com/Service", name, chain, {"name": service, "state": "ENABLED"})
    yield from _roles(project.roles, f"projects/{project.id}", chain)
    yield from _node(project, "Project", f"projects/{project.id}", chain)
    for dataset in project.datasets:
        told = {
            "id": f"{project.id}:{dataset.id}",
            "datasetReference": {"datasetId": dataset.id, "projectId": project.id},
            "location": dataset.location,
            "access": list(dataset.access),
            **dataset.more,
        }
        name = f"bigquery.googleapis.com/projects/{project.id}/datasets/{dataset.id}"
        yield resource("bigquery.googleapis.com/Dataset", name, chain, told, project.name)


def _node(node: Node, kind: str, attached_to: str, chain: list[str]) -> Iterator[Line]:
    if node.bindings and not any(call.endswith(".getIamPolicy") for call in node.withheld):
        policy = {"etag": "BwXh", "bindings": [_binding(binding) for binding in node.bindings]}
        yield asset(f"{RM}/{kind}", f"{RM}/{node.name}", chain, iam_policy=policy)
    for constraint, stated in node.org_policies.items():
        name = f"orgpolicy.googleapis.com/{node.name}/policies/{constraint}"
        yield resource("orgpolicy.googleapis.com/Policy", name, chain, {"spec": _spec(stated)})
    for deny in node.deny:
        point = f"{RM}/{attached_to}".replace("/", "%2F")
        name = f"iam.googleapis.com/policies/{point}/denypolicies/{deny.name}"
        yield resource("iam.googleapis.com/PolicyV2", name, chain, _deny(deny))


def _binding(binding: Binding) -> Line:
    condition = {"condition": msgspec.to_builtins(binding.condition)} if binding.condition else {}
    return {"role": binding.role, "members": list(binding.members), **condition}


def _spec(policy: OrgPolicy) -> Line:
    return {"rules": list(policy.rules), "inheritFromParent": policy.inherit_from_parent, "reset": policy.reset}


def _deny(policy: DenyPolicy) -> Line:
    rules = [
        {
            "denyRule": {
                "deniedPrincipals": list(rule.denied_principals),
                "deniedPermissions": list(rule.denied_permissions),
                "exceptionPrincipals": list(rule.exception_principals),
                "exceptionPermissions": list(rule.exception_permissions),
                **({"denialCondition": msgspec.to_builtins(rule.condition)} if rule.condition else {}),
            }
        }
        for rule in policy.rules
    ]
    return {"kind": "DenyPolicy", "rules": rules}


def _roles(roles: Iterable[Role], owner: str, chain: list[str]) -> Iterator[Line]:
    for role in roles:
        name = role.name if "/" in role.name else f"{owner}/roles/{role.name}"
        data = {
            "name": name,
            "title": role.title,
            "includedPermissions": list(role.permissions),
            "stage": role.stage,
            "deleted": role.deleted,
        }
        yield resource("iam.googleapis.com/Role", f"iam.googleapis.com/{name}", chain, data)


def json_lines(lines: Iterable[Line]) -> bytes:
    """An exported file's content."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def write(path: Path, lines: Iterable[Line]) -> Path:
    """Writes an export; by its name as gzip."""
    content = json_lines(lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path

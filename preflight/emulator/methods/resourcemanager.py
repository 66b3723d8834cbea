"""Resource Manager v3: projects, folders, organisations, their policies, and the caller's own permissions."""

import hashlib
import re

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method, etag, page, without_empty
from preflight.emulator.world import Binding, Folder, Node, Organization, Project

SERVICE = "cloudresourcemanager.googleapis.com"
_PERMISSION = re.compile(r"[a-z][\w-]*(\.[\w-]+){2,}")


def _named(ask: Ask, field: str) -> Node | None:
    """The node that a request names; a name of another kind than the method's is refused."""
    name = ask.text(field)
    kind = ask.method.id.split(".")[1]
    if not name.startswith(f"{kind}/") or name.count("/") != 1:
        raise errors.invalid(f"field [{field}] has issue [{name!r} does not match {kind}/*]")
    return ask.directory.node(name)


def _get(ask: Ask) -> Json:
    node = _named(ask, "name")
    if node is None or not ask.may(node):
        raise errors.permission_denied()
    return node_body(node)


def node_body(node: Node) -> Json:
    """A Project, Folder or Organization in v3's JSON."""
    body: Json = {
        "name": node.name,
        "displayName": node.display_name or (node.id if isinstance(node, Project) else ""),
        "createTime": node.create_time,
        "updateTime": node.update_time,
        "etag": node.etag or etag(node.name, node.display_name, node.create_time),
    }
    match node:
        case Project():
            body |= {"projectId": node.id, "state": node.state, "parent": node.parent, "labels": node.labels}
            body |= {"deleteTime": node.delete_time}
        case Folder():
            body |= {"parent": node.parent, "state": node.state}
        case Organization():
            body |= {"directoryCustomerId": node.directory_customer_id, "state": node.state}
    return without_empty(body)


def _get_iam_policy(ask: Ask) -> Json:
    node = _named(ask, "resource")
    options = ask.params.get("options") or {}
    version = options.get("requestedPolicyVersion", 0) if isinstance(options, dict) else -1
    if version not in {0, 1, 3}:
        raise errors.invalid(f"Requested policy version {version} is not one of 0, 1, 3.")
    if node is None or not ask.may(node):
        raise errors.permission_denied()
    return policy_body(node, with_conditions=version == 3)


def policy_body(node: Node, *, with_conditions: bool) -> Json:
    """The allow policy. Below version 3 a condition is dropped and the role's name tells that it was there."""
    conditional = any(binding.condition for binding in node.bindings)
    return without_empty(
        {
            "version": 3 if conditional and with_conditions else 1,
            "bindings": [_binding_body(binding, with_conditions) for binding in node.bindings],
            "auditConfigs": list(node.audit_configs),
            "etag": node.policy_etag or etag(node.name, node.bindings),
        }
    )


def _binding_body(binding: Binding, with_condition: bool) -> Json:
    body: Json = {"role": binding.role, "members": list(binding.members)}
    if binding.condition is not None and with_condition:
        condition = binding.condition
        body["condition"] = without_empty(
            {
                "title": condition.title,
                "description": condition.description,
                "expression": condition.expression,
            }
        )
    elif binding.condition is not None:
        body["role"] += f"_withcond_{hashlib.sha256(binding.condition.expression.encode()).hexdigest()[:20]}"
    return without_empty(body)


def _test_iam_permissions(ask: Ask) -> Json:
    node = _named(ask, "resource")
    asked = ask.params.get("permissions") or []
    if not isinstance(asked, list):
        raise errors.invalid("Invalid value at 'permissions': expected a list.")
    for permission in asked:
        if "*" in str(permission):
            raise errors.invalid(f"Permission {permission} is not valid: wildcards are not allowed.")
        if not _PERMISSION.fullmatch(str(permission)):
            raise errors.invalid(f"Permission {permission} is not valid for this resource.")
    if node is None or not ask.may(node):
        raise errors.permission_denied()
    held = [permission for permission in asked if ask.access.holds(ask.caller, permission, node)]
    return without_empty({"permissions": held})


def _search_projects(ask: Ask) -> Json:
    """Only projects on which the caller holds the permission: the search itself is never refused."""
    terms = [term.partition(":") for term in re.split(r"\s+(?:AND\s+)?", ask.text("query").strip()) if term]
    found = [project for project in ask.directory.world.projects if ask.may(project) and _fits(project, terms)]
    size = ask.number("pageSize", 50, 500)
    projects, following = page(found, size, ask.text("pageToken"))
    return without_empty({"projects": [node_body(item) for item in projects], "nextPageToken": following})


def _fits(project: Project, terms: list[tuple[str, str, str]]) -> bool:
    values = {
        "id": project.id,
        "projectId": project.id,
        "displayName": project.display_name,
        "name": project.display_name,
        "state": project.state,
        "parent": project.parent,
    }
    for field, separator, wanted in terms:
        if not separator or (field not in values and not field.startswith("labels.")):
            raise errors.invalid(f"query has issue [unsupported term {field}{separator}{wanted}]")
        value = project.labels.get(field[7:], "") if field.startswith("labels.") else values[field]
        pattern = re.escape(wanted.strip('"')).replace(r"\*", ".*")
        if not re.fullmatch(pattern, value, re.IGNORECASE):
            return False
    return True


def _list_effective_tags(ask: Ask) -> Json:
    """The tags that a resource has or inherits; the parent is a full resource name."""
    parent = ask.text("parent")
    if not parent.startswith(f"//{SERVICE}/"):
        raise errors.invalid(f"field [parent] has issue [{parent!r} is no full resource name]")
    node = ask.directory.node(parent.removeprefix(f"//{SERVICE}/"))
    if node is None or not ask.may(node):
        raise errors.permission_denied()
    tags = [_effective_tag(key, value, node) for key, value in sorted(ask.access.tags(node).items())]
    shown, following = page(tags, ask.number("pageSize", 100, 300), ask.text("pageToken"))
    return without_empty({"effectiveTags": list(shown), "nextPageToken": following})


def _effective_tag(key: str, value: str, node: Node) -> Json:
    owner = key.partition("/")[0]
    inherited = node.tags.get(key) != value
    body = {
        "tagKey": f"tagKeys/{_permanent_id(key)}",
        "namespacedTagKey": key,
        "tagValue": f"tagValues/{_permanent_id(f'{key}/{value}')}",
        "namespacedTagValue": f"{key}/{value}",
        "tagKeyParentName": f"{'organizations' if owner.isdigit() else 'projects'}/{owner}",
    }
    return body | ({"inherited": True} if inherited else {})


def _permanent_id(name: str) -> int:
    """Google gives each tag key and value a number for good; here it comes of the name."""
    return 281_000_000_000_000 + int(hashlib.sha256(name.encode()).hexdigest()[:9], 16)


METHODS = (
    *(
        Method(f"cloudresourcemanager.{kind}.{verb}", SERVICE, permission, handle)
        for kind in ("projects", "folders", "organizations")
        for verb, permission, handle in (
            ("get", f"resourcemanager.{kind}.get", _get),
            ("getIamPolicy", f"resourcemanager.{kind}.getIamPolicy", _get_iam_policy),
            ("testIamPermissions", "", _test_iam_permissions),
        )
    ),
    Method(
        "cloudresourcemanager.effectiveTags.list",
        SERVICE,
        "resourcemanager.hierarchyNodes.listEffectiveTags",
        _list_effective_tags,
    ),
    Method("cloudresourcemanager.projects.search", SERVICE, "resourcemanager.projects.get", _search_projects),
)

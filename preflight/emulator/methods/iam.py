"""IAM v1: what roles hold. Predefined roles need no permission to read, custom ones `iam.roles.get`."""

import re

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method, etag, page, without_empty
from preflight.emulator.world import Organization, Project, Role

SERVICE = "iam.googleapis.com"


def _title(name: str) -> str:
    """A readable title where the data has none."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name.removeprefix("roles/").replace(".", " "))
    return " ".join(word[0].upper() + word[1:] for word in words) or name


def _body(name: str, role: Role, *, full: bool = True) -> Json:
    body: Json = {
        "name": name,
        "title": role.title or _title(name.rpartition("/")[2]),
        "description": role.description,
        "stage": role.stage,
        "includedPermissions": list(role.permissions) if full else [],
        "etag": role.etag or ("AA==" if name.startswith("roles/") else etag(name, role)),
    }
    if role.deleted:
        body["deleted"] = True
    return without_empty(body)


def _get_predefined(ask: Ask) -> Json:
    name = ask.text("name")
    role = ask.directory.predefined_roles().get(name)
    if role is None:
        raise errors.not_found(f"The role named {name} was not found.")
    return _body(name, role)


def _get_custom(ask: Ask) -> Json:
    name = ask.text("name")
    owner = ask.directory.node(name.partition("/roles/")[0])
    if not isinstance(owner, Project | Organization) or not ask.may(owner):
        raise errors.ApiError("PERMISSION_DENIED", f"You don't have permission to get the role at {name}.")
    role = ask.directory.role(name)
    if role is None:
        raise errors.not_found(f"The role named {name} was not found.")
    return _body(_full_name(owner, role), role)


def _full_name(owner: Project | Organization, role: Role) -> str:
    """Custom roles of a project are named by its ID, not by its number."""
    prefix = f"projects/{owner.id}" if isinstance(owner, Project) else owner.name
    return role.name if "/" in role.name else f"{prefix}/roles/{role.name}"


def _list_predefined(ask: Ask) -> Json:
    return _list(ask, list(ask.directory.predefined_roles().items()))


def _list_custom(ask: Ask) -> Json:
    parent = ask.text("parent")
    owner = ask.directory.node(parent)
    if not isinstance(owner, Project | Organization) or not ask.may(owner):
        raise errors.ApiError("PERMISSION_DENIED", f"You don't have permission to list roles in {parent}.")
    shown = [role for role in owner.roles if ask.flag("showDeleted") or not role.deleted]
    return _list(ask, [(_full_name(owner, role), role) for role in shown])


def _list(ask: Ask, roles: list[tuple[str, Role]]) -> Json:
    # RoleView: BASIC leaves the permissions out, FULL (1 in the enum) has them.
    full = str(ask.params.get("view", "")) in {"FULL", "1"}
    shown, following = page(roles, ask.number("pageSize", 300, 1000), ask.text("pageToken"))
    return without_empty({"roles": [_body(name, role, full=full) for name, role in shown], "nextPageToken": following})


METHODS = (
    Method("iam.roles.get", SERVICE, "", _get_predefined),
    Method("iam.projects.roles.get", SERVICE, "iam.roles.get", _get_custom),
    Method("iam.organizations.roles.get", SERVICE, "iam.roles.get", _get_custom),
    Method("iam.roles.list", SERVICE, "", _list_predefined),
    Method("iam.projects.roles.list", SERVICE, "iam.roles.list", _list_custom),
    Method("iam.organizations.roles.list", SERVICE, "iam.roles.list", _list_custom),
)

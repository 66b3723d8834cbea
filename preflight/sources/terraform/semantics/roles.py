"""Custom roles of projects and organizations."""

from preflight.facts.policy import Role, Roles
from preflight.facts.seen import Unknown
from preflight.sources.terraform.kinds import ORGANIZATION_ROLE, PROJECT_ROLE
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.home import Home, doubted, project_named
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import first_unsettled, text, texts, truth


def roles(world: World, home: Home) -> Roles:
    """All custom roles whose names are known; predefined ones nobody declares."""
    found: dict[str, Role | Unknown] = {}
    for item in world.of(PROJECT_ROLE, ORGANIZATION_ROLE):
        name = _name(item, home)
        if name is not None and not (item.gone and name in found):
            found[name] = _role(item, name)
    return Roles(roles=found)


def _name(item: Item, home: Home) -> str | None:
    """Its full name; None where it isn't known, so that no binding can be told to be of it."""
    role = text(item.values, "role_id")
    if item.resource.type == ORGANIZATION_ROLE:
        parent = text(item.values, "org_id")
        where = f"organizations/{parent.removeprefix('organizations/')}" if isinstance(parent, str) else None
    else:
        project = project_named(item)
        where = f"projects/{project.removeprefix('projects/')}" if isinstance(project, str) else None
        if where is not None and home.is_it(project) is True:
            where = home.own
    return f"{where}/roles/{role}" if where and isinstance(role, str) else None


def _role(item: Item, name: str) -> Role | Unknown:
    doubt = doubted(item, found=True)
    if isinstance(doubt, Unsettled):
        return item.unknown(doubt)
    permissions, stage, deleted = texts(item.values, "permissions"), text(item.values, "stage"), item.gone
    if isinstance(permissions, Unsettled):
        return item.unknown(permissions)
    # Before the role is made the plan doesn't know that it isn't deleted; making it says so.
    marked = truth(item.values, "deleted") is True
    unsettled = first_unsettled((*permissions, stage))
    if unsettled is not None:
        return item.unknown(unsettled)
    title = text(item.values, "title")
    return Role(
        provenance=item.seen("permissions"),
        name=name,
        title=title if isinstance(title, str) else "",
        permissions=frozenset(one for one in permissions if isinstance(one, str)),
        deleted=deleted or marked,
        disabled=stage == "DISABLED",
    )

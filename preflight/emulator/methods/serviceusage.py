"""Service Usage v1: which APIs are enabled in a project, addressed by its number or its ID."""

import re

from preflight.emulator import errors
from preflight.emulator.directory import Directory
from preflight.emulator.errors import ApiError, Json
from preflight.emulator.methods.call import Ask, Method, page, without_empty
from preflight.emulator.world import Project

SERVICE = "serviceusage.googleapis.com"
MOST_IN_A_BATCH = 30
_NAME = re.compile(r"projects/([^/]+)/services/([^/]+)")
_KNOWN = (
    "bigquery.googleapis.com",
    "bigquerystorage.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudidentity.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "orgpolicy.googleapis.com",
    "policytroubleshooter.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
"""Services that a list shows as DISABLED where they are not enabled."""


def state_of(project: Project, service: str) -> str:
    """ENABLED or DISABLED; empty where a recording can't tell, because a page or all of it is missing."""
    if service in project.services:
        return "ENABLED"
    return "DISABLED" if project.services_complete else ""


def _denied(verb: str, names: str) -> ApiError:
    info = errors.error_info("AUTH_PERMISSION_DENIED")
    info["domain"] = SERVICE
    return ApiError("PERMISSION_DENIED", f"Permission denied to {verb} service [{names}]", (info,))


def _body(project: Project, service: str, state: str) -> Json:
    recorded = project.recorded_services.get(service)
    if recorded is not None:
        return dict(recorded)
    title = errors.SERVICE_TITLES.get(service, service.partition(".")[0].capitalize() + " API")
    config: Json = {"name": service, "title": title, "documentation": {}, "quota": {}, "authentication": {}}
    config["usage"] = {"requirements": ["serviceusage.googleapis.com/tos/cloud"]}
    name = f"{project.name}/services/{service}"
    return {"name": name, "config": config, "state": state, "parent": project.name}


def _one(ask: Ask, name: str, verb: str = "get") -> Json:
    match = _NAME.fullmatch(name)
    if match is None:
        raise errors.invalid(f"The resource name {name!r} is not projects/*/services/*.")
    project, service = ask.directory.project(match[1]), match[2]
    if project is None or not ask.may(project):
        raise _denied(verb, service)
    if not service.endswith(".googleapis.com") and service not in project.services:
        message = f"Not found or permission denied for service(s): {service}."
        raise ApiError("PERMISSION_DENIED", message, (errors.error_info("SERVICE_CONFIG_NOT_FOUND"),))
    state = state_of(project, service)
    if not state:
        raise _denied(verb, service)
    return _body(project, service, state)


def _get(ask: Ask) -> Json:
    return _one(ask, ask.text("name"))


def _batch_get(ask: Ask) -> Json:
    names = ask.params.get("names") or []
    names = [names] if isinstance(names, str) else list(names)
    if not 0 < len(names) <= MOST_IN_A_BATCH:
        raise errors.invalid(f"Between 1 and {MOST_IN_A_BATCH} names are allowed in a batch, not {len(names)}.")
    parent = _parent(ask)
    for name in names:
        if _parent_of(name, ask.directory) is not parent:
            raise errors.invalid(f"The parent of {name!r} is not {ask.text('parent')!r}.")
    return {"services": [_one(ask, name) for name in names]}


def _parent(ask: Ask) -> Project | None:
    parent = ask.text("parent")
    if not re.fullmatch("projects/[^/]+", parent):
        raise errors.invalid(f"The parent {parent!r} is not projects/*.")
    return ask.directory.project(parent)


def _parent_of(name: str, directory: Directory) -> Project | None:
    match = _NAME.fullmatch(str(name))
    return directory.project(match[1]) if match else None


def _list(ask: Ask) -> Json:
    project = _parent(ask)
    if project is None or not ask.may(project):
        raise _denied("list", "*")
    token = ask.text("pageToken")
    wanted = ask.text("filter").replace(" ", "")
    if wanted not in {"", "state:ENABLED", "state:DISABLED"}:
        raise errors.invalid(f"Invalid filter {wanted!r}: only state:ENABLED and state:DISABLED are allowed.")
    if project.services_next_page and token == project.services_next_page:
        raise _denied("list", "*")  # that page was not recorded
    names = [] if wanted == "state:DISABLED" else list(project.services)
    if wanted != "state:ENABLED" and project.services_complete:
        names += [name for name in _KNOWN if name not in project.services]
    shown, following = page(names, ask.number("pageSize", 50, 200), token)
    services = [_body(project, name, state_of(project, name)) for name in shown]
    return without_empty({"services": services, "nextPageToken": following or project.services_next_page})


METHODS = (
    Method("serviceusage.services.get", SERVICE, "serviceusage.services.get", _get),
    Method("serviceusage.services.batchGet", SERVICE, "serviceusage.services.get", _batch_get),
    Method("serviceusage.services.list", SERVICE, "serviceusage.services.list", _list),
)

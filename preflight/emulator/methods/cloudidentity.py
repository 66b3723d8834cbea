"""Cloud Identity v1: groups. Who may look is the group's affair: its members, and the viewers that the world names."""

import hashlib
import re

from preflight.emulator import errors
from preflight.emulator.errors import ApiError, Json
from preflight.emulator.methods.call import Ask, Method
from preflight.emulator.world import Group

SERVICE = "cloudidentity.googleapis.com"
_QUERY = re.compile(r"""\s*member_key_id\s*==\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*""")


def group_name(group: Group) -> str:
    """``groups/…``: the opaque name by which all but the look-up knows it."""
    return f"groups/{hashlib.sha256(group.email.lower().encode()).hexdigest()[:15]}"


def _refused(resource: str) -> ApiError:
    """The same for a group that may not be seen and one that does not exist (from public error reports)."""
    message = f"Error(2028): Permission denied for resource {resource} (or it may not exist)."
    info: Json = {
        "@type": "type.googleapis.com/google.rpc.ResourceInfo",
        "resourceType": "cloudidentity.googleapis.com/Group",
        "resourceName": resource,
        "owner": "domain:cloudidentity.googleapis.com",
        "description": message,
    }
    return ApiError("PERMISSION_DENIED", message, (info,))


def _lookup(ask: Ask) -> Json:
    email = ask.text("groupKey.id")
    if "@" not in email:
        raise errors.invalid("Request contains an invalid argument.")
    group = ask.directory.groups.get(email.lower())
    if group is None or not ask.access.sees_group(ask.caller, group):
        raise _refused(f"groups/{email}")
    return {"name": group_name(group)}


def _check(ask: Ask) -> Json:
    parent = ask.text("parent")
    query = _QUERY.fullmatch(ask.text("query"))
    if query is None:
        raise errors.invalid("Request contains an invalid argument.")
    group = next((one for one in ask.directory.groups.values() if group_name(one) == parent), None)
    if group is None or not ask.access.sees_group(ask.caller, group):
        raise _refused(parent)
    email = re.sub(r"\\(.)", r"\1", query[1] or query[2] or "")
    # A field that is false is left out.
    return {"hasMembership": True} if ask.access.in_group(ask.directory.principal(email), group) else {}


METHODS = (
    Method("cloudidentity.groups.lookup", SERVICE, "", _lookup),
    Method("cloudidentity.groups.memberships.checkTransitiveMembership", SERVICE, "", _check),
)

"""IAM v2: deny policies. The list names them without their rules; `get` has these."""

import re
import uuid
from urllib.parse import unquote

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method, etag, page, without_empty
from preflight.emulator.world import Condition, DenyPolicy, DenyRule, Node

SERVICE = "iam.googleapis.com"
_POINT = "cloudresourcemanager.googleapis.com/"
_NAME = re.compile(r"policies/([^/]+)/denypolicies(?:/([^/]+))?")
_CREATED = "2021-03-01T09:00:00Z"


def attachment_point(node: Node) -> str:
    """The node's full resource name as these names hold it; a project's is by its number in answers."""
    return f"{_POINT}{node.name}".replace("/", "%2F")


def _split(ask: Ask, field: str) -> tuple[Node, str]:
    """The node and the policy's ID in a name. The slashes of the attachment point have to be written `%2F`."""
    name = ask.text(field)
    match = _NAME.fullmatch(name)
    point = unquote(match[1]) if match else ""
    if match is None or not point.startswith(_POINT):
        raise errors.invalid(f"Invalid resource name: {name}.")
    node = ask.directory.node(point.removeprefix(_POINT))
    if node is None or not ask.may(node):
        message = f"Permission {ask.method.permission} denied on resource //{point} (or it may not exist)."
        raise errors.permission_denied(message)
    return node, match[2] or ""


def _list(ask: Ask) -> Json:
    node, _ = _split(ask, "parent")
    shown, following = page(node.deny, ask.number("pageSize", 50, 1000), ask.text("pageToken"))
    return without_empty({"policies": [_identity(node, policy) for policy in shown], "nextPageToken": following})


def _get(ask: Ask) -> Json:
    node, name = _split(ask, "name")
    found = next((policy for policy in node.deny if policy.name == name), None)
    if found is None:
        raise errors.not_found(f"Policy {ask.text('name')} was not found.")
    return deny_body(node, found)


def _identity(node: Node, policy: DenyPolicy) -> Json:
    name = f"policies/{attachment_point(node)}/denypolicies/{policy.name}"
    return {
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "kind": "DenyPolicy",
        "displayName": policy.name,
        "createTime": _CREATED,
        "updateTime": _CREATED,
    }


def deny_body(node: Node, policy: DenyPolicy) -> Json:
    """A deny policy with its rules, in v2's JSON."""
    rules = [{"denyRule": _rule(rule)} for rule in policy.rules]
    return _identity(node, policy) | without_empty({"etag": etag(node.name, policy), "rules": rules})


def _rule(rule: DenyRule) -> Json:
    return without_empty(
        {
            "deniedPrincipals": list(rule.denied_principals),
            "exceptionPrincipals": list(rule.exception_principals),
            "deniedPermissions": list(rule.denied_permissions),
            "exceptionPermissions": list(rule.exception_permissions),
            "denialCondition": expr(rule.condition),
        }
    )


def expr(condition: Condition | None) -> Json:
    """google.type.Expr; empty for none."""
    if condition is None:
        return {}
    shown = {"title": condition.title, "description": condition.description, "expression": condition.expression}
    return without_empty(shown)


METHODS = (
    Method("iam.policies.listPolicies", SERVICE, "iam.denypolicies.list", _list),
    Method("iam.policies.get", SERVICE, "iam.denypolicies.get", _get),
)

"""Answers of the gRPC clients' APIs as facts. Each raises UnreadableError for what is no such answer.

An answer that lacks what Google always sends (`{}` from a gateway reads as an empty message) is unreadable, and
never a project without grants or a role without permissions.
"""

import re
from typing import Any

from preflight.facts.caller import CallerPermissions
from preflight.facts.hidden_conditions import HIDDEN, shown_role
from preflight.facts.policy import AllowPolicy, Binding, Condition, Role
from preflight.facts.project import Billing, Project, Service, ServiceState
from preflight.facts.seen import Provenance
from preflight.sources.live.guard import UnreadableError

_CONTAINER = re.compile(r"(folders|organizations)/[0-9]+")


def project(answer: Any, seen: Provenance) -> Project:
    """Resource Manager v3 `Project`."""
    number = answer.name.removeprefix("projects/")
    if not answer.project_id or not number.isdigit():
        raise UnreadableError("it names no project")
    return Project(
        provenance=seen,
        id=answer.project_id,
        number=number,
        name=answer.display_name,
        state=word(answer, "state"),
        parent=container(answer.parent),
    )


def word(answer: Any, field: str) -> str:
    """The name of an enum's value; empty for one that the client does not know, which it would warn about."""
    message = type(answer).pb(answer)
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(getattr(message, field))
    return str(known.name) if known else ""


def folder_parent(answer: Any, seen: Provenance) -> str:
    """Resource Manager v3 `Folder`: its parent."""
    parent = container(answer.parent)
    if parent is None:
        raise UnreadableError("it names no parent")
    return parent


def container(name: str) -> str | None:
    """`folders/N` or `organizations/N`; None for no name at all."""
    if name and not _CONTAINER.fullmatch(name):
        raise UnreadableError("its parent is neither a folder nor an organization")
    return name or None


def policy(answer: Any, seen: Provenance) -> AllowPolicy:
    """IAM v1 `Policy`."""
    if not answer.etag and not answer.bindings:
        raise UnreadableError("it is no policy")
    return AllowPolicy(provenance=seen, resource=seen.resource, bindings=tuple(map(_binding, answer.bindings)))


def _binding(raw: Any) -> Binding:
    role, hidden = shown_role(raw.role)
    condition = Condition(HIDDEN) if hidden else None
    if raw.HasField("condition"):
        condition = Condition(raw.condition.expression or HIDDEN, raw.condition.title)
    return Binding(role, tuple(raw.members), condition)


def service(answer: Any, seen: Provenance) -> Service:
    """Service Usage v1 `Service`."""
    state = word(answer, "state")
    if state not in ServiceState.__members__:
        raise UnreadableError("it names no state")
    return Service(provenance=seen, name=seen.resource.rpartition("/")[2], state=ServiceState(state))


def billing(answer: Any, seen: Provenance) -> Billing:
    """Cloud Billing v1 `ProjectBillingInfo`."""
    if not answer.name and not answer.project_id:
        raise UnreadableError("it names no project")
    account = answer.billing_account_name
    return Billing(provenance=seen, enabled=answer.billing_enabled, account=account or None)


def role(answer: Any, seen: Provenance) -> Role:
    """IAM admin v1 `Role`; one without permissions has no `includedPermissions`."""
    if not answer.name:
        raise UnreadableError("it names no role")
    return Role(
        provenance=seen,
        name=seen.resource,
        title=answer.title,
        permissions=frozenset(answer.included_permissions),
        deleted=answer.deleted,
        disabled=word(answer, "stage") == "DISABLED",
    )


def permissions(asked: frozenset[str], answer: Any, seen: Provenance) -> CallerPermissions:
    """IAM v1 `TestIamPermissionsResponse`; of the permissions it names only those asked about count."""
    granted = asked.intersection(answer.permissions)
    return CallerPermissions(provenance=seen, resource=seen.resource, asked=asked, granted=granted)

"""The auditor's own least-privilege role: just the permissions that the tool reads with."""

import json
import re
from collections.abc import Iterable

from msgspec import Struct

from preflight.errors import UsageError
from preflight.facts.methods import QUOTA_PROJECT_PERMISSION, ApiMethod
from preflight.remedies import hcl, hcl_list, label_of

DEFAULT_ID = "preflightAuditor"
_TITLE = "Preflight auditor"
_DESCRIPTION = "Reads what preflight needs to see, and nothing else"
_ID = re.compile(r"[A-Za-z0-9_.]{3,64}")  # IAM's reference of roles.create
# Google's documentation of custom roles ("Understanding IAM custom roles"): permissions that make sense only on folders
# and organizations can't be in a project's role. Assumed of those of organization policies, which it doesn't name.
_NOT_IN_PROJECT_ROLES = ("resourcemanager.folders.", "resourcemanager.organizations.", "orgpolicy.")


class CustomRole(Struct, frozen=True):
    """What a custom role for a choice of rules holds, for each place where it may be made."""

    id: str
    everywhere: tuple[str, ...]
    """Of a role of the organization, granted there: for the project and all above it."""
    project: tuple[str, ...]
    """Of a role of the project, granted there."""
    beyond: tuple[tuple[str, str], ...]
    """What a project's role can't hold, or is needed above the project too, where that role doesn't reach: each with a
    predefined role to grant on the folders or the organization."""

    def permissions(self, level: str) -> tuple[str, ...]:
        """Of a role at this level: `organization` or `project`."""
        return self.project if level == "project" else self.everywhere


def custom_role(role_id: str, methods: Iterable[ApiMethod]) -> CustomRole:
    """The role for these methods. Raises UsageError for an ID that no role can have."""
    if not _ID.fullmatch(role_id):
        raise UsageError(
            f"{role_id!r} is not a custom role's ID.", "Use 3 to 64 letters, digits, underscores and periods."
        )
    needed = [method for method in methods if method.permission]
    fits = {
        m.permission for m in needed if "project" in m.levels and not m.permission.startswith(_NOT_IN_PROJECT_ROLES)
    }
    beyond = {m.permission: m.role for m in needed if m.permission not in fits or set(m.levels) - {"project"}}
    return CustomRole(
        role_id,
        tuple(sorted({m.permission for m in needed})),
        tuple(sorted(fits)),
        tuple(sorted(beyond.items())),
    )


def as_yaml(role: CustomRole, level: str) -> str:
    """For `gcloud iam roles create --file`, with how to use it in comments."""
    place = "--project=PROJECT_ID" if level == "project" else "--organization=ORGANIZATION_ID"
    name = f"{'projects/PROJECT_ID' if level == 'project' else 'organizations/ORGANIZATION_ID'}/roles/{role.id}"
    grant = "projects" if level == "project" else "organizations"
    comments = [
        f"gcloud iam roles create {role.id} {place} --file=FILE",
        f"gcloud {grant} add-iam-policy-binding {place.partition('=')[2]} --member=user:YOU@EXAMPLE.COM --role={name}",
        *_notes(role, level),
    ]
    lines = [
        *(f"# {comment}" for comment in comments),
        f"title: {_TITLE}",
        f"description: {_DESCRIPTION}",
        "stage: GA",
        "includedPermissions:" if role.permissions(level) else "includedPermissions: []",
        *(f"- {permission}" for permission in role.permissions(level)),
    ]
    return "\n".join(lines)


def as_json(role: CustomRole, level: str) -> str:
    """The body of IAM's `roles.create`."""
    body = {"title": _TITLE, "description": _DESCRIPTION, "stage": "GA",
            "includedPermissions": role.permissions(level)}  # fmt: skip
    return json.dumps({"roleId": role.id, "role": body}, indent=2)


def as_terraform(role: CustomRole, level: str) -> str:
    """The role as a resource, as `terraform fmt` writes it."""
    kind, key, place = (
        ("google_project_iam_custom_role", "project", "PROJECT_ID")
        if level == "project"
        else ("google_organization_iam_custom_role", "org_id", "ORGANIZATION_ID")
    )
    attributes = {key: hcl(place), "role_id": hcl(role.id), "title": hcl(_TITLE), "description": hcl(_DESCRIPTION)}
    width = len("permissions")
    held = "".join(f"    {hcl(permission)},\n" for permission in role.permissions(level))
    listed = f"[\n{held}  ]" if held else hcl_list(())
    return "\n".join(
        [
            *(f"# {note}" for note in _notes(role, level)),
            f'resource "{kind}" "{label_of(role.id)}" {{',
            *(f"  {name.ljust(width)} = {value}" for name, value in attributes.items()),
            f"  permissions = {listed}",
            "}",
        ]
    )


def _notes(role: CustomRole, level: str) -> list[str]:
    notes = [f"With a user's credentials, {QUOTA_PROJECT_PERMISSION} is needed on the quota project besides."]
    if level == "project" and role.beyond:
        notes.append("Above the project, where it doesn't reach, these are needed; grant a predefined role there:")
        notes += [f"  {permission}: {predefined}" for permission, predefined in role.beyond]
    return notes

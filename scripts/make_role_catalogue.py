"""Makes preflight/facts/role_catalogue.json from a list of predefined roles and their permissions.

    python scripts/make_role_catalogue.py ROLE_PERMISSIONS.json 2026-08-22 "iann0036/iam-dataset (MIT)" ROLE_NAMES.json

ROLE_PERMISSIONS.json maps each role to its permissions, as `roles.list` answers with view=FULL do once flattened.
ROLE_NAMES.json has under `described` all roles that were looked at: one that the first file leaves out has none of
the permissions. A role in neither is not known, and stays out. Kept are only the permissions that this tool or a
built-in profile asks about: facts, and few of them.
"""

import json
import sys
from pathlib import Path

from preflight.facts.capabilities import AUDITED_PERMISSIONS
from preflight.facts.methods import ALLOWED, QUOTA_PROJECT_PERMISSION
from preflight.profile import load_profile, profile_files

TARGET = Path(__file__).parent.parent / "preflight" / "facts" / "role_catalogue.json"


def asked_about() -> list[str]:
    """The permissions that auditors and built-in profiles need, and those that the audit asks about."""
    profiles = [load_profile(name) for name in profile_files()]
    return sorted(
        {method.permission for method in ALLOWED if method.permission}
        | {QUOTA_PROJECT_PERMISSION, *AUDITED_PERMISSIONS}
        | {permission for profile in profiles for permission in profile.permissions}
    )


def catalogue(roles: dict[str, list[str]], date: str, source: str) -> dict[str, object]:
    """One hexadecimal number a role: bit N says that it holds the Nth permission."""
    permissions = asked_about()
    masks = {
        role: sum(1 << bit for bit, permission in enumerate(permissions) if permission in set(held))
        for role, held in sorted(roles.items())
    }
    return {
        "date": date,
        "source": source,
        "permissions": permissions,
        "roles": {role: f"{mask:x}" for role, mask in masks.items()},
    }


if __name__ == "__main__":
    path, when, origin, names = sys.argv[1:]
    described = json.loads(Path(names).read_text(encoding="utf-8"))["described"]
    held: dict[str, list[str]] = json.loads(Path(path).read_text(encoding="utf-8"))
    made = catalogue({**{role: [] for role in described}, **held}, when, origin)
    TARGET.write_text(json.dumps(made, indent=0, sort_keys=True) + "\n", encoding="utf-8")

"""Makes preflight/facts/role_catalogue.json from a list of predefined roles and their permissions.

    python scripts/make_role_catalogue.py ROLE_PERMISSIONS.json 2026-08-22 "iann0036/iam-dataset (MIT)"

ROLE_PERMISSIONS.json maps each role to its permissions, as `roles.list` answers with view=FULL do once flattened.
Kept are only the permissions that this tool or a built-in profile asks about: facts, and few of them.
"""

import json
import sys
from pathlib import Path

from preflight.facts.methods import ALLOWED, QUOTA_PROJECT_PERMISSION
from preflight.profile import load_profile, profile_files

TARGET = Path(__file__).parent.parent / "preflight" / "facts" / "role_catalogue.json"


def asked_about() -> list[str]:
    """The permissions that auditors and built-in profiles need."""
    profiles = [load_profile(name) for name in profile_files()]
    return sorted(
        {method.permission for method in ALLOWED if method.permission}
        | {QUOTA_PROJECT_PERMISSION}
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
        "roles": {role: f"{mask:x}" for role, mask in masks.items() if mask},
    }


if __name__ == "__main__":
    path, when, origin = sys.argv[1:]
    made = catalogue(json.loads(Path(path).read_text(encoding="utf-8")), when, origin)
    TARGET.write_text(json.dumps(made, indent=0, sort_keys=True) + "\n", encoding="utf-8")

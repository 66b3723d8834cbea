"""Who holds a permission on a real project, derived from the raw files alone: no code of the product is used.

By hand: `python tests/access/derive_holders.py ../shared/data` prints all of them.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

JOBS = "bigquery.jobs.create"
FOLDERS = {"organization": "organizations", "folder": "folders", "project": "projects"}


class Policies(NamedTuple):
    """The allow policies that one place in the data holds."""

    where: str
    project: str
    number: str | None
    chain: tuple[str, ...]
    """The project and what is above it, nearest first."""
    bindings: dict[str, list[dict[str, Any]]]
    """By resource; none for one whose policy isn't there."""
    custom_roles: dict[str, frozenset[str]]

    def members(self) -> list[str]:
        """Everybody who is named, each once."""
        named = {m.lower(): m for found in self.bindings.values() for binding in found for m in binding["members"]}
        return sorted(named.values())


def read(path: Path) -> Any:
    """The JSON of a file; None if there is no such file."""
    return json.loads(path.read_bytes()) if path.exists() else None


@cache
def predefined(data: Path) -> dict[str, frozenset[str]]:
    """Permissions by role. A role that is described and not in the table holds none of those that are in it."""
    held = read(data / "roles" / "role_permissions.json")
    described = read(data / "roles" / "role_names.json")["described"]
    return {role: frozenset(held.get(role, ())) for role in described}


def recordings(data: Path) -> list[Policies]:
    """The projects whose policy was recorded (Resource Manager v1, without conditions)."""
    found = []
    for path in sorted((data / "api").glob("*/iam-policy.json")):
        project = read(path.parent / "project.json")
        own = f"projects/{project['projectId']}"
        above = (project["parent"],) if project.get("parent") else ()
        custom = {
            role["name"]: frozenset(role.get("includedPermissions", ()))
            for dump in ("iam-roles-custom.json", "iam-roles-get.json")
            for role in (read(path.parent / dump) or {}).get("roles", [])
            if not role.get("deleted") and role.get("stage") != "DISABLED"
        }
        number = project["name"].removeprefix("projects/")
        bindings = {own: read(path).get("bindings", [])}
        found.append(Policies(path.parent.name, project["projectId"], number, (own, *above), bindings, custom))
    return found


def asset_files(data: Path) -> list[Policies]:
    """The projects of the asset files; for a policy of a folder or an organization, some project right below it."""
    found = []
    for path in sorted((data / "terraform" / "plan").glob("*.cai.json")):
        assets = read(path)
        words = max((asset["ancestry_path"].split("/") for asset in assets), key=len)
        steps = [f"{FOLDERS[kind]}/{name}" for kind, name in zip(words[::2], words[1::2], strict=True)]
        if not steps[-1].startswith("projects/"):
            steps.append("projects/some-project")
        bindings = {
            resource_of(asset): asset["iam_policy"]["bindings"]
            for asset in assets
            if "iam_policy" in asset and asset["asset_type"].startswith("cloudresourcemanager.")
        }
        project = steps[-1].removeprefix("projects/")
        found.append(Policies(path.name, project, None, tuple(reversed(steps)), bindings, {}))
    return found


def resource_of(asset: dict[str, Any]) -> str:
    """Some names lack the kind before the number."""
    kind = asset["asset_type"].rpartition("/")[2].lower()
    return f"{FOLDERS[kind]}/{asset['name'].rpartition('/')[2]}"


def holders(data: Path, policies: Policies, permission: str = JOBS) -> set[str]:
    """Who holds the permission on the project, in lower case."""
    roles = {**predefined(data), **policies.custom_roles}
    assert set(policies.bindings) <= set(policies.chain), policies.where
    return {
        member.lower()
        for bindings in policies.bindings.values()
        for binding in bindings
        if permission in roles[binding["role"]]
        for member in binding["members"]
    }


def main(data: Path) -> None:
    """Prints who holds it where."""
    for policies in (*recordings(data), *asset_files(data)):
        for member in sorted(holders(data, policies)):
            sys.stdout.write(f"{policies.where}\t{policies.project}\t{member}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

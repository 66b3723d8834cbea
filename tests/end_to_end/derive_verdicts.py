"""What each rule has to say of a recorded project, derived from the raw files alone.

This shares no code with the product: it follows the requirements' text as literally as it can, so that the two
can be compared. By hand: `python tests/end_to_end/derive_verdicts.py ../shared/data` prints the whole table.

What a recording doesn't hold is refused to every caller. None holds the policy of a folder or an organization,
nor datasets; so "not granted" is never sure in a project that has a parent.
"""

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

VENDOR = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
JOBS, DATASETS = "bigquery.jobs.create", "bigquery.datasets.create"
# H8 and H9: raw tables are made, filled and read back by views, and the views are made and replaced.
WRITES = (
    "bigquery.tables.create",
    "bigquery.tables.get",
    "bigquery.tables.getData",
    "bigquery.tables.update",
    "bigquery.tables.updateData",
)
SUPPORTED = {"us", "eu"}
REGIONS = {
    *(f"us-{region}" for region in ("central1", "east1", "east4", "east5", "south1")),
    *(f"us-west{number}" for number in (1, 2, 3, 4)),
    *(f"europe-{region}" for region in ("central2", "north1", "north2", "southwest1")),
    *(f"europe-west{number}" for number in (1, 3, 4, 8, 9, 10, 12)),  # 2 and 6 are London and Zürich
}
RULES = (
    "project-active",
    "billing-enabled",
    "bigquery-api-enabled",
    "vendor-role",
    "jobs-create",
    "dataset-name",
    "dataset-location",
    "dataset-writable",
    "auditor-access",
)


class Choice(NamedTuple):
    """The options of a run."""

    location: str | None = None
    dataset: str | None = None


CHOICES = (
    Choice(),
    Choice("EU"),
    Choice("us", "heap_production"),
    Choice(None, "heap_migrated"),
    Choice("europe-west3"),
    Choice("europe-west2", "heap_production"),
    Choice("mars-north1", "not-valid"),
)


def read(path: Path) -> Any:
    """The JSON of a file; None if it was not recorded."""
    return json.loads(path.read_bytes()) if path.exists() else None


@cache
def predefined(data: Path) -> dict[str, frozenset[str]]:
    """Permissions by predefined role. A role that is described and not in the table has none of those in it."""
    held = read(data / "roles" / "role_permissions.json")
    described = read(data / "roles" / "role_names.json")["described"]
    return {role: frozenset(held.get(role, ())) for role in described}


def principals(folder: Path) -> list[str]:
    """The users and service accounts that a project's policy names, each once."""
    policy = read(folder / "iam-policy.json") or {}
    members = {member for binding in policy.get("bindings", []) for member in binding.get("members", [])}
    return sorted(member for member in members if member.startswith(("user:", "serviceAccount:")))


class Recorded:
    """One project's raw files, and what they say of a principal."""

    def __init__(self, folder: Path, principal: str) -> None:
        self.folder = folder
        self.project = read(folder / "project.json")
        self.policy = read(folder / "iam-policy.json")
        self.services = read(folder / "services.json")
        self.roles = dict(predefined(folder.parents[1]))
        for name in ("iam-roles-custom.json", "iam-roles-get.json"):
            for role in (read(folder / name) or {}).get("roles", []):
                gone = role.get("deleted") or role.get("stage") == "DISABLED"
                self.roles.setdefault(role["name"], frozenset(() if gone else role.get("includedPermissions", ())))
        self.granted = {
            binding["role"]
            for binding in (self.policy or {}).get("bindings", [])
            if principal.lower() in {member.lower() for member in binding.get("members", [])}
        }

    def has(self, permission: str) -> bool:
        """Whether a role that was granted is known to hold the permission."""
        return any(permission in self.roles.get(role, ()) for role in self.granted)

    def not_granted(self) -> str:
        """What the lack of a grant means: nothing is sure unless policy, roles and ancestors are all known."""
        all_seen = self.policy is not None and not self.project.get("parent") and self.granted <= self.roles.keys()
        return "fail" if all_seen else "unknown"


def project_active(at: Recorded) -> str:
    return "pass" if at.project["state"] == "ACTIVE" else "fail"


def billing_enabled(at: Recorded) -> str:
    info = read(at.folder / "project_billing_info.json")
    if info is None:
        return "unknown"
    return "pass" if info.get("billingEnabled") else "fail"


def bigquery_api_enabled(at: Recorded) -> str:
    if at.services is None:
        return "unknown"
    for service in at.services.get("services", []):
        if service["config"]["name"] == "bigquery.googleapis.com":
            return "pass" if service["state"] == "ENABLED" else "fail"
    return "unknown" if at.services.get("nextPageToken") else "fail"  # it may be on the page that is missing


def vendor_role(at: Recorded) -> str:
    if "roles/bigquery.user" in at.granted:
        return "pass"
    if "roles/bigquery.dataEditor" in at.granted and at.has(JOBS):
        return "pass"
    if at.has(JOBS) and at.has(DATASETS):
        return "warn"
    return at.not_granted()


def jobs_create(at: Recorded) -> str:
    return "pass" if at.has(JOBS) else at.not_granted()


def dataset_name(choice: Choice) -> str:
    name = choice.dataset
    if name is None:
        return "skip"
    if not name.replace("_", "a").isalnum() or not name.isascii() or len(name) > 1024:
        return "fail"
    return "warn" if name.endswith("_migrated") else "pass"


def dataset_location(choice: Choice) -> str:
    if choice.location is None:
        # Where the destination is can't be read; with none named, neither can where the others are.
        return "skip" if choice.dataset is None else "unknown"
    location = choice.location.lower()
    if location not in SUPPORTED | REGIONS:
        return "fail"  # London and Zürich ask support first; the others are not listed
    if choice.dataset is not None:
        return "unknown"  # it may exist elsewhere
    return "pass" if location in SUPPORTED else "warn"


def dataset_writable(at: Recorded, choice: Choice) -> str:
    if choice.dataset is None:
        return "pass" if at.has(DATASETS) else at.not_granted()
    # Whether it and its companion exist can't be read: fine only for who can make them and write to any.
    return "pass" if all(at.has(permission) for permission in (DATASETS, *WRITES)) else "unknown"


def auditor_access(at: Recorded) -> str:
    """No recording holds the datasets, nor an ancestor's policy: some grant is always missing."""
    del at
    return "warn"


def derive(folder: Path, principal: str = VENDOR, choice: Choice = CHOICES[0]) -> dict[str, str]:
    """The verdict of each rule on one recorded project."""
    at = Recorded(folder, principal)
    verdicts = {
        "project-active": project_active(at),
        "billing-enabled": billing_enabled(at),
        "bigquery-api-enabled": bigquery_api_enabled(at),
        "vendor-role": vendor_role(at),
        "jobs-create": jobs_create(at),
        "dataset-name": dataset_name(choice),
        "dataset-location": dataset_location(choice),
        "dataset-writable": dataset_writable(at, choice),
        "auditor-access": auditor_access(at),
    }
    if verdicts["project-active"] == "fail":
        return {rule: verdict if rule == "project-active" else "skip" for rule, verdict in verdicts.items()}
    if verdicts["bigquery-api-enabled"] == "fail":
        verdicts |= {"dataset-location": "skip", "dataset-writable": "skip"}
    return verdicts


def overall(verdicts: dict[str, str]) -> str:
    """The report's verdict; all rules but auditor-access are required."""
    required = {verdict for rule, verdict in verdicts.items() if rule != "auditor-access"}
    if "fail" in required:
        return "fail"
    if "unknown" in required:
        return "unknown"
    return "warn" if "warn" in verdicts.values() else "pass"


def jobs_create_as_itself(folder: Path, principal: str) -> str:
    """The same rule where the principal runs the tool: testIamPermissions answers for it, and a no is sure."""
    at = Recorded(folder, principal)
    if at.policy is None or resource_manager_is_off(at, principal):
        return "unknown"
    return "pass" if at.has(JOBS) else "fail"


def resource_manager_is_off(at: Recorded, principal: str) -> bool:
    """A service account's calls are charged to its own project. If that is this one, the API has to be on in it."""
    name, number = at.project["projectId"], at.project["name"].removeprefix("projects/")
    own = (
        f"@{name}.iam.gserviceaccount.com",
        f":{name}@appspot.gserviceaccount.com",
        f":{number}-compute@developer.gserviceaccount.com",
    )
    if not principal.endswith(own) or at.services is None or at.services.get("nextPageToken"):
        return False
    on = {service["config"]["name"] for service in at.services.get("services", [])}
    return "cloudresourcemanager.googleapis.com" not in on


def cases(folder: Path) -> Iterator[tuple[str, Choice]]:
    """The vendor and each principal that occurs, with every choice of options."""
    for principal in (VENDOR, *principals(folder)):
        yield from ((principal, choice) for choice in CHOICES)


def main(data: Path) -> None:
    """Prints the table."""
    sys.stdout.write("\t".join(("project", "principal", "location", "dataset", *RULES, "overall")) + "\n")
    rows = 0
    folders = sorted(path.parent for path in (data / "api").glob("*/project.json"))
    for folder in folders:
        for principal, choice in cases(folder):
            verdicts = derive(folder, principal, choice)
            words = (folder.name, principal, choice.location or "-", choice.dataset or "-")
            sys.stdout.write("\t".join((*words, *(verdicts[rule] for rule in RULES), overall(verdicts))) + "\n")
            rows += 1
    sys.stdout.write(f"{len(folders)} projects, {rows} rows, {rows * len(RULES)} verdicts\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

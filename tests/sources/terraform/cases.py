"""Real plans beside what another tool made of them: the facts of both, and where they differ.

python -m tests.sources.terraform.cases    prints each difference with its reason
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from preflight import AllowPolicy, Dataset, OrgPolicy, Project, Role, Service, Unknown
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.sources.set_policies import SetPolicy
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.kinds import RELEVANT
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.resources import Declared
from preflight.sources.terraform.semantics import snapshot_of
from preflight.sources.terraform.semantics.home import home_of
from preflight.sources.terraform.semantics.items import World
from preflight.sources.terraform.semantics.org_policies import set_on
from preflight.sources.terraform.semantics.policies import allow_policy

DATA = Path(__file__).parents[4] / "shared/data/terraform/plan"
NAMES = sorted(path.name.removesuffix(".cai.json") for path in DATA.glob("*.cai.json"))
_RM = "//cloudresourcemanager.googleapis.com/"
SUBJECT = {
    "cloudresourcemanager.googleapis.com/Project",
    "cloudresourcemanager.googleapis.com/Folder",
    "cloudresourcemanager.googleapis.com/Organization",
    "cloudbilling.googleapis.com/ProjectBillingInfo",
    "serviceusage.googleapis.com/Service",
    "iam.googleapis.com/Role",
    "bigquery.googleapis.com/Dataset",
}
"""The asset types that facts are made of."""


class Told(NamedTuple):
    """One thing that the other tool tells, and what the plan's facts say of it."""

    case: str
    what: str
    theirs: Any
    ours: Any

    @property
    def name(self) -> str:
        """Without the resource."""
        return self.what.split(" ", 1)[1]

    @property
    def same(self) -> bool:
        return bool(self.theirs == self.ours)

    @property
    def unknown(self) -> bool:
        return isinstance(self.ours, Unknown)


def assets(case: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / f"{case}.cai.json").read_text(encoding="utf-8"))
    return found


def plan_of(case: str) -> Declared:
    return read_plan(DATA / f"{case}.tfplan.json")


def files_of(case: str, folder: Path) -> Declared:
    """The case's files of Terraform, read from a copy in a folder of their own."""
    (folder / "main.tf").write_bytes((DATA / f"{case}.tf").read_bytes())
    return read_root(folder, folder, types=RELEVANT)


def compared(case: str, declared: Declared | None = None) -> Iterator[Told]:
    """All that the other tool tells on the subject, beside the facts of the plan or of something else."""
    declared = declared or plan_of(case)
    for asset in assets(case):
        if asset["asset_type"] not in SUBJECT:
            continue
        for what, theirs, ours in _of(asset, declared):
            yield Told(case, f"{asset['name'].rpartition('//')[2]} {what}", theirs, ours)


def project_of(asset: dict[str, Any]) -> str:
    words = asset["name"].split("/")
    return words[words.index("projects") + 1] if "projects" in words else "acme-analytics-4821"


def _of(asset: dict[str, Any], declared: Declared) -> Iterator[tuple[str, Any, Any]]:
    project = project_of(asset)
    data = asset.get("resource", {}).get("data", {})
    apis = (data["name"],) if asset["asset_type"].endswith("/Service") else ()
    snapshot = snapshot_of(declared, project, apis, frozenset(FIELD_OF), "plan")[0]
    match asset["asset_type"].rpartition("/")[2]:
        case "Project" if data:
            yield from _project(asset, data, snapshot)
        case "ProjectBillingInfo":
            told = snapshot.billing
            account = data["billingAccountName"]
            named = isinstance(told, Unknown) and told.reason.describe().startswith(f"{account} is linked")
            yield "account", account, account if named else told
            yield "enabled", None, told if isinstance(told, Unknown) else told.enabled
        case "Service":
            services: Any = snapshot.services
            found = services.services[data["name"]]
            yield "state", data["state"], found.state if isinstance(found, Service) else found
        case "Role":
            name = asset["name"].removeprefix("//iam.googleapis.com/")
            roles: Any = snapshot.roles
            role = roles.roles.get(name)
            permissions = sorted(role.permissions) if isinstance(role, Role) else role
            yield "permissions", sorted(data["includedPermissions"]), permissions
        case "Dataset":
            yield from _dataset(asset, data, snapshot)
        case "Folder" if data:
            yield "display name", data["display_name"], None
    if "iam_policy" in asset and not asset["asset_type"].endswith("/Dataset"):
        yield from _policy(asset, project, declared)
    if "org_policy" in asset:
        yield from _org_policies(asset, project, declared)


def _project(asset: dict[str, Any], data: dict[str, Any], snapshot: Snapshot) -> Iterator[tuple[str, Any, Any]]:
    found = snapshot.project
    yield "project ID", data["projectId"], found.id if isinstance(found, Project) else found
    yield "name", data["name"], found.name if isinstance(found, Project) else found
    yield "parent", asset["resource"]["parent"].removeprefix(_RM), found.parent if isinstance(found, Project) else found


def _dataset(asset: dict[str, Any], data: dict[str, Any], snapshot: Snapshot) -> Iterator[tuple[str, Any, Any]]:
    datasets: Any = snapshot.datasets
    found = datasets if isinstance(datasets, Unknown) else datasets.get(data["datasetReference"]["datasetId"])
    if not isinstance(found, Dataset):
        yield "dataset", data, found
        return
    yield "location", data["location"], found.location
    settings: Any = found.settings
    yield "expiration", int(data["defaultTableExpirationMs"]), settings.table_expiration_ms
    if "iam_policy" in asset:
        entries: Any = found.access
        if isinstance(entries, Unknown):
            yield "grants", _pairs(asset["iam_policy"]), entries
            return
        yield "grants", _pairs(asset["iam_policy"]), sorted((one.role_name, one.member) for one in entries)
        yield "all grants", True, found.access_completeness.complete or _gap(found.access_completeness)


def _gap(completeness: Any) -> Unknown:
    return Unknown(completeness.gap, completeness.provenance)


def _pairs(policy: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["role"], member) for one in policy["bindings"] for member in one["members"])


def _policy(asset: dict[str, Any], project: str, declared: Declared) -> Iterator[tuple[str, Any, Any]]:
    world = World(declared, project)
    resource = asset["name"].removeprefix(_RM)
    if resource.isdigit():
        resource = f"folders/{resource}"  # the other tool leaves the kind out
    found = allow_policy(world, resource, home_of(world, project))
    if not isinstance(found, AllowPolicy):
        yield "grants", _pairs(asset["iam_policy"]), found
        return
    yield "grants", _pairs(asset["iam_policy"]), sorted((b.role, m) for b in found.bindings for m in b.members)
    yield "all grants", True, found.completeness.complete or _gap(found.completeness)


def _org_policies(asset: dict[str, Any], project: str, declared: Declared) -> Iterator[tuple[str, Any, Any]]:
    world = World(declared, project)
    level = set_on(world, asset["name"].removeprefix(_RM), home_of(world, project))
    for told in asset["org_policy"]:
        constraint = told["constraint"].removeprefix("constraints/")
        found = level.get(constraint)
        yield constraint, _demands(told), _shown(found) if isinstance(found, SetPolicy) else found


def _demands(told: dict[str, Any]) -> dict[str, Any]:
    if "boolean_policy" in told:
        return {"enforce": told["boolean_policy"].get("enforced", False)}
    listed = told.get("list_policy")
    if listed is None:
        return {}
    return {
        key: value
        for key, value in {
            "allow_all": listed.get("all_values") == 1,
            "denied": tuple(listed.get("denied_values", ())),
            "allowed": tuple(listed.get("allowed_values", ())),
        }.items()
        if value
    }


def _shown(found: SetPolicy | OrgPolicy) -> dict[str, Any]:
    (rule,) = found.rules or (None,)
    names = ("allow_all", "deny_all", "allowed", "denied", "enforce")
    return {name: value for name in names if (value := getattr(rule, name, None)) not in {None, False, ()}}


EXPLAINED = {
    ("example_project_create", "parent"): "the same plan makes the folder; their tool took the ancestry it was told",
    ("example_project_in_folder", "parent"): "the plan contradicts itself: folder_id is there and said to be unknown",
    ("example_project_create", "enabled"): "nobody tells whether the account is open; their file leaves it out",
    ("example_project_create", "display name"): "a folder's name is no fact about the project",
    ("example_organization_policy", "serviceuser.services"): "three resources set one constraint",
    ("example_folder_organization_policy", "serviceuser.services"): "three resources set one constraint",
    ("example_project_iam_member", "all grants"): "a member completes nothing; their file holds what is declared",
    ("example_project_iam_binding", "all grants"): "a binding completes its role alone; theirs is what it says",
    ("example_folder_iam_member", "all grants"): "a member completes nothing; their file holds what is declared",
    ("example_organization_iam_binding", "all grants"): "a binding completes its role alone; theirs is what it says",
    ("example_bigquery_dataset_iam_binding", "all grants"): "BigQuery adds to a new dataset's list",
}  # fmt: skip
"""Why facts differ from what the other tool tells, by the case and the thing."""
_PROVIDER = "by age: the plan's provider names a project, as the files no longer do"
BY_AGE = {
    ("example_bigquery_dataset", "dataset"): _PROVIDER,
    ("example_bigquery_dataset_iam_binding", "grants"): _PROVIDER,
    ("example_bigquery_dataset_iam_policy", "grants"): _PROVIDER,
}
"""Why those of the files of Terraform do besides: they were changed after the plans were made."""
NOT_UNKNOWN = {("example_project_create", "display name")}
"""Differences that are none of what is known: nothing is said of them at all."""


def main() -> None:
    """Prints each difference with its reason: of the plans, then of the files."""
    for kind in ("tfplan.json", "tf"):
        for case in NAMES:
            with TemporaryDirectory() as folder:
                declared = plan_of(case) if kind != "tf" else files_of(case, Path(folder))
            for told in compared(case, declared):
                if not told.same:
                    ours = told.ours.reason.describe() if isinstance(told.ours, Unknown) else told.ours
                    reason = (EXPLAINED | BY_AGE).get((case, told.name), "NOT EXPLAINED")
                    said = f"  theirs {told.theirs}\n  ours   {ours}\n  reason {reason}"
                    print(f"{case}.{kind}: {told.what}\n{said}")  # noqa: T201


if __name__ == "__main__":
    main()

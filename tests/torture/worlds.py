"""Worlds in which a run calls every method that the tool may call: in two all is well, in the other little is."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from preflight.emulator import World

ADMIN = "admin@acme.example"
VENDOR = "heap-sql@heap-204122.iam.gserviceaccount.com"
RUN = ("run", "--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production", "--cross-check")

# For the methods that tell of deny policies, groups and tags: all of it concerns others.
_DENIED = """
[[folders.deny]]
name = "no-deletion"
[[folders.deny.rules]]
denied_principals = ["principalSet://goog/group/team@acme.example"]
denied_permissions = ["bigquery.googleapis.com/datasets.delete"]
condition = { expression = "resource.matchTag('1000/env', 'prod')" }
"""

# A sync was there: beside the destination there is what the vendor keeps.
_COMPANION = """
[[projects.datasets]]
id = "heap_production_migrated"
location = "EU"
access = [{ role = "OWNER", specialGroup = "projectOwners" }]
tables = [{ id = "users", type = "VIEW" }]
"""
_TABLES = """tables = [{ id = "users_raw" }, { id = "users", type = "VIEW" }, { id = "all_events", type = "VIEW" }]
"""

# The vendor's minimum, in pieces from everywhere: dataEditor from the folder, jobs.create by the project's custom
# role, and on the organization a custom role of its own that adds nothing.
_BARE = f"""
callers = [{{ email = "{ADMIN}" }}]
groups = [{{ email = "team@acme.example", members = ["user:ana@acme.example"], viewers = ["user:{ADMIN}"] }}]

[[organizations]]
id = "1000"
display_name = "acme.example"
tags = {{ "1000/env" = "prod" }}
bindings = [
    {{ role = "roles/iam.securityAuditor", members = ["user:{ADMIN}"] }},
    {{ role = "organizations/1000/roles/spare", members = ["serviceAccount:{VENDOR}"] }},
]
roles = [{{ name = "spare", permissions = ["bigquery.jobs.listAll"] }}]

[[folders]]
id = "2000"
parent = "organizations/1000"
display_name = "analytics"
bindings = [{{ role = "roles/bigquery.dataEditor", members = ["serviceAccount:{VENDOR}"] }}]
{_DENIED}
[[projects]]
id = "acme-analytics"
number = "3000"
parent = "folders/2000"
services = ["bigquery.googleapis.com", "serviceusage.googleapis.com"]
billing = {{ account = "billingAccounts/01A2B3-C4D5E6-F70819", enabled = true }}
roles = [{{ name = "runner", permissions = ["bigquery.jobs.create"] }}]
bindings = [
    {{ role = "roles/owner", members = ["user:{ADMIN}"] }},
    {{ role = "projects/acme-analytics/roles/runner", members = ["serviceAccount:{VENDOR}"] }},
]

[[projects.datasets]]
id = "heap_production"
location = "EU"
access = [{{ role = "OWNER", specialGroup = "projectOwners" }}]

[[projects.datasets]]
id = "marketing"
location = "EU"
access = [{{ role = "OWNER", specialGroup = "projectOwners" }}]
"""

_GOOD = _BARE.replace('id = "heap_production"\n', f'id = "heap_production"\n{_TABLES}') + _COMPANION

# The vendor's account has roles everywhere, and not one of them is of use; its dataset lies in London and is not
# its own; of what was synced half is gone; the billing account was closed.
_BAD = f"""
callers = [{{ email = "{ADMIN}" }}]
groups = [{{ email = "team@acme.example", members = ["user:ana@acme.example"], viewers = ["user:{ADMIN}"] }}]

[[organizations]]
id = "1000"
display_name = "acme.example"
tags = {{ "1000/env" = "prod" }}
bindings = [
    {{ role = "roles/iam.securityAuditor", members = ["user:{ADMIN}"] }},
    {{ role = "organizations/1000/roles/spare", members = ["serviceAccount:{VENDOR}"] }},
]
roles = [{{ name = "spare", permissions = ["bigquery.jobs.listAll"] }}]

[[folders]]
id = "2000"
parent = "organizations/1000"
display_name = "analytics"
bindings = [{{ role = "roles/browser", members = ["serviceAccount:{VENDOR}"] }}]
{_DENIED}
[[projects]]
id = "acme-analytics"
number = "3000"
parent = "folders/2000"
services = ["bigquery.googleapis.com", "serviceusage.googleapis.com"]
billing = {{ account = "billingAccounts/01A2B3-C4D5E6-F70819", enabled = false }}
roles = [{{ name = "looker", permissions = ["bigquery.datasets.get"] }}]
bindings = [
    {{ role = "roles/owner", members = ["user:{ADMIN}"] }},
    {{ role = "projects/acme-analytics/roles/looker", members = ["serviceAccount:{VENDOR}"] }},
]

[[projects.datasets]]
id = "heap_production"
location = "europe-west2"
access = [{{ role = "OWNER", specialGroup = "projectOwners" }}]
tables = [{{ id = "users", type = "VIEW" }}, {{ id = "all_events", type = "VIEW" }}]
"""

# BigQuery User alone: what it may do in the dataset that is there, only that dataset's own access list tells. It is
# empty, and nothing is beside it.
_OWN = (
    _BARE.replace("roles/bigquery.dataEditor", "roles/bigquery.user")
    .replace('["bigquery.jobs.create"]', '["bigquery.jobs.listAll"]')
    .replace('projectOwners" }]', f'projectOwners" }}, {{ role = "WRITER", userByEmail = "{VENDOR}" }}]', 1)
)

TEXTS = {"good": _GOOD, "bad": _BAD, "own": _OWN}


@cache
def world(name: str) -> World:
    """The world of this name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(TEXTS[name], encoding="utf-8")
        return World.load(path)

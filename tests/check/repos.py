"""A small infrastructure repository that keeps the vendor's connection, and ways to break it."""

from collections.abc import Callable
from pathlib import Path

VENDOR = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
ALL = 'owns = ["project", "billing", "api", "iam", "dataset"]'

MAIN = """\
provider "google" {
  project = "acme-analytics"
}

resource "google_project" "this" {
  project_id      = "acme-analytics"
  name            = "Acme Analytics"
  org_id          = "123456789"
  billing_account = "AAAAAA-BBBBBB-CCCCCC"
}

resource "google_project_service" "bigquery" {
  service = "bigquery.googleapis.com"
}

resource "google_bigquery_dataset" "heap" {
  dataset_id = "heap_production"
  location   = "EU"
}
"""
IAM = f"""\
locals {{
  vendor = "{VENDOR}"
}}

resource "google_project_iam_member" "heap" {{
  for_each = toset(["roles/bigquery.user", "roles/bigquery.dataEditor"])
  project  = "acme-analytics"
  role     = each.key
  member   = local.vendor
}}
"""
POLICY = """\
data "google_iam_policy" "all" {
  binding {
    role    = "roles/owner"
    members = ["user:admin@acme.example"]
  }
}

resource "google_project_iam_policy" "all" {
  project     = "acme-analytics"
  policy_data = data.google_iam_policy.all.policy_data
}
"""
CONFIGURATION = f"""\
[projects.acme-analytics]
profile = "heap"
dataset = "heap_production"
location = "EU"
{ALL}
"""
GOOD = {"main.tf": MAIN, "iam.tf": IAM, "preflight.toml": CONFIGURATION}

Files = dict[str, str]
Change = Callable[[Files], Files]


def write(folder: Path, files: Files, *, repository: bool = True) -> Path:
    """The files in a folder, which is a repository."""
    if repository:
        (folder / ".git").mkdir(parents=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def changed(name: str, old: str, new: str) -> Files:
    """The good files with another text in one of them."""
    assert old in GOOD[name], f"{name} doesn't hold {old!r}"
    return {**GOOD, name: GOOD[name].replace(old, new)}


def without(*names: str) -> Files:
    """The good files but for some."""
    return {name: text for name, text in GOOD.items() if name not in names}

"""Made-up infrastructure repositories: a single file, and as many root modules as are wanted over a shared module."""

from pathlib import Path

_CONNECTION = """
locals {
  vendor = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
  roles  = toset(["roles/bigquery.user", "roles/bigquery.dataEditor"])
}

resource "google_project_service" "this" {
  for_each           = toset(["bigquery.googleapis.com", "logging.googleapis.com"])
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

resource "google_project_iam_member" "vendor" {
  for_each = local.roles
  project  = var.project
  role     = each.value
  member   = local.vendor
}

resource "google_bigquery_dataset" "heap" {
  project    = var.project
  dataset_id = "heap_production"
  location   = "EU"
  labels = {
    owner = "data-platform"
  }
}
"""
_VARIABLE = """
variable "project" {
  type        = string
  description = "Where the warehouse is."
%s}
"""
_ROOT = """
terraform {
  backend "gcs" {
    bucket = "acme-state"
    prefix = "team-%(number)04d"
  }
}

provider "google" {
  project = var.project
}

module "connection" {
  source  = "../../modules/connection"
  project = var.project
}

resource "google_storage_bucket" "landing" {
  name     = "${var.project}-landing"
  location = "EU"
}

resource "google_project_iam_member" "readers" {
  project = var.project
  role    = "roles/bigquery.dataViewer"
  member  = "group:team-%(number)04d@acme.example"
}
"""
ONE = 'provider "google" {}\n' + _VARIABLE % '  default     = "acme-analytics"\n' + _CONNECTION
"""A file that says all of a connection."""


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip(), encoding="utf-8")
    return path


def write_one(folder: Path) -> Path:
    """A repository of one file, whose path comes back."""
    (folder / ".git").mkdir(parents=True)
    return _written(folder / "main.tf", ONE)


def write_many(folder: Path, roots: int) -> Path:
    """A repository of so many root modules, each for a project of its own that is given to the vendor."""
    (folder / ".git").mkdir(parents=True)
    _written(folder / "modules" / "connection" / "main.tf", _VARIABLE % "" + _CONNECTION)
    for number in range(roots):
        root = folder / "teams" / f"team-{number:04}"
        _written(root / "main.tf", _VARIABLE % "" + _ROOT % {"number": number})
        _written(root / "terraform.tfvars", f'project = "acme-team-{number:04}"\n')
    return folder

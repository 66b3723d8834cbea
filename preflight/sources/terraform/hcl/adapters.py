"""Well-known registry modules whose arguments say all that matters here, for where `terraform init` hasn't run.

Each is a small module of ours with the variables, the resources and the addresses that the module's own
documentation and source have (github.com/terraform-google-modules, mid-2026). The evaluator runs it with the call's
arguments; all places in it are the call's.
"""

import re

from preflight.sources.terraform.hcl.folder import Folder
from preflight.sources.terraform.hcl.limits import LIMITS
from preflight.sources.terraform.hcl.parsing import parse_file
from preflight.sources.terraform.hcl.syntax import Block, Source

_PROJECT_SERVICES = """
variable "project_id" {}
variable "enable_apis" { default = true }
variable "activate_apis" {
  type    = list(string)
  default = []
}
variable "activate_api_identities" {
  type    = list(object({ api = string, roles = list(string) }))
  default = []
}
variable "disable_services_on_destroy" { default = true }
variable "disable_dependent_services" { default = true }

locals {
  apis = concat(var.activate_apis, var.activate_api_identities[*].api)
}

resource "google_project_service" "project_services" {
  for_each = var.enable_apis ? toset(local.apis) : toset([])
  project                    = var.project_id
  service                    = each.value
  disable_on_destroy         = var.disable_services_on_destroy
  disable_dependent_services = var.disable_dependent_services
}

data "google_project" "project" {
  project_id = var.project_id
}

resource "google_project_iam_member" "project_service_identity_roles" {
  for_each = merge([
    for identity in var.activate_api_identities : { for role in identity.roles : "${identity.api} ${role}" => role }
  ]...)
  project = var.project_id
  role    = each.value
  member  = "serviceAccount:service-${data.google_project.project.number}@the-agent-of-the-service"
}

output "project_id" { value = var.project_id }
"""

_PROJECTS_IAM = """
variable "projects" {
  type    = list(string)
  default = []
}
variable "mode" { default = "additive" }
variable "bindings" {
  type    = map(list(string))
  default = {}
}
variable "conditional_bindings" {
  type = list(object({
    role = string, title = string, description = string, expression = string, members = list(string)
  }))
  default = []
}

locals {
  plain = [for role, members in var.bindings : { role = role, members = members, condition = [] }]
  conditional = [for one in var.conditional_bindings : {
    role      = one.role
    members   = one.members
    condition = [{ title = one.title, description = one.description, expression = one.expression }]
  }]
  all = flatten([
    for project in var.projects : [
      for one in concat(local.plain, local.conditional) : {
        key = join("--", concat(
          [length(var.projects) == 1 ? "default" : project, one.role], one.condition[*].title
        ))
        project   = project
        role      = one.role
        members   = one.members
        condition = one.condition
      }
    ]
  ])
}

resource "google_project_iam_binding" "project_iam_authoritative" {
  for_each = var.mode == "authoritative" ? { for one in local.all : one.key => one } : {}
  project  = each.value.project
  role     = each.value.role
  members  = each.value.members
  dynamic "condition" {
    for_each = each.value.condition
    content {
      title       = condition.value.title
      description = condition.value.description
      expression  = condition.value.expression
    }
  }
}

resource "google_project_iam_member" "project_iam_additive" {
  for_each = var.mode == "additive" ? merge([
    for one in local.all : { for member in one.members : "${one.key}--${member}" => {
      project = one.project, role = one.role, member = member, condition = one.condition
    } }
  ]...) : {}
  project = each.value.project
  role    = each.value.role
  member  = each.value.member
  dynamic "condition" {
    for_each = each.value.condition
    content {
      title       = condition.value.title
      description = condition.value.description
      expression  = condition.value.expression
    }
  }
}
"""

_BIGQUERY = """
variable "dataset_id" {}
variable "dataset_name" { default = null }
variable "description" { default = null }
variable "location" { default = "US" }
variable "delete_contents_on_destroy" { default = null }
variable "default_table_expiration_ms" { default = null }
variable "default_partition_expiration_ms" { default = null }
variable "max_time_travel_hours" { default = null }
variable "project_id" {}
variable "dataset_labels" { default = {} }
variable "encryption_key" { default = null }
variable "access" {
  default = [{ role = "roles/bigquery.dataOwner", special_group = "projectOwners" }]
}

locals {
  primitive = {
    "roles/bigquery.dataOwner"  = "OWNER"
    "roles/bigquery.dataEditor" = "WRITER"
    "roles/bigquery.dataViewer" = "READER"
  }
}

resource "google_bigquery_dataset" "main" {
  dataset_id                      = var.dataset_id
  friendly_name                   = var.dataset_name
  description                     = var.description
  location                        = var.location
  delete_contents_on_destroy      = var.delete_contents_on_destroy
  default_table_expiration_ms     = var.default_table_expiration_ms
  default_partition_expiration_ms = var.default_partition_expiration_ms
  max_time_travel_hours           = var.max_time_travel_hours
  project                         = var.project_id
  labels                          = var.dataset_labels
  dynamic "default_encryption_configuration" {
    for_each = var.encryption_key == null ? [] : [var.encryption_key]
    content {
      kms_key_name = var.encryption_key
    }
  }
  dynamic "access" {
    for_each = var.access
    content {
      role           = lookup(local.primitive, access.value.role, access.value.role)
      domain         = lookup(access.value, "domain", "")
      group_by_email = lookup(access.value, "group_by_email", "")
      user_by_email  = lookup(access.value, "user_by_email", "")
      special_group  = lookup(access.value, "special_group", "")
    }
  }
}

output "bigquery_dataset" { value = google_bigquery_dataset.main }
output "project" { value = var.project_id }
"""

ADAPTERS = {
    "terraform-google-modules/project-factory/google//modules/project_services": _PROJECT_SERVICES,
    "terraform-google-modules/iam/google//modules/projects_iam": _PROJECTS_IAM,
    "terraform-google-modules/bigquery/google": _BIGQUERY,
}
_GITHUB = re.compile(
    r"(?:git::)?(?:https://|ssh://git@|git@)?github\.com[/:]([\w.-]+)/terraform-google-([\w-]+?)(?:\.git)?"
    r"(?://([\w./-]+))?(?:\?.*)?"
)


def adapter(source: str, call: Block) -> Folder | None:
    """The stand-in for a module from the registry or from GitHub; None for modules that aren't in the table."""
    text = ADAPTERS.get(canonical(source))
    if text is None:
        return None
    place = call.place
    folder = Folder(f"{place}: {canonical(source)}", canonical(source))
    folder.take(parse_file(Source(place.file, text.encode(), pinned=place), LIMITS))
    return folder


def canonical(source: str) -> str:
    """A source as the registry's short form writes it."""
    if found := _GITHUB.fullmatch(source):
        return f"{found[1]}/{found[2]}/google" + (f"//{found[3]}" if found[3] else "")
    return source.removeprefix("registry.terraform.io/").rstrip("/")

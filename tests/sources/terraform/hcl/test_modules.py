"""Modules, providers, attributes and files: what a root is made of, and what other readers get wrong."""

from pathlib import Path

import pytest

from preflight.sources.terraform.resources import Place, Unsettled

DATA = Path(__file__).parents[4].parent / "shared" / "data" / "terraform" / "plan"


def by_address(declared):
    return {one.address: one for one in declared.resources}


# Modules


def test_local_modules_with_outputs(read):
    declared = read(
        {
            "main.tf": 'module "m" {\n  source = "./modules/m"\n  count = 2\n  name = "n${count.index}"\n}\n'
            'resource "a" "seen" {\n  v = module.m[*].out\n  w = module.m[1].out\n}\n',
            "modules/m/main.tf": 'variable "name" {}\nmodule "inner" {\n  source = "../inner"\n  name = var.name\n}\n'
            'output "out" {\n  value = "out-${module.inner.x}"\n}\n',
            "modules/inner/main.tf": 'variable "name" {}\nresource "a" "in" {\n  v = var.name\n  p = path.module\n}\n'
            'output "x" {\n  value = upper(var.name)\n}\n',
        }
    )
    found = by_address(declared)
    assert found["a.seen"].values == {"v": ["out-N0", "out-N1"], "w": "out-N1"}
    assert found["module.m[1].module.inner.a.in"].values == {"v": "n1", "p": "modules/inner"}
    assert found["module.m[1].module.inner.a.in"].place == Place("modules/inner/main.tf", 2, 1)


def test_a_module_that_is_not_here_is_an_omission(read):
    declared = read('module "m" {\n  source = "acme/thing/google"\n}\nresource "a" "b" {\n  v = module.m.id\n}\n')
    assert str(declared.omissions[0].place) == "main.tf:1"
    assert "terraform init" in declared.omissions[0].settled_by
    assert isinstance(declared.resources[0].values["v"], Unsettled)


def test_modules_that_init_has_fetched(read):
    listing = (
        '{"Modules": [{"Key": "", "Source": "", "Dir": "."},'
        ' {"Key": "m", "Source": "registry.terraform.io/acme/thing/google", "Dir": ".terraform/modules/m"}]}'
    )
    declared = read(
        {
            "main.tf": 'module "m" {\n  source = "acme/thing/google"\n}\n',
            ".terraform/modules/modules.json": listing,
            ".terraform/modules/m/main.tf": 'resource "a" "b" {\n  v = 1\n}\n',
        }
    )
    assert declared.omissions == ()
    assert by_address(declared)["module.m.a.b"].values == {"v": 1}


@pytest.mark.parametrize("listing", ["", "[]", '{"Modules": [{}]}', '{"Modules": 3}'])
def test_a_broken_list_of_modules_is_as_none(read, listing):
    declared = read({"main.tf": 'module "m" {\n  source = "a/b/c"\n}\n', ".terraform/modules/modules.json": listing})
    assert len(declared.omissions) == 1


def test_project_services_of_the_project_factory(read):
    declared = read(
        'module "s" {\n  source = "terraform-google-modules/project-factory/google//modules/project_services"\n'
        '  version = "~> 14"\n  project_id = "p"\n'
        '  activate_apis = ["bigquery.googleapis.com", "iam.googleapis.com"]\n}\n'
    )
    found = by_address(declared)
    one = found['module.s.google_project_service.project_services["bigquery.googleapis.com"]']
    assert (one.values["project"], one.values["service"]) == ("p", "bigquery.googleapis.com")
    assert one.place == Place("main.tf", 1, 1)
    assert declared.omissions == ()


@pytest.mark.parametrize(
    ("mode", "type_", "who"),
    [
        ("additive", "google_project_iam_member", {"member": "user:a@example.com"}),
        ("authoritative", "google_project_iam_binding", {"members": ["user:a@example.com"]}),
    ],
)
def test_projects_iam(read, mode, type_, who):
    declared = read(
        'module "i" {\n  source = "git::https://github.com/terraform-google-modules/terraform-google-iam.git'
        f'//modules/projects_iam?ref=v8"\n  projects = ["p"]\n  mode = "{mode}"\n'
        '  bindings = { "roles/viewer" = ["user:a@example.com"] }\n}\n'
    )
    (found,) = declared.resources
    assert found.type == type_
    assert {"project": "p", "role": "roles/viewer", **who}.items() <= found.values.items()


def test_the_bigquery_module(read):
    declared = read(
        'module "b" {\n  source = "terraform-google-modules/bigquery/google"\n  dataset_id = "d"\n'
        '  project_id = "p"\n  location = "EU"\n'
        '  access = [{ role = "roles/bigquery.dataEditor", user_by_email = "x" }]\n}\n'
    )
    (found,) = declared.resources
    assert found.address == "module.b.google_bigquery_dataset.main"
    assert (found.values["location"], found.values["project"]) == ("EU", "p")
    assert found.values["access"][0]["role"] == "WRITER"


def test_an_adapter_with_an_unknown_argument(read):
    declared = read(
        'variable "apis" {}\nmodule "s" {\n'
        '  source = "terraform-google-modules/project-factory/google//modules/project_services"\n'
        '  project_id = "p"\n  activate_apis = var.apis\n}\n'
    )
    (found,) = [one for one in declared.resources if one.type == "google_project_service"]
    assert found.maybe is not None
    assert found.maybe.why == "var.apis has no value"


# Providers


def test_the_project_of_the_provider(read):
    declared = read(
        {
            "main.tf": 'provider "google" {\n  project = "main"\n}\nprovider "google" {\n  alias = "other"\n'
            '  project = "second"\n}\n'
            'resource "google_a" "default" {}\nresource "google_a" "aliased" {\n  provider = google.other\n}\n'
            'resource "other_a" "b" {}\nmodule "m" {\n  source = "./m"\n}\n'
            'module "n" {\n  source = "./m"\n  providers = {\n    google = google.other\n  }\n}\n',
            "m/main.tf": 'resource "google_a" "in" {}\n',
        }
    )
    assert {one.address: one.providers_project for one in declared.resources} == {
        "google_a.default": "main",
        "google_a.aliased": "second",
        "other_a.b": None,
        "module.m.google_a.in": "main",
        "module.n.google_a.in": "second",
    }
    assert "provider" not in by_address(declared)["google_a.aliased"].values


def test_a_provider_without_a_project_has_none(read):
    assert read('provider "google" {}\nresource "google_a" "b" {}\n').resources[0].providers_project is None


def test_a_providers_project_may_be_unsettled(read):
    declared = read('variable "p" {}\nprovider "google" {\n  project = var.p\n}\nresource "google_a" "b" {}\n')
    assert isinstance(declared.resources[0].providers_project, Unsettled)


# Attributes


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("google_project.p.project_id", "proj"),
        ("google_project.p.id", "projects/proj"),
        ("google_service_account.s.email", "acc@proj.iam.gserviceaccount.com"),
        ("google_service_account.s.member", "serviceAccount:acc@proj.iam.gserviceaccount.com"),
        ("google_service_account.s.name", "projects/proj/serviceAccounts/acc@proj.iam.gserviceaccount.com"),
        ("google_service_account.default.email", "acc@from-provider.iam.gserviceaccount.com"),
        ("google_bigquery_dataset.d.dataset_id", "ds"),
        ("google_bigquery_dataset.d.location", "US"),
        ("google_project_service.s.service", "bigquery.googleapis.com"),
        ("data.google_project.current.project_id", "from-provider"),
        ("data.google_client_config.c.project", "from-provider"),
        ("[google_project.p][0].project_id", "proj"),
        (
            "data.google_iam_policy.i.policy_data",
            '{"bindings":[{"members":["user:a@x.org","user:b@x.org"],"role":"roles/viewer"}]}',
        ),
    ],
)
def test_attributes_that_are_documented(value, expression, expected):
    text = """
provider "google" {
  project = "from-provider"
}
resource "google_project" "p" {
  project_id = "proj"
}
resource "google_service_account" "s" {
  account_id = "acc"
  project    = google_project.p.project_id
}
resource "google_service_account" "default" {
  account_id = "acc"
}
resource "google_bigquery_dataset" "d" {
  dataset_id = "ds"
}
resource "google_project_service" "s" {
  service = "bigquery.googleapis.com"
}
data "google_project" "current" {}
data "google_client_config" "c" {}
data "google_iam_policy" "i" {
  binding {
    role    = "roles/viewer"
    members = ["user:b@x.org", "user:a@x.org"]
  }
}
"""
    assert value(expression, text) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "random_id.x.hex",
        "google_project.p.number",
        "google_project.p.anything",
        "google_a.b.id",
        '"p-${random_id.x.hex}"',
    ],
)
def test_no_value_is_invented(value, expression):
    text = """
resource "random_id" "x" {}
resource "google_project" "p" {
  project_id = "x"
}
resource "google_a" "b" {}
"""
    found = value(expression, text)
    assert isinstance(found, Unsettled)
    assert "known after apply" in found.why
    assert value(expression, text) == found


# Files


def test_overrides_are_merged(read):
    declared = read(
        {
            "main.tf": 'resource "a" "b" {\n  v = 1\n  w = 1\n  x {\n    n = 1\n  }\n  x {\n    n = 2\n  }\n'
            "  y {\n    n = 3\n  }\n}\n"
            'locals {\n  l = 1\n}\nvariable "z" {\n  default = "base"\n}\nresource "a" "see" {\n'
            "  v = [local.l, var.z]\n}\n",
            "override.tf": 'resource "a" "b" {\n  w = 2\n  x {\n    n = 9\n  }\n}\nlocals {\n  l = 2\n}\n',
            "z_override.tf": 'variable "z" {\n  default = "over"\n}\n',
        }
    )
    found = by_address(declared)
    assert len(declared.resources) == 2
    assert found["a.b"].values == {"v": 1, "w": 2, "y": [{"n": 3}], "x": [{"n": 9}]}
    assert found["a.b"].places["w"] == Place("override.tf", 2, 3)
    assert found["a.see"].values["v"] == [2, "over"]


def test_a_tofu_file_wins_over_its_twin(read):
    declared = read({"main.tf": 'resource "a" "b" {\n  v = 1\n}\n', "main.tofu": 'resource "a" "b" {\n  v = 2\n}\n'})
    assert [one.values for one in declared.resources] == [{"v": 2}]


def test_json_has_lines_and_columns(read):
    text = """{
  "variable": {"x": {"type": "list(string)", "default": ["a"]}},
  "locals": {"l": "${var.x[0]}-${upper(\\"q\\")}"},
  "resource": {"google_bigquery_dataset": {"d": {
    "dataset_id": "${local.l}",
    "labels": {"k": "v"},
    "access": [{"role": "R1"}, {"role": "R2"}],
    "count": 1
  }}}
}
"""
    declared = read({"main.tf.json": text})
    (found,) = declared.resources
    assert found.address == "google_bigquery_dataset.d[0]"
    assert found.values == {"dataset_id": "a-Q", "labels": {"k": "v"}, "access": [{"role": "R1"}, {"role": "R2"}]}
    assert found.places["dataset_id"].line == 5
    assert found.places["dataset_id"].column == 19
    assert found.place.line == 4


def test_places_are_the_arguments(read):
    declared = read('resource "a" "b" {\n  v = 1\n  block {\n    "x" = 1\n  }\n}\n'.replace('"x"', "x"))
    (found,) = declared.resources
    assert found.place == Place("main.tf", 1, 1)
    assert found.places["v"] == Place("main.tf", 2, 3)
    assert found.places["block[0].x"] == Place("main.tf", 4, 5)


def test_other_blocks_are_tolerated(read):
    declared = read(
        'terraform {\n  backend "gcs" {}\n}\nmoved {\n  from = a.x\n  to = a.b\n}\nimport {\n  to = a.b\n'
        '  id = "i"\n}\n'
        "removed {\n  from = a.c\n  lifecycle {\n    destroy = false\n  }\n}\n"
        'check "c" {\n  data "a" "in" {}\n  assert {\n    condition = true\n    error_message = "x"\n  }\n}\n'
        'ephemeral "a" "e" {}\nresource "a" "b" {}\n'
    )
    assert [one.address for one in declared.resources] == ["a.b"]
    assert declared.omissions == ()


def test_a_resource_declared_twice_is_told(read):
    declared = read('resource "a" "b" {\n  v = 1\n}\nresource "a" "b" {\n  v = 2\n}\n')
    assert "declared twice" in declared.omissions[0].why
    assert declared.omissions[0].types == frozenset({"a"})


def test_data_sources_are_told_apart(read):
    (found,) = read('data "google_project" "p" {\n  project_id = "x"\n}\n').resources
    assert found.data
    assert found.address == "data.google_project.p"


def test_only_the_types_asked_for(read):
    declared = read('resource "a" "b" {}\nresource "c" "d" {}\ndata "a" "e" {}\n', types=frozenset({"a"}))
    assert [one.address for one in declared.resources] == ["a.b"]


def test_a_chain_of_dependencies_adds_nothing(read):
    text = "".join(
        f'resource "a" "r{n}" {{\n  depends_on = [{"a.r" + str(n - 1) if n else ""}]\n}}\n' for n in range(90)
    )
    declared = read(text)
    assert len(declared.resources) == 90
    assert all(one.values == {} for one in declared.resources)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded cases are not here: {DATA}")
def test_each_resource_of_the_recorded_cases_comes_out(read):
    """29 files that Google's converter was tested with: every resource block in their text, and no omission."""
    import re

    files = sorted(DATA.glob("*.tf"))
    assert len(files) == 29
    for file in files:
        text = file.read_text(encoding="utf-8")
        declared = read({f"{file.stem}/main.tf": text}, at=file.stem)
        blocks = re.findall(r'^(resource|data) "([^"]+)" "([^"]+)"', text, re.MULTILINE)
        expected = {f"{'data.' if kind == 'data' else ''}{type_}.{name}" for kind, type_, name in blocks}
        assert {one.address for one in declared.resources} == expected, file.name
        assert declared.omissions == (), file.name
        assert all(one.maybe is None for one in declared.resources), file.name
        assert all(
            one.providers_project == "acme-analytics-4821" or "project" not in text.split("resource")[0]
            for one in declared.resources
            if one.type.startswith("google_")
        ), file.name

"""What roots declare: variables, iteration, modules, providers, overrides; and what other readers get wrong."""

from pathlib import Path

import pytest

from preflight.sources.terraform.resources import Place, Unsettled

DATA = Path(__file__).parents[4].parent / "shared" / "data" / "terraform" / "plan"


def by_address(declared):
    return {one.address: one for one in declared.resources}


# Variables


@pytest.mark.parametrize(
    ("files", "inputs", "expected"),
    [
        ({}, {}, "default"),
        ({}, {"environment": {"TF_VAR_x": "env", "OTHER": "no"}}, "env"),
        ({"terraform.tfvars": 'x = "file"'}, {"environment": {"TF_VAR_x": "env"}}, "file"),
        ({"terraform.tfvars": 'x = "a"', "terraform.tfvars.json": '{"x": "b"}'}, {}, "b"),
        ({"terraform.tfvars": 'x = "a"', "b.auto.tfvars": 'x = "b"', "c.auto.tfvars": 'x = "c"'}, {}, "c"),
        ({"z.auto.tfvars": 'x = "z"'}, {"given": ("x=option",)}, "option"),
        ({"other.tfvars": 'x = "other"'}, {"given": ("x=option", Path("other.tfvars"))}, "other"),
        ({"other.tfvars": 'x = "other"'}, {"given": (Path("other.tfvars"), "x=a=b")}, "a=b"),
        ({"not-read.tfvars": 'x = "other"'}, {}, "default"),
    ],
)
def test_the_last_value_given_wins(value, files, inputs, expected):
    assert value("var.x", 'variable "x" { default = "default" }', files=files, **inputs) == expected


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        ("string", "5", "5"),
        ("number", "5", 5),
        ("bool", "true", True),
        ("list(string)", '["a", 1]', ["a", "1"]),
        ("set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("map(number)", '{ a = "1" }', {"a": 1}),
        ('object({ a = optional(string, "d"), b = optional(number) })', "{}", {"a": "d", "b": None}),
        ("object({ a = string })", '{ a = "x", more = 1 }', {"a": "x"}),
        ("tuple([string, number])", '[1, "2"]', ["1", 2]),
        ("any", "[1]", "[1]"),
    ],
)
def test_an_option_is_read_by_the_variables_type(value, type_, given, expected):
    assert value("var.x", f'variable "x" {{ type = {type_} }}', given=(f"x={given}",)) == expected


def test_roles_in_the_default_of_an_optional_attribute(value):
    """The roles that another reader has to find inside a type."""
    text = """
variable "account" {
  type = object({
    create = optional(bool, true)
    roles  = optional(list(string), ["roles/logging.logWriter", "roles/monitoring.metricWriter"])
  })
  default = {}
}
"""
    assert value("var.account.create ? toset(var.account.roles) : toset([])", text) == [
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    ]


def test_a_variable_without_a_value_is_unsettled_and_says_what_settles_it(read):
    declared = read('variable "x" {}\nresource "a" "b" {\n  v = "p-${var.x}"\n  w = [var.x, 1]\n}\n')
    found = declared.resources[0].values
    assert found["v"].why == "var.x has no value"
    assert "--var x=" in found["v"].settled_by
    assert found["v"].place == Place("main.tf", 1, 1)
    assert [isinstance(one, Unsettled) for one in found["w"]] == [True, False]


@pytest.mark.parametrize(("nullable", "expected"), [("true", None), ("false", "d")])
def test_null_is_the_default_only_where_it_may_not_be(value, nullable, expected):
    text = f'variable "x" {{\n  default  = "d"\n  nullable = {nullable}\n}}\n'
    assert value("var.x", text, files={"terraform.tfvars": "x = null"}) == expected


def test_a_sensitive_variable_is_not_kept(read):
    declared = read(
        'variable "x" {\n  sensitive = true\n}\nresource "a" "b" {\n  v = "p-${var.x}"\n}\n', given=("x=hunter2",)
    )
    assert declared.resources[0].values["v"].sensitive
    assert "hunter2" not in repr(declared)


def test_the_workspace(value):
    assert value("terraform.workspace", workspace="prod") == "prod"
    assert isinstance(value("terraform.workspace", workspace=None), Unsettled)


# Three values

UNKNOWN = 'variable "u" {}\nvariable "b" { type = bool }\nlocals { m = { a = 1, u = var.u } }\n'.replace(
    "locals { m = { a = 1, u = var.u } }", "locals {\n  m = { a = 1, u = var.u }\n}"
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("false && var.b", False),
        ("var.b && false", False),
        ("true || var.b", True),
        ("var.b ? 1 : 1", 1),
        ('var.b ? "1" : 1', "1"),
        ("true ? 1 : var.u", 1),
        ("local.m.a", 1),
        ('local.m["a"]', 1),
        ('lookup(local.m, "a", 2)', 1),
        ("length([var.u, 1])", 2),
        ("length(local.m)", 2),
        ("keys(local.m)", ["a", "u"]),
        ("[var.u, 2][1]", 2),
        ('contains(["a", var.u], "a")', True),
        ('coalesce("a", var.u)', "a"),
        ('try(local.m.nothing, "fallback")', "fallback"),
        ('one([for k, v in local.m : v if k == "a"])', 1),
        ("merge(local.m, { b = 2 }).b", 2),
        ("anytrue([var.b, true])", True),
        ("alltrue([var.b, false])", False),
        ("{ a = var.u } == { b = 1 }", False),
    ],
)
def test_what_does_not_hang_on_the_unsettled_is_settled(value, expression, expected):
    assert value(expression, UNKNOWN) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "true && var.b",
        "var.b ? 1 : 2",
        '"x-${var.u}"',
        "var.u == null",
        'var.u == "x"',
        "var.u + 1",
        "!var.b",
        'contains(["a", var.u], "b")',
        'coalesce(var.u, "a")',
        'try(var.u, "fallback")',
        'try(var.u.x, "fallback")',
        "can(var.u.x)",
        'lookup(local.m, var.u, "x")',
        'length(toset([var.u, "a"]))',
        "[for x in [1, 2] : x if var.b]",
        "{ (var.u) = 1 }",
        "flatten([[1], var.u])",
        "merge(var.u, { a = 1 })",
        "jsonencode({ a = var.u })",
        "a_type.a_name.attribute",
        "module.missing.output",
        "data.a_type.a_name.attribute",
        "local.missing",
        "var.missing",
        "path.cwd",
        "timestamp()",
        "upper([var.u])",
    ],
)
def test_what_hangs_on_it_is_unsettled(value, expression):
    found = value(expression, UNKNOWN)
    assert isinstance(found, Unsettled)
    assert found.why


def test_a_refused_expression_is_unsettled_and_told(value):
    found = value("[1][5]")
    assert isinstance(found, Unsettled)
    assert "Terraform refuses" in found.why
    assert found.place == Place("value.tf", 2, 10) or found.place.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "locals {\n  a = local.b\n  b = local.a\n}\n",
        'locals {\n  a = module.m.o\n}\nmodule "m" {\n  source = "./m"\n  x = local.a\n}\n',
    ],
)
def test_a_cycle_is_unsettled(value, text):
    files = {"m/main.tf": 'variable "x" {}\noutput "o" {\n  value = var.x\n}\n'}
    found = value("try(local.a, 1)", text, files=files)
    assert isinstance(found, Unsettled)
    assert "refers to itself" in found.why


# Iteration


def test_count_and_for_each(read):
    declared = read(
        'resource "a" "c" {\n  count = 2\n  v = count.index\n}\n'
        'resource "a" "f" {\n  for_each = { x = 1, "y z" = 2 }\n  v = each.value\n  k = each.key\n}\n'
        'resource "a" "none" {\n  count = 0\n}\n'
    )
    assert {one.address: one.values["v"] for one in declared.resources} == {
        "a.c[0]": 0,
        "a.c[1]": 1,
        'a.f["x"]': 1,
        'a.f["y z"]': 2,
    }


@pytest.mark.parametrize("how", ["count = var.u", "for_each = var.u", "for_each = toset([var.u])", "for_each = [1]"])
def test_an_unknown_number_is_one_instance_that_may_exist(read, how):
    declared = read(f'variable "u" {{}}\nresource "a" "b" {{\n  {how}\n  v = 1\n  k = try(each.key, count.index)\n}}\n')
    (found,) = declared.resources
    assert found.address == "a.b[*]"
    assert found.maybe is not None
    assert found.values["v"] == 1
    assert isinstance(found.values["k"], Unsettled)


def test_a_set_with_one_unknown_keeps_those_that_are_known(read):
    declared = read('variable "u" {}\nresource "a" "b" {\n  for_each = toset(["x", var.u])\n  v = each.key\n}\n')
    found = by_address(declared)
    assert found['a.b["x"]'].maybe is None
    assert found["a.b[*]"].maybe is not None


def test_an_unknown_module_call_is_one_that_may_exist(read):
    declared = read(
        {
            "main.tf": 'variable "u" {}\nmodule "m" {\n  source = "./m"\n  for_each = var.u\n  x = each.key\n}\n',
            "m/main.tf": 'variable "x" {}\nresource "a" "b" {\n  v = var.x\n  w = 1\n}\n',
        }
    )
    (found,) = declared.resources
    assert found.address == "module.m[*].a.b"
    assert found.maybe is not None
    assert found.values["w"] == 1
    assert isinstance(found.values["v"], Unsettled)


def test_dynamic_blocks(read):
    declared = read(
        'variable "u" {}\nresource "a" "b" {\n'
        '  dynamic "access" {\n    for_each = { r1 = "x", r2 = "y" }\n    content {\n      role = access.key\n      who = access.value\n    }\n  }\n'
        '  dynamic "other" {\n    for_each = [1, 2]\n    iterator = it\n    content {\n      n = it.value\n      inner {\n        m = it.key\n      }\n    }\n  }\n'
        '  dynamic "open" {\n    for_each = var.u\n    content {\n      n = open.value\n    }\n  }\n'
        "  plain {\n    z = 1\n  }\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n"
    )
    values = declared.resources[0].values
    assert values["access"] == [{"role": "r1", "who": "x"}, {"role": "r2", "who": "y"}]
    assert values["other"] == [{"n": 1, "inner": [{"m": 0}]}, {"n": 2, "inner": [{"m": 1}]}]
    assert [isinstance(one, Unsettled) for one in values["open"]] == [True]
    assert values["plain"] == [{"z": 1}]
    assert "lifecycle" not in values


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
        '  version = "~> 14"\n  project_id = "p"\n  activate_apis = ["bigquery.googleapis.com", "iam.googleapis.com"]\n}\n'
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
        '  project_id = "p"\n  location = "EU"\n  access = [{ role = "roles/bigquery.dataEditor", user_by_email = "x" }]\n}\n'
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
            "main.tf": 'provider "google" {\n  project = "main"\n}\nprovider "google" {\n  alias = "other"\n  project = "second"\n}\n'
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
    text = 'resource "random_id" "x" {}\nresource "google_project" "p" {\n  project_id = "x"\n}\nresource "google_a" "b" {}\n'
    found = value(expression, text)
    assert isinstance(found, Unsettled)
    assert "known after apply" in found.why
    assert value(expression, text) == found


# Files


def test_overrides_are_merged(read):
    declared = read(
        {
            "main.tf": 'resource "a" "b" {\n  v = 1\n  w = 1\n  x {\n    n = 1\n  }\n  x {\n    n = 2\n  }\n  y {\n    n = 3\n  }\n}\n'
            'locals {\n  l = 1\n}\nvariable "z" {\n  default = "base"\n}\nresource "a" "see" {\n  v = [local.l, var.z]\n}\n',
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
        'terraform {\n  backend "gcs" {}\n}\nmoved {\n  from = a.x\n  to = a.b\n}\nimport {\n  to = a.b\n  id = "i"\n}\n'
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

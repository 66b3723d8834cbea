"""What roots declare: variables, values in three ways, iteration."""

from pathlib import Path

import pytest

from preflight.sources.terraform.resources import Place, Unsettled


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
        '  dynamic "access" {\n    for_each = { r1 = "x", r2 = "y" }\n    content {\n      role = access.key\n'
        "      who = access.value\n    }\n  }\n"
        '  dynamic "other" {\n    for_each = [1, 2]\n    iterator = it\n    content {\n      n = it.value\n'
        "      inner {\n        m = it.key\n      }\n    }\n  }\n"
        '  dynamic "open" {\n    for_each = var.u\n    content {\n      n = open.value\n    }\n  }\n'
        "  plain {\n    z = 1\n  }\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n"
    )
    values = declared.resources[0].values
    assert values["access"] == [{"role": "r1", "who": "x"}, {"role": "r2", "who": "y"}]
    assert values["other"] == [{"n": 1, "inner": [{"m": 0}]}, {"n": 2, "inner": [{"m": 1}]}]
    assert [isinstance(one, Unsettled) for one in values["open"]] == [True]
    assert values["plain"] == [{"z": 1}]
    assert "lifecycle" not in values

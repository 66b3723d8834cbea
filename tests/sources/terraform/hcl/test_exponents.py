"""Numbers with an exponent, which the grammar lacks: read as Terraform reads them, and what looks like one stays."""

import pytest

from preflight.sources.terraform.hcl.syntax import Source
from preflight.sources.terraform.resources import Unsettled


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000),
        ("1E3", 1000),
        ("12e+2", 1200),
        ("2e-1", 0.2),
        ("1.5e3", 1500),
        ("-1e3", -1000),
        ("1e3 + 1", 1001),
        ("[1, 1e1]", [1, 10]),
        ("{ a = 1e1, b = 2 }", {"a": 10, "b": 2}),
        ("max(1e1, 2)", 10),
        ('"${1e1}-1e1-a1e1"', "10-1e1-a1e1"),
        ('"1e3 2e-1 \\u1e30"', "1e3 2e-1 \u1e30"),
        ("<<E\n1e3 ${2e1}\nE\n", "1e3 20\n"),
        ("true ? 1e1 : 2 # 1e1", 10),
        ("{ a1e1 = 1 }.a1e1", 1),
        ("{ a-1e1 = 1 }.a-1e1", 1),
    ],
)
def test_a_number_is_what_terraform_takes_it_for(read, text, value):
    declared = read(f'resource "a" "b" {{\n  v = {text}\n  w = 1\n}}\nresource "a" "c" {{\n  v = 2\n}}\n')
    assert declared.omissions == ()
    one, other = declared.resources
    assert one.values == {"v": value, "w": 1}
    assert other.values == {"v": 2}


def test_wherever_it_stands(read):
    files = {
        "main.tf": 'locals {\n  n = 1e1\n}\nvariable "d" {\n  default = 1e1\n}\nvariable "g" {}\n'
        'resource "a" "b" {\n  count = 1e0\n  v     = [local.n, var.d, var.g]\n}\n',
        "terraform.tfvars": "g = 1e1\n",
    }
    (found,) = read(files).resources
    assert found.values["v"] == [10, 10, 10]


@pytest.mark.parametrize("text", ["1_000", "1e", "1e3x", "1e3e4", "1e+"])
def test_what_is_no_number_is_never_a_part_of_it(read, text):
    """Terraform refuses these; the grammar takes `1_000` for `1` and something broken."""
    files = {
        "main.tf": 'variable "n" {}\nvariable "d" {\n  default = 5\n}\n'
        'resource "a" "b" {\n  v = [local.n, local.m, var.n, var.d]\n}\n',
        "locals.tf": f"locals {{\n  n = {text}\n  m = 2\n}}\n",
        "terraform.tfvars": f"n = {text}\n",
    }
    declared = read(files)
    assert {(one.place.file, one.place.line > 0) for one in declared.omissions} == {
        ("locals.tf", True), ("terraform.tfvars", True)
    }  # fmt: skip
    (found,) = declared.resources
    assert all(isinstance(one, Unsettled) for one in found.values["v"])
    assert found.values["v"][2].place.file == "terraform.tfvars"


def test_the_grammars_text_has_the_length_of_what_is_written():
    source = Source("x.tf", b"v = [1e3, -2E-10, x1e3, x-1e3, a.1e3, 1e3x]")
    assert len(source.plain) == len(source.data)
    assert source.plain == b"v = [000, -00000, x1e3, x-1e3, a.1e3, 1e3x]"
    whole = Source("y.tf", b"v = 1")
    assert whole.plain is whole.data, "without any there is no copy"

"""What the terraform binary prints, where there is one: built-in resources, so that no provider is needed."""

import os
import shutil
import subprocess

import pytest

from preflight.sources.terraform import plan as reader
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.resources import Change, Unsettled

TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform binary")
SECRET = "hunter2-in-clear"
BEFORE = """
variable "secret" {
  sensitive = true
  default   = "%s"
}
resource "terraform_data" "kept" { input = "as it is" }
resource "terraform_data" "changed" { input = { secret = var.secret, open = 1 } }
resource "terraform_data" "goes" { input = var.secret }
resource "terraform_data" "forgotten" { input = "left alone" }
resource "terraform_data" "old_name" { input = "moved" }
resource "terraform_data" "replaced" { triggers_replace = 1 }
resource "terraform_data" "replaced_first" {
  triggers_replace = 1
  lifecycle { create_before_destroy = true }
}
"""
AFTER = """
variable "secret" {
  sensitive = true
  default   = "%s"
}
resource "terraform_data" "kept" { input = "as it is" }
resource "terraform_data" "changed" { input = { secret = var.secret, open = 2 } }
removed {
  from = terraform_data.forgotten
  lifecycle { destroy = false }
}
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
resource "terraform_data" "new_name" { input = "moved" }
resource "terraform_data" "replaced" { triggers_replace = 2 }
resource "terraform_data" "replaced_first" {
  triggers_replace = 2
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "made" {
  input = {
    list   = ["known", terraform_data.replaced.id, { inner = terraform_data.replaced.id, number = 5 }]
    secret = { deep = [var.secret, "open"] }
    map    = { secret = var.secret, later = terraform_data.replaced.id }
  }
}
module "nested" {
  for_each = toset(["a.b", "c[0]"])
  source   = "./nested"
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("terraform")


@pytest.fixture(scope="module")
def found(folder):
    """The resources of a plan that does a bit of everything, by address."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments):
        done = subprocess.run([TERRAFORM, *arguments], cwd=folder, env=environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        return done.stdout

    (folder / "nested").mkdir()
    (folder / "nested/main.tf").write_text('resource "terraform_data" "inner" {\n  count = 1\n  input = "x"\n}\n')
    (folder / "main.tf").write_text(BEFORE % SECRET)
    terraform("init", "-input=false", "-no-color")
    terraform("apply", "-auto-approve", "-input=false", "-no-color")
    (folder / "main.tf").write_text(AFTER % SECRET)
    terraform("init", "-input=false", "-no-color")
    terraform("plan", "-out=plan", "-input=false", "-no-color")
    path = folder / "plan.json"
    shown = terraform("show", "-json", "plan")
    assert SECRET.encode() in shown, "a plan holds secrets in clear"
    path.write_bytes(shown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "RELEVANT", frozenset({"terraform_data"}))
        return {one.address: one for one in reader.read_plan(path).resources}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("kept", Change.NO_OP),
        ("changed", Change.UPDATE),
        ("goes", Change.DELETE),
        ("forgotten", Change.FORGET),
        ("new_name", Change.NO_OP),
        ("replaced", Change.REPLACE),
        ("replaced_first", Change.REPLACE),
        ("made", Change.CREATE),
    ],
)
def test_kinds_of_changes(found, name, change):
    assert found[f"terraform_data.{name}"].change is change


def test_values_of_what_goes_and_of_what_is_forgotten(found):
    assert found["terraform_data.goes"].values["input"].sensitive
    assert found["terraform_data.forgotten"].values["input"] == "left alone"


def test_modules_with_keys(found):
    inner = [address for address in found if address.startswith("module")]
    assert sorted(inner) == [
        'module.nested["a.b"].terraform_data.inner[0]',
        'module.nested["c[0]"].terraform_data.inner[0]',
    ]


def test_what_is_known_later_and_what_is_secret(found):
    values = found["terraform_data.made"].values["input"]
    assert values["list"][0] == "known"
    assert isinstance(values["list"][1], Unsettled)
    assert isinstance(values["list"][2]["inner"], Unsettled)
    assert values["list"][2]["number"] == 5
    assert values["secret"]["deep"][0].sensitive
    assert values["secret"]["deep"][1] == "open"
    assert values["map"]["secret"].sensitive
    assert not values["map"]["later"].sensitive


def test_both_sides_of_an_update(found):
    changed = found["terraform_data.changed"]
    assert (changed.before["input"]["open"], changed.values["input"]["open"]) == (1, 2)
    assert changed.before["input"]["secret"].sensitive
    assert changed.values["input"]["secret"].sensitive


def test_no_secret_is_left(found):
    assert SECRET not in repr(found)


def agree(ours, theirs):
    """Whether both say the same, as far as both say something."""
    if isinstance(ours, Unsettled) or isinstance(theirs, Unsettled):
        return True
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() <= theirs.keys() and all(agree(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    return ours == theirs


def test_the_files_declare_what_the_plan_leads_to(found, folder):
    """Whatever is moved, replaced, forgotten or deleted on the way."""
    declared = {one.address: one for one in read_root(folder, folder).resources}
    stay = {address for address, one in found.items() if one.change not in {Change.DELETE, Change.FORGET}}
    assert declared.keys() == stay
    for address, one in declared.items():
        assert one.maybe is None
        assert agree(one.values.get("input"), found[address].values.get("input")), address
    made = declared["terraform_data.made"].values["input"]
    assert made["list"][0] == "known"
    assert isinstance(made["list"][1], Unsettled)
    assert declared["terraform_data.changed"].values["input"]["open"] == 2
    assert SECRET not in repr(declared), "a variable that is marked as sensitive"

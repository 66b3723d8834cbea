"""Which folders are root modules, by what is in them and by who calls them."""

import pytest

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.repository import Repository
from preflight.sources.terraform.roots import Survey, survey

PROVIDER = 'provider "google" {}\n'
BLOCK = 'resource "google_project_service" "x" {}\n'


def surveyed(folder, files, *texts, **limits) -> Survey:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = survey(Repository(folder, Limits(**limits)), texts)
    base = str(folder.resolve())
    return Survey(
        tuple(root.removeprefix(base).removeprefix("/") or "." for root in found.roots), found.mentioned, found.problems
    )


def call(source: str) -> str:
    return f'module "m" {{\n  source = "{source}"\n}}\n'


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        pytest.param({"a/main.tf": PROVIDER, "b/main.tf": BLOCK}, ["a"], id="a provider"),
        pytest.param({"a/main.tf": 'terraform {\n  backend "gcs" {}\n}\n', "b/main.tf": BLOCK}, ["a"], id="a backend"),
        pytest.param({"a/main.tf": "terraform {\n  cloud {\n  }\n}\n", "b/main.tf": BLOCK}, ["a"], id="a cloud"),
        pytest.param({"a/main.tf": BLOCK, "a/.terraform.lock.hcl": "", "b/main.tf": BLOCK}, ["a"], id="a lock file"),
        pytest.param({"a/main.tf": BLOCK, "a/x.tfvars": "", "b/main.tf": BLOCK}, ["a"], id="variables"),
        pytest.param({"a/main.tf.json": '{"provider": {"google": {}}}', "b/main.tf": BLOCK}, ["a"], id="JSON"),
        pytest.param({"a/main.tofu": PROVIDER, "b/main.tf": BLOCK}, ["a"], id="OpenTofu"),
        pytest.param({"main.tf": PROVIDER, "sub/main.tf": PROVIDER}, [".", "sub"], id="one inside another"),
        pytest.param({"main.tf": PROVIDER + call("./m"), "m/main.tf": PROVIDER}, ["."], id="a module with a provider"),
        pytest.param({"main.tf": BLOCK + call("./m"), "m/main.tf": BLOCK}, ["."], id="no marks: who is not called"),
        pytest.param({"a/main.tf": f"# {PROVIDER}{BLOCK}", "b/main.tf": PROVIDER}, ["b"], id="a comment"),
        pytest.param({"main.tf": PROVIDER, ".terraform/modules/x/main.tf": PROVIDER}, ["."], id="hidden ones"),
        pytest.param({"README.md": "x"}, [], id="none"),
        pytest.param({"x.tfvars": "", "a/main.tf": PROVIDER}, ["a"], id="variables of nothing"),
    ],
)
def test_roots_are_found_by_what_is_in_them(tmp_path, files, roots):
    assert list(surveyed(tmp_path, files).roots) == roots


def test_texts_are_found_in_whatever_case_and_kind_of_file(tmp_path):
    files = {"a/main.tf": PROVIDER, "data/users.yaml": "- HEAP@x.example\n", "image.png": "no@x.example"}
    found = surveyed(tmp_path, files, "heap@x.example", "no@x.example")
    assert found.mentioned == {"heap@x.example"}


def test_links_are_not_followed_out_or_around(tmp_path):
    inside = tmp_path / "repo"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "main.tf").write_text(PROVIDER)
    inside.mkdir()
    (inside / "out").symlink_to(tmp_path / "outside")
    (inside / "around").symlink_to(inside)
    assert list(surveyed(inside, {"a/main.tf": PROVIDER}).roots) == ["a"]


def test_what_was_not_looked_at_is_told(tmp_path):
    found = surveyed(tmp_path, {f"{name}/main.tf": PROVIDER for name in "abcd"}, folders=3)
    assert len(found.roots) == 2
    assert found.problems == ("the repository has more than 3 folders, the limit here",)

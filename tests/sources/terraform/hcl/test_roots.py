"""Which folders are roots, and which roots a changed file concerns."""

import pytest

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.roots import find_roots


@pytest.fixture
def repo(tmp_path):
    files = {
        "envs/prod/main.tf": 'provider "google" {\n  project = "p"\n}\nmodule "a" {\n  source = "../../modules/a"\n}\n',
        "envs/test/main.tf": 'terraform {\n  backend "gcs" {}\n}\n',
        "envs/cloud/main.tf": "terraform {\n  cloud {\n  }\n}\n",
        "envs/locked/main.tf": "",
        "envs/locked/.terraform.lock.hcl": "",
        "envs/vars/main.tf": "",
        "envs/vars/prod.tfvars": "",
        "envs/json/main.tf.json": '{"provider": {"google": {}}}',
        "modules/a/main.tf": 'module "b" {\n  source = "../b"\n}\n# provider "google" {}\n',
        "modules/b/main.tf": 'resource "a" "b" {}\n',
        "modules/lonely/main.tf": 'resource "a" "b" {}\n',
        "docs/readme.md": 'provider "google" {}\n',
        ".terraform/modules/m/main.tf": 'provider "google" {}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(repo, *paths, **options):
    return [
        root.relative_to(repo).as_posix() for root in find_roots(repo, [repo / one for one in paths], **options).roots
    ]


def test_roots_of_a_repository(repo):
    assert names(repo, ".") == [f"envs/{name}" for name in ("cloud", "json", "locked", "prod", "test", "vars")]


@pytest.mark.parametrize(
    ("path", "roots"),
    [
        ("envs/prod/main.tf", ["envs/prod"]),
        ("modules/b/main.tf", ["envs/prod"]),
        ("modules/a/main.tf", ["envs/prod"]),
        ("modules/lonely/main.tf", []),
        ("modules", []),
        ("envs/vars", ["envs/vars"]),
    ],
)
def test_roots_that_a_path_concerns(repo, path, roots):
    assert names(repo, path) == roots


def test_a_file_in_a_root_does_not_search_the_repository(repo, monkeypatch):
    monkeypatch.setattr("os.walk", None)
    assert names(repo, "envs/prod/main.tf") == ["envs/prod"]


@pytest.mark.parametrize("path", ["nothing", "../outside", "loop"])
def test_a_path_that_cannot_be_looked_at_is_told(repo, path):
    (repo / "loop").symlink_to(repo / "loop")
    (repo.parent / "outside").mkdir(exist_ok=True)
    found = find_roots(repo, [repo / path])
    assert found.roots == ()
    assert len(found.omissions) == 1


def test_the_search_is_limited(repo):
    found = find_roots(repo, [repo], Limits(folders=3))
    assert "more than 3 folders" in found.omissions[0].why

"""`--var` and `--var-file` count in the order of the command line, as with Terraform, which is asked where it is."""

import json
import shutil
import subprocess
from itertools import permutations
from pathlib import Path

import pytest

from tests.check.repos import changed, write
from tests.check.test_command import preflight

FILES = {**changed("main.tf", '"EU"', "var.l"), "variables.tf": 'variable "l" {}\n'}
VALUES = {"eu.tfvars": 'l = "EU"\n', "us.tfvars": 'l = "US"\n', "asia.tfvars.json": '{"l": "asia-east1"}\n'}
GIVEN = {
    ("--var", "l=EU"): "EU",
    ("--var", "l=US"): "US",
    ("--var-file", "eu.tfvars"): "EU",
    ("--var-file=us.tfvars",): "US",
    ("--var-file", "asia.tfvars.json"): "asia-east1",
}
ORDERS = [*permutations(GIVEN, 2), *list(permutations(GIVEN, 3))[::3], tuple(GIVEN), tuple(reversed(GIVEN))]


def flat(order):
    return [word for option in order for word in option]


@pytest.fixture
def infra(repository: Path) -> Path:
    return write(repository, {**FILES, **VALUES, "terraform.tfvars": 'l = "europe-west2"\n'})


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: " ".join(flat(order)))
def test_the_last_one_given_wins(infra, order):
    expected = 0 if GIVEN[order[-1]] == "EU" else 1
    assert preflight("check", "-q", "--rule", "dataset-location", *flat(order)) == expected


def test_other_options_and_paths_may_stand_between(infra):
    between = ("--var-file", "us.tfvars", "--rule", "dataset-location", "--var", "l=EU", ".", "-q")
    assert preflight("check", *between) == 0
    assert preflight("check", "--var", "l=EU", "-q", "--var-file", "us.tfvars", "--", ".") == 1


def test_run_heeds_the_order_too(infra, capsys):
    run = ("run", "--project", "acme-analytics", "--terraform", ".", "--location", "EU", "--dataset",
           "heap_production", "--no-files", "--format", "json", "--rule", "dataset-location")  # fmt: skip
    for order in ORDERS[::5]:
        preflight(*run, *flat(order))
        (finding,) = json.loads(capsys.readouterr().out)["findings"]
        assert (finding["verdict"] == "pass") is (GIVEN[order[-1]] == "EU"), order


@pytest.mark.parametrize("order", [("--var-file", "FILE"), ("--var", "l=EU", "--var-file", "FILE")], ids=" ".join)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="outside of the repository"),
        pytest.param('l = "US"\n' + "#" * 3_000_000, id="too large"),
        pytest.param('x = [\nl = "US"\n', id="broken"),
    ],
)
def test_a_file_that_is_not_read_may_give_any_variable_a_value(repository, capsys, order, content):
    files = {**changed("main.tf", '"EU"', "var.l"), "variables.tf": 'variable "l" {\n  default = "EU"\n}\n'}
    write(repository, {**files, "in.tfvars": content})
    (repository.parent / "out.tfvars").write_text('l = "US"\n')
    file = "in.tfvars" if content else "../out.tfvars"
    check = ("check", "--rule", "dataset-location", "--format", "json")
    assert preflight(*check) == 0
    capsys.readouterr()
    given = [word.replace("FILE", file) for word in order]
    assert preflight(*check, *given) == 3, "the default, or what was given before, is not what counts"
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert any(seen["resource"].startswith(file) for seen in report["findings"][0]["evidence"])
    assert preflight(*check, *given, "--var", "l=EU") == 0, "what comes later counts"
    capsys.readouterr()


@pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT RUN: there is no terraform binary to compare with")
def test_terraform_has_the_same_order(tmp_path):
    write(tmp_path, {**VALUES, "main.tf": 'variable "l" {}\noutput "l" {\n  value = var.l\n}\n'}, repository=False)
    environment = {"PATH": "/nowhere", "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}

    def terraform(*words: str) -> str:
        command = [str(shutil.which("terraform")), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    terraform("init", "-input=false")
    for order in [ORDERS[0], ORDERS[2], ORDERS[7], *ORDERS[-2:]]:
        # Terraform's options have one dash, and a value may follow only after `=`.
        options = ["-" + "=".join(option).removeprefix("--") for option in order]
        terraform("plan", "-input=false", "-out=plan", *options)
        planned = json.loads(terraform("show", "-json", "plan"))["planned_values"]["outputs"]["l"]["value"]
        assert planned == GIVEN[order[-1]], options

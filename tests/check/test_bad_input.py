"""Files that are broken, hostile or gone: told, bounded in time and memory, and never a pass by omission."""

import os
import resource
import time
from pathlib import Path

import pytest

from tests.check.conftest import Checked, check_again
from tests.check.repos import GOOD, without, write

MEMBER = 'resource "google_project_iam_member" "x" {\n  project = "acme-analytics"\n  role = "roles/viewer"\n'
CYCLE = 'module "self" {\n  source = "./"\n}\n'
CHAIN = "locals {\n" + "".join(f"  a{n} = local.a{n + 1}\n" for n in range(5000)) + "}\n"
AMONG = {
    "a module outside": ('module "m" {\n  source = "../outside"\n}\n', {"unknown"}),
    "a module that is nowhere": ('module "m" {\n  source = "./nowhere"\n}\n', {"unknown"}),
    "a module from a registry": ('module "m" {\n  source = "some/where/google"\n}\n', {"unknown"}),
    "a module that calls itself": (CYCLE, {"unknown"}),
    "a file outside": (MEMBER + '  member = file("../../../../etc/os-release")\n}\n', {"fail", "unknown"}),
    "many instances": (MEMBER + '  count = 20000\n  member = "user:a@acme.example"\n}\n', {"fail", "unknown"}),
    "an unknown number of instances": (MEMBER + "  for_each = var.x\n  member = each.key\n}\n", {"fail", "unknown"}),
    "deep nesting": ("x = " + "[" * 100_000 + "\n" + MEMBER, {"unknown"}),
    "NUL bytes": ("\x00" * 1000, {"unknown"}),
    "half a block": (MEMBER, {"unknown"}),
    "a block of its own kind": ("resource {\n}\n", {"fail", "unknown"}),
    "a chain of locals": (CHAIN, {"fail", "unknown"}),
    "very long": ("#" * 3_000_000, {"unknown"}),
    "empty": ("", {"fail"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "answers"), AMONG.values(), ids=AMONG)
def test_what_cannot_be_read_is_never_a_pass(checked: Checked, text, answers, tmp_path):
    write(tmp_path / "outside", {"main.tf": GOOD["iam.tf"]}, repository=False)
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = checked({**without("iam.tf"), "odd.tf": text})
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kB"
    assert found.of("vendor-role").status in answers
    assert found.report.exit_code in {1, 3}
    assert "PRETTY_NAME" not in str(found.report)
    if found.of("vendor-role").status == "unknown":
        assert any("odd.tf" in place for place in found.places("vendor-role"))


def test_the_rest_is_judged_all_the_same(checked: Checked):
    found = checked({**GOOD, "main.tf": GOOD["main.tf"].replace('"EU"', '"US"'), "odd.tf": "x = [\n"})
    assert found.of("dataset-location").status == "fail"
    assert found.of("bigquery-api-enabled").status == "pass"
    assert any("odd.tf" in warning for warning in found.warnings)


def test_a_loop_of_links_ends(checked: Checked, repository: Path):
    repository.mkdir(exist_ok=True)
    (repository / "loop.tf").symlink_to(repository / "loop.tf")
    (repository / "around").symlink_to(repository)
    found = checked(without("iam.tf"))
    assert found.of("vendor-role").status == "unknown"
    assert any("loop.tf" in place for place in found.places("vendor-role"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_unknown(checked: Checked, repository: Path):
    (repository / "secret.tf").write_text("")
    (repository / "secret.tf").chmod(0)
    assert checked(without("iam.tf")).of("vendor-role").status == "unknown"


def test_a_file_that_vanishes_meanwhile_is_unknown(checked: Checked, repository: Path, monkeypatch):
    from preflight.sources.terraform.hcl.repository import Repository

    read = Repository.read

    def vanishing(self, path):
        if str(path).endswith("iam.tf"):
            Path(path).unlink(missing_ok=True)
        return read(self, path)

    monkeypatch.setattr(Repository, "read", vanishing)
    write(repository, GOOD)
    # The search for roots meets it first: by then the folder's names are known to nobody else.
    names = Repository.names
    monkeypatch.setattr(Repository, "names", lambda self, folder: sorted({*names(self, folder), "iam.tf"}))
    found = check_again(repository)
    assert found.of("vendor-role").status == "unknown"
    assert found.report.exit_code == 3


def test_no_repository_at_all_is_the_folder(checked: Checked, repository: Path):
    write(repository, GOOD, repository=False)
    assert check_again(repository).report.exit_code == 0

"""What a check warns of: files that don't parse and that no root reaches, on stderr and in each format with a place."""

import json

import pytest

from preflight.sources.terraform.hcl import folder, parsing
from tests.check.conftest import Checked, check_again
from tests.check.repos import GOOD, write
from tests.check.test_command import preflight

BROKEN = 'resource "google_project_iam_member" "x" {\n  role = [\n}\n'
OLD = {**GOOD, "old/iam.tf": BROKEN}
SAID = "old/iam.tf:2:3: it does not parse (to settle it: correct the syntax); no root that was read reaches this file"


def test_a_broken_file_that_no_root_reaches_is_a_warning(checked: Checked):
    found = checked(OLD)
    assert found.report.exit_code == 0
    assert found.warnings == [SAID]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({"old/iam.tf.json": '{"resource": {"google_project": '}, ["old/iam.tf.json:1:"], id="JSON"),
        pytest.param({"old/x.tf": 'locals {\n  a = "x@y.iam.gserviceaccount.com\n'}, ["old/x.tf:"], id="an account"),
        pytest.param({"old/iam.tf": BROKEN, "other/iam.tf": BROKEN}, ["old/iam.tf:2:3", "other/iam.tf:2"], id="two"),
        pytest.param({"old/x.tf": 'resource "aws_instance" "x" {\n  a = [\n'}, [], id="of no concern"),
        pytest.param({"old/x.tf": '# google_project\nlocals {}\n'}, [], id="it parses"),
        pytest.param({"old/notes.txt": BROKEN}, [], id="no file of Terraform"),
    ],
)  # fmt: skip
def test_only_what_may_matter_is_told(checked: Checked, files, says):
    warnings = checked({**GOOD, **files}).warnings
    assert len(warnings) == len(says), warnings
    assert all(warning.startswith(said) for warning, said in zip(warnings, says, strict=True))


def test_a_broken_file_that_a_root_reaches_is_more_than_that(checked: Checked):
    call = 'module "old" {\n  source = "./old"\n}\n'
    found = checked({**OLD, "call.tf": call})
    assert [warning for warning in found.warnings if "no root" in warning] == []
    assert any(warning.startswith("old/iam.tf:2:3") for warning in found.warnings)
    assert found.report.exit_code == 3, "it may be a policy that takes the vendor's role away"
    assert any(place.startswith("old/iam.tf") for place in found.places("iam-resources-conflict"))


def test_what_paths_do_not_name_is_not_told(checked: Checked, repository):
    checked({**OLD, "new/readme.tf": "#"})
    assert check_again(repository, paths=(repository / "new",)).warnings == []
    assert check_again(repository, paths=(repository / "old",)).warnings == [SAID]


def test_where_the_roots_are_configured_nothing_else_is_looked_at(checked: Checked):
    configured = GOOD["preflight.toml"] + '[[roots]]\npath = "."\n'
    assert checked({**OLD, "preflight.toml": configured}).warnings == []


def test_a_link_that_leads_nowhere_is_told(checked: Checked, repository):
    write(repository, OLD)
    (repository / "old" / "gone.tf").symlink_to("nowhere")
    assert any("old/gone.tf was not read" in warning for warning in check_again(repository).warnings)


def test_only_what_may_matter_is_parsed(checked: Checked, monkeypatch):
    parsed: list[str] = []

    def noted(source, limits):
        parsed.append(source.file)
        return parsing.parse_file(source, limits)

    monkeypatch.setattr(folder, "parse_file", noted)
    checked({**OLD, **{f"other{n}/main.tf": 'resource "aws_instance" "x" {}\n' for n in range(20)}})
    assert sorted(parsed) == ["iam.tf", "main.tf", "old/iam.tf"]


@pytest.mark.parametrize("judged", [True, False], ids=["with a report", "nothing to judge"])
def test_programs_get_it_too(repository, capsys, judged):
    files = OLD if judged else {"main.tf": 'provider "google" {}\n', "old/iam.tf": BROKEN + "# heap-sql@heap-204122"}
    if not judged:
        files["old/iam.tf"] += ".iam.gserviceaccount.com\n"
    write(repository, files)
    assert preflight("check", "--format", "json", "--report", "sarif=out.sarif", "--report", "github=out.txt") == 0
    said = capsys.readouterr()
    assert f"Warning: {SAID}" in said.err
    document = json.loads(said.out)
    assert len(document["reports"]) == judged
    assert document["warnings"] == [SAID]
    told = (repository / "out.txt").read_text().splitlines()
    assert told[-1] == f"::warning title=preflight,file=old/iam.tf,line=2,col=3::{SAID}"
    (run,) = json.loads((repository / "out.sarif").read_text())["runs"]
    if judged:
        (notice,) = run["invocations"][0]["toolExecutionNotifications"]
        assert notice == {"level": "warning", "message": {"text": SAID}}


def test_sarif_with_a_warning_is_valid(repository, capsys):
    from sarif_kit.validate import validation_errors

    write(repository, OLD)
    preflight("check", "--format", "sarif")
    assert list(validation_errors(json.loads(capsys.readouterr().out))) == []


def test_without_warnings_the_list_is_empty(repository, capsys):
    write(repository, GOOD)
    assert preflight("check", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_people_read_it_in_a_ticket(repository, capsys):
    write(repository, OLD)
    assert preflight("check", "--format", "markdown") == 0
    assert "\n\n### Warnings\n\n- `old/iam.tf:2:3`: it does not parse" in capsys.readouterr().out

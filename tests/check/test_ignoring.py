"""`# preflight:ignore[rule-id] reason`: what it covers, what it needs, and what is told of those that are of no use."""

import pytest

from preflight.report import Status
from tests.check.conftest import Checked, check_again
from tests.check.repos import CONFIGURATION, GOOD, MAIN, changed

BINDING = """\
resource "google_project_iam_binding" "{}" {{
  project = "acme-analytics"
  role    = "roles/viewer"
  members = []
}}
"""
REASON = "agreed with the vendor, TICKET-1"


def located(before: str = "", behind: str = "", above: str = "") -> dict[str, str]:
    """The repository with its dataset in the US, and comments at the line, above it and above the block."""
    text = MAIN.replace('  location   = "EU"', f'{before}  location   = "US"{behind}')
    return {
        **GOOD,
        "main.tf": text.replace('resource "google_bigquery_dataset"', f'{above}resource "google_bigquery_dataset"'),
    }


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(located(behind=f" # preflight:ignore[dataset-location] {REASON}"), id="on the line"),
        pytest.param(located(before=f"  // preflight:ignore[dataset-location] {REASON}\n"), id="above the line"),
        pytest.param(located(above=f"/* preflight:ignore[dataset-location]\n   {REASON} */\n"), id="above the block"),
        pytest.param(
            located(above=f"# preflight:ignore[ vendor-role , dataset-location ] {REASON}\n# more\n\n"), id="two rules"
        ),
    ],
)
def test_an_ignored_finding_is_skipped_with_its_reason(checked: Checked, files):
    found = checked(files)
    finding = found.of("dataset-location")
    assert found.report.exit_code == 0
    assert finding.status == "skip"
    assert finding.ignored is not None
    assert finding.ignored.verdict.status is Status.FAIL
    assert finding.ignored.reason == REASON
    assert finding.ignored.place.startswith("main.tf:")
    assert REASON in finding.verdict.message


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param(located(behind=" # preflight:ignore[dataset-location]"), "gives no reason", id="no reason"),
        pytest.param(located(behind=f" # preflight:ignore[dataset-locaton] {REASON}"), "'dataset-location'", id="typo"),
        pytest.param(located(behind=f" # preflight:ignore {REASON}"), "names no rule", id="no rule"),
        pytest.param(located(behind=f" # preflight:ignore[] {REASON}"), "names no rule", id="an empty one"),
        pytest.param(located(behind=f" # preflight:ignore[vendor-role] {REASON}"), "unused", id="another rule"),
        pytest.param(
            {**located(), "iam.tf": f"# preflight:ignore[dataset-location] {REASON}\n{GOOD['iam.tf']}"},
            "iam.tf:1: the ignore of dataset-location is unused",
            id="another place",
        ),
    ],
)
def test_one_that_does_not_fit_ignores_nothing_and_is_told(checked: Checked, files, says):
    found = checked(files)
    assert found.report.exit_code == 1
    assert found.of("dataset-location").status == "fail"
    assert says in " ".join(found.warnings)


def test_one_that_is_not_needed_is_told(checked: Checked):
    found = checked(
        changed("main.tf", '  location   = "EU"', f'  # preflight:ignore[dataset-location] {REASON}\n  location = "EU"')
    )
    assert found.report.exit_code == 0
    assert found.warnings == [
        "main.tf:18: the ignore of dataset-location is unused: nothing there is wrong by that rule"
    ]


@pytest.mark.parametrize("options", [{"only": ("vendor-role",)}, {"paths": ("iam.tf",)}, {"profile": "heap"}])
def test_nothing_is_called_unused_that_was_not_judged(checked: Checked, repository, options):
    files = changed(
        "main.tf", '  location   = "EU"', f'  # preflight:ignore[dataset-location] {REASON}\n  location = "EU"'
    )
    checked(files)
    if "paths" in options:
        options = {"paths": tuple(repository / name for name in options["paths"])}
    assert check_again(repository, **options).warnings == []


def test_text_that_only_looks_like_a_comment_is_none(checked: Checked):
    text = f'  labels = {{\n    a = "# preflight:ignore[dataset-location] {REASON}"\n  }}\n'
    found = checked(located(before=text))
    assert found.of("dataset-location").status == "fail"
    assert found.warnings == []


def test_all_places_of_a_finding_have_to_be_covered(checked: Checked):
    comment = f"# preflight:ignore[iam-resources-conflict] {REASON}\n"
    one, two = BINDING.format("one"), BINDING.format("two")
    found = checked({**GOOD, "a.tf": comment + one, "b.tf": two})
    assert found.of("iam-resources-conflict").status == "warn"
    assert found.warnings == ["a.tf:1: the ignore of iam-resources-conflict does not count: it is also about b.tf:1"]


def test_both_covered_count(checked: Checked):
    comment = f"# preflight:ignore[iam-resources-conflict] {REASON}\n"
    found = checked({**GOOD, "a.tf": comment + BINDING.format("one"), "b.tf": comment + BINDING.format("two")})
    assert found.of("iam-resources-conflict").status == "skip"
    assert found.warnings == []


@pytest.mark.parametrize("table", ["[skip]", "[projects.acme-analytics.skip]"])
def test_a_rule_is_left_out_by_the_configuration_with_its_reason(checked: Checked, table):
    configuration = f'{CONFIGURATION}\n{table}\ndataset-location = "{REASON}"\n'
    found = checked({**located(), "preflight.toml": configuration})
    finding = found.of("dataset-location")
    assert found.report.exit_code == 0
    assert finding.status == "skip"
    assert finding.ignored is not None
    assert (finding.ignored.place, finding.ignored.reason) == ("preflight.toml:8", REASON)

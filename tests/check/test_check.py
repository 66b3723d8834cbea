"""What a repository declares, owns or leaves open, and what `check` makes of it."""

from pathlib import Path

import pytest

from preflight.check.repository import Check, Options
from preflight.errors import ConfigurationError, UsageError
from preflight.report import Status
from tests.check.conftest import Checked, check_again
from tests.check.repos import ALL, CONFIGURATION, GOOD, IAM, MAIN, POLICY, VENDOR, changed, without, write

REQUIRED = {"vendor-role", "jobs-create", "dataset-writable", "dataset-location", "bigquery-api-enabled"}


def test_a_good_repository_passes(checked: Checked):
    found = checked(GOOD)
    assert found.report.exit_code == 0
    assert found.answers("pass") >= REQUIRED | {"project-active", "dataset-name"}
    assert found.answers("fail") | found.answers("unknown") == set()
    assert found.warnings == []
    assert found.report.target.project == "acme-analytics"
    assert found.places("dataset-writable")[0].startswith("iam.tf:5")


@pytest.mark.parametrize(
    ("files", "rule", "place"),
    [
        pytest.param(changed("main.tf", '"EU"', '"US"'), "dataset-location", "main.tf:18:3", id="the location"),
        pytest.param(
            changed("main.tf", "bigquery.googleapis.com", "pubsub.googleapis.com"),
            "bigquery-api-enabled",
            "preflight.toml:5",
            id="the API is another",
        ),
        pytest.param(
            changed("iam.tf", "roles/bigquery.user", "roles/bigquery.dataViewer"),
            "jobs-create",
            "iam.tf:5:1",
            id="the role is another",
        ),
        pytest.param(without("iam.tf"), "vendor-role", "preflight.toml:5", id="iam.tf is deleted"),
        pytest.param(without("iam.tf"), "dataset-writable", "preflight.toml:5", id="iam.tf is deleted: writing"),
        pytest.param(
            {**without("iam.tf"), "policy.tf": POLICY}, "vendor-role", "policy.tf:8:1", id="a policy drops it"
        ),
        pytest.param(without("main.tf"), "project-active", "preflight.toml:5", id="main.tf is deleted"),
        pytest.param(
            changed("main.tf", '  billing_account = "AAAAAA-BBBBBB-CCCCCC"\n', ""),
            "billing-enabled",
            "main.tf:5:1",
            id="no billing account",
        ),
    ],
)
def test_what_breaks_is_told_with_its_place(checked: Checked, files, rule, place):
    found = checked(files)
    assert found.report.exit_code == 1
    assert found.of(rule).status == "fail"
    assert place in found.places(rule)


def test_a_policy_beside_a_member_is_never_a_pass(checked: Checked):
    found = checked({**GOOD, "policy.tf": POLICY})
    assert found.report.exit_code == 3
    assert found.of("vendor-role").status == "unknown"
    assert "policy.tf:8" in " ".join(found.places("vendor-role"))
    assert found.of("iam-resources-conflict").status == "warn"


def test_what_is_neither_declared_nor_owned_is_left_to_a_run(checked: Checked):
    found = checked({"main.tf": MAIN, "preflight.toml": CONFIGURATION.replace(ALL, "")})
    assert found.report.exit_code == 0
    assert {"vendor-role", "jobs-create", "dataset-writable"} <= found.answers("skip")
    assert "`preflight run` judges it" in found.of("vendor-role").verdict.message
    assert {"dataset-location", "bigquery-api-enabled"} <= found.answers("pass")


def test_what_is_declared_is_judged_without_being_owned(checked: Checked):
    files = {**changed("main.tf", '"EU"', '"US"'), "preflight.toml": CONFIGURATION.replace(ALL, "")}
    assert checked(files).answers("fail") == {"dataset-location"}


@pytest.mark.parametrize("owns", [ALL, ""])
def test_what_cannot_be_resolved_is_unknown_owned_or_not(checked: Checked, owns):
    files = changed("iam.tf", '"acme-analytics"', "var.project")
    files["iam.tf"] += 'variable "project" {}\n'
    files["preflight.toml"] = CONFIGURATION.replace(ALL, owns)
    found = checked(files)
    assert found.report.exit_code == 3
    verdict = found.of("vendor-role").verdict
    assert verdict.status == "unknown"
    assert "var.project has no value" in verdict.message
    assert any("--var project=" in remedy.summary for remedy in verdict.remedies)
    assert any(place.startswith("iam.tf:11") for place in found.places("vendor-role"))


def test_a_variable_settles_it(checked: Checked, repository, monkeypatch):
    files = changed("iam.tf", '"acme-analytics"', "var.project")
    files["iam.tf"] += 'variable "project" {}\n'
    assert checked(files, given=("project=acme-analytics",)).report.exit_code == 0
    assert check_again(repository, environment={"TF_VAR_project": "acme-analytics"}).report.exit_code == 0
    assert check_again(repository, given=("project=other",)).report.exit_code == 1
    variables = repository / "given.tfvars"
    variables.write_text('project = "acme-analytics"\n')
    assert check_again(repository, given=(variables,)).report.exit_code == 0


def test_a_group_that_may_hold_the_vendor_counts_only_where_access_is_owned(checked: Checked, repository):
    files = changed("iam.tf", f'"{VENDOR}"', '"group:loaders@acme.example"')
    found = checked(files)
    assert found.of("vendor-role").status == "unknown"
    assert found.report.exit_code == 3
    (repository / "preflight.toml").write_text(CONFIGURATION.replace(ALL, 'owns = ["api"]'))
    assert check_again(repository).of("vendor-role").status == "skip"


def test_a_broken_file_is_unknown_and_the_rest_is_judged(checked: Checked):
    found = checked({**changed("main.tf", '"EU"', '"US"'), "broken.tf": 'resource "a" "b" {\n  x = {\n'})
    assert found.of("dataset-location").status == "fail"
    assert "broken.tf:" in " ".join(found.warnings)


def test_where_a_broken_file_may_hold_it_nothing_fails_for_being_absent(checked: Checked):
    found = checked({**without("iam.tf"), "broken.tf": 'resource "google_project_iam_member" "x" {\n  x = [\n'})
    assert found.report.exit_code == 3
    verdict = found.of("vendor-role").verdict
    assert verdict.status == "unknown"
    assert any(place.startswith("broken.tf:") for place in found.places("vendor-role"))


def test_without_a_configuration_the_vendors_principal_tells_the_project(checked: Checked):
    found = checked(without("preflight.toml"))
    assert found.report.target.project == "acme-analytics"
    assert found.report.exit_code == 0
    assert "contentsquare has the same account" in " ".join(found.warnings)


def test_a_project_that_cannot_be_told_is_unknown(checked: Checked):
    found = checked({"iam.tf": IAM.replace('"acme-analytics"', "var.p") + 'variable "p" {}\n'})
    assert found.report.exit_code == 3
    assert found.report.target.project == "PROJECT_ID"
    assert found.of("vendor-role").status == "unknown"


def test_where_no_principal_appears_there_is_nothing_to_judge(checked: Checked):
    assert checked({"main.tf": MAIN}).reports == []


def test_several_projects_are_judged_each_by_its_own(checked: Checked):
    second = IAM.replace("acme-analytics", "acme-staging").replace("roles/bigquery.user", "roles/bigquery.dataViewer")
    provider = 'provider "google" {}\n'
    files = {
        "production/main.tf": MAIN,
        "production/iam.tf": IAM,
        "staging/iam.tf": provider + second,
        "preflight.toml": CONFIGURATION + '\n[projects.acme-staging]\nowns = ["iam"]\nroots = ["staging"]\n',
    }
    found = checked(files)
    assert [(one.target.project, int(one.exit_code)) for one in found.reports] == [
        ("acme-analytics", 0),
        ("acme-staging", 1),
    ]


def test_paths_choose_the_projects_that_they_have_to_do_with(checked: Checked, repository):
    provider = 'provider "google" {}\n'
    files = {
        "a/main.tf": provider + 'module "m" {\n  source = "../modules/m"\n}\n',
        "b/main.tf": provider,
        "modules/m/main.tf": IAM,
        "preflight.toml": '[projects.acme-analytics]\nroots = ["a"]\n[projects.acme-staging]\nroots = ["b"]\n',
    }
    assert len(checked(files).reports) == 2

    def projects(*names: str) -> list[str]:
        paths = tuple(repository / name for name in names)
        return [one.target.project for one in check_again(repository, paths=paths).reports]

    assert projects("a") == ["acme-analytics"]
    assert projects("modules/m/main.tf") == ["acme-analytics"]
    assert projects("b/main.tf") == ["acme-staging"]
    assert projects(".") == ["acme-analytics", "acme-staging"]
    (repository / "documents").mkdir()
    assert projects("documents") == []


TWO = '[projects.acme-analytics]\nroots = ["a"]\n[projects.acme-staging]\n'


@pytest.mark.parametrize(
    ("configuration", "read"),
    [
        pytest.param(TWO + 'roots = ["b"]\n', ["a", "b"], id="each project names its roots"),
        pytest.param(
            TWO + 'roots = ["b"]\n[[roots]]\npath = "a"\n[[roots]]\npath = "c"\n', ["a", "b"], id="listed too"
        ),
        pytest.param(TWO, ["a", "b", "c"], id="one may be in any"),
        pytest.param("", ["a", "b", "c"], id="no project is named"),
    ],
)
def test_no_root_is_read_that_no_project_may_be_declared_in(configuration, read, checked: Checked, repository):
    roots = {f"{name}/main.tf": f'provider "google" {{}}\n{IAM}' for name in "abc"}
    write(repository, {**roots, "preflight.toml": configuration})
    check = Check(Options(paths=(repository / "a",)))
    assert list(check.reports())
    assert sorted(Path(root).name for root in check.declarations.roots) == read


def test_a_root_that_paths_do_not_name_may_take_away_what_theirs_grant(checked: Checked, repository):
    provider = 'provider "google" {}\n'
    files = {"a/main.tf": provider + IAM, "b/main.tf": provider + POLICY, "preflight.toml": CONFIGURATION}
    assert checked(files, only=("vendor-role",)).of("vendor-role").status == "unknown"
    alone = check_again(repository, paths=(repository / "a",), only=("vendor-role",))
    assert alone.of("vendor-role").status == "unknown"


def test_two_roots_with_the_same_addresses_are_told_apart(checked: Checked):
    binding = IAM.replace("iam_member", "iam_binding").replace("member   = local.vendor", "members  = [local.vendor]")
    provider = 'provider "google" {}\n'
    files = {"a/main.tf": provider + binding, "b/main.tf": provider + binding.replace("[local.vendor]", "[]")}
    found = checked({**files, "preflight.toml": '[projects.acme-analytics]\nowns = ["iam"]\n'})
    assert found.of("iam-resources-conflict").status == "warn"
    assert found.of("vendor-role").status == "unknown"


def test_a_root_is_read_once_for_each_way_in_which_it_is_applied(checked: Checked):
    iam = IAM.replace('"acme-analytics"', "var.p") + 'variable "p" {}\n'
    configuration = """
[[roots]]
path = "."
vars = { p = "acme-analytics" }
[[roots]]
path = "."
var-files = ["staging.tfvars"]
[projects.acme-analytics]
owns = ["iam"]
[projects.acme-staging]
owns = ["iam"]
"""
    found = checked({"iam.tf": iam, "staging.tfvars": 'p = "acme-staging"\n', "preflight.toml": configuration})
    assert [int(one.exit_code) for one in found.reports] == [0, 0]
    assert all(one.count(Status.FAIL) == 0 for one in found.reports)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param('[projects.acme-analytics]\nprofile = "hep"', 2, "no profile 'hep'", id="profile"),
        pytest.param('[skip]\nvendor-rol = "x"', 2, "no rule 'vendor-rol'", id="rule"),
        pytest.param('rules = ["vendor-rol"]', 1, "no rule 'vendor-rol'", id="rule in the list"),
        pytest.param('[projects.acme-analytics]\nroots = ["nowhere"]', 2, "no such file", id="root"),
        pytest.param('[[roots]]\npath = "../.."', 2, "outside the repository", id="root outside"),
        pytest.param('[[roots]]\npath = "iam.tf"', 2, "is no folder", id="root that is a file"),
    ],
)
def test_what_the_configuration_names_has_to_be_there(checked: Checked, text, line, says):
    with pytest.raises(ConfigurationError) as error:
        checked({**GOOD, "preflight.toml": text})
    assert error.value.message.startswith(f"preflight.toml:{line}:")
    assert says in error.value.message


def test_paths_are_of_one_repository(checked: Checked, repository, tmp_path):
    write(tmp_path / "other", GOOD)
    write(repository, GOOD)
    with pytest.raises(UsageError):
        check_again(repository, paths=(repository, tmp_path / "other"))


@pytest.mark.parametrize("owned", [ALL, 'owns = ["api", "dataset"]', "owns = []"], ids=["all", "not iam", "nothing"])
def test_a_misspelt_role_is_declared_and_cannot_be_told(checked: Checked, owned: str):
    files = {
        **GOOD,
        "iam.tf": GOOD["iam.tf"].replace('"roles/bigquery.user", ', '"roles/bigquery.usr", '),
        "preflight.toml": GOOD["preflight.toml"].replace(ALL, owned),
    }
    found = checked(files)
    told = {one.rule: one for one in found.report.findings}
    assert told["jobs-create"].status == "unknown"
    assert found.report.exit_code == 3
    assert "roles/bigquery.usr" in told["jobs-create"].verdict.message
    assert any("Did you mean roles/bigquery.user?" in one.summary for one in told["jobs-create"].verdict.remedies)

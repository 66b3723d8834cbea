"""`preflight run --terraform DIR` and `--config FILE`: is the project ready, by a root module's files?"""

from pathlib import Path

import pytest

from preflight.emulator import World
from tests.check.repos import CONFIGURATION, GOOD, POLICY, changed, without, write
from tests.end_to_end.conftest import JSON, RUN, Preflight, Serve

TERRAFORM = (*RUN, "--location", "EU", "--dataset", "heap_production", "--terraform", "infra", *JSON)


@pytest.fixture
def infra() -> Path:
    return Path("infra")


def test_what_is_declared_is_judged_and_the_rest_is_unknown(preflight: Preflight, infra: Path):
    write(infra, without("preflight.toml"))
    result = preflight(*TERRAFORM)
    verdicts = result.verdicts
    assert result.code == 3
    assert result.report["source"]["kind"] == "terraform"
    assert verdicts["vendor-role"] == verdicts["dataset-location"] == verdicts["bigquery-api-enabled"] == "pass"
    assert verdicts["billing-enabled"] == "unknown", "which account is open Terraform doesn't tell"
    assert "main.tf:18:3" in [one["resource"] for one in result.finding("dataset-location")["evidence"]]


def test_what_is_not_declared_is_unknown_and_no_skip(preflight: Preflight, infra: Path):
    write(infra, without("iam.tf", "preflight.toml"))
    assert preflight(*TERRAFORM).verdicts["vendor-role"] == "unknown"


def test_a_policy_that_lacks_the_vendor_leaves_open_what_it_inherits(preflight: Preflight, infra: Path):
    write(infra, {**without("iam.tf"), "policy.tf": POLICY})
    assert preflight(*TERRAFORM).verdicts["vendor-role"] == "unknown"


def test_variables_are_handed_on(preflight: Preflight, infra: Path, monkeypatch):
    write(infra, {**changed("main.tf", '"EU"', "var.l"), "variables.tf": 'variable "l" {}\n'})
    (infra / "us.tfvars").write_text('l = "US"\n')

    def location(*more: str) -> str:
        return preflight(*TERRAFORM, *more).verdicts["dataset-location"]

    assert location() == "unknown"
    assert location("--var", "l=EU") == "pass"
    assert location("--var-file", "infra/us.tfvars") == "fail"
    monkeypatch.setenv("TF_VAR_l", "EU")
    assert location() == "pass"


def test_a_project_that_is_not_declared_is_told(preflight: Preflight, infra: Path):
    write(infra, GOOD)
    result = preflight("run", "--project", "acme-analytcs", "--terraform", "infra", *JSON)
    assert result.code == 3
    assert "declares nothing of acme-analytcs. Did you mean 'acme-analytics'?" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--terraform", "nowhere"), ("nowhere",), id="no such folder"),
        pytest.param(("--terraform", "."), ("no files of Terraform",), id="no files"),
        pytest.param(("--terraform", "infra", "--plan", "x.json"), ("two sources",), id="two sources"),
        pytest.param(("--terraform", "infra", "--live"), ("two sources",), id="live as well"),
        pytest.param(("--terraform", "infra", "--timeout", "9"), ("--timeout",), id="about Google"),
        pytest.param(("--var", "a=b"), ("--terraform",), id="variables of nothing"),
    ],
)
def test_what_does_not_go_together_is_refused(preflight: Preflight, infra: Path, arguments, words):
    write(infra, GOOD)
    preflight(*RUN, *arguments).refuses(*words)


def test_a_configuration_counts_only_where_it_is_named(preflight: Preflight, serve: Serve, infra: Path):
    text = CONFIGURATION + '[skip]\ndataset-location = "agreed"\n'
    Path("preflight.toml").write_text(text)
    environ = serve(World.demo("broken")).environ()
    plain = preflight(*RUN, *JSON, environ=environ)
    assert plain.report["target"] == {"location": None, "dataset": None}
    named = preflight(*RUN, "--config", "preflight.toml", *JSON, environ=environ)
    assert named.report["target"] == {"location": "EU", "dataset": "heap_production"}
    finding = named.finding("dataset-location")
    assert (finding["verdict"], finding["ignored"]["verdict"]) == ("skip", "fail")
    assert finding["ignored"]["place"] == "preflight.toml:7"
    told = preflight(*RUN, "--config", "preflight.toml", "--location", "US", *JSON, environ=environ)
    assert told.report["target"]["location"] == "US", "an option wins"


def test_a_project_that_the_configuration_lacks_is_refused(preflight: Preflight):
    Path("preflight.toml").write_text(CONFIGURATION)
    result = preflight("run", "--project", "acme-analytcs", "--config", "preflight.toml")
    result.refuses("acme-analytcs", "'acme-analytics'")

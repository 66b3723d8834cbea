"""What holds for every rule: no vendor's name in it, its words, and what it answers on nothing."""

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest

from preflight import Denied, Provenance, Snapshot, TimedOut, Unknown
from preflight.engine import evaluate, load_rules, needed_facts
from preflight.facts.snapshot import FIELD_OF
from preflight.profile import load_profile
from preflight.testing import target

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "rules").glob("*.py") if path.name != "__init__.py")
PROFILES = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "rules/profiles").glob("*.toml")]
IDS = {
    "project-active",
    "billing-enabled",
    "bigquery-api-enabled",
    "vendor-role",
    "jobs-create",
    "dataset-location",
    "dataset-name",
    "dataset-writable",
    "auditor-access",
    "vendor-sharing-allowed",
    "location-allowed",
    "service-allowed",
    "dataset-encryption",
    "dataset-expiration",
    "dataset-public",
    "vendor-least-privilege",
    "vendor-lookalike",
    "grant-expires",
    "second-opinion",
    "iam-resources-conflict",
    "synced-datasets",
    "synced-views",
}
IMPORTANT = {
    "vendor-sharing-allowed",
    "location-allowed",
    "service-allowed",
    "dataset-encryption",
    "synced-datasets",
    "synced-views",
}
REQUIRED = {
    "project-active",
    "billing-enabled",
    "bigquery-api-enabled",
    "vendor-role",
    "jobs-create",
    "dataset-location",
    "dataset-name",
    "dataset-writable",
}


def _vendors_words() -> set[str]:
    """What a profile says of its vendor, and no rule may know."""
    words = {"heap", "contentsquare", "_migrated", "_raw", "all_events", "london", "zürich"}
    for profile in PROFILES:
        words |= {profile["principal"], profile["principal"].partition(":")[2].partition("@")[0]}
        words |= {profile["support"]["email"], profile["support"]["name"]}
        words |= {name for group in profile["locations"] for name in group["names"]}
        words |= {profile["grant"]["role"]}
    return {word.casefold() for word in words}


def mentions(text: str) -> set[str]:
    words = set(re.findall(r"_?[^\W_]+|\S", text.casefold()))
    whole = {word for word in _vendors_words() if word.lstrip("_").isalnum()} & words
    return whole | {word for word in _vendors_words() if not word.isalnum() and word in text.casefold()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_rule_knows_a_vendor(path):
    assert mentions(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "text", ["Heap's", "(EU)", "'us-east4'", "x_migrated", "x_raw", "'all_events'", "heap-sql@", "roles/bigquery.user"]
)
def test_the_search_finds_what_a_rule_may_not_know(text):
    assert mentions(text)


def test_the_names_that_others_rely_on():
    assert {rule.id for rule in load_rules()} == IDS


def test_each_rule_has_a_file_of_tests():
    tested = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert tested >= {path.stem for path in FILES}


def test_severities_and_prerequisites():
    rules = {rule.id: rule for rule in load_rules()}
    assert {i for i, rule in rules.items() if rule.severity == "required"} == REQUIRED
    assert {i for i, rule in rules.items() if rule.severity == "important"} == IMPORTANT
    assert {i for i, rule in rules.items() if rule.on_request} == {"second-opinion"}
    reads_datasets = {
        *("dataset-location", "dataset-writable", "dataset-encryption", "dataset-expiration", "dataset-public"),
        *("synced-datasets", "synced-views"),
    }
    for name, rule in rules.items():
        wanted = {"project-active"} - {name} | ({"bigquery-api-enabled"} if name in reads_datasets else set())
        assert set(rule.after) == wanted, name


def test_each_requirement_is_one_of_every_profiles():
    for profile in PROFILES:
        known = {requirement["id"] for requirement in profile["requirements"]}
        assert {r for rule in load_rules() for r in rule.requirements} <= known, profile["name"]


REASONS = [Denied("x.y.get", "projects/acme-analytics"), TimedOut("x.y.get", 60)]
TARGETS = [target(), target(dataset="heap"), target(location="EU"), target(location="EU", dataset="heap")]


@pytest.mark.parametrize(("reason", "chosen"), list(product(REASONS, TARGETS)))
def test_a_blind_run_never_passes_or_fails_on_what_it_would_have_to_see(reason, chosen):
    rules = load_rules()
    blind = {FIELD_OF[kind]: Unknown(reason, Provenance("x.y.get", "here")) for kind in needed_facts(rules)}
    report = evaluate(rules, Snapshot(source="test", **blind), chosen, load_profile("heap"))
    statuses = {finding.rule: finding.status.value for finding in report.findings}
    needs_nothing = {"dataset-name": "pass" if chosen.dataset else "skip"}
    if not chosen.dataset:
        needs_nothing["dataset-location"] = "pass" if chosen.location else "skip"
        needs_nothing |= dict.fromkeys(("dataset-expiration", "synced-datasets", "synced-views"), "skip")
    if not chosen.dataset and not chosen.location:
        needs_nothing["location-allowed"] = "skip"
    audit = {"auditor-access": "warn" if isinstance(reason, Denied) else "unknown"}
    assert statuses == {**dict.fromkeys(IDS, "unknown"), **needs_nothing, **audit}
    assert report.status == "unknown"
    assert report.exit_code == 3

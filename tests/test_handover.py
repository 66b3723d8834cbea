"""What the vendor is to be told: filled in where all is ready, and only there."""

import pytest
from msgspec.structs import replace

from preflight.engine import evaluate, hand_over, load_rules
from preflight.errors import ProfileError
from preflight.facts.project import Billing
from preflight.facts.seen import Denied, Unknown
from preflight.facts.snapshot import UNKNOWN_PROJECT
from preflight.profile import decode_profile, load_profile, profile_files, profile_text
from preflight.renderers import Format, render, wire
from preflight.report import HandOver, Open, Report
from preflight.rulebook import select
from preflight.testing import HERE, snapshot, target

HEAP = load_profile("heap")
DESTINATION = {"location": "EU", "dataset": "heap_production"}


def judged(enabled: bool | None = True, source: str = "live", **destination: str) -> Report:
    billing = Billing(provenance=HERE, enabled=bool(enabled), account="billingAccounts/1")
    facts = snapshot(billing=billing if enabled is not None else Unknown(Denied("x.y.get", "projects/acme-analytics")))
    rules = select(load_rules(), ("billing-enabled",))
    return evaluate(rules, replace(facts, source=source), target(**(destination or DESTINATION)), HEAP)


def test_it_is_filled_in():
    told = hand_over(HEAP, target(**DESTINATION))
    assert told is not None
    assert told.open == ()
    assert told.to == "support@heap.io, or to your Heap account team"
    assert told.text.splitlines()[-3:] == ["Project ID: acme-analytics", "Location: EU", "Dataset: heap_production"]


def test_what_is_not_known_is_named_with_the_option_that_tells_it():
    told = hand_over(HEAP, target())
    assert told is not None
    assert told.open == (Open("location", "--location"),)
    assert "Location: (not known yet)" in told.text
    assert "Dataset: the default (<project>_<environment>, of the Heap project and its environment)" in told.text
    told = hand_over(HEAP, target(project=UNKNOWN_PROJECT))
    assert told is not None
    assert [one.option for one in told.open] == ["--project", "--location"]


def test_names_are_filled_in_once():
    told = hand_over(HEAP, target(location="{dataset}", dataset="{project}"))
    assert told is not None
    assert told.text.splitlines()[-2:] == ["Location: {dataset}", "Dataset: {project}"]


@pytest.mark.parametrize("form", [Format.TERMINAL, Format.MARKDOWN, Format.GITHUB_SUMMARY, Format.HTML])
def test_a_report_ends_with_what_to_send_or_with_what_is_missing(form):
    ready = render(judged(), form)
    assert "Send this to" in ready
    assert "Project ID: acme-analytics" in ready
    for report, how in ((judged(enabled=False), "fails"), (judged(enabled=None), "could not be determined")):
        text = render(report, form)
        assert "Still missing before Heap Connect can be told:" in text
        assert f"Billing is enabled (billing-enabled {how})" in text.replace("`", "")
        assert "Project ID:" not in text
    assert "run again with --location" in render(judged(location=""), form).replace("`", "")


def test_programs_are_told_too():
    ready = wire.from_report(judged()).handover
    assert ready is not None
    assert (ready.ready, ready.missing) == (True, ())
    assert ready.text is not None
    broken = wire.from_report(judged(enabled=False)).handover
    assert broken is not None
    assert (broken.ready, broken.text, broken.missing) == (False, None, ("billing-enabled",))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"unasked": ("jobs-create",)}, id="rules were left out"),
        pytest.param({"repository": True}, id="a repository"),
        pytest.param({"plan": "plan.json"}, id="a plan that isn't applied yet"),
        pytest.param({"source": "terraform"}, id="files"),
        pytest.param({"source": "snapshot", "origin": "plan"}, id="a plan's snapshot"),
        pytest.param({"handover": None}, id="a profile without any"),
    ],
)
def test_nobody_is_told_too_early(changes):
    report = replace(judged(), **changes)
    assert not report.hands_over
    for form in (Format.TERMINAL, Format.MARKDOWN):
        assert "Send this" not in render(report, form)
        assert "Still missing" not in render(report, form)
    assert wire.from_report(report).handover is None


def test_blindness_that_was_allowed_is_no_reason_to_tell():
    assert not replace(judged(enabled=None), allow_unknown=True).is_ready


@pytest.mark.parametrize("name", sorted(profile_files()))
def test_the_built_in_profiles_have_one(name):
    told = hand_over(load_profile(name), target(**DESTINATION))
    assert isinstance(told, HandOver)
    assert load_profile(name).support.email in told.to


def test_a_value_that_is_not_known_is_told_when_the_profile_is_read():
    with pytest.raises(ProfileError, match=r"handover: there is no \{projct\} to fill in; known: project, location"):
        decode_profile(profile_text("heap").replace("{project}", "{projct}"), "acme.toml")


def test_a_profile_needs_none():
    text = profile_text("heap")
    start, end = text.index("[handover]"), text.index("[[locations]]")
    assert hand_over(decode_profile(text[:start] + text[end:], "acme.toml"), target()) is None

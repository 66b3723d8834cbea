"""The benchmarks measure what they say: a refactoring that breaks one is seen before somebody runs them all."""

import pytest

from benchmarks import bundles, checkov, plan, repositories
from benchmarks.infrastructure import write_many, write_one
from benchmarks.process import clean_environ, once, python
from benchmarks.results import Bench


def test_the_made_up_repositories_are_judged_whole(tmp_path):
    repositories.sure_to_judge(write_one(tmp_path / "one"), 1)
    repositories.sure_to_judge(write_many(tmp_path / "many", 3), 3)
    with pytest.raises(AssertionError, match="3 projects are judged, not 4"):
        repositories.sure_to_judge(tmp_path / "many", 4)


def test_a_plan_is_read_by_both_sides():
    ours, bare = plan.measure(megabytes=60, times=1)
    assert ours.seconds > 0 < bare.seconds


def test_the_peak_of_a_process_is_its_own():
    ours = bytearray(200_000_000)
    measured = once(python("-c", "raise SystemExit(3)"), clean_environ(), 3)
    assert measured.megabytes < 100 < len(ours) / 1e6
    with pytest.raises(RuntimeError, match="exited with 3"):
        once(python("-c", "raise SystemExit(3)"), clean_environ())


@pytest.mark.parametrize(
    ("value", "at_least", "says", "held"),
    [
        (2.0, False, "ok    it: 2.00 times (at most 2.00)", True),
        (2.2, False, "OVER  it: 2.20 times (at most 2.00)", True),
        (2.4, False, "OVER  it: 2.40 times (at most 2.00)", False),
        (2.0, True, "ok    it: 2.00 times (at least 2.00)", True),
        (1.9, True, "UNDER it: 1.90 times (at least 2.00)", True),
        (1.7, True, "UNDER it: 1.70 times (at least 2.00)", False),
    ],
    ids=["at the bound", "past it by noise", "past it", "at the least", "under it by noise", "under it"],
)
def test_a_figure_past_its_bound_is_said_and_fails_by_more_than_noise(value, at_least, says, held, capsys):
    bench = Bench()
    bench.check("it", value, 2.0, "times", at_least=at_least)
    assert (capsys.readouterr().out.strip(), bench.held) == (says, held)


def test_what_is_not_taken_is_said_and_is_no_failure(capsys):
    bench = Bench()
    bench.not_taken("it", "there is none")
    assert (capsys.readouterr().out, bench.held) == ("NOT TAKEN it: there is none\n", True)


def test_a_peer_that_cannot_be_installed_is_said_and_not_measured(tmp_path, monkeypatch):
    pinned = tmp_path / "requirements.txt"
    pinned.write_text(f"checkov @ {(tmp_path / 'nowhere.whl').as_uri()}\n", encoding="utf-8")
    monkeypatch.setattr(checkov, "ROOT", tmp_path)
    monkeypatch.setattr(checkov, "PINNED", pinned)
    said = []
    assert checkov.checkov(said.append) is None
    assert said[0].startswith("checkov could not be installed: ")
    assert "nowhere.whl" in said[0]
    assert not [*tmp_path.rglob("ready")]  # nor is what was left of it taken for one the next time


def test_a_bundle_of_a_large_project_is_made_and_replayed():
    made, again = bundles.of_a_large_project(times=1)
    # Bounds for a busy machine; `make bench` has those that are promised.
    assert made.cpu < 3 * bundles.SECONDS
    assert again.cpu < bundles.SECONDS
    assert max(made.megabytes, again.megabytes) < bundles.MEGABYTES


def test_a_replay_and_a_bare_process_read_the_same_bundle():
    ours, bare = bundles.replayed(times=1)
    assert ours.seconds > 0 < bare.seconds

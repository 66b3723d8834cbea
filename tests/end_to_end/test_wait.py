"""`--wait`, on a stand-in whose grants spread after a delay and flap once."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from preflight.cli import waiting
from preflight.emulator import Emulator, World
from tests.end_to_end.conftest import ADMIN, JSON, RUN, Preflight, Serve, command_line, whole_environ

DESTINATION = ("--location", "EU", "--dataset", "heap_production")
POLICY = "cloudresourcemanager.projects.getIamPolicy"
GRANTED = World.demo("ready")
LOOK = re.compile(r"in (\d+) looks")


def not_yet() -> World:
    """The ready world before anybody granted the vendor something."""
    (project,) = GRANTED.projects
    others = tuple(one for one in project.bindings if not any("heap-sql@heap-204122" in m for m in one.members))
    assert len(others) < len(project.bindings)
    return replace(GRANTED, projects=(replace(project, bindings=others),))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(waiting, "LONGEST_PAUSE", 0.1)


def looks(cloud: Emulator) -> int:
    return sum(exchange.method == POLICY for exchange in cloud.exchanges)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((False, True, True), 3),
        ((False, False, True, False, True, True), 6),
        ((True, True), 2),
        ((True, False, True, True), 4),
    ],
    ids=["spreads", "flaps", "there from the first", "flaps from the first"],
)
def test_it_ends_when_two_looks_in_a_row_find_it_ready(seen, expected, serve: Serve, preflight: Preflight):
    cloud = serve(not_yet())
    cloud.emulator.spread(GRANTED, POLICY, seen)
    done = preflight(*RUN, *DESTINATION, *JSON, "--wait", "60s", environ=cloud.environ())
    assert (done.code, done.report["verdict"]) == (0, "pass")
    assert looks(cloud.emulator) == expected
    assert ("Not ready: " in done.err) is not seen[0]


@pytest.mark.usefixtures("hasty")
def test_only_what_stands_in_the_way_is_read_again(serve: Serve, preflight: Preflight):
    cloud = serve(not_yet())
    cloud.emulator.spread(GRANTED, POLICY, (False, False, True, True))
    preflight(*RUN, *DESTINATION, *JSON, "--wait", "60", environ=cloud.environ())
    counted = [exchange.method for exchange in cloud.emulator.exchanges]
    assert counted.count("cloudbilling.projects.getBillingInfo") == 1
    assert counted.count("serviceusage.services.get") == 1
    assert counted.count(POLICY) == 4


@pytest.mark.usefixtures("hasty")
def test_what_is_not_ready_in_time_is_told(serve: Serve, preflight: Preflight):
    cloud = serve(not_yet())
    done = preflight(*RUN, *DESTINATION, *JSON, "--wait", "3s", environ=cloud.environ())
    assert (done.code, done.report["verdict"]) == (1, "fail")
    found = LOOK.search(done.err)
    assert found
    assert looks(cloud.emulator) == int(found[1]) > 1
    assert "3 seconds have passed" in done.err
    assert "vendor-role" in done.err


@pytest.mark.usefixtures("hasty")
def test_one_good_look_at_the_end_is_what_the_report_says(serve: Serve, preflight: Preflight):
    # A second one was due, and there was no time for it: the verdict is by what was seen, and that is said.
    cloud = serve(GRANTED)
    done = preflight(*RUN, *DESTINATION, *JSON, "--wait", "0.01s", environ=cloud.environ())
    assert done.code == 0


def test_the_bundle_holds_the_last_look(serve: Serve, preflight: Preflight, monkeypatch, tmp_path):
    monkeypatch.setenv("PREFLIGHT_HOME", str(tmp_path / "kept"))
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.05)
    cloud = serve(not_yet())
    cloud.emulator.spread(GRANTED, POLICY, (False, True, True))
    preflight(*RUN, *DESTINATION, *JSON, "--wait", "60s", "--bundle", "b.zip", environ=cloud.environ())
    assert preflight("run", "--snapshot", "b.zip", *JSON).report["verdict"] == "pass"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", [0.0, 0.3, 1.0, 2.5])
def test_killed_while_it_waits_it_leaves_the_report_so_far(number, moment, serve: Serve):
    cloud = serve(not_yet())
    process = subprocess.Popen(
        command_line(*RUN, *DESTINATION, "--wait", "5m", "--output-dir", "out"),
        env=whole_environ(cloud.environ(ADMIN)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Not ready: ")
    time.sleep(moment)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    written = sorted(Path("out").iterdir()) if Path("out").exists() else []
    assert {path.suffix for path in written} in ({".json", ".md"}, set())
    assert not [path for path in written if path.name.startswith(".")]
    for path in written:
        if path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))["verdict"] == "fail"
    if moment in {0.3, 1.0}:  # it rests between two looks then
        assert written
        assert "NOT READY" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--wait", "soon"), "'soon' is no time to wait"),
        (("--wait", "0s"), "'0s' is no time to wait"),
        (("--wait", "2d"), "'2d' is no time to wait"),
        (("--wait", "25h"), "of a day at most"),
        (("--wait", "1m", "--assets", "a.json"), "--wait"),
        (("--wait", "1m", "--live", "--plan", "p.json"), "--wait"),
    ],
)
def test_what_cannot_be_waited_for(options, said, preflight: Preflight):
    done = preflight(*RUN, *options)
    assert done.code == 2
    assert said in done.err


def test_the_pauses_grow_and_stay_bounded():
    pauses = [pause for pause, _ in zip(waiting._pauses(), range(12), strict=False)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2.0, 30.0)

"""Work spread over processes: the same results in the same order, whatever becomes of the processes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import organization
from preflight.cli import spread as spreading
from preflight.cli.spread import spread
from tests.end_to_end.conftest import whole_process

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
PARTS = range(200)
MOMENTS = re.compile(r'"(started|finished)_at": "[^"]+"| at 20[-0-9 :]+ UTC')
FEW = ("--location", "EU", "--dataset", "heap_production")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processes, whatever the machine has, and whatever threads the tests run beside."""
    monkeypatch.setattr(spreading, "_processes", lambda: 3)
    monkeypatch.setattr(spreading, "_BATCH", 4)


def with_process(part: int) -> tuple[int, int]:
    return part, os.getpid()


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()


@LINUX
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.usefixtures("three")
class TestForked:
    """With processes."""

    def test_in_order_and_elsewhere(self):
        results = list(spread(with_process, PARTS, few=10))
        assert [part for part, _ in results] == list(PARTS)
        processes = {process for _, process in results}
        assert len(processes) == 3
        assert os.getpid() not in processes
        assert children() == []

    def test_few_parts_are_done_here(self):
        assert {process for _, process in spread(with_process, PARTS, few=200)} == {os.getpid()}

    def test_closed_early_no_process_is_left(self):
        results = spread(lambda part: "x" * 100_000, PARTS, few=10)
        assert next(results).startswith("x")
        assert len(children()) == 3
        results.close()
        assert children() == []

    def test_a_process_that_ends_is_done_without(self):
        here = os.getpid()

        def work(part: int) -> int:
            if part == 20 and os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return part

        assert list(spread(work, PARTS, few=10)) == list(PARTS)

    def test_what_goes_wrong_in_a_process_goes_wrong_here(self):
        def work(part: int) -> int:
            return part // (part - 100)

        with pytest.raises(ZeroDivisionError):
            list(spread(work, PARTS, few=10))
        assert children() == []

    def test_where_no_process_is_to_be_had(self, monkeypatch: pytest.MonkeyPatch):
        def none() -> int:
            raise BlockingIOError

        monkeypatch.setattr(os, "fork", none)
        assert {process for _, process in spread(with_process, PARTS, few=10)} == {os.getpid()}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with more projects than are done in one process."""
    path = tmp_path_factory.mktemp("large") / "export.json"
    size = organization.Size(
        projects=spreading.FEW + 20, bindings=2_000, datasets=500, folders=10, others=0, services=2
    )
    organization.write(path, size)
    return path


@LINUX
def test_a_fleet_is_judged_by_processes_as_by_one(large: Path):
    asked = ("run", "--assets", str(large), *FEW, "--no-files", "--format", "json")
    forked = whole_process(*asked)
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(here)})  # which the process inherits: it has one processor then
    try:
        alone = whole_process(*asked)
    finally:
        os.sched_setaffinity(0, here)
    assert forked.code == alone.code == 1
    assert len(forked.report["reports"]) == spreading.FEW + 20
    assert MOMENTS.sub("T", forked.out) == MOMENTS.sub("T", alone.out)


@LINUX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_fleet_ends_with_all_its_processes(number: signal.Signals, code: int, large: Path):
    command = [sys.executable, "-m", "preflight", "run", "--assets", str(large), *FEW, "--no-files", "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.read(200_000)  # all are at work, and wait for who reads
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    helpers = listed.read_text(encoding="utf-8").split()
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert said.decode() in {"Interrupted.\n", "Terminated.\n"}
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{helper}").exists() for helper in helpers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{helper}").exists() for helper in helpers)

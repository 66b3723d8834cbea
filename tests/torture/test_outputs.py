"""Places that take no output: what the exit code, the files and one sentence then tell. Each by a real shell."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.emulator import Emulator
from tests.end_to_end.conftest import command_line, whole_environ
from tests.torture.worlds import ADMIN, RUN, world

NOT_READY = 1
NO_SPACE = "no space left on device"
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@pytest.fixture(scope="module")
def bad() -> Iterator[Emulator]:
    """A project that is not ready, so that no exit code is 0 by mere chance."""
    with Emulator(world("bad")) as emulator:
        yield emulator


class Shell:
    """Runs lines of bash in which `RUN` is the tool on the bad world, and `PREFLIGHT` the tool."""

    def __init__(self, emulator: Emulator) -> None:
        self._environ = whole_environ(emulator.environ(ADMIN))

    def __call__(self, script: str, *prefix: str) -> "subprocess.CompletedProcess[str]":
        tool = shlex.join(command_line())
        script = script.replace("RUN", f"PREFLIGHT {shlex.join(RUN)}").replace("PREFLIGHT", tool)
        return subprocess.run(
            [*prefix, "bash", "-c", script], env=self._environ, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def shell(bad: Emulator) -> Shell:
    return Shell(bad)


def written() -> list[str]:
    return sorted(path.suffix for path in Path("reports").iterdir()) if Path("reports").exists() else []


@pytest.mark.parametrize("form", ["terminal", "json", "markdown"])
@pytest.mark.parametrize("pipe", ["| head -1", "| head -c 1", "| true"])
def test_a_reader_that_goes_away_is_no_news(pipe: str, form: str, shell: Shell):
    done = shell(f"RUN --format {form} {pipe}; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == NOT_READY
    assert done.stderr.startswith("Reports: ")
    assert len(done.stderr.splitlines()) == 1
    assert written() == [".json", ".md"]


@pytest.mark.parametrize("options", ["", "--verbose", "--debug"])
def test_nor_is_one_who_reads_both(options: str, shell: Shell):
    """What can't be told on stderr must not turn a project that is not ready into a 0."""
    done = shell(f"RUN {options} 2>&1 | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == NOT_READY
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    assert written() == [".json", ".md"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "<&-"])
def test_what_is_closed_from_the_start_is_not_missed(closed: str, shell: Shell):
    done = shell(f"RUN --format json {closed}")
    assert done.returncode == NOT_READY
    assert bool(done.stdout) == (">&-" not in closed.split())
    assert bool(done.stderr) == ("2>&-" not in closed.split())
    assert "Traceback" not in done.stderr
    assert written() == [".json", ".md"]
    for path in Path("reports").iterdir():  # nothing that was meant for stdout has got into them
        assert path.read_text(encoding="utf-8").strip().startswith(("{", "#"))


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["permissions", "rules list", "schema report", "--help", "--version"])
def test_nor_by_the_other_commands(command: str, closed: str, shell: Shell):
    done = shell(f"PREFLIGHT {command} {closed}")
    assert (done.returncode, done.stderr) == (0, "")


@needs_dev_full
@pytest.mark.parametrize("form", ["terminal", "json", "markdown"])
def test_a_full_stdout_is_told_and_the_files_are_there(form: str, shell: Shell):
    done = shell(f"RUN --format {form} >/dev/full")
    assert done.returncode == 2
    files, *said = done.stderr.splitlines()
    assert files.startswith("Reports: ")
    assert said[0] == f"Error: The output could not be written to stdout: {NO_SPACE}."
    assert len(said) == 2
    assert written() == [".json", ".md"]


@needs_dev_full
@pytest.mark.parametrize("command", ["permissions", "rules list", "schema report", "--help", "--version", "demo bad"])
def test_a_full_stdout_is_told_by_the_other_commands(command: str, shell: Shell):
    command = command.replace("demo bad", "demo broken")
    done = shell(f"PREFLIGHT {command} >/dev/full")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"Error: The output could not be written to stdout: {NO_SPACE}."
    assert len(done.stderr.splitlines()) == 2


@needs_dev_full
@pytest.mark.parametrize("options", ["", "--debug", "--verbose"])
def test_a_full_stderr_changes_no_exit_code(options: str, shell: Shell):
    done = shell(f"RUN --format json {options} 2>/dev/full")
    assert done.returncode == NOT_READY
    assert done.stdout.startswith("{")
    assert shell("PREFLIGHT run --project 'No ID' 2>/dev/full").returncode == 2


def mounts(options: str) -> bool:
    """Whether a file system of one's own can be had here."""
    line = ["unshare", "--mount", "bash", "-c", f"mkdir -p probe && mount -t tmpfs {options} tmpfs probe"]
    try:
        return subprocess.run(line, capture_output=True, timeout=20, check=False).returncode == 0
    except OSError:
        return False


# In a namespace of its own, so that whatever happens nothing stays mounted.
@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        ("mount -t tmpfs -o size=16k tmpfs full && ! cat /dev/zero >full/filler 2>/dev/null", "no space is left"),
        ("mount -t tmpfs -o size=16k tmpfs full && ! head -c 8192 /dev/zero >full/filler", "no space is left"),
        ("mount -t tmpfs -o nr_inodes=2 tmpfs full", "no space is left"),
        ("mount -t tmpfs -o ro tmpfs full", "the file system is read-only"),
    ],
    ids=["full", "nearly full", "no inodes", "read-only"],
)
def test_a_disk_that_takes_no_files(prepare: str, says: str, shell: Shell):
    if not mounts("-o size=16k"):
        pytest.skip("no file system can be mounted here")
    prepare = prepare.replace("! head", "head")
    script = f"mkdir full && {prepare}; RUN --format json --output-dir full; code=$?; ls -A full >left; exit $code"
    done = shell(script, "unshare", "--mount")
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("{"), "the verdict is shown first"
    error, hint = done.stderr.splitlines()
    assert error.startswith("Error: The report cannot be written to 'full': ")
    assert says in error
    assert "--output-dir" in hint
    assert Path("left").read_text(encoding="utf-8").split() in ([], ["filler"]), "nothing is left half written"


def test_a_folder_that_must_not_be_written_to(shell: Shell):
    Path("locked").mkdir()
    if os.geteuid() == 0:  # whom no permission stops
        if subprocess.run(["chattr", "+i", "locked"], capture_output=True, check=False).returncode != 0:
            pytest.skip("root can be kept from no folder here")
        release = ["chattr", "-i", "locked"]
    else:
        Path("locked").chmod(0o500)
        release = ["chmod", "700", "locked"]
    try:
        done = shell("RUN -q --output-dir locked")
    finally:
        subprocess.run(release, check=True)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The report cannot be written to 'locked': permission denied.")
    assert list(Path("locked").iterdir()) == []

"""A signal at any moment of a real process: one sentence, 130 or 143, and files that are whole or not there."""

import json
import os
import shlex
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from preflight.emulator import Emulator, Fault
from preflight.interrupts import PATIENCE
from tests.end_to_end.conftest import command_line, whole_environ, whole_process
from tests.torture.worlds import ADMIN, RUN, world

LATENCY = 0.1
MOMENTS = 50
AT_ONCE = 3
SAYS = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}
ENDS_WITHIN = 6.0


class Ended(NamedTuple):
    """How a process ended to which a signal was sent."""

    code: int
    out: str
    err: str
    after: float
    folder: Path

    @property
    def by_itself(self) -> bool:
        """It was over before the signal came."""
        return self.code == 0


def hears(pid: int) -> bool:
    """Whether the process has its own handler for SIGTERM by now; before that Python's own does what it does."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return True
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def begun(emulator: Emulator, folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command_line(*RUN, "--output-dir", str(folder / "reports"), *options),
        env=whole_environ(emulator.environ(ADMIN)),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def spent(pid: int) -> float | None:
    """The seconds that its main thread has worked so far, however busy the machine is; None: it has ended."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except OSError:
        return None


def heard(process: "subprocess.Popen[str]") -> float:
    """Waits until the process hears signals: what it has worked until then."""
    while process.poll() is None and not hears(process.pid):
        time.sleep(0.0005)
    return spent(process.pid) or 0.0


def struck(emulator: Emulator, folder: Path, moment: float, pause: float, number: signal.Signals) -> Ended:
    """Starts a run and sends it a signal when it has worked for so long since it can hear one."""
    folder.mkdir()
    process = begun(emulator, folder)
    start = heard(process)
    while process.poll() is None and (spent(process.pid) or 0.0) - start < moment:
        time.sleep(0.001)
    time.sleep(pause)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return Ended(process.returncode, out, err, time.monotonic() - sent, folder)


def work_of_a_run(emulator: Emulator, folder: Path) -> float:
    """How long the main thread of a whole run works, once it can hear signals."""
    folder.mkdir()
    process = begun(emulator, folder)
    start = last = heard(process)
    while process.poll() is None:
        last = spent(process.pid) or last
        time.sleep(0.001)
    process.communicate(timeout=60)
    assert process.returncode == 0
    return last - start


def wrongs(ended: Ended, number: signal.Signals, schema: Any) -> list[str]:
    """What is not as it should be."""
    wrong = []
    lines = ended.err.splitlines()
    if ended.by_itself:
        if len(lines) != 1 or not lines[0].startswith("Reports: "):
            wrong.append(f"stderr of a whole run: {ended.err}")
    else:
        if ended.code != 128 + number:
            wrong.append(f"exit code {ended.code}")
        if lines[-1:] != [SAYS[number]] or [line for line in lines[:-1] if not line.startswith("Reports: ")]:
            wrong.append(f"stderr: {ended.err!r}")
    if ended.after > ENDS_WITHIN:
        wrong.append(f"it ended after {ended.after:.1f} s")
    return wrong + left(ended.folder, schema)


def left(folder: Path, schema: Any) -> list[str]:
    """What is wrong with the files: two whole ones, or none."""
    files = sorted((folder / "reports").iterdir()) if (folder / "reports").exists() else []
    if others := [path.name for path in folder.iterdir() if path.name != "reports"]:
        return [f"files that nobody wants: {others}"]
    if not files:
        return []
    if [path.suffix for path in files] != [".json", ".md"]:
        return [f"not two files: {[path.name for path in files]}"]
    jsonschema.validate(json.loads(files[0].read_text(encoding="utf-8")), schema)
    if not files[1].read_text(encoding="utf-8").endswith("\n"):
        return ["the Markdown is cut off"]
    return []


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(whole_process("schema", "report").out)


def test_a_signal_at_any_moment(tmp_path: Path, schema: Any, everything: bool, record_property: Any):
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("nothing tells here how far a process has come")
    with Emulator(world("good"), LATENCY) as emulator:
        whole = work_of_a_run(emulator, tmp_path / "whole")
        steps = [(step, number) for step in range(MOMENTS) for number in SAYS]
        wanted = steps if everything else [(step, list(SAYS)[step % 2]) for step in range(MOMENTS)]

        def strike(one: tuple[int, signal.Signals]) -> tuple[str, signal.Signals, Ended]:
            step, number = one
            # A little later, some of them: while it waits for answers it doesn't work.
            ended = struck(emulator, tmp_path / f"{step}-{number.name}", whole * step / MOMENTS, step % 4 / 50, number)
            return f"{number.name} at {step}/{MOMENTS}", number, ended

        with ThreadPoolExecutor(AT_ONCE) as pool:
            ended = list(pool.map(strike, wanted))
    wrong = [f"{at}: {'; '.join(found)}" for at, number, one in ended if (found := wrongs(one, number, schema))]
    cut = [one for _, _, one in ended if not one.by_itself]
    with_files = sum((one.folder / "reports").exists() for one in cut)
    record_property(
        "torture: signals",
        f"{len(ended)} moments of {whole:.2f} s of work: {len(cut)} cut it short, {with_files} with its files there",
    )
    assert not wrong, "\n".join(wrong)
    assert len(cut) > len(ended) / 2, "most of the moments should find it at work"


# Each time the signal comes while this module is looked for: moments that no clock could hit again and again.
WHILE_LOADING = [
    "click", "preflight.errors", "preflight.cli", "preflight.cli.run", "msgspec", "preflight.engine",
    "preflight.rules.vendor_role", "preflight.sources.live.calls", "google.api_core.retry", "grpc", "grpc._cython",
    "requests", "urllib3", "google.auth", "google.protobuf", "google.cloud.resourcemanager_v3.services.projects",
    "google.cloud.iam_admin_v1", "google.cloud.bigquery", "google.cloud.billing_v1.services.cloud_billing",
    "preflight.renderers.json_report", "pydantic", "pydantic_core", "preflight.renderers.terminal",
    "preflight.report_files",
]  # fmt: skip
STRIKER = """
import os, sys, threading, time
class Striker:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["STRIKE"] and threading.current_thread() is threading.main_thread():
            sys.meta_path.remove(self)
            with open(os.environ["STRIKE_MARK"], "w") as mark:
                mark.write(str(time.monotonic()))
            os.kill(os.getpid(), int(os.environ["STRIKE_WITH"]))
sys.meta_path.insert(0, Striker())
"""


@pytest.mark.parametrize("number", list(SAYS))
def test_a_signal_while_it_is_still_loading(number: signal.Signals, tmp_path: Path, schema: Any, good: Emulator):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(STRIKER, encoding="utf-8")

    def strike(name: str) -> tuple[str, bool, Ended]:
        folder = tmp_path / name
        folder.mkdir()
        mark = tmp_path / f"{name}.struck"
        environ = whole_environ(
            {**good.environ(ADMIN), "STRIKE": name, "STRIKE_MARK": str(mark), "STRIKE_WITH": str(int(number))}
        )
        environ["PYTHONPATH"] = os.pathsep.join((str(tmp_path / "site"), environ["PYTHONPATH"]))
        command = command_line(*RUN, "--output-dir", str(folder / "reports"))
        done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        over = time.monotonic()
        # From the signal on, by the clock that all processes share: how long it has loaded before is no matter.
        after = over - float(mark.read_text(encoding="ascii")) if mark.exists() else 0.0
        return name, mark.exists(), Ended(done.returncode, done.stdout, done.stderr, after, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(strike, WHILE_LOADING))
    wrong = [f"{name}: {w}" for name, was_struck, one in ended if was_struck for w in wrongs(one, number, schema)]
    wrong += [f"{name}: it went on" for name, was_struck, one in ended if was_struck and one.by_itself]
    assert not wrong, "\n".join(wrong)
    # What another thread loads first, the main thread never looks for.
    assert sum(was_struck for _, was_struck, _ in ended) > len(WHILE_LOADING) / 2


@pytest.mark.parametrize("ignored", ["INT", "TERM"])
def test_a_signal_that_was_to_be_ignored_is(ignored: str, good: Emulator):
    """As under nohup, or in the background of a script."""
    good.inject(Fault("*", "slow", delay=0.5))
    process = subprocess.Popen(
        ["bash", "-c", f"trap '' {ignored}; exec {shlex.join(command_line(*RUN, '-q', '--no-files'))}"],
        env=whole_environ(good.environ(ADMIN)),
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not good.exchanges:
        time.sleep(0.01)
    process.send_signal(signal.Signals[f"SIG{ignored}"])
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


SLOW_TO_END = '''"""A rule that is slow to end."""

import os, pathlib, time

from preflight import Severity, Target, Verdict, rule


@rule(title="It ends", why="To see what comes of it.", severity=Severity.RECOMMENDED, since="0.1")
def slow(target: Target) -> Verdict:
    """Waits, and waits again on its way out."""
    mark = pathlib.Path(os.environ["MARK"])
    try:
        mark.write_text("judging")
        time.sleep(30)
    finally:
        mark.write_text("ending")
        time.sleep(30)
'''
SWALLOWS = SLOW_TO_END.replace("finally:", "except BaseException:")


@pytest.mark.parametrize("text", [SLOW_TO_END, SWALLOWS], ids=["takes its time", "swallows it"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_does_not_want_to_end_is_ended(text: str, times: int, tmp_path: Path, good: Emulator):
    """After a while; at once where somebody asks a second time."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "slow_to_end.py").write_text(text, encoding="utf-8")
    mark = tmp_path / "mark"
    process = subprocess.Popen(
        command_line(*RUN, "-q", "--no-files", "--rules-dir", str(tmp_path / "rules")),
        env=whole_environ({**good.environ(ADMIN), "MARK": str(mark)}),
        stderr=subprocess.PIPE,
        text=True,
    )
    for stage in ("judging", "ending")[:times]:
        while process.poll() is None and (not mark.exists() or mark.read_text(encoding="utf-8") != stage):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Interrupted.\n")
    assert time.monotonic() - sent < (PATIENCE + 2 if times == 1 else PATIENCE - 1)


MAKES_SOMETHING_OF_IT = '''"""A rule that makes something else of the signal, as libraries do."""

import os, signal, time

try:
    os.kill(os.getpid(), signal.{name})
    time.sleep(5)
except BaseException as error:
    raise {made}("made of it") from None
'''


@pytest.mark.parametrize("made", ["ValueError", "KeyboardInterrupt", "SystemExit"])
@pytest.mark.parametrize("number", list(SAYS))
def test_whatever_is_made_of_a_signal_it_ends_the_run(
    number: signal.Signals, made: str, tmp_path: Path, good: Emulator
):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "strange.py").write_text(MAKES_SOMETHING_OF_IT.format(name=number.name, made=made), encoding="utf-8")
    done = subprocess.run(
        command_line(*RUN, "--no-files", "--rules-dir", str(rules)),
        env=whole_environ(good.environ(ADMIN)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (128 + number, "", SAYS[number])

"""The command line as a user meets it: in this process, or as a whole one; and stand-ins to point it at."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from preflight.cli import main
from preflight.emulator import Emulator, World

ROOT = Path(__file__).resolve().parents[2]
ADMIN = "admin@acme.example"
VENDOR = "heap-sql@heap-204122.iam.gserviceaccount.com"
RUN = ("run", "--project", "acme-analytics")
JSON = ("--format", "json", "--no-files")
# What else in a developer's environment may lead a run astray.
_FOREIGN = ("GOOGLE_", "PREFLIGHT_", "CLOUDSDK_", "BIGQUERY_", "GRPC_", "NO_COLOR", "FORCE_COLOR")
_NETWORK = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"}


class Result(NamedTuple):
    """How a run ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What is on stdout, as one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each rule."""
        return {finding["rule"]: finding["verdict"] for finding in self.report["findings"]}

    def finding(self, rule: str) -> dict[str, Any]:
        """One rule's finding."""
        (found,) = [finding for finding in self.report["findings"] if finding["rule"] == rule]
        return dict(found)

    def refuses(self, *words: str) -> None:
        """Asserts a refusal: exit code 2, nothing on stdout, one sentence and at most one hint on stderr."""
        assert (self.code, self.out) == (2, ""), self
        says_one_sentence(self.err, *words)


def words(result: Result) -> str:
    """What is shown, whatever the width of the terminal and however the tree is drawn."""
    return " ".join(word for word in result.out.split() if word.strip("├└│─|`-"))


def says_one_sentence(err: str, *words: str) -> None:
    """Asserts that stderr holds one sentence about an error, a hint at most, and these words."""
    lines = err.splitlines()
    assert lines, "nothing is said on stderr"
    assert lines[0].startswith("Error: "), err
    assert len(lines) <= 2, err
    assert "Traceback" not in err
    for word in words:
        assert word in err, f"{word!r} is not in: {err}"


@pytest.fixture(autouse=True)
def clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty home and working directory, and no credentials or proxies from around the tests."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower() in _NETWORK:
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path / "here")


Preflight = Callable[..., Result]


@pytest.fixture
def preflight(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Preflight:
    """Runs the command line in this process: `preflight("run", …, environ=…)`."""

    def run(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in (environ or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as end:
                main(list(arguments))
        said = capsys.readouterr()
        return Result(int(end.value.code or 0), said.out, said.err)

    return run


def whole_environ(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for another one, in which the checkout can be imported."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, **(environ or {})}


def command_line(*arguments: str) -> list[str]:
    """The command of a whole process."""
    return [sys.executable, "-m", "preflight", *arguments]


def whole_process(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
    """Runs the command line as a process of its own."""
    done = subprocess.run(
        command_line(*arguments),
        env=whole_environ(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Cloud(NamedTuple):
    """A stand-in that runs, and what points a run at it."""

    emulator: Emulator

    def environ(self, caller: str = ADMIN) -> dict[str, str]:
        """The environment of a run as `caller`."""
        return self.emulator.environ(caller=caller)

    @property
    def methods(self) -> set[str]:
        """The methods that were on the wire so far."""
        return {exchange.method for exchange in self.emulator.exchanges}


Serve = Callable[[World], Cloud]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves worlds until the test ends."""
    with contextlib.ExitStack() as stack:

        def start(world: World) -> Cloud:
            return Cloud(stack.enter_context(Emulator(world)))

        yield start

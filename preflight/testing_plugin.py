"""The pytest plugin: the stand-in and the command line as fixtures.

It is loaded in every run of pytest where preflight is installed, so it imports next to nothing until it is used.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from preflight.emulator import Emulator, World
    from preflight.testing import Run

_FOREIGN = ("GOOGLE_", "PREFLIGHT_", "CLOUDSDK_")
"""What else in a developer's environment may lead a run astray."""


class Worlds:
    """What `preflight_world` gives: call it with a world, and a stand-in serves it until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: contextlib.ExitStack) -> None:
        self._monkeypatch = monkeypatch
        self._stack = stack
        self.running: Emulator | None = None
        """The one that the environment points at: the last that was started."""

    def __call__(self, source: "str | Path | World", *, caller: str | None = None) -> "Emulator":
        """Serves a world: a demo world's name, TOML text, a path or a World; and points this process at it.

        `caller` is the e-mail whose token is in the environment: the world's first caller unless given. Raises
        WorldError for a world that can't be served, ValueError for a caller that it doesn't have.
        """
        from preflight.emulator import Emulator
        from preflight.testing import first_caller, world

        found = world(source)
        cloud = self._stack.enter_context(Emulator(found))
        environ = cloud.environ(caller or first_caller(found))
        for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
            self._monkeypatch.delenv(name)
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)
        self.running = cloud
        return cloud


class Runner:
    """What `preflight_run` gives: call it with the options of `preflight run`."""

    def __init__(self, worlds: Worlds, folder: Path) -> None:
        self._worlds = worlds
        self._folder = folder

    def __call__(self, *options: str, timeout: float = 120.0) -> "Run":
        """Runs `preflight run --format json` with these options, as a process of its own.

        It writes no files unless `--output-dir` is among the options; a relative one is inside the test's
        `tmp_path`. Raises RuntimeError without a world: a test must not reach Google.
        """
        from preflight.testing import Run

        if self._worlds.running is None:
            raise RuntimeError("start a stand-in first: preflight_world('ready')")
        files = () if any(option.split("=")[0] == "--output-dir" for option in options) else ("--no-files",)
        done = subprocess.run(
            [sys.executable, "-m", "preflight", "run", "--format", "json", *files, *options],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def preflight_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worlds]:
    """Serves a made-up cloud until the test ends: `preflight_world("ready", caller="admin@acme.example")`."""
    with contextlib.ExitStack() as stack:
        yield Worlds(monkeypatch, stack)


@pytest.fixture
def preflight_run(preflight_world: Worlds, tmp_path: Path) -> Runner:
    """Runs the command line on it: `preflight_run("--project", "acme-analytics").finding("my-rule")`."""
    return Runner(preflight_world, tmp_path)

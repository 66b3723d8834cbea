"""Whole processes, timed from outside: wall seconds, CPU and peak memory, the minimum of several runs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parent.parent
_LAUNCH = (sys.executable, "-I", "-S", str(ROOT / "benchmarks" / "launch.py"))


class Measured(Struct, frozen=True):
    """The least of several runs of one command."""

    seconds: float
    megabytes: float
    cpu: float
    """Seconds of all processors together, those of the processes that it forked included."""


def clean_environ(**more: str) -> dict[str, str]:
    """The environment with compiled bytecode on, on both sides of every ratio."""
    environ = {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}}
    return environ | {"PYTHONPATH": str(ROOT)} | more


def python(*arguments: str) -> list[str]:
    """A command line of this interpreter."""
    return [sys.executable, *arguments]


def once(command: list[str], environ: Mapping[str, str], *expect: int) -> Measured:
    """Runs a command to its end. Raises RuntimeError if it exits with none of the expected codes; 0 if none is."""
    launched = subprocess.run([*_LAUNCH, *command], env=dict(environ), check=True, stdout=subprocess.PIPE, text=True)
    seconds, cpu, peak, code = (float(figure) for figure in launched.stdout.split())
    if code not in (expect or (0,)):
        raise RuntimeError(f"{' '.join(command)} exited with {code:g}, not {expect}")
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Measured(seconds, peak / unit, cpu)


def least(runs: list[Measured]) -> Measured:
    """The minimum of each figure."""
    return Measured(min(run.seconds for run in runs), min(run.megabytes for run in runs), min(run.cpu for run in runs))


def side_by_side(*commands: tuple[list[str], Mapping[str, str], *tuple[int, ...]], times: int) -> list[Measured]:
    """Each command `times` times, in turn, so that a machine that drifts drifts for all; after one warm-up each."""
    runs: list[list[Measured]] = [[] for _ in commands]
    for round_ in range(times + 1):
        for kept, (command, environ, *expect) in zip(runs, commands, strict=True):
            measured = once(command, environ, *expect)
            if round_:
                kept.append(measured)
    return [least(kept) for kept in runs]

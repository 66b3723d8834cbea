"""Packages of npm that a test needs: locked beside it by version and checksum, fetched once into pytest's cache."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time: tests may run in several."""
    import fcntl

    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fetched(
    locked: Path, name: str, what: str, request: pytest.FixtureRequest, temporary: pytest.TempPathFactory
) -> Path:
    """The folder with the packages that the lock file in `locked` names, kept in the cache as `name`. Where they can't
    be had the test is skipped, which says what was not tried: `what`."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are not installed: {what} NOT tried")
    cache = getattr(request.config, "cache", None)  # there is none with -p no:cacheprovider
    folder = cache.mkdir(name) if cache else temporary.mktemp(name)
    ready: Path = folder / hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()[:16]
    with alone(folder):
        if not (ready / "complete").exists():
            shutil.rmtree(ready, ignore_errors=True)
            ready.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(locked / file, ready)
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            try:
                done = subprocess.run(npm, cwd=ready, capture_output=True, text=True, timeout=120, check=False)
            except subprocess.TimeoutExpired:
                pytest.skip(f"npm took over two minutes: {what} NOT tried")
            if done.returncode:
                said = (done.stderr.strip() or "nothing").splitlines()[0]
                pytest.skip(f"npm could not fetch what is needed ({said}): {what} NOT tried")
            (ready / "complete").touch()
    return ready

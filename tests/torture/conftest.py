"""The command line under fire. What the tests of whole runs have at hand, these have too."""

import os
import signal
from collections.abc import Iterator

import pytest

from preflight.emulator import Emulator
from tests.end_to_end.conftest import clean_place, serve
from tests.torture.worlds import world

__all__ = ["clean_place", "serve"]

ALL = os.environ.get("PREFLIGHT_TORTURE") == "all"
"""Whether all of it is wanted, as `make torture` does, or the part that every test run has time for."""


@pytest.fixture(scope="session")
def everything() -> bool:
    return ALL


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Who is started in the background, as by a script's `&`, ignores SIGINT, and so do all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def good() -> Iterator[Emulator]:
    """A stand-in for a project that is ready."""
    with Emulator(world("good")) as emulator:
        yield emulator

"""A stand-in for the Google Cloud APIs that preflight reads: for the demo, tests and benchmarks.

`World` says what there is, `Emulator` serves it over REST and gRPC, `Fault` makes it go wrong, and the
emulator's `exchanges` tell what was asked. Permissions are computed from the world's policies.
"""

from typing import TYPE_CHECKING, Any

from preflight.emulator.exchanges import Exchange
from preflight.emulator.faults import Fault
from preflight.emulator.world import AUDITOR, Caller, World
from preflight.emulator.world_files import WorldError

if TYPE_CHECKING:
    from preflight.emulator.server import Emulator

__all__ = ["AUDITOR", "Caller", "Emulator", "Exchange", "Fault", "World", "WorldError"]


def __getattr__(name: str) -> Any:
    """`Emulator` brings gRPC and TLS along, so it is imported when it is first asked for."""
    if name == "Emulator":
        from preflight.emulator.server import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

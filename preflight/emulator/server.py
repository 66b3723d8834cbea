"""The stand-in as others use it: start it on a world, point clients at it, see what they asked."""

import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from preflight.emulator import certificates
from preflight.emulator.core import TOKENINFO, Core
from preflight.emulator.exchanges import Exchange
from preflight.emulator.faults import Fault
from preflight.emulator.methods import METHODS
from preflight.emulator.rest import RestServer
from preflight.emulator.rpc import GrpcServer
from preflight.emulator.world import World


class Emulator:
    """A cloud in a box on 127.0.0.1: REST over HTTP, gRPC over TLS with a certificate authority of its own.

    Use it as a context manager, or call `start` and `stop`. `latency` is added to every call, in seconds; ports
    are chosen by the operating system unless given. It can't be started twice.
    """

    def __init__(self, world: World, latency: float = 0.0, *, rest_port: int = 0, grpc_port: int = 0) -> None:
        self.world = world
        self._core = Core(world, latency)
        self._ports = (rest_port, grpc_port)
        self._rest: RestServer | None = None
        self._grpc: GrpcServer | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Listen. Raises RuntimeError if it was started before, OSError if a given port is taken."""
        with self._lock:
            if self._folder is not None:
                raise RuntimeError("this emulator was started before; make another")
            self._folder = tempfile.TemporaryDirectory(prefix="preflight-emulator-")
            certificates.authority().cert_pem.write_to_path(str(Path(self._folder.name) / "ca.pem"))
            self._rest = RestServer(self._core, self._ports[0])
            try:
                self._grpc = GrpcServer(self._core, self._ports[1])
            except RuntimeError as error:
                self._rest.server_close()
                raise OSError(f"can't listen on port {self._ports[1]}: {error}") from error
            self._rest.start()
            self._grpc.start()
        return self

    def stop(self) -> None:
        """Stop listening and cut what is under way; harmless when it isn't running."""
        with self._lock:
            self._core.stopping.set()
            if self._rest is not None:
                self._rest.stop()
                self._rest = None
            if self._grpc is not None:
                self._grpc.stop()
                self._grpc = None
            if self._folder is not None:
                self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def rest_endpoint(self) -> str:
        """``http://127.0.0.1:PORT``."""
        if self._rest is None:
            raise RuntimeError("the emulator is not running")
        return f"http://127.0.0.1:{self._rest.server_port}"

    @property
    def grpc_endpoint(self) -> str:
        """``127.0.0.1:PORT``."""
        if self._grpc is None:
            raise RuntimeError("the emulator is not running")
        return f"127.0.0.1:{self._grpc.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate authority that gRPC clients must trust, in PEM; gone after `stop`."""
        if self._folder is None:
            raise RuntimeError("the emulator is not running")
        return Path(self._folder.name) / "ca.pem"

    def token(self, email: str) -> str:
        """The bearer token that stands for a caller. Raises ValueError if the world has no such caller."""
        caller = self._core.directory.callers.get(email.lower())
        if caller is None:
            known = ", ".join(sorted(self._core.directory.callers))
            raise ValueError(f"no caller {email!r} in this world; there are: {known or 'none'}")
        return caller.bearer

    def environ(self, caller: str) -> dict[str, str]:
        """The environment variables that point preflight at this stand-in, as `caller` (an e-mail)."""
        return {
            "PREFLIGHT_REST_ENDPOINT": self.rest_endpoint,
            "PREFLIGHT_GRPC_ENDPOINT": self.grpc_endpoint,
            "PREFLIGHT_CA_FILE": str(self.ca_file),
            "GOOGLE_OAUTH_ACCESS_TOKEN": self.token(caller),
        }

    @property
    def exchanges(self) -> list[Exchange]:
        """Every call so far, in the order in which they were answered: a copy."""
        return self._core.exchanges.snapshot()

    def clear_exchanges(self) -> None:
        """Forget the calls so far."""
        self._core.exchanges.clear()

    def inject(self, *faults: Fault) -> None:
        """Put faults in force. Raises ValueError for a method that the stand-in doesn't answer."""
        for fault in faults:
            if fault.method not in METHODS and fault.method not in {"*", TOKENINFO}:
                raise ValueError(f"no method {fault.method!r}; there are: {', '.join(METHODS)}, {TOKENINFO}, *")
            self._core.faults.inject(fault)

    def spread(self, world: World, method: str, seen: tuple[bool, ...]) -> None:
        """Lets a change come in bit by bit, as grants spread in Google's IAM: of the next calls of the method, those
        for which `seen` is true are answered as in the other world; the last one's word holds for all after it.

        Raises ValueError for a method that the stand-in doesn't answer, or if nothing is told of any call.
        """
        if method not in METHODS or not seen:
            raise ValueError(f"no method {method!r}, or no call: there are: {', '.join(METHODS)}")
        self._core.spread(world, method, seen)

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._core.faults.clear()

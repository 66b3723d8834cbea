"""What stands between this machine and Google: proxies, certificates, stand-ins, and the way to each host."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from preflight.facts.credential_methods import GENERATE_ACCESS_TOKEN
from preflight.facts.methods import ApiMethod
from preflight.sources.live.network import network_advice
from preflight.sources.live.reach import CA_VARIABLES, PROXY_VARIABLES, masked, reach, unreadable_certificates
from preflight.sources.live.settings import LiveSettings

if TYPE_CHECKING:  # Google's libraries load when they are needed, not before
    from preflight.sources.live.credentials import RunCredentials

State = Literal["ok", "note", "problem", "unknown"]
_PROBE_SECONDS = 5.0


class Check(Struct, frozen=True):
    """One thing that was looked at."""

    about: str
    state: State
    detail: str
    """What is there."""
    remedy: str = ""
    """What to do, if something is to be done."""


def proxies(environ: Mapping[str, str]) -> Iterable[Check]:
    """The proxies that the environment names."""
    named = [name for name in PROXY_VARIABLES if environ.get(name)]
    if not named:
        yield Check("proxy", "ok", "none is named")
    for name in named:
        if name.casefold() in {"no_proxy", "no_grpc_proxy"}:
            yield Check(name, "ok", environ[name])
            continue
        shown = masked(environ[name])
        if urlsplit(shown if "://" in shown else f"http://{shown}").scheme not in {"http", "https"}:
            yield Check(name, "problem", f"{shown} is no HTTP proxy", f"Name one: export {name}=http://HOST:PORT")
        else:
            yield Check(name, "ok", shown)


def certificates(environ: Mapping[str, str], settings: LiveSettings) -> Iterable[Check]:
    """The certificates that are trusted beside or in place of the usual ones."""
    named = {name: environ[name] for name in CA_VARIABLES if environ.get(name)}
    if settings.ca_file:
        named["PREFLIGHT_CA_FILE"] = str(settings.ca_file)
    if not named:
        yield Check("certificates", "ok", "those that come with the tool's libraries")
    for name, path in named.items():
        trouble = unreadable_certificates(Path(path))
        if trouble:
            yield Check(name, "problem", f"{path}: {trouble}", "Correct the path, or unset it.")
        else:
            yield Check(name, "ok", path)


def overrides(environ: Mapping[str, str], settings: LiveSettings) -> Iterable[Check]:
    """Stand-ins that are asked in Google's place."""
    said = "a stand-in, which run asks in Google's place"
    if settings.rest_endpoint:
        yield Check("PREFLIGHT_REST_ENDPOINT", "ok", f"{settings.rest_endpoint}, {said}")
    if settings.grpc_endpoint:
        yield Check("PREFLIGHT_GRPC_ENDPOINT", "ok", f"{settings.grpc_endpoint}, {said}")
    if environ.get("BIGQUERY_EMULATOR_HOST"):
        yield Check("BIGQUERY_EMULATOR_HOST", "ok", "is not heeded: run asks BigQuery itself")


def hosts(
    settings: LiveSettings,
    found: "RunCredentials | None",
    methods: tuple[ApiMethod, ...],
    on_wait: Callable[[str], None] | None,
) -> Iterable[Check]:
    """One check for each host that a run would call, tried side by side."""
    universe = found.universe_domain if found else settings.universe
    tries: dict[str, tuple[str, bool]] = {}
    """By what is shown: the address, and whether it is one of the settings' own."""
    rest = [method.api for method in methods if settings.transport == "rest" or not method.grpc]
    grpc = [method.api for method in methods if settings.transport == "grpc" and method.grpc]
    if settings.rest_endpoint:
        tries[urlsplit(settings.rest_endpoint).netloc] = (settings.rest_endpoint, True)
        rest = []
    if settings.grpc_endpoint:
        tries[settings.grpc_endpoint] = (f"https://{settings.grpc_endpoint}", True)
        grpc = []
    elsewhere = found.origin.hosts if found else ()
    if found and found.chain and not settings.rest_endpoint:
        elsewhere = (*elsewhere, GENERATE_ACCESS_TOKEN.api)
    for host in (*sorted({*rest, *grpc}), *(host for host in elsewhere if host.endswith("googleapis.com"))):
        named = host.replace("googleapis.com", universe)
        tries[named] = (f"https://{named}", False)
    answers: dict[str, str] = {}

    def one(name: str, address: str, *, own: bool) -> None:
        answers[name] = reach(address, settings if own else None, _PROBE_SECONDS)

    threads = [
        threading.Thread(target=one, args=(name, address), kwargs={"own": own}, daemon=True)
        for name, (address, own) in tries.items()
    ]
    ends = time.monotonic() + _PROBE_SECONDS + 1
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and time.monotonic() < ends:
            thread.join(0.5)
            if thread.is_alive() and on_wait:
                on_wait("the hosts to answer")
    for name in tries:
        trouble = answers.get(name, "no answer came in time")
        if trouble:
            yield Check(f"way to {name}", "problem", f"can't be reached: {trouble}", network_advice(trouble))
        else:
            yield Check(f"way to {name}", "ok", "can be reached")

"""Which certificates are trusted and which proxy is used, by what the environment says.

REST and gRPC read different variables by themselves (requests: HTTPS_PROXY, REQUESTS_CA_BUNDLE; gRPC:
https_proxy in lower case, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH). Here either kind counts for both.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from preflight.errors import UsageError
from preflight.sources.live.settings import LiveSettings

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_GRPC_BUNDLE = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"


def rest_verify(settings: LiveSettings) -> str | bool:
    """What requests takes as `verify`: a bundle's path, or True for its own."""
    if settings.rest_endpoint and settings.ca_file:
        return str(readable(settings.ca_file, "PREFLIGHT_CA_FILE"))
    return environment_verify()


def environment_verify() -> str | bool:
    """The same, by the environment alone: for hosts that no setting stands in for."""
    return _bundle((*_BUNDLES, _GRPC_BUNDLE)) or True


def grpc_roots(settings: LiveSettings) -> bytes | None:
    """The certificates that gRPC trusts, in PEM; None: its own, or those that its own variable names."""
    if settings.grpc_endpoint and settings.ca_file:
        return readable(settings.ca_file, "PREFLIGHT_CA_FILE").read_bytes()
    if os.environ.get(_GRPC_BUNDLE):
        return None
    bundle = _bundle(_BUNDLES)
    # A folder of hashed certificates is something that only OpenSSL can read.
    return Path(bundle).read_bytes() if bundle and Path(bundle).is_file() else None


def _bundle(variables: tuple[str, ...]) -> str | None:
    for variable in variables:
        if path := os.environ.get(variable):
            return str(readable(Path(path), variable))
    return None


def readable(path: Path, variable: str) -> Path:
    """The path, if it can be read. Raises UsageError that names the variable."""
    try:
        if path.is_file():
            with path.open("rb"):
                pass
        else:
            next(path.iterdir(), None)
    except OSError as error:
        raise UsageError(
            f"{variable} names {path}, which cannot be read: {error.strerror}.", "Correct the path, or unset it."
        ) from None
    return path


PROXY_REFUSED = "the proxy refused the connection, or could not be reached"
UNTRUSTED = "the server's certificate is not trusted"
_NO_WAY = frozenset(
    {
        "its name could not be resolved",
        "the connection was refused",
        "the connection was lost",
        "no connection could be made",
        "no answer came in time",
    }
)


def proxies_named() -> tuple[str, ...]:
    """The variables that name a proxy for Google's hosts."""
    return tuple(name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if os.environ.get(name))


def network_advice(detail: str) -> str:
    """What to do about a kind of network trouble."""
    proxies = proxies_named()
    if "proxy" in detail:
        named = f"the proxy that {proxies[0]} names" if proxies else "the proxy"
        return f"Check {named}: its address, its name and password, and that it lets *.googleapis.com through."
    if detail == UNTRUSTED:
        return (
            "If a company's proxy opens TLS, name the file with its certificate authority: "
            "export REQUESTS_CA_BUNDLE=/path/to/company.pem"
        )
    if proxies:
        return f"Check the network, and the proxy that {proxies[0]} names."
    return "Check the network; where only a proxy leads out, name it: export HTTPS_PROXY=http://HOST:PORT"


def by_proxy(settings: LiveSettings) -> bool:
    """Whether the way to Google leads through a proxy."""
    stand_in = settings.rest_endpoint and settings.grpc_endpoint
    return bool(proxies_named()) and not stand_in and not proxy_bypass_environment("bigquery.googleapis.com")


def outage(details: Iterable[str], settings: LiveSettings) -> tuple[str, str] | None:
    """One sentence for a run in which no call got through, and what to do; None where the calls failed otherwise.

    `details` are those of all reasons, as `refusals.network_detail` and gRPC's own trouble word them.
    """
    found = set(details)
    if not found or not all("proxy" in detail or detail in _NO_WAY | {UNTRUSTED} for detail in found):
        return None
    # One transport tells of a proxy that is not there, the other of a connection that was refused: to the proxy.
    if UNTRUSTED not in found and (by_proxy(settings) or any("proxy" in detail for detail in found)):
        return f"No call got through: {PROXY_REFUSED}.", network_advice(PROXY_REFUSED)
    if UNTRUSTED in found:
        return (
            "No call got through: the certificate of whoever answers for Google is not trusted.",
            network_advice(UNTRUSTED),
        )
    worst = min(found)
    why = worst if len(found) == 1 else "no connection could be made"
    return f"No call got through, there is no way to Google: {why}.", network_advice(worst)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: no proxy can help to reach it."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def goes_direct(settings: LiveSettings) -> bool:
    """Whether REST calls leave the proxies of the environment aside."""
    return settings.rest_endpoint is not None and is_loopback(urlsplit(settings.rest_endpoint).hostname or "")


def grpc_proxy_options(target: str) -> list[tuple[str, str | int]]:
    """Channel options that make gRPC use the proxy that REST would use for the same host."""
    host = target.rpartition(":")[0].strip("[]") or target
    if is_loopback(host):
        return [("grpc.enable_http_proxy", 0)]
    if os.environ.get("grpc_proxy") or os.environ.get("no_grpc_proxy"):  # noqa: SIM112  it reads no others
        return []  # said for gRPC alone, which reads it itself
    if proxy_bypass_environment(host):
        return [("grpc.enable_http_proxy", 0)]
    proxy = getproxies_environment().get("https") or getproxies_environment().get("all")
    if not proxy:
        return []
    return [("grpc.http_proxy", proxy if "://" in proxy else f"http://{proxy}")]

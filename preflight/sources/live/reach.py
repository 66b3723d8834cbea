"""Whether Google can be reached from here, tried without a request; and what the environment says about the way."""

import base64
import http.client
import socket
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from preflight.errors import UsageError
from preflight.sources.live.network import PROXY_REFUSED, UNTRUSTED, environment_verify, is_loopback, readable
from preflight.sources.live.refusals import network_detail
from preflight.sources.live.settings import LiveSettings

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
PROXY_VARIABLES = (
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "grpc_proxy",
    "NO_PROXY",
    "no_proxy",
    "no_grpc_proxy",
)


def masked(proxy: str) -> str:
    """A proxy's address with no password in it, also where it is malformed."""
    scheme, separator, rest = proxy.partition("://") if "://" in proxy else ("", "", proxy)
    secret, at, host = rest.rpartition("@")  # the last one: a password may hold others
    user, colon, _ = secret.partition(":")
    return f"{scheme}{separator}{(f'{user}:***@' if user and colon else '***@') if at else ''}{host}"


def unreadable_certificates(path: Path) -> str:
    """Why a bundle of certificates, or OpenSSL's folder of them, can't be used; empty if it can."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if path.is_dir():
            return "" if any(path.iterdir()) else "the folder is empty"
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "it holds no certificates in PEM"
    except OSError as error:
        return str(error.strerror)
    return "" if context.cert_store_stats()["x509"] else "it holds no certificates"


def reach(address: str, settings: LiveSettings | None, seconds: float) -> str:
    """Why there is no way to an address, up to the TLS handshake; empty if there is. No request is sent.

    `settings` are given for an address of theirs, which is trusted as they say.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxy = "" if is_loopback(host) or proxy_bypass_environment(host) else _proxy()
    try:
        if parts.scheme != "https":
            socket.create_connection((host, port), seconds).close()
            return ""
        connection = _connection(host, port, proxy, _context(settings), seconds)
        try:
            connection.connect()
        finally:
            connection.close()
    except UsageError as error:
        return error.message.rstrip(".")
    except TimeoutError:
        return "no answer came in time"
    except ssl.SSLError:
        return UNTRUSTED
    except (OSError, http.client.HTTPException, ValueError) as error:
        return PROXY_REFUSED if proxy else network_detail(error)
    return ""


def _proxy() -> str:
    return getproxies_environment().get("https") or getproxies_environment().get("all") or ""


def _context(settings: LiveSettings | None) -> ssl.SSLContext:
    ca_file = settings.ca_file if settings else None
    verify = str(readable(ca_file, "PREFLIGHT_CA_FILE")) if ca_file else environment_verify()
    path = DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    if Path(path).is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def _connection(
    host: str, port: int, proxy: str, context: ssl.SSLContext, seconds: float
) -> http.client.HTTPSConnection:
    if not proxy:
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 80, timeout=seconds, context=context)
    said = {}
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        said["Proxy-Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    connection.set_tunnel(host, port, said)
    return connection

"""Google's own host names, no endpoint override, and a proxy that opens TLS with a certificate of its own.

The proxy stands for a company's: HTTPS_PROXY names it, its authority is trusted by REQUESTS_CA_BUNDLE or
SSL_CERT_FILE. Behind it answers the stand-in, so that nothing leaves this machine.
"""

import contextlib
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from preflight.facts.snapshot import FIELD_OF, Target
from preflight.sources.live import LiveSettings, LiveSource
from tests.sources.live.conftest import ADMIN

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "grpc_proxy")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")


class InspectingProxy:
    """Takes CONNECT, opens TLS as the host that was named, and hands the plain bytes to the stand-in."""

    def __init__(self, cloud, refuses=False):
        self.authority = trustme.CA()
        self.hosts = []
        self._refuses = refuses
        # Taken down now: a connection may come to be served when the stand-in has stopped.
        self._rest, self._grpc = (
            ("127.0.0.1", int(endpoint.rpartition(":")[2])) for endpoint in (cloud.rest_endpoint, cloud.grpc_endpoint)
        )
        self._trusts = ssl.create_default_context(cafile=str(cloud.ca_file))
        self._trusts.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self):
        # Closing alone would leave the thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                received = client.recv(1)
                if not received:
                    return  # it hung up before it had said where to
                head += received
            host = head.split()[1].decode().rpartition(":")[0]
            self.hosts.append(host)
            if self._refuses:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(host).configure_cert(context)
            context.set_alpn_protocols(["h2", "http/1.1"])
            with context.wrap_socket(client, server_side=True) as inside, self._behind(inside) as behind:
                thread = threading.Thread(target=_pump, args=(behind, inside), daemon=True)
                thread.start()
                _pump(inside, behind)
                thread.join(5)

    def _behind(self, inside):
        if inside.selected_alpn_protocol() != "h2":
            return socket.create_connection(self._rest)
        return self._trusts.wrap_socket(socket.create_connection(self._grpc), server_hostname="127.0.0.1")


def _pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxied(ready, heap, monkeypatch, tmp_path):
    """Collects through a proxy; `trusts` is the variable that names the proxy's authority."""
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)
    proxies = []

    def collect(transport, trusts=None, refuses=False, proxy="HTTPS_PROXY", timeout=10.0):
        proxies.append(InspectingProxy(ready, refuses))
        monkeypatch.setenv(proxy, proxies[-1].url)
        if trusts:
            proxies[-1].authority.cert_pem.write_to_path(str(tmp_path / "company.pem"))
            monkeypatch.setenv(trusts, str(tmp_path / "company.pem"))
        settings = LiveSettings.from_environ(
            {"GOOGLE_OAUTH_ACCESS_TOKEN": ready.token(ADMIN)}, transport=transport, timeout=timeout
        )
        target = Target("acme-analytics", heap.principal, dataset="heap_production")
        return LiveSource(settings, heap, target).collect(frozenset(FIELD_OF)), proxies[-1]

    yield collect
    for one in proxies:
        one.close()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize(("trusts", "proxy"), [("REQUESTS_CA_BUNDLE", "HTTPS_PROXY"), ("SSL_CERT_FILE", "https_proxy")])
def test_through_an_inspecting_proxy(proxied, transport, trusts, proxy):
    snapshot, through = proxied(transport, trusts, proxy=proxy)
    assert snapshot.gaps() == ()
    assert set(through.hosts) == {
        "cloudresourcemanager.googleapis.com",
        "serviceusage.googleapis.com",
        "cloudbilling.googleapis.com",
        "iam.googleapis.com",
        "bigquery.googleapis.com",
        "orgpolicy.googleapis.com",
        "policytroubleshooter.googleapis.com",
        "cloudidentity.googleapis.com",
        "oauth2.googleapis.com",
    }


def details(snapshot):
    return {(gap.reason.kind, getattr(gap.reason, "detail", "")) for gap in snapshot.gaps()}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_an_authority_that_is_not_trusted(proxied, transport):
    snapshot, _ = proxied(transport, timeout=2.0)
    assert details(snapshot) == {("unavailable", "the server's certificate is not trusted")}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_proxy_that_refuses(proxied, transport):
    snapshot, _ = proxied(transport, refuses=True, timeout=2.0)
    assert {kind for kind, _ in details(snapshot)} == {"unavailable"}
    assert all("proxy refused" in detail for _, detail in details(snapshot)), details(snapshot)


PROGRAM = """
import os
from preflight.facts.snapshot import FIELD_OF, Target
from preflight.profile import load_profile
from preflight.sources.live import LiveSettings, LiveSource
heap = load_profile("heap")
source = LiveSource(LiveSettings.from_environ(os.environ, timeout=2.0), heap, Target("acme-analytics", heap.principal))
print(len(source.collect(frozenset(FIELD_OF)).gaps()))
"""


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "is not trusted"])
def test_grpc_says_nothing_by_itself(ready, refuses):
    proxy = InspectingProxy(ready, refuses)
    environ = {"PATH": "/usr/bin", "GOOGLE_OAUTH_ACCESS_TOKEN": "t", "HTTPS_PROXY": proxy.url}
    program = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, timeout=30, check=False)
    proxy.close()
    assert done.stderr == ""
    assert int(done.stdout) >= 8


def test_the_stand_in_on_loopback_needs_no_proxy(ready, read, monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for transport in ("grpc", "rest"):
        _, snapshot = read(ready, transport=transport, timeout=5.0)
        assert snapshot.gaps() == ()


def test_no_network(heap, monkeypatch):
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)
    settings = LiveSettings.from_environ(
        {
            "GOOGLE_OAUTH_ACCESS_TOKEN": "t",
            "PREFLIGHT_REST_ENDPOINT": "http://127.0.0.1:9",
            "PREFLIGHT_GRPC_ENDPOINT": "127.0.0.1:9",
        },
        timeout=2.0,
    )
    snapshot = LiveSource(settings, heap, Target("acme-analytics", heap.principal)).collect(frozenset(FIELD_OF))
    assert details(snapshot) == {("unavailable", "the connection was refused")}

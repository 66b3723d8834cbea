"""Whether there is a way to a host, tried without a request; proxies' passwords; bundles of certificates."""

import socket

import pytest
import trustme

from preflight.sources.live.network import PROXY_REFUSED, UNTRUSTED, network_advice, outage
from preflight.sources.live.reach import masked, reach, unreadable_certificates
from preflight.sources.live.settings import LiveSettings
from tests.sources.live.test_proxy import BUNDLES, PROXIES
from tests.sources.live.token_servers import Proxy

PLAIN = LiveSettings()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(ready, monkeypatch):
    started = []

    def start(refuses=False):
        started.append(Proxy(ready, refuses))
        monkeypatch.setenv("HTTPS_PROXY", started[-1].url.replace("//", "//me:p%40ss@"))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_way_through_a_proxy(ready, proxy, monkeypatch, tmp_path):
    one = proxy()
    assert reach("https://bigquery.googleapis.com", None, 5) == UNTRUSTED
    one.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert reach("https://bigquery.googleapis.com", None, 5) == ""
    assert one.hosts == ["bigquery.googleapis.com"] * 2
    assert ready.exchanges == [], "no request is sent"


def test_a_proxy_that_refuses_or_is_not_there(proxy, monkeypatch):
    proxy(refuses=True)
    assert reach("https://bigquery.googleapis.com", None, 5) == PROXY_REFUSED
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert reach("https://bigquery.googleapis.com", None, 5) == PROXY_REFUSED
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:port")
    assert reach("https://bigquery.googleapis.com", None, 5) == PROXY_REFUSED


def test_no_way(monkeypatch):
    assert reach("https://127.0.0.1:9", None, 5) == "the connection was refused"
    assert reach("http://127.0.0.1:9", None, 5) == "the connection was refused"

    def unresolved(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr("socket.getaddrinfo", unresolved)
    assert reach("https://bigquery.googleapis.com", None, 5) == "its name could not be resolved"


def test_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert reach(f"https://127.0.0.1:{silent.getsockname()[1]}", None, 0.3) == "no answer came in time"


def test_the_stand_in_is_trusted_by_its_own_authority(ready, tmp_path):
    settings = LiveSettings(rest_endpoint=ready.rest_endpoint, grpc_endpoint=ready.grpc_endpoint, ca_file=ready.ca_file)
    assert reach(f"https://{ready.grpc_endpoint}", settings, 5) == ""
    assert reach(ready.rest_endpoint, settings, 5) == ""
    assert reach(f"https://{ready.grpc_endpoint}", None, 5) == UNTRUSTED
    gone = LiveSettings(ca_file=tmp_path / "none.pem")
    assert "PREFLIGHT_CA_FILE names" in reach(f"https://{ready.grpc_endpoint}", gone, 5)


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "proxy:3128"),
        ("http://me:sesame@proxy:3128", "http://me:***@proxy:3128"),
        ("me:sesame@proxy:3128", "me:***@proxy:3128"),
        ("http://me:se@sa/me#?://x@proxy:3128", "http://me:***@proxy:3128"),
        ("http://sesame@proxy:3128", "http://***@proxy:3128"),
        ("http://:sesame@proxy", "http://***@proxy"),
    ],
)
def test_a_proxys_password_is_not_shown(proxy, shown):
    assert masked(proxy) == shown


def test_bundles_of_certificates(tmp_path):
    good, empty, folder = tmp_path / "good.pem", tmp_path / "empty.pem", tmp_path / "folder"
    trustme.CA().cert_pem.write_to_path(str(good))
    empty.write_text("no certificate")
    folder.mkdir()
    assert unreadable_certificates(good) == ""
    assert "no certificates" in unreadable_certificates(empty)
    assert "No such file" in unreadable_certificates(tmp_path / "none")
    assert unreadable_certificates(folder) == "the folder is empty"


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ((), None),
        (("HTTP 503",), None),
        (("HTTP 503", "the connection was refused"), None),
        (("the proxy refused the connection", PROXY_REFUSED), "the proxy refused"),
        (("the connection was refused", PROXY_REFUSED), "the proxy refused"),
        ((UNTRUSTED,), "certificate"),
        ((UNTRUSTED, "the connection was lost"), "certificate"),
        (("its name could not be resolved",), "no way to Google: its name could not be resolved"),
        (("its name could not be resolved", "no connection could be made"), "no connection could be made"),
    ],
)
def test_one_sentence_for_an_outage(details, words):
    told = outage(details, PLAIN)
    assert (told is None) == (words is None)
    if told and words:
        assert words in told[0]


def test_behind_a_proxy_a_refused_connection_is_the_proxys(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:sesame@127.0.0.1:9")
    told = outage(["the connection was refused"], PLAIN)
    assert told
    assert "proxy" in told[0]
    assert "sesame" not in "".join(told)
    assert "the proxy that HTTPS_PROXY names" in network_advice("the connection was refused")
    monkeypatch.setenv("NO_PROXY", "googleapis.com")
    told = outage(["the connection was refused"], PLAIN)
    assert told
    assert "no way to Google" in told[0]

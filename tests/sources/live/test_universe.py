"""Credentials of another universe: its hosts, and no others, are asked; seen by a proxy, without any name resolved."""

import json

import pytest

from preflight.errors import CredentialsError, UsageError
from preflight.facts.methods import ALLOWED
from preflight.facts.project import Project
from preflight.facts.snapshot import FIELD_OF, Target
from preflight.sources.live import LiveSettings, LiveSource
from preflight.sources.live.credentials import find_credentials
from tests.sources.live.conftest import ADMIN
from tests.sources.live.test_proxy import BUNDLES, PROXIES
from tests.sources.live.token_servers import TARGET, Proxy, external, service_account, user

DOMAIN = "apis-tpc.goog"
CALLED = {method.api.partition(".")[0] for method in ALLOWED} - {"oauth2"}


@pytest.fixture
def through(ready, monkeypatch, tmp_path):
    """The proxy that all calls go through, and that opens TLS as whoever they ask for."""
    for name in (*PROXIES, *BUNDLES, "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_UNIVERSE_DOMAIN"):
        monkeypatch.delenv(name, raising=False)
    proxy = Proxy(ready)
    proxy.authority.cert_pem.write_to_path(str(tmp_path / "company.pem"))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company.pem"))
    yield proxy
    proxy.close()


def collect(heap, environ, **options):
    settings = LiveSettings.from_environ(environ, timeout=15.0, **options)
    source = LiveSource(settings, heap, Target("acme-analytics", heap.principal, dataset="heap_production"))
    return source.collect(frozenset(FIELD_OF))


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("elsewhere", [DOMAIN, "googleapis.com"])
def test_a_given_token_of_another_universe(ready, heap, through, transport, elsewhere):
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": ready.token(ADMIN), "GOOGLE_CLOUD_UNIVERSE_DOMAIN": elsewhere}
    snapshot = collect(heap, environ, transport=transport)
    assert snapshot.gaps() == ()
    assert set(through.hosts) == {f"{name}.{elsewhere}" for name in CALLED | {"oauth2"}}


def test_a_key_of_another_universe_makes_its_own_token(ready, heap, through, tmp_path, monkeypatch):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(service_account("https://oauth2.googleapis.com", universe_domain=DOMAIN)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    snapshot = collect(heap, {}, transport="rest")
    # The stand-in knows nothing of that token: it was asked, at the hosts of that universe and no others.
    assert set(through.hosts) <= {f"{name}.{DOMAIN}" for name in CALLED}
    assert through.hosts
    assert snapshot.caller_identity.email == TARGET
    assert snapshot.project.reason.kind == "unauthenticated"


def test_impersonation_in_another_universe(ready, heap, through):
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": ready.token(ADMIN), "GOOGLE_CLOUD_UNIVERSE_DOMAIN": DOMAIN}
    settings = LiveSettings.from_environ(environ, impersonate=(TARGET,))
    (permit,) = find_credentials(settings)._session.permits
    assert permit.url == (f"https://iamcredentials.{DOMAIN}/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken")
    source = LiveSource(settings, heap, Target("acme-analytics", heap.principal))
    with pytest.raises(CredentialsError, match=TARGET):
        source.collect(frozenset({Project}))
    assert set(through.hosts) == {f"iamcredentials.{DOMAIN}"}


@pytest.mark.parametrize(
    ("content", "domain"),
    [
        (user(universe_domain=DOMAIN), DOMAIN),
        (user(), "googleapis.com"),
        (external("https://sts.example.goog", {"file": "/t"}, universe_domain=DOMAIN), DOMAIN),
    ],
    ids=["user", "none said", "external"],
)
def test_a_file_says_its_universe(tmp_path, monkeypatch, content, domain):
    (tmp_path / "file.json").write_text(json.dumps(content))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "file.json"))
    assert find_credentials(LiveSettings()).universe_domain == domain


@pytest.mark.parametrize("domain", ["evil.example/x", "a b.goog", "goog", "https://x.goog", "x.goog:443", "@x.goog"])
def test_what_is_no_domain_is_refused(domain):
    with pytest.raises(UsageError, match="GOOGLE_CLOUD_UNIVERSE_DOMAIN"):
        LiveSettings.from_environ({"GOOGLE_CLOUD_UNIVERSE_DOMAIN": domain})

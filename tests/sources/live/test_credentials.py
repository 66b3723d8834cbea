"""Credentials of each kind, and the sentence for each way in which there are none."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from preflight.errors import CredentialsError, UsageError
from preflight.facts.caller import CallerIdentity
from preflight.facts.project import Project
from preflight.facts.snapshot import Target
from preflight.sources.live import LiveSettings, LiveSource
from tests.sources.live.conftest import ADMIN, VENDOR, environment


class TokenServer(ThreadingHTTPServer):
    """Gives out one token for whatever it is asked, or refuses."""

    daemon_threads = True

    def __init__(self, token, status=200):
        super().__init__(("127.0.0.1", 0), TokenHandler)
        self.token, self.status, self.asked = token, status, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/token"


class TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = self.server.status == 200
        answer = {"access_token": self.server.token, "expires_in": 3600, "token_type": "Bearer"}
        body = json.dumps(answer if good else {"error": "invalid_grant", "error_description": "expired"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def tokens():
    servers = []

    def start(*args):
        servers.append(TokenServer(*args))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def service_account(tmp_path, token_uri, _=None):
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "key.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": VENDOR,
                "private_key": key.decode(),
                "private_key_id": "1",
                "token_uri": token_uri,
                "project_id": "heap-204122",
            }
        )
    )
    return path


def user(tmp_path, token_uri, monkeypatch):
    # A user's file names no endpoint of its own.
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", token_uri)
    path = tmp_path / "adc.json"
    path.write_text(
        json.dumps(
            {
                "type": "authorized_user",
                "client_id": "id",
                "client_secret": "hush",
                "refresh_token": "r",
                "quota_project_id": "payer",
            }
        )
    )
    return path


def collect(cloud, heap, wanted, **settings):
    environ = {name: value for name, value in cloud.environ(ADMIN).items() if name.startswith("PREFLIGHT_")}
    source = LiveSource(LiveSettings.from_environ(environ, **settings), heap, Target("acme-analytics", heap.principal))
    return source.collect(frozenset(wanted))


def test_a_service_account_knows_its_own_name(ready, heap, tokens, tmp_path, monkeypatch):
    server = tokens(ready.token(VENDOR))
    path = service_account(tmp_path, server.url)
    with environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)):
        snapshot = collect(ready, heap, {CallerIdentity, Project})
    assert snapshot.caller_identity.email == VENDOR
    assert snapshot.caller_identity.provenance.source == "credentials"
    assert len(server.asked) == 1, "one token for all clients"
    assert {exchange.caller for exchange in ready.exchanges} == {VENDOR}


def test_a_user_and_the_quota_project(ready, heap, tokens, tmp_path, monkeypatch):
    path = user(tmp_path, tokens(ready.token(ADMIN)).url, monkeypatch)
    with environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)):
        for transport in ("grpc", "rest"):
            mine = collect(ready, heap, {CallerIdentity, Project}, transport=transport, quota_project="acme-analytics")
            assert mine.caller_identity.email == ADMIN
            assert mine.project.number == "421700000001"
            # The one that the file names is unknown here, and may not be used.
            other = collect(ready, heap, {Project}, transport=transport)
            assert other.project.reason.quota_project
            assert other.project.reason.permission == "serviceusage.services.use"


@pytest.mark.parametrize("kind", [service_account, user])
def test_credentials_that_google_refuses(ready, heap, tokens, tmp_path, monkeypatch, kind):
    path = kind(tmp_path, tokens("t", 400).url, monkeypatch)
    with (
        environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)),
        pytest.raises(CredentialsError) as refused,
    ):
        collect(ready, heap, {Project})
    assert refused.value.message == "Google did not accept the credentials: they are invalid, expired or revoked."
    assert "gcloud auth application-default login" in refused.value.hint
    assert ready.exchanges == []


def test_no_way_to_the_token_endpoint(ready, heap, tmp_path, monkeypatch):
    path = service_account(tmp_path, "http://127.0.0.1:9/token")
    with (
        environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)),
        pytest.raises(CredentialsError) as refused,
    ):
        collect(ready, heap, {Project})
    assert refused.value.message == "No access token could be had: the connection was refused."


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"type": "service_account"}', '{"type": "novel"}'])
def test_a_file_that_holds_no_credentials(ready, heap, tmp_path, monkeypatch, text):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with (
        environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)),
        pytest.raises(CredentialsError) as refused,
    ):
        collect(ready, heap, {Project})
    assert str(path) in refused.value.message


def test_no_credentials_at_all(ready, heap, tmp_path, monkeypatch):
    nothing = {
        "GOOGLE_APPLICATION_CREDENTIALS": None,
        "CLOUDSDK_CONFIG": str(tmp_path),
        "NO_GCE_CHECK": "true",
        "HOME": str(tmp_path),
    }
    with environment(monkeypatch, **nothing), pytest.raises(CredentialsError) as refused:
        collect(ready, heap, {Project})
    assert refused.value.message == "No Google Cloud credentials were found."
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" in refused.value.hint


def test_a_given_token_wins(ready, read, tmp_path, monkeypatch):
    with environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none.json")):
        _, snapshot = read(ready, frozenset({Project}))
    assert snapshot.project.id == "acme-analytics"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"transport": "soap"}, "no transport 'soap'"),
        ({"timeout": 0}, "no time"),
        ({"rest_endpoint": "127.0.0.1:80"}, "not a REST endpoint"),
    ],
)
def test_settings_that_cannot_be_used(options, words):
    with pytest.raises(UsageError, match=words):
        LiveSettings.from_environ({}, **options)


def test_settings_of_an_environment():
    environ = {
        "PREFLIGHT_REST_ENDPOINT": "http://127.0.0.1:1/",
        "PREFLIGHT_TRANSPORT": "rest",
        "GOOGLE_CLOUD_QUOTA_PROJECT": "payer",
    }
    settings = LiveSettings.from_environ(environ, quota_project=None, timeout=5.0)
    assert settings == LiveSettings(
        rest_endpoint="http://127.0.0.1:1", transport="rest", quota_project="payer", timeout=5.0
    )
    assert LiveSettings.from_environ(environ, quota_project="other").quota_project == "other"


def test_a_ca_file_that_is_not_there(ready, heap, tmp_path):
    environ = {**ready.environ(ADMIN), "PREFLIGHT_CA_FILE": str(tmp_path / "none.pem")}
    source = LiveSource(LiveSettings.from_environ(environ), heap, Target("acme-analytics", heap.principal))
    with pytest.raises(UsageError, match="PREFLIGHT_CA_FILE names"):
        source.collect(frozenset({Project}))

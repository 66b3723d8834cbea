"""Tokens from a key, a sign-in, another cloud's identity and the metadata server, over real sockets; and the sentence
for each way in which there is none."""

import json
import logging
import sys

import pytest

from preflight.errors import CredentialsError
from preflight.facts.caller import CallerIdentity
from preflight.facts.project import Project
from preflight.facts.snapshot import Target
from preflight.sources.live import LiveSettings, LiveSource
from preflight.sources.live.credentials import find_credentials
from preflight.sources.live.guard import NotAllowedError
from tests.sources.live.conftest import ADMIN, VENDOR
from tests.sources.live.token_servers import (
    SECRETS,
    TARGET,
    TokenServer,
    external,
    generate,
    rpc_error,
    service_account,
    user,
)

LOGIN = "gcloud auth application-default login"
STS = "POST /v1/token"
SURROUNDINGS = ("GOOGLE_", "CLOUDSDK_", "GCE_", "NO_GCE_CHECK", "PREFLIGHT_", "AWS_")


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server for tokens, in surroundings that hold no credentials."""
    import os

    for name in list(os.environ):
        if name.startswith(SURROUNDINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    one = TokenServer()
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{one.url}/token")
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def hold(monkeypatch, tmp_path):
    """Puts credentials into the file that the environment names."""

    def put(content):
        path = tmp_path / "credentials.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return path

    return put


@pytest.fixture
def read(ready, heap):
    """Reads the project with the credentials of the environment."""

    def collect(wanted=(CallerIdentity, Project), **options):
        environ = {name: value for name, value in ready.environ(ADMIN).items() if name.startswith("PREFLIGHT_")}
        settings = LiveSettings.from_environ(environ, timeout=30.0, **options)
        return LiveSource(settings, heap, Target("acme-analytics", heap.principal)).collect(frozenset(wanted))

    return collect


@pytest.fixture
def refused(ready, read, caplog):
    """The sentence for credentials that give no token; it holds no secret, and nor does the log."""
    caplog.set_level(logging.DEBUG)

    def told(*words):
        with pytest.raises(CredentialsError) as error:
            read()
        text = f"{error.value.message}\n{error.value.hint}"
        for word in words:
            assert word in text
        for secret in ("sesame", "PRIVATE KEY", "assertion=", "eyJ"):
            assert secret not in text + caplog.text
        assert error.value.message[-1] == "."
        assert "\n" not in error.value.message
        assert ready.exchanges == []

    return told


# A service account's key


def test_a_key(ready, server, hold, read):
    hold(service_account(server.url, VENDOR))
    server.gives("POST /token", ready.token(VENDOR))
    snapshot = read()
    assert (snapshot.caller_identity.email, snapshot.project.id) == (VENDOR, "acme-analytics")
    assert server.requests == ["POST /token"], "no look-up of allowed locations, no other question"


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("Invalid JWT Signature.", (f"the key of {TARGET}", "deleted or replaced", "gcloud iam service-accounts keys")),
        ("Invalid grant: account not found", (f"There is no service account {TARGET} any more",)),
        (
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
            "Check your iat and exp values in the JWT claim.",
            ("clock is wrong",),
        ),
        ("The service account is disabled: sesame", ("is disabled", "gcloud iam service-accounts enable")),
        ("something new: sesame", ("did not accept the credentials", LOGIN)),
    ],
    ids=["revoked", "deleted", "clock", "disabled", "else"],
)
def test_a_key_that_google_refuses(server, hold, refused, description, words):
    hold(service_account(server.url))
    server.on("POST /token", {"error": "invalid_grant", "error_description": description}, 400)
    refused(*words)


def test_a_token_endpoint_that_is_down(server, hold, refused, monkeypatch):
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    hold(service_account(server.url))
    server.on("POST /token", "<html>sesame</html>", 502)
    refused("127.0.0.1 answered HTTP 502")


# A user's sign-in


def test_a_sign_in(ready, server, hold, read):
    hold(user())
    server.gives("POST /token", ready.token(ADMIN))
    snapshot = read()
    assert (snapshot.caller_identity.email, snapshot.project.id) == (ADMIN, "acme-analytics")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "invalid_grant", "error_subtype": "invalid_rapt"}, ("sign in again", LOGIN)),
        ({"error": "invalid_grant", "error_subtype": "rapt_required"}, ("sign in again", LOGIN)),
        (
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked. sesame"},
            ("expired", LOGIN),
        ),
        ({"error": "invalid_client"}, ("not allowed any more", LOGIN)),
        ({"error": {"code": 400}}, ("did not accept", LOGIN)),
        ("sesame", ("did not accept", LOGIN)),
    ],
    ids=["rapt", "rapt required", "revoked", "client", "odd", "text"],
)
def test_a_sign_in_that_google_refuses(server, hold, refused, body, words):
    hold(user())
    server.on("POST /token", body, 400)
    refused(*words)


def test_gclouds_own_file(ready, server, read, tmp_path, monkeypatch):
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", "")  # no gcloud is run
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(user(quota_project_id="acme-analytics")))
    server.gives("POST /token", ready.token(ADMIN))
    assert read().project.id == "acme-analytics"


def test_gclouds_own_file_that_is_broken(server, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    (tmp_path / "application_default_credentials.json").write_text("{")
    refused("gcloud's application default credentials are in", "not JSON", LOGIN)


def test_an_impersonated_accounts_quota_project_is_not_the_users(server, hold):
    hold(user(quota_project_id="payer"))
    assert find_credentials(LiveSettings()).quota_project_id == "payer"
    assert find_credentials(LiveSettings(impersonate=(TARGET,))).quota_project_id is None
    assert find_credentials(LiveSettings(impersonate=(TARGET,), quota_project="q")).quota_project_id == "q"


# Files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{sesame", ("not JSON",)),
        ("[]", ("does not hold credentials",)),
        ({"type": "novel"}, ("no credentials of a known type", "authorized_user", "external_account")),
        ({"type": ["x"]}, ("no credentials of a known type",)),
        ({"type": "service_account", "client_email": TARGET}, ("lacks", "private_key", "token_uri")),
        ({"type": "authorized_user", "client_id": "id"}, ("lacks", "client_secret", "refresh_token")),
        ({"type": "external_account"}, ("lacks", "audience")),
        (
            {"type": "service_account", "client_email": TARGET, "private_key": "sesame", "token_uri": "https://x.y/t"},
            ("its private_key cannot be read",),
        ),
        (
            {"type": "service_account", "client_email": TARGET, "private_key": "sesame", "token_uri": "http://x.y/t"},
            ("not https",),
        ),
        (external("http://sts.example", {"file": "/t"}), ("not https",)),
        (external("https://sts.example", "sesame"), ("malformed",)),
        (external("https://sts.example", {"file": "/t", "url": "https://x.y"}), ("malformed",)),
        (
            {
                "type": "impersonated_service_account",
                "service_account_impersonation_url": "x",
                "source_credentials": {"type": "novel"},
            },
            ("no credentials of a known type",),
        ),
    ],
)
def test_a_file_that_holds_no_usable_credentials(server, hold, refused, content, words):
    path = hold(content)
    refused(f"GOOGLE_APPLICATION_CREDENTIALS names {path}", *words)
    assert server.asked == []


def test_a_folder_and_a_binary_file(server, hold, refused, tmp_path, monkeypatch):
    hold("").write_bytes(b"\xff\xfe\x00")
    refused("is no text")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))
    refused(str(tmp_path), "cannot be read")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))
    refused("there is no such file")


# Another cloud's identity


@pytest.fixture
def subject(tmp_path):
    path = tmp_path / "subject-token"
    path.write_text(SECRETS["subject"])
    return path


def test_another_clouds_identity(ready, server, hold, read, subject):
    hold(external(server.url, {"file": str(subject)}))
    server.gives(STS, ready.token(ADMIN))
    assert read((Project,)).project.id == "acme-analytics"
    assert server.requests == [STS], "the pool's project is not asked for"
    assert "subject-sesame" in server.asked[0][3]


def test_another_clouds_identity_that_impersonates(ready, server, hold, read, subject):
    url = f"{server.url}/v1/projects/-/serviceAccounts/{VENDOR}:generateAccessToken"
    source = {"file": str(subject), "format": {"type": "json", "subject_token_field_name": "id_token"}}
    subject.write_text(json.dumps({"id_token": SECRETS["subject"]}))
    hold(external(server.url, source, service_account_impersonation_url=url))
    server.gives(STS, SECRETS["source"])
    server.impersonates(VENDOR, ready.token(VENDOR))
    snapshot = read()
    assert (snapshot.caller_identity.email, snapshot.project.id) == (VENDOR, "acme-analytics")
    assert server.requests == [STS, generate(VENDOR)]


def test_another_clouds_identity_by_address(ready, server, hold, read):
    hold(external(server.url, {"url": f"{server.url}/id", "headers": {"Metadata": "true"}}))
    server.on("GET /id", SECRETS["subject"])
    server.gives(STS, ready.token(ADMIN))
    assert read((Project,)).project.id == "acme-analytics"
    assert server.requests == ["GET /id", STS]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "ID Token sesame is stale"},
            ("did not accept", "expired"),
        ),
        (400, {"error": "invalid_target"}, ("pool or provider", "does not exist, or is disabled")),
        (401, {"error": "unauthorized_client"}, ("attribute condition",)),
        (403, {"error": "sesame"}, ("Security Token Service refused",)),
    ],
)
def test_sts_refuses(server, hold, refused, subject, status, body, words):
    hold(external(server.url, {"file": str(subject)}))
    server.on(STS, body, status)
    refused(*words, "providers describe github --workload-identity-pool=ci --location=global --project=123456")


def test_sts_is_down_for_a_moment(ready, server, hold, read, subject):
    hold(external(server.url, {"file": str(subject)}))
    server.on(STS, "sesame", 503)
    server.gives(STS, ready.token(ADMIN))
    assert read((Project,)).project.id == "acme-analytics"


def test_the_account_of_another_clouds_identity_may_not_be_impersonated(server, hold, refused, subject):
    url = f"{server.url}/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
    hold(external(server.url, {"file": str(subject)}, service_account_impersonation_url=url))
    server.gives(STS, SECRETS["source"])
    server.on(generate(TARGET), rpc_error(403, "PERMISSION_DENIED"), 403)
    refused(f"{TARGET} may not be impersonated", "roles/iam.serviceAccountTokenCreator")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        ("", "which is empty"),
        (b"\xff\xfe", "it is no text"),
    ],
)
def test_the_file_for_the_workloads_token(server, hold, refused, tmp_path, content, words):
    path = tmp_path / "subject"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    hold(external(server.url, {"file": str(path)}))
    refused(str(path), words)
    assert server.asked == []


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"other": "sesame"}'])
def test_the_json_file_for_the_workloads_token(server, hold, refused, subject, content):
    subject.write_text(content)
    hold(
        external(
            server.url,
            {"file": str(subject), "format": {"type": "json", "subject_token_field_name": "id_token"}},
        )
    )
    refused(str(subject), "under 'id_token'")


def test_the_address_for_the_workloads_token_refuses(server, hold, refused):
    hold(external(server.url, {"url": f"{server.url}/id"}))
    server.on("GET /id", "sesame", 403)
    refused("for the workload's own token, answered HTTP 403")


PROGRAM = 'import json; print(json.dumps({"version": 1, "success": True, "id_token": "eyJ.subject-sesame", '
PROGRAM += '"token_type": "urn:ietf:params:oauth:token-type:jwt"}))'


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "give.py"
    path.write_text(PROGRAM)
    return {"executable": {"command": f"{sys.executable} {path} --key=sesame", "timeout_millis": 5000}}


def test_a_file_that_wants_a_program_to_be_run(server, hold, refused, program):
    hold(external(server.url, program))
    refused("wants a program to be run", sys.executable, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1")
    assert server.asked == []


def test_a_program_that_may_be_run(ready, server, hold, read, program, monkeypatch):
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    hold(external(server.url, program))
    server.gives(STS, ready.token(ADMIN))
    assert read((Project,)).project.id == "acme-analytics"


@pytest.mark.parametrize("text", ["raise SystemExit('sesame')", "print('sesame')", ""])
def test_a_program_that_gives_no_token(server, hold, refused, program, tmp_path, monkeypatch, text):
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    (tmp_path / "give.py").write_text(text)
    hold(external(server.url, program))
    refused("gave no token", "by hand")


def test_a_program_that_is_not_there(server, hold, refused, monkeypatch):
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    hold(external(server.url, {"executable": {"command": "/nowhere/give --key=sesame", "timeout_millis": 5000}}))
    refused("/nowhere/give", "gave no token")


def test_what_the_file_names_is_open_and_nothing_else(server, hold):
    hold(external(server.url, {"url": f"{server.url}/id"}))
    session = find_credentials(LiveSettings())._session
    for verb, path in (("POST", "/id"), ("GET", "/v1/token"), ("GET", "/id/more"), ("GET", "/v1/projects/123456")):
        with pytest.raises(NotAllowedError):
            session.request(verb, server.url + path)
    for url in (f"https://sts.googleapis.com{STS[5:]}", "https://cloudresourcemanager.googleapis.com/v1/projects/1"):
        with pytest.raises(NotAllowedError):
            session.post(url)
    assert server.asked == []


# The metadata server


@pytest.fixture
def machine(server, monkeypatch):
    monkeypatch.setenv("GCE_METADATA_HOST", server.host)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", server.host)
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # no proxy leads to a machine's own metadata
    return server


def test_a_machines_service_account(ready, machine, read):
    machine.is_a_machine(ready.token(VENDOR), VENDOR)
    snapshot = read()
    assert (snapshot.caller_identity.email, snapshot.project.id) == (VENDOR, "acme-analytics")
    assert all(path == "/" or path.startswith("/computeMetadata/v1/") for _, path, _, _ in machine.asked)
    assert all(headers["Metadata-Flavor"] == "Google" for _, _, headers, _ in machine.asked)


def test_a_machine_without_a_service_account(machine, refused):
    machine.is_a_machine("t", account=None)
    refused("knows no service account", "set-service-account")


def test_a_metadata_server_that_fails(machine, refused):
    machine.is_a_machine("t", account=None)
    machine.on("GET /computeMetadata/v1/instance/service-accounts/default/", "sesame", 500)
    refused("metadata server gave no token: it answered HTTP 500")


def test_a_metadata_server_that_is_not_there(server, refused, monkeypatch):
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", "127.0.0.1:9")
    refused("GCE_METADATA_HOST names 127.0.0.1:9", "the connection was refused")


def test_somebody_else_answers_in_its_place(machine, refused):
    machine.on("GET /", "sesame")
    refused("No Google Cloud credentials were found.")


def test_what_a_machine_tells_is_open_and_nothing_else(machine):
    machine.is_a_machine("t")
    session = find_credentials(LiveSettings())._session
    for path in ("/computeMetadata/v1/instance/attributes/ssh-keys", "/computeMetadata/v1/project/attributes/",
                 "/computeMetadata/v1/instance/service-accounts/../attributes/x", "/computeMetadata/v1/"):  # fmt: skip
        with pytest.raises(NotAllowedError):
            session.get(machine.url + path)
    with pytest.raises(NotAllowedError):
        session.put(f"{machine.url}/computeMetadata/v1/instance/service-accounts/default/token")

"""`--impersonate-service-account`: who calls then, what it may ask on the way, and each way in which it fails."""

import base64
import json

import pytest
import requests

from preflight.errors import CredentialsError, UsageError
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.credential_methods import CREDENTIAL_CALLS, GENERATE_ACCESS_TOKEN
from preflight.facts.methods import ALLOWED
from preflight.facts.project import Project
from preflight.facts.snapshot import Target
from preflight.sources.live import LiveSettings, LiveSource
from preflight.sources.live.credentials import find_credentials
from preflight.sources.live.guard import NotAllowedError
from preflight.sources.live.settings import impersonation_chain
from tests.sources.live.conftest import ADMIN, VENDOR, environment
from tests.sources.live.token_servers import (
    DELEGATE,
    SECRETS,
    TARGET,
    TokenServer,
    generate,
    rpc_error,
    service_account,
)

CREATOR = "roles/iam.serviceAccountTokenCreator"


@pytest.fixture
def front(ready):
    """Stands before the stand-in, and gives tokens besides."""
    server = TokenServer(behind=ready.rest_endpoint)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def act_as(ready, heap, front):
    """Collects as the accounts named, with the administrator's token."""

    def collect(chain, wanted=(CallerIdentity, Project), caller=ADMIN, **options):
        environ = {**ready.environ(caller), "PREFLIGHT_REST_ENDPOINT": front.url, **options}
        settings = LiveSettings.from_environ(environ, impersonate=impersonation_chain(chain), timeout=20.0)
        source = LiveSource(settings, heap, Target("acme-analytics", heap.principal))
        return source, source.collect(frozenset(wanted))

    return collect


def test_the_impersonated_account_is_the_caller(ready, front, act_as):
    front.impersonates(VENDOR, ready.token(VENDOR))
    source, snapshot = act_as(VENDOR, (CallerIdentity, CallerPermissions))
    assert snapshot.caller_identity.email == VENDOR
    assert snapshot.caller_identity.provenance.source == "credentials"
    assert snapshot.caller_permissions.holds("bigquery.jobs.create")
    assert {exchange.caller for exchange in ready.exchanges} == {VENDOR}
    (asked,) = front.asked
    assert asked[2]["Authorization"] == f"Bearer {ready.token(ADMIN)}"
    body = json.loads(asked[3])
    assert (body["delegates"], body["scope"]) == ([], ["https://www.googleapis.com/auth/cloud-platform"])
    assert source.started[0].method == GENERATE_ACCESS_TOKEN.id


def test_a_chain_goes_through_the_accounts_before_the_last(ready, front, act_as):
    front.impersonates(VENDOR, ready.token(VENDOR))
    _, snapshot = act_as(f"{DELEGATE}, serviceAccount:{VENDOR}")
    assert snapshot.caller_identity.email == VENDOR
    assert json.loads(front.asked[0][3])["delegates"] == [f"projects/-/serviceAccounts/{DELEGATE}"]


def test_the_signed_in_users_quota_project_is_not_the_accounts(ready, front, act_as):
    front.impersonates(VENDOR, ready.token(VENDOR))
    settings = LiveSettings.from_environ(
        {**ready.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url}, impersonate=(VENDOR,)
    )
    assert find_credentials(settings).quota_project_id is None


def test_with_a_key_as_the_source(ready, heap, front, tmp_path, monkeypatch):
    front.gives("POST /token", SECRETS["source"])
    front.impersonates(VENDOR, ready.token(VENDOR))
    key = tmp_path / "key.json"
    key.write_text(json.dumps(service_account(front.url)))
    environ = {**ready.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url, "GOOGLE_OAUTH_ACCESS_TOKEN": ""}
    with environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(key)):
        settings = LiveSettings.from_environ(environ, impersonate=(VENDOR,))
        snapshot = LiveSource(settings, heap, Target("acme-analytics", heap.principal)).collect(frozenset({Project}))
    assert snapshot.project.id == "acme-analytics"
    assert front.requests == ["POST /token", generate(VENDOR)]
    assert front.asked[1][2]["Authorization"] == f"Bearer {SECRETS['source']}"


def test_a_sign_in_that_impersonates(ready, heap, front, tmp_path, monkeypatch):
    """The file of `gcloud auth application-default login --impersonate-service-account`."""
    front.gives("POST /token", SECRETS["source"])
    front.impersonates(VENDOR, ready.token(VENDOR))
    path = tmp_path / "adc.json"
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{VENDOR}:generateAccessToken"
    path.write_text(
        json.dumps(
            {
                "type": "impersonated_service_account",
                "service_account_impersonation_url": url,
                "delegates": [DELEGATE],
                "source_credentials": service_account(front.url),
            }
        )
    )
    environ = {**ready.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url, "GOOGLE_OAUTH_ACCESS_TOKEN": ""}
    with environment(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS=str(path)):
        source = LiveSource(LiveSettings.from_environ(environ), heap, Target("acme-analytics", heap.principal))
        snapshot = source.collect(frozenset({CallerIdentity, Project}))
    assert snapshot.caller_identity.email == VENDOR
    assert snapshot.project.id == "acme-analytics"


DENIED = rpc_error(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", permission="iam.serviceAccounts.getAccessToken")
DISABLED = rpc_error(403, "PERMISSION_DENIED", "SERVICE_DISABLED", consumer="projects/4711", service="x")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(
            403,
            DENIED,
            (
                f"lacks {CREATOR}",
                f"gcloud iam service-accounts add-iam-policy-binding {TARGET}",
                "--member=user:YOUR-EMAIL",
                "--project=acme-tools",
            ),
            id="no Token Creator",
        ),
        pytest.param(404, rpc_error(404, "NOT_FOUND"), (f"There is no service account {TARGET}.",), id="not there"),
        pytest.param(
            403,
            DISABLED,
            ("not enabled", "(4711)", "gcloud services enable iamcredentials.googleapis.com --project=4711"),
            id="API disabled",
        ),
        pytest.param(
            403,
            rpc_error(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", consumer="projects/payer"),
            ("quota project payer may not be used", "--quota-project", "roles/serviceusage.serviceUsageConsumer"),
            id="quota project",
        ),
        pytest.param(
            401,
            rpc_error(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"),
            (f"were to impersonate {TARGET}", "expired", "gcloud auth print-access-token"),
            id="the source is dead",
        ),
        pytest.param(400, rpc_error(400, "INVALID_ARGUMENT"), (TARGET, "not valid"), id="no service account"),
        pytest.param(503, "<html>server-sesame</html>", ("127.0.0.1 answered HTTP 503",), id="down"),
        pytest.param(429, rpc_error(429, "RESOURCE_EXHAUSTED"), ("HTTP 429",), id="too often"),
        pytest.param(302, "server-sesame", ("leads elsewhere",), id="a portal"),
        pytest.param(403, ["server-sesame"], (f"lacks {CREATOR}",), id="another shape"),
        pytest.param(200, {"accessToken": "only-sesame"}, ("did not accept",), id="no expiry"),
    ],
)
def test_each_way_in_which_it_fails(ready, front, act_as, status, body, words):
    front.on(generate(TARGET), body, status)
    with pytest.raises(CredentialsError) as refused:
        act_as(TARGET)
    told = f"{refused.value.message} {refused.value.hint}"
    for word in words:
        assert word in told
    assert "sesame" not in told
    assert refused.value.message.endswith(".")
    assert ready.exchanges == [], "nothing else was asked"


def test_a_chain_that_is_refused_names_its_links(front, act_as):
    front.on(generate(TARGET), DENIED, 403)
    with pytest.raises(CredentialsError) as refused:
        act_as(f"{DELEGATE},{TARGET}")
    assert f"by way of {DELEGATE}: each must hold {CREATOR} on the next" in refused.value.message
    assert f"add-iam-policy-binding {DELEGATE}" in refused.value.hint


def test_a_failure_that_passes_is_no_failure(ready, front, act_as):
    front.on(generate(VENDOR), {}, 503)
    front.impersonates(VENDOR, ready.token(VENDOR))
    _, snapshot = act_as(VENDOR)
    assert snapshot.project.id == "acme-analytics"


@pytest.mark.parametrize(
    "text",
    ["", "auditor", "ana@acme.example", "a b@p.iam.gserviceaccount.com", f"{TARGET},", f"{TARGET}/../x",
     "user:ana@acme.example", f"{TARGET}:signBlob", "x@evil.example?.gserviceaccount.com", f"{TARGET}\n"],
)  # fmt: skip
def test_what_is_no_service_account_is_refused_before_any_call(text):
    if text.endswith("\n"):  # from a file: the line's end means nothing
        assert impersonation_chain(text) == (TARGET,)
        return
    with pytest.raises(UsageError, match="--impersonate-service-account"):
        impersonation_chain(text)


def session_of(ready, front, chain=(VENDOR,)):
    environ = {**ready.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url}
    return find_credentials(LiveSettings.from_environ(environ, impersonate=chain))._session


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", f"/v1/projects/-/serviceAccounts/{VENDOR}:generateAccessToken"),
        ("POST", f"/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"),
        ("POST", f"/v1/projects/-/serviceAccounts/{VENDOR}:signBlob"),
        ("POST", f"/v1/projects/-/serviceAccounts/{VENDOR}:signJwt"),
        ("POST", f"/v1/projects/-/serviceAccounts/{VENDOR}:generateIdToken"),
        ("GET", f"/v1/projects/-/serviceAccounts/{VENDOR}/allowedLocations"),
        ("POST", f"/v1/projects/-/serviceAccounts/{VENDOR}/keys"),
        ("GET", "/v1/projects/123456"),
        ("POST", "/v3/projects/acme-analytics:setIamPolicy"),
        ("POST", "/token"),
        ("GET", "/"),
    ],
)
def test_the_session_for_tokens_sends_nothing_else(ready, front, verb, path):
    with pytest.raises(NotAllowedError):
        session_of(ready, front).request(verb, front.url + path)
    assert front.asked == []


def test_nor_to_another_host_nor_after_a_redirect(ready, front):
    session = session_of(ready, front)
    path = f"/v1/projects/-/serviceAccounts/{VENDOR}:generateAccessToken"
    for base in ("https://iamcredentials.googleapis.com", front.url.replace("127.0.0.1", "localhost"), "http://x:1"):
        with pytest.raises(NotAllowedError):
            session.post(base + path)
    front.on(f"POST {path}", "", 307, {"Location": f"{front.url}/v1/elsewhere"})
    assert session.post(front.url + path).status_code == 307
    assert front.requests == [f"POST {path}"]


def test_it_takes_no_credentials_from_a_netrc(ready, front, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password netrc-sesame\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    front.impersonates(VENDOR, "t")
    url = f"{front.url}/v1/projects/-/serviceAccounts/{VENDOR}:generateAccessToken"
    assert requests.post(url, timeout=5).status_code == 200
    session_of(ready, front).post(url, headers={"Authorization": "Bearer mine"})
    sent = [headers.get("Authorization") for _, _, headers, _ in front.asked]
    assert base64.b64encode(b"me:netrc-sesame").decode() in sent[0], "the file is one that requests reads"
    assert sent[1] == "Bearer mine"


def test_the_list_of_credential_calls_and_that_of_reads_are_apart():
    assert not set(CREDENTIAL_CALLS) & set(ALLOWED)
    assert GENERATE_ACCESS_TOKEN in CREDENTIAL_CALLS
    assert len({method.id for method in (*ALLOWED, *CREDENTIAL_CALLS)}) == len(ALLOWED) + len(CREDENTIAL_CALLS)


def test_a_long_run_asks_no_more_than_tokens(ready, front, act_as):
    """Google's library would look up from where a service account may be used, in a thread of its own."""
    front.impersonates(VENDOR, ready.token(VENDOR))
    act_as(VENDOR, (Project, CallerPermissions))
    assert [one for one in front.requests if "acme-analytics" not in one] == [generate(VENDOR)]

"""`preflight doctor`: what it says of credentials, the project that pays, the network and the disk."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from msgspec.structs import replace

from preflight.emulator import Caller, Emulator, Fault, World
from preflight.emulator.world import Binding
from preflight.engine import load_rules, needed_facts
from preflight.facts.methods import ALLOWED, methods_for
from preflight.rulebook import select
from preflight.sources.live.examination import needed_apis
from tests.end_to_end.conftest import (  # noqa: F401  fixtures among them
    ADMIN,
    VENDOR,
    clean_place,
    command_line,
    preflight,
    whole_environ,
)
from tests.sources.live.test_proxy import BUNDLES, PROXIES
from tests.sources.live.token_servers import TARGET, Proxy, TokenServer, generate, rpc_error, service_account, user

SELF = "bot@acme-analytics.iam.gserviceaccount.com"


class Told(NamedTuple):
    code: int
    checks: dict[str, dict[str, str]]
    out: str
    err: str

    def states(self):
        return {about: check["state"] for about, check in self.checks.items()}

    def problems(self):
        return {about for about, state in self.states().items() if state == "problem"}


APIS = needed_apis(methods_for(needed_facts(select(load_rules(), ()))))


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cloud():
    world = World.demo("ready")
    (project,) = world.projects
    own = Binding(role="roles/serviceusage.serviceUsageViewer", members=(f"serviceAccount:{SELF}",))
    world = replace(world, projects=(replace(project, bindings=(*project.bindings, own)),))
    world = world.with_callers(Caller(email="shy@acme.example", email_scope=False), Caller(email="nobody@acme.example"))
    with Emulator(world) as emulator:
        yield emulator


@pytest.fixture
def doctor(preflight, cloud):  # noqa: F811
    """`doctor("--project", …, caller=…, VARIABLE=…)`, read from its JSON."""

    def ask(*arguments, caller=ADMIN, **environ):
        given = {**cloud.environ(caller), **environ}
        result = preflight("doctor", *arguments, "--format", "json", environ=given)
        report = json.loads(result.out)
        assert report["exit_code"] == result.code
        told = Told(result.code, {check["about"]: check for check in report["checks"]}, result.out, result.err)
        assert result.code == (2 if told.problems() else 0)
        assert result.err == ""
        assert len(told.checks) == len(report["checks"]), "nothing is told twice"
        for check in told.checks.values():
            assert set(check) == {"about", "state", "detail", "remedy"}
            assert check["remedy"] or check["state"] == "ok"
        assert cloud.token(caller) not in result.out
        return told

    return ask


def test_all_is_well(doctor, cloud):
    told = doctor("--project", "other-project", "--quota-project", "acme-analytics")
    assert told.code == 0
    assert set(told.states().values()) == {"ok"}
    assert told.checks["account"]["detail"] == ADMIN
    assert told.checks["quota project"]["detail"] == "acme-analytics (named by --quota-project)"
    assert set(APIS) <= set(told.checks)
    # Of the project to be checked nothing is asked; of the one that pays, what the list allows.
    assert {e.resource for e in cloud.exchanges if e.resource} == {
        "projects/acme-analytics",
        *(f"projects/acme-analytics/services/{api}" for api in APIS),
    }
    assert {exchange.method for exchange in cloud.exchanges} <= {method.id for method in ALLOWED}


def test_an_api_that_few_runs_need_is_no_problem(preflight):  # noqa: F811
    world = World.demo("ready")
    (project,) = world.projects
    without = tuple(api for api in project.services if api != "cloudidentity.googleapis.com")
    with Emulator(replace(world, projects=(replace(project, services=without),))) as emulator:
        environ = emulator.environ(ADMIN)
        result = preflight("doctor", "--quota-project", "acme-analytics", environ=environ)
    assert result.code == 0
    said = " ".join(result.out.split())
    assert " NOTE cloudidentity.googleapis.com: is not enabled in acme-analytics; run asks it only" in said
    assert "gcloud services enable cloudidentity.googleapis.com --project=acme-analytics" in result.out


def test_a_user_without_a_quota_project(doctor, cloud):
    told = doctor("--project", "other-project")
    assert told.problems() == {"quota project"}
    assert told.checks["quota project"]["remedy"] == "Name one: --quota-project other-project"
    assert {exchange.method for exchange in cloud.exchanges} == {"oauth2.tokeninfo"}


def test_a_quota_project_that_may_not_be_used(doctor):
    told = doctor(caller="nobody@acme.example", GOOGLE_CLOUD_QUOTA_PROJECT="acme-analytics")
    assert told.checks["quota project"]["detail"].endswith("(named by GOOGLE_CLOUD_QUOTA_PROJECT)")
    check = told.checks["use of acme-analytics"]
    assert check["state"] == "problem"
    assert "--member=user:nobody@acme.example --role=roles/serviceusage.serviceUsageConsumer" in check["remedy"]
    assert told.checks["APIs in acme-analytics"]["state"] == "unknown"


def test_an_api_that_is_off_in_the_quota_project(doctor, cloud):
    (project,) = cloud.world.projects
    world = replace(cloud.world, projects=(replace(project, services=tuple(
        api for api in APIS if api != "cloudbilling.googleapis.com")),))  # fmt: skip
    with Emulator(world) as other:
        told = doctor("--quota-project", "acme-analytics", **other.environ(ADMIN))
    assert told.problems() == {"cloudbilling.googleapis.com"}
    remedy = told.checks["cloudbilling.googleapis.com"]["remedy"]
    assert remedy == "Enable it: gcloud services enable cloudbilling.googleapis.com --project=acme-analytics"


@pytest.mark.parametrize("api", ["cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"])
def test_an_api_that_would_have_to_tell_is_off_itself(doctor, cloud, api):
    (project,) = cloud.world.projects
    services = tuple(one for one in APIS if one != api)
    with Emulator(replace(cloud.world, projects=(replace(project, services=services),))) as other:
        told = doctor("--quota-project", "acme-analytics", **other.environ(ADMIN))
    assert told.problems() == {api}


def test_an_account_that_its_token_does_not_tell(doctor):
    told = doctor(caller="shy@acme.example")
    assert told.code == 0, "it is no hindrance"
    assert (told.states()["account"], told.states()["quota project"]) == ("unknown", "unknown")


def test_a_token_that_google_does_not_accept(doctor):
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="ya29.sesame")
    assert told.problems() == {"account"}
    assert "sesame" not in told.out


def test_no_credentials(doctor, tmp_path):
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="", CLOUDSDK_CONFIG=str(tmp_path), NO_GCE_CHECK="true")
    assert told.problems() == {"credentials"}
    assert told.checks["credentials"]["detail"] == "No Google Cloud credentials were found."
    assert told.checks["quota project"]["detail"] == "not asked: there is no token"
    assert told.states()["output folder"] == "ok", "all else is told"


# Files


@pytest.fixture
def server(cloud, monkeypatch):
    one = TokenServer(behind=cloud.rest_endpoint)
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{one.url}/token")
    yield one
    one.shutdown()
    one.server_close()


def test_a_sign_in(doctor, cloud, server, tmp_path):
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(user(quota_project_id="acme-analytics")))
    server.gives("POST /token", cloud.token(ADMIN))
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="", GOOGLE_APPLICATION_CREDENTIALS=str(path))
    assert told.code == 0
    assert told.checks["credentials"]["detail"].startswith(f"a user's sign-in, from {path}")
    assert told.checks["token"]["detail"].startswith("obtained in ")
    assert told.checks["quota project"]["detail"] == f"acme-analytics (named in {path})"
    assert len([one for one in server.requests if one == "POST /token"]) == 1, "one token is enough"


def test_a_sign_in_without_a_quota_project(doctor, cloud, server, tmp_path):
    (tmp_path / "adc.json").write_text(json.dumps(user()))
    server.gives("POST /token", cloud.token(ADMIN))
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="", GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "adc.json"))
    assert "gcloud auth application-default set-quota-project PROJECT" in told.checks["quota project"]["remedy"]


def test_a_key_pays_for_itself(doctor, cloud, server, tmp_path):
    (tmp_path / "key.json").write_text(json.dumps(service_account(server.url, SELF)))
    server.gives("POST /token", cloud.token(SELF))
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="", GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json"))
    assert told.code == 0
    assert told.checks["account"]["detail"] == SELF
    assert "its own, acme-analytics" in told.checks["quota project"]["detail"]
    assert told.states()["cloudbilling.googleapis.com"] == "ok"
    assert "use of acme-analytics" not in told.checks


def test_a_key_that_was_revoked(doctor, server, tmp_path):
    (tmp_path / "key.json").write_text(json.dumps(service_account(server.url)))
    server.on("POST /token", {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
    told = doctor(GOOGLE_OAUTH_ACCESS_TOKEN="", GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json"))
    assert told.problems() == {"token"}
    assert "deleted or replaced" in told.checks["token"]["detail"]


def test_impersonation(doctor, cloud, server):
    server.impersonates(VENDOR, cloud.token(VENDOR))
    told = doctor("--impersonate-service-account", VENDOR, PREFLIGHT_REST_ENDPOINT=server.url)
    assert told.checks["impersonation"]["detail"] == f"as {VENDOR}"
    assert told.checks["account"]["detail"] == VENDOR
    assert told.states()["token"] == "ok"


def test_impersonation_that_fails(doctor, server):
    server.on(generate(TARGET), rpc_error(403, "PERMISSION_DENIED"), 403)
    told = doctor("--impersonate-service-account", TARGET, PREFLIGHT_REST_ENDPOINT=server.url)
    assert told.problems() == {"token"}
    assert "add-iam-policy-binding" in told.checks["token"]["remedy"]


# The network


def test_a_way_out_through_a_proxy(doctor, cloud, tmp_path):
    proxy = Proxy(cloud)
    url = proxy.url
    proxy.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    told = doctor(
        "--quota-project", "acme-analytics",
        HTTPS_PROXY=url.replace("//", "//me:proxy-sesame@"), NO_PROXY="example.com",
        REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"),
        PREFLIGHT_REST_ENDPOINT="", PREFLIGHT_GRPC_ENDPOINT="", PREFLIGHT_CA_FILE="",
    )  # fmt: skip
    proxy.close()
    assert told.code == 0
    assert told.checks["HTTPS_PROXY"]["detail"] == url.replace("//", "//me:***@")
    assert told.checks["NO_PROXY"]["detail"] == "example.com"
    assert "sesame" not in told.out
    assert told.checks["bigquery.googleapis.com"]["detail"].startswith("is enabled")
    reached = {about for about, check in told.checks.items() if check["detail"] == "can be reached"}
    assert reached == {f"way to {api}" for api in {*APIS, "oauth2.googleapis.com"}}


@pytest.mark.parametrize(("refuses", "word"), [(True, "proxy"), (False, "certificate")])
def test_a_proxy_that_refuses_and_one_that_is_not_trusted(doctor, cloud, refuses, word):
    proxy = Proxy(cloud, refuses)
    told = doctor(
        "--timeout", "3",
        HTTPS_PROXY=proxy.url, PREFLIGHT_REST_ENDPOINT="", PREFLIGHT_GRPC_ENDPOINT="", PREFLIGHT_CA_FILE="",
    )  # fmt: skip
    proxy.close()
    assert told.problems() == {f"way to {api}" for api in {*APIS, "oauth2.googleapis.com"}}
    assert word in told.checks["way to bigquery.googleapis.com"]["detail"]


def test_variables_that_cannot_be_right(doctor, tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "good.pem"))
    told = doctor(
        HTTPS_PROXY="socks5://me:sesame@127.0.0.1:1080",
        SSL_CERT_FILE=str(tmp_path / "empty.pem"),
        REQUESTS_CA_BUNDLE=str(tmp_path / "good.pem"),
        BIGQUERY_EMULATOR_HOST="127.0.0.1:1",
    )
    assert {"HTTPS_PROXY", "SSL_CERT_FILE"} <= told.problems()
    assert told.states()["REQUESTS_CA_BUNDLE"] == "ok"
    assert told.checks["BIGQUERY_EMULATOR_HOST"]["detail"].startswith("is not heeded")
    assert "sesame" not in told.out


def test_a_certificate_file_that_is_not_there(doctor, tmp_path):
    told = doctor(REQUESTS_CA_BUNDLE=str(tmp_path / "none.pem"))
    assert {"credentials", "REQUESTS_CA_BUNDLE"} <= told.problems()


def test_a_stand_in_that_is_not_there(doctor):
    told = doctor("--timeout", "2", PREFLIGHT_REST_ENDPOINT="http://127.0.0.1:9")
    assert told.problems() == {"way to 127.0.0.1:9"}


# The disk


@pytest.mark.parametrize("folder", ["taken", "taken/reports"])
def test_a_file_in_the_place_of_the_folder(doctor, folder):
    Path("taken").write_text("mine")
    told = doctor("--quota-project", "acme-analytics", "--output-dir", folder)
    assert told.problems() == {"output folder"}
    assert Path("taken").read_text() == "mine"


def test_nothing_is_written(doctor):
    doctor("--quota-project", "acme-analytics")
    assert list(Path.cwd().iterdir()) == []


# As text


def test_text(preflight, cloud):  # noqa: F811
    result = preflight("doctor", "--project", "acme-analytics", environ=cloud.environ(ADMIN))
    assert (result.code, result.err) == (2, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("OK      preflight: version ")
    at = lines.index("PROBLEM quota project: none, and a user's calls are charged to one")
    assert lines[at + 1] == "        Name one: --quota-project acme-analytics"
    assert lines[-1] == "1 problem."
    well = preflight("doctor", "--quota-project", "acme-analytics", environ=cloud.environ(ADMIN))
    assert well.code == 0
    assert well.out.splitlines()[-1] == "Nothing stands in the way of: preflight run --project ID"


@pytest.mark.parametrize("columns", ["40", "80"])
def test_it_is_wrapped(cloud, columns):
    environ = whole_environ({**cloud.environ(ADMIN), "COLUMNS": columns})
    done = subprocess.run(command_line("doctor"), env=environ, capture_output=True, text=True, timeout=60, check=False)
    for line in done.stdout.splitlines():
        assert len(line) <= int(columns) or " " not in line.strip() or "--" in line


def test_a_remedy_for_several_is_said_once(preflight, cloud):  # noqa: F811
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": "t", "HTTPS_PROXY": "http://127.0.0.1:9"}
    result = preflight("doctor", "--timeout", "2", environ=environ)
    assert result.out.count("Check the proxy that HTTPS_PROXY names") == 1
    assert f"{len(APIS) + 1} problems." in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--project", "Acme"), ("'Acme'", "is not a project ID")),
        (("--quota-project", "x"), ("'x'", "is not a project ID")),
        (("--impersonate-service-account", "me"), ("--impersonate-service-account",)),
        (("--format", "yaml"), ("yaml",)),
        (("--timeout", "0"), ("--timeout",)),
    ],
)
def test_what_cant_be_right_is_refused(preflight, cloud, arguments, words):  # noqa: F811
    preflight("doctor", *arguments, environ=cloud.environ(ADMIN)).refuses(*words)
    assert cloud.exchanges == []


def test_a_fault_is_unknown_and_no_traceback(doctor, cloud):
    cloud.inject(Fault(method="*", kind="error_500"))
    told = doctor("--quota-project", "acme-analytics", "--timeout", "2")
    assert told.states()["use of acme-analytics"] == "unknown"
    assert told.states()["bigquery.googleapis.com"] == "unknown"

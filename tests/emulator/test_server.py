"""The stand-in as its users handle it: start, stop, tokens, the record, writes that are refused."""

import threading
import time

import google.api_core.exceptions
import grpc
import pytest
from google.iam.v1 import iam_policy_pb2

from preflight.emulator import Emulator, World
from tests.emulator.conftest import ADMIN
from tests.emulator.raw import ask

PROJECT = "projects/acme-analytics"


def test_it_starts_and_stops_fast_and_often(world):
    started = time.perf_counter()
    for _ in range(10):
        with Emulator(world) as cloud:
            assert ask(cloud, "GET", f"/v3/{PROJECT}", caller=ADMIN)[0] == 200
    assert (time.perf_counter() - started) / 10 < 0.3


def test_it_stops_while_a_caller_waits(world):
    cloud = Emulator(world, latency=60).start()
    failures = []

    def wait():
        try:
            ask(cloud, "GET", f"/v3/{PROJECT}", caller=ADMIN, timeout=30)
        except OSError as error:
            failures.append(error)

    caller = threading.Thread(target=wait)
    caller.start()
    time.sleep(0.1)
    started = time.perf_counter()
    cloud.stop()
    cloud.stop()  # harmless
    caller.join(timeout=5)
    assert not caller.is_alive()
    assert time.perf_counter() - started < 3


def test_it_starts_once(cloud):
    with pytest.raises(RuntimeError, match="started before"):
        cloud.start()


def test_latency_is_added_to_each_call(world, clients):
    with Emulator(world, latency=0.1) as slow:
        started = time.perf_counter()
        ask(slow, "GET", f"/v3/{PROJECT}", caller=ADMIN)
        assert 0.1 <= time.perf_counter() - started < 0.5


def test_the_environment_points_at_it(cloud):
    environ = cloud.environ(caller=ADMIN)
    assert environ["PREFLIGHT_REST_ENDPOINT"].startswith("http://127.0.0.1:")
    assert environ["PREFLIGHT_GRPC_ENDPOINT"].startswith("127.0.0.1:")
    assert cloud.ca_file.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    assert environ["PREFLIGHT_CA_FILE"] == str(cloud.ca_file)
    assert environ["GOOGLE_OAUTH_ACCESS_TOKEN"] == cloud.token(ADMIN)
    with pytest.raises(ValueError, match=r"no caller 'who@acme\.example'"):
        cloud.token("who@acme.example")


@pytest.mark.parametrize(
    ("token", "status", "email"),
    [
        ("token-for-admin@acme.example", 200, ADMIN),
        ("token-for-shy@acme.example", 200, None),
        ("token-for-gone@acme.example", 400, None),
        ("invented", 400, None),
    ],
)
def test_tokeninfo(cloud, token, status, email):
    got, _, answer = ask(cloud, "GET", f"/tokeninfo?access_token={token}")
    assert (got, answer.get("email")) == (status, email)
    if status == 400:
        assert answer["error"] == "invalid_token"


def test_no_token_is_in_the_record(cloud):
    ask(cloud, "GET", f"/tokeninfo?access_token={cloud.token(ADMIN)}")
    ask(cloud, "GET", f"/v3/{PROJECT}", caller=ADMIN)
    assert cloud.token(ADMIN) not in repr(cloud.exchanges)


@pytest.mark.parametrize(
    ("method", "verb", "path"),
    [
        ("cloudresourcemanager.projects.setIamPolicy", "POST", f"/v3/{PROJECT}:setIamPolicy"),
        ("cloudresourcemanager.projects.delete", "DELETE", f"/v3/{PROJECT}"),
        ("serviceusage.services.enable", "POST", f"/v1/{PROJECT}/services/bigquery.googleapis.com:enable"),
        ("cloudbilling.projects.updateBillingInfo", "PUT", f"/v1/{PROJECT}/billingInfo"),
        ("iam.projects.roles.create", "POST", f"/v1/{PROJECT}/roles"),
        ("bigquery.datasets.insert", "POST", "/bigquery/v2/projects/acme-analytics/datasets"),
        ("bigquery.jobs.insert", "POST", "/bigquery/v2/projects/acme-analytics/jobs"),
        ("PUT /anything/else", "PUT", "/anything/else"),
    ],
)
def test_writes_are_refused_and_recorded(cloud, method, verb, path):
    status, _, _ = ask(cloud, verb, path, caller=ADMIN, body={"policy": {}})
    (exchange,) = cloud.exchanges
    assert (status, exchange.method, exchange.status, exchange.caller) == (403, method, 403, ADMIN)
    assert exchange.request == {"policy": {}}


def test_writes_over_grpc_are_refused_and_recorded(clients, cloud):
    client = clients()
    with pytest.raises(google.api_core.exceptions.PermissionDenied):
        client.gapic("projects").set_iam_policy(iam_policy_pb2.SetIamPolicyRequest(resource=PROJECT))
    with pytest.raises(google.api_core.exceptions.PermissionDenied):
        client.gapic("services").enable_service(request={"name": f"{PROJECT}/services/iam.googleapis.com"})
    with pytest.raises(grpc.RpcError) as refused:
        client.channel().unary_unary("/google.invented.v1.Things/MakeThing")(b"")
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert [exchange.method for exchange in cloud.exchanges] == [
        "cloudresourcemanager.projects.setIamPolicy",
        "serviceusage.services.enable",
        "/google.invented.v1.Things/MakeThing",
    ]
    assert {exchange.status for exchange in cloud.exchanges} == {403}


def test_an_unknown_path_is_recorded_too(cloud):
    assert ask(cloud, "GET", "/v2/folders/1", caller=ADMIN)[0] == 404
    assert cloud.exchanges[0].method == "GET /v2/folders/1"


def test_a_hundred_callers_at_once(cloud):
    statuses: list[int] = []

    def call():
        statuses.extend(ask(cloud, "GET", f"/v3/{PROJECT}", caller=ADMIN, timeout=30)[0] for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 500
    assert len(cloud.exchanges) == 500


@pytest.mark.parametrize("name", World.demos())
def test_the_demo_worlds_are_served(name):
    with Emulator(World.demo(name)) as cloud:
        status, _, project = ask(cloud, "GET", f"/v3/{PROJECT}", caller=ADMIN)
        assert (status, project["projectId"]) == (200, "acme-analytics")

"""Each fault, on each transport where it makes sense: what a client meets."""

import http.client
import json
import socket
import time
from typing import Any, get_args

import google.api_core.exceptions as refusals
import pytest

from preflight.emulator import Fault
from preflight.emulator.faults import REFUSALS, WIRE, Kind
from preflight.emulator.methods import METHODS
from tests.emulator.conftest import ADMIN
from tests.emulator.discovery_schema import check_exchange
from tests.emulator.raw import ask

GET = "cloudresourcemanager.projects.get"
PATH = "/v3/projects/acme-analytics"
DATASETS = "/bigquery/v2/projects/acme-analytics/datasets"

REFUSED = [
    ("denied", 403, "PERMISSION_DENIED", "", refusals.PermissionDenied),
    ("api_disabled", 403, "PERMISSION_DENIED", "SERVICE_DISABLED", refusals.PermissionDenied),
    ("user_project_denied", 403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", refusals.PermissionDenied),
    ("vpc_service_controls", 403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED", refusals.PermissionDenied),
    ("not_found", 404, "NOT_FOUND", "", refusals.NotFound),
    ("quota", 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", refusals.ResourceExhausted),
    ("error_500", 500, "INTERNAL", "", refusals.InternalServerError),
    ("unavailable_503", 503, "UNAVAILABLE", "", refusals.ServiceUnavailable),
    ("unauthenticated_401", 401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", refusals.Unauthenticated),
]


def over_grpc(clients: Any, timeout: float = 5.0) -> Any:
    return clients().gapic("projects").get_project(name="projects/acme-analytics", retry=None, timeout=timeout)


def reason(answer: Any) -> Any:
    details = answer["error"].get("details", [])
    return next((detail["reason"] for detail in details if "reason" in detail), "")


def test_every_kind_is_of_one_sort():
    assert set(get_args(Kind)) == REFUSALS | WIRE | {"slow", "endless_pages", "huge"}
    assert {kind for kind, *_ in REFUSED} == REFUSALS


@pytest.mark.parametrize(("kind", "status", "word", "why", "raised"), REFUSED)
def test_a_refusal(cloud, clients, kind, status, word, why, raised):
    cloud.inject(Fault(method=GET, kind=kind))
    got, _, answer = ask(cloud, "GET", PATH, caller=ADMIN)
    assert (got, answer["error"]["status"], reason(answer)) == (status, word, why)
    with pytest.raises(raised) as refused:
        over_grpc(clients)
    assert (refused.value.reason or "") == why
    for exchange in cloud.exchanges:
        check_exchange(exchange)
        assert exchange.fault == (kind,)
    assert ask(cloud, "POST", f"{PATH}:getIamPolicy", caller=ADMIN, body={})[0] == 200  # another method
    cloud.clear_faults()
    assert over_grpc(clients).project_id == "acme-analytics"


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        ("denied", 403, "accessDenied"),
        ("api_disabled", 403, "accessNotConfigured"),
        ("not_found", 404, "notFound"),
        ("quota", 429, "rateLimitExceeded"),
        ("error_500", 500, "internalError"),
        ("unavailable_503", 503, "backendError"),
        ("unauthenticated_401", 401, "authError"),
    ],
)
def test_bigquery_has_its_own_words(cloud, kind, status, word):
    cloud.inject(Fault(method="*", kind=kind))
    got, _, answer = ask(cloud, "GET", DATASETS, caller=ADMIN)
    assert (got, answer["error"]["errors"][0]["reason"]) == (status, word)
    check_exchange(cloud.exchanges[0])


def test_every_fault_can_be_put_on_every_method(cloud):
    for method in (*METHODS, "oauth2.tokeninfo", "*"):
        for kind in get_args(Kind):
            cloud.inject(Fault(method=method, kind=kind))


def test_the_consumer_can_be_chosen(cloud, clients):
    cloud.inject(Fault(kind="api_disabled", consumer="projects/999"))
    with pytest.raises(refusals.PermissionDenied) as refused:
        over_grpc(clients)
    assert refused.value.metadata["consumer"] == "projects/999"
    assert refused.value.metadata["service"] == "cloudresourcemanager.googleapis.com"


def test_else_it_is_the_quota_project_or_the_project_asked_about(cloud, clients):
    cloud.inject(Fault(kind="api_disabled"))
    for quota, consumer in (("", "projects/3000"), ("acme-tools", "projects/3003")):
        with pytest.raises(refusals.PermissionDenied) as refused:
            clients(quota_project=quota).gapic("projects").get_project(name="projects/acme-analytics")
        assert refused.value.metadata["consumer"] == consumer


def test_a_fault_that_clears(cloud):
    cloud.inject(Fault(method=GET, kind="unavailable_503", times=2))
    assert [ask(cloud, "GET", PATH, caller=ADMIN)[0] for _ in range(3)] == [503, 503, 200]


def test_a_client_that_retries_gets_over_it(cloud, clients):
    cloud.inject(Fault(method=GET, kind="unavailable_503", times=1))
    assert clients().gapic("projects").get_project(name="projects/acme-analytics").name == "projects/3000"


def test_a_fault_on_one_transport(cloud, clients):
    cloud.inject(Fault(method=GET, kind="denied", transport="rest"))
    assert ask(cloud, "GET", PATH, caller=ADMIN)[0] == 403
    assert over_grpc(clients).name == "projects/3000"


def test_two_faults_at_once(cloud):
    cloud.inject(Fault(method=GET, kind="slow", delay=0.2), Fault(method="*", kind="quota"))
    started = time.perf_counter()
    assert ask(cloud, "GET", PATH, caller=ADMIN)[0] == 429
    assert time.perf_counter() - started >= 0.2
    assert cloud.exchanges[0].fault == ("slow", "quota")


def test_slow(cloud, clients):
    cloud.inject(Fault(kind="slow", delay=0.3))
    started = time.perf_counter()
    assert over_grpc(clients).name == "projects/3000"
    assert time.perf_counter() - started >= 0.3
    with pytest.raises(refusals.DeadlineExceeded):
        over_grpc(clients, timeout=0.1)


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_no_answer_in_time(cloud, clients, kind):
    cloud.inject(Fault(kind=kind))
    with pytest.raises(refusals.DeadlineExceeded):
        over_grpc(clients, timeout=0.3)
    if kind == "hang":
        with pytest.raises(TimeoutError):
            ask(cloud, "GET", PATH, caller=ADMIN, timeout=0.3)
        assert [(exchange.status, exchange.response) for exchange in cloud.exchanges] == [(0, {}), (0, {})]


def test_drip_feeds_a_byte_a_second(cloud):
    cloud.inject(Fault(kind="drip"))
    host, _, port = cloud.rest_endpoint.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=3) as connection:
        token = cloud.token(ADMIN)
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        body = head.partition(b"\r\n\r\n")[2]
        started = time.perf_counter()
        body += connection.recv(4096) + connection.recv(4096)
        assert 0.8 < time.perf_counter() - started < 2.8
        assert len(body) <= 3


def test_reset(cloud, clients):
    cloud.inject(Fault(kind="reset"))
    with pytest.raises(ConnectionResetError):
        ask(cloud, "GET", PATH, caller=ADMIN)
    with pytest.raises(refusals.ServiceUnavailable):
        over_grpc(clients)
    assert cloud.exchanges[0].status == 0


def test_truncated(cloud, clients):
    cloud.inject(Fault(kind="truncated"))
    with pytest.raises(http.client.IncompleteRead):
        ask(cloud, "GET", PATH, caller=ADMIN)
    with pytest.raises(refusals.GoogleAPICallError):
        over_grpc(clients)


def test_not_json(cloud, clients):
    cloud.inject(Fault(kind="not_json"))
    with pytest.raises(json.JSONDecodeError):
        ask(cloud, "GET", PATH, caller=ADMIN)
    with pytest.raises(refusals.InternalServerError):
        over_grpc(clients)


def test_wrong_content_type(cloud, clients):
    cloud.inject(Fault(kind="wrong_content_type"))
    status, headers, answer = ask(cloud, "GET", PATH, caller=ADMIN)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.startswith(b"<!DOCTYPE html>")
    with pytest.raises(refusals.Unknown):
        over_grpc(clients)


@pytest.mark.parametrize("path", [DATASETS, "/v1/projects/3000/services", "/v3/projects:search"])
def test_pages_without_end(cloud, path):
    cloud.inject(Fault(kind="endless_pages"))
    tokens, token = set(), ""
    for _ in range(5):
        _, _, answer = ask(cloud, "GET", f"{path}?pageToken={token}", caller=ADMIN)
        token = answer["nextPageToken"]
        tokens.add(token)
    assert len(tokens) == 5
    for exchange in cloud.exchanges:
        check_exchange(exchange)


def test_huge(cloud, clients):
    cloud.inject(Fault(kind="huge", size=6_000_000))
    status, headers, answer = ask(cloud, "GET", PATH, caller=ADMIN)
    assert (status, answer["name"]) == (200, "projects/3000")
    assert int(headers["content-length"]) > 6_000_000
    with pytest.raises(refusals.ResourceExhausted, match="larger than max"):
        over_grpc(clients)


def test_a_padded_grpc_answer_still_reads(cloud, clients):
    cloud.inject(Fault(kind="huge", size=1_000_000))
    assert over_grpc(clients).project_id == "acme-analytics"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"kind": "deny"}, "did you mean denied"),
        ({"kind": "zzz"}, "there are: denied"),
        ({"transport": "http"}, "no transport 'http'"),
        ({"times": 0}, "counts from 1"),
    ],
)
def test_a_fault_that_is_none(made, told):
    with pytest.raises(ValueError, match=told):
        Fault(**made)


def test_a_method_that_is_none(cloud):
    with pytest.raises(ValueError, match=r"no method 'projects\.get'"):
        cloud.inject(Fault(method="projects.get"))

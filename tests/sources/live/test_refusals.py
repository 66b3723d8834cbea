"""Each way that a call can fail, and the reason it stands for. No text of a server's ends up in a reason."""

import google.api_core.exceptions as api
import google.auth.exceptions
import pytest
import requests
from google.protobuf.json_format import ParseError
from google.rpc.error_details_pb2 import ErrorInfo

from preflight.facts.methods import BILLING_INFO, DATASET_LIST, FOLDER_GET, PREDEFINED_ROLE, PROJECT_GET, SERVICE_GET
from preflight.facts.seen import (
    ApiDisabled,
    Denied,
    Internal,
    Malformed,
    NotFound,
    PerimeterBlocked,
    QuotaExceeded,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from preflight.sources.live.guard import NotAllowedError, UnreadableError
from preflight.sources.live.refusals import Asked, Payers, is_transient, network_detail, reason_for

SECRET = "ya29.do-not-show-me"
PROJECT = "projects/acme"


def info(reason, **metadata):
    return ErrorInfo(reason=reason, domain="googleapis.com", metadata=metadata)


def told(error, method=PROJECT_GET, resource=PROJECT, *, number=None, quota_project=None):
    return reason_for(error, Asked(method, resource, PROJECT), Payers("acme", number, quota_project), 1.26)


def forbidden(reason="", **metadata):
    return api.Forbidden(SECRET, error_info=info(reason, **metadata) if reason else None)


def bigquery(status, reason):
    return api.from_http_status(status, SECRET, errors=[{"reason": reason, "message": SECRET}])


NAME = PROJECT_GET.id


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (forbidden(), Denied("resourcemanager.projects.get", PROJECT)),
        (api.PermissionDenied(SECRET), Denied("resourcemanager.projects.get", PROJECT)),
        (api.NotFound(SECRET), Denied("resourcemanager.projects.get", PROJECT)),
        (api.BadRequest(SECRET), NotFound(PROJECT)),
        (api.Unauthorized(SECRET), Unauthenticated(NAME)),
        (api.Unauthenticated(SECRET), Unauthenticated(NAME)),
        (google.auth.exceptions.RefreshError(SECRET), Unauthenticated(NAME)),
        (google.auth.exceptions.TransportError(SECRET), Unavailable(NAME, "no connection could be made")),
        (api.ResourceExhausted(SECRET), QuotaExceeded(NAME)),
        (api.TooManyRequests(SECRET), QuotaExceeded(NAME)),
        (forbidden("RATE_LIMIT_EXCEEDED"), QuotaExceeded(NAME)),
        (api.InternalServerError(SECRET), Unavailable(NAME, "HTTP 500")),
        (api.ServiceUnavailable(SECRET), Unavailable(NAME, "HTTP 503")),
        (api.GatewayTimeout(SECRET), Unavailable(NAME, "HTTP 504")),
        (api.DeadlineExceeded(SECRET), TimedOut(NAME, 1.3)),
        (requests.ReadTimeout(SECRET), TimedOut(NAME, 1.3)),
        (requests.ConnectTimeout(SECRET), TimedOut(NAME, 1.3)),
        (api.RetryError(SECRET, requests.ReadTimeout()), TimedOut(NAME, 1.3)),
        (api.RetryError(SECRET, api.ServiceUnavailable(SECRET)), Unavailable(NAME, "HTTP 503")),
        (requests.ConnectionError(SECRET), Unavailable(NAME, "no connection could be made")),
        (
            requests.exceptions.ProxyError(SECRET),
            Unavailable(NAME, "the proxy refused the connection, or could not be reached"),
        ),
        (requests.exceptions.SSLError(SECRET), Unavailable(NAME, "the server's certificate is not trusted")),
        (requests.exceptions.ChunkedEncodingError(SECRET), Malformed(NAME, "it was cut off")),
        (requests.JSONDecodeError(SECRET, SECRET, 0), Malformed(NAME, "it is not the JSON of this method")),
        (ParseError(SECRET), Malformed(NAME, "it is not the JSON of this method")),
        (UnreadableError("a redirect to another address"), Malformed(NAME, "a redirect to another address")),
        (
            NotAllowedError(SECRET),
            Internal(f"{NAME} was refused by the tool's own list of allowed methods"),
        ),
        (ZeroDivisionError(SECRET), Internal(f"{NAME} raised ZeroDivisionError")),
        (forbidden("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Unauthenticated(NAME)),
        (forbidden("IAM_PERMISSION_DENIED", permission="x.y.z"), Denied("resourcemanager.projects.get", PROJECT)),
        (
            forbidden("SECURITY_POLICY_VIOLATED", uid="abcdefgh-1_2"),
            PerimeterBlocked(NAME, "abcdefgh-1_2"),
        ),
        (
            forbidden("SECURITY_POLICY_VIOLATED", uid="<a href='https://elsewhere.example'>"),
            PerimeterBlocked(NAME, ""),
        ),
        (
            forbidden("USER_PROJECT_DENIED", consumer="projects/payer"),
            Denied("serviceusage.services.use", "projects/payer", quota_project=True),
        ),
        (
            forbidden("CONSUMER_INVALID", consumer="projects/payer"),
            Denied("serviceusage.services.use", "projects/payer", quota_project=True),
        ),
        (
            forbidden("BILLING_DISABLED", consumer="projects/payer"),
            Unavailable(NAME, "billing is off in the project that pays for the call"),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_reasons(error, reason):
    found = told(error)
    assert found == reason
    assert SECRET not in f"{found!r} {found.describe()} {found.settle()}"


RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com"


@pytest.mark.parametrize(
    ("consumer", "known", "other"),
    [
        pytest.param("projects/acme", {}, False, id="the project asked about, by ID"),
        pytest.param("projects/123", {"number": "123"}, False, id="the project asked about, by number"),
        pytest.param("projects/123", {"number": "456"}, True, id="another number"),
        pytest.param("projects/payer", {}, True, id="another ID"),
        pytest.param("projects/123", {}, True, id="a number, with nothing to compare it to"),
        pytest.param("projects/123", {"quota_project": "acme"}, False, id="the one asked about pays for itself"),
        pytest.param("projects/123", {"quota_project": "payer"}, True, id="another one pays"),
        pytest.param("", {}, False, id="not told"),
    ],
)
def test_in_which_project_an_api_is_off(consumer, known, other):
    error = forbidden("SERVICE_DISABLED", consumer=consumer, service=RESOURCE_MANAGER)
    assert told(error, **known) == ApiDisabled(RESOURCE_MANAGER, consumer, quota_project=other)


def test_bigquery_is_charged_to_the_project_in_its_path():
    error = forbidden("SERVICE_DISABLED", consumer="projects/123", service="bigquery.googleapis.com")
    assert not told(error, DATASET_LIST).quota_project
    assert told(error, DATASET_LIST, quota_project="payer").quota_project


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (bigquery(403, "accessDenied"), "denied"),
        (bigquery(403, "accessNotConfigured"), "api_disabled"),
        (bigquery(403, "quotaExceeded"), "quota"),
        (bigquery(403, "rateLimitExceeded"), "quota"),
        (bigquery(404, "notFound"), "not_found"),
        (bigquery(503, "backendError"), "unavailable"),
    ],
)
def test_the_older_words_of_bigquery(error, kind):
    reason = told(error, DATASET_LIST)
    assert reason.kind == kind
    assert SECRET not in repr(reason)


@pytest.mark.parametrize(
    ("method", "permission"),
    [
        (FOLDER_GET, "resourcemanager.folders.get"),
        (SERVICE_GET, "serviceusage.services.get"),
        (BILLING_INFO, "resourcemanager.projects.get"),
    ],
)
def test_a_refusal_names_the_permission_of_its_method(method, permission):
    assert told(forbidden(), method) == Denied(permission, PROJECT)


def test_a_method_that_needs_nothing_takes_the_permission_from_the_answer_if_it_looks_like_one():
    named = forbidden("IAM_PERMISSION_DENIED", permission="iam.roles.get")
    assert told(named, PREDEFINED_ROLE) == Denied("iam.roles.get", PROJECT)
    forged = forbidden("IAM_PERMISSION_DENIED", permission="x; rm -rf / \n# Forged")
    assert told(forged, PREDEFINED_ROLE) == Denied("resourcemanager.projects.get", PROJECT)


def test_a_consumer_that_is_no_project_is_not_repeated():
    error = forbidden("SERVICE_DISABLED", consumer="projects/x` | [click](http://evil)", service="<b>")
    assert told(error) == ApiDisabled(RESOURCE_MANAGER, "")


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            "failed to connect to all addresses; Connection refused",
            api.ServiceUnavailable,
            "the connection was refused",
        ),
        (
            "Ssl handshake failed: CERTIFICATE_VERIFY_FAILED",
            api.ServiceUnavailable,
            "the server's certificate is not trusted",
        ),
        ("HTTP proxy returned response code 407", api.ServiceUnavailable, "the proxy refused the connection"),
        ("DNS resolution failed for x", api.ServiceUnavailable, "its name could not be resolved"),
    ],
)
def test_trouble_that_grpc_itself_tells(text, kind, reason):
    assert told(kind(text)) == Unavailable(NAME, reason)


def test_a_token_that_grpc_could_not_get():
    error = api.ServiceUnavailable(f"Getting metadata from plugin failed with error: {SECRET}")
    assert told(error) == Unauthenticated(NAME)
    assert not is_transient(error)


def test_a_page_of_a_gateway_is_no_refusal_of_google():
    error = api.PermissionDenied("Received http2 header with status: 403")
    assert isinstance(told(error), Malformed)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (api.ServiceUnavailable(""), True),
        (api.InternalServerError(""), True),
        (api.TooManyRequests(""), True),
        (bigquery(403, "rateLimitExceeded"), True),
        (requests.ConnectionError(), True),
        (requests.ReadTimeout(), True),
        (requests.exceptions.ChunkedEncodingError(), True),
        (api.DeadlineExceeded(""), True),
        (api.Forbidden(""), False),
        (api.NotFound(""), False),
        (api.Unauthorized(""), False),
        (requests.exceptions.SSLError(), False),
        (requests.exceptions.ProxyError(), False),
        (UnreadableError(""), False),
        (NotAllowedError(""), False),
        (google.auth.exceptions.RefreshError(""), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_is_tried_again(error, again):
    assert is_transient(error) is again


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectionError(ConnectionRefusedError()), "the connection was refused"),
        (requests.ConnectionError(ConnectionResetError()), "the connection was lost"),
        (google.auth.exceptions.TransportError(requests.exceptions.SSLError()), "certificate"),
        (google.auth.exceptions.TransportError(requests.exceptions.ProxyError()), "proxy"),
        (google.auth.exceptions.TransportError(requests.ReadTimeout()), "in time"),
    ],
    ids=str,
)
def test_the_network_in_our_own_words(error, words):
    assert words in network_detail(error)

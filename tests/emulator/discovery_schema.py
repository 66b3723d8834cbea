"""Whether what went over the wire fits Google's discovery documents, and holds the keys that real answers have.

The documents are the ones that google-api-python-client bundles; nobody here wrote them. Turned into JSON Schema
with `additionalProperties` refused they catch a wrong key or type; a table of keys that recorded answers always
have catches a missing one.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
import jsonschema

from preflight.emulator import Exchange

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"

_API = {
    "cloudresourcemanager": "cloudresourcemanager.v3",
    "serviceusage": "serviceusage.v1",
    "cloudbilling": "cloudbilling.v1",
    "iam": "iam.v1",
    "iamcredentials": "iamcredentials.v1",
    "bigquery": "bigquery.v2",
    "orgpolicy": "orgpolicy.v2",
    "cloudidentity": "cloudidentity.v1",
    "policytroubleshooter": "policytroubleshooter.v3",
}


def api_of(method: str) -> str:
    """The document that a method is in, by its ID: IAM's second version has a document of its own."""
    return "iam.v2" if method.startswith("iam.policies.") else _API[method.partition(".")[0]]


ALWAYS: dict[str, frozenset[str]] = {
    "Project": frozenset(["name", "parent", "projectId", "state", "displayName", "createTime", "updateTime", "etag"]),
    "GoogleApiServiceusageV1Service": frozenset(["name", "config", "state", "parent"]),
    "Dataset": frozenset(
        ["kind", "etag", "id", "selfLink", "datasetReference", "access", "creationTime", "lastModifiedTime", "location"]
    ),
    "Role": frozenset(["name", "title", "etag"]),
    "Policy": frozenset({"etag"}),
    "Organization": frozenset(["name", "displayName", "directoryCustomerId", "state", "createTime", "etag"]),
    "GoogleIamV2Policy": frozenset(["name", "uid", "kind", "createTime", "updateTime"]),
    "GoogleCloudOrgpolicyV2Policy": frozenset(["name", "spec"]),
    "EffectiveTag": frozenset(["tagKey", "tagValue", "namespacedTagKey", "namespacedTagValue", "tagKeyParentName"]),
    "LookupGroupNameResponse": frozenset(["name"]),
    "GoogleCloudPolicytroubleshooterIamV3TroubleshootIamPolicyResponse": frozenset(
        ["overallAccessState", "accessTuple", "allowPolicyExplanation", "denyPolicyExplanation"]
    ),
    "GenerateAccessTokenResponse": frozenset(["accessToken", "expireTime"]),
    "ProjectBillingInfo": frozenset(["name", "projectId", "billingAccountName", "billingEnabled"]),
}
"""Keys that real recordings always have, by the schema's name. A project's parent is absent where it has none. Of the
newer APIs (deny policies, organisation policies, tags, groups, troubleshooter) there are no recordings: there it is
what Google's documents call required, output or immutable."""

# google.rpc.Status in JSON as the APIs wrap it; discovery documents don't describe errors.
_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer", "minimum": 400, "maximum": 599},
                "message": {"type": "string", "minLength": 1},
                "status": {"type": "string", "pattern": "^[A-Z_]+$"},
                "errors": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["message", "domain", "reason"],
                        "additionalProperties": {"type": "string"},
                    },
                },
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["@type"],
                        "properties": {"@type": {"type": "string", "pattern": "^type.googleapis.com/google.rpc."}},
                    },
                },
            },
        }
    },
}

# oauth2.googleapis.com/tokeninfo has no discovery document (the one for oauth2.v2 is of another address).
_TEXT = {"type": "string", "minLength": 1}
_TOKENINFO: dict[str, Any] = {
    "type": "object",
    "required": ["aud", "azp", "exp", "expires_in", "scope"],
    "additionalProperties": False,
    "properties": dict.fromkeys(
        ("aud", "azp", "exp", "expires_in", "scope", "access_type", "email", "email_verified"), _TEXT
    ),
}
_SPOILT = frozenset({"reset", "hang", "truncated", "not_json", "wrong_content_type"})


def check_exchange(exchange: Exchange) -> None:
    """Raise AssertionError unless request and answer fit; what a fault spoilt on the wire is not looked at."""
    if _SPOILT & set(exchange.fault):
        return
    if exchange.method == "oauth2.tokeninfo":
        if exchange.status == 200:
            _fits(exchange.response, _TOKENINFO, exchange)
        return
    if exchange.status != 200:
        _fits(exchange.response, _ERROR, exchange)
        assert exchange.response["error"]["code"] == exchange.status, exchange
        return
    described = methods(api_of(exchange.method))[exchange.method]
    asked = described.get("request", {}).get("$ref")
    if exchange.transport == "rest":
        if asked is None:
            assert exchange.request is None, f"{exchange.method} has no body, but one was sent"
        else:
            _fits(exchange.request or {}, schema(exchange.method, asked), exchange)
        unknown = exchange.query.keys() - described.get("parameters", {}).keys() - _STANDARD
        assert not unknown, f"{exchange.method} has no parameter {unknown}"
    _fits(exchange.response, schema(exchange.method, described["response"]["$ref"]), exchange)
    _has_all_keys(exchange, described["response"]["$ref"])


_STANDARD = frozenset({"alt", "$alt", "prettyPrint", "key", "fields", "quotaUser"})
"""Parameters that every method has."""


def _fits(instance: Any, wanted: dict[str, Any], exchange: Exchange) -> None:
    errors = list(jsonschema.Draft202012Validator(wanted).iter_errors(instance))
    told = "; ".join(f"{error.json_path}: {error.message}" for error in errors)
    assert not errors, f"{exchange.transport} {exchange.method}: {told}"


def _has_all_keys(exchange: Exchange, name: str) -> None:
    body = exchange.response
    one = {
        "ListServicesResponse": ("services", "GoogleApiServiceusageV1Service"),
        "BatchGetServicesResponse": ("services", "GoogleApiServiceusageV1Service"),
        "ListRolesResponse": ("roles", "Role"),
        "SearchProjectsResponse": ("projects", "Project"),
        "GoogleIamV2ListPoliciesResponse": ("policies", "GoogleIamV2Policy"),
        "ListEffectiveTagsResponse": ("effectiveTags", "EffectiveTag"),
    }.get(name)
    for item in body.get(one[0], []) if one else [body]:
        missing = ALWAYS.get(one[1] if one else name, frozenset()) - item.keys()
        assert not missing - {"parent"}, f"{exchange.transport} {exchange.method}: missing {sorted(missing)}"


@cache
def _document(api: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DOCUMENTS / f"{api}.json").read_text())
    return document


@cache
def methods(api: str) -> dict[str, dict[str, Any]]:
    """The methods of an API as its discovery document describes them, by id."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [_document(api)]
    while waiting:
        resource = waiting.pop()
        found |= {method["id"]: method for method in resource.get("methods", {}).values()}
        waiting += resource.get("resources", {}).values()
    return found


@cache
def schema(method: str, name: str) -> dict[str, Any]:
    """One schema of the API that a method belongs to, as JSON Schema with unknown keys refused."""
    document = _document(api_of(method))
    definitions = {key: _converted(value) for key, value in document["schemas"].items()}
    return {"$ref": f"#/$defs/{name}", "$defs": definitions}


def _converted(described: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in described:
        return {"$ref": f"#/$defs/{described['$ref']}"}
    kind = described.get("type", "any")
    if kind == "any":
        return {}
    converted: dict[str, Any] = {"type": kind}
    if kind == "object":
        properties = described.get("properties", {})
        converted["properties"] = {key: _converted(value) for key, value in properties.items()}
        more = described.get("additionalProperties")
        converted["additionalProperties"] = _converted(more) if more is not None else False
    elif kind == "array":
        converted["items"] = _converted(described["items"])
    elif "enum" in described:
        converted["enum"] = described["enum"]
    if described.get("format") in {"int64", "uint64"} and kind == "string":
        converted["pattern"] = r"^-?\d+$"
    return converted

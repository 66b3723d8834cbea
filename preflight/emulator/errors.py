"""What Google's APIs say when they refuse, as JSON bodies.

Two styles exist: the one that nearly all APIs share (``status`` and ``details`` in the manner of google.rpc)
and BigQuery's older one (``errors`` with a ``reason``). A refusal is raised as `ApiError`, which knows nothing
of styles; `body` renders it for the API that was asked.
"""

from typing import Any

Json = dict[str, Any]

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
"""google.rpc.Code by name, with the HTTP status that google/rpc/code.proto gives for it."""

SERVICE_TITLES = {
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "serviceusage.googleapis.com": "Service Usage API",
    "cloudbilling.googleapis.com": "Cloud Billing API",
    "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "bigquery.googleapis.com": "BigQuery API",
    "cloudidentity.googleapis.com": "Cloud Identity API",
    "orgpolicy.googleapis.com": "Organization Policy API",
    "policytroubleshooter.googleapis.com": "Policy Troubleshooter API",
}
BIGQUERY = "bigquery.googleapis.com"

_BIGQUERY_REASONS = {
    "INVALID_ARGUMENT": "invalid",
    "UNAUTHENTICATED": "authError",
    "PERMISSION_DENIED": "accessDenied",
    "NOT_FOUND": "notFound",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "INTERNAL": "internalError",
    "UNAVAILABLE": "backendError",
    "UNIMPLEMENTED": "notImplemented",
}


class ApiError(Exception):
    """A call that is refused: `status` is a google.rpc.Code by name, `details` are google.rpc messages."""

    def __init__(self, status: str, message: str, details: tuple[Json, ...] = (), reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details
        self.reason = reason

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with `status`."""
        return HTTP_STATUS[self.status]

    def body(self, service: str) -> Json:
        """The JSON body as `service` words it; BigQuery adds ``errors`` with a reason of its own."""
        error: Json = {"code": self.http_status, "message": self.message}
        if service == BIGQUERY:
            entry = {"message": self.message, "domain": "global", "reason": self.bigquery_reason}
            if self.bigquery_reason == "accessNotConfigured":
                entry["domain"] = "usageLimits"
                entry["extendedHelp"] = "https://console.developers.google.com"
            error["errors"] = [entry]
        error["status"] = self.status
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}

    @property
    def bigquery_reason(self) -> str:
        """BigQuery's own word for the refusal, in ``errors[0].reason``."""
        return self.reason or _BIGQUERY_REASONS.get(self.status, "backendError")


def error_info(reason: str, **metadata: str) -> Json:
    """google.rpc.ErrorInfo in JSON: what the clients show as `.reason`, `.domain` and `.metadata`."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def _help(description: str, url: str) -> Json:
    links = [{"description": description, "url": url}]
    return {"@type": "type.googleapis.com/google.rpc.Help", "links": links}


def permission_denied(message: str = "The caller does not have permission") -> ApiError:
    """The same answer for what may not be seen and what does not exist: Google tells no difference."""
    return ApiError("PERMISSION_DENIED", message)


def iam_permission_denied(permission: str) -> ApiError:
    """IAM's own words, which name the permission (from public error reports)."""
    info = error_info("IAM_PERMISSION_DENIED", permission=permission) | {"domain": "iam.googleapis.com"}
    message = f"Permission '{permission}' denied on resource (or it may not exist)."
    return ApiError("PERMISSION_DENIED", message, (info,))


def not_found(message: str) -> ApiError:
    """404."""
    return ApiError("NOT_FOUND", message)


def invalid(message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError("INVALID_ARGUMENT", message)


def unauthenticated(service: str, method: str, reason: str) -> ApiError:
    """401. `reason` is CREDENTIALS_MISSING, ACCESS_TOKEN_EXPIRED or ACCESS_TOKEN_TYPE_UNSUPPORTED."""
    if reason == "CREDENTIALS_MISSING":
        message = (
            "Request is missing required authentication credential. "
            "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
            "See https://developers.google.com/identity/sign-in/web/devconsole-project."
        )
    else:
        message = (
            "Request had invalid authentication credentials. "
            "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
            "See https://developers.google.com/identity/sign-in/web/devconsole-project."
        )
    return ApiError("UNAUTHENTICATED", message, (error_info(reason, service=service, method=method),))


def service_disabled(service: str, consumer: str) -> ApiError:
    """SERVICE_DISABLED about `consumer` (``projects/NUMBER``), which need not be the project asked about."""
    title = SERVICE_TITLES.get(service, service)
    project = consumer.removeprefix("projects/")
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project={project}"
    message = (
        f"{title} has not been used in project {project} before or it is disabled. Enable it by visiting {url} "
        "then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    info = error_info(
        "SERVICE_DISABLED",
        service=service,
        consumer=consumer,
        serviceTitle=title,
        containerInfo=project,
        activationUrl=url,
    )
    localized = {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": "en-US",
        "message": message,
    }
    details = (info, localized, _help("Google developers console API activation", url))
    return ApiError("PERMISSION_DENIED", message, details, reason="accessNotConfigured")


def user_project_denied(service: str, project: str) -> ApiError:
    """The caller may not charge its calls to the quota project that it named."""
    url = f"https://console.developers.google.com/iam-admin/iam/project?project={project}"
    message = (
        f"Caller does not have required permission to use project {project}. Grant the caller the "
        "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use "
        f"permission, by visiting {url} and then retry. Propagation of the new permission may take a few minutes."
    )
    info = error_info("USER_PROJECT_DENIED", service=service, consumer=f"projects/{project}")
    details = (info, _help("Google developer console IAM admin", url))
    return ApiError("PERMISSION_DENIED", message, details, reason="forbidden")


PERIMETER_ID = "Xq3mPzT0vK7wJd1sN5bLr9cYhUe2GfAoVi8xQ4tSkRnWyM6zDpHj-A"
"""The unique identifier in each refusal by a perimeter."""


def perimeter_blocked(service: str, consumer: str) -> ApiError:
    """403 by VPC Service Controls, as users have posted it; BigQuery has words and a reason of its own."""
    message = f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {PERIMETER_ID}"
    if service == BIGQUERY:
        return ApiError("PERMISSION_DENIED", f"VPC Service Controls: {message}.", reason="policyViolation")
    failure = {
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [{"type": "VPC_SERVICE_CONTROLS", "description": PERIMETER_ID}],
    }
    info = error_info("SECURITY_POLICY_VIOLATED", service=service, uid=PERIMETER_ID, consumer=consumer)
    return ApiError("PERMISSION_DENIED", message, (failure, info))


def consumer_invalid(service: str, project: str) -> ApiError:
    """The project that the call is charged to is being deleted (from public error reports, not checked)."""
    info = error_info("CONSUMER_INVALID", service=service, consumer=f"projects/{project}")
    return ApiError("PERMISSION_DENIED", f"Permission denied on resource project {project}.", (info,))


def quota_exceeded(service: str, consumer: str) -> ApiError:
    """429, as a per-minute quota of the quota project gives it."""
    metric = f"{service}/default"
    message = f"Quota exceeded for quota metric '{metric}' and limit 'Requests per minute' of service '{service}'."
    info = error_info("RATE_LIMIT_EXCEEDED", service=service, consumer=consumer, quota_metric=metric)
    return ApiError("RESOURCE_EXHAUSTED", message, (info,))

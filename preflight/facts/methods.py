"""Every API method that the tool may call: which fact it tells, and what the caller needs for it.

This one table is the list that the transport enforces, what `preflight permissions` prints, what the rule
reference says an auditor reads, and where the commands for a blind auditor come from. All of them only read
(`getIamPolicy` and `testIamPermissions` are POSTs that read). Paths and permissions: Google's discovery
documents and the methods' reference pages; the roles: Google's predefined roles, checked in tests.
"""

from collections.abc import Iterable

from msgspec import Struct

from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Datasets
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Services


class ApiMethod(Struct, frozen=True):
    """One method, over both transports."""

    id: str
    """The discovery document's id."""
    api: str
    """The service's name, which is also its default host."""
    verb: str
    path: str
    """The REST path; each `{name}` stands for one segment."""
    grpc: str
    """The full gRPC method; empty: REST only."""
    permission: str
    """What the caller needs; empty: nothing beyond an identity."""
    level: str
    """Where it needs that: `project`, `folder` or `organization`; empty where it needs nothing."""
    role: str
    """A narrow predefined role that holds the permission."""
    why: str
    """What is learned by it."""


_RM = "cloudresourcemanager.googleapis.com"
_RM_GRPC = "/google.cloud.resourcemanager.v3."
_IAM_GRPC = "/google.iam.admin.v1.IAM/"

PROJECT_GET = ApiMethod(
    "cloudresourcemanager.projects.get",
    _RM,
    "GET",
    "/v3/projects/{project}",
    f"{_RM_GRPC}Projects/GetProject",
    "resourcemanager.projects.get",
    "project",
    "roles/browser",
    "the project's ID, number, state and parent",
)
PROJECT_POLICY = ApiMethod(
    "cloudresourcemanager.projects.getIamPolicy",
    _RM,
    "POST",
    "/v3/projects/{project}:getIamPolicy",
    f"{_RM_GRPC}Projects/GetIamPolicy",
    "resourcemanager.projects.getIamPolicy",
    "project",
    "roles/browser",
    "who has which role on the project",
)
PROJECT_TEST = ApiMethod(
    "cloudresourcemanager.projects.testIamPermissions",
    _RM,
    "POST",
    "/v3/projects/{project}:testIamPermissions",
    f"{_RM_GRPC}Projects/TestIamPermissions",
    "",
    "",
    "",
    "which permissions the caller itself has on the project",
)
FOLDER_GET = ApiMethod(
    "cloudresourcemanager.folders.get",
    _RM,
    "GET",
    "/v3/folders/{folder}",
    f"{_RM_GRPC}Folders/GetFolder",
    "resourcemanager.folders.get",
    "folder",
    "roles/browser",
    "what the folder is in",
)
FOLDER_POLICY = ApiMethod(
    "cloudresourcemanager.folders.getIamPolicy",
    _RM,
    "POST",
    "/v3/folders/{folder}:getIamPolicy",
    f"{_RM_GRPC}Folders/GetIamPolicy",
    "resourcemanager.folders.getIamPolicy",
    "folder",
    "roles/iam.securityReviewer",
    "which roles the project inherits from the folder",
)
ORGANIZATION_POLICY = ApiMethod(
    "cloudresourcemanager.organizations.getIamPolicy",
    _RM,
    "POST",
    "/v3/organizations/{organization}:getIamPolicy",
    f"{_RM_GRPC}Organizations/GetIamPolicy",
    "resourcemanager.organizations.getIamPolicy",
    "organization",
    "roles/iam.securityReviewer",
    "which roles the project inherits from the organization",
)
SERVICE_GET = ApiMethod(
    "serviceusage.services.get",
    "serviceusage.googleapis.com",
    "GET",
    "/v1/projects/{project}/services/{service}",
    "/google.api.serviceusage.v1.ServiceUsage/GetService",
    "serviceusage.services.get",
    "project",
    "roles/serviceusage.serviceUsageViewer",
    "whether an API is enabled",
)
BILLING_INFO = ApiMethod(
    "cloudbilling.projects.getBillingInfo",
    "cloudbilling.googleapis.com",
    "GET",
    "/v1/projects/{project}/billingInfo",
    "/google.cloud.billing.v1.CloudBilling/GetProjectBillingInfo",
    "resourcemanager.projects.get",
    "project",
    "roles/browser",
    "whether billing is enabled",
)
PREDEFINED_ROLE = ApiMethod(
    "iam.roles.get",
    "iam.googleapis.com",
    "GET",
    "/v1/roles/{role}",
    f"{_IAM_GRPC}GetRole",
    "",
    "",
    "",
    "which permissions a predefined role holds",
)
PROJECT_ROLE = ApiMethod(
    "iam.projects.roles.get",
    "iam.googleapis.com",
    "GET",
    "/v1/projects/{project}/roles/{role}",
    f"{_IAM_GRPC}GetRole",
    "iam.roles.get",
    "project",
    "roles/iam.roleViewer",
    "which permissions a custom role of the project holds",
)
ORGANIZATION_ROLE = ApiMethod(
    "iam.organizations.roles.get",
    "iam.googleapis.com",
    "GET",
    "/v1/organizations/{organization}/roles/{role}",
    f"{_IAM_GRPC}GetRole",
    "iam.roles.get",
    "organization",
    "roles/iam.organizationRoleViewer",
    "which permissions a custom role of the organization holds",
)
DATASET_LIST = ApiMethod(
    "bigquery.datasets.list",
    "bigquery.googleapis.com",
    "GET",
    "/bigquery/v2/projects/{project}/datasets",
    "",
    "bigquery.datasets.get",
    "project",
    "roles/bigquery.metadataViewer",
    "which datasets there are, and where",
)
DATASET_GET = ApiMethod(
    "bigquery.datasets.get",
    "bigquery.googleapis.com",
    "GET",
    "/bigquery/v2/projects/{project}/datasets/{dataset}",
    "",
    "bigquery.datasets.get",
    "project",
    "roles/bigquery.metadataViewer",
    "who may do what in the destination dataset",
)
TOKEN_INFO = ApiMethod(
    "oauth2.tokeninfo",
    "oauth2.googleapis.com",
    "GET",
    "/tokeninfo",
    "",
    "",
    "",
    "",
    "whose credentials run the tool",
)

_POLICIES = (PROJECT_GET, PROJECT_POLICY, FOLDER_GET, FOLDER_POLICY, ORGANIZATION_POLICY)
READS: dict[type[Fact], tuple[ApiMethod, ...]] = {
    Project: (PROJECT_GET,),
    Billing: (BILLING_INFO,),
    Services: (SERVICE_GET,),
    Ancestry: (PROJECT_GET, FOLDER_GET),
    AllowPolicies: _POLICIES,
    Roles: (*_POLICIES, PREDEFINED_ROLE, PROJECT_ROLE, ORGANIZATION_ROLE),
    Datasets: (DATASET_LIST, DATASET_GET, PROJECT_TEST),
    CallerIdentity: (TOKEN_INFO,),
    CallerPermissions: (PROJECT_TEST,),
}
"""Which methods tell which fact."""

ALLOWED: tuple[ApiMethod, ...] = tuple(dict.fromkeys(method for methods in READS.values() for method in methods))
"""All methods that may ever be on the wire, those apart that credentials need to get a token."""

OAUTH_TOKEN = ApiMethod(
    "oauth2.token",
    "oauth2.googleapis.com",
    "POST",
    "/token",
    "",
    "",
    "",
    "",
    "an access token for a user's or a service account's credentials",
)
STS_TOKEN = ApiMethod(
    "sts.token",
    "sts.googleapis.com",
    "POST",
    "/v1/token",
    "",
    "",
    "",
    "",
    "an access token for another cloud's or company's own token (workload identity federation)",
)
STS_OAUTH_TOKEN = ApiMethod(
    "sts.oauthtoken",
    "sts.googleapis.com",
    "POST",
    "/v1/oauthtoken",
    "",
    "",
    "",
    "",
    "an access token for somebody who signed in through a workforce pool",
)
SUBJECT_TOKEN = ApiMethod(
    "external.subjectToken",
    "",
    "GET",
    "",
    "",
    "",
    "",
    "",
    "the other cloud's token, at the address that the credentials' file names",
)
METADATA = ApiMethod(
    "metadata.get",
    "metadata.google.internal",
    "GET",
    "/computeMetadata/v1/",
    "",
    "",
    "",
    "",
    "an access token of the machine's service account, on Google Cloud itself",
)
GENERATE_ACCESS_TOKEN = ApiMethod(
    "iamcredentials.projects.serviceAccounts.generateAccessToken",
    "iamcredentials.googleapis.com",
    "POST",
    "/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
    "",
    "iam.serviceAccounts.getAccessToken",
    "service_account",
    "roles/iam.serviceAccountTokenCreator",
    "an access token of the service account that is impersonated",
)

CREDENTIAL_CALLS = (OAUTH_TOKEN, STS_TOKEN, STS_OAUTH_TOKEN, SUBJECT_TOKEN, METADATA, GENERATE_ACCESS_TOKEN)
"""What credentials may call to get a token, on a session of their own that refuses all else; `tokeninfo`, which
tells whose token it is, is among `ALLOWED`. They make tokens and change nothing. Of each only the addresses that
the credentials at hand need are open: Google's own, or those that the credentials' file names."""

QUOTA_PROJECT_PERMISSION = "serviceusage.services.use"
"""What a user needs on the quota project, which pays for calls made with user credentials."""
QUOTA_PROJECT_ROLE = "roles/serviceusage.serviceUsageConsumer"


def methods_for(facts: Iterable[type[Fact]]) -> tuple[ApiMethod, ...]:
    """The methods that reading these facts may call, in a stable order."""
    wanted = {method for fact in facts for method in READS.get(fact, ())}
    return tuple(method for method in ALLOWED if method in wanted)


def role_for(permission: str, resource: str) -> str | None:
    """A narrow predefined role that gives the permission on a resource of this kind; None if not known."""
    if permission == QUOTA_PROJECT_PERMISSION:
        return QUOTA_PROJECT_ROLE
    level = {"projects": "project", "folders": "folder", "organizations": "organization"}.get(
        resource.partition("/")[0], "project"
    )
    return next((m.role for m in ALLOWED if m.permission == permission and m.level == level), None)

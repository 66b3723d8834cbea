"""Every API method that the tool may call: which fact it tells, and what the caller needs for it.

This one table is the list that the transport enforces, what `preflight permissions` prints, what the rule
reference says an auditor reads, and where the commands for a blind auditor come from. All of them only read
(`getIamPolicy`, `testIamPermissions` and `troubleshoot` are POSTs that read). Paths and permissions: Google's discovery
documents and the methods' reference pages; the roles: Google's predefined roles, checked in tests.
"""

from collections.abc import Iterable

from msgspec import Struct

from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Organization, OrgPolicies, Tags
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.tables import Tables


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
    levels: tuple[str, ...]
    """Where it needs that: `project`, `folder`, `organization`; empty where it needs nothing."""
    role: str
    """A narrow predefined role that holds the permission."""
    why: str
    """What is learned by it."""
    beyond: str = ""
    """What the caller needs that no permission of Google Cloud gives; empty: nothing."""


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
    ("project",),
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
    ("project",),
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
    (),
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
    ("folder",),
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
    ("folder",),
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
    ("organization",),
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
    ("project",),
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
    ("project",),
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
    (),
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
    ("project",),
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
    ("organization",),
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
    ("project",),
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
    ("project",),
    "roles/bigquery.metadataViewer",
    "who may do what in the destination dataset",
)
TABLE_LIST = ApiMethod(
    "bigquery.tables.list",
    "bigquery.googleapis.com",
    "GET",
    "/bigquery/v2/projects/{project}/datasets/{dataset}/tables",
    "",
    "bigquery.tables.list",
    ("project",),
    "roles/bigquery.metadataViewer",
    "what the vendor's syncs left in its datasets",
)
TOKEN_INFO = ApiMethod(
    "oauth2.tokeninfo",
    "oauth2.googleapis.com",
    "GET",
    "/tokeninfo",
    "",
    "",
    (),
    "",
    "whose credentials run the tool",
)

_EVERY_LEVEL = ("project", "folder", "organization")
_DENY_PATH = "/v2/policies/cloudresourcemanager.googleapis.com%2F{kind}%2F{resource}/denypolicies"
"""The attachment point is a full resource name whose slashes are written `%2F` (IAM v2, `policies.get`)."""

DENY_LIST = ApiMethod(
    "iam.policies.listPolicies",
    "iam.googleapis.com",
    "GET",
    _DENY_PATH,
    "/google.iam.v2.Policies/ListPolicies",
    "iam.denypolicies.list",
    _EVERY_LEVEL,
    "roles/iam.denyReviewer",
    "which deny policies there are on the project and above it",
)
DENY_GET = ApiMethod(
    "iam.policies.get",
    "iam.googleapis.com",
    "GET",
    f"{_DENY_PATH}/{{policy}}",
    "/google.iam.v2.Policies/GetPolicy",
    "iam.denypolicies.get",
    _EVERY_LEVEL,
    "roles/iam.denyReviewer",
    "what a deny policy denies, and to whom",
)
ORGANIZATION_GET = ApiMethod(
    "cloudresourcemanager.organizations.get",
    _RM,
    "GET",
    "/v3/organizations/{organization}",
    f"{_RM_GRPC}Organizations/GetOrganization",
    "resourcemanager.organizations.get",
    ("organization",),
    "roles/browser",
    "the organization's domain and directory",
)
EFFECTIVE_ORG_POLICY = ApiMethod(
    "orgpolicy.projects.policies.getEffectivePolicy",
    "orgpolicy.googleapis.com",
    "GET",
    "/v2/projects/{project}/policies/{constraint}:getEffectivePolicy",
    "/google.cloud.orgpolicy.v2.OrgPolicy/GetEffectivePolicy",
    "orgpolicy.policy.get",
    ("project",),
    "roles/orgpolicy.policyViewer",
    "what the organization's policies demand of the project",
)
EFFECTIVE_TAGS = ApiMethod(
    "cloudresourcemanager.effectiveTags.list",
    _RM,
    "GET",
    "/v3/effectiveTags",
    f"{_RM_GRPC}TagBindings/ListEffectiveTags",
    "resourcemanager.hierarchyNodes.listEffectiveTags",
    ("project",),
    "roles/resourcemanager.tagViewer",
    "the tags that conditions look at",
)
SIGHT_OF_GROUP = "sight of the group's members, by its own settings or the directory's role Groups Reader"
"""What Cloud Identity asks of the caller: a group's settings, or a role in the directory (Google's documentation of
`groups.memberships.checkTransitiveMembership`, which also wants an edition of it that has the method)."""
GROUP_LOOKUP = ApiMethod(
    "cloudidentity.groups.lookup",
    "cloudidentity.googleapis.com",
    "GET",
    "/v1/groups:lookup",
    "",
    "",
    (),
    "",
    "the name by which a group's members are asked for",
    SIGHT_OF_GROUP,
)
GROUP_CHECK = ApiMethod(
    "cloudidentity.groups.memberships.checkTransitiveMembership",
    "cloudidentity.googleapis.com",
    "GET",
    "/v1/groups/{group}/memberships:checkTransitiveMembership",
    "",
    "",
    (),
    "",
    "whether the vendor's principal is in a group",
    SIGHT_OF_GROUP,
)
TROUBLESHOOT = ApiMethod(
    "policytroubleshooter.iam.troubleshoot",
    "policytroubleshooter.googleapis.com",
    "POST",  # that reads: the question is its body
    "/v3/iam:troubleshoot",
    "/google.cloud.policytroubleshooter.iam.v3.PolicyTroubleshooter/TroubleshootIamPolicy",
    "",
    (),
    "",
    "what Google's own Policy Troubleshooter answers, as far as the caller sees the policies",
)

_POLICIES = (PROJECT_GET, PROJECT_POLICY, FOLDER_GET, FOLDER_POLICY, ORGANIZATION_POLICY)
_ROLES = (PREDEFINED_ROLE, PROJECT_ROLE, ORGANIZATION_ROLE)
READS: dict[type[Fact], tuple[ApiMethod, ...]] = {
    Project: (PROJECT_GET,),
    Billing: (BILLING_INFO,),
    Services: (SERVICE_GET,),
    Ancestry: (PROJECT_GET, FOLDER_GET),
    AllowPolicies: _POLICIES,
    Roles: (*_POLICIES, *_ROLES),
    DenyPolicies: (PROJECT_GET, FOLDER_GET, DENY_LIST, DENY_GET),
    Groups: (*_POLICIES, *_ROLES, GROUP_LOOKUP, GROUP_CHECK),
    Tags: (*_POLICIES, EFFECTIVE_TAGS),
    Organization: (PROJECT_GET, FOLDER_GET, ORGANIZATION_GET),
    OrgPolicies: (EFFECTIVE_ORG_POLICY,),
    Datasets: (DATASET_LIST, DATASET_GET, PROJECT_TEST),
    Tables: (DATASET_LIST, DATASET_GET, PROJECT_TEST, TABLE_LIST),
    CallerIdentity: (TOKEN_INFO,),
    CallerPermissions: (PROJECT_TEST,),
    SecondOpinions: (TROUBLESHOOT,),
}
"""Which methods tell which fact."""

ALLOWED: tuple[ApiMethod, ...] = tuple(dict.fromkeys(method for methods in READS.values() for method in methods))
"""All methods that may ever be on the wire, those apart that credentials need to get a token
(`preflight.facts.credential_methods`)."""

QUOTA_PROJECT_PERMISSION = "serviceusage.services.use"
"""What a user needs on the quota project, which pays for calls made with user credentials."""
QUOTA_PROJECT_ROLE = "roles/serviceusage.serviceUsageConsumer"


def methods_for(facts: Iterable[type[Fact]]) -> tuple[ApiMethod, ...]:
    """The methods that reading these facts may call, in a stable order; none for what only files tell."""
    wanted = {method for fact in facts for method in READS.get(fact, ())}
    return tuple(method for method in ALLOWED if method in wanted)


def role_for(permission: str, resource: str) -> str | None:
    """A narrow predefined role that gives the permission on a resource of this kind; None if not known."""
    if permission == QUOTA_PROJECT_PERMISSION:
        return QUOTA_PROJECT_ROLE
    level = {"projects": "project", "folders": "folder", "organizations": "organization"}.get(
        resource.partition("/")[0], "project"
    )
    return next((m.role for m in ALLOWED if m.permission == permission and level in m.levels), None)

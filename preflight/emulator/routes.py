"""REST paths and gRPC names of the API methods, as Google's discovery documents and protos have them."""

import re
from typing import Any

_P = r"projects/[^/]+?"
_O = r"organizations/[^/]+?"
_DENY = r"policies/[^/]+/denypolicies"
"""The attachment point is one segment: its slashes are written `%2F`, which a path keeps (see `rest.decoded`)."""

# (HTTP verb, path, method id). Named groups become request fields. Order matters where one path fits two.
_READS: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/v3/projects:search", "cloudresourcemanager.projects.search"),
    *(
        row
        for kind in ("projects", "folders", "organizations")
        for row in (
            ("POST", rf"/v3/(?P<resource>{kind}/[^/]+):getIamPolicy", f"cloudresourcemanager.{kind}.getIamPolicy"),
            (
                "POST",
                rf"/v3/(?P<resource>{kind}/[^/]+):testIamPermissions",
                f"cloudresourcemanager.{kind}.testIamPermissions",
            ),
            ("GET", rf"/v3/(?P<name>{kind}/[^/]+)", f"cloudresourcemanager.{kind}.get"),
        )
    ),
    ("GET", rf"/v1/(?P<parent>{_P})/services:batchGet", "serviceusage.services.batchGet"),
    ("GET", rf"/v1/(?P<parent>{_P})/services", "serviceusage.services.list"),
    ("GET", rf"/v1/(?P<name>{_P}/services/[^/]+)", "serviceusage.services.get"),
    ("GET", rf"/v1/(?P<name>{_P})/billingInfo", "cloudbilling.projects.getBillingInfo"),
    ("GET", r"/v1/roles", "iam.roles.list"),
    ("GET", r"/v1/(?P<name>roles/[^/]+)", "iam.roles.get"),
    ("GET", rf"/v1/(?P<parent>{_P})/roles", "iam.projects.roles.list"),
    ("GET", rf"/v1/(?P<name>{_P}/roles/[^/]+)", "iam.projects.roles.get"),
    ("GET", rf"/v1/(?P<parent>{_O})/roles", "iam.organizations.roles.list"),
    ("GET", rf"/v1/(?P<name>{_O}/roles/[^/]+)", "iam.organizations.roles.get"),
    (
        "POST",
        rf"/v1/(?P<name>{_P}/serviceAccounts/[^/]+):generateAccessToken",
        "iamcredentials.projects.serviceAccounts.generateAccessToken",
    ),
    ("GET", r"/bigquery/v2/projects/(?P<projectId>[^/]+)/datasets", "bigquery.datasets.list"),
    ("GET", r"/bigquery/v2/projects/(?P<projectId>[^/]+)/datasets/(?P<datasetId>[^/]+)", "bigquery.datasets.get"),
    (
        "GET",
        r"/bigquery/v2/projects/(?P<projectId>[^/]+)/datasets/(?P<datasetId>[^/]+)/tables",
        "bigquery.tables.list",
    ),
    ("GET", r"/v3/effectiveTags", "cloudresourcemanager.effectiveTags.list"),
    ("GET", rf"/v2/(?P<parent>{_DENY})", "iam.policies.listPolicies"),
    ("GET", rf"/v2/(?P<name>{_DENY}/[^/]+)", "iam.policies.get"),
    (
        "GET",
        rf"/v2/(?P<name>{_P}/policies/[^/]+):getEffectivePolicy",
        "orgpolicy.projects.policies.getEffectivePolicy",
    ),
    ("GET", r"/v1/groups:lookup", "cloudidentity.groups.lookup"),
    (
        "GET",
        r"/v1/(?P<parent>groups/[^/]+)/memberships:checkTransitiveMembership",
        "cloudidentity.groups.memberships.checkTransitiveMembership",
    ),
    ("POST", r"/v3/iam:troubleshoot", "policytroubleshooter.iam.troubleshoot"),
    ("GET", r"/tokeninfo", "oauth2.tokeninfo"),
    ("POST", r"/tokeninfo", "oauth2.tokeninfo"),
)

_DATASET = r"/bigquery/v2/projects/(?P<projectId>[^/]+)/datasets/(?P<datasetId>[^/]+)"
_WRITES: tuple[tuple[str, str, str], ...] = (
    *(
        row
        for kind in ("projects", "folders", "organizations")
        for row in (
            ("POST", rf"/v3/(?P<resource>{kind}/[^/]+):setIamPolicy", f"cloudresourcemanager.{kind}.setIamPolicy"),
            ("POST", rf"/v3/(?P<name>{kind}/[^/]+):undelete", f"cloudresourcemanager.{kind}.undelete"),
            ("POST", rf"/v3/(?P<name>{kind}/[^/]+):move", f"cloudresourcemanager.{kind}.move"),
            ("POST", rf"/v3/{kind}", f"cloudresourcemanager.{kind}.create"),
            ("PATCH", rf"/v3/(?P<name>{kind}/[^/]+)", f"cloudresourcemanager.{kind}.patch"),
            ("DELETE", rf"/v3/(?P<name>{kind}/[^/]+)", f"cloudresourcemanager.{kind}.delete"),
        )
    ),
    ("POST", rf"/v1/(?P<name>{_P}/services/[^/]+):enable", "serviceusage.services.enable"),
    ("POST", rf"/v1/(?P<name>{_P}/services/[^/]+):disable", "serviceusage.services.disable"),
    ("POST", rf"/v1/(?P<parent>{_P})/services:batchEnable", "serviceusage.services.batchEnable"),
    ("PUT", rf"/v1/(?P<name>{_P})/billingInfo", "cloudbilling.projects.updateBillingInfo"),
    *(
        row
        for kind, owner in (("projects", _P), ("organizations", _O))
        for row in (
            ("POST", rf"/v1/(?P<parent>{owner})/roles", f"iam.{kind}.roles.create"),
            ("POST", rf"/v1/(?P<name>{owner}/roles/[^/]+):undelete", f"iam.{kind}.roles.undelete"),
            ("PATCH", rf"/v1/(?P<name>{owner}/roles/[^/]+)", f"iam.{kind}.roles.patch"),
            ("DELETE", rf"/v1/(?P<name>{owner}/roles/[^/]+)", f"iam.{kind}.roles.delete"),
        )
    ),
    ("POST", rf"/v2/(?P<parent>{_DENY})", "iam.policies.createPolicy"),
    ("PUT", rf"/v2/(?P<name>{_DENY}/[^/]+)", "iam.policies.update"),
    ("DELETE", rf"/v2/(?P<name>{_DENY}/[^/]+)", "iam.policies.delete"),
    ("POST", rf"/v2/(?P<parent>{_P})/policies", "orgpolicy.projects.policies.create"),
    ("PATCH", rf"/v2/(?P<name>{_P}/policies/[^/]+)", "orgpolicy.projects.policies.patch"),
    ("DELETE", rf"/v2/(?P<name>{_P}/policies/[^/]+)", "orgpolicy.projects.policies.delete"),
    ("POST", r"/v1/(?P<parent>groups/[^/]+)/memberships", "cloudidentity.groups.memberships.create"),
    ("POST", r"/v3/tagBindings", "cloudresourcemanager.tagBindings.create"),
    ("POST", r"/bigquery/v2/projects/(?P<projectId>[^/]+)/datasets", "bigquery.datasets.insert"),
    ("PATCH", _DATASET, "bigquery.datasets.patch"),
    ("PUT", _DATASET, "bigquery.datasets.update"),
    ("DELETE", _DATASET, "bigquery.datasets.delete"),
    ("POST", rf"{_DATASET}/tables", "bigquery.tables.insert"),
    ("PATCH", rf"{_DATASET}/tables/(?P<tableId>[^/]+)", "bigquery.tables.patch"),
    ("PUT", rf"{_DATASET}/tables/(?P<tableId>[^/]+)", "bigquery.tables.update"),
    ("DELETE", rf"{_DATASET}/tables/(?P<tableId>[^/]+)", "bigquery.tables.delete"),
    ("POST", rf"{_DATASET}/tables/(?P<tableId>[^/]+)/insertAll", "bigquery.tabledata.insertAll"),
    ("POST", r"/bigquery/v2/projects/(?P<projectId>[^/]+)/jobs", "bigquery.jobs.insert"),
    ("POST", r"/bigquery/v2/projects/(?P<projectId>[^/]+)/queries", "bigquery.jobs.query"),
)

_TABLE = tuple(
    (verb, re.compile(pattern), method, writes)
    for rows, writes in ((_READS, False), (_WRITES, True))
    for verb, pattern, method in rows
)


def rest(verb: str, path: str) -> tuple[str, dict[str, Any], bool]:
    """The method id of a decoded path, the request fields in it, and whether it would write.

    What no row fits is named ``VERB /path``; it counts as a write unless the verb is one that only reads.
    """
    for row_verb, pattern, method, writes in _TABLE:
        match = pattern.fullmatch(path) if row_verb == verb else None
        if match is not None:
            return method, match.groupdict(), writes
    return f"{verb} {path}", {}, verb not in {"GET", "HEAD", "OPTIONS"}


RESOURCE_MANAGER = "google.cloud.resourcemanager.v3"
USAGE = "google.api.serviceusage.v1.ServiceUsage"
BILLING = "google.cloud.billing.v1.CloudBilling"
IAM = "google.iam.admin.v1.IAM"
DENY = "google.iam.v2.Policies"
ORG_POLICY = "google.cloud.orgpolicy.v2.OrgPolicy"
TROUBLESHOOTER = "google.cloud.policytroubleshooter.iam.v3.PolicyTroubleshooter"

GRPC_READS: dict[str, str] = {
    f"/{RESOURCE_MANAGER}.Projects/SearchProjects": "cloudresourcemanager.projects.search",
    **{
        f"/{RESOURCE_MANAGER}.{kind}/{rpc}": f"cloudresourcemanager.{kind.lower()}.{verb}"
        for kind, one in (("Projects", "Project"), ("Folders", "Folder"), ("Organizations", "Organization"))
        for rpc, verb in (
            (f"Get{one}", "get"),
            ("GetIamPolicy", "getIamPolicy"),
            ("TestIamPermissions", "testIamPermissions"),
        )
    },
    f"/{USAGE}/GetService": "serviceusage.services.get",
    f"/{USAGE}/BatchGetServices": "serviceusage.services.batchGet",
    f"/{USAGE}/ListServices": "serviceusage.services.list",
    f"/{BILLING}/GetProjectBillingInfo": "cloudbilling.projects.getBillingInfo",
    f"/{IAM}/GetRole": "iam.roles.get",
    f"/{IAM}/ListRoles": "iam.roles.list",
    f"/{RESOURCE_MANAGER}.TagBindings/ListEffectiveTags": "cloudresourcemanager.effectiveTags.list",
    f"/{DENY}/ListPolicies": "iam.policies.listPolicies",
    f"/{DENY}/GetPolicy": "iam.policies.get",
    f"/{ORG_POLICY}/GetEffectivePolicy": "orgpolicy.projects.policies.getEffectivePolicy",
    f"/{TROUBLESHOOTER}/TroubleshootIamPolicy": "policytroubleshooter.iam.troubleshoot",
}

GRPC_WRITES: dict[str, str] = {
    **{
        f"/{RESOURCE_MANAGER}.{kind}/{rpc}": f"cloudresourcemanager.{kind.lower()}.{verb}"
        for kind, one in (("Projects", "Project"), ("Folders", "Folder"), ("Organizations", "Organization"))
        for rpc, verb in (
            ("SetIamPolicy", "setIamPolicy"),
            (f"Create{one}", "create"),
            (f"Update{one}", "patch"),
            (f"Move{one}", "move"),
            (f"Delete{one}", "delete"),
            (f"Undelete{one}", "undelete"),
        )
    },
    f"/{USAGE}/EnableService": "serviceusage.services.enable",
    f"/{USAGE}/DisableService": "serviceusage.services.disable",
    f"/{USAGE}/BatchEnableServices": "serviceusage.services.batchEnable",
    f"/{BILLING}/UpdateProjectBillingInfo": "cloudbilling.projects.updateBillingInfo",
    f"/{IAM}/CreateRole": "iam.projects.roles.create",
    f"/{IAM}/UpdateRole": "iam.projects.roles.patch",
    f"/{IAM}/DeleteRole": "iam.projects.roles.delete",
    f"/{IAM}/UndeleteRole": "iam.projects.roles.undelete",
    f"/{RESOURCE_MANAGER}.TagBindings/CreateTagBinding": "cloudresourcemanager.tagBindings.create",
    f"/{DENY}/CreatePolicy": "iam.policies.createPolicy",
    f"/{DENY}/UpdatePolicy": "iam.policies.update",
    f"/{DENY}/DeletePolicy": "iam.policies.delete",
    f"/{ORG_POLICY}/CreatePolicy": "orgpolicy.projects.policies.create",
    f"/{ORG_POLICY}/UpdatePolicy": "orgpolicy.projects.policies.patch",
    f"/{ORG_POLICY}/DeletePolicy": "orgpolicy.projects.policies.delete",
}


def narrowed(method: str, params: dict[str, Any]) -> str:
    """IAM's gRPC methods serve predefined and custom roles alike; REST gives each owner an id of its own."""
    if not method.startswith("iam.") or ".roles." not in method:
        return method
    name = str(params.get("name") or params.get("parent") or "")
    for owner in ("projects", "organizations"):
        if name.startswith(f"{owner}/"):
            return f"iam.{owner}.roles.{method.rpartition('.')[2]}"
    return method

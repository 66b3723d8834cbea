"""The types of resources that matter here; all others are skipped unread."""

from typing import Literal, TypeAlias

Manner: TypeAlias = Literal["policy", "binding", "member"]
"""How much a resource of IAM completes: all, a role under one condition, nothing."""

PROJECT = "google_project"
SERVICE, SERVICES = "google_project_service", "google_project_services"
BILLING = "google_billing_project_info"
FOLDER = "google_folder"
DATASET, DATASET_ACCESS = "google_bigquery_dataset", "google_bigquery_dataset_access"
DENY_POLICY = "google_iam_deny_policy"
PROJECT_ROLE, ORGANIZATION_ROLE = "google_project_iam_custom_role", "google_organization_iam_custom_role"
ORG_POLICY = "google_org_policy_policy"
OLD_ORG_POLICIES = {
    "google_project_organization_policy": "projects",
    "google_folder_organization_policy": "folders",
    "google_organization_policy": "organizations",
}
"""Organization policies in Resource Manager's v1 form, by where they are set."""

POLICY_IAM: dict[str, tuple[str, Manner]] = {
    f"google_{level}_iam_{manner}": (f"{level}s", manner)
    for level in ("project", "folder", "organization")
    for manner in ("policy", "binding", "member")
}
"""What manages an allow policy: the resource's kind, and in which manner."""
DATASET_IAM: dict[str, Manner] = {
    "google_bigquery_dataset_iam_policy": "policy",
    "google_bigquery_dataset_iam_binding": "binding",
    "google_bigquery_dataset_iam_member": "member",
}

RELEVANT = frozenset(
    {
        *(PROJECT, SERVICE, SERVICES, BILLING, FOLDER, DATASET, DATASET_ACCESS, DENY_POLICY),
        *(PROJECT_ROLE, ORGANIZATION_ROLE, ORG_POLICY, "google_iam_policy"),
        *OLD_ORG_POLICIES,
        *POLICY_IAM,
        *DATASET_IAM,
    }
)
"""All of them, data sources of the same names included."""

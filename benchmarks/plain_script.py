"""What one would write without the tool: the same calls, one after another, with the same official clients."""

import os

import grpc
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery, iam_admin_v1, iam_v2, orgpolicy_v2, resourcemanager_v3, service_usage_v1
from google.cloud.billing_v1 import CloudBillingClient
from google.iam.v1 import iam_policy_pb2, options_pb2
from google.oauth2.credentials import Credentials

PROJECT = "projects/acme-analytics"
MEMBER = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
CONSTRAINTS = (
    *("gcp.resourceLocations", "gcp.restrictServiceUsage", "gcp.restrictNonCmekServices"),
    *("iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"),
)


def main() -> None:
    """Reads what `preflight run` reads."""
    token = os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
    with open(os.environ["PREFLIGHT_CA_FILE"], "rb") as file:  # noqa: PTH123 - a plain script
        root = file.read()
    channel = grpc.secure_channel(
        os.environ["PREFLIGHT_GRPC_ENDPOINT"],
        grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(root), grpc.access_token_call_credentials(token)
        ),
    )

    def client(kind):
        return kind(transport=kind.get_transport_class("grpc")(channel=channel, credentials=AnonymousCredentials()))

    projects = client(resourcemanager_v3.ProjectsClient)
    folders = client(resourcemanager_v3.FoldersClient)
    organizations = client(resourcemanager_v3.OrganizationsClient)
    services = client(service_usage_v1.ServiceUsageClient)
    billing = client(CloudBillingClient)
    iam = client(iam_admin_v1.IAMClient)
    denials = client(iam_v2.PoliciesClient)
    constraints = client(orgpolicy_v2.OrgPolicyClient)
    credentials = Credentials(token=token)
    session = AuthorizedSession(credentials)
    rest = os.environ["PREFLIGHT_REST_ENDPOINT"]
    query = bigquery.Client(
        "acme-analytics",
        credentials,
        client_options={"api_endpoint": rest},
    )

    def policy(of, resource):
        request = iam_policy_pb2.GetIamPolicyRequest(
            resource=resource, options=options_pb2.GetPolicyOptions(requested_policy_version=3)
        )
        return of.get_iam_policy(request=request)

    session.get(f"{rest}/tokeninfo", params={"access_token": token})
    project = projects.get_project(name=PROJECT)
    folder = folders.get_folder(name=project.parent)
    organizations.get_organization(name=folder.parent)
    policies = [policy(projects, PROJECT), policy(folders, folder.name), policy(organizations, folder.parent)]
    bindings = [binding for one in policies for binding in one.bindings]
    groups = {member for one in bindings for member in one.members if member.startswith("group:")}
    for role in {one.role for one in bindings if {MEMBER, *groups} & {*one.members}}:
        iam.get_role(request={"name": role})
    for group in groups:
        found = session.get(f"{rest}/v1/groups:lookup", params={"groupKey.id": group.removeprefix("group:")}).json()
        asked = f"member_key_id == '{MEMBER.removeprefix('serviceAccount:')}'"
        session.get(f"{rest}/v1/{found['name']}/memberships:checkTransitiveMembership", params={"query": asked})
    for resource in (PROJECT, folder.name, folder.parent):
        point = f"cloudresourcemanager.googleapis.com/{resource}".replace("/", "%2F")
        list(denials.list_policies(parent=f"policies/{point}/denypolicies"))
    for constraint in CONSTRAINTS:
        constraints.get_effective_policy(name=f"{PROJECT}/policies/{constraint}")
    projects.test_iam_permissions(resource=PROJECT, permissions=["bigquery.jobs.create"])
    services.get_service(request={"name": f"{PROJECT}/services/bigquery.googleapis.com"})
    billing.get_project_billing_info(name=PROJECT)
    list(query.list_datasets())
    for name in ("heap_production", "heap_production_migrated"):
        try:
            query.get_dataset(name)
        except NotFound:
            continue


main()

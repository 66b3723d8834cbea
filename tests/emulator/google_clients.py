"""Google's clients, pointed at a stand-in: the official Python ones over both transports, and the discovery one."""

from typing import Any

import google.auth.transport.grpc
import google.oauth2.credentials
import googleapiclient.discovery
import grpc
from google.api_core.client_options import ClientOptions
from google.cloud import (
    bigquery,
    billing_v1,
    iam_admin_v1,
    iam_v2,
    orgpolicy_v2,
    policytroubleshooter_iam_v3,
    resourcemanager_v3,
    service_usage_v1,
)

from preflight.emulator import Emulator

_GAPIC: dict[str, type[Any]] = {
    "projects": resourcemanager_v3.ProjectsClient,
    "folders": resourcemanager_v3.FoldersClient,
    "organizations": resourcemanager_v3.OrganizationsClient,
    "services": service_usage_v1.ServiceUsageClient,
    "billing": billing_v1.CloudBillingClient,
    "iam": iam_admin_v1.IAMClient,
    "deny": iam_v2.PoliciesClient,
    "org_policies": orgpolicy_v2.OrgPolicyClient,
    "tags": resourcemanager_v3.TagBindingsClient,
    "troubleshooter": policytroubleshooter_iam_v3.PolicyTroubleshooterClient,
}


class _Metadata(grpc.AuthMetadataPlugin):
    """Puts the token on each call, and the quota project if there is one."""

    def __init__(self, token: str, quota_project: str) -> None:
        self._pairs = [("authorization", f"Bearer {token}")]
        if quota_project:
            self._pairs.append(("x-goog-user-project", quota_project))

    def __call__(self, context: Any, callback: Any) -> None:
        callback(tuple(self._pairs), None)


class Clients:
    """The clients of one caller: `gapic("projects")` and so on, `bigquery`, `discovery("iam", "v1")`."""

    def __init__(self, cloud: Emulator, caller: str, transport: str = "grpc", quota_project: str = "") -> None:
        self._cloud = cloud
        self._transport = transport
        self._quota_project = quota_project
        self._token = cloud.token(caller)
        self._channel: grpc.Channel | None = None

    def gapic(self, which: str) -> Any:
        made = _GAPIC[which]
        if self._transport == "rest":
            options = ClientOptions(api_endpoint=self._cloud.rest_endpoint)
            return made(credentials=self._credentials(), transport="rest", client_options=options)
        return made(transport=made.get_transport_class("grpc")(channel=self.channel()))

    def channel(self) -> grpc.Channel:
        """A TLS channel whose calls carry the caller's token, and the quota project if there is one."""
        if self._channel is None:
            secure = grpc.ssl_channel_credentials(self._cloud.ca_file.read_bytes())
            plugin = grpc.metadata_call_credentials(_Metadata(self._token, self._quota_project))
            credentials = grpc.composite_channel_credentials(secure, plugin)
            self._channel = grpc.secure_channel(self._cloud.grpc_endpoint, credentials)
        return self._channel

    def bigquery(self, project: str) -> bigquery.Client:
        options = ClientOptions(api_endpoint=self._cloud.rest_endpoint)
        return bigquery.Client(project=project, credentials=self._credentials(), client_options=options)

    def discovery(self, api: str, version: str) -> Any:
        """google-api-python-client with its bundled documents, over httplib2."""
        root = self._cloud.rest_endpoint + ("/bigquery/v2/" if api == "bigquery" else "/")
        return googleapiclient.discovery.build(
            api,
            version,
            credentials=self._credentials(),
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": root},
        )

    def _credentials(self) -> Any:
        # Credentials made in the program carry the quota project themselves; client options then don't set it.
        return google.oauth2.credentials.Credentials(token=self._token, quota_project_id=self._quota_project or None)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

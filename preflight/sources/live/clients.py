"""The one place that builds Google's clients: where they call, with which certificates, through the guard.

Building a client means importing it, which takes longer than a call. So clients are built one after another on
the main thread, in the order in which calls need them, while calls with the first ones are on the way already;
a call waits for its own client only.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

import google.auth.transport.grpc
import google.auth.transport.requests
import grpc
import requests

from preflight.errors import PreflightError
from preflight.facts.methods import ApiMethod
from preflight.sources.live.credentials import RunCredentials
from preflight.sources.live.guard import MAX_ANSWER, GrpcGuard, GuardedAdapter
from preflight.sources.live.network import goes_direct, grpc_proxy_options, grpc_roots, rest_verify
from preflight.sources.live.settings import LiveSettings

_RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com"
_BIGQUERY = "bigquery.googleapis.com"
_CLOUD_IDENTITY = "cloudidentity.googleapis.com"
_TOKENS = "oauth2.googleapis.com"


class Clients:
    """Google's clients by name: those that a run needs, each built once."""

    def __init__(self, settings: LiveSettings, names: Iterable[str]) -> None:
        self._settings = settings
        self._futures: dict[str, Future[Any]] = {name: Future() for name in names}
        self._channels: dict[str, grpc.Channel] = {}
        self._sessions: list[requests.Session] = []
        self._credentials: RunCredentials | None = None

    def get(self, name: str, timeout: float) -> Any:
        """The client; waits for it to be built. Raises TimeoutError, or what building it raised."""
        return self._futures[name].result(timeout)

    def prepare(self) -> None:
        """Imports what the first calls need: of use while the credentials are still on their way."""
        if "projects" in self._futures:
            import google.cloud.resourcemanager_v3.services.projects  # noqa: F401

    def build(self, credentials: RunCredentials) -> None:
        """Builds them all; what goes wrong with one is told to the calls that wait for it.

        Raises UsageError for what concerns all of them: certificates that can't be read.
        """
        self._credentials = credentials
        builders = self._builders()
        for name in sorted(self._futures, key=list(builders).index):
            future = self._futures[name]
            try:
                future.set_result(builders[name]())
            except PreflightError:
                raise
            except Exception as error:  # noqa: BLE001  it is raised where the client is asked for
                future.set_exception(error)

    def fail(self, error: Exception) -> None:
        """Tells the calls that wait for clients that there will be none."""
        for future in self._futures.values():
            if not future.done():
                future.set_exception(error)

    def close(self) -> None:
        """Closes all connections; calls that are still on the way end."""
        for channel in self._channels.values():
            channel.close()
        for session in self._sessions:
            session.close()

    def _builders(self) -> dict[str, Callable[[], Any]]:
        """In the order in which calls need them: what the longest chain of calls starts with comes first."""
        return {
            "projects": self._projects,
            "tokeninfo": self._tokeninfo,
            "folders": self._folders,
            "organizations": self._organizations,
            "deny": self._deny,
            "roles": self._roles,
            "datasets": self._datasets,
            "groups": self._groups,
            "tags": self._tags,
            "org_policies": self._org_policies,
            "troubleshooter": self._troubleshooter,
            "services": self._services,
            "billing": self._billing,
        }

    def _projects(self) -> Any:
        from google.cloud.resourcemanager_v3.services import projects

        return self._gapic(projects, "Projects", _RESOURCE_MANAGER)

    def _folders(self) -> Any:
        from google.cloud.resourcemanager_v3.services import folders

        return self._gapic(folders, "Folders", _RESOURCE_MANAGER)

    def _organizations(self) -> Any:
        from google.cloud.resourcemanager_v3.services import organizations

        return self._gapic(organizations, "Organizations", _RESOURCE_MANAGER)

    def _services(self) -> Any:
        from google.cloud.service_usage_v1.services import service_usage

        return self._gapic(service_usage, "ServiceUsage", "serviceusage.googleapis.com")

    def _billing(self) -> Any:
        from google.cloud.billing_v1.services import cloud_billing

        return self._gapic(cloud_billing, "CloudBilling", "cloudbilling.googleapis.com")

    def _deny(self) -> Any:
        from google.cloud.iam_v2.services import policies

        return self._gapic(policies, "Policies", "iam.googleapis.com")

    def _tags(self) -> Any:
        from google.cloud.resourcemanager_v3.services import tag_bindings

        return self._gapic(tag_bindings, "TagBindings", _RESOURCE_MANAGER)

    def _org_policies(self) -> Any:
        from google.cloud.orgpolicy_v2.services import org_policy

        return self._gapic(org_policy, "OrgPolicy", "orgpolicy.googleapis.com")

    def _troubleshooter(self) -> Any:
        from google.cloud.policytroubleshooter_iam_v3.services import policy_troubleshooter

        return self._gapic(policy_troubleshooter, "PolicyTroubleshooter", "policytroubleshooter.googleapis.com")

    def _groups(self) -> Any:
        """A session and the address: Google has no Cloud Identity client for Python but the discovery one."""
        return self._guarded(self._authorized()), f"{self._base(_CLOUD_IDENTITY)}/v1"

    def _roles(self) -> Any:
        from google.cloud import iam_admin_v1
        from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport

        channel = self._channel("iam.googleapis.com")
        return iam_admin_v1.IAMClient(transport=IAMGrpcTransport(channel=channel))

    def _datasets(self) -> Any:
        from google.cloud import bigquery

        session = self._authorized()
        # The endpoint is always given: BIGQUERY_EMULATOR_HOST must not lead a report astray.
        return bigquery.Client(
            project="unused",  # each call names its project
            credentials=self._credentials,
            _http=self._guarded(session),
            client_options={"api_endpoint": self._base(_BIGQUERY)},
        )

    def _authorized(self) -> requests.Session:
        return google.auth.transport.requests.AuthorizedSession(self._credentials)  # type: ignore[no-untyped-call]

    def _tokeninfo(self) -> Any:
        """A session and the address; no client of Google's has this method."""
        return self._guarded(requests.Session()), f"{self._base(_TOKENS)}/tokeninfo", self._credentials

    def _gapic(self, package: Any, service: str, api: str) -> Any:
        client = getattr(package, f"{service}Client")
        if self._settings.transport == "rest":
            transport = client.get_transport_class("rest")(credentials=self._credentials, host=self._base(api))
            self._guarded(transport._session)
            return client(transport=transport)
        return client(transport=client.get_transport_class("grpc")(channel=self._channel(api)))

    def _base(self, api: str) -> str:
        return self._settings.rest_endpoint or f"https://{self._host(api)}"

    def _host(self, api: str) -> str:
        domain = self._credentials.universe_domain if self._credentials else "googleapis.com"
        return api if domain == "googleapis.com" else api.replace("googleapis.com", domain)

    def _guarded(self, session: requests.Session) -> requests.Session:
        def base_of(method: ApiMethod) -> str:
            return self._base(method.api)

        adapter = GuardedAdapter(base_of, rest_verify(self._settings), goes_direct(self._settings))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        self._sessions.append(session)
        return session

    def _channel(self, api: str) -> grpc.Channel:
        target = self._settings.grpc_endpoint or f"{self._host(api)}:443"
        if target not in self._channels:
            plugin = google.auth.transport.grpc.AuthMetadataPlugin(  # type: ignore[no-untyped-call]
                self._credentials, None, suppress_metrics_header=True
            )
            secure = grpc.composite_channel_credentials(
                grpc.ssl_channel_credentials(grpc_roots(self._settings)), grpc.metadata_call_credentials(plugin)
            )
            options: list[tuple[str, str | int]] = [
                ("grpc.max_receive_message_length", MAX_ANSWER),
                # A second try comes within tenths of a second: the connection has to be tried again by then.
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 1000),
                *grpc_proxy_options(target),
            ]
            channel = grpc.secure_channel(target, secure, options)
            self._channels[target] = grpc.intercept_channel(channel, GrpcGuard())
        return self._channels[target]

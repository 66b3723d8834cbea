"""How the live source reaches Google: endpoints, certificates, who pays, how long, over what."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from preflight.errors import UsageError, nearest

TOKEN_VARIABLE = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  the variable's name


class AccessToken:
    """An access token that can't be shown by accident: whoever sends it asks for it by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The token itself."""
        return self._text

    def __repr__(self) -> str:
        return "AccessToken(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccessToken) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


_ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+gserviceaccount\.com")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def impersonation_chain(text: str) -> tuple[str, ...]:
    """The service accounts of `--impersonate-service-account`: as gcloud has it, the last is the one to act as, and
    those before it are the way there. Raises UsageError for what is no service account's e-mail.
    """
    chain = tuple(part.strip().removeprefix("serviceAccount:") for part in text.split(","))
    for account in chain:
        if not _ACCOUNT.fullmatch(account.casefold()):
            raise UsageError(
                f"--impersonate-service-account: '{account}' is not the e-mail of a service account.",
                "It looks like NAME@PROJECT.iam.gserviceaccount.com; several, separated by commas, are a chain.",
            )
    return chain


class Scope(Struct, frozen=True):
    """How much of a project is read. By default what tells about the one principal."""

    every_role: bool = False
    """All roles that the policies bind, not only those of members that may be the principal."""
    every_dataset: bool = False
    """All datasets in full (up to a thousand), not only the destination and its companions."""


class LiveSettings(Struct, frozen=True, kw_only=True):
    """What the command line and the environment say about the way to Google."""

    rest_endpoint: str | None = None
    """`http://127.0.0.1:PORT`: a stand-in for all REST APIs. None: Google's own hosts."""
    grpc_endpoint: str | None = None
    """`127.0.0.1:PORT`, over TLS: a stand-in for all gRPC APIs."""
    ca_file: Path | None = None
    """The stand-in's certificate authority; it is trusted for the endpoints above and no others."""
    quota_project: str | None = None
    """The project that is charged for calls made with user credentials."""
    timeout: float = 60.0
    """Seconds for all of one `collect`."""
    transport: Literal["grpc", "rest"] = "grpc"
    """For Resource Manager, Service Usage and Billing. BigQuery is REST and IAM gRPC in any case."""
    token: AccessToken | None = None
    """Given credentials; they win over application default credentials."""
    impersonate: tuple[str, ...] = ()
    """The service account to act as, after those by way of which it is reached."""
    universe: str = "googleapis.com"
    """The domain of the Google Cloud universe that the given token is for; other credentials know their own."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **options: Any) -> "LiveSettings":
        """The settings of an environment; an option that isn't None wins over its variable.

        Raises UsageError for a value that can't be used.
        """
        ca_file = environ.get("PREFLIGHT_CA_FILE", "").strip()
        token = environ.get(TOKEN_VARIABLE, "").strip()
        found = {
            "rest_endpoint": environ.get("PREFLIGHT_REST_ENDPOINT", "").strip().rstrip("/") or None,
            "grpc_endpoint": environ.get("PREFLIGHT_GRPC_ENDPOINT", "").strip() or None,
            "ca_file": Path(ca_file) if ca_file else None,
            "transport": environ.get("PREFLIGHT_TRANSPORT", "").strip() or "grpc",
            "quota_project": environ.get("GOOGLE_CLOUD_QUOTA_PROJECT", "").strip() or None,
            "token": AccessToken(token) if token else None,
            "universe": environ.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "").strip() or "googleapis.com",
        }
        return cls(**{**found, **{name: value for name, value in options.items() if value is not None}})

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.universe):
            raise UsageError(f"GOOGLE_CLOUD_UNIVERSE_DOMAIN is '{self.universe}', which is not a domain.")
        if self.transport not in {"grpc", "rest"}:
            raise UsageError(f"There is no transport '{self.transport}'.", nearest(self.transport, ["grpc", "rest"]))
        if not self.timeout > 0:
            raise UsageError(f"A timeout of {self.timeout:g} seconds leaves no time for any call.")
        if self.rest_endpoint and not self.rest_endpoint.startswith(("http://", "https://")):
            raise UsageError(
                f"'{self.rest_endpoint}' is not a REST endpoint.", "Give it with its scheme: http://127.0.0.1:8080"
            )

"""Credentials from a file or from the machine, as Google's library knows them.

Google's own search (`google.auth.default`) is not used: besides finding credentials it runs gcloud and asks
Resource Manager for a project that nobody needs here. The order is the same: the file that
GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own file, the metadata server
(https://cloud.google.com/docs/authentication/application-default-credentials).
"""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.auth.credentials
import google.auth.exceptions
from msgspec.structs import replace

from preflight.errors import CredentialsError
from preflight.facts.credential_methods import (
    GENERATE_ACCESS_TOKEN,
    METADATA,
    OAUTH_TOKEN,
    STS_OAUTH_TOKEN,
    STS_TOKEN,
    SUBJECT_TOKEN,
)
from preflight.facts.methods import ApiMethod
from preflight.sources.live.credential_refusals import LOGIN, Origin, explain
from preflight.sources.live.credential_session import CredentialRequest, CredentialSession, Permit
from preflight.sources.live.network import is_loopback, rest_verify
from preflight.sources.live.refusals import network_detail
from preflight.sources.live.settings import TOKEN_VARIABLE, LiveSettings

FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
# Of what the tool calls, Billing and IAM's roles accept no read-only scope (Google's reference pages): that it
# only reads is held by the list of allowed methods instead.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_AWS = "urn:ietf:params:aws:token-type:aws4_request"
_NEEDS = {
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
    "service_account": ("client_email", "private_key", "token_uri"),
    "external_account": ("audience", "subject_token_type", "credential_source"),
    "external_account_authorized_user": ("audience", "refresh_token", "client_id", "client_secret"),
    "impersonated_service_account": ("source_credentials", "service_account_impersonation_url"),
}
"""The types of files that are understood, and what each must hold."""
_DEFAULT_UNIVERSE = "googleapis.com"


def gcloud_file() -> Path:
    """Where `gcloud auth application-default login` keeps credentials."""
    name = "application_default_credentials.json"
    if folder := os.environ.get("CLOUDSDK_CONFIG"):
        return Path(folder) / name
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", "C:\\")) / "gcloud" / name
    return Path("~/.config/gcloud").expanduser() / name


def found_credentials(settings: LiveSettings, session: CredentialSession) -> tuple[Any, Origin]:
    """Application default credentials, not yet asked for a token, and where they are from.

    Opens on the session what they need. Raises CredentialsError where there are none, or none that can be read.
    """
    if named := os.environ.get(FILE_VARIABLE):
        found = _File(Origin(place="file", path=named), settings, session).credentials()
    elif gcloud_file().is_file():
        found = _File(Origin(place="gcloud", path=str(gcloud_file())), settings, session).credentials()
    else:
        found = _machine(session)
    inner, origin = found
    if settings.quota_project and isinstance(inner, google.auth.credentials.CredentialsWithQuotaProject):
        inner = inner.with_quota_project(settings.quota_project)  # type: ignore[no-untyped-call]
    hosts = dict.fromkeys(urlsplit(permit.url).hostname or "" for permit in session.permits)
    return inner, replace(origin, hosts=tuple(hosts))


def impersonated(
    source: Any,
    chain: tuple[str, ...],
    settings: LiveSettings,
    session: CredentialSession,
    quota_project: str | None = None,
) -> Any:
    """Credentials of the chain's last account, got by way of the others."""
    from google.auth import impersonated_credentials

    base = settings.rest_endpoint or f"https://iamcredentials.{source.universe_domain}"
    url = base + GENERATE_ACCESS_TOKEN.path.replace("{account}", chain[-1])
    session.permit(Permit(GENERATE_ACCESS_TOKEN, url))
    if settings.rest_endpoint:
        session.trust(base, rest_verify(settings))
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source,
        target_principal=chain[-1],
        target_scopes=list(SCOPES),
        delegates=[f"projects/-/serviceAccounts/{account}" for account in chain[:-1]],
        quota_project_id=quota_project,
        iam_endpoint_override=url,
    )


class _File:
    """One credentials file."""

    def __init__(self, origin: Origin, settings: LiveSettings, session: CredentialSession) -> None:
        self._origin = origin
        self._settings = settings
        self._session = session

    def credentials(self) -> tuple[Any, Origin]:
        """What the file holds."""
        inner = self._of(self._read())
        return inner, self._origin

    def _unusable(self, why: str, hint: str = "") -> CredentialsError:
        path = self._origin.path
        if self._origin.place == "file":
            correct = f"Correct the path, or unset {FILE_VARIABLE} and {LOGIN[0].lower()}{LOGIN[1:]}"
            return CredentialsError(f"{FILE_VARIABLE} names {path}, {why}.", hint or correct)
        return CredentialsError(f"gcloud's application default credentials are in {path}, {why}.", hint or LOGIN)

    def _read(self) -> dict[str, Any]:
        try:
            text = Path(self._origin.path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise self._unusable("and there is no such file") from None
        except OSError as error:
            raise self._unusable(f"which cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._unusable("which is no text, and so no credentials") from None
        try:
            held = json.loads(text)
        except ValueError:
            raise self._unusable("which is not JSON, and so no credentials") from None
        if not isinstance(held, dict):
            raise self._unusable("which does not hold credentials")
        return held

    def _of(self, info: dict[str, Any]) -> Any:
        kind = info.get("type")
        if not isinstance(kind, str) or kind not in _NEEDS:
            raise self._unusable(f"which holds no credentials of a known type; known: {', '.join(_NEEDS)}")
        if missing := [key for key in _NEEDS[kind] if not info.get(key)]:
            raise self._unusable(f"which lacks what a file of type {kind} has: {', '.join(missing)}")
        self._origin = replace(self._origin, kind=self._origin.kind or kind)
        build = {
            "authorized_user": self._user,
            "service_account": self._service_account,
            "external_account": self._external,
            "external_account_authorized_user": self._external_user,
            "impersonated_service_account": self._impersonated,
        }[kind]
        try:
            return build(info)
        except (google.auth.exceptions.GoogleAuthError, AttributeError, ValueError, TypeError, KeyError):
            part = "its private_key cannot be read" if kind == "service_account" else "something in it is malformed"
            raise self._unusable(f"which cannot be used: {part}") from None

    def _permit(self, method: ApiMethod, url: Any, **more: Any) -> None:
        """Opens an address that the file names. A token, or what gets one, is never sent without TLS."""
        parts = urlsplit(url if isinstance(url, str) else "")
        host = parts.hostname or ""
        own_link = method == SUBJECT_TOKEN  # the machine's own metadata server, or one on its network
        if (
            not host
            or parts.username
            or not (parts.scheme == "https" or (parts.scheme == "http" and (own_link or is_loopback(host))))
        ):
            raise self._unusable(f"which names an address for {method.id} that is not https://…")
        self._session.permit(Permit(method, url, **more))

    def _user(self, info: dict[str, Any]) -> Any:
        from google.oauth2.credentials import Credentials

        inner: Any = Credentials.from_authorized_user_info(info)  # type: ignore[no-untyped-call]
        self._permit(OAUTH_TOKEN, inner.token_uri)
        return inner

    def _service_account(self, info: dict[str, Any]) -> Any:
        from google.oauth2.service_account import Credentials

        self._permit(OAUTH_TOKEN, info["token_uri"])
        self._origin = replace(self._origin, account=str(info["client_email"]))
        return Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]

    def _external_user(self, info: dict[str, Any]) -> Any:
        from google.auth.external_account_authorized_user import Credentials

        inner: Any = Credentials.from_info(info)  # type: ignore[no-untyped-call]
        self._permit(STS_OAUTH_TOKEN, info.get("token_url") or "https://sts.googleapis.com/v1/oauthtoken")
        self._origin = replace(self._origin, audience=str(info["audience"]))
        return inner

    def _impersonated(self, info: dict[str, Any]) -> Any:
        url = str(info["service_account_impersonation_url"])
        target = url.rpartition("/")[2].removesuffix(":generateAccessToken")
        delegates = tuple(str(one).removeprefix("projects/-/serviceAccounts/") for one in info.get("delegates") or ())
        source = self._of(dict(info["source_credentials"]))
        # As Google's Python library does, the host in the address is not used: the token goes to Google alone.
        return impersonated(source, (*delegates, target), self._settings, self._session, info.get("quota_project_id"))

    def _external(self, info: dict[str, Any]) -> Any:
        source = info["credential_source"]
        if not isinstance(source, Mapping):
            raise TypeError
        universe = info.get("universe_domain") or _DEFAULT_UNIVERSE
        form = source.get("format") or {}
        command = (source.get("executable") or {}).get("command") or ""
        self._origin = replace(
            self._origin,
            audience=str(info["audience"]),
            subject_file=str(source.get("file") or ""),
            subject_field=str(form.get("subject_token_field_name") or "") if form.get("type") == "json" else "",
            program=next(iter(shlex.split(command)), "") if command else "",
        )
        if info["subject_token_type"] == _AWS:
            from google.auth.aws import Credentials as Chosen
        elif source.get("executable") is not None:
            from google.auth.pluggable import Credentials as Chosen  # type: ignore[assignment]
        else:
            from google.auth.identity_pool import Credentials as Chosen  # type: ignore[assignment]
        inner: Any = Chosen.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
        self._permit(STS_TOKEN, info.get("token_url") or f"https://sts.{universe}/v1/token")
        if url := info.get("service_account_impersonation_url"):
            self._permit(GENERATE_ACCESS_TOKEN, url)
        for key, more in (
            ("url", {"below": info["subject_token_type"] == _AWS}),
            ("region_url", {}),
            ("imdsv2_session_token_url", {"verbs": frozenset({"PUT"})}),
        ):
            if url := source.get(key):
                self._permit(SUBJECT_TOKEN, url, **more)
        return inner


def _machine(session: CredentialSession) -> tuple[Any, Origin]:
    """The service account of the machine, if this is one of Google Cloud's."""
    nothing = CredentialsError("No Google Cloud credentials were found.", f"{LOGIN}, or set {TOKEN_VARIABLE}.")
    if os.environ.get("NO_GCE_CHECK") == "true":
        raise nothing
    from google.auth import compute_engine
    from google.auth.compute_engine import _metadata

    host = _metadata._GCE_METADATA_HOST
    address = os.environ.get("GCE_METADATA_IP", "169.254.169.254")
    named = host not in {"metadata.google.internal", "169.254.169.254"}
    pinged = host if named else address
    for base in dict.fromkeys((f"http://{host}", f"https://{host}", f"http://{pinged}")):
        session.permit(
            Permit(METADATA, f"{base}/"),
            Permit(METADATA, f"{base}/computeMetadata/v1/universe/universe-domain"),
            Permit(
                METADATA,
                f"{base}/computeMetadata/v1/instance/service-accounts/",
                below=True,
                verbs=frozenset({"GET", "POST"}),
            ),
        )
    request = CredentialRequest(session)
    try:
        answer = request(f"http://{pinged}/", headers={"Metadata-Flavor": "Google"}, timeout=_ping_seconds())
    except google.auth.exceptions.TransportError as error:
        if not named:
            raise nothing from None
        detail = network_detail(error)
        raise CredentialsError(
            f"GCE_METADATA_HOST names {host}, where no metadata server can be reached: {detail}.",
            f"Correct it or unset it; or {LOGIN[0].lower()}{LOGIN[1:]}",
        ) from None
    if answer.headers.get("Metadata-Flavor") != "Google":
        raise nothing
    origin = Origin(place="metadata")
    try:
        universe = _metadata.get_universe_domain(request)  # type: ignore[no-untyped-call]
    except google.auth.exceptions.GoogleAuthError as error:
        raise explain(error, session.refusal, origin) from None
    return compute_engine.Credentials(scopes=SCOPES, universe_domain=str(universe)), origin  # type: ignore[no-untyped-call]


def _ping_seconds() -> float:
    try:
        return max(0.1, float(os.environ.get("GCE_METADATA_TIMEOUT", "3")))
    except ValueError:
        return 3.0

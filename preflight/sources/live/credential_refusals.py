"""Why credentials gave no token: each way in which that happens, as a sentence and what to do next.

Nothing that a server or a program wrote is quoted, for it may hold a token or an assertion. Where these sentences
tell cases apart by Google's own words, the words are in this file; Google publishes no list of them.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google.auth.exceptions
import requests
from msgspec import Struct

from preflight.errors import CredentialsError
from preflight.facts.credential_methods import GENERATE_ACCESS_TOKEN, METADATA, OAUTH_TOKEN, SUBJECT_TOKEN
from preflight.facts.methods import QUOTA_PROJECT_ROLE
from preflight.sources.live.credential_session import Refusal
from preflight.sources.live.guard import NotAllowedError
from preflight.sources.live.network import network_advice
from preflight.sources.live.refusals import network_detail
from preflight.sources.live.settings import TOKEN_VARIABLE

LOGIN = "Sign in with: gcloud auth application-default login"
NEW_TOKEN = f'Get a new one: export {TOKEN_VARIABLE}="$(gcloud auth print-access-token)"'
REFUSED = "Google did not accept the credentials: they are invalid, expired or revoked."
CREATOR = GENERATE_ACCESS_TOKEN.role
EXECUTABLES = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
_MAIN_ACCOUNT = re.compile(r"[^@]+@(?P<project>[a-z][a-z0-9-]*)(\.(?P<domain>[a-z0-9.-]+))?\.iam\.gserviceaccount\.com")
_PROVIDER = re.compile(
    r"//iam\.googleapis\.com/(?P<name>(projects/(?P<project>[0-9]+)/)?locations/(?P<location>[a-z0-9-]+)"
    r"/(?P<kind>workload|workforce)(Identity)?Pools/(?P<pool>[a-z0-9-]+)/providers/(?P<provider>[A-Za-z0-9-]+))"
)
_CONSUMER = re.compile(r"projects/([a-z0-9.-]+:)?[a-z0-9-]+")


class Origin(Struct, frozen=True, kw_only=True):
    """Where credentials were found and what they are; it holds no secret."""

    place: str
    """`token`: the variable with an access token; `file`, `gcloud` or `metadata`."""
    path: str = ""
    """The file, if they are in one."""
    kind: str = ""
    """The file's `type`."""
    account: str = ""
    """The service account that the file names."""
    audience: str = ""
    """The workload identity pool's provider, as the file names it."""
    subject_file: str = ""
    """Where the other cloud's token is read."""
    subject_field: str = ""
    """Under which key, if that file is JSON."""
    program: str = ""
    """The program that the file wants to be run for the other cloud's token, without its arguments."""
    hosts: tuple[str, ...] = ()
    """Whom these credentials ask for a token."""

    @property
    def named(self) -> str:
        """The place in words."""
        match self.place:
            case "token":
                return TOKEN_VARIABLE
            case "file":
                return f"{self.path} (named by GOOGLE_APPLICATION_CREDENTIALS)"
            case "gcloud":
                return f"{self.path} (gcloud's application default credentials)"
        return "the machine's metadata server"


def explain(
    error: BaseException, refusal: Refusal | None, origin: Origin, chain: tuple[str, ...] = ()
) -> CredentialsError:
    """What to tell of credentials that gave no token; `chain` ends in the account to be impersonated."""
    if isinstance(error, NotAllowedError):
        return CredentialsError(
            f"The credentials were not used: {error}.", f"Look into {origin.named}: it asks for something unusual."
        )
    if origin.program and (refusal is None) and not _is_network(error):
        return _program(error, origin)
    if refusal is not None:
        return _answered(refusal, origin, chain)
    if _is_network(error):
        detail = network_detail(error)
        return CredentialsError(f"No access token could be had: {detail}.", network_advice(detail))
    if origin.subject_file and (trouble := _subject_trouble(origin)):
        return trouble
    if isinstance(error, google.auth.exceptions.GoogleAuthError):
        return CredentialsError(REFUSED, NEW_TOKEN if origin.place == "token" else LOGIN)
    return CredentialsError("The credentials cannot be used: they are malformed.", LOGIN)


def _is_network(error: BaseException) -> bool:
    kinds = (google.auth.exceptions.TransportError, requests.RequestException)
    return isinstance(error, kinds) or isinstance(error.__cause__, kinds)


def _answered(refusal: Refusal, origin: Origin, chain: tuple[str, ...]) -> CredentialsError:
    method, status = refusal.method, refusal.status
    if method == METADATA:
        return _metadata(status)
    if status == 407:
        return CredentialsError(
            "No access token could be had: the proxy wants a name and a password.",
            "Put them into HTTPS_PROXY: http://NAME:PASSWORD@HOST:PORT",
        )
    if status >= 500 or status in {408, 429}:
        return CredentialsError(
            f"No access token could be had: {refusal.host} answered HTTP {status}, also when asked again.",
            "Wait a moment and run again.",
        )
    if 300 <= status < 400:
        return CredentialsError(
            f"No access token could be had: instead of {refusal.host} something answers that leads elsewhere.",
            "Look for a network that wants a sign-in, or for a proxy that answers in Google's place.",
        )
    if method == SUBJECT_TOKEN:
        return CredentialsError(
            f"{refusal.host}, which {origin.path} names for the workload's own token, answered HTTP {status}.",
            "Check that the workload may ask there, and the address and headers in the file.",
        )
    if method == GENERATE_ACCESS_TOKEN:
        return _impersonation(refusal, origin, chain)
    if method == OAUTH_TOKEN:
        return _oauth(refusal.body, origin)
    return _sts(refusal.body, origin)


def _text(body: Mapping[str, Any], key: str) -> str:
    found = body.get(key)
    return found if isinstance(found, str) else ""


def _oauth(body: Mapping[str, Any], origin: Origin) -> CredentialsError:
    """RFC 6749, section 5.2: `error`; Google adds `error_subtype` and its own words in `error_description`."""
    error, said = _text(body, "error"), _text(body, "error_description").casefold()
    if _text(body, "error_subtype") in {"invalid_rapt", "rapt_required"}:
        return CredentialsError("Your organization asks you to sign in again before more is allowed.", LOGIN)
    if origin.kind == "service_account":
        if "jwt signature" in said:
            return CredentialsError(
                f"Google does not accept the key of {origin.account}: it was deleted or replaced.",
                f"See which keys there are: gcloud iam service-accounts keys list --iam-account={origin.account}",
            )
        if "account not found" in said:
            return CredentialsError(
                f"There is no service account {origin.account} any more.",
                f"Use the key of another one than {origin.path} holds.",
            )
        if "reasonable timeframe" in said or "check your iat and exp" in said:
            return CredentialsError(
                "Google did not accept the credentials, because this machine's clock is wrong.",
                "Set the clock, then run again.",
            )
        if "disabled" in said:
            return CredentialsError(
                f"The service account {origin.account} is disabled.",
                f"Enable it: gcloud iam service-accounts enable {origin.account}",
            )
    if error in {"deleted_client", "invalid_client", "unauthorized_client"}:
        return CredentialsError(
            "Google did not accept the credentials: the program that you signed in with is not allowed any more.", LOGIN
        )
    return CredentialsError(REFUSED, LOGIN)


def _sts(body: Mapping[str, Any], origin: Origin) -> CredentialsError:
    """The Security Token Service's errors, in the form of RFC 8693, section 2.2.2."""
    provider = _PROVIDER.fullmatch(origin.audience)
    look = f"Check the audience in {origin.path}."
    if provider and provider["kind"] == "workload" and provider["project"]:
        look = (
            f"See it with: gcloud iam workload-identity-pools providers describe {provider['provider']} "
            f"--workload-identity-pool={provider['pool']} --location={provider['location']} "
            f"--project={provider['project']}"
        )
    elif provider:
        look = (
            f"See it with: gcloud iam workforce-pools providers describe {provider['provider']} "
            f"--workforce-pool={provider['pool']} --location={provider['location']}"
        )
    if origin.kind == "external_account_authorized_user":
        config = "gcloud auth application-default login --login-config=FILE"
        return CredentialsError(REFUSED, f"Sign in again: {config}")
    match _text(body, "error"):
        case "invalid_target":
            return CredentialsError(
                "The identity pool or provider that the credentials' file names does not exist, or is disabled.", look
            )
        case "unauthorized_client":
            return CredentialsError("The provider's attribute condition does not accept the workload's token.", look)
        case "invalid_grant":
            where = f" in {origin.subject_file}" if origin.subject_file else ""
            return CredentialsError(
                f"Google's Security Token Service did not accept the workload's token{where}: it is expired, or not "
                "made for this provider.",
                look,
            )
    return CredentialsError("Google's Security Token Service refused the credentials.", look)


def _metadata(status: int) -> CredentialsError:
    if status == 404:
        return CredentialsError(
            "The machine's metadata server knows no service account: none is attached to this machine.",
            "Attach one (gcloud compute instances set-service-account), or set GOOGLE_APPLICATION_CREDENTIALS.",
        )
    return CredentialsError(
        f"The machine's metadata server gave no token: it answered HTTP {status}.",
        "On GKE, check that the workload's Kubernetes service account may use a Google one; else run again.",
    )


def _impersonation(refusal: Refusal, origin: Origin, chain: tuple[str, ...]) -> CredentialsError:
    """The IAM Service Account Credentials API's errors, in the form of google.rpc.Status."""
    target = chain[-1] if chain else "the service account"
    reason, metadata = _error_info(refusal.body)
    consumer = metadata.get("consumer", "")
    project = consumer.removeprefix("projects/") if _CONSUMER.fullmatch(consumer) else "PROJECT"
    if reason == "SERVICE_DISABLED":
        return CredentialsError(
            f"{target} cannot be impersonated: the API for it is not enabled in the project that pays for the call"
            + (f" ({project})." if project != "PROJECT" else "."),
            f"Enable it: gcloud services enable iamcredentials.googleapis.com --project={project}",
        )
    if reason in {"USER_PROJECT_DENIED", "CONSUMER_INVALID", "CONSUMER_SUSPENDED"}:
        return CredentialsError(
            f"{target} cannot be impersonated: the quota project {project} may not be used.",
            f"Name another one with --quota-project, or have {QUOTA_PROJECT_ROLE} granted on it.",
        )
    if refusal.status == 401:
        return CredentialsError(
            f"Google did not accept the credentials that were to impersonate {target}: "
            "they are invalid, expired or revoked.",
            NEW_TOKEN if origin.place == "token" else LOGIN,
        )
    if refusal.status == 404:
        return CredentialsError(f"There is no service account {target}.", "Check its e-mail address.")
    if refusal.status == 400:
        return CredentialsError(
            f"Google can give no token for {target}: the request is not valid for it.",
            "Check its e-mail address, and that it is a service account.",
        )
    if len(chain) > 1:
        return CredentialsError(
            f"{target} may not be impersonated by way of {', '.join(chain[:-1])}: each must hold {CREATOR} on the "
            "next, or one of them does not exist.",
            f"The first grant: {_grant(chain[0], origin)}",
        )
    return CredentialsError(
        f"{target} may not be impersonated: the caller lacks {CREATOR} on it, or it does not exist.",
        f"Grant it: {_grant(target, origin)}",
    )


def _grant(account: str, origin: Origin) -> str:
    member = f"serviceAccount:{origin.account}" if origin.account else "user:YOUR-EMAIL"
    project = own_project(account)
    return f"gcloud iam service-accounts add-iam-policy-binding {account} --member={member} --role={CREATOR}" + (
        f" --project={project}" if project else ""
    )


def own_project(account: str) -> str:
    """The project that a service account belongs to, where its e-mail tells; else empty."""
    found = _MAIN_ACCOUNT.fullmatch(account)
    if not found:
        return ""
    return f"{found['domain']}:{found['project']}" if found["domain"] else found["project"]


def _error_info(body: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """`reason` and `metadata` of google.rpc.ErrorInfo."""
    error = body.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for one in details if isinstance(details, list) else []:
        if isinstance(one, dict) and str(one.get("@type", "")).endswith("google.rpc.ErrorInfo"):
            found = one.get("metadata")
            texts = {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}
            return _text(one, "reason"), texts
    return "", {}


def _subject_trouble(origin: Origin) -> CredentialsError | None:
    """What is wrong with the file that should hold the workload's own token."""
    path = origin.subject_file
    hint = f"Check that whatever is to write it has run, and credential_source in {origin.path}."
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return CredentialsError(f"The workload's own token should be in {path}, and there is no such file.", hint)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        return CredentialsError(f"The workload's own token should be in {path}, which cannot be read: {why}.", hint)
    if not text.strip():
        return CredentialsError(f"The workload's own token should be in {path}, which is empty.", hint)
    if origin.subject_field:
        try:
            held = json.loads(text)
        except ValueError:
            held = None
        if not isinstance(held, dict) or not held.get(origin.subject_field):
            return CredentialsError(
                f"The workload's own token should be in {path} under '{origin.subject_field}', and is not.", hint
            )
    return None


def _program(error: BaseException, origin: Origin) -> CredentialsError:
    if os.environ.get(EXECUTABLES) != "1":
        return CredentialsError(
            f"{origin.path} wants a program to be run for its token ({origin.program}), which is not allowed.",
            f"If you trust that file and the program, allow it: {EXECUTABLES}=1",
        )
    what = "took too long" if isinstance(error, subprocess.TimeoutExpired) else "gave no token"
    return CredentialsError(
        f"The program that {origin.path} wants to be run for its token ({origin.program}) {what}.",
        "Run it by hand to see why.",
    )

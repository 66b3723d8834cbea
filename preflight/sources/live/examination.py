"""What can be told of a run before it asks about a project: for `preflight doctor`.

It asks for a token, whose it is, and of the project that pays for the calls which APIs are on there: with the same
source, and so the same list of allowed methods, as a run. Whether Google's hosts can be reached is tried up to the
TLS handshake, with no request sent.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from preflight.errors import PreflightError
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.methods import (
    ALLOWED,
    GROUP_LOOKUP,
    PROJECT_TEST,
    QUOTA_PROJECT_PERMISSION,
    QUOTA_PROJECT_ROLE,
    SERVICE_GET,
    TOKEN_INFO,
    ApiMethod,
)
from preflight.facts.project import Fact, Service, Services, ServiceState
from preflight.facts.seen import ApiDisabled, Denied, Unauthenticated, Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.sources.live.settings import LiveSettings
from preflight.sources.live.source import CredentialsSoon, LiveSource
from preflight.sources.live.surroundings import Check, certificates, hosts, overrides, proxies
from preflight.version import __version__

if TYPE_CHECKING:  # Google's libraries load when they are needed, not before
    from preflight.sources.live.credentials import RunCredentials

_SELDOM = {GROUP_LOOKUP.api: "run asks it only where access may go through a group"}
"""APIs that most runs do without, and when one doesn't."""
_KINDS = {
    "authorized_user": "a user's sign-in",
    "service_account": "a service account's key",
    "external_account": "another cloud's or company's identity (workload identity federation)",
    "external_account_authorized_user": "a sign-in through a workforce pool",
    "impersonated_service_account": "a sign-in that impersonates a service account",
}
_FIRST = "Mend what is said above, then ask again."


def examine(
    settings: LiveSettings,
    environ: Mapping[str, str],
    profile: Profile,
    project: str | None = None,
    output_dir: Path | None = None,
    on_wait: Callable[[str], None] | None = None,
    methods: tuple[ApiMethod, ...] = ALLOWED,
) -> tuple[Check, ...]:
    """Everything that can be told; `project` is only named in what to do, and asked nothing. `methods`: those that
    a run calls.
    """
    from preflight.sources.live.quiet import keep_quiet

    keep_quiet()
    ends = time.monotonic() + settings.timeout
    soon = CredentialsSoon(settings)
    error: PreflightError | None = None
    try:
        soon.get(ends, on_wait)
    except PreflightError as caught:
        error = caught
    checks = [
        _tool(),
        *_credentials(soon.found, error, settings),
        *_asked(
            soon.found if error is None else None, settings, environ, profile, needed_apis(methods), project, on_wait
        ),
        *proxies(environ),
        *certificates(environ, settings),
        *overrides(environ, settings),
        *hosts(settings, soon.found, methods, on_wait),
    ]
    if output_dir is not None:
        checks.append(_folder(output_dir))
    return tuple(checks)


def _tool() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    return Check("preflight", "ok", f"version {__version__}, Python {python}, {platform.system() or sys.platform}")


def _credentials(
    found: "RunCredentials | None", error: PreflightError | None, settings: LiveSettings
) -> Iterable[Check]:
    if found is None:
        yield Check("credentials", "problem", error.message if error else "none", error.hint if error else "")
        return
    kind = _KINDS.get(found.origin.kind, "")
    words = {"token": "an access token", "metadata": "the machine's service account"}.get(found.origin.place, kind)
    yield Check("credentials", "ok", f"{words}, from {found.origin.named}")
    if settings.impersonate:
        way = f", by way of {', '.join(found.chain[:-1])}" if found.chain[1:] else ""
        yield Check("impersonation", "ok", f"as {found.chain[-1]}{way}")
    if found.universe_domain != "googleapis.com":
        yield Check("universe", "ok", f"{found.universe_domain}, as the credentials say")
    if error:
        yield Check("token", "problem", error.message, error.hint)
    elif found.trace:
        took = sum(call.milliseconds for call in found.trace)
        yield Check("token", "ok", f"obtained in {took} ms")
    else:
        yield Check("token", "ok", "given; whether Google accepts it is told below")


def _asked(
    found: "RunCredentials | None",
    settings: LiveSettings,
    environ: Mapping[str, str],
    profile: Profile,
    apis: tuple[str, ...],
    project: str | None,
    on_wait: Callable[[str], None] | None,
) -> Iterable[Check]:
    """Whose token it is, and the project that pays."""
    if found is None:
        yield Check("quota project", "unknown", "not asked: there is no token", _FIRST)
        return
    ask = _Asking(settings, found, replace(profile, apis=apis), on_wait)
    named = found.quota_project_id
    if named:
        snapshot = ask(named, CallerIdentity, CallerPermissions, Services)
        yield _account(snapshot)
        where = _named_by(settings, environ, found)
        yield Check("quota project", "ok", f"{named} ({where})")
        yield from _quota_project(snapshot, named, apis, own=False)
        return
    snapshot = ask(project or "no-project", CallerIdentity)  # it is asked nothing
    yield _account(snapshot)
    identity = snapshot.caller_identity
    email = identity.email if isinstance(identity, CallerIdentity) else ""
    own = _own_project(email)
    if own:
        yield Check("quota project", "ok", f"none is needed: a service account's calls are charged to its own, {own}")
        yield from _quota_project(ask(own, CallerPermissions, Services), own, apis, own=True)
    elif email and not email.casefold().endswith(".gserviceaccount.com"):
        name = project or "PROJECT"
        yield Check(
            "quota project",
            "problem",
            "none, and a user's calls are charged to one",
            f"Name one: --quota-project {name}"
            if found.origin.place == "token"
            else f"Name one: gcloud auth application-default set-quota-project {name}",
        )
    else:
        yield Check(
            "quota project", "unknown", "none is named", "If calls are refused for want of one: --quota-project PROJECT"
        )


def _own_project(email: str) -> str:
    """The project of a service account, by the forms of its e-mail that Google documents."""
    from preflight.sources.live.credential_refusals import own_project

    name, _, host = email.casefold().partition("@")
    if host == "appspot.gserviceaccount.com":
        return name
    if host == "developer.gserviceaccount.com":
        return name.partition("-")[0]
    return own_project(email.casefold())


def _named_by(settings: LiveSettings, environ: Mapping[str, str], found: "RunCredentials") -> str:
    if not settings.quota_project:
        return f"named in {found.origin.path}"
    if environ.get("GOOGLE_CLOUD_QUOTA_PROJECT", "").strip() == settings.quota_project:
        return "named by GOOGLE_CLOUD_QUOTA_PROJECT"
    return "named by --quota-project"


class _Asking:
    """Asks what a run would ask, of one project."""

    def __init__(
        self,
        settings: LiveSettings,
        found: "RunCredentials",
        profile: Profile,
        on_wait: Callable[[str], None] | None,
    ) -> None:
        self._settings, self._found, self._on_wait = settings, found, on_wait
        only = (QUOTA_PROJECT_PERMISSION,)
        self._profile = replace(
            profile,
            grant=replace(profile.grant, minimum_permissions=only, broad_permissions=()),
            dataset=replace(profile.dataset, create_permissions=only, write_permissions=only),
        )

    def __call__(self, project: str, *facts: type[Fact]) -> Snapshot:
        target = Target(project, self._profile.principal)
        source = LiveSource(self._settings, self._profile, target, self._on_wait, credentials=self._found)
        return source.collect(frozenset(facts))


def needed_apis(methods: Iterable[ApiMethod]) -> tuple[str, ...]:
    """The APIs that a run calls by these methods, and so must be on in the project that pays."""
    return tuple(sorted({method.api for method in methods} - {TOKEN_INFO.api}))


def _account(snapshot: Snapshot) -> Check:
    identity = snapshot.caller_identity
    if isinstance(identity, CallerIdentity):
        return Check("account", "ok", identity.email)
    if isinstance(identity.reason, Unauthenticated):
        return Check("account", "problem", identity.reason.describe(), identity.reason.settle())
    return Check("account", "unknown", identity.reason.describe(), "It is no hindrance: run names what it can't tell.")


def _quota_project(snapshot: Snapshot, project: str, apis: tuple[str, ...], *, own: bool) -> Iterable[Check]:
    services, permissions, identity = snapshot.services, snapshot.caller_permissions, snapshot.caller_identity
    resource = f"projects/{project}"
    denied = _quota_denied(services, permissions)
    if not own:
        about = f"use of {project}"
        held = permissions.holds(QUOTA_PROJECT_PERMISSION) if isinstance(permissions, CallerPermissions) else None
        member = identity.member if isinstance(identity, CallerIdentity) else "user:YOUR-EMAIL"
        grant = (
            f"Have it granted: gcloud projects add-iam-policy-binding {project} --member={member} "
            f"--role={QUOTA_PROJECT_ROLE} --condition=None"
        )
        if denied or held is False:
            yield Check(about, "problem", f"the caller lacks {QUOTA_PROJECT_PERMISSION} on {resource}", grant)
        elif held:
            yield Check(about, "ok", f"the caller holds {QUOTA_PROJECT_PERMISSION}")
        else:
            yield Check(about, "unknown", _why(permissions), "See the lines below.")
        if denied:
            yield Check(f"APIs in {project}", "unknown", "not told while the project may not be used", _FIRST)
            return
    for api in apis:
        if own and api.startswith("bigquery."):
            continue  # BigQuery charges the project asked about, where no other is named
        check = _api(api, project, services, permissions)
        if api in _SELDOM and check.state == "problem":
            check = replace(check, state="note", detail=f"{check.detail}; {_SELDOM[api]}")
        yield check


def _quota_denied(*answers: object) -> bool:
    reasons = [one.reason for one in _unknowns(answers)]
    return any(isinstance(reason, Denied) and reason.permission == QUOTA_PROJECT_PERMISSION for reason in reasons)


def _unknowns(answers: Iterable[object]) -> Iterable[Unknown]:
    for one in answers:
        if isinstance(one, Unknown):
            yield one
        elif isinstance(one, Services):
            yield from (service for service in one.services.values() if isinstance(service, Unknown))


def _why(answer: object) -> str:
    return answer.reason.describe() if isinstance(answer, Unknown) else "it was not asked"


def _api(api: str, project: str, services: object, permissions: object) -> Check:
    enable = f"Enable it: gcloud services enable {api} --project={project}"
    service = services.services.get(api) if isinstance(services, Services) else services
    if isinstance(service, Service) and service.state != ServiceState.ENABLED:
        return Check(api, "problem", f"is not enabled in {project}", enable)
    if isinstance(service, Service):
        return Check(api, "ok", f"is enabled in {project}")
    # Whatever an API answers but "I am off" shows that it is on.
    asked = {PROJECT_TEST.api: permissions, SERVICE_GET.api: service}.get(api)
    if isinstance(asked, Unknown) and isinstance(asked.reason, ApiDisabled) and asked.reason.api == api:
        return Check(api, "problem", f"is not enabled in {project}", enable)
    if isinstance(asked, CallerPermissions) or (isinstance(asked, Unknown) and isinstance(asked.reason, Denied)):
        return Check(api, "ok", f"answers for {project}")
    return Check(api, "unknown", _why(service), f"See for yourself: gcloud services list --project={project}")


def _folder(folder: Path) -> Check:
    nearest = folder
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    hint = "Name another one: --output-dir FOLDER"
    if not nearest.is_dir():
        return Check("output folder", "problem", f"{folder}: {nearest} is a file", hint)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Check("output folder", "problem", f"{folder}: nothing may be written to {nearest}", hint)
    return Check("output folder", "ok", str(folder) if folder == nearest else f"{folder} (will be made)")

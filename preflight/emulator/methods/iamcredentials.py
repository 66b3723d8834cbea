"""IAM Service Account Credentials v1: a service account's access token, for who may act as it."""

import re
from datetime import UTC, datetime, timedelta

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method
from preflight.emulator.world import Caller

SERVICE = "iamcredentials.googleapis.com"
_DELEGATE = "iam.serviceAccounts.implicitDelegation"
_ACCOUNT = re.compile(r"projects/-/serviceAccounts/([^/]+@[^/]+)")
_LONGEST = timedelta(hours=1)


def _generate_access_token(ask: Ask) -> Json:
    """Each account of a chain has to hold what it needs on the next one: the caller first, the last on the target."""
    scopes, delegates = ask.params.get("scope"), ask.params.get("delegates", [])
    if not isinstance(scopes, list) or not scopes or not isinstance(delegates, list):
        raise errors.invalid("Request contains an invalid argument.")
    lifetime = _lifetime(ask.text("lifetime"))
    target, between = _email(ask.text("name")), [_email(str(one)) for one in delegates]
    holder = ask.caller
    for email in between:
        holder = _next(ask, holder, email, _DELEGATE)
    holder = _next(ask, holder, target, ask.method.permission)
    moment = datetime.now(UTC) + lifetime
    return {"accessToken": holder.bearer, "expireTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _next(ask: Ask, holder: Caller, email: str, permission: str) -> Caller:
    account = ask.directory.account(email)
    if account is None:
        raise errors.not_found(f"Not found; Gaia id not found for email {email}")
    if not ask.access.holds(holder, permission, account):
        raise errors.iam_permission_denied(permission)
    return ask.directory.callers[email.lower()]


def _email(name: str) -> str:
    """Of ``projects/-/serviceAccounts/EMAIL``: a project in place of the hyphen is refused."""
    found = _ACCOUNT.fullmatch(name)
    if found is None:
        raise errors.invalid(f"Invalid form of resource name: {name}")
    return found[1]


def _lifetime(text: str) -> timedelta:
    """An hour at most, and if none is asked for."""
    found = re.fullmatch(r"(\d{1,6})(\.\d{1,9})?s", text or "3600s")
    asked = timedelta(seconds=float(found[0][:-1])) if found else timedelta()
    if not timedelta() < asked <= _LONGEST:
        raise errors.invalid("Request contains an invalid argument.")
    return asked


METHODS = (
    Method(
        "iamcredentials.projects.serviceAccounts.generateAccessToken",
        SERVICE,
        "iam.serviceAccounts.getAccessToken",
        _generate_access_token,
    ),
)

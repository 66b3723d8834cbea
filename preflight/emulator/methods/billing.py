"""Cloud Billing v1: the account that a project is linked to."""

import re

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method

SERVICE = "cloudbilling.googleapis.com"


def _get_billing_info(ask: Ask) -> Json:
    """`billingEnabled` is false without an account and with a closed one; only then is the name still set."""
    name = ask.text("name").removesuffix("/billingInfo")
    if not re.fullmatch("projects/[^/]+", name):
        raise errors.invalid(f"The name {name!r} is not projects/*.")
    project = ask.directory.project(name)
    if project is None or not ask.may(project):
        raise errors.permission_denied()
    account = project.billing.account
    if account and not account.startswith("billingAccounts/"):
        account = f"billingAccounts/{account}"
    return {
        "name": f"projects/{project.id}/billingInfo",
        "projectId": project.id,
        "billingAccountName": account,
        "billingEnabled": project.billing.enabled,
    }


METHODS = (Method("cloudbilling.projects.getBillingInfo", SERVICE, "resourcemanager.projects.get", _get_billing_info),)

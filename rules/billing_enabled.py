"""Billing is enabled on the project."""

from preflight import Billing, Remedy, Severity, Target, Verdict, console, failed, passed, rule, shell

# BigQuery's documentation of the sandbox ("Limitations").
_SANDBOX = (
    "without billing BigQuery is a sandbox: it looks as if it worked, but refuses DML and streaming, and deletes "
    "every table 60 days after it was made"
)


@rule(
    title="Billing is enabled",
    why="Without billing BigQuery runs as a sandbox: syncs fail at the first write by DML, and tables expire.",
    severity=Severity.REQUIRED,
    requirements=("H2",),
    since="0.1",
    order=20,
)
def billing_is_enabled(billing: Billing, target: Target) -> Verdict:
    """Reads the project's billing information, and tells a project that no account is linked to from one whose
    linked account is closed."""
    page = console("billing/linkedaccount", target.project)
    if billing.enabled:
        return passed("billing is enabled", billing.seen("enabled", "account"))
    if billing.account is None:
        return failed(
            f"no billing account is linked to the project; {_SANDBOX}",
            billing.seen("enabled", "account"),
            remedy=Remedy(
                summary="Link an open billing account (find its ID with the first command).",
                commands=(
                    "gcloud billing accounts list --filter=open=true",
                    shell(
                        "gcloud",
                        "billing",
                        "projects",
                        "link",
                        target.project,
                        "--billing-account=ACCOUNT_ID",
                    ),
                ),
                terraform='billing_account = "ACCOUNT_ID" # in the google_project resource',
                console_url=page,
            ),
        )
    account = billing.account.removeprefix("billingAccounts/")
    return failed(
        f"the linked billing account {account} is closed; {_SANDBOX}",
        billing.seen("enabled", "account"),
        remedy=Remedy(
            summary="Reopen the account in the console, or link another one that is open (the first command lists "
            "their IDs).",
            commands=(
                "gcloud billing accounts list --filter=open=true",
                shell("gcloud", "billing", "projects", "link", target.project, "--billing-account=ACCOUNT_ID"),
            ),
            terraform='billing_account = "ACCOUNT_ID" # in the google_project resource',
            console_url=page,
        ),
    )

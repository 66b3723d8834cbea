"""billing-enabled: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import Billing, Denied, TimedOut, Unknown
from preflight.testing import HERE, judge

ACCOUNT = "billingAccounts/01D4EE-079462-DFD6EC"
GET = "resourcemanager.projects.get"


def billing(*, enabled: bool, account: str | None) -> Billing:
    return Billing(provenance=HERE, enabled=enabled, account=account)


@pytest.mark.parametrize(
    ("fact", "status", "says"),
    [
        pytest.param(billing(enabled=True, account=ACCOUNT), "pass", "billing is enabled", id="on"),
        pytest.param(billing(enabled=False, account=None), "fail", "no billing account is linked", id="never linked"),
        pytest.param(
            billing(enabled=False, account=ACCOUNT),
            "fail",
            "the linked billing account 01D4EE-079462-DFD6EC is closed",
            id="linked, and closed",
        ),
        pytest.param(Unknown(Denied(GET, "projects/acme-analytics"), HERE), "unknown", GET, id="refused"),
        pytest.param(Unknown(TimedOut("cloudbilling.projects.getBillingInfo")), "unknown", "in time", id="no answer"),
    ],
)
def test_each_answer(fact, status, says):
    verdict = judge("billing-enabled", billing=fact)
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["never linked", "closed"])
def test_it_says_what_the_sandbox_would_do_and_how_to_link_an_account(account):
    verdict = judge("billing-enabled", billing=billing(enabled=False, account=account))
    assert "refuses DML and streaming, and deletes every table 60 days" in verdict.message
    assert f"account: {account or 'none'}" in verdict.evidence[0].detail
    remedy = verdict.remedies[0]
    assert remedy.commands == (
        "gcloud billing accounts list --filter=open=true",
        "gcloud billing projects link acme-analytics --billing-account=ACCOUNT_ID",
    )
    assert remedy.terraform
    assert remedy.console_url == "https://console.cloud.google.com/billing/linkedaccount?project=acme-analytics"

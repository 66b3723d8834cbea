"""The demo worlds are what their first lines say: what the admin meets, and what the vendor's account holds."""

import pytest

from preflight.emulator import Emulator, World
from tests.emulator.conftest import HEAP
from tests.emulator.raw import ask

ADMIN = "admin@acme.example"
READS = {
    "project": ("GET", "/v3/projects/acme-analytics"),
    "policy": ("POST", "/v3/projects/acme-analytics:getIamPolicy"),
    "folder's policy": ("POST", "/v3/folders/373737000001:getIamPolicy"),
    "organisation's policy": ("POST", "/v3/organizations/987650000001:getIamPolicy"),
    "billing": ("GET", "/v1/projects/acme-analytics/billingInfo"),
    "service": ("GET", "/v1/projects/acme-analytics/services/bigquery.googleapis.com"),
    "datasets": ("GET", "/bigquery/v2/projects/acme-analytics/datasets"),
    "destination": ("GET", "/bigquery/v2/projects/acme-analytics/datasets/heap_production"),
}
ASKED = ["bigquery.jobs.create", "bigquery.datasets.create"]


@pytest.mark.parametrize(
    ("name", "refused", "destination", "vendor"),
    [
        ("ready", set(), 404, ASKED),
        ("broken", set(), 200, []),
        (
            "blind",
            {"policy", "folder's policy", "organisation's policy", "service"},
            404,
            ASKED,
        ),
    ],
)
def test_what_can_be_seen(name, refused, destination, vendor):
    with Emulator(World.demo(name)) as cloud:
        got = {
            what: ask(cloud, verb, path, caller=ADMIN, body={} if verb == "POST" else None)[0]
            for what, (verb, path) in READS.items()
        }
        expected = {what: 403 if what in refused else 200 for what in READS} | {"destination": destination}
        assert got == expected
        path = "/v3/projects/acme-analytics:testIamPermissions"
        answer = ask(cloud, "POST", path, caller=HEAP, body={"permissions": ASKED})[2]
        assert answer.get("permissions", []) == vendor


def test_the_broken_ones_billing_account_is_closed():
    with Emulator(World.demo("broken")) as cloud:
        _, _, billing = ask(cloud, "GET", "/v1/projects/acme-analytics/billingInfo", caller=ADMIN)
        assert (billing["billingEnabled"], bool(billing["billingAccountName"])) == (False, True)

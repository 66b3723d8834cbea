"""generateAccessToken: who gets a service account's token, and how Google words a refusal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from preflight.emulator import Emulator, WorldError
from preflight.testing import world
from tests.emulator.raw import ask

ANA, BEN = "ana@acme.example", "ben@acme.example"
AUDITOR = "auditor@acme-tools.iam.gserviceaccount.com"
GATE = "gate@acme-tools.iam.gserviceaccount.com"
FOREIGN = "sync@elsewhere.iam.gserviceaccount.com"
CREATOR = "roles/iam.serviceAccountTokenCreator"
SCOPE = ["https://www.googleapis.com/auth/cloud-platform"]


def cloud_of(
    on_account: str = "",
    on_project: str = "",
    on_organization: str = "",
    *,
    member: str = f"user:{ANA}",
    condition: str = "",
    deny: str = "",
    gate: str = "",
) -> Emulator:
    """A world with these roles for one member, on the account, its project and the organization above."""

    def grant(place: str, role: str, who: str) -> str:
        if not role:
            return ""
        only_if = f'condition = {{ expression = "{condition}" }}' if condition else ""
        return f'[[{place}.bindings]]\nrole = "{role}"\nmembers = ["{who}"]\n{only_if}\n'

    return Emulator(
        world(f"""
now = 2026-03-01T12:00:00Z
[[callers]]
email = "{ANA}"
[[callers]]
email = "{BEN}"
[[callers]]
email = "{AUDITOR}"
kind = "service_account"
{grant("callers", on_account, member)}
[[callers]]
email = "{GATE}"
kind = "service_account"
{grant("callers", gate, f"user:{ANA}")}
[[callers]]
email = "{FOREIGN}"
kind = "service_account"
{grant("callers", on_account, member)}
[[organizations]]
id = "1000"
{grant("organizations", on_organization, member)}
[[projects]]
id = "acme-tools"
number = "3003"
parent = "organizations/1000"
services = ["iamcredentials.googleapis.com"]
roles = [{{ name = "tokens", permissions = ["iam.serviceAccounts.getAccessToken"] }}]
{grant("projects", on_project, member)}
{deny}
""")
    )


def generate(cloud: Emulator, account: str = AUDITOR, caller: str = ANA, **body: object) -> tuple[int, Any]:
    path = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    status, _, answer = ask(cloud, "POST", path, caller=caller, body={"scope": SCOPE, **body})
    return status, answer


REFUSED = {
    "error": {
        "code": 403,
        "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        "status": "PERMISSION_DENIED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com",
                "metadata": {"permission": "iam.serviceAccounts.getAccessToken"},
            }
        ],
    }
}
DENY = """[[projects.deny]]
name = "no-tokens"
[[projects.deny.rules]]
denied_principals = ["principalSet://goog/public:all"]
denied_permissions = ["iam.googleapis.com/serviceAccounts.getAccessToken"]
"""


@pytest.mark.parametrize(
    ("grants", "given"),
    [
        pytest.param({"on_account": CREATOR}, True, id="on the account"),
        pytest.param({"on_project": CREATOR}, True, id="on its project"),
        pytest.param({"on_organization": CREATOR}, True, id="above its project"),
        pytest.param({"on_project": "projects/acme-tools/roles/tokens"}, True, id="by a custom role"),
        pytest.param({"on_account": "projects/acme-tools/roles/tokens"}, True, id="by its project's role, on it"),
        pytest.param({}, False, id="nothing"),
        pytest.param({"on_project": "roles/owner"}, False, id="the owner of the project"),
        pytest.param({"on_account": "roles/iam.securityAdmin"}, False, id="another role on it"),
        pytest.param({"on_account": CREATOR, "member": f"user:{BEN}"}, False, id="somebody else"),
        pytest.param({"on_account": CREATOR, "member": "domain:acme.example"}, True, id="all of the domain"),
        pytest.param({"on_account": CREATOR, "deny": DENY}, False, id="denied on the project"),
        pytest.param(
            {"on_account": CREATOR, "condition": "request.time < timestamp('2026-06-01T00:00:00Z')"},
            True,
            id="while it lasts",
        ),
        pytest.param(
            {"on_account": CREATOR, "condition": "request.time < timestamp('2026-01-01T00:00:00Z')"},
            False,
            id="when it has ended",
        ),
        pytest.param(
            {"on_project": CREATOR, "condition": "resource.type == 'iam.googleapis.com/ServiceAccount'"},
            True,
            id="for accounts alone",
        ),
        pytest.param(
            {"on_project": CREATOR, "condition": "resource.type == 'cloudresourcemanager.googleapis.com/Project'"},
            False,
            id="for projects alone",
        ),
    ],
)
def test_who_gets_it(grants, given):
    with cloud_of(**grants) as cloud:
        status, answer = generate(cloud)
        token = cloud.token(AUDITOR)
    if given:
        assert (status, answer["accessToken"]) == (200, token)
    else:
        assert (status, answer) == (403, REFUSED)


def test_an_account_whose_project_is_not_in_the_world():
    with cloud_of(on_account=CREATOR) as cloud:
        assert generate(cloud, FOREIGN)[0] == 200
        assert generate(cloud, FOREIGN, caller=BEN) == (403, REFUSED)


def test_it_speaks_for_the_account_then_and_is_not_in_the_record():
    with cloud_of(on_account=CREATOR, on_project="roles/browser", member=f"user:{ANA}") as cloud:
        _, answer = generate(cloud)
        _, _, told = ask(cloud, "GET", f"/tokeninfo?access_token={answer['accessToken']}")
        assert told["email"] == AUDITOR
        assert answer["accessToken"] not in repr(cloud.exchanges)
        assert (cloud.exchanges[0].caller, cloud.exchanges[0].method) == (
            ANA,
            "iamcredentials.projects.serviceAccounts.generateAccessToken",
        )


def test_each_of_a_chain_may_act_as_the_next():
    chain = {"delegates": [f"projects/-/serviceAccounts/{GATE}"]}
    with cloud_of(on_account=CREATOR, member=f"serviceAccount:{GATE}", gate=CREATOR) as cloud:
        assert generate(cloud, **chain)[1]["accessToken"] == cloud.token(AUDITOR)
        assert generate(cloud) == (403, REFUSED), "not without the account between"
        status, answer = generate(cloud, caller=BEN, **chain)
        assert (status, answer["error"]["details"][0]["metadata"]) == (
            403,
            {"permission": "iam.serviceAccounts.implicitDelegation"},
        )
    with cloud_of(gate=CREATOR) as cloud:
        assert generate(cloud, **chain) == (403, REFUSED), "the account between may not act as the last"


@pytest.mark.parametrize("account", ["nobody@acme-tools.iam.gserviceaccount.com", BEN])
def test_an_account_that_is_not_there(account):
    with cloud_of(on_project=CREATOR) as cloud:
        status, answer = generate(cloud, account)
    assert (status, answer["error"]["message"]) == (404, f"Not found; Gaia id not found for email {account}")


def test_how_long_it_holds():
    with cloud_of(on_account=CREATOR) as cloud:
        for asked, seconds in (({}, 3600), ({"lifetime": "600s"}, 600), ({"lifetime": "0.5s"}, 0.5)):
            before = datetime.now(UTC).replace(microsecond=0)
            ends = datetime.fromisoformat(generate(cloud, **asked)[1]["expireTime"])
            assert before <= ends - timedelta(seconds=int(seconds)) <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(
    "body",
    [{"scope": []}, {"scope": "all"}, {"lifetime": "3601s"}, {"lifetime": "0s"}, {"lifetime": "1h"}, {"lifetime": 60},
     {"delegates": GATE}, {"delegates": [GATE]}],
)  # fmt: skip
def test_what_is_not_valid(body):
    with cloud_of(on_account=CREATOR) as cloud:
        status, answer = generate(cloud, **body)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_project_in_place_of_the_hyphen_is_refused():
    with cloud_of(on_account=CREATOR) as cloud:
        path = f"/v1/projects/acme-tools/serviceAccounts/{AUDITOR}:generateAccessToken"
        assert ask(cloud, "POST", path, caller=ANA, body={"scope": SCOPE})[0] == 400


def test_whoever_an_account_s_grant_names_can_call():
    with cloud_of(on_account=CREATOR, member="user:eve@acme.example") as cloud:
        assert generate(cloud, caller="eve@acme.example")[0] == 200


def test_grants_on_a_person_are_refused():
    grant = f'{{ role = "{CREATOR}", members = [] }}'
    with pytest.raises(WorldError, match=f"caller '{ANA}' has bindings, and is no service account"):
        world(f'[[callers]]\nemail = "{ANA}"\nbindings = [{grant}]\n')

"""What organization policies forbid: each answer of the four rules about them, as a user gets it."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from preflight.emulator import Fault
from preflight.emulator.world import OrgPolicy
from tests.end_to_end.conftest import ROOT, Preflight, Serve
from tests.end_to_end.made_up import (
    COMPANION,
    EFFECTIVE,
    FOLDER,
    GET_DATASET,
    GET_FOLDER_POLICY,
    GET_POLICY,
    HEAP,
    LIST_DATASETS,
    OWN,
    PERIMETER,
    PROJECT,
    USER,
    Case,
    Seen,
    answers,
    bind,
    cloud,
    dataset,
    ids,
    values,
)

SERVICES, LOCATIONS = "gcp.restrictServiceUsage", "gcp.resourceLocations"
KEYS = "gcp.restrictNonCmekServices"
DOMAINS, MEMBERS = "iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"
BIGQUERY = "bigquery.googleapis.com"
PRODUCTION = "resource.matchTag('1000/env', 'prod')"
KEY = "projects/keys/locations/eu/keyRings/r/cryptoKeys/k"
KEYED: dict[str, Any] = {"defaultEncryptionConfiguration": {"kmsKeyName": KEY}}
NO_ORGANIZATION = "the project is in no organization"
CHOSEN = Seen("option", "--location")
IN_EU = ("--location", "EU")
NAMED = ("--dataset", OWN)
HIDDEN = {PROJECT: (EFFECTIVE,)}
NO_DATASETS = {PROJECT: (GET_DATASET, LIST_DATASETS)}


def policy(constraint: str) -> Seen:
    return Seen(EFFECTIVE, f"{PROJECT}/policies/{constraint}")


def there(name: str) -> Seen:
    return Seen(GET_DATASET, f"{PROJECT}/datasets/{name}")


def only(*subjects: str) -> OrgPolicy:
    """The managed constraint on members, enforced with these."""
    return OrgPolicy(rules=({"enforce": True, "parameters": {"allowedMemberSubjects": list(subjects)}},))


@pytest.mark.parametrize(
    "case",
    [
        Case("nothing is set", cloud(), "pass", f"{BIGQUERY} may be used", (policy(SERVICES),)),
        Case("allowed", cloud(org_policies={SERVICES: values((BIGQUERY,))}), "pass", "may be used",
             (policy(SERVICES),)),
        Case("not among the allowed", cloud(org_policies={SERVICES: values(("storage.googleapis.com",))}), "fail",
             f"{SERVICES} refuses {BIGQUERY} in acme-analytics", (policy(SERVICES),)),
        Case("denied", cloud(org_policies={SERVICES: values(denied=(BIGQUERY,))}), "fail",
             f"{SERVICES} refuses {BIGQUERY} in acme-analytics", (policy(SERVICES),)),
        Case("on a tag", cloud(org_policies={SERVICES: values(("storage.googleapis.com",), only_if=PRODUCTION)}),
             "unknown", f"the condition {PRODUCTION}", (policy(SERVICES),), reason="unresolved"),
        Case("refused", cloud(withheld=HIDDEN), "unknown", "access denied: orgpolicy.policy.get on " + PROJECT,
             (policy(SERVICES),), reason="denied"),
        Case("behind a perimeter", cloud(), "unknown", f"perimeter refused {EFFECTIVE} (unique identifier {PERIMETER})",
             (policy(SERVICES),), faults=(Fault(EFFECTIVE, "vpc_service_controls"),), reason="vpc_service_controls"),
        Case("in no organization", cloud(at_home=False), "skip", NO_ORGANIZATION),
    ],
    ids=ids,
)  # fmt: skip
def test_service_allowed(case: Case, serve: Serve, preflight: Preflight):
    answers("service-allowed", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("nothing is set", cloud(), "pass", "EU is allowed", (CHOSEN, policy(LOCATIONS)), IN_EU),
        Case("by a group", cloud(org_policies={LOCATIONS: values(("in:eu-locations",))}), "pass", "EU is allowed",
             (CHOSEN, policy(LOCATIONS)), IN_EU),
        Case("the datasets are there", cloud(org_policies={LOCATIONS: values(("in:eu-locations",))},
             datasets=(dataset(OWN, location="US"), dataset(COMPANION, location="US"))), "pass", "are there already",
             (there(OWN), there(COMPANION)), NAMED),
        Case("another group", cloud(org_policies={LOCATIONS: values(("in:us-locations",))}), "fail",
             f"{LOCATIONS} refuses new datasets in EU", (CHOSEN, policy(LOCATIONS)), IN_EU),
        Case("where the destination is", cloud(org_policies={LOCATIONS: values(denied=("in:us-locations",))},
             datasets=(dataset(OWN, location="us-east4"),)), "fail", f"{LOCATIONS} refuses new datasets in us-east4",
             (there(OWN), policy(LOCATIONS)), NAMED),
        Case("a group of next year", cloud(org_policies={LOCATIONS: values(("in:moon-locations",))}), "unknown",
             "in:moon-locations", (CHOSEN, policy(LOCATIONS)), IN_EU, reason="unresolved"),
        Case("refused", cloud(withheld=HIDDEN), "unknown", "orgpolicy.policy.get", (policy(LOCATIONS),), IN_EU,
             reason="denied"),
        Case("where the destination is can't be read", cloud(withheld=NO_DATASETS), "unknown",
             f"where {OWN} is could not be read", (Seen(LIST_DATASETS, f"{PROJECT}/datasets"),), NAMED,
             reason="denied"),
        Case("none is chosen", cloud(), "skip", "no location chosen"),
        Case("in no organization", cloud(at_home=False), "skip", NO_ORGANIZATION, options=IN_EU),
    ],
    ids=ids,
)  # fmt: skip
def test_location_allowed(case: Case, serve: Serve, preflight: Preflight):
    answers("location-allowed", case, serve, preflight)


DEMANDED = {KEYS: values(denied=(BIGQUERY,))}


@pytest.mark.parametrize(
    "case",
    [
        Case("none is demanded", cloud(org_policies={KEYS: values(denied=("storage.googleapis.com",))}), "pass",
             "no key of your own is demanded", (policy(KEYS),), NAMED),
        Case("both have one", cloud(org_policies=DEMANDED, datasets=(dataset(OWN, **KEYED), dataset(COMPANION,
             **KEYED))), "pass", f"{OWN} and {COMPANION} have one", (policy(KEYS), there(OWN), there(COMPANION)),
             NAMED),
        Case("no destination", cloud(org_policies=DEMANDED), "fail", "makes its datasets without one",
             (policy(KEYS),)),
        Case("to be made", cloud(org_policies=DEMANDED), "fail", f"{OWN} is still to be made", (policy(KEYS),), NAMED),
        Case("without one", cloud(org_policies=DEMANDED, datasets=(dataset(OWN), dataset(COMPANION, **KEYED))),
             "fail", f"{OWN} has none", (policy(KEYS), there(COMPANION)), NAMED),
        Case("on a tag", cloud(org_policies={KEYS: values(denied=(BIGQUERY,), only_if=PRODUCTION)}), "unknown",
             PRODUCTION, (policy(KEYS),), NAMED, reason="unresolved"),
        Case("refused", cloud(withheld=HIDDEN), "unknown", "orgpolicy.policy.get", (policy(KEYS),), NAMED,
             reason="denied"),
        Case("the datasets are refused", cloud(org_policies=DEMANDED, withheld=NO_DATASETS), "unknown",
             "have one could not be read", (policy(KEYS), Seen(LIST_DATASETS, f"{PROJECT}/datasets")), NAMED,
             reason="denied"),
        Case("in no organization", cloud(at_home=False), "skip", NO_ORGANIZATION, options=NAMED),
    ],
    ids=ids,
)  # fmt: skip
def test_dataset_encryption(case: Case, serve: Serve, preflight: Preflight):
    answers("dataset-encryption", case, serve, preflight)


BOTH = (policy(DOMAINS), policy(MEMBERS))


@pytest.mark.parametrize(
    "case",
    [
        Case("nothing is set", cloud(), "pass", f"policies may name {HEAP}", BOTH),
        Case("it is named", cloud(org_policies={MEMBERS: only("user:root@acme.example", HEAP)}), "pass",
             f"policies may name {HEAP}", BOTH),
        Case("granted before", cloud(bind(USER, HEAP), org_policies={MEMBERS: only("user:root@acme.example")}), "pass",
             "already, and these constraints act on new grants only", (Seen(GET_POLICY, PROJECT),)),
        Case("granted on the folder", cloud(folder=(bind(USER, HEAP),), org_policies={MEMBERS: only()}), "pass",
             f"{HEAP} has {USER} already", (Seen(GET_FOLDER_POLICY, FOLDER),)),
        Case("others are named", cloud(org_policies={MEMBERS: only("user:root@acme.example")}), "fail",
             f"{MEMBERS} would refuse a grant to {HEAP}", (policy(MEMBERS),)),
        Case("some directory", cloud(org_policies={DOMAINS: values(("C01ours",))}), "unknown",
             "the directory that", BOTH, reason="unresolved"),
        Case("refused", cloud(withheld=HIDDEN), "unknown", "orgpolicy.policy.get", BOTH, reason="denied"),
        Case("in no organization", cloud(at_home=False), "skip", NO_ORGANIZATION),
        Case("a user of the own directory", cloud(org_policies={DOMAINS: values(("C01ours",))}), "pass",
             "policies may name user:sync@acme.example", BOTH, ("--principal", "user:sync@acme.example")),
    ],
    ids=ids,
)  # fmt: skip
def test_vendor_sharing_allowed(case: Case, serve: Serve, preflight: Preflight):
    answers("vendor-sharing-allowed", case, serve, preflight)


def test_the_vendor_is_asked_for_what_only_it_knows(serve: Serve, preflight: Preflight):
    case = Case("", cloud(org_policies={DOMAINS: values(("C01ours",))}), "unknown", DOMAINS, BOTH, reason="unresolved")
    (remedy,) = answers("vendor-sharing-allowed", case, serve, preflight)["remedies"]
    assert "Ask Heap support (support@heap.io) for the directory customer ID" in remedy["summary"]
    assert "directory_customer_id" in remedy["summary"]


EU_ONLY, US_ONLY = values(("in:eu-locations",)), values(("in:us-locations",))
ALL, NONE = OrgPolicy(rules=({"allowAll": True},)), OrgPolicy(rules=({"denyAll": True},))


@pytest.mark.parametrize(
    ("project", "folder", "organization", "verdict"),
    [
        pytest.param(None, None, EU_ONLY, "pass", id="of the organization"),
        pytest.param(None, US_ONLY, EU_ONLY, "fail", id="the folder's own one counts instead"),
        pytest.param(None, replace(US_ONLY, inherit_from_parent=True), EU_ONLY, "pass", id="beside what is inherited"),
        pytest.param(replace(values(denied=("eu",)), inherit_from_parent=True), EU_ONLY, None, "fail",
                     id="what is denied wins over what is inherited"),
        pytest.param(OrgPolicy(reset=True), US_ONLY, US_ONLY, "pass", id="Google's default again"),
        pytest.param(ALL, None, NONE, "pass", id="all are allowed in the project"),
        pytest.param(None, NONE, EU_ONLY, "fail", id="nothing is allowed in the folder"),
        pytest.param(replace(EU_ONLY, inherit_from_parent=True), NONE, None, "fail", id="a denial of all is inherited"),
    ],
)  # fmt: skip
def test_where_a_policy_is_set(
    project: OrgPolicy | None,
    folder: OrgPolicy | None,
    organization: OrgPolicy | None,
    verdict: str,
    serve: Serve,
    preflight: Preflight,
):
    world = cloud(org_policies={LOCATIONS: organization} if organization else {})
    world = replace(
        world,
        projects=(replace(world.projects[0], org_policies={LOCATIONS: project} if project else {}),),
        folders=(replace(world.folders[0], org_policies={LOCATIONS: folder} if folder else {}),),
    )
    says = "EU is allowed" if verdict == "pass" else "refuses new datasets in EU"
    answers("location-allowed", Case("", world, verdict, says, (CHOSEN, policy(LOCATIONS)), IN_EU), serve, preflight)


@pytest.mark.parametrize(
    ("allowed", "verdict", "says"),
    [
        pytest.param(("C01ours",), "fail", f"{DOMAINS} would refuse a grant to {HEAP}", id="the own directory alone"),
        pytest.param(("C01ours", "is:C02theirs"), "pass", f"policies may name {HEAP}", id="the vendor's as well"),
    ],
)
def test_the_vendors_directory_in_a_profile_of_ones_own(
    allowed: tuple[str, ...], verdict: str, says: str, tmp_path: Path, serve: Serve, preflight: Preflight
):
    text = (ROOT / "rules" / "profiles" / "heap.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace("apis = [", 'directory_customer_id = "C02theirs"\napis = [', 1), encoding="utf-8")
    world = cloud(org_policies={DOMAINS: values(allowed)})
    seen = (policy(DOMAINS),) if verdict == "fail" else BOTH
    case = Case("", world, verdict, says, seen, ("--profile", str(own)))
    remedies = answers("vendor-sharing-allowed", case, serve, preflight)["remedies"]
    assert all('allowed_values = ["C02theirs"]' in remedy["terraform"] for remedy in remedies)

"""What organization policies forbid: each answer of the four rules about them, as a user gets it."""

from typing import Any

import pytest

from preflight.emulator import Fault
from preflight.emulator.world import OrgPolicy
from tests.end_to_end.conftest import Preflight, Serve
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

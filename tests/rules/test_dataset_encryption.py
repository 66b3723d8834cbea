"""dataset-encryption: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import Completeness, Datasets, Denied, Project, Unknown
from preflight.testing import HERE, dataset, judge, org_policies, org_policy, target
from tests.conftest import HEAP, USER, bind, policies, roles
from tests.obedience import obeyed

CONSTRAINT = "gcp.restrictNonCmekServices"
KEY = "projects/keys/locations/eu/keyRings/r/cryptoKeys/k"
REFUSED = Unknown(Denied("bigquery.datasets.get", "projects/acme-analytics"), HERE)
ORPHAN = Project(provenance=HERE, id="acme-analytics", number="1", state="ACTIVE", parent=None)
DEMANDED = org_policies(org_policy(CONSTRAINT, denied=("is:bigquery.googleapis.com", "storage.googleapis.com")))
NAMED = target(dataset="heap", location="EU")
KEYED = Datasets.of(dataset("heap", kms_key=KEY), dataset("heap_migrated", kms_key=KEY))
HALF_SEEN = replace(Datasets.of(dataset("heap", kms_key=KEY)), completeness=Completeness(REFUSED.reason))
UNSET = Datasets.of(replace(dataset("heap"), settings=REFUSED), dataset("heap_migrated", kms_key=KEY))
PLAIN = Datasets.of(dataset("heap"), dataset("heap_migrated"))


@pytest.mark.parametrize(
    ("policies", "datasets", "chosen", "status", "says"),
    [
        pytest.param(org_policies(), Datasets.of(), NAMED, "pass", "no key", id="nothing is set"),
        pytest.param(org_policies(org_policy(CONSTRAINT, denied=("storage.googleapis.com",))), Datasets.of(), NAMED,
                     "pass", "no key", id="demanded of another service"),
        pytest.param(DEMANDED, KEYED, NAMED, "pass", "have one", id="both are there, with keys"),
        pytest.param(DEMANDED, Datasets.of(), NAMED, "fail", "heap is still to be made and heap_migrated is still",
                     id="the vendor would make them"),
        pytest.param(DEMANDED, Datasets.of(), target(), "fail", "makes its datasets without one", id="no destination"),
        pytest.param(DEMANDED, PLAIN, NAMED, "fail", "heap has none and heap_migrated has none", id="without keys"),
        pytest.param(DEMANDED, Datasets.of(dataset("heap", kms_key=KEY)), NAMED, "fail", "heap_migrated is still",
                     id="the companion is still to be made"),
        pytest.param(DEMANDED, REFUSED, NAMED, "unknown", "could not be read", id="the datasets were refused"),
        pytest.param(DEMANDED, HALF_SEEN,
                     NAMED, "unknown", "could not be read", id="one has a key, the other was not seen"),
        pytest.param(DEMANDED, UNSET,
                     NAMED, "unknown", "could not be read", id="its settings were not read"),
        pytest.param(org_policies(org_policy(CONSTRAINT, denied=("in:everything",))), KEYED, NAMED, "unknown",
                     "in:everything", id="a group"),
        pytest.param(Unknown(Denied("orgpolicy.policy.get"), HERE), KEYED, NAMED, "unknown", "orgpolicy", id="refused"),
    ],
)  # fmt: skip
def test_each_answer(policies, datasets, chosen, status, says):
    verdict = judge("dataset-encryption", org_policies=policies, datasets=datasets, target=chosen)
    assert verdict.status == status
    assert says in verdict.message


def test_a_project_in_no_organization():
    assert judge("dataset-encryption", org_policies=DEMANDED, project=ORPHAN, target=NAMED).status == "skip"


def test_doing_what_the_remedy_says_passes_where_the_datasets_are_there():
    facts = {"org_policies": DEMANDED, "datasets": PLAIN}
    verdict = judge("dataset-encryption", **facts, target=NAMED)
    assert judge("dataset-encryption", **obeyed(verdict.remedies, facts), target=NAMED).status == "pass"


def test_the_remedy_makes_a_dataset_with_a_key_where_none_is():
    verdict = judge("dataset-encryption", org_policies=DEMANDED, datasets=Datasets.of(), target=NAMED)
    assert [remedy.commands[0].split()[-1] for remedy in verdict.remedies] == [
        "acme-analytics:heap",
        "acme-analytics:heap_migrated",
    ]
    assert all("--default_kms_key=" in remedy.commands[0] for remedy in verdict.remedies)
    assert all("mk --dataset" in remedy.commands[0] for remedy in verdict.remedies)


def test_what_is_made_with_a_key_the_vendor_may_write_to():
    facts = {
        "org_policies": DEMANDED,
        "datasets": Datasets.of(),
        "allow_policies": policies(bind(USER, HEAP)),
        "roles": roles(),
    }
    for way in ("commands", "terraform"):
        after = obeyed(judge("dataset-encryption", **facts, target=NAMED).remedies, facts, way)
        assert judge("dataset-encryption", **after, target=NAMED).status == "pass"
        assert judge("dataset-writable", **after, target=NAMED).status == "pass"


def test_without_a_destination_one_is_to_be_chosen_first():
    first, *others = judge("dataset-encryption", org_policies=DEMANDED, datasets=Datasets.of()).remedies
    assert "--dataset" in first.summary
    assert [remedy.commands[0].split(":")[-1] for remedy in others] == ["DATASET", "DATASET_migrated"]

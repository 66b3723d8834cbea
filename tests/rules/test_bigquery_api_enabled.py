"""bigquery-api-enabled: a case for each answer, named by what its reader has in front of them."""

import pytest
from msgspec.structs import replace

from preflight import (
    ApiDisabled,
    Completeness,
    Dataset,
    Datasets,
    Denied,
    NotFound,
    Service,
    Services,
    ServiceState,
    TimedOut,
    Unknown,
)
from preflight.testing import HERE, judge

BIGQUERY = "bigquery.googleapis.com"
STORAGE = "bigquerystorage.googleapis.com"
BLIND = Unknown(Denied("serviceusage.services.get", "projects/acme-analytics"), HERE)
OFF_HERE = Unknown(ApiDisabled(BIGQUERY, "projects/acme-analytics"), HERE)
OFF_ELSEWHERE = Unknown(ApiDisabled(BIGQUERY, "projects/42", quota_project=True), HERE)
NO_LIST = Completeness(Denied("bigquery.datasets.get", "projects/acme-analytics"))
SALES = Dataset(provenance=HERE, id="sales", location="EU")


def services(**states: ServiceState | Unknown) -> Services:
    names = {f"{name}.googleapis.com": state for name, state in states.items()}
    return Services(
        services={
            name: state if isinstance(state, Unknown) else Service(provenance=HERE, name=name, state=state)
            for name, state in names.items()
        }
    )


def answered(datasets: Datasets) -> Datasets:
    """As BigQuery itself told them."""
    return replace(datasets, api_answered=True)


ON, OFF = ServiceState.ENABLED, ServiceState.DISABLED


@pytest.mark.parametrize(
    ("seen", "datasets", "status", "says"),
    [
        pytest.param(services(bigquery=ON), OFF_HERE, "pass", "enabled", id="Service Usage says on"),
        pytest.param(services(bigquery=OFF), Datasets.of(), "fail", "is not enabled", id="Service Usage says off"),
        pytest.param(
            BLIND, answered(Datasets.of(SALES)), "pass", "enabled", id="refused, but BigQuery showed a dataset"
        ),
        pytest.param(
            services(bigquery=BLIND), answered(Datasets.of()), "pass", "enabled", id="refused, but it listed none"
        ),
        pytest.param(
            BLIND,
            answered(Datasets.of(SALES, completeness=NO_LIST)),
            "pass",
            "enabled",
            id="refused, but BigQuery showed one of perhaps more",
        ),
        pytest.param(BLIND, OFF_HERE, "fail", "is not enabled", id="refused, but BigQuery says that it is off"),
        pytest.param(
            BLIND, OFF_ELSEWHERE, "unknown", "serviceusage.services.get", id="off in the quota project isn't off here"
        ),
        pytest.param(
            BLIND,
            Unknown(ApiDisabled("cloudresourcemanager.googleapis.com", "projects/acme-analytics"), HERE),
            "unknown",
            "serviceusage.services.get",
            id="another API that is off says nothing of this one",
        ),
        pytest.param(
            BLIND,
            Unknown(Denied("bigquery.datasets.get"), HERE),
            "unknown",
            "access denied: serviceusage.services.get",
            id="both refused",
        ),
        pytest.param(
            BLIND,
            Datasets.of(SALES),
            "unknown",
            "serviceusage.services.get",
            id="refused, and a file that names a dataset says nothing of the API",
        ),
        pytest.param(
            BLIND,
            Datasets(provenance=HERE, datasets={"heap": Unknown(NotFound("heap"), HERE)}, completeness=NO_LIST),
            "unknown",
            "serviceusage.services.get",
            id="refused, and what is known of datasets is not from BigQuery",
        ),
        pytest.param(
            services(bigquery=Unknown(TimedOut("serviceusage.services.get"), HERE)),
            Unknown(TimedOut("bigquery.datasets.list"), HERE),
            "unknown",
            "did not answer in time",
            id="no answer from either",
        ),
        pytest.param(services(storage=ON), OFF_ELSEWHERE, "unknown", "was not asked", id="asked about others only"),
    ],
)
def test_each_answer(seen, datasets, status, says):
    verdict = judge("bigquery-api-enabled", services=seen, datasets=datasets)
    assert verdict.status == status
    assert says in verdict.message


@pytest.mark.parametrize(
    ("states", "status"),
    [
        pytest.param({"bigquery": ON, "bigquerystorage": ON}, "pass", id="both on"),
        pytest.param({"bigquery": ON, "bigquerystorage": OFF}, "fail", id="one off"),
        pytest.param({"bigquery": BLIND, "bigquerystorage": OFF}, "fail", id="one off, one not seen: off is enough"),
        pytest.param({"bigquery": ON, "bigquerystorage": BLIND}, "unknown", id="one on, one not seen"),
    ],
)
def test_a_vendor_that_needs_two_apis(states, status, heap):
    two = replace(heap, apis=(BIGQUERY, STORAGE))
    verdict = judge("bigquery-api-enabled", services=services(**states), datasets=OFF_ELSEWHERE, profile=two)
    assert verdict.status == status


def test_bigquerys_answer_settles_nothing_about_other_apis(heap):
    other = replace(heap, apis=(STORAGE,))
    assert judge("bigquery-api-enabled", services=BLIND, datasets=Datasets.of(), profile=other).status == "unknown"


def test_the_remedy_enables_just_what_is_off(heap):
    two = replace(heap, apis=(BIGQUERY, STORAGE))
    seen = services(bigquery=ON, bigquerystorage=OFF)
    remedy = judge("bigquery-api-enabled", services=seen, datasets=Datasets.of(), profile=two).remedies[0]
    assert remedy.commands == (f"gcloud services enable {STORAGE} --project=acme-analytics",)
    assert f'service            = "{STORAGE}"' in remedy.terraform
    assert BIGQUERY not in remedy.terraform


def test_the_evidence_tells_who_said_it():
    verdict = judge("bigquery-api-enabled", services=BLIND, datasets=answered(Datasets.of(SALES)))
    assert [e.detail for e in verdict.evidence] == ["BigQuery answered, so its API is on"]

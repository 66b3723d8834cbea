"""dataset-location: a case for each answer, named by what its reader has in front of them."""

import pytest

from preflight import Completeness, Dataset, Datasets, Denied, TimedOut, Unknown
from preflight.testing import HERE, judge, target

GET = "bigquery.datasets.get"
REFUSED = Unknown(Denied(GET, "projects/acme-analytics"), HERE)
PERHAPS_MORE = Completeness(Denied(GET, "projects/acme-analytics"))


def held(**locations: str) -> Datasets:
    return Datasets.of(*(Dataset(provenance=HERE, id=name, location=place) for name, place in locations.items()))


def some(**locations: str) -> Datasets:
    return Datasets(provenance=HERE, datasets=held(**locations).datasets, completeness=PERHAPS_MORE)


def verdict_on(datasets, profile, location=None, dataset=None):
    return judge(
        "dataset-location", datasets=datasets, profile=profile, target=target(location=location, dataset=dataset)
    )


@pytest.mark.parametrize(
    ("location", "status", "says"),
    [
        pytest.param("EU", "pass", "EU is supported", id="EU"),
        pytest.param("us", "pass", "us is supported", id="us, in small letters"),
        pytest.param("us-east4", "warn", "a single region inside the US", id="a region in the US"),
        pytest.param("europe-west3", "warn", "a single region inside the EU", id="a region in the EU"),
        pytest.param("EUROPE-WEST2", "fail", "London", id="London"),
        pytest.param("europe-west6", "fail", "Zürich", id="Zürich"),
        pytest.param("asia-east1", "fail", "not among the locations that this version lists", id="elsewhere"),
        pytest.param("mars-north1", "fail", "not among the locations that this version lists", id="a new region"),
    ],
)
def test_each_location_of_the_2021_page(location, status, says, heap):
    chosen = verdict_on(held(), heap, location=location)
    existing = verdict_on(held(heap=location), heap, dataset="heap")
    both = verdict_on(held(heap=location.swapcase()), heap, location=location, dataset="heap")
    assert [chosen.status, existing.status, both.status] == [status] * 3
    assert says in chosen.message
    assert [e.resource for e in chosen.evidence] == ["--location"]
    assert f"location: {location}" in existing.evidence[0].detail
    assert len(both.evidence) == 2


@pytest.mark.parametrize(
    ("location", "status"),
    [
        pytest.param("eu", "pass", id="eu"),
        pytest.param("EU", "pass", id="EU"),
        pytest.param("europe-west2", "pass", id="London is named there"),
        pytest.param("australia-southeast1", "pass", id="Sydney"),
        pytest.param("us-east1", "fail", id="a region in the US that isn't named"),
        pytest.param("europe-west3", "fail", id="a region in the EU that isn't named"),
    ],
)
def test_each_location_of_the_later_page(location, status, contentsquare):
    assert verdict_on(held(), contentsquare, location=location).status == status


@pytest.mark.parametrize(
    ("datasets", "location", "dataset", "status", "says"),
    [
        pytest.param(held(heap="US"), "EU", "heap", "fail", "can't be moved", id="it is elsewhere"),
        pytest.param(held(other="US"), "EU", "heap", "pass", "EU is supported", id="it doesn't exist yet"),
        pytest.param(some(heap="EU"), "EU", "heap", "pass", "EU is supported", id="it was seen, others perhaps not"),
        pytest.param(some(other="EU"), "EU", "heap", "unknown", GET, id="it may exist elsewhere"),
        pytest.param(REFUSED, "EU", "heap", "unknown", "EU is fine, but", id="whether it exists was refused"),
        pytest.param(REFUSED, "europe-west3", "heap", "unknown", GET, id="a region to confirm, and refused"),
        pytest.param(REFUSED, "asia-east1", "heap", "fail", "not among", id="wrong whether it exists or not"),
        pytest.param(REFUSED, "EU", None, "pass", "EU is supported", id="chosen, and no dataset named"),
        pytest.param(REFUSED, None, "heap", "unknown", "no --location given", id="no choice, and refused"),
        pytest.param(
            Datasets(provenance=HERE, datasets={"heap": Unknown(TimedOut("bigquery.datasets.get"), HERE)}),
            None,
            "heap",
            "unknown",
            "did not answer",
            id="no choice, and no answer about it",
        ),
        pytest.param(REFUSED, None, None, "skip", "choose one with --location: US or EU", id="nothing given or seen"),
        pytest.param(held(), None, None, "skip", "choose one with --location: US or EU", id="nothing there"),
        pytest.param(held(a="EU", b="us-west1"), None, None, "skip", "no location chosen", id="others where it works"),
        pytest.param(held(a="EU", b="asia-east1"), None, None, "warn", "1 dataset is in asia-east1", id="others"),
        pytest.param(held(a="europe-west2", b="asia-east1"), None, "heap", "warn",
                     "2 datasets are in asia-east1, europe-west2", id="not there yet, others elsewhere"),
        pytest.param(held(heap="EU", b="asia-east1"), None, "heap", "pass", "EU", id="it is there: others don't count"),
    ],
)  # fmt: skip
def test_where_it_is_and_where_it_is_to_be(datasets, location, dataset, status, says, heap):
    verdict = verdict_on(datasets, heap, location, dataset)
    assert verdict.status == status
    assert says in verdict.message


def test_the_vendors_support_is_named(heap):
    remedy = verdict_on(held(), heap, location="europe-west2").remedies[0]
    assert "Contact Heap support (support@heap.io) before connecting" in remedy.summary
    assert "US or EU" in remedy.summary


def test_doing_what_the_remedy_says_passes(heap):
    datasets = held(heap="EU")
    failed = verdict_on(datasets, heap, "US", "heap")
    assert failed.status == "fail"
    assert "Connect with EU, or choose a --dataset that doesn't exist yet" in failed.remedies[0].summary
    assert verdict_on(datasets, heap, "EU", "heap").status == "pass"
    assert verdict_on(datasets, heap, "US", "heap_us").status == "pass"


@pytest.mark.parametrize("place", ["europe-west2", "asia-east1", "us-west1"])
def test_nobody_is_sent_to_a_location_that_fails_next(heap, place):
    failed = verdict_on(held(heap=place), heap, "EU", "heap")
    assert failed.status == "fail"
    (remedy,) = failed.remedies
    assert remedy.summary == (
        f"Choose a --dataset that doesn't exist yet, or ask Heap support (support@heap.io) whether {place} can be "
        "connected."
    )

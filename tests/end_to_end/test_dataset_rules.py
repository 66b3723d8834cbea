"""What becomes of the data: each answer of the rules about datasets' settings and readers, as a user gets it."""

import pytest

from tests.end_to_end.conftest import Preflight, Serve
from tests.end_to_end.made_up import (
    COMPANION,
    DESTINATION,
    GET_DATASET,
    LIST_DATASETS,
    OWN,
    PROJECT,
    Case,
    Seen,
    answers,
    cloud,
    dataset,
    ids,
)

LISTED = Seen(LIST_DATASETS, f"{PROJECT}/datasets")
UNREAD = {PROJECT: (GET_DATASET,)}
UNLISTED = {PROJECT: (GET_DATASET, LIST_DATASETS)}
WEEK = {"defaultTableExpirationMs": "604800000"}
HOUR = {"defaultPartitionExpirationMs": "3600000"}
TO_ALL = {"role": "READER", "specialGroup": "allAuthenticatedUsers"}
TO_THE_WORLD = {"role": "READER", "iamMember": "allUsers"}


def there(name: str) -> Seen:
    return Seen(GET_DATASET, f"{PROJECT}/datasets/{name}")


@pytest.mark.parametrize(
    "case",
    [
        Case("nothing set", cloud(datasets=(dataset(OWN), dataset(COMPANION))), "pass", "no default expiration",
             (there(OWN), there(COMPANION)), DESTINATION),
        Case("tables", cloud(datasets=(dataset(OWN, **WEEK),)), "warn", f"tables are deleted after 7 days in {OWN}",
             (there(OWN),), DESTINATION),
        Case("partitions of the companion", cloud(datasets=(dataset(OWN), dataset(COMPANION, **HOUR))), "warn",
             f"partitions are deleted after 1 hour in {COMPANION}", (there(COMPANION),), DESTINATION),
        Case("its settings can't be read", cloud(datasets=(dataset(OWN),), withheld=UNREAD), "unknown",
             f"access denied: bigquery.datasets.get on {PROJECT}/datasets/{OWN}", (there(OWN),), DESTINATION,
             reason="denied"),
        Case("no dataset yet", cloud(), "skip", f"{OWN} doesn't exist yet", options=DESTINATION),
        Case("none is named", cloud(datasets=(dataset(OWN, **WEEK),)), "skip", "no --dataset given"),
    ],
    ids=ids,
)  # fmt: skip
def test_dataset_expiration(case: Case, serve: Serve, preflight: Preflight):
    answers("dataset-expiration", case, serve, preflight)


@pytest.mark.parametrize(
    "case",
    [
        Case("to nobody", cloud(datasets=(dataset(OWN), dataset(COMPANION))), "pass", "none of 2 datasets",
             (there(OWN), there(COMPANION)), DESTINATION),
        Case("to all with an account", cloud(datasets=(dataset(OWN, TO_ALL),)), "warn",
             f"{OWN} is open to everybody with a Google account as READER", (there(OWN),), DESTINATION),
        Case("to the world", cloud(datasets=(dataset(OWN), dataset(COMPANION, TO_THE_WORLD))), "warn",
             f"{COMPANION} is open to everybody on the internet as READER", (there(COMPANION),), DESTINATION),
        Case("it can't be read", cloud(datasets=(dataset(OWN, TO_ALL),), withheld=UNREAD), "unknown",
             "who may read the vendor's dataset could not be read", (there(OWN),), DESTINATION, reason="denied"),
        Case("nothing can be listed", cloud(withheld=UNLISTED), "unknown", "bigquery.datasets.get", (LISTED,),
             DESTINATION, reason="denied"),
        Case("no dataset yet", cloud(), "skip", "no dataset's access list was read", options=DESTINATION),
    ],
    ids=ids,
)  # fmt: skip
def test_dataset_public(case: Case, serve: Serve, preflight: Preflight):
    answers("dataset-public", case, serve, preflight)

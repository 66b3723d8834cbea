"""Datasets with what they come to: where they are, what they do with tables, and their access lists."""

from preflight.facts.dataset import Dataset, Datasets, DatasetSettings
from preflight.facts.seen import Completeness, Incomplete, Provenance, Unknown
from preflight.sources.terraform.kinds import DATASET
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.access_lists import Lists, Name, access_list, base_of
from preflight.sources.terraform.semantics.home import Home
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import block, first_unsettled, number, text

_DEFAULT_LOCATION = "US"
"""The provider's default (its documentation of `google_bigquery_dataset`)."""


def datasets(world: World, home: Home) -> Datasets | Unknown:
    """The datasets that are declared; there may be others."""
    found: dict[str, Dataset | Unknown] = {}
    absent: dict[str, Provenance] = {}
    silence = world.undeclared((DATASET,), f"which other datasets {home.own} has")
    unsure: Unknown | None = None
    lists = Lists(world, home)
    for item in world.of(DATASET):
        name = Name.of(item)
        concerned = name.is_in(home, item)
        if concerned is False:
            continue
        unsettled = first_unsettled((name.dataset, concerned))
        if isinstance(name.dataset, Unsettled):
            unsure = unsure or item.unknown(name.dataset)
        elif unsettled is not None:
            found.setdefault(name.dataset, item.unknown(unsettled))
        elif item.gone:
            absent[name.dataset] = item.seen()
        else:
            found[name.dataset] = dataset(world, lists, item, name.dataset)
    if not found and not absent:
        return unsure or world.undeclared((DATASET,), f"any dataset of {home.own}")
    gap = unsure or silence
    return Datasets(
        provenance=world.root,
        datasets=found,
        completeness=Completeness(gap.reason, gap.provenance),
        absent={name: where for name, where in absent.items() if name not in found},
    )


def dataset(world: World, lists: Lists, item: Item, name: str) -> Dataset | Unknown:
    """A dataset as its own resource and others declare it."""
    location = text(item.values, "location")
    if isinstance(location, Unsettled):
        return item.unknown(location)
    why = f"{item.address} doesn't declare its access list, and BigQuery fills it in"
    filled = Unknown(Incomplete(why, f"See: bq show --format=prettyjson {name}"), item.seen())
    listed = access_list(base_of(item), lists.of(name), world, filled)
    return Dataset(
        provenance=item.seen("location"),
        id=name,
        location=location or _DEFAULT_LOCATION,
        access=listed.entries,
        access_completeness=listed.completeness,
        access_places=listed.places,
        settings=settings(item),
    )


def settings(item: Item) -> DatasetSettings | Unknown:
    """What it does by itself with tables."""
    tables = number(item.values, "default_table_expiration_ms")
    partitions = number(item.values, "default_partition_expiration_ms")
    encryption = block(item.values, "default_encryption_configuration")
    key = text(encryption, "kms_key_name") if isinstance(encryption, dict) else encryption
    for one in (tables, partitions, key):
        if isinstance(one, Unsettled):
            return item.unknown(one)
    return DatasetSettings(
        table_expiration_ms=tables if isinstance(tables, int) else None,
        partition_expiration_ms=partitions if isinstance(partitions, int) else None,
        kms_key=key if isinstance(key, str) else "",
    )

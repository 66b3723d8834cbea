"""Google's locations, and the value groups that stand for many of them in organisation policies.

The groups are Google's ("Restricting resource locations", "Value groups"): `in:us-locations` and the like, and for
each region `in:REGION-locations`, which holds the region and its zones. Google curates them, so a group that isn't
here, or a location that isn't, is not known to this version; nothing is guessed.

Assumed, since the page names the groups by country and not each member: that the multi-regions `us` and `eu`, which
are where BigQuery keeps its multi-regional datasets, belong to the groups of the same name, as do their regions; and
that no multi-region belongs to a group of the regions in it.
"""

_US = frozenset(
    {
        *("us-central1", "us-east1", "us-east4", "us-east5", "us-south1"),
        *("us-west1", "us-west2", "us-west3", "us-west4"),
    }
)
_EU = frozenset(
    {
        *("europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west3"),
        *("europe-west4", "europe-west8", "europe-west9", "europe-west10", "europe-west12"),
    }
)
_EUROPE = _EU | {"europe-west2", "europe-west6"}
_NORTH_AMERICA = _US | {"northamerica-northeast1", "northamerica-northeast2", "northamerica-south1"}
_SOUTH_AMERICA = frozenset({"southamerica-east1", "southamerica-west1"})
_AUSTRALIA = frozenset({"australia-southeast1", "australia-southeast2"})
_ASIA = frozenset(
    {
        *("asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"),
        *("asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2"),
    }
)
_AFRICA = frozenset({"africa-south1"})
_MIDDLE_EAST = frozenset({"me-central1", "me-central2", "me-west1"})

_GROUPS = {
    "us": _US | {"us"},
    "eu": _EU | {"eu"},
    "europe": _EUROPE | {"eu", "europe"},
    "northamerica": _NORTH_AMERICA | {"us"},
    "southamerica": _SOUTH_AMERICA,
    "australia": _AUSTRALIA,
    "asia": _ASIA | {"asia"},
}
REGIONS = _NORTH_AMERICA | _SOUTH_AMERICA | _EUROPE | _AUSTRALIA | _ASIA | _AFRICA | _MIDDLE_EAST
"""The regions that this version knows."""
LOCATIONS = REGIONS | {"us", "eu"}
"""And the multi-regions of BigQuery."""

_IN, _IS, _SUFFIX = "in:", "is:", "-locations"


def location_matches(value: str, location: str) -> bool | None:
    """Whether a value of `gcp.resourceLocations` covers a location; None where this version doesn't know.

    Locations compare without case: BigQuery writes US and EU, organisation policies `us` and `eu`.
    """
    written, wanted = value.strip().casefold(), location.strip().casefold()
    if written.startswith(_IS):
        return written.removeprefix(_IS) == wanted
    # Google adds the prefix itself to a group's name that is entered without it.
    if not written.startswith(_IN) and not written.endswith(_SUFFIX):
        return written == wanted
    group = written.removeprefix(_IN).removesuffix(_SUFFIX)
    if group == wanted:
        return True
    if group in _GROUPS:
        return (wanted in _GROUPS[group]) if wanted in LOCATIONS else None
    if group in REGIONS:
        return False if wanted in LOCATIONS else None
    return None

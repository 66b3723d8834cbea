"""Datasets with what they come to: where they are, what they do with tables, and their access lists."""

import re

from msgspec import Struct

from preflight.facts.dataset import AccessEntry, Dataset, Datasets, DatasetSettings
from preflight.facts.policy import Condition
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, Provenance, Unknown
from preflight.sources.terraform.kinds import DATASET, DATASET_ACCESS, DATASET_IAM
from preflight.sources.terraform.resources import Change, Unsettled, Value
from preflight.sources.terraform.semantics.grants import Claim, Given, Settlement
from preflight.sources.terraform.semantics.home import Home, doubted, project_named
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.policies import bound, policy_data
from preflight.sources.terraform.semantics.values import (
    Values,
    block,
    blocks,
    condition,
    first_unsettled,
    number,
    text,
)

_FULL = re.compile(r"projects/([^/]+)/datasets/([^/]+)")
_DEFAULT_LOCATION = "US"
"""The provider's default (its documentation of `google_bigquery_dataset`)."""
_ON_LISTS = (DATASET_ACCESS, *DATASET_IAM)
_MEMBERS = {
    "user_by_email": "user",
    "group_by_email": "group",
    "domain": "domain",
    "special_group": "special_group",
    "iam_member": "iam_member",
}
_AUTHORIZED = ("view", "routine", "dataset")


class Name(Struct, frozen=True):
    """Which dataset a resource is about."""

    project: Value
    dataset: str | Unsettled

    @classmethod
    def of(cls, item: Item) -> "Name":
        """By its own arguments; `dataset_id` may be the full name."""
        dataset = text(item.values, "dataset_id")
        if isinstance(dataset, str) and (full := _FULL.fullmatch(dataset)):
            return cls(full[1], full[2])
        if dataset is None:
            dataset = Unsettled(f"{item.address} names no dataset")
        return cls(project_named(item), dataset)

    def is_in(self, home: Home, item: Item) -> bool | Unsettled:
        """Whether it is in the project in question."""
        found = home.is_it(self.project)
        return found if found is False else doubted(item, found)


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
            found[name.dataset] = _dataset(world, lists, item, name.dataset)
    if not found and not absent:
        return unsure or world.undeclared((DATASET,), f"any dataset of {home.own}")
    gap = unsure or silence
    return Datasets(
        provenance=world.root,
        datasets=found,
        completeness=Completeness(gap.reason, gap.provenance),
        absent={name: where for name, where in absent.items() if name not in found},
    )


def _dataset(world: World, lists: "Lists", item: Item, name: str) -> Dataset | Unknown:
    location = text(item.values, "location")
    if isinstance(location, Unsettled):
        return item.unknown(location)
    listed = _access(world, lists, item, name)
    return Dataset(
        provenance=item.seen("location"),
        id=name,
        location=location or _DEFAULT_LOCATION,
        access=listed.entries,
        access_completeness=listed.completeness,
        access_places=listed.places,
        settings=_settings(item),
    )


def _settings(item: Item) -> DatasetSettings | Unknown:
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


class _List(Struct, frozen=True):
    """What a list comes to."""

    entries: tuple[AccessEntry, ...] | Unknown
    completeness: Completeness = COMPLETE
    places: tuple[tuple[AccessEntry, Provenance], ...] = ()


def _access(world: World, lists: "Lists", item: Item, name: str) -> _List:
    omitted = world.omission(_ON_LISTS)
    base = _base(item)
    settlement = Settlement([*base.claims, *lists.of(name)], omitted)
    found: dict[tuple[str, str, Condition | None], tuple[AccessEntry, Provenance]] = {}
    for one in settlement.standing:
        given = one.given
        entry = given.payload or AccessEntry(role=given.role, iam_member=given.member, condition=given.condition)
        found.setdefault((given.role, given.member, given.condition), (entry, one.claim.seen))
    places = tuple(found.values())
    entries = (*base.entries, *(entry for entry, _ in places))
    gap = omitted or (settlement.perhaps[0].why if settlement.perhaps else None)
    if gap is None and settlement.whole is None and not base.whole:
        why = f"{item.address} doesn't declare its access list, and BigQuery fills it in"
        gap = Unknown(Incomplete(why, f"See: bq show --format=prettyjson {name}"), item.seen())
    if gap is None:
        return _List(entries, COMPLETE, places)
    return _List(entries, Completeness(gap.reason, gap.provenance), places) if entries else _List(gap)


class _Base(Struct, frozen=True):
    """What the dataset's own resource says of its list."""

    claims: tuple[Claim, ...] = ()
    entries: tuple[AccessEntry, ...] = ()
    """Authorised views and their like, which have no role."""
    whole: bool = False


def _base(item: Item) -> _Base:
    listed = blocks(item.values, "access")
    if isinstance(listed, Unsettled) or not listed:
        return _Base()
    given, authorized = [], []
    for one in listed:
        found = entry_of(one)
        if isinstance(found, AccessEntry) and found.authorized:
            authorized.append(found)
        else:
            given.append(_given(found))
    sets = _sets_list(item)
    claim = Claim(item, "policy" if sets else "member", tuple(given), existing=not sets)
    return _Base((claim,), tuple(authorized), whole=True)


def _sets_list(item: Item) -> bool:
    """Whether applying it writes the list. A plan shows the list that is there also where nothing declares it."""
    resource = item.resource
    if resource.change in {Change.NO_OP, Change.FORGET}:
        return False
    if resource.change is Change.UPDATE and resource.before is not None:
        return resource.before.get("access") != item.values.get("access")
    return True


def entry_of(values: Values | Unsettled) -> AccessEntry | Unsettled:
    """One entry of an access list, or a `google_bigquery_dataset_access`."""
    if isinstance(values, Unsettled):
        return values
    role, only_if = text(values, "role"), condition(values)
    named = {ours: text(values, theirs) for theirs, ours in _MEMBERS.items()}
    authorized = {kind: blocks(values, kind) for kind in _AUTHORIZED}
    unsettled = first_unsettled((role, only_if, *named.values(), *authorized.values()))
    if unsettled is not None:
        return unsettled
    if any(authorized.values()):
        kind, found = next((kind, found) for kind, found in authorized.items() if found)
        return AccessEntry(role=role if isinstance(role, str) else "", authorized=_shown(kind, found))
    members = {ours: found for ours, found in named.items() if isinstance(found, str)}
    if len(members) != 1:
        return Unsettled("it names no member, or several")
    return AccessEntry(
        role=role if isinstance(role, str) else "",
        condition=only_if if isinstance(only_if, Condition) else None,
        **members,
    )


def _shown(kind: str, found: list[Values | Unsettled] | Unsettled) -> str:
    inner = found[0] if isinstance(found, list) else {}
    values = inner if isinstance(inner, dict) else {}
    if isinstance(nested := block(values, "dataset"), dict):
        values = nested
    names = [text(values, key) for key in ("project_id", "dataset_id", "table_id", "routine_id")]
    return f"{kind} {'.'.join(name for name in names if isinstance(name, str))}".strip()


def _given(found: AccessEntry | Unsettled) -> Given:
    if isinstance(found, Unsettled):
        return Given("", "", unsettled=found)
    return Given(found.role_name, found.member, found.condition, payload=found)


class Lists:
    """What resources of their own say of datasets' lists, sorted once."""

    def __init__(self, world: World, home: Home) -> None:
        self._named: dict[str, list[Claim]] = {}
        self._any: list[Claim] = []
        """Those that may be about any dataset."""
        for item in world.of(*_ON_LISTS):
            name = Name.of(item)
            concerned = name.is_in(home, item)
            if concerned is False:
                continue
            claim = _claim(item, first_unsettled((name.dataset, concerned)))
            if isinstance(name.dataset, str):
                self._named.setdefault(name.dataset, []).append(claim)
            else:
                self._any.append(claim)

    def of(self, dataset: str) -> list[Claim]:
        """Those about one dataset, surely or perhaps."""
        return [*self._named.get(dataset, ()), *self._any]

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets that are named."""
        return tuple(self._named)


def _claim(item: Item, doubt: Unsettled | None) -> Claim:
    if item.resource.type == DATASET_ACCESS:
        return Claim(item, "member", (_given(entry_of(item.values)),), None, doubt)
    manner = DATASET_IAM[item.resource.type]
    if manner != "policy":
        return bound(item, manner, doubt)
    given = policy_data(item.values, item.address)
    if isinstance(given, Unsettled):
        return Claim(item, manner, (), None, doubt, given)
    return Claim(item, manner, given, None, doubt)

"""Access lists of datasets: what the dataset itself and resources of their own give, and what that comes to."""

import re

from msgspec import Struct

from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.policy import Condition
from preflight.facts.seen import COMPLETE, Completeness, Provenance, Unknown
from preflight.sources.terraform.kinds import DATASET_ACCESS, DATASET_IAM
from preflight.sources.terraform.resources import Change, Place, Resource, Unsettled, Value
from preflight.sources.terraform.semantics.grants import Claim, Given, Settlement
from preflight.sources.terraform.semantics.home import Home, doubted, project_named
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.policies import bound, policy_data
from preflight.sources.terraform.semantics.values import Values, block, blocks, condition, first_unsettled, text

_FULL = re.compile(r"projects/([^/]+)/datasets/([^/]+)")
ON_LISTS = (DATASET_ACCESS, *DATASET_IAM)
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


class AccessList(Struct, frozen=True):
    """What a list comes to."""

    entries: tuple[AccessEntry, ...] | Unknown
    completeness: Completeness = COMPLETE
    places: tuple[tuple[AccessEntry, Provenance], ...] = ()


def access_list(base: "Base", claims: list[Claim], world: World, otherwise: Unknown) -> AccessList:
    """All of it together. `world` says what wasn't read; `otherwise` why more may be in it, where nothing completes
    it."""
    omitted = world.omission(ON_LISTS)
    taking = world.omission(kind for kind, manner in DATASET_IAM.items() if manner != "member")
    settlement = Settlement([*base.claims, *claims], taking)
    found: dict[tuple[str, str, Condition | None], tuple[AccessEntry, Provenance]] = {}
    for one in settlement.standing:
        given = one.given
        entry = given.payload or AccessEntry(role=given.role, iam_member=given.member, condition=given.condition)
        found.setdefault((given.role, given.member, given.condition), (entry, given.seen or one.claim.seen))
    places = tuple(found.values())
    entries = (*base.entries, *(entry for entry, _ in places))
    gap = omitted or (settlement.perhaps[0].why if settlement.perhaps else None)
    if gap is None and settlement.whole is None and not base.whole:
        gap = otherwise
    if gap is None:
        return AccessList(entries, COMPLETE, places)
    return AccessList(entries, Completeness(gap.reason, gap.provenance), places) if entries else AccessList(gap)


class Base(Struct, frozen=True):
    """What is known of the list beside what resources of their own say."""

    claims: tuple[Claim, ...] = ()
    entries: tuple[AccessEntry, ...] = ()
    """Authorised views and their like, which have no role."""
    whole: bool = False


def base_of(item: Item) -> Base:
    """What the dataset's own resource says of its list."""
    listed = blocks(item.values, "access")
    if isinstance(listed, Unsettled) or not listed:
        return Base()
    given, authorized = [], []
    for one in listed:
        found = entry_of(one)
        if isinstance(found, AccessEntry) and found.authorized:
            authorized.append(found)
        else:
            given.append(_given(found))
    sets = _sets_list(item)
    claim = Claim(item, "policy" if sets else "member", tuple(given), existing=not sets)
    return Base((claim,), tuple(authorized), whole=True)


def base_now(dataset: Dataset) -> Base:
    """The list as it is there before a change."""
    if isinstance(dataset.access, Unknown):
        return Base()
    where = Place(dataset.provenance.resource)
    now = Item(Resource(address=f"the access list of {dataset.id}", type="", values={}, place=where), {})
    given = tuple(
        Given(one.role_name, one.member, one.condition, payload=one, seen=dataset.place_of(one))
        for one in dataset.access
        if not one.authorized
    )
    authorized = tuple(one for one in dataset.access if one.authorized)
    claim = Claim(now, "member", given, existing=True)
    return Base((claim,), authorized, whole=dataset.access_completeness.complete)


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
        for item in world.of(*ON_LISTS):
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

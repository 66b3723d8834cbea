"""Whether the vendor has synced to the destination yet: derived from what is there, for the rules that judge what a
sync leaves behind."""

from collections.abc import Iterable

from msgspec import Struct

from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.project import Fact
from preflight.facts.seen import Evidence, NotCollected, Unknown
from preflight.facts.snapshot import OFFLINE, Snapshot, Target
from preflight.facts.tables import TableList, Tables
from preflight.profile import Profile, Sync


class SyncedDataset(Struct, frozen=True, kw_only=True):
    """The destination, or a dataset that the vendor keeps beside it."""

    name: str
    dataset: Dataset | Unknown | None
    """None: it doesn't exist."""
    tables: TableList | Unknown | None
    """None: it doesn't exist, or has only just been made."""
    absence: Evidence | None = None
    """That it doesn't exist."""

    @property
    def gap(self) -> Unknown | None:
        """Why it isn't known all that is in it; None: it is."""
        if self.dataset is None or isinstance(self.dataset, Unknown):
            return self.dataset
        if self.tables is None or isinstance(self.tables, Unknown):
            return self.tables
        gap = self.tables.completeness
        return Unknown(gap.gap, gap.provenance or self.tables.provenance) if gap.gap else None


class Synced(Fact, frozen=True, kw_only=True, tag="synced"):
    """Whether a sync has been. Derived; of `moot`, `before`, `sign` and `gap` just one is told."""

    parts: tuple[SyncedDataset, ...] = ()
    """The destination, then its companions; none where no destination is to be judged."""
    moot: str = ""
    """Why nothing is asked: no destination is named, or this source doesn't tell of tables (but of the datasets)."""
    before: str = ""
    """That nothing was synced yet, and what tells so."""
    sign: Evidence | None = None
    """That something was synced."""
    gap: Unknown | None = None
    """Why that isn't known."""


def first_sync(
    snapshot: Snapshot, datasets: Datasets | Unknown, tables: Tables | Unknown, profile: Profile, target: Target
) -> Synced:
    """Derives whether the vendor has synced to the destination."""
    if target.dataset is None:
        return Synced(moot="no --dataset given: what a sync leaves is judged where the destination is named")
    if profile.sync is None:
        return Synced(moot=f"the profile {profile.name} doesn't tell what a sync leaves")
    if target.dataset.endswith(profile.dataset.companion_suffixes):
        return Synced(
            moot=f"{target.dataset} is named as a dataset beside the destination: name the destination itself"
        )
    parts = tuple(_part(name, datasets, tables) for name in profile.dataset.companions(target.dataset))
    if isinstance(tables, Unknown) and isinstance(tables.reason, NotCollected) and snapshot.source in OFFLINE:
        return Synced(parts=parts, moot=tables.reason.describe())
    sign = _sign(parts, profile.sync)
    if sign is not None:
        return Synced(parts=parts, sign=sign)
    gap = next((part.gap for part in parts if part.gap is not None), None)
    return Synced(parts=parts, gap=gap) if gap else Synced(parts=parts, before=_before(parts))


def _part(name: str, datasets: Datasets | Unknown, tables: Tables | Unknown) -> SyncedDataset:
    found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
    if found is None and isinstance(datasets, Datasets):
        return SyncedDataset(name=name, dataset=None, tables=None, absence=datasets.seen_absent(name))
    return SyncedDataset(name=name, dataset=found, tables=tables if isinstance(tables, Unknown) else tables.get(name))


def _sign(parts: Iterable[SyncedDataset], sync: Sync) -> Evidence | None:
    """What only a sync leaves: in the destination a view with its raw table, or one that has none by design; any view
    in a companion, whose name is the vendor's own. A raw table alone may be a sync that is under way, or another's."""
    own, *companions = parts
    if isinstance(own.tables, TableList):
        for view in own.tables.views():
            if view in sync.unbacked_views:
                return own.tables.provenance.saw(f"{own.name} holds the view {view}")
            if own.tables.is_table(view + sync.raw_suffix):
                return own.tables.provenance.saw(f"{own.name} holds the view {view} and {view}{sync.raw_suffix}")
    for part in companions:
        view = next(part.tables.views(), "") if isinstance(part.tables, TableList) else ""
        if view and isinstance(part.tables, TableList):
            return part.tables.provenance.saw(f"{part.name} holds the view {view}")
    return None


def _before(parts: tuple[SyncedDataset, ...]) -> str:
    own = parts[0]
    if own.dataset is None:
        return f"before the first sync: {own.name} doesn't exist yet"
    count = len(own.tables.tables) if isinstance(own.tables, TableList) else 0
    if not count:
        return f"before the first sync: {own.name} is empty"
    return f"before the first sync: {own.name} holds no view as a sync leaves them (tables and views: {count:,})"

"""The tables and views in the destination and in the datasets that the vendor keeps beside it."""

from collections.abc import Iterator

from preflight.facts.project import Fact, Observed
from preflight.facts.seen import COMPLETE, Completeness, NotCollected, Unknown

_TABLE = "TABLE"
_IS_VIEW = {"VIEW": True, "MATERIALIZED_VIEW": True, _TABLE: False, "EXTERNAL": False, "SNAPSHOT": False}
"""BigQuery's reference of `tables.list`, `type`."""
KINDS = tuple(_IS_VIEW)


class TableList(Observed, frozen=True, kw_only=True, tag="table_list"):
    """The tables and views of one dataset (BigQuery v2 `tables.list`)."""

    dataset: str
    tables: dict[str, str]
    """By ID, which is told apart by case: BigQuery's word for what it is, `TABLE`, `VIEW` and so on."""
    completeness: Completeness = COMPLETE
    """A gap: there may be others."""

    def is_view(self, name: str) -> bool | None:
        """Whether something of this name is there and is a view; None: it is there, and is of a kind that this
        version doesn't know."""
        return _IS_VIEW.get(self.tables[name]) if name in self.tables else False

    def is_table(self, name: str) -> bool:
        """Whether a table of this name is there, one that can be written to."""
        return self.tables.get(name) == _TABLE

    def views(self) -> Iterator[str]:
        """The names of the views, in the order of the list."""
        return (name for name in self.tables if self.is_view(name))


class Tables(Fact, frozen=True, kw_only=True, tag="tables"):
    """What is in the destination and its companions."""

    datasets: dict[str, TableList | Unknown]
    """By dataset. Unknown: what is in it could not be read, or whether it exists."""
    absent: tuple[str, ...] = ()
    """The datasets that surely weren't there, and so held nothing."""

    def get(self, dataset_id: str) -> TableList | Unknown | None:
        """What is in the dataset; None: nothing, it wasn't there."""
        if dataset_id in self.absent:
            return None
        found = self.datasets.get(dataset_id)
        return Unknown(NotCollected(f"what is in {dataset_id} was not asked for")) if found is None else found

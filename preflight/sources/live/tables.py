"""What is in the destination and its companions: BigQuery's tables and views, by name and kind."""

from typing import Any

from msgspec import Struct

from preflight.facts.dataset import Datasets
from preflight.facts.methods import TABLE_LIST
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, Provenance, Unknown
from preflight.facts.tables import TableList, Tables
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

PAGE = 1000
MOST_PAGES = 100


class _Pages(Struct):
    """The pages of one dataset so far."""

    seen: Provenance | None = None
    """Where the first one was read; None: none was."""
    tables: dict[str, str] = {}
    tokens: set[str] = set()
    cut: Completeness = COMPLETE
    """Why the list ends before its end."""


class TableReader:
    """Lists what is in the datasets that turn out to exist; before the first sync nothing is asked."""

    def __init__(self, calls: Calls, wanted: tuple[str, ...]) -> None:
        self._calls = calls
        self._wanted = wanted
        self._pages: dict[str, _Pages] = {}

    def read(self, project: str, name: str) -> None:
        """Asks for the first page of a dataset, once."""
        if name not in self._pages:
            self._pages[name] = _Pages()
            self._list(project, name, None)

    def _list(self, project: str, name: str, token: str | None) -> None:
        pages = self._pages[name]

        def fetch(client: Any, seconds: float) -> dict[str, Any]:
            from google.cloud.bigquery import DatasetReference

            found = client.list_tables(
                DatasetReference(project, name), page_size=PAGE, page_token=token, retry=None, timeout=seconds
            )
            return dict(next(found.pages).raw_page)

        def told(page: tuple[Provenance, dict[str, str], str] | Unknown) -> None:
            if isinstance(page, Unknown):
                pages.cut = Completeness(page.reason, page.provenance)
                return
            seen, tables, following = page
            pages.seen = pages.seen or seen
            pages.tables.update(tables)
            if not following:
                return
            if following in pages.tokens or len(pages.tokens) >= MOST_PAGES:
                after = len(pages.tokens) + 1
                why = Incomplete(f"the list of the tables in {name} did not end after {after} pages")
                pages.cut = Completeness(why, seen)
                return
            pages.tokens.add(following)
            self._list(project, name, following)

        dataset = f"projects/{project}/datasets/{name}"
        self._calls.start(Call(TABLE_LIST, f"{dataset}/tables", dataset, "datasets", fetch, _page, told))

    def tables(self, datasets: Datasets | Unknown) -> Tables | Unknown:
        """What is known of them, and of which it is known that they aren't there."""
        if isinstance(datasets, Unknown):
            return datasets
        known: dict[str, TableList | Unknown] = {}
        absent = []
        for name in self._wanted:
            there = datasets.get(name)
            if there is None:
                absent.append(name)
            elif name in self._pages:
                known[name] = _listed(name, self._pages[name])
            else:
                known[name] = there if isinstance(there, Unknown) else Unknown(Incomplete(f"{name} was not read"))
        return Tables(datasets=known, absent=tuple(absent))


def _listed(name: str, pages: _Pages) -> TableList | Unknown:
    if pages.seen is None:
        return Unknown(pages.cut.gap or Incomplete(f"what is in {name} was not read"), pages.cut.provenance)
    return TableList(provenance=pages.seen, dataset=name, tables=pages.tables, completeness=pages.cut)


def _page(raw: dict[str, Any], seen: Provenance) -> tuple[Provenance, dict[str, str], str]:
    """BigQuery v2 `TableList`; without tables it has no `tables`."""
    if raw.get("kind") != "bigquery#tableList":
        raise UnreadableError("it is no list of tables")
    tables = {_text(item["tableReference"]["tableId"]): _text(item.get("type") or "") for item in raw.get("tables", ())}
    return seen, tables, _text(raw.get("nextPageToken") or "")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableError("it is not the JSON of this method")
    return value

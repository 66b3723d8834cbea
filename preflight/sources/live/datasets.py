"""BigQuery's datasets: all of them by name and location, the destination and its companions in full."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from preflight.facts.caller import CallerPermissions
from preflight.facts.dataset import AccessEntry, Dataset, Datasets, DatasetSettings
from preflight.facts.hidden_conditions import HIDDEN, shown_role
from preflight.facts.methods import DATASET_GET, DATASET_LIST
from preflight.facts.policy import Condition
from preflight.facts.seen import COMPLETE, Completeness, Denied, Incomplete, NotFound, Provenance, Unknown
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

PAGE = 1000
MOST_PAGES = 200
MOST_IN_FULL = 1000
"""Of so many datasets the access lists are read: a call each."""
VALID_NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")
"""Google's documentation of dataset names. What no dataset can be called is not asked for."""


class DatasetReader:
    """Lists the datasets, page by page, and gets the wanted ones beside that."""

    def __init__(
        self,
        calls: Calls,
        wanted: tuple[str, ...],
        on_read: Callable[[Dataset], None],
        on_there: Callable[[str], None] = lambda _: None,
        *,
        every: bool = False,
    ) -> None:
        """`on_there` is told of each wanted one that exists, perhaps twice; `every`: not only the wanted ones are got,
        but all that are listed, up to `MOST_IN_FULL`."""
        self._calls = calls
        self._every = every
        self._in_full = 0
        self._wanted = tuple(name for name in dict.fromkeys(wanted) if VALID_NAME.fullmatch(name))
        self._on_read = on_read
        self._on_there = on_there
        self._project = ""
        self._listed: dict[str, Dataset] = {}
        self._list_seen: Provenance | None = None
        self._cut: Completeness | None = None
        """Why the list ends before its end."""
        self._tokens: set[str] = set()
        self._got: dict[str, Dataset | Unknown] = {}

    def start(self, project: str) -> None:
        """Asks for the first page and for each of the wanted datasets."""
        self._project = project
        self._list(None)
        for name in self._wanted:
            self._get(name)

    def _list(self, token: str | None) -> None:
        def fetch(client: Any, seconds: float) -> dict[str, Any]:
            pages = client.list_datasets(
                project=self._project, page_size=PAGE, page_token=token, retry=None, timeout=seconds
            ).pages
            return dict(next(pages).raw_page)

        def told(page: tuple[Provenance, dict[str, Dataset], str] | Unknown) -> None:
            if isinstance(page, Unknown):
                self._list_seen = self._list_seen or page.provenance
                self._cut = Completeness(page.reason, page.provenance)
                return
            seen, datasets, following = page
            self._list_seen = self._list_seen or seen
            self._listed.update(datasets)
            for name in datasets.keys() & set(self._wanted):
                self._on_there(name)
            if self._every:
                self._get_listed(datasets)
            if not following:
                return
            if following in self._tokens or len(self._tokens) >= MOST_PAGES:
                after = len(self._tokens) + 1
                self._cut = Completeness(Incomplete(f"the list of datasets did not end after {after} pages"), seen)
                return
            self._tokens.add(following)
            self._list(following)

        whole = f"projects/{self._project}"
        self._calls.start(Call(DATASET_LIST, f"{whole}/datasets", whole, "datasets", fetch, _page, told))

    def _get_listed(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._got or name in self._wanted:
                continue
            if self._in_full >= MOST_IN_FULL:
                self._got[name] = Unknown(Incomplete(f"only {MOST_IN_FULL:,} datasets are read in full"))
                continue
            self._in_full += 1
            self._get(name)

    def read_datasets(self) -> tuple[Dataset, ...]:
        """The datasets that were read in full so far."""
        return tuple(one for one in self._got.values() if isinstance(one, Dataset))

    def _get(self, name: str) -> None:
        def fetch(client: Any, seconds: float) -> dict[str, Any]:
            # The client's own `get_dataset` can't ask for version 3, and without it an entry loses its condition
            # (BigQuery v2 `datasets.get`, `accessPolicyVersion`).
            path = f"/projects/{self._project}/datasets/{name}"
            query = {"accessPolicyVersion": 3}
            return dict(client._connection.api_request("GET", path, query_params=query, timeout=seconds))

        def told(found: Dataset | Unknown) -> None:
            self._got[name] = found
            if isinstance(found, Dataset):
                self._on_read(found)
                if name in self._wanted:
                    self._on_there(name)

        resource = f"projects/{self._project}/datasets/{name}"
        self._calls.start(Call(DATASET_GET, resource, resource, "datasets", fetch, _dataset, told))

    def datasets(self, permissions: CallerPermissions | Unknown) -> Datasets | Unknown:
        """What is known of them; whether that is all depends on what the caller may see."""
        seen = self._list_seen or Provenance(DATASET_LIST.id, f"projects/{self._project}/datasets")
        completeness = self._cut or self._blindness(permissions)
        known: dict[str, Dataset | Unknown] = dict(self._listed)
        for name in dict.fromkeys((*self._wanted, *self._got)):
            settled = self._settled(name, self._got[name], completeness)
            if settled is not None:
                known[name] = settled
        if self._cut and not self._listed:
            # The list told nothing: what is known comes from the datasets that were asked for by name.
            told = next((one.provenance for one in known.values() if isinstance(one, Dataset)), None)
            if told is None:
                return Unknown(self._cut.gap or Incomplete("the list was cut"), seen)
            seen = told
        return Datasets(provenance=seen, datasets=known, completeness=completeness, api_answered=True)

    def _blindness(self, permissions: CallerPermissions | Unknown) -> Completeness:
        """The list itself shows just what the caller may see, and says nothing of the others."""
        if isinstance(permissions, Unknown):
            return Completeness(permissions.reason, permissions.provenance)
        if permissions.holds(DATASET_LIST.permission):
            return COMPLETE
        return Completeness(Denied(DATASET_LIST.permission, f"projects/{self._project}"), permissions.provenance)

    def _settled(self, name: str, found: Dataset | Unknown, completeness: Completeness) -> Dataset | Unknown | None:
        """A wanted dataset; None if it surely does not exist."""
        if isinstance(found, Dataset):
            return found
        if name in self._listed:
            return replace(self._listed[name], access=found, settings=found)
        if completeness.complete and isinstance(found.reason, NotFound | Denied) and not _of_payer(found.reason):
            return None
        return found


def _of_payer(reason: NotFound | Denied) -> bool:
    """A refusal about the quota project says nothing of the dataset."""
    return isinstance(reason, Denied) and reason.quota_project


def _page(raw: dict[str, Any], seen: Provenance) -> tuple[Provenance, dict[str, Dataset], str]:
    """BigQuery v2 `DatasetList`; without datasets it has no `datasets`."""
    if raw.get("kind") != "bigquery#datasetList":
        raise UnreadableError("it is no list of datasets")
    datasets = {}
    for item in raw.get("datasets", ()):
        name = str(item["datasetReference"]["datasetId"])
        datasets[name] = Dataset(provenance=seen, id=name, location=_text(item["location"]))
    return seen, datasets, _text(raw.get("nextPageToken") or "")


def _dataset(raw: dict[str, Any], seen: Provenance) -> Dataset:
    """BigQuery v2 `Dataset`."""
    name = _text(raw["datasetReference"]["datasetId"])
    if name != seen.resource.rpartition("/")[2]:
        raise UnreadableError("it is another dataset")
    access = tuple(map(access_entry, raw["access"]))
    return Dataset(provenance=seen, id=name, location=_text(raw["location"]), access=access, settings=_settings(raw))


def _settings(raw: dict[str, Any]) -> DatasetSettings:
    """The defaults for what is put into it; BigQuery leaves out those that are not set."""
    encryption = raw.get("defaultEncryptionConfiguration") or {}
    return DatasetSettings(
        table_expiration_ms=_milliseconds(raw.get("defaultTableExpirationMs")),
        partition_expiration_ms=_milliseconds(raw.get("defaultPartitionExpirationMs")),
        kms_key=_text(encryption.get("kmsKeyName") or ""),
    )


def _milliseconds(value: Any) -> int | None:
    """An int64, which is text in Google's JSON; 0 stands for none (BigQuery's reference)."""
    return int(value or 0) or None


_MEMBERS = {
    "userByEmail": "user",
    "groupByEmail": "group",
    "domain": "domain",
    "specialGroup": "special_group",
    "iamMember": "iam_member",
}
_AUTHORIZED = ("view", "routine", "dataset")


def access_entry(raw: dict[str, Any]) -> AccessEntry:
    """One entry of `access[]`. A kind of member that this version doesn't know is kept: it may be anyone."""
    role, hidden = shown_role(_text(raw.get("role", "")))
    condition = Condition(HIDDEN) if hidden else None
    if raw.get("condition"):
        shown = raw["condition"]
        condition = Condition(_text(shown.get("expression") or HIDDEN), _text(shown.get("title", "")))
    for key, field in _MEMBERS.items():
        if key in raw:
            return AccessEntry(role=role, condition=condition, **{field: _text(raw[key])})
    for key in _AUTHORIZED:
        if key in raw:
            return AccessEntry(role=role, condition=condition, authorized=f"{key} {_path(raw[key])}")
    unknown = next((key for key in raw if key not in {"role", "condition"}), "nobody")
    return AccessEntry(role=role, condition=condition, iam_member=f"{unknown}:(a kind this version doesn't know)")


def _path(reference: Any) -> str:
    """The parts of a reference such as `{"projectId": …, "datasetId": …, "tableId": …}`."""
    if isinstance(reference.get("dataset"), dict):
        reference = reference["dataset"]
    return ".".join(str(part) for part in reference.values() if isinstance(part, str))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableError("it is not the JSON of this method")
    return value

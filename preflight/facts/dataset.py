"""BigQuery datasets: where they are, and who may do what in them."""

from msgspec import Struct, field

from preflight.facts.policy import Condition
from preflight.facts.project import Observed
from preflight.facts.seen import COMPLETE, Completeness, Evidence, NotCollected, Provenance, Unknown


class AccessEntry(Struct, frozen=True):
    """One entry of a dataset's `access[]` (BigQuery v2 `datasets.get`).

    Exactly one of the members is set: `user` (userByEmail, also for service accounts), `group`, `domain`,
    `special_group`, `iam_member`, or `authorized` (a view, routine or dataset; it has no role).
    """

    role: str = ""
    """`READER`, `WRITER`, `OWNER`, or a role's full name."""
    user: str = ""
    group: str = ""
    domain: str = ""
    special_group: str = ""
    """`projectOwners`, `projectWriters`, `projectReaders`, `allAuthenticatedUsers`."""
    iam_member: str = ""
    authorized: str = ""
    condition: Condition | None = None

    @property
    def role_name(self) -> str:
        """The role's full name: the three old words stand for predefined roles."""
        return BASIC_DATASET_ROLES.get(self.role, self.role)

    @property
    def member(self) -> str:
        """The member in the form of IAM policies; empty for an authorised view, routine or dataset."""
        if self.iam_member:
            return self.iam_member
        if self.user:
            kind = "serviceAccount" if self.user.casefold().endswith(".gserviceaccount.com") else "user"
            return f"{kind}:{self.user}"
        if self.group:
            return f"group:{self.group}"
        if self.domain:
            return f"domain:{self.domain}"
        return self.special_group


BASIC_DATASET_ROLES = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}
"""BigQuery's documentation of `access[].role`: the equivalence is exact."""


class DatasetSettings(Struct, frozen=True, tag="dataset_settings", tag_field="fact"):
    """What BigQuery does by itself with what is put into a dataset (BigQuery v2 `datasets.get`)."""

    table_expiration_ms: int | None = None
    """Tables are deleted so long after they are made; None: never. Milliseconds."""
    partition_expiration_ms: int | None = None
    """The same for partitions; it wins over the tables' for partitioned ones. Milliseconds."""
    kms_key: str = ""
    """The customer-managed key that new tables are encrypted with; empty: Google's own."""


class Dataset(Observed, frozen=True, kw_only=True, tag="dataset"):
    """A dataset, from `datasets.list` (name and location) or `datasets.get` (all of it)."""

    id: str
    location: str
    access: tuple[AccessEntry, ...] | Unknown = Unknown(NotCollected("only its name and location were read"))
    access_completeness: Completeness = COMPLETE
    """A gap: the list may hold entries that are not among these."""
    access_places: tuple[tuple[AccessEntry, Provenance], ...] = ()
    """Where single entries were seen, for a list that is put together from several places."""
    settings: DatasetSettings | Unknown = Unknown(NotCollected("only its name and location were read"))

    def shows(self, entry: AccessEntry, said: str) -> Evidence:
        """Something about an entry as evidence, from where the entry was seen."""
        return self.place_of(entry).saw(said)

    def place_of(self, entry: AccessEntry) -> Provenance:
        """Where an entry was seen."""
        return next((place for one, place in self.access_places if one == entry), self.provenance)


class Datasets(Observed, frozen=True, kw_only=True, tag="datasets"):
    """The project's datasets, as far as the caller may see them (BigQuery v2 `datasets.list`)."""

    datasets: dict[str, Dataset | Unknown]
    """By ID. Unknown: whether it exists, or what it is like, could not be read."""
    completeness: Completeness = COMPLETE
    """A gap: there may be datasets that the caller can't see, so absence is not known."""
    absent: dict[str, Provenance] = field(default_factory=dict)
    """Datasets that surely aren't there, although others may be: what a plan deletes."""
    api_answered: bool = False
    """BigQuery itself answered for this project, which it does only while its API is on. False for facts that
    come from files."""

    @classmethod
    def of(cls, *datasets: Dataset, completeness: Completeness = COMPLETE) -> "Datasets":
        """A complete list of just these: for tests and sources that close the world."""
        first = datasets[0].provenance if datasets else Provenance("test", "datasets")
        return cls(provenance=first, datasets={d.id: d for d in datasets}, completeness=completeness)

    def get(self, dataset_id: str) -> Dataset | Unknown | None:
        """The dataset; None if it surely doesn't exist; Unknown if that can't be told."""
        found = self.datasets.get(dataset_id)
        if found is None and dataset_id not in self.absent and self.completeness.gap:
            return Unknown(self.completeness.gap, self.provenance)
        return found

    def seen_absent(self, dataset_id: str) -> Evidence:
        """That the dataset doesn't exist, as evidence; only for one of which `get` said None."""
        if dataset_id in self.absent:
            return self.absent[dataset_id].saw(f"{dataset_id} is deleted")
        return self.provenance.saw(
            f"{dataset_id} is not in the project's list of datasets ({len(self.datasets)} in all)"
        )

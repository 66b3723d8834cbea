"""What the audit asks of everybody: the few things that matter in BigQuery, each by its permissions."""

from msgspec import Struct


class Capability(Struct, frozen=True):
    """Something that one may be able to do; any of its permissions is enough."""

    id: str
    title: str
    permissions: tuple[str, ...]
    on_datasets: bool
    """A dataset's own access list can give it, for that dataset."""


CAPABILITIES = (
    Capability("run-jobs", "run jobs", ("bigquery.jobs.create",), on_datasets=False),
    Capability("create-datasets", "create datasets", ("bigquery.datasets.create",), on_datasets=False),
    Capability("read-data", "read data", ("bigquery.tables.getData",), on_datasets=True),
    Capability("write-data", "write data", ("bigquery.tables.updateData",), on_datasets=True),
    # Who may change a policy or an access list may give themselves all the rest.
    Capability(
        "change-access",
        "change access",
        ("resourcemanager.projects.setIamPolicy", "bigquery.datasets.setIamPolicy", "bigquery.datasets.update"),
        on_datasets=True,
    ),
)

AUDITED_PERMISSIONS = tuple(dict.fromkeys(p for capability in CAPABILITIES for p in capability.permissions))
"""All permissions that the audit asks about."""

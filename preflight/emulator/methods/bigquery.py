"""BigQuery v2: datasets and tables, as far as the caller may see them."""

import hashlib
from typing import Any

from preflight.emulator import errors
from preflight.emulator.errors import BIGQUERY, ApiError, Json
from preflight.emulator.methods.call import Ask, Method, etag, page, without_empty
from preflight.emulator.world import Dataset, Project

SEE_DATASET = "bigquery.datasets.get"
_CREATED = "1614589200000"
"""Milliseconds since 1970, as text: int64 is text in Google's JSON."""


def _denied_dataset(permission: str, project: str, dataset: str) -> ApiError:
    name = f"{project}:{dataset}"
    return errors.permission_denied(
        f"Access Denied: Dataset {name}: Permission {permission} denied on dataset {name} (or it may not exist)."
    )


def _denied_project(permission: str, project: str) -> ApiError:
    return errors.permission_denied(
        f"Access Denied: Project {project}: User does not have {permission} permission in project {project}."
    )


def _list_datasets(ask: Ask) -> Json:
    """What the caller may see. A caller to whom the project itself is invisible is refused."""
    asked = ask.text("projectId")
    project = ask.directory.project(asked)
    if project is None or ask.method.id in project.withheld:
        raise _denied_project(SEE_DATASET, asked)
    seen = [dataset for dataset in project.datasets if ask.may(project, dataset)]
    visible = seen or ask.may(project) or ask.may(project, permission="resourcemanager.projects.get")
    if not visible:
        raise _denied_project(SEE_DATASET, asked)
    shown = [dataset for dataset in seen if (ask.flag("all") or not dataset.hidden)]
    shown = [dataset for dataset in shown if _has_labels(dataset, ask.text("filter"))]
    items, following = page(shown, ask.number("maxResults", 50, 1000), ask.text("pageToken"))
    body: Json = {"kind": "bigquery#datasetList", "etag": etag("datasets", items)}
    return body | without_empty(
        {"datasets": [_list_item(project, dataset) for dataset in items], "nextPageToken": following}
    )


def _has_labels(dataset: Dataset, wanted: str) -> bool:
    """``labels.name`` or ``labels.name:value``, separated by spaces."""
    for term in wanted.split():
        name, separator, value = term.removeprefix("labels.").partition(":")
        if not term.startswith("labels."):
            raise errors.invalid(f"Invalid filter: {wanted}")
        if name not in dataset.labels or (separator and dataset.labels[name] != value):
            return False
    return True


def _identity(project: Project, dataset: Dataset) -> Json:
    return {
        "kind": "bigquery#dataset",
        "id": f"{project.id}:{dataset.id}",
        "datasetReference": {"datasetId": dataset.id, "projectId": project.id},
        "location": dataset.location,
        "type": dataset.more.get("type", "DEFAULT"),
    }


def _list_item(project: Project, dataset: Dataset) -> Json:
    more = {"labels": dataset.labels, "friendlyName": dataset.more.get("friendlyName", "")}
    return _identity(project, dataset) | without_empty(more)


def _find(ask: Ask) -> tuple[Project, Dataset]:
    """The dataset that a call names: 404 only for those who may see the project's datasets, else 403."""
    asked, wanted = ask.text("projectId"), ask.text("datasetId")
    project = ask.directory.project(asked)
    dataset = next((item for item in project.datasets if item.id == wanted), None) if project else None
    if project is None or ask.method.id in project.withheld:
        raise _denied_dataset(ask.method.permission, asked, wanted)
    if dataset is None:
        if ask.may(project, permission=SEE_DATASET):
            raise errors.not_found(f"Not found: Dataset {project.id}:{wanted}")
        raise _denied_dataset(ask.method.permission, project.id, wanted)
    if not ask.may(project, dataset):
        raise _denied_dataset(ask.method.permission, project.id, wanted)
    return project, dataset


def _get_dataset(ask: Ask) -> Json:
    project, dataset = _find(ask)
    root = "https://bigquery.googleapis.com/bigquery/v2"
    with_conditions = ask.number("accessPolicyVersion", 1, 3) == 3
    body = _identity(project, dataset) | {
        "etag": etag(project.id, dataset),
        "selfLink": f"{root}/projects/{project.id}/datasets/{dataset.id}",
        "access": [_entry(entry, with_conditions) for entry in dataset.access],
        "creationTime": _CREATED,
        "lastModifiedTime": _CREATED,
    }
    if dataset.labels:
        body["labels"] = dataset.labels
    return body | dataset.more


def _entry(entry: dict[str, Any], with_condition: bool) -> Json:
    """Below version 3 a condition is dropped and marked in the role's name (datasets.get, Google's reference)."""
    if "condition" not in entry or with_condition:
        return dict(entry)
    mark = hashlib.sha256(repr(entry["condition"]).encode()).hexdigest()[:10]
    bare = {key: value for key, value in entry.items() if key != "condition"}
    return bare | {"role": f"{entry.get('role', '')}_with_conditionalbinding_{mark}"}


def _list_tables(ask: Ask) -> Json:
    project, dataset = _find(ask)
    items, following = page(dataset.tables, ask.number("maxResults", 50, 1000), ask.text("pageToken"))
    tables = [
        {
            "kind": "bigquery#table",
            "id": f"{project.id}:{dataset.id}.{table.id}",
            "tableReference": {"projectId": project.id, "datasetId": dataset.id, "tableId": table.id},
            "type": table.type,
            "creationTime": _CREATED,
        }
        for table in items
    ]
    body: Json = {"kind": "bigquery#tableList", "etag": etag("tables", items), "totalItems": len(dataset.tables)}
    return body | without_empty({"tables": tables, "nextPageToken": following})


METHODS = (
    Method("bigquery.datasets.list", BIGQUERY, SEE_DATASET, _list_datasets),
    Method("bigquery.datasets.get", BIGQUERY, SEE_DATASET, _get_dataset),
    Method("bigquery.tables.list", BIGQUERY, "bigquery.tables.list", _list_tables),
)

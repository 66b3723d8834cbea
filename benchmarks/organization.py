"""A made-up Cloud Asset export of a large organization: seeded, in the forms and proportions of real ones.

What a project has is drawn from long-tailed distributions, as in real organizations: many projects are small, a few
are huge. Lines of kinds that no rule asks about are in it as well, among them the longest (an instance, a key).
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

ORGANIZATION = "organizations/590000000001"
VENDOR = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
MOMENT = "2026-03-01T04:05:06.123456Z"

Line = dict[str, Any]

_ROLES = tuple(
    f"roles/{name}"
    for names in (
        ("viewer", "editor", "owner", "browser", "storage.objectViewer", "storage.admin", "compute.serviceAgent"),
        ("bigquery.admin", "bigquery.dataViewer", "bigquery.dataEditor", "bigquery.jobUser", "bigquery.user"),
        ("logging.logWriter", "monitoring.metricWriter", "container.developer", "iam.serviceAccountUser"),
        ("run.invoker", "pubsub.publisher", "cloudsql.client", "secretmanager.secretAccessor", "dataflow.worker"),
        ("artifactregistry.reader",),
    )
    for name in names
)
_SERVICES = (
    *("bigquery", "bigquerystorage", "storage-api", "logging", "monitoring", "compute", "iam", "cloudapis"),
    *("servicemanagement", "serviceusage", "pubsub", "run", "cloudbuild", "artifactregistry", "secretmanager"),
    *("container", "cloudkms", "dataflow", "sqladmin", "oslogin", "cloudresourcemanager", "datastore", "cloudtrace"),
    *("clouddebugger", "sql-component", "storage-component", "dataform", "dataplex"),
)
_LOCATIONS = ("EU", "US", "europe-west1", "us-central1", "europe-west4", "us-east1", "asia-northeast1")


class Size(Struct, frozen=True):
    """How much of each is in it."""

    projects: int = 10_000
    bindings: int = 200_000
    datasets: int = 50_000
    folders: int = 400
    roles: int = 250
    services: int = 20
    """A project, on average."""
    others: int = 30
    """Assets that no rule asks about: a project, on average."""


def write(path: Path, size: Size, seed: int = 5) -> int:
    """Writes the export and returns how many lines it has: all RESOURCE lines, then IAM_POLICY, then ORG_POLICY."""
    count = 0
    encode = msgspec.json.encode
    with path.open("wb") as file:
        for line in _lines(size, random.Random(seed)):  # noqa: S311  nothing here is a secret
            file.write(encode(line))
            file.write(b"\n")
            count += 1
    return count


def write_among_others(path: Path, export: Path, others: int, seed: int = 6) -> None:
    """Writes an export again, between two halves of so many lines that no rule asks about."""
    rng = random.Random(seed)  # noqa: S311
    chain = ("projects/1", ORGANIZATION)

    def fill(file: BinaryIO) -> None:
        for n in range(others // 2):
            file.write(msgspec.json.encode(_other(f"other-{n}", "1", chain, rng)))
            file.write(b"\n")

    with path.open("wb") as file:
        fill(file)
        file.write(export.read_bytes())
        fill(file)


def _lines(size: Size, rng: random.Random) -> Iterator[Line]:
    folders = _folders(size, rng)
    projects = [(f"acme-{_word(rng)}-{n:05d}", str(400_000_000_000 + n * 7)) for n in range(size.projects)]
    above = {number: rng.choice(folders) for _, number in projects}
    yield _organization()
    for folder, chain in folders:
        yield _folder(folder, chain)
    for n in range(size.roles):
        yield _role(n, rng)
    datasets = _shares(size.datasets, size.projects, rng)
    for at, (project, number) in enumerate(projects):
        chain = (f"projects/{number}", above[number][0], *above[number][1])
        yield _project(project, number, chain)
        for service in rng.sample(_SERVICES, min(len(_SERVICES), max(1, round(rng.gauss(size.services, 4))))):
            yield _service(number, f"{service}.googleapis.com", chain)
        for n in range(datasets[at]):
            yield _dataset(project, f"{_word(rng)}_{n}", chain, rng)
        for _ in range(round(rng.expovariate(1 / size.others)) if size.others else 0):
            yield _other(project, number, chain, rng)
    yield _policy("Organization", ORGANIZATION, (ORGANIZATION,), _bindings(30, rng))
    for folder, chain in folders:
        if rng.random() < 0.6:  # the others have no binding of their own, and so no line
            yield _policy("Folder", folder, (folder, *chain), _bindings(rng.randrange(1, 12), rng))
    bindings = _shares(size.bindings, size.projects, rng)
    for at, (_, number) in enumerate(projects):
        chain = (f"projects/{number}", above[number][0], *above[number][1])
        yield _policy("Project", f"projects/{number}", chain, _bindings(max(1, bindings[at]), rng, vendor=True))
        if rng.random() < 0.02:
            yield _org_policy("Project", f"projects/{number}", chain, rng)
    yield _org_policy("Organization", ORGANIZATION, (ORGANIZATION,), rng)


def _shares(total: int, among: int, rng: random.Random) -> list[int]:
    """`total` things dealt to so many, unevenly."""
    weights = [rng.paretovariate(1.5) for _ in range(among)]
    whole = sum(weights)
    return [round(total * weight / whole) for weight in weights]


def _word(rng: random.Random) -> str:
    return _WORDS[int(rng.random() * len(_WORDS))]


def _words() -> tuple[str, ...]:
    rng = random.Random(7)  # noqa: S311
    return tuple("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(5, 11))) for _ in range(20_000))


_WORDS = _words()


def _folders(size: Size, rng: random.Random) -> list[tuple[str, tuple[str, ...]]]:
    """Each folder with what is above it, nearest first."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for n in range(max(1, size.folders)):
        name = f"folders/{700_000_000_000 + n}"
        shallow = [one for one in found if len(one[1]) < 4]
        parent = rng.choice(shallow) if shallow and rng.random() < 0.8 else None
        found.append((name, (parent[0], *parent[1]) if parent else (ORGANIZATION,)))
    return found


def _asset(kind: str, name: str, chain: tuple[str, ...], **content: Any) -> Line:
    return {"name": name, "asset_type": kind, **content, "ancestors": list(chain), "update_time": MOMENT}


def _resource(kind: str, name: str, chain: tuple[str, ...], parent: str, data: Line) -> Line:
    service = kind.partition(".")[0]
    resource = {
        "version": "v1",
        "discovery_document_uri": f"https://{service}.googleapis.com/$discovery/rest?version=v1",
        "discovery_name": kind.rpartition("/")[2],
        "parent": f"//cloudresourcemanager.googleapis.com/{parent}",
        "data": data,
        "location": data.get("location", "global"),
    }
    return _asset(kind, name, chain, resource=resource)


_RM = "cloudresourcemanager.googleapis.com"


def _organization() -> Line:
    data = {"displayName": "acme.example", "lifecycleState": "ACTIVE", "name": ORGANIZATION,
            "owner": {"directoryCustomerId": "C0acme123"}}  # fmt: skip
    return _resource(f"{_RM}/Organization", f"//{_RM}/{ORGANIZATION}", (ORGANIZATION,), "", data)


def _folder(folder: str, chain: tuple[str, ...]) -> Line:
    data = {"displayName": folder[-4:], "lifecycleState": "ACTIVE", "name": folder, "parent": chain[0],
            "createTime": MOMENT}  # fmt: skip
    return _resource(f"{_RM}/Folder", f"//{_RM}/{folder}", (folder, *chain), chain[0], data)


def _project(project: str, number: str, chain: tuple[str, ...]) -> Line:
    kind, _, name = chain[1].partition("/")
    data = {
        "createTime": "2019-03-13T19:07:20.987Z",
        "labels": {"team": project[5:9], "cost-center": number[-4:]},
        "lifecycleState": "ACTIVE",
        "name": project,
        "parent": {"id": name, "type": kind.rstrip("s")},
        "projectId": project,
        "projectNumber": number,
    }
    return _resource(f"{_RM}/Project", f"//{_RM}/projects/{number}", chain, chain[1], data)


def _service(number: str, service: str, chain: tuple[str, ...]) -> Line:
    name = f"//serviceusage.googleapis.com/projects/{number}/services/{service}"
    data = {"name": service, "parent": f"projects/{number}", "state": "ENABLED"}
    return _resource("serviceusage.googleapis.com/Service", name, chain, f"projects/{number}", data)


def _dataset(project: str, dataset: str, chain: tuple[str, ...], rng: random.Random) -> Line:
    access = [
        {"role": "WRITER", "specialGroup": "projectWriters"},
        {"role": "OWNER", "specialGroup": "projectOwners"},
        {"role": "OWNER", "userByEmail": f"{_word(rng)}@acme.example"},
        {"role": "READER", "specialGroup": "projectReaders"},
        *({"role": "READER", "groupByEmail": f"{_word(rng)}@acme.example"} for _ in range(rng.randrange(3))),
    ]
    data = {
        "access": access,
        "creationTime": "1562042780892",
        "datasetReference": {"datasetId": dataset, "projectId": project},
        "etag": "lS1dE0aKUmSGmKJIzK7Jxg==",
        "id": f"{project}:{dataset}",
        "kind": "bigquery#dataset",
        "labels": {"env": "prod"},
        "lastModifiedTime": "1562042780892",
        "location": rng.choice(_LOCATIONS),
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets/{dataset}",
        "type": "DEFAULT",
    }
    name = f"//bigquery.googleapis.com/projects/{project}/datasets/{dataset}"
    return _resource("bigquery.googleapis.com/Dataset", name, chain, f"projects/{chain[0][9:]}", data)


def _role(n: int, rng: random.Random) -> Line:
    name = f"{ORGANIZATION}/roles/acmeRole{n}"
    permissions = [f"compute.{_word(rng)}.get" for _ in range(rng.randrange(5, 60))]
    data = {
        "includedPermissions": [*permissions, *(["bigquery.jobs.create"] if n % 5 == 0 else [])],
        "name": name,
        "stage": "GA",
        "title": f"Role {n}",
    }
    return _resource("iam.googleapis.com/Role", f"//iam.googleapis.com/{name}", (ORGANIZATION,), ORGANIZATION, data)


def _policy(kind: str, resource: str, chain: tuple[str, ...], bindings: list[Line]) -> Line:
    policy = {"etag": "BwXhqDVMzJs=", "version": 1, "bindings": bindings}
    return _asset(f"{_RM}/{kind}", f"//{_RM}/{resource}", chain, iam_policy=policy)


def _bindings(count: int, rng: random.Random, *, vendor: bool = False) -> list[Line]:
    found: list[Line] = []
    for n in range(count):
        role = rng.choice(_ROLES) if rng.random() < 0.9 else f"{ORGANIZATION}/roles/acmeRole{rng.randrange(250)}"
        found.append({"role": role, "members": [_member(rng) for _ in range(1 + min(6, int(rng.expovariate(0.7))))]})
        if n and rng.random() < 0.01:
            until = f'request.time < timestamp("2026-{rng.randrange(4, 13):02d}-01T00:00:00Z")'
            found[-1]["condition"] = {"expression": until, "title": "temporary"}
    if vendor and rng.random() < 0.6:
        rng.choice(found)["members"].append(VENDOR)
        found.append({"role": "roles/bigquery.user", "members": [VENDOR]})
    return found


_PEOPLE = 3_000
_GROUPS = 400


def _member(rng: random.Random) -> str:
    """People and groups are of a directory and come again; service accounts belong to their projects."""
    kind = rng.random()
    if kind < 0.45:
        return f"serviceAccount:{_word(rng)}@acme-{_word(rng)}.iam.gserviceaccount.com"
    if kind < 0.8:
        return f"user:person.{rng.randrange(_PEOPLE)}@acme.example"
    if kind < 0.95:
        return f"group:team-{rng.randrange(_GROUPS)}@acme.example"
    return f"deleted:serviceAccount:{_word(rng)}@acme-{_word(rng)}.iam.gserviceaccount.com?uid=104857600000000000001"


def _org_policy(kind: str, resource: str, chain: tuple[str, ...], rng: random.Random) -> Line:
    policies = [
        {"constraint": "constraints/compute.disableSerialPortAccess", "boolean_policy": {"enforced": True},
         "update_time": MOMENT},
        {"constraint": "constraints/gcp.resourceLocations", "update_time": MOMENT,
         "list_policy": {"allowed_values": ["in:eu-locations" if rng.random() < 0.5 else "in:us-locations"]}},
    ]  # fmt: skip
    return _asset(f"{_RM}/{kind}", f"//{_RM}/{resource}", chain, org_policy=policies)


def _other(project: str, number: str, chain: tuple[str, ...], rng: random.Random) -> Line:
    """An asset of a kind that no rule asks about."""
    kind, name = rng.choice(
        (
            ("iam.googleapis.com/ServiceAccount", f"//iam.googleapis.com/projects/{project}/serviceAccounts/1"),
            ("iam.googleapis.com/ServiceAccountKey", f"//iam.googleapis.com/projects/{project}/keys/2"),
            ("storage.googleapis.com/Bucket", f"//storage.googleapis.com/{project}-{_word(rng)}"),
            ("compute.googleapis.com/Instance", f"//compute.googleapis.com/projects/{project}/zones/z/instances/3"),
            ("compute.googleapis.com/Firewall", f"//compute.googleapis.com/projects/{project}/global/firewalls/4"),
            ("bigquery.googleapis.com/Table", f"//bigquery.googleapis.com/projects/{project}/datasets/d/tables/t"),
        )
    )
    if rng.random() < 0.3:
        return _asset(kind, name, chain, iam_policy={"etag": "BwXh", "bindings": _bindings(2, rng)})
    fields = {_word(rng): {"name": _word(rng), "values": [_word(rng), rng.randrange(10_000)], "on": True}
              for _ in range(rng.randrange(2, 14))}  # fmt: skip
    data = {"id": str(rng.randrange(10**15)), "name": _word(rng), "selfLink": f"https://x/{project}/{name}", **fields}
    return _resource(kind, name, chain, f"projects/{number}", data)

"""A large plan: reading it and making facts of it, to a bare msgspec pass that only looks at each element's type.

python -m benchmarks.plan [MEGABYTES]    just this; on 500 MB, or as many
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.process import Measured, clean_environ, python, side_by_side

MEGABYTES = 500
RELEVANT = 0.005
"""How many of the resources are of types that matter."""
BOUND = 1.5
"""Times the bare pass."""
PROJECT = "acme-analytics"
BARE = """
import mmap, sys
import msgspec
class Plan(msgspec.Struct):
    resource_changes: list[msgspec.Raw]
class Type(msgspec.Struct):
    type: str
decode = msgspec.json.Decoder(Type).decode
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
kinds = {}
for raw in msgspec.json.decode(mapped, type=Plan).resource_changes:
    kind = decode(raw).type
    kinds[kind] = kinds.get(kind, 0) + 1
assert len(kinds) > 5
"""
OURS = f"""
import sys
from pathlib import Path
from preflight.facts.snapshot import FIELD_OF
from preflight.profile import load_profile
from preflight.sources.terraform.plan_source import plan_source
from preflight.target import parse_target
heap = load_profile("heap")
source = plan_source(Path(sys.argv[1]), heap, parse_target(heap, "{PROJECT}"))
snapshot = source.collect(frozenset(FIELD_OF))
assert len(snapshot.datasets.datasets) > 5
assert len(snapshot.allow_policies.policies["projects/{PROJECT}"].bindings) > 5
"""
_NOISE = ("google_storage_bucket", "google_compute_firewall", "google_compute_instance", "google_pubsub_topic")
_TEXT = "projects/acme-analytics/locations/europe-west1/keyRings/main/cryptoKeys/storage "


def _irrelevant(number: int) -> dict[str, Any]:
    """A resource of a type that doesn't matter: some 800 bytes, as in real plans (terraform-validator's)."""
    kind = _NOISE[number % len(_NOISE)]
    values = {
        "name": f"thing-{number}",
        "project": PROJECT,
        "labels": {"env": "prod", "team": f"team-{number % 7}"},
        "description": _TEXT * 2,
        "rules": [{"action": "allow", "ports": ["80", "443"], "ranges": ["10.0.0.0/8"]}],
    }
    return _change(
        f"{kind}.this[{number}]", kind, values, {"id": True, "self_link": True, "rules": [{"ports": [False]}]}
    )


def _relevant(number: int) -> dict[str, Any]:
    """A resource of a type that matters; one in ten is of the project in question."""
    project = PROJECT if number % 10 == 0 else f"project-{number % 97:06}"
    values: dict[str, Any]
    match number // 10 % 4:
        case 0:
            kind = "google_project_iam_member"
            values = {"role": f"roles/role{number % 50}", "member": f"user:user{number}@acme.example", "condition": []}
        case 1:
            kind = "google_bigquery_dataset"
            values = {"dataset_id": f"dataset_{number}", "location": "EU"}
        case 2:
            kind = "google_bigquery_dataset_iam_member"
            values = {"dataset_id": f"dataset_{number - 10}", "role": "roles/bigquery.dataViewer",
                      "member": f"user:user{number}@acme.example"}  # fmt: skip
        case _:
            kind = "google_project_service"
            values = {"service": f"service{number}.googleapis.com", "disable_on_destroy": False}
    return _change(f"{kind}.this[{number}]", kind, {"project": project} | values, {"id": True, "etag": True})


def _change(address: str, kind: str, values: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": "this",
        "provider_name": "registry.terraform.io/hashicorp/google",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": values,
            "after_unknown": unknown,
            "before_sensitive": False,
            "after_sensitive": {},
        },
    }


def _resources() -> Iterator[dict[str, Any]]:
    every = round(1 / RELEVANT)
    number = 0
    while True:
        yield _relevant(number // every) if number % every == every // 2 else _irrelevant(number)
        number += 1


def write(path: Path, megabytes: float) -> None:
    """A plan of so many megabytes, the same each time."""
    left = megabytes * 1_000_000
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        file.write(b'{"format_version":"1.2","terraform_version":"1.9.0","resource_changes":[')
        for number, resource in enumerate(_resources()):
            left -= file.write(b"," + encode(resource) if number else encode(resource))
            if left <= 0:
                break
        file.write(b"]}")


def measure(megabytes: float = MEGABYTES, times: int = 3) -> tuple[Measured, Measured]:
    """Our reading and facts, and the bare pass: whole processes, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        write(path, megabytes)
        environ = clean_environ()
        ours, bare = side_by_side(
            (python("-c", OURS, str(path)), environ, 0), (python("-c", BARE, str(path)), environ, 0), times=times
        )
    return ours, bare


def main() -> None:
    """Prints the figures; exits 1 if the ratio is over the bound."""
    megabytes = float(sys.argv[1]) if sys.argv[1:] else MEGABYTES
    ours, bare = measure(megabytes)
    ratio = ours.seconds / bare.seconds
    print(
        f"a plan of {megabytes:g} MB: {ours.seconds:.2f} s and {ours.megabytes:.0f} MB, a bare pass "
        f"{bare.seconds:.2f} s and {bare.megabytes:.0f} MB: {ratio:.2f} times (at most {BOUND:.2f})"
    )
    sys.exit(0 if ratio <= BOUND else 1)


if __name__ == "__main__":
    main()

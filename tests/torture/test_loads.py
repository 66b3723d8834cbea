"""Answers that are right and very large: what they cost in time and memory, beside a run on a small project."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from preflight.emulator import Emulator, Fault, World
from preflight.emulator import world as w
from tests.end_to_end.conftest import command_line, whole_environ
from tests.torture.worlds import ADMIN, RUN, VENDOR, world

BINDINGS = 1_500
DATASETS = 10_000
MB = 1024 * 1024


class Cost(NamedTuple):
    """What a whole process cost, and its report."""

    code: int
    report: dict[str, Any]
    seconds: float
    working: float
    """Seconds of processor time."""
    memory: int
    """The most that it held, in bytes."""

    @property
    def verdicts(self) -> dict[str, str]:
        return {finding["rule"]: finding["verdict"] for finding in self.report["findings"]}


# A process begins with what its parent holds counted as its own, and a parent that serves 200 MB holds a lot.
WEIGH = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=False)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
told = [done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss, done.stdout.decode()]
print(json.dumps(told))
"""


def cost(emulator: Emulator, *options: str) -> Cost:
    """Runs the command line as a process of its own and weighs it."""
    command = command_line(*RUN, "--format", "json", "--no-files", *options)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", WEIGH, *command],
        env=whole_environ(emulator.environ(ADMIN)),
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    seconds = time.monotonic() - begun
    code, working, memory, out = json.loads(done.stdout)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(code, json.loads(out), seconds, working, memory * unit)


@pytest.fixture(scope="module")
def small() -> Iterator[Cost]:
    """A run on a project with one dataset and two bindings."""
    with Emulator(world("good")) as emulator:
        yield cost(emulator)


def with_project(name: str, **changes: Any) -> World:
    found = world(name)
    return replace(found, projects=(replace(found.projects[0], **changes),))


def told(record: Any, what: str, large: Cost, small: Cost) -> None:
    more = (large.memory - small.memory) / MB
    record(f"torture: {what}", f"{large.seconds:.1f} s (small: {small.seconds:.1f} s), {more:+.0f} MB")


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_policy_with_1500_bindings(transport: str, small: Cost, record_property: Any):
    """Google allows 1,500 members in a policy; here each has a binding of its own, for a role of its own half the
    time, and each tenth names the vendor's account, so that 150 roles are read."""
    project = world("good").projects[0]
    roles, bindings = [], list(project.bindings)
    for number in range(BINDINGS):
        vendor = number % 10 == 0
        member = f"serviceAccount:{VENDOR}" if vendor else f"user:user{number}@acme.example"
        role = f"projects/acme-analytics/roles/r{number}" if number % 2 == 0 else "roles/browser"
        if number % 2 == 0:
            roles.append(w.Role(name=f"r{number}", permissions=("bigquery.datasets.get",)))
        bindings.append(w.Binding(role=role, members=(member,)))
    there = with_project("good", bindings=tuple(bindings), roles=(*project.roles, *roles))
    with Emulator(there) as emulator:
        large = cost(emulator, "--transport", transport)
        read = {one.resource for one in emulator.exchanges if one.method == "iam.projects.roles.get"}
    told(record_property, f"{BINDINGS} bindings over {transport}", large, small)
    assert (large.code, large.verdicts) == (0, small.verdicts)
    assert len(read) == BINDINGS / 10 + 1, "the roles of the vendor's account, and no others"
    assert large.working - small.working < 3.0
    assert large.memory - small.memory < 20 * MB


@pytest.mark.parametrize("members", [BINDINGS])
def test_a_binding_with_1500_members_of_whom_the_last_is_the_vendors(members: int, small: Cost):
    project = world("good").projects[0]
    crowd = tuple(f"user:user{number}@acme.example" for number in range(members))
    bindings = tuple(
        replace(binding, members=(*crowd, *binding.members)) if VENDOR in binding.members[0] else binding
        for binding in project.bindings
    )
    with Emulator(with_project("good", bindings=bindings)) as emulator:
        large = cost(emulator)
    assert (large.code, large.verdicts) == (0, small.verdicts)
    assert large.working - small.working < 2.0


def test_10000_datasets(small: Cost, record_property: Any):
    project = world("good").projects[0]
    many = tuple(w.Dataset(id=f"d{number}", location="US" if number % 2 else "EU") for number in range(DATASETS))
    with Emulator(with_project("good", datasets=(*many, *project.datasets))) as emulator:
        large = cost(emulator)
        pages = sum(one.method == "bigquery.datasets.list" for one in emulator.exchanges)
    told(record_property, f"{DATASETS} datasets", large, small)
    assert (large.code, large.verdicts) == (0, small.verdicts)
    assert pages == DATASETS / 1000 + 1
    assert large.working - small.working < 3.0
    assert large.memory - small.memory < 20 * MB


@pytest.mark.parametrize(
    ("method", "transport"),
    [
        ("bigquery.datasets.list", "rest"),
        ("cloudresourcemanager.projects.getIamPolicy", "rest"),
        ("cloudresourcemanager.projects.getIamPolicy", "grpc"),
        ("iam.projects.roles.get", "grpc"),
        ("oauth2.tokeninfo", "rest"),
    ],
)
def test_an_answer_of_50_mb(method: str, transport: str, small: Cost, good: Emulator, record_property: Any):
    good.inject(Fault(method, "huge", size=50_000_000))
    large = cost(good, "--transport", transport)
    told(record_property, f"50 MB from {method} over {transport}", large, small)
    assert (large.code, large.verdicts) == (0, small.verdicts)
    assert large.working - small.working < 4.0
    assert large.memory - small.memory < 4 * 50 * MB


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_an_answer_beyond_all_bounds_is_not_read_to_its_end(transport: str, small: Cost, good: Emulator):
    good.inject(Fault("cloudresourcemanager.projects.getIamPolicy", "huge", size=200_000_000))
    large = cost(good, "--transport", transport)
    assert large.code == 3
    reasons = {finding["rule"]: finding["reason"] for finding in large.report["findings"]}
    assert reasons["vendor-role"]["kind"] == "malformed"
    assert large.memory - small.memory < 3 * 64 * MB


def test_pages_without_end_cost_little(small: Cost, record_property: Any):
    with Emulator(world("own")) as emulator:
        emulator.inject(Fault("bigquery.datasets.list", "endless_pages"))
        large = cost(emulator)
        pages = sum(one.method == "bigquery.datasets.list" for one in emulator.exchanges)
    told(record_property, f"{pages} pages without end", large, small)
    assert large.code == 3
    assert large.verdicts["dataset-writable"] == "unknown"
    assert pages <= 201
    assert large.working - small.working < 4.0
    assert large.memory - small.memory < 30 * MB


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_byte_a_second_from_everywhere(transport: str, good: Emulator):
    good.inject(Fault("*", "drip"))
    dripped = cost(good, "--transport", transport, "--timeout", "3")
    assert dripped.code == 3
    assert dripped.seconds < 3 + 3
    asks_nothing = {"dataset-name", "iam-resources-conflict"}
    assert {v for rule, v in dripped.verdicts.items() if rule not in asks_nothing} == {"unknown"}

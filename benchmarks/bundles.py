"""Bundles: what writing one adds to a run, what a replay takes, and both for a very large project."""

import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.process import Measured, clean_environ, python, side_by_side
from benchmarks.results import Bench
from preflight.bundle.contents import Asked, StoredSnapshot, Tool, encoded
from preflight.emulator import Emulator, World
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition
from preflight.facts.project import Ancestry, Project
from preflight.facts.seen import Provenance
from preflight.facts.snapshot import Snapshot
from preflight.profile import load_profile

MAIN = "import sys; from preflight.cli import main; main(sys.argv[1:])"
RUN = ("run", "--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production", "--no-files", "-q")
CALLER = "admin@acme.example"
LATENCY = 0.1
ADDED, REPLAY, SECONDS, MEGABYTES = 1.15, 1.5, 2.0, 200
BINDINGS, DATASETS = 1_500, 10_000
BARE = """
import sys
import click, msgspec
import preflight.engine, preflight.profile, preflight.report, preflight.rulebook
from preflight.bundle.contents import StoredSnapshot
msgspec.json.decode(open(sys.argv[1], "rb").read(), type=StoredSnapshot)
"""
"""Imports the same models (facts, report, profile, rule), and what parses a command line, and reads the JSON."""
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


def large() -> StoredSnapshot:
    """A project with as many bindings as a policy can hold, and ten thousand datasets."""
    project = "projects/acme-analytics"
    vendor = load_profile("heap").principal
    bindings = [
        Binding(
            f"roles/made.up{n % 40}",
            tuple(f"user:person{n}-{m}@acme{m}.example" for m in range(3)),
            Condition(f"resource.name.startsWith('{project}/datasets/team{n}')", f"for team {n}")
            if n % 15 == 0
            else None,
        )
        for n in range(BINDINGS - 2)
    ]
    bindings += [Binding("roles/bigquery.user", (vendor,)), Binding("roles/bigquery.dataEditor", (vendor,))]
    seen = Provenance("bigquery.datasets.list", f"{project}/datasets", MOMENT)
    here = Provenance("cloudresourcemanager.projects.get", project, MOMENT)
    return StoredSnapshot(
        tool=Tool(version="0"),
        redaction="none",
        asked=Asked(
            project="acme-analytics", principal=vendor, profile="heap", location="EU", dataset="heap_production"
        ),
        facts=Snapshot(
            source="live",
            started_at=MOMENT,
            finished_at=MOMENT,
            project=Project(provenance=here, id="acme-analytics", number="1", state="ACTIVE", parent=None),
            ancestry=Ancestry(resources=()),
            allow_policies=AllowPolicies(
                policies={project: AllowPolicy(provenance=here, resource=project, bindings=tuple(bindings))}
            ),
            datasets=Datasets(
                provenance=seen,
                datasets={
                    name: Dataset(provenance=seen, id=name, location="EU")
                    for name in (f"team{n}_warehouse" for n in range(DATASETS))
                },
            ),
        ),
    )


def added(times: int = 7) -> tuple[Measured, Measured]:
    """A run on the stand-in with a bundle, and without."""
    with tempfile.TemporaryDirectory() as folder, Emulator(World.demo("tangled"), latency=LATENCY) as cloud:
        environ = clean_environ(**cloud.environ(caller=CALLER), PREFLIGHT_HOME=f"{folder}/home")
        with_bundle, without = side_by_side(
            (python("-c", MAIN, *RUN, "--bundle", f"{folder}/b.zip"), environ, 0, 1, 3),
            (python("-c", MAIN, *RUN), environ, 0, 1, 3),
            times=times,
        )
    return with_bundle, without


def replayed(times: int = 9) -> tuple[Measured, Measured]:
    """A replay of a bundle, and a bare process that reads it."""
    bundle = Path(__file__).parent.parent / "tests" / "bundle" / "committed" / "1.0" / "tangled.zip"
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(bundle) as archive:
            archive.extract("snapshot.json", folder)
        ours, bare = side_by_side(
            (python("-c", MAIN, "run", "--snapshot", str(bundle), "--no-files"), clean_environ(), 0, 1, 3),
            (python("-c", BARE, f"{folder}/snapshot.json"), clean_environ(), 0),
            times=times,
        )
    return ours, bare


def of_a_large_project(times: int = 2) -> tuple[Measured, Measured]:
    """Making the clean bundle of a large snapshot, and replaying that."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot, bundle = Path(folder, "s.json"), Path(folder, "b.zip")
        snapshot.write_bytes(encoded(large()))
        environ = clean_environ(PREFLIGHT_HOME=f"{folder}/home")
        replay = ("run", "--no-files", "-q", "--snapshot")
        made, again = side_by_side(
            (python("-c", MAIN, *replay, str(snapshot), "--bundle", str(bundle)), environ, 0, 1, 3),
            (python("-c", MAIN, *replay, str(bundle)), environ, 0, 1, 3),
            times=times,
        )
    return made, again


def measure(bench: Bench) -> None:
    """All of it."""
    with_bundle, without = added()
    what = f"preflight run with a clean bundle ({with_bundle.seconds:.2f} s) to one without ({without.seconds:.2f} s)"
    bench.check(what, with_bundle.seconds / without.seconds, ADDED, "times")
    ours, bare = replayed()
    what = f"replay of a bundle ({ours.seconds * 1000:.0f} ms) to reading its JSON ({bare.seconds * 1000:.0f} ms)"
    bench.check(what, ours.seconds / bare.seconds, REPLAY, "times")
    made, again = of_a_large_project()
    size = f"of {BINDINGS:,} bindings and {DATASETS:,} datasets"
    for what, found in ((f"a clean bundle {size}", made), ("its replay", again)):
        bench.check(f"{what}, CPU", found.cpu, SECONDS, "s")
        bench.check(f"{what}, memory", found.megabytes, MEGABYTES, "MB")

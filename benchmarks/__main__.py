"""`make bench`: prints each ratio beside its bound, and exits 1 if one is past it by more than noise.

`make bench BENCH_ARGS=--full` takes all of them, on the largest inputs; without it, what is left out is said. `--alone`
leaves out checkov, which has to be installed, and takes a smaller export, as the gate does.
"""

import gc
import sys
import time

from benchmarks import audit, bundles, exports, plan, questions, repositories
from benchmarks.process import clean_environ, python, side_by_side
from benchmarks.results import Bench
from preflight.emulator import Emulator, World
from preflight.engine import evaluate, load_rules, needed_facts
from preflight.profile import load_profile
from preflight.sources.live import LiveSettings, LiveSource
from preflight.target import parse_target

CLIENTS = (
    "import google.cloud.bigquery, google.cloud.resourcemanager_v3, google.cloud.service_usage_v1, "
    "google.cloud.billing_v1, google.cloud.iam_admin_v1, google.cloud.iam_v2, google.cloud.orgpolicy_v2"
)
MAIN = "import sys; from preflight.cli import main; main(sys.argv[1:])"
RUN = ("run", "--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production", "--no-files")
CALLER = "admin@acme.example"
LATENCY = 0.1


def version(bench: Bench) -> None:
    """Start-up."""
    environ = clean_environ()
    ours, click = side_by_side(
        (python("-c", MAIN, "--version"), environ, 0), (python("-c", "import click"), environ, 0), times=15
    )
    bench.check(
        f"preflight --version ({ours.seconds * 1000:.0f} ms) to import click ({click.seconds * 1000:.0f} ms)",
        ours.seconds / click.seconds,
        1.5,
        "times",
    )


def run(bench: Bench) -> None:
    """A whole run on the stand-in, each call 100 ms slower."""
    with Emulator(World.demo("ready"), latency=LATENCY) as cloud:
        environ = clean_environ(**cloud.environ(caller=CALLER))
        ours, clients, script = side_by_side(
            (python("-c", MAIN, *RUN), environ, 0),
            (python("-c", CLIENTS), environ, 0),
            (python("-m", "benchmarks.plain_script"), environ, 0),
            times=5,
        )
    bench.check(
        f"preflight run; bound = importing the clients ({clients.seconds:.2f} s) + 4 calls + 0.3 s",
        ours.seconds,
        clients.seconds + 4 * LATENCY + 0.3,
        "s",
    )
    bench.check("preflight run to a plain script of the same calls", ours.seconds / script.seconds, 1.0, "times")
    bench.check(
        f"peak memory of preflight run ({ours.megabytes:.0f} MB) to importing the clients ({clients.megabytes:.0f} MB)",
        ours.megabytes / clients.megabytes,
        1.4,
        "times",
    )


def rules(bench: Bench) -> None:
    """All rules on a snapshot that is there."""
    profile = load_profile("heap")
    target = parse_target(profile, "acme-analytics", location="EU", dataset="heap_production")
    chosen = load_rules()
    with Emulator(World.demo("broken")) as cloud:
        source = LiveSource(LiveSettings.from_environ(cloud.environ(caller=CALLER)), profile, target)
        snapshot = source.collect(needed_facts(chosen))
    gc.disable()
    times = []
    for _ in range(300):
        start = time.perf_counter()
        evaluate(chosen, snapshot, target, profile)
        times.append(time.perf_counter() - start)
    gc.enable()
    bench.check("all rules on a ready snapshot, a project", min(times) * 1000, 1.0, "ms")


def large_audit(bench: Bench) -> None:
    """The audit of a policy as large as Google allows."""
    import cel_expr_python  # noqa: F401  the time is that after import

    spent, made = min((audit.seconds() for _ in range(3)), key=lambda one: one[0])
    what = f"audit of {audit.BINDINGS} bindings and {audit.CUSTOM_ROLES} custom roles ({len(made.rows)} rows), CPU"
    bench.check(what, spent, audit.BOUND, "s")
    spent, made = audit.seconds(audit.MANY_DATASETS)
    bench.check(f"the same with {audit.MANY_DATASETS} datasets, CPU", spent, audit.MANY_BOUND, "s")


def many_questions(bench: Bench) -> None:
    """The access engine beside the brute-force oracle."""
    for groups_read in (False, True):
        ours, oracle = questions.times(groups_read=groups_read)
        what = (
            f"{questions.QUESTIONS} questions on such a policy, groups {'known' if groups_read else 'unknown'} "
            f"({ours * 1000:.0f} ms), to the oracle ({oracle:.2f} s)"
        )
        bench.check(what, oracle / ours, questions.BOUND, "times faster", at_least=True)


def large_plan(bench: Bench) -> None:
    """A large plan, of which little matters."""
    ours, bare = plan.measure()
    bench.check(
        f"facts from a plan of {plan.MEGABYTES} MB ({ours.seconds:.1f} s, {ours.megabytes:.0f} MB) to a bare pass over "
        f"its types ({bare.seconds:.1f} s, {bare.megabytes:.0f} MB)",
        ours.seconds / bare.seconds,
        plan.BOUND,
        "times",
    )


def main() -> None:
    """Runs all."""
    full, alone = ("--full" in sys.argv[1:], "--alone" in sys.argv[1:])
    bench = Bench()
    version(bench)
    run(bench)
    rules(bench)
    repositories.measure(bench, full=full, alone=alone)
    large_audit(bench)
    large_plan(bench)
    many_questions(bench)
    bundles.measure(bench)
    projects = exports.FULL if full else exports.FEW if alone else exports.SMALL
    exports.measure(bench.check, projects)
    if not full:
        why = f"one of {projects:,} stands for it; it is with BENCH_ARGS=--full"
        bench.not_taken(f"an export of {exports.FULL:,} projects", why)
    sys.exit(0 if bench.held else 1)


main()

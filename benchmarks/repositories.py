"""`preflight check` of infrastructure repositories, beside a bare parse of the same files and beside checkov.

python -m benchmarks.repositories [--full]    just this

A public tree of several hundred .tf files, such as a checkout of one of the large collections of modules on GitHub,
is measured where the variable PREFLIGHT_PUBLIC_TREE names its folder; it is copied, and not changed. `--full` also
measures checkov on it, which takes minutes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.checkov import ENVIRON, FINDINGS, Checkov, checkov
from benchmarks.infrastructure import write_many, write_one
from benchmarks.process import Measured, clean_environ, once, python, side_by_side
from benchmarks.results import Bench

MAIN = "import sys; from preflight.cli import main; main(sys.argv[1:])"
BARE = """
import os, sys
import click
import tree_sitter, tree_sitter_hcl
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))
def parse(path):
    with open(path, "rb") as file:
        parser.parse(file.read())
if os.path.isfile(sys.argv[1]):
    parse(sys.argv[1])
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".tf"):
            parse(os.path.join(folder, name))
"""
"""A bare Python that parses a file, or all of a folder, and imports the library of our command line."""
TREE = "PREFLIGHT_PUBLIC_TREE"
SEVERAL_HUNDRED = 300
READY = 0
JUDGING = (0, 1, 3)
"""Exit codes: ready, not ready, can't tell."""
ONE, ONE_CHECKOV = 3.0, 20.0
PARSES, TREE_CHECKOV = 2.0, 150.0
FEW, MANY = 250, 1_000
GROWTH, MEGABYTES = 1.2, 150.0
"""The bounds: all are ratios, but for the last."""
JUDGED = '[projects.acme-analytics]\nprofile = "heap"\nlocation = "EU"\n'
"""A configuration by which every root of a repository is read."""


def measure(bench: Bench, *, full: bool = False, alone: bool = False) -> None:
    """Makes repositories, measures, and checks each figure; `alone`: without checkov."""
    peer = None
    if alone:
        bench.not_taken("preflight check to checkov", "its installation takes long; it is without --alone")
    else:
        peer = checkov(lambda why: bench.not_taken("preflight check to checkov", why))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        start, bare = _one(bench, write_one(folder / "one"), peer)
        _many(bench, folder, start)
        _public(bench, folder, start, bare, peer if full else None)
        if peer and not full and TREE in os.environ:
            bench.not_taken("the public tree to checkov", "it takes minutes; it is with BENCH_ARGS=--full")


def _ours(path: Path, *options: str) -> list[str]:
    return python("-c", MAIN, "check", str(path), *options)


def sure_to_judge(path: Path, projects: int) -> None:
    """What judges nothing is fast as well."""
    told = subprocess.run(_ours(path, "--format", "json"), env=clean_environ(), check=False, capture_output=True)
    found = len(json.loads(told.stdout)["reports"])
    if found != projects:
        raise AssertionError(f"{found} projects are judged, not {projects}")


def _told(measured: Measured) -> str:
    return f"{measured.cpu * 1000:.0f} ms, by the clock {measured.seconds * 1000:.0f}"


def _one(bench: Bench, file: Path, peer: Checkov | None) -> tuple[Measured, Measured]:
    """By the CPU time: none of these waits for anything, and on a busy machine the clock favours what is shorter."""
    sure_to_judge(file, 1)
    environ = clean_environ()
    ours, bare = side_by_side(
        (_ours(file), environ, READY), (python("-c", BARE, str(file)), environ, 0), times=20
    )  # fmt: skip
    bench.check(
        f"CPU of preflight check of one file ({_told(ours)}) to a bare parse of it with click imported ({_told(bare)})",
        ours.cpu / bare.cpu,
        ONE,
        "times",
    )
    if peer:
        again, theirs = side_by_side(
            (_ours(file), environ, READY), (peer.command(file), ENVIRON, READY, FINDINGS), times=3
        )
        bench.check(
            f"the same to checkov ({_told(theirs)})",
            theirs.cpu / again.cpu,
            ONE_CHECKOV,
            "times faster",
            at_least=True,
        )
    return ours, bare


def _many(bench: Bench, folder: Path, start: Measured) -> None:
    environ = clean_environ()
    repositories = [write_many(folder / str(roots), roots) for roots in (FEW, MANY)]
    sure_to_judge(repositories[0], FEW)
    few, many = side_by_side(*((_ours(one), environ, READY) for one in repositories), times=2)
    grown = (many.cpu - start.cpu) / (few.cpu - start.cpu) * FEW / MANY
    bench.check(
        f"CPU for each of {MANY:,} root modules ({many.cpu:.2f} s in all) to each of {FEW} ({few.cpu:.2f} s)",
        grown,
        GROWTH,
        "times",
    )
    bench.check(f"peak memory for {MANY:,} root modules", many.megabytes, MEGABYTES, "MB")


def _public(bench: Bench, folder: Path, start: Measured, bare: Measured, peer: Checkov | None) -> None:
    named = os.environ.get(TREE)
    if not named:
        bench.not_taken("preflight check of a public tree", f"{TREE} names none; see benchmarks/repositories.py")
        return
    tree = folder / "public"
    shutil.copytree(named, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", ".terraform"))
    (tree / ".git").mkdir()
    files = sum(1 for _ in tree.rglob("*.tf"))
    if files < SEVERAL_HUNDRED:
        bench.not_taken("preflight check of a public tree", f"{TREE} has {files} .tf files, not {SEVERAL_HUNDRED}")
        return
    environ = clean_environ()
    (unjudged,) = side_by_side((_ours(tree), environ, READY), times=3)
    (tree / "preflight.toml").write_text(JUDGED, encoding="utf-8")
    sure_to_judge(tree, 1)
    judged, parsed = side_by_side(
        (_ours(tree), environ, *JUDGING), (python("-c", BARE, str(tree)), environ, 0), times=3
    )
    parse = parsed.seconds - bare.seconds
    bound = PARSES * parse + start.seconds
    told = f"a public tree of {files} .tf files; bound = {PARSES:g} x the bare parse ({parse:.2f} s) + start"
    bench.check(f"preflight check of {told}", unjudged.seconds, bound, "s")
    bench.check("the same where every root of it is judged", judged.seconds, bound, "s")
    if peer:
        theirs = once(peer.command(tree), ENVIRON, READY, FINDINGS)
        bench.check(
            f"the same, every root judged, to checkov ({theirs.seconds:.0f} s)",
            theirs.seconds / judged.seconds,
            TREE_CHECKOV,
            "times faster",
            at_least=True,
        )


def main() -> None:
    """Prints each figure; exits 1 if one is past its bound by more than noise."""
    bench = Bench()
    measure(bench, full="--full" in sys.argv[1:])
    sys.exit(0 if bench.held else 1)


if __name__ == "__main__":
    main()

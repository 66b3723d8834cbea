"""The evaluator against Terraform itself: generated configurations of `terraform_data`, compared value by value.

Each value that we state must be the one that Terraform plans or, where it plans it as unknown, applies; and of those
that Terraform knows before it applies, few may be unsettled with us. One run of terraform holds hundreds of cases.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.resources import Resource, Unsettled
from tests.sources.terraform.hcl.generated import COMMON, expression_cases
from tests.sources.terraform.hcl.generated_roots import change_cases, instance_cases, module_cases, variable_cases

TERRAFORM = shutil.which("terraform")
SEEDS = range(int(os.environ.get("PREFLIGHT_TERRAFORM_SEEDS", "1")))
EXPRESSIONS = 400
MOST_UNSETTLED = 0.02
"""Of the values that Terraform knows in its plan."""
NOTHING = object()
DATA = re.compile(r"terraform_data\.[a-z0-9_]+")

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform binary to compare with")


def write(root: Path, seed: int) -> int:
    """A root of generated files; returns how many configurations are in it."""
    cases = expression_cases(seed, EXPRESSIONS)
    variables, given = variable_cases(seed, 60)
    calls, modules = module_cases(seed, 24)
    blocks = (f'resource "terraform_data" "{name}" {{\n  {text}\n}}' for name, text in cases.items())
    files = {
        "main.tf": COMMON + "\n".join(blocks),
        "variables.tf": variables,
        "terraform.tfvars": given,
        "instances.tf": instance_cases(seed, 45),
        "changes.tf": change_cases(seed, 24),
        "modules.tf": calls,
        **modules,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return EXPRESSIONS + 60 + 45 + 24 + 24


class Run:
    """What Terraform plans and applies in a folder; it needs no network, for its one provider is built in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "terraformrc").touch()
        self.terraform("init")
        self.terraform("plan", "-out", "plan")
        plan = json.loads(self.terraform("show", "-json", "plan"))
        self.changes = {one["address"]: one["change"] for one in plan["resource_changes"]}
        self.applied: dict[str, Any] = {}
        self.defects: set[str] = set()

    def apply(self, addresses: set[str]) -> None:
        """Applies some resources (all of them would take a minute), and notes what shows only then: unknown values, and
        Terraform's own defects ("this is a bug in Terraform", "inconsistent final plan")."""
        targets = [f"-target={address}" for address in sorted(addresses)]
        said = self.terraform("apply", "-auto-approve", *targets, errors=True)
        self.defects = set(DATA.findall(said))
        state = json.loads(self.terraform("show", "-json"))
        self.applied = dict(values_of(state["values"]["root_module"]))

    def terraform(self, command: str, *arguments: str, errors: bool = False) -> str:
        color = [] if command == "show" else ["-no-color", "-input=false"]
        done = subprocess.run(
            [str(TERRAFORM), command, *color, *arguments],
            cwd=self.root,
            env={
                "PATH": "/nowhere",
                "HOME": str(self.root),
                "TF_CLI_CONFIG_FILE": str(self.root / "terraformrc"),
                "CHECKPOINT_DISABLE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert errors or done.returncode == 0, done.stderr[-3000:]
        return done.stderr if errors else done.stdout


def values_of(module: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for resource in module.get("resources", ()):
        yield resource["address"], resource["values"].get("input", NOTHING)
    for child in module.get("child_modules", ()):
        yield from values_of(child)


def settled(value: Any) -> bool:
    if isinstance(value, list | dict):
        return all(settled(part) for part in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Unsettled)


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours - theirs) <= 1e-12 * max(1, abs(ours))  # JSON's digits are not Terraform's
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


def compared(ours: Any, planned: Any, unknown: Any, applied: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each value's comparison: `same`, `unsettled` (Terraform knows it), `open` (it doesn't), or how they differ."""
    if isinstance(ours, Unsettled):
        yield ("open" if unknown else "unsettled"), path
    elif unknown is True:
        if settled(ours):
            yield ("same" if same(ours, applied) else f"{ours!r} is not {applied!r}, which was applied"), path
    elif isinstance(ours, dict) and isinstance(planned, dict):
        inner = unknown if isinstance(unknown, dict) else {}
        if planned.keys() - ours.keys() or ours.keys() - planned.keys() - inner.keys():
            yield f"{ours!r} is not {planned!r}", path
            return
        for key, value in ours.items():
            after = applied.get(key, NOTHING) if isinstance(applied, dict) else NOTHING
            yield from compared(value, planned.get(key), inner.get(key, False), after, f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(planned, list) and len(ours) == len(planned):
        for at, value in enumerate(ours):
            below = unknown[at] if isinstance(unknown, list) and at < len(unknown) else False
            after = applied[at] if isinstance(applied, list) and at < len(applied) else NOTHING
            yield from compared(value, planned[at], below, after, f"{path}[{at}]")
    else:
        yield ("same" if same(ours, planned) else f"{ours!r} is not {planned!r}"), path


@pytest.mark.parametrize("seed", SEEDS)
def test_values_are_terraforms_or_unsettled(seed, tmp_path):
    configurations = write(tmp_path, seed)
    assert configurations > 200
    theirs = Run(tmp_path)
    declared = read_root(tmp_path, tmp_path)
    ours = {resource.address: resource for resource in declared.resources}
    certain = {address for address, resource in ours.items() if resource.maybe is None}

    assert declared.omissions == ()
    assert certain <= theirs.changes.keys()
    maybe = {address.partition("[")[0] for address in ours.keys() - certain}
    assert {address.partition("[")[0] for address in theirs.changes.keys() - certain} <= maybe

    results = judged(theirs, ours, certain)
    assert results.keys() >= FINE - {"unsettled"}
    doubtful = {path.partition(" ")[0] for result, paths in results.items() if result not in FINE for path in paths}
    if doubtful:
        theirs.apply(doubtful)
        again = judged(theirs, ours, doubtful)
        assert {result: paths for result, paths in again.items() if result not in FINE} == {}
    counts = {result: len(paths) for result, paths in results.items()}
    assert counts["same"] > configurations
    assert counts["open"] > 20
    assert counts.get("unsettled", 0) <= MOST_UNSETTLED * counts["same"], results["unsettled"]


FINE = {"same", "open", "unsettled"}


def judged(theirs: Run, ours: dict[str, Resource], certain: set[str]) -> dict[str, list[str]]:
    """The paths by how their values compare."""
    results: dict[str, list[str]] = {}
    for address in sorted(certain):
        change = theirs.changes[address]
        unknown = change["after_unknown"].get("input", False)
        applied = theirs.applied.get(address, NOTHING)
        if theirs.defects and (applied is NOTHING or theirs.defects & set(DATA.findall(address))):
            continue  # Terraform never got there
        planned = change["after"].get("input")
        for result, path in compared(ours[address].values.get("input"), planned, unknown, applied, f"{address} "):
            results.setdefault(result, []).append(path)
    return results

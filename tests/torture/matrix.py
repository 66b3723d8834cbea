"""The matrix of faults: every kind of fault, on every method, over every transport, through the command line.

One cell is one run on a stand-in of its own in which that method always goes wrong in that way. Cells mostly wait,
so they run in a few processes side by side; in each the command line runs in the process itself.
"""

import contextlib
import io
import json
import os
import re
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, get_args

import jsonschema

from preflight.cli import main
from preflight.emulator import Emulator, Fault
from preflight.emulator.faults import Kind
from preflight.engine import load_rules, needed_facts
from preflight.facts.methods import methods_for
from tests.torture.worlds import ADMIN, RUN, TEXTS, world

CALLED = methods_for(needed_facts(load_rules()))
"""The methods that a run calls, for all the built-in rules."""
TIMEOUT = 3
SLACK = 3.0
"""By so many seconds a run may go past its timeout."""
KINDS: tuple[Kind, ...] = get_args(Kind)
HARMLESS: frozenset[str] = frozenset({"huge", "endless_pages"})
"""Kinds that take nothing away, but for lists without an end."""
DELAYS: frozenset[str] = frozenset({"slow", "hang", "drip"})
NEVER_CALLED = "the method was never called"
"""Also where the time was up before it was its turn."""
_ASSUMED = re.compile(r"^deny policies of .* were not seen \(.*\): none is assumed$")
AUDITOR = "auditor-access"
"""It tells what the caller could not see: it alone may change in its own ways."""
CODES = {0: {"pass", "warn"}, 1: {"fail"}, 3: {"unknown"}}
_FOREIGN = ("GOOGLE_", "PREFLIGHT_", "CLOUDSDK_", "BIGQUERY_", "GRPC_")
_NETWORK = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"}


class Cell(NamedTuple):
    """One run of the matrix."""

    kind: Kind
    method: str
    transport: str
    world: str

    @property
    def column(self) -> str:
        """Method and transport."""
        return f"{self.method} {self.transport}"


class Finding(NamedTuple):
    """What a rule said."""

    verdict: str
    reason: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.reason}".strip()


class Outcome(NamedTuple):
    """How a cell's run ended. Not empty `problems`: it broke a promise."""

    cell: Cell
    code: int
    verdict: str
    changed: dict[str, Finding]
    """The rules that say something else than without the fault."""
    seconds: float
    hits: int
    problems: list[str]

    @property
    def text(self) -> str:
        """As the table shows it; `=`: as without the fault."""
        reasons = sorted({finding.reason for finding in self.changed.values() if finding.reason})
        if not self.changed:
            return "="
        return f"{self.code} {self.verdict}" + (f" ({', '.join(reasons)})" if reasons else "")

    @property
    def late(self) -> bool:
        """Something was not answered in time, although this fault delays nothing."""
        return self.cell.kind not in DELAYS and any(finding.reason == "timeout" for finding in self.changed.values())


class Run(NamedTuple):
    """A run of the command line in this process, and what the stand-in saw of it."""

    code: int
    out: str
    err: str
    seconds: float
    files: dict[str, str]


def columns() -> tuple[tuple[str, str], ...]:
    """Each method with each transport that the tool reads it over."""
    both = [(m.id, t) for m in CALLED for t in ("grpc", "rest") if _over(m.id, bool(m.grpc), t)]
    return tuple(both)


def _over(method: str, grpc: bool, transport: str) -> bool:
    if method.startswith("iam.") and ".roles." in f".{method}":  # Google has no REST client for it
        return transport == "grpc"
    return grpc or transport == "rest"


def cells() -> tuple[Cell, ...]:
    """All of the matrix, in its order. The third world is there for what tells about datasets."""
    return tuple(
        Cell(kind, method, transport, name)
        for name in TEXTS
        for kind in KINDS
        for method, transport in columns()
        if name != "own" or method.startswith("bigquery.") or method.endswith("testIamPermissions")
    )


def part() -> tuple[Cell, ...]:
    """One cell for each fault on each method, its world and transport in turn: so that a run of all tests takes little
    longer with each method that is added."""
    by_fault: dict[tuple[Kind, str], list[Cell]] = {}
    for cell in cells():
        by_fault.setdefault((cell.kind, cell.method), []).append(cell)
    methods = [method.id for method in CALLED]
    return tuple(
        chosen[(KINDS.index(kind) + methods.index(method)) % len(chosen)] for (kind, method), chosen in by_fault.items()
    )


def run(emulator: Emulator, *options: str, caller: str = ADMIN) -> Run:
    """Runs `preflight run` on the worlds' project, with its report as JSON on stdout and as files."""
    out, err = io.StringIO(), io.StringIO()
    before, code = dict(os.environ), -1
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(emulator.environ(caller))
        begun = time.monotonic()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main([*RUN, "--format", "json", "--output-dir", folder, *options])
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        seconds = time.monotonic() - begun
        files = {path.suffix: path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())}
    return Run(code, out.getvalue(), err.getvalue(), seconds, files)


def clean_environment() -> None:
    """No credentials or proxies from around the tests; called once in each process."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower() in _NETWORK:
            del os.environ[name]
    os.environ["NO_GCE_CHECK"] = "true"


def findings(run: Run) -> dict[str, Finding]:
    """What each rule said."""
    return {
        finding["rule"]: Finding(finding["verdict"], (finding["reason"] or {}).get("kind", ""))
        for finding in json.loads(run.out)["findings"]
    }


@cache
def faultless(name: str, transport: str) -> dict[str, Finding]:
    """What each rule says in a world where nothing goes wrong."""
    with Emulator(world(name)) as emulator:
        found = run(emulator, "--transport", transport, "--timeout", "60")
        called = {exchange.method for exchange in emulator.exchanges}
    assert found.code in CODES, found.err
    assert called == {method.id for method in CALLED}, "the world has a run call every method"
    return findings(found)


def outcome(cell: Cell) -> Outcome:
    """Runs one cell and holds it to every promise."""
    usual = faultless(cell.world, cell.transport)
    with Emulator(world(cell.world)) as emulator:
        emulator.inject(Fault(cell.method, cell.kind, delay=30.0))
        # How long 50 MB or 200 pages take, is the machine's affair.
        timeout = 10 * TIMEOUT if cell.kind in HARMLESS else TIMEOUT
        done = run(emulator, "--transport", cell.transport, "--timeout", str(timeout))
    ends = time.monotonic() + 2
    while not (hits := sum(cell.kind in one.fault for one in emulator.exchanges)) and time.monotonic() < ends:
        time.sleep(0.01)  # a slow answer is recorded when it is given, or when the server has stopped
    problems = _said(done, timeout)
    if problems:
        return Outcome(cell, done.code, "none", {}, done.seconds, hits, problems)
    found, report = findings(done), json.loads(done.out)
    changed = {rule: finding for rule, finding in found.items() if finding != usual[rule]}
    problems += _judged(cell, report, usual, found)
    if not hits:
        problems.append(NEVER_CALLED)
    return Outcome(cell, done.code, report["verdict"], changed, done.seconds, hits, problems)


@cache
def _schema() -> Any:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main(["schema", "report"])
    return jsonschema.Draft202012Validator(json.loads(out.getvalue()))


def _said(done: Run, timeout: float) -> list[str]:
    """What is wrong with how a run ended and what it left, whatever it was about."""
    problems = []
    if done.seconds > timeout + SLACK:
        problems.append(f"it took {done.seconds:.1f} s")
    if "Traceback" in done.out + done.err:
        problems.append(f"a traceback: {done.err[-300:]}")
    if done.code not in CODES:
        return [*problems, f"exit code {done.code}: {done.err}"]
    try:
        report = json.loads(done.out)
    except ValueError:
        return [*problems, f"no JSON on stdout: {done.out[:100]!r}"]
    problems += [f"not the schema: {error.message}" for error in _schema().iter_errors(report)]
    if done.files.keys() != {".json", ".md"} or json.loads(done.files[".json"]) != report:
        problems.append(f"the files are not the report: {sorted(done.files)}")
    if not done.err.splitlines()[-1:] or not done.err.splitlines()[-1].startswith("Reports: "):
        problems.append(f"where the files are is not told last: {done.err}")
    return problems


def _judged(cell: Cell, report: dict[str, Any], usual: dict[str, Finding], found: dict[str, Finding]) -> list[str]:
    """Which verdicts the evidence of this run doesn't carry."""
    problems = []
    if found.keys() != usual.keys():
        problems.append(f"rules are missing: {usual.keys() - found.keys()}")
    lost = cell.kind not in HARMLESS
    for finding in report["findings"]:
        rule, verdict = finding["rule"], finding["verdict"]
        before = usual[rule].verdict
        if rule != AUDITOR and verdict not in {before, "unknown"}:
            problems.append(f"{rule} was {before} and became {verdict}")
        if verdict == "unknown" and not (finding["reason"] and finding["message"]):
            problems.append(f"{rule} is unknown without a reason")
        if (finding["reason"] or {}).get("kind") == "internal":
            problems.append(f"{rule}: {finding['message']}")
        # That deny policies weren't seen is said with what hid them: it is what the verdict does not rest on.
        seen = [one for one in finding["evidence"] if not _ASSUMED.search(one["detail"])]
        cited = {evidence["source"] for evidence in seen}
        if verdict in {"pass", "fail", "warn"} and rule != AUDITOR:
            if not cited:
                problems.append(f"{rule} is {verdict} without evidence")
            if lost and cell.method in cited:
                problems.append(f"{rule} is {verdict} by an answer that was never given")
    if report["verdict"] not in CODES[report["exit_code"]]:
        problems.append(f"exit code {report['exit_code']} for the verdict {report['verdict']}")
    return problems


def pairs() -> tuple[tuple[Cell, Cell], ...]:
    """Each two methods, over either transport, going wrong at once: the kinds and worlds in turn."""
    chosen: list[tuple[Cell, Cell]] = []
    for transport in ("grpc", "rest"):
        here = [column for column in columns() if column[1] == transport or _has_one(column[0])]
        for first in range(len(here)):
            for second in range(first):
                at = len(chosen)
                world = ("good", "bad", "own")[at % 3]
                kinds = KINDS[at % len(KINDS)], KINDS[(at * 5 + 3) % len(KINDS)]
                chosen.append((Cell(kinds[0], *here[first], world), Cell(kinds[1], *here[second], world)))
    return tuple(chosen)


def _has_one(method: str) -> bool:
    return sum(name == method for name, _ in columns()) == 1


def both_at_once(pair: tuple[Cell, Cell]) -> list[str]:
    """What is wrong with a run in which two methods go wrong at once."""
    first, second = pair
    transport = next((cell.transport for cell in pair if not _has_one(cell.method)), "grpc")
    usual = faultless(first.world, transport)
    with Emulator(world(first.world)) as emulator:
        emulator.inject(*(Fault(cell.method, cell.kind, delay=30.0) for cell in pair))
        timeout = 10 * TIMEOUT if {first.kind, second.kind} <= HARMLESS else TIMEOUT
        done = run(emulator, "--transport", transport, "--timeout", str(timeout))
    problems = _said(done, timeout)
    if not problems:
        for cell in pair:
            problems += _judged(cell, json.loads(done.out), usual, findings(done))
    return [f"{first.kind} on {first.column} and {second.kind} on {second.column}: {problem}" for problem in problems]


CLEARING: tuple[Kind, ...] = ("quota", "error_500", "unavailable_503", "reset")
"""Kinds that may well be gone a moment later."""


def passing(cell: Cell) -> list[str]:
    """What is wrong with a run in which the fault is gone after two tries: it must be as if there had been none."""
    with Emulator(world(cell.world)) as emulator:
        emulator.inject(Fault(cell.method, cell.kind, times=2))
        done = run(emulator, "--transport", cell.transport, "--timeout", "60")
        hits = sum(bool(exchange.fault) for exchange in emulator.exchanges)
    problems = _said(done, 60)
    if not problems and findings(done) != faultless(cell.world, cell.transport):
        problems.append(f"it is {', '.join(f'{rule} {found}' for rule, found in findings(done).items())}")
    if hits != 2:
        problems.append(f"{hits} tries met the fault")
    return [f"{cell}: {problem}" for problem in problems]


@contextlib.contextmanager
def side_by_side(processes: int) -> Any:
    """Runs cells in so many processes: gives what `map` is to a list."""
    with ProcessPoolExecutor(processes, get_context("spawn"), clean_environment) as pool:
        yield pool.map

"""Every fault on every call: no cell breaks a promise, and the page that shows them is true."""

from pathlib import Path
from typing import Any, get_args

from preflight.emulator.faults import Kind
from tests.torture.matrix import (
    CALLED,
    CLEARING,
    HARMLESS,
    KINDS,
    NEVER_CALLED,
    Cell,
    Outcome,
    both_at_once,
    cells,
    columns,
    outcome,
    pairs,
    part,
    passing,
    side_by_side,
)
from tests.torture.table import TITLES, agrees, document, documented, for_terminal
from tests.torture.worlds import TEXTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
AT_ONCE = 12
ANEW = "python -m scripts.make_fault_table"

RM, IAM = "cloudresourcemanager", "iam"
GRANTS = {"vendor-role", "jobs-create", "dataset-writable"}
# What only the effective policies of the organization tell, and what only the Policy Troubleshooter does.
ELSEWHERE = {
    "orgpolicy.projects.policies.getEffectivePolicy": {"service-allowed", "location-allowed", "dataset-encryption"},
    "policytroubleshooter.iam.troubleshoot": {"second-opinion"},
}
# What a sync left, and whether it left anything.
SYNCED = {"synced-datasets", "synced-views"}
# What can't be told once a method fails, by the worlds' stories. Not from the product: that is what it is held to.
MUST: dict[str, dict[str, set[str]]] = {
    "good": {
        f"{RM}.projects.get": {"project-active", "vendor-role", "dataset-writable"},  # nor what is above it
        f"{RM}.projects.getIamPolicy": {"vendor-role", "jobs-create"},
        f"{RM}.folders.getIamPolicy": {"vendor-role", "dataset-writable"},
        f"{IAM}.roles.get": {"dataset-writable"},
        f"{IAM}.projects.roles.get": {"vendor-role", "jobs-create"},
        "cloudbilling.projects.getBillingInfo": {"billing-enabled"},
        "bigquery.tables.list": SYNCED,
        **ELSEWHERE,
    },
    # That nothing of all that is granted, takes all of it.
    "bad": {
        f"{RM}.projects.get": {"project-active", *GRANTS},
        f"{RM}.projects.getIamPolicy": GRANTS,
        f"{RM}.folders.get": GRANTS,
        f"{RM}.folders.getIamPolicy": GRANTS,
        f"{RM}.organizations.getIamPolicy": GRANTS,
        f"{IAM}.roles.get": GRANTS,
        f"{IAM}.projects.roles.get": GRANTS,
        f"{IAM}.organizations.roles.get": GRANTS,
        "cloudbilling.projects.getBillingInfo": {"billing-enabled"},
        "bigquery.tables.list": SYNCED,
        "bigquery.datasets.list": {"synced-datasets"},  # that half of it isn't there
        f"{RM}.projects.testIamPermissions": {"synced-datasets"},
        **ELSEWHERE,
        # Here a grant is due yet: whether a policy may name the vendor matters.
        "orgpolicy.projects.policies.getEffectivePolicy": {
            *ELSEWHERE["orgpolicy.projects.policies.getEffectivePolicy"],
            "vendor-sharing-allowed",
        },
    },
    "own": {
        "bigquery.datasets.list": {"dataset-writable", *SYNCED},
        "bigquery.datasets.get": {"dataset-writable"},
        "bigquery.tables.list": SYNCED,
        f"{RM}.projects.testIamPermissions": {"dataset-writable", *SYNCED},  # whether the list is all there is
    },
}


def test_the_matrix_is_whole():
    assert set(KINDS) == set(get_args(Kind)), "each fault"
    assert {method for method, _ in columns()} == {method.id for method in CALLED}, "each method"
    assert len(columns()) == 37, "fourteen over both, three over gRPC alone, six over REST alone"
    for world in ("good", "bad"):
        assert len([cell for cell in cells() if cell.world == world]) == len(KINDS) * len(columns())
    assert MUST.keys() == TEXTS.keys() == TITLES.keys()


def test_the_part_has_each_fault_on_each_method():
    chosen = part()
    faults = [(cell.kind, cell.method) for cell in chosen]
    assert len(faults) == len(set(faults)) == len(KINDS) * len(CALLED)
    for world in ("good", "bad"):
        assert {(cell.kind, cell.transport) for cell in chosen if cell.world == world} == {
            (kind, transport) for kind in KINDS for transport in ("grpc", "rest")
        }


def test_every_fault_on_every_call(everything: bool, record_property: Any):
    wanted = cells() if everything else part()
    with side_by_side(AT_ONCE) as run:
        outcomes = list(run(outcome, wanted))
    said = documented(PAGE.read_text(encoding="utf-8"))

    def shown(found: Outcome) -> str:
        return said[found.cell.world, found.cell.kind, found.cell.method]

    # Beside a dozen others even an answer in time may come too late; what that run said must be true all the same.
    late = [
        n
        for n, found in enumerate(outcomes)
        if found.late and (NEVER_CALLED in found.problems or not agrees(shown(found), found))
    ]
    wrong = [f"{outcomes[n].cell}: {one}" for n in late for one in outcomes[n].problems if one != NEVER_CALLED]
    with side_by_side(1) as run:
        for n, found in zip(late, run(outcome, [outcomes[n].cell for n in late]), strict=True):
            outcomes[n] = found
    longest = max(found.seconds for found in outcomes)
    told = f"{len(outcomes)} of {len(cells())} cells, the longest {longest:.1f} s; {len(late)} once more, alone"
    record_property("torture: faults", told)
    if everything:
        record_property("torture: the table", "\n" + for_terminal(outcomes))
    for found in outcomes:
        wrong += [f"{found.cell}: {problem}" for problem in (*found.problems, *_unseen(found))]
        if not agrees(shown(found), found):
            wrong.append(f"{found.cell}: {PAGE.name} says {shown(found)!r}, and it is {found.text!r}: {ANEW}")
    if everything and not wrong and document(outcomes) != PAGE.read_text(encoding="utf-8"):
        wrong.append(f"{PAGE.name} is not as it would be made now: {ANEW}")
    assert not wrong, "\n".join(wrong)


def test_two_faults_at_once(everything: bool, record_property: Any):
    # About sixty of them; the step shares no factor with the worlds and kinds, which take turns.
    step = next(n for n in range(len(pairs()) // 60, len(pairs())) if n % 2 and n % 3)
    wanted = pairs() if everything else pairs()[::step]
    with side_by_side(AT_ONCE) as run:
        wrong = [problem for problems in run(both_at_once, wanted) for problem in problems]
    record_property("torture: two faults at once", f"{len(wanted)} of {len(pairs())} pairs")
    assert not wrong, "\n".join(wrong)


def test_a_fault_that_clears_after_the_second_try_is_overcome(everything: bool, record_property: Any):
    whole = [cell for cell in cells() if cell.kind in CLEARING and cell.world != "own"]
    wanted = whole if everything else [cell for cell in part() if cell in whole]
    with side_by_side(AT_ONCE) as run:
        wrong = [problem for problems in run(passing, wanted) for problem in problems]
    record_property("torture: faults that clear", f"{len(wanted)} of {len(whole)} cells")
    assert not wrong, "\n".join(wrong)


def _unseen(found: Outcome) -> list[str]:
    cell: Cell = found.cell
    if cell.kind in HARMLESS and not (cell.kind == "endless_pages" and cell.method.endswith(".list")):
        return [f"{rule} changed, by nothing that was lost" for rule in found.changed]
    must = MUST[cell.world].get(cell.method, set())
    if (cell.kind, cell.method) == ("endless_pages", "bigquery.tables.list") and cell.world != "own":
        must = must - {"synced-datasets"}  # that there was a sync, the first page has shown
    return [
        f"{rule} is not unknown, although it can't be told"
        for rule in sorted(must)
        if rule not in found.changed or found.changed[rule].verdict != "unknown"
    ]

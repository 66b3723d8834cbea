"""What an audit takes for alike answers alike: each cell is what the engine decides about each single dataset."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from preflight.access.audit import Cell, State, audit
from preflight.access.decision import Answer
from preflight.facts.capabilities import AUDITED_PERMISSIONS, CAPABILITIES
from preflight.facts.dataset import AccessEntry
from preflight.facts.deny import DenyRule
from preflight.facts.policy import Condition
from preflight.facts.seen import Completeness, Incomplete
from preflight.testing import bind, policies
from tests.access.audits import (
    ACME,
    ANA,
    MOMENT,
    ROOT,
    audited,
    cell_of,
    dataset,
    denying,
    denying_by,
    group,
    row_of,
)
from tests.access.strategies import MEMBERS, accesses, datasets

USER = "roles/bigquery.user"
GROUP = "group:analysts@acme.example"
ROBOT = "serviceAccount:etl@acme-analytics.iam.gserviceaccount.com"
GRANTED, UNKNOWN, NOT_GRANTED = State.GRANTED, State.UNKNOWN, State.NOT_GRANTED
READ = "bigquery.googleapis.com/tables.getData"


def reading(name, *members):
    return dataset(name, *(AccessEntry(role="READER", iam_member=member) for member in members))


def test_a_list_that_names_a_group_is_one_that_names_its_members():
    lists = [reading("a", GROUP), reading("b", "group:others@acme.example"), reading("c", ROOT, GROUP)]
    made = audited(policies(bind(USER, ANA)), *lists, groups=group("analysts@acme.example", ANA))
    assert cell_of(made, ANA, "read-data").datasets == ("a", "c")
    assert cell_of(made, ANA, "read-data").open_datasets == ("b",)
    assert cell_of(made, GROUP, "read-data").datasets == ("a", "c")
    assert cell_of(made, GROUP, "read-data").open_datasets == ()
    assert cell_of(made, ROOT, "read-data").datasets == ("c",)


def test_members_that_may_be_anybody_leave_their_datasets_open_and_no_others():
    lists = [reading("a", "domain:acme.example"), reading("b", "robot:x"), reading("c"), reading("d", "allUsers")]
    made = audited(policies(bind(USER, ANA, ROBOT)), *lists)
    assert cell_of(made, ANA, "read-data").open_datasets == ("a", "b")
    assert cell_of(made, ANA, "read-data").datasets == ("d",)
    assert cell_of(made, ROBOT, "read-data").open_datasets == ("b",)


def test_whoever_is_in_a_group_that_is_denied_gets_nothing_through_that_group():
    """One unread group is like any other, but for those by which a deny rule decides."""
    lists = [reading("a", GROUP), reading("b", "group:others@acme.example"), reading("c", GROUP, ANA)]
    made = audited(policies(bind(USER, ANA)), *lists, deny=denying(GROUP, permission=READ))
    assert cell_of(made, ANA, "read-data").open_datasets == ("b", "c")
    assert cell_of(made, GROUP, "read-data").state is NOT_GRANTED


def test_a_deny_rule_that_looks_at_the_resource_acts_there_alone():
    sales = Condition("resource.name.startsWith('projects/acme-analytics/datasets/sales')")
    rule = DenyRule((ANA,), (READ,), condition=sales)
    lists = [reading(name, ANA, ROOT) for name in ("finance", "sales", "sales_eu")]
    made = audited(policies(bind(USER, ANA)), *lists, deny=denying_by(rule))
    assert cell_of(made, ANA, "read-data").datasets == ("finance",)
    assert cell_of(made, ROOT, "read-data").datasets == ("finance", "sales", "sales_eu")


def test_a_grant_for_some_names_is_known_for_each_dataset():
    only = "resource.name.startsWith('projects/acme-analytics/datasets/sales')"
    lists = [dataset(name) for name in ("finance", "sales", "sales_eu")]
    bound = policies(bind("roles/bigquery.dataViewer", ANA, only_if=only), bind(USER, ROOT))
    made = audited(bound, *lists)
    found = cell_of(made, ANA, "read-data")
    assert (found.state, found.datasets, found.more) == (GRANTED, ("sales", "sales_eu"), False)
    assert cell_of(made, ANA, "write-data").state is NOT_GRANTED
    assert not made.blind
    elsewhere = audited(bound, dataset("finance"))
    assert cell_of(elsewhere, ANA, "read-data").state is NOT_GRANTED
    (read,) = [one for one in elsewhere.capabilities if one.id == "read-data"]
    (proof,) = elsewhere.decisions(row_of(elsewhere, ANA), read)
    assert (proof.answer, proof.resource) == (Answer.NOT_GRANTED, "projects/acme-analytics/datasets/finance")
    for unsure in (audited(bound), audited(bound, *lists, gap=Completeness(Incomplete("a page is missing")))):
        cell = cell_of(unsure, ANA, "read-data")
        assert cell.state is UNKNOWN or cell.more
        assert unsure.blind
    orders = "resource.name == 'projects/acme-analytics/datasets/sales/tables/orders'"
    inside = audited(policies(bind("roles/bigquery.dataViewer", ANA, only_if=orders)), *lists)
    assert cell_of(inside, ANA, "read-data").open_datasets == ("sales",)
    assert inside.blind


def test_a_deny_rule_that_is_to_act_ends_a_grant():
    later = Condition("request.time >= timestamp('2027-01-01T00:00:00Z')")
    rule = DenyRule((ANA,), ("bigquery.googleapis.com/jobs.create",), condition=later)
    made = audited(policies(bind(USER, ANA, ROOT)), deny=denying_by(rule))
    assert cell_of(made, ANA, "run-jobs").until == MOMENT.replace(year=2027, day=1, hour=0, minute=0, second=0)
    assert cell_of(made, ROOT, "run-jobs").until is None


def test_an_owner_of_a_dataset_till_then_is_no_permanent_admin():
    until = Condition("request.time < timestamp('2027-01-01T00:00:00Z')")
    ending = AccessEntry(role="OWNER", user="ana@acme.example", condition=until)
    made = audited(policies(), dataset("a", ending), dataset("b", ending))
    assert cell_of(made, ANA, "change-access").datasets == ("a", "b")
    assert row_of(made, ANA).flags == ()
    owned = audited(policies(), dataset("a", ending), dataset("b", AccessEntry(role="OWNER", user="ana@acme.example")))
    assert [flag.detail for flag in row_of(owned, ANA).flags] == ["can change access of b, without an end"]


BEST = (Answer.GRANTED, Answer.UNKNOWN, Answer.NOT_GRANTED)


def best(answers):
    return next(answer for answer in BEST if answer in answers)


def expected_cell(access, principal, capability, listed):
    """A cell by asking about each dataset, one after another."""
    on_project = [access.decide(principal, permission) for permission in capability.permissions]
    whole = best({one.answer for one in on_project})
    if whole is Answer.GRANTED:
        ends = [one.changes_at for one in on_project if one.answer is Answer.GRANTED]
        return Cell(GRANTED, whole, until=None if None in ends else max(ends))
    if not capability.on_datasets:
        return Cell(State(whole.value), whole)
    inside = {
        name: [access.decide(principal, p, one) for p in capability.permissions if p.startswith("bigquery.")]
        for name, one in sorted(listed.datasets.items())
    }
    answers = {name: best({one.answer for one in found}) for name, found in inside.items()}
    granted = tuple(name for name, answer in answers.items() if answer is Answer.GRANTED)
    unsure = tuple(name for name, answer in answers.items() if answer is Answer.UNKNOWN)
    lasting = tuple(
        name for name in granted if any(one.answer is Answer.GRANTED and one.changes_at is None for one in inside[name])
    )
    # What hangs on datasets is told by them, if these are all that there are.
    told = listed.completeness.complete and bool(inside)
    open_ = {one.permission for one in on_project if one.answer is Answer.UNKNOWN}
    if told:
        open_ = {permission for permission in open_ if not permission.startswith("bigquery.")}
    more = bool(open_) or bool(unsure) or not listed.completeness.complete
    state = GRANTED if granted else UNKNOWN if more else NOT_GRANTED
    return Cell(state, whole, granted, lasting, unsure, more=bool(granted) and more)


@settings(max_examples=300)
@given(st.one_of(accesses(), accesses(clear=True), accesses(clear=True)), datasets())
def test_cells_are_what_the_engine_decides_about_each_dataset(access, listed):
    """However cells are worked out for speed."""
    made = audit(access, listed, ACME)
    for row in made.rows:
        if row.member.startswith("deleted:"):
            continue
        for capability, cell in zip(CAPABILITIES, row.cells, strict=True):
            expected = expected_cell(access, row.principal, capability, listed)
            assert replace(cell, unsure=()) == replace(expected, unsure=()), (row.member, capability.id)
            # Where it is open on the project as a whole, single datasets needn't be named.
            named = cell.open_datasets
            assert named == expected.unsure or (not named and cell.on_project is Answer.UNKNOWN)


@settings(max_examples=100)
@given(st.one_of(accesses(), accesses(clear=True)), datasets())
def test_an_answer_without_a_proof_is_that_with_one(access, listed):
    for principal in dict.fromkeys(MEMBERS):
        for permission in AUDITED_PERMISSIONS:
            for one in (None, *listed.datasets.values()):
                decided = access.decide(principal, permission, one)
                assert access.answer(principal, permission, one) is decided.answer, (principal, permission)
                if decided.answer is Answer.GRANTED:
                    assert access.ends(principal, permission, one) == decided.changes_at, (principal, permission)


@settings(max_examples=200)
@given(st.one_of(accesses(), accesses(clear=True)), datasets())
def test_an_audit_with_an_open_cell_says_what_is_open(access, listed):
    made = audit(access, listed, ACME)
    if any(cell.state is UNKNOWN or cell.more for row in made.rows for cell in row.cells):
        assert made.blind

"""Plans that nobody here wrote, beside what another tool made of them (see `cases`)."""

from collections import Counter

import pytest

from preflight.sources.terraform.kinds import RELEVANT
from tests.sources.terraform.cases import DATA, EXPLAINED, NAMES, NOT_UNKNOWN, SUBJECT, assets, compared, plan_of

pytestmark = pytest.mark.skipif(not NAMES, reason=f"the plans are absent: there is no {DATA}")


@pytest.mark.parametrize("case", NAMES)
def test_facts_equal_or_are_unknown_for_a_reason(case, record_property):
    told = list(compared(case))
    on_subject = [asset for asset in assets(case) if asset["asset_type"] in SUBJECT]
    assert bool(told) == bool(on_subject)
    for one in told:
        if one.same:
            continue
        assert one.unknown or (case, one.name) in NOT_UNKNOWN, one
        assert (case, one.name) in EXPLAINED, one
    record_property("compared with real plans", len(told))


def test_every_explanation_explains_something():
    differing = {(case, one.name) for case in NAMES for one in compared(case) if not one.same}
    assert differing == set(EXPLAINED)


def test_how_much_is_the_same():
    """So that the comparison can't pass by knowing nothing."""
    found = Counter(one.same for case in NAMES for one in compared(case))
    assert found[True] >= 30
    assert found[True] > found[False]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.tfplan.json")), ids=lambda path: path.name.partition(".")[0])
def test_all_plans_are_read_and_only_relevant_resources_kept(path):
    kept = plan_of(path.name.removesuffix(".tfplan.json")).resources
    assert {one.type for one in kept} <= RELEVANT
    assert "credentials.json" not in repr(kept)

"""Decisions as paths: what a picture shows is what the decision says, and no more than it."""

import pytest
from msgspec.structs import replace

from preflight import paths
from preflight.access.path import path_of
from preflight.facts.access_path import Level
from preflight.testing import FOLDER, ORGANIZATION, bind, deny, groups, policies, unreadable
from tests.renderers.audits import ANA, DATA, JOBS, KIM, access, decisions

PATHS = {name: path_of(decision) for name, decision in decisions().items()}
NOBODY = groups({})


def test_levels_run_from_the_organization_down_to_the_dataset():
    assert PATHS["nothing"].levels == (
        Level("organizations/9", True),
        Level("projects/acme-analytics", True),
        Level("projects/acme-analytics/datasets/sales", True),
    )


def test_a_level_that_was_not_read_is_told_as_such():
    assert PATHS["unknown"].levels == (Level("folders/77", False), Level("projects/acme-analytics", True))


def test_what_gives_it_comes_before_what_would():
    sure, missed = PATHS["granted"].ways
    assert (sure.resource, sure.member, sure.gives, sure.covers, sure.holds) == (
        "folders/77", "group:analysts@acme.example", True, True, True,
    )  # fmt: skip
    assert (missed.resource, missed.gives, missed.title, missed.holds) == (
        "projects/acme-analytics", False, "for the migration", False,
    )  # fmt: skip
    assert PATHS["granted"].changes_at


def test_an_entry_of_a_datasets_list_stands_at_the_dataset():
    (way,) = PATHS["dataset"].ways
    assert way.resource == PATHS["dataset"].resource == "projects/acme-analytics/datasets/sales"
    assert (way.gives, way.role_holds, way.condition) == (True, True, "")


def test_what_is_granted_and_denied_has_both():
    path = PATHS["denied"]
    assert path.granted is False
    assert [way.gives for way in path.ways] == [True]
    assert [(barrier.policy, barrier.resource, barrier.acts) for barrier in path.barriers] == [
        ("guard", "organizations/9", True)
    ]


def test_what_is_open_says_on_which_part_of_the_way():
    path = PATHS["unknown"]
    assert path.granted is None
    by_condition, by_group = path.ways
    assert (by_condition.gives, by_condition.covers, by_condition.holds) == (None, True, None)
    assert (by_group.gives, by_group.covers, by_group.role_holds) == (None, None, True)
    assert [barrier.acts for barrier in path.barriers] == [False]
    assert len(path.open) == 4
    assert all(point.why and point.settle for point in path.open)


def test_permissions_that_go_the_same_way_are_one_path():
    engine = access(policies(bind("roles/bigquery.user", ANA)), deny(DATA), NOBODY)
    asked = [engine.decide(ANA, name) for name in (JOBS, "bigquery.datasets.create", DATA, JOBS)]
    made = paths(*asked)
    assert [path.wanted for path in made] == [(JOBS, "bigquery.datasets.create"), (DATA,)]
    assert replace(made[0], wanted=(JOBS,)) == path_of(asked[0])


def test_a_role_is_a_path_too():
    engine = access(policies(bind("roles/bigquery.user", ANA)), deny(JOBS), NOBODY)
    (path,) = paths(engine.holds_role(ANA, "roles/bigquery.user"))
    assert (path.wanted, path.granted) == (("roles/bigquery.user",), True)
    assert [(way.role, way.role_holds) for way in path.ways] == [("roles/bigquery.user", True)]


def test_of_a_hundred_grants_it_keeps_a_few_and_counts_the_rest():
    many = [bind("roles/bigquery.user", KIM, only_if=f"resource.name != 'x{number}'") for number in range(100)]
    path = path_of(access(policies(*many), deny(DATA), NOBODY).decide(KIM, JOBS))
    assert (len(path.ways), path.more_ways) == (20, 80)


@pytest.mark.parametrize("where", [FOLDER, ORGANIZATION])
def test_a_level_in_doubt_never_counts_as_read(where):
    levels = {"folder" if where == FOLDER else "organization": unreadable(where)}
    path = path_of(access(policies(**levels), deny(DATA), NOBODY).decide(KIM, JOBS))
    assert Level(where, False) in path.levels
    assert path.granted is None

"""dataset-name: a case for each answer, named by what its reader has in front of them."""

import re

import pytest
from msgspec.structs import replace

from preflight.testing import judge, target


def verdict_on(name, **also):
    return judge("dataset-name", target=target(dataset=name), **also)


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        pytest.param(None, "skip", "<project>_<environment>", id="none given"),
        pytest.param("heap_production", "pass", "heap_production is a valid name", id="valid"),
        pytest.param("1", "pass", "valid", id="a digit"),
        pytest.param("_hidden", "pass", "valid", id="an underscore first"),
        pytest.param("x" * 1024, "pass", "valid", id="the longest"),
        pytest.param("x" * 1025, "fail", "up to 1,024", id="one too long"),
        pytest.param("heap-production", "fail", "letters, digits and underscores", id="a hyphen"),
        pytest.param("acme.heap", "fail", "letters", id="a dot"),
        pytest.param("heap production", "fail", "letters", id="a space"),
        pytest.param("heap\n", "fail", "letters", id="a line's end"),
        pytest.param("größe", "fail", "letters", id="letters of another alphabet"),
        pytest.param("`; DROP", "fail", "letters", id="hostile"),
        pytest.param("", "fail", "letters", id="empty"),
        pytest.param("heap_migrated", "warn", "heap_migrated ends in _migrated", id="the companion's ending"),
        pytest.param("_migrated", "warn", "ends in _migrated", id="nothing but that ending"),
        pytest.param("migrated", "pass", "valid", id="like that ending, and isn't"),
        pytest.param("heap_migrated_2", "pass", "valid", id="that ending in the middle"),
    ],
)
def test_each_answer(name, status, says):
    verdict = verdict_on(name)
    assert verdict.status == status
    assert says in verdict.message


def test_the_endings_are_the_profiles(heap):
    other = replace(heap, dataset=replace(heap.dataset, companion_suffixes=("_raw",)))
    assert verdict_on("a_raw", profile=other).status == "warn"
    assert verdict_on("a_migrated", profile=other).status == "pass"


@pytest.mark.parametrize(
    "name", ["heap-production", "a b.c", "x" * 2000, "---", "größe", "heap-x_migrated", "-_migrated"]
)
def test_doing_what_the_remedy_says_passes(name):
    suggested = re.search(r"such as (\w+),", verdict_on(name).remedies[0].summary)[1]
    assert verdict_on(suggested).status == "pass"

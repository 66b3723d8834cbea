"""What the user typed: refused before any call where it can't be right."""

import pytest

from preflight.errors import UsageError
from preflight.target import is_number, parse_project, parse_target
from tests.conftest import HEAP


@pytest.mark.parametrize(
    "project",
    [
        "acme-analytics",
        "heap-204419",
        "abcdef",
        "a" * 30,
        "a-----b",
        "example.com:legacy",
        "my-site.co.uk:legacy-project",
        "123456789012",
    ],
)
def test_projects_that_may_exist(project):
    assert parse_project(project) == project
    assert is_number(project) == (project == "123456789012")


@pytest.mark.parametrize(
    "project",
    [
        "",
        "abcde",
        "a" * 31,
        "Acme-Analytics",
        "acme-analytics-",
        "-acme-analytics",
        "1acme-analytics",
        "acme_analytics",
        "acme analytics",
        " acme-analytics",
        "acme-analytics\n",
        "acme.analytics",
        "projects/acme-analytics",
        "../acme-analytics",
        "acme-analytics/../other",
        "acme-analytics%2Fother",
        "acme-analytics?x=y",
        "acme-analytics#x",
        "example.com:",
        ":legacy",
        "example:legacy-project",
        "example.com:Legacy",
        "a.com:b.com:legacy",
        ".com:legacy",
        "-x.com:legacy",
        "0123456789",
        "12",
        "1" * 20,
        "١٢٣٤٥٦٧",
        "acmé-analytics",
        "$(reboot)",
    ],
    ids=ascii,
)
def test_projects_that_can_not_exist(project):
    with pytest.raises(UsageError) as caught:
        parse_project(project)
    assert ascii(project) in ascii(caught.value.message) or repr(project) in caught.value.message
    assert "6 to 30 lower-case letters" in caught.value.hint
    assert caught.value.exit_code == 2


def test_the_profiles_principal_unless_another_is_given(heap):
    assert parse_target(heap, "acme-analytics").principal == HEAP
    assert parse_target(heap, "acme-analytics", "ana@acme.example").principal == "user:ana@acme.example"


@pytest.mark.parametrize("principal", ["", " ", "group:data@acme.example"], ids=["empty", "blank", "a group"])
def test_a_principal_that_is_none_is_never_the_profiles(heap, principal):
    with pytest.raises(UsageError, match=r"--principal: .* is not a principal"):
        parse_target(heap, "acme-analytics", principal)


@pytest.mark.parametrize("option", ["location", "dataset"])
@pytest.mark.parametrize("value", ["", "  "], ids=["empty", "blank"])
def test_an_empty_option_is_refused(heap, option, value):
    with pytest.raises(UsageError, match=f"--{option} is empty"):
        parse_target(heap, "acme-analytics", **{option: value})


def test_options_are_kept_as_given(heap):
    target = parse_target(heap, "acme-analytics", location="eu", dataset="heap")
    assert (target.project, target.location, target.dataset) == ("acme-analytics", "eu", "heap")

"""Profiles: what a broken one is told, and which principals may take the vendor's place."""

import shlex

import pytest

from preflight.errors import ProfileError, UsageError
from preflight.profile import LocationClass, decode_profile, load_profile, parse_principal, profile_files, profile_text
from preflight.remedies import grant_role

TEXT = profile_text("heap")


@pytest.mark.parametrize("name", sorted(profile_files()))
def test_the_built_in_profiles_are_whole(name):
    profile = load_profile(name)
    assert profile.name == name
    assert "@" in profile.support.email
    names = [location.casefold() for group in profile.locations for location in group.names]
    assert len(names) == len(set(names)), "a location has one class"
    assert [r.id for r in profile.requirements] == [f"H{n}" for n in range(1, 11)]


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        pytest.param("[grant]", "[grant", "at line 15", "syntax", id="syntax: the line"),
        pytest.param('name = "heap"', "name = heap", "at line 2", "syntax", id="a value without quotes"),
        pytest.param('vendor = "', 'vendr = "', "top level: Object contains unknown field `vendr`",
                     "Did you mean 'vendor'?", id="an unknown key"),
        pytest.param("minimum_roles", "minimal_roles", "grant: Object contains unknown field `minimal_roles`",
                     "Did you mean 'minimum_roles'?", id="an unknown key in a table"),
        pytest.param("[support]", "[suport]", "unknown field `suport`", "Did you mean 'support'?", id="a table"),
        pytest.param('email = "support@heap.io"\n', "", "support: Object missing required field `email`", "",
                     id="a missing key"),
        pytest.param('"supported"', '"suported"', "locations[0].status: Invalid enum value 'suported'", "",
                     id="a word that isn't one of ours"),
        pytest.param('apis = ["bigquery.googleapis.com"]', "apis = 3", "apis: Expected `array`, got `int`", "",
                     id="a value of another type"),
        pytest.param('apis = ["bigquery.googleapis.com"]', "apis = []", "apis: Expected `array` of length >= 1", "",
                     id="an empty list"),
        pytest.param('create_permissions = ["bigquery.datasets.create"]', "create_permissions = []",
                     "dataset.create_permissions: Expected `array` of length >= 1", "", id="an empty list in a table"),
        pytest.param('principal = "serviceAccount:', 'principal = "group:', "is not a principal", "",
                     id="a principal of another kind"),
        pytest.param('principal = "serviceAccount:', 'principal = "', "lacks its kind", "", id="a bare e-mail"),
    ],
)  # fmt: skip
def test_a_broken_profile_is_told_file_key_and_line(old, new, says, hint):
    assert old in TEXT
    with pytest.raises(ProfileError) as caught:
        decode_profile(TEXT.replace(old, new, 1), "acme.toml")
    assert caught.value.message.startswith("acme.toml: ")
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.hint


def test_a_profile_from_a_file(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text(TEXT.replace('name = "heap"', 'name = "acme"'), encoding="utf-8")
    assert load_profile(str(path)).name == "acme"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["not there", "not text"])
def test_a_file_that_can_not_be_read_is_named(tmp_path, content):
    path = tmp_path / "acme.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"acme\.toml"):
        load_profile(str(path))


def test_an_unknown_profile_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="There is no profile 'hepa'") as caught:
        load_profile("hepa")
    assert caught.value.hint == "Did you mean 'heap'? Known: contentsquare, heap."


@pytest.mark.parametrize(
    ("given", "principal"),
    [
        ("sync@acme.iam.gserviceaccount.com", "serviceAccount:sync@acme.iam.gserviceaccount.com"),
        ("12-compute@developer.gserviceaccount.com", "serviceAccount:12-compute@developer.gserviceaccount.com"),
        ("Sync@ACME.iam.GServiceAccount.com", "serviceAccount:Sync@ACME.iam.GServiceAccount.com"),
        ("ana@acme.example", "user:ana@acme.example"),
        ("ana@notgserviceaccount.com", "user:ana@notgserviceaccount.com"),
        ("  ana@acme.example\n", "user:ana@acme.example"),
        ("o'brien+x@acme.example", "user:o'brien+x@acme.example"),
        ("user:ana@acme.example", "user:ana@acme.example"),
        ("serviceAccount:sync@elsewhere.example", "serviceAccount:sync@elsewhere.example"),
    ],
)
def test_principals_that_are_understood(given, principal):
    assert parse_principal(given) == principal


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "ana",
        "@acme.example",
        "ana@",
        "ana@acme",
        "allUsers",
        "allAuthenticatedUsers",
        "group:data@acme.example",
        "domain:acme.example",
        "User:ana@acme.example",
        "deleted:serviceAccount:sync@acme.iam.gserviceaccount.com?uid=1",
        "serviceAccount:sync@acme.iam.gserviceaccount.com?uid=1",
        "serviceAccount:serviceAccount:sync@acme.example",
        "principal://goog/subject/ana@acme.example",
        "projectOwner:acme-analytics",
        "ana@acme.example\nx@y.example",
        'ana"@acme.example',
        "ana@acme.example; reboot",
        "ana@acme.example`id`",
        "ana@$(id).example",
        "ana@acme.example,x@y.example",
        "an\u0430@\u0430cme.example",
    ],
    ids=ascii,
)
def test_principals_that_are_refused(given):
    with pytest.raises(ValueError, match="is not a principal: give an e-mail"):
        parse_principal(given)


def test_the_one_quote_that_a_principal_may_hold_is_safe_in_a_command():
    command = grant_role("acme-analytics", parse_principal("o'brien@acme.example"), "roles/x").commands[0]
    assert "--member=user:o'brien@acme.example" in shlex.split(command)


def test_locations_compare_without_case(heap):
    assert heap.location_group("eu").status is LocationClass.SUPPORTED
    assert heap.location_group("EUROPE-WEST2").status is LocationClass.CONTACT_FIRST
    assert heap.location_group("mars") is None


def test_every_permission_that_the_vendor_is_asked_about_once(heap):
    assert len(heap.permissions) == len(set(heap.permissions))
    assert {"bigquery.jobs.create", "bigquery.datasets.create", "bigquery.tables.updateData"} <= set(heap.permissions)

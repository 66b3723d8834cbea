"""Reading plans: versions, changes, what is unknown, what is secret, modules, providers."""

import json

import pytest

from preflight.errors import UsageError
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.resources import Change, Unsettled
from tests.sources.terraform.conftest import change, plan

MEMBER = "google_project_iam_member.one"
GRANT = {"project": "acme-analytics", "role": "roles/bigquery.user", "member": "user:jane@acme.example"}
SECRET = "hunter2-in-clear"


@pytest.fixture
def read(written):
    def read(*changes, **more):
        return read_plan(written(plan(*changes, **more))).resources

    return read


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.1", "1.2", "1.99"])
def test_versions_that_are_read(read, version):
    (found,) = read(change(MEMBER, GRANT), format_version=version)
    assert found.values == GRANT


@pytest.mark.parametrize(
    ("version", "says"),
    [("2.0", "of format 2.0"), ("17.3", "of format 17.3"), ("next", "is none"), ("1", "is none"), ("", "no format_v")],
)
def test_versions_that_are_refused(written, version, says):
    with pytest.raises(UsageError, match=says):
        read_plan(written(plan(format_version=version)))


def test_a_newer_format_is_told_even_where_it_looks_otherwise(written):
    with pytest.raises(UsageError, match="of format 3\\.1"):
        read_plan(written({"format_version": "3.1", "resource_changes": {"by": "address"}}))


def test_a_plan_that_changes_nothing(written):
    assert read_plan(written({"format_version": "1.2", "planned_values": {}})).resources == ()


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["no-op"], Change.NO_OP),
        (["create"], Change.CREATE),
        (["update"], Change.UPDATE),
        (["delete", "create"], Change.REPLACE),
        (["create", "delete"], Change.REPLACE),
        (["read"], Change.READ),
        (["create", "forget"], Change.CREATE),
    ],
)
def test_kinds_of_changes_whose_values_are_those_after(read, actions, expected):
    old = GRANT | {"role": "roles/viewer"}
    (found,) = read(change(MEMBER, GRANT, *actions, before=old))
    assert (found.change, found.values, found.before) == (expected, GRANT, old)


@pytest.mark.parametrize(("actions", "expected"), [(["delete"], Change.DELETE), (["forget"], Change.FORGET)])
def test_of_what_goes_the_values_are_those_before(read, actions, expected):
    (found,) = read(change(MEMBER, None, *actions, before=GRANT))
    assert (found.change, found.values) == (expected, GRANT)


def test_an_action_of_the_future_is_not_guessed(read):
    (found,) = read(change(MEMBER, GRANT, "transmogrify"))
    assert "transmogrify" in found.maybe.why


def test_other_types_are_not_decoded(read):
    odd = {"type": "google_storage_bucket", "address": 5, "change": "of no shape at all"}
    assert [one.address for one in read(odd, change(MEMBER, GRANT))] == [MEMBER]


def test_moved_and_imported_ones_are_as_any_other(read):
    found = read(
        change(MEMBER, GRANT, "no-op", before=GRANT, previous_address="google_project_iam_member.old"),
        change("google_project_iam_member.two", GRANT, "no-op", before=GRANT),
    )
    assert [(one.address, one.change) for one in found] == [
        (MEMBER, Change.NO_OP),
        ("google_project_iam_member.two", Change.NO_OP),
    ]


def test_modules_with_keys(read):
    address = 'module.a["x.y[0]"].module.b[1].google_project_iam_member.this["k"]'
    assert read(change(address, GRANT))[0].address == address


def test_data_sources(read):
    (found,) = read(change("data.google_iam_policy.x", {"policy_data": "{}"}, "read"))
    assert found.data


def test_a_deferred_change_may_be(written):
    found = read_plan(
        written(plan(deferred_changes=[{"reason": "instance_count_unknown", "resource_change": change(MEMBER, GRANT)}]))
    )
    assert "instance_count_unknown" in found.resources[0].maybe.why


def test_a_plan_that_ended_in_an_error_is_not_whole(written):
    (omission,) = read_plan(written(plan(errored=True))).omissions
    assert omission.types is None


# What isn't known


def why(value):
    assert isinstance(value, Unsettled), value
    return value.why


def test_unknown_values_are_unsettled_position_by_position(read):
    (found,) = read(
        change(
            "google_bigquery_dataset.one",
            {"labels": {"a": "1"}, "access": [{"role": "READER"}, {"role": "OWNER"}], "list": ["x", None]},
            unknown={
                "location": True,
                "labels": {"b": True},
                "access": [{}, {"user_by_email": True}],
                "list": [False, True],
                "empty": {},
                "none": [],
            },
        )
    )
    values = found.values
    assert why(values["location"]) == "google_bigquery_dataset.one.location is known after apply"
    assert values["labels"]["a"] == "1"
    assert why(values["labels"]["b"])
    assert values["access"][0] == {"role": "READER"}
    assert values["access"][1]["role"] == "OWNER"
    assert why(values["access"][1]["user_by_email"])
    assert values["list"][0] == "x"
    assert "list[1]" in why(values["list"][1])
    assert not {"empty", "none"} & set(values), "what marks nothing says nothing"


@pytest.mark.parametrize(
    ("after", "unknown"),
    [
        pytest.param("67890", True, id="a value that is there, and is said to be unknown"),
        pytest.param(["a"], True, id="a whole list"),
        pytest.param("text", {"a": True}, id="a text that is said to be a map"),
        pytest.param(["a"], {"a": True}, id="a list that is said to be a map"),
        pytest.param({"a": 1}, [True], id="a map that is said to be a list"),
    ],
)
def test_where_the_plan_contradicts_itself_it_is_unsettled(read, after, unknown):
    (found,) = read(change("google_project.one", {"folder_id": after}, unknown={"folder_id": unknown}))
    assert why(found.values["folder_id"])


def test_an_element_beyond_the_lists_end_is_there_and_unknown(read):
    (found,) = read(change("google_project_iam_binding.one", {"members": ["a"]}, unknown={"members": [False, True]}))
    assert found.values["members"][0] == "a"
    assert why(found.values["members"][1])


def test_all_of_it_unknown(read):
    (found,) = read(change(MEMBER, GRANT, unknown=True))
    assert {why(value) for value in found.values.values()} == {f"{MEMBER} is known after apply"}


# Secrets


def test_what_is_marked_as_sensitive_is_not_kept(read, capsys):
    (found,) = read(
        change(
            MEMBER,
            GRANT | {"member": SECRET, "condition": [{"title": SECRET, "expression": "true"}]},
            "update",
            before=GRANT | {"member": SECRET},
            secret={"member": True, "condition": [{"title": True}]},
            before_secret={"member": True},
        )
    )
    assert found.values["member"].sensitive
    assert found.values["condition"][0]["title"].sensitive
    assert found.values["condition"][0]["expression"] == "true"
    assert found.before["member"].sensitive
    assert SECRET not in repr(found)


def test_a_copy_of_a_secret_in_what_is_not_marked_is_not_kept_either(read):
    """Terraform marks arguments; what the provider makes of them it doesn't."""
    after = GRANT | {"member": SECRET, "id": f"acme/roles/x/{SECRET}", "short": "ab", "copy": ["cab", "ab"]}
    (found,) = read(change(MEMBER, after, "update", before={"etag": SECRET}, secret={"member": True, "short": True}))
    assert found.values["id"].sensitive
    assert found.before["etag"].sensitive
    assert found.values["copy"][0] == "cab"
    assert found.values["copy"][1].sensitive
    assert found.values["role"] == GRANT["role"]
    assert SECRET not in repr(found)


def test_of_what_goes_the_secrets_before_count(read):
    (found,) = read(change(MEMBER, None, "delete", before=GRANT | {"member": SECRET}, before_secret={"member": True}))
    assert found.values["member"].sensitive
    assert SECRET not in repr(found)


@pytest.mark.parametrize("mark", [{"after": True}, True])
def test_unknown_and_sensitive_is_sensitive(read, mark):
    (found,) = read(change(MEMBER, {"after": SECRET}, unknown={"after": True}, secret=mark))
    assert found.values["after"].sensitive


def test_variables_prior_state_and_credentials_are_never_decoded(written):
    provider = {
        "name": "google",
        "expressions": {"project": {"constant_value": "acme-analytics"}, "credentials": {"constant_value": SECRET}},
    }
    found = read_plan(
        written(
            plan(
                change(MEMBER, {"role": "roles/viewer"}, unknown={"project": True}),
                variables={"password": {"value": SECRET}},
                prior_state={"values": {"root_module": {"resources": [{"values": {"x": SECRET}}]}}},
                configuration={
                    "provider_config": {"google": provider},
                    "root_module": {"resources": [{"address": MEMBER, "provider_config_key": "google"}]},
                },
            )
        )
    )
    assert found.resources[0].providers_project == "acme-analytics"
    assert SECRET not in repr(found)


# The provider's project


def configured(address, key="google", expressions=None, modules=(), **providers):
    resource = {"address": address, "provider_config_key": key, "expressions": expressions or {}}
    module = {"resources": [resource]}
    for name in reversed(modules):
        module = {"module_calls": {name: {"module": module}}}
    named = {
        name.replace("__", ":"): {"expressions": {"project": said} if said else {}} for name, said in providers.items()
    }
    return {"provider_config": named, "root_module": module}


CONSTANT = {"constant_value": "by-provider"}


def test_a_project_left_to_the_provider(read):
    (found,) = read(
        change(MEMBER, {"role": "r"}, unknown={"project": True}), configuration=configured(MEMBER, google=CONSTANT)
    )
    assert "project" not in found.values
    assert found.providers_project == "by-provider"


def test_a_project_that_hangs_on_something_is_not_the_providers(read):
    said = {"project": {"references": ["google_project.new.project_id", "google_project.new"]}}
    (found,) = read(
        change(MEMBER, {"role": "r"}, unknown={"project": True}),
        configuration=configured(MEMBER, expressions=said, google=CONSTANT),
    )
    assert why(found.values["project"])


def test_without_a_configuration_it_is_unsettled(read):
    (found,) = read(change(MEMBER, {"role": "r"}, unknown={"project": True}))
    assert why(found.values["project"])
    assert found.providers_project is None


def test_a_providers_project_that_is_a_variable_is_unsettled(read):
    said = {"references": ["var.project"]}
    (found,) = read(
        change(MEMBER, {"role": "r"}, unknown={"project": True}), configuration=configured(MEMBER, google=said)
    )
    assert "var.project" in why(found.providers_project)


@pytest.mark.parametrize(
    ("key", "providers"),
    [
        pytest.param("module.a.module.b:google", {"google": CONSTANT}, id="inherited from the root"),
        pytest.param("module.a.module.b:google", {"module.a__google": CONSTANT, "google": None}, id="from between"),
        pytest.param("google.other", {"google.other": CONSTANT, "google": None}, id="an alias"),
    ],
)
def test_providers_of_modules(read, key, providers):
    inner = "google_project_iam_member.this"
    (found,) = read(
        change(f'module.a["x"].module.b[0].{inner}[1]', {"role": "r"}, unknown={"project": True}),
        configuration=configured(inner, key, modules=("a", "b"), **providers),
    )
    assert found.providers_project == "by-provider"


# Bad input, on the command line in test_plan_command.py


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b"PK\x03\x04rest", "Terraform's own format", id="binary"),
        pytest.param(b"\x1f\x8b\x08\x00", "compressed", id="gzip"),
        pytest.param(b"\x00" * 100, "no text", id="NUL bytes"),
        pytest.param(b'{"format_version": "1.2", "x": "\x00"}', "no plan that can be read", id="a NUL inside"),
        pytest.param(b'{"format_version": "1.2", "resource_ch', "cut off", id="truncated"),
        pytest.param(b"resource google_project {}", "no plan in JSON", id="HCL"),
        pytest.param(b"[]", "no plan in JSON", id="a list"),
        pytest.param(b"5", "no plan in JSON", id="a number"),
        pytest.param(b"{}", "no format_version", id="an empty object"),
        pytest.param(b'{"version": 4, "serial": 1, "resources": []}', "is a state", id="a state file"),
        pytest.param(b'{"format_version": "1.0", "values": {}}', "is a state", id="a state that was shown"),
        pytest.param(b'{"@level":"info"}\n{"@level":"info"}', "log of terraform plan", id="the log of terraform plan"),
        pytest.param(b'{"format_version": "1.2"} {}', "can be read", id="two documents"),
        pytest.param(b"{" + b'"a":{' * 100_000, "nested too deeply|cut off", id="deep"),
        pytest.param(
            b'{"format_version":"1.2","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply",
            id="deep and whole"
        ),
        pytest.param(b'{"format_version": "1.2", "resource_changes": 5}', "array", id="changes that are none"),
        pytest.param(b'{"format_version": "1.2", "resource_changes": [5]}', "object", id="a change that is none"),
        pytest.param(b'{"format_version": "1.2", "resource_changes": [{"type": 5}]}', "str", id="a type that is none"),
        pytest.param(
            b'{"format_version": "1.2", "resource_changes": [{"type": "google_project"}]}', "change", id="no change"
        ),
        pytest.param(b"\xff\xfe\x00", "no text", id="half of UTF-16"),
        pytest.param(b'{"format_version": "\xff"}', "can be read", id="not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_plan(written, content, says):
    with pytest.raises(UsageError, match=says) as caught:
        read_plan(written(content))
    assert caught.value.hint, "what to do is said"


def test_deep_values_of_a_relevant_resource(written):
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    text = json.dumps(plan(change(MEMBER, {"x": 1}, unknown={"x": 2})), default=str)
    text = text.replace('{"x": 1}', '{"x": ' + json.dumps(deep) + "}").replace(
        '{"x": 2}', '{"x": ' + json.dumps(deep) + "}"
    )
    with pytest.raises(UsageError, match="nested too deeply"):
        read_plan(written(text.replace("[1]", "[true]")))


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_what_windows_writes(written, mark):
    found = read_plan(written(json.dumps(plan(change(MEMBER, GRANT))).encode(mark)))
    assert found.resources[0].values == GRANT


def test_folders_and_files_that_are_not_there(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        read_plan(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        read_plan(tmp_path / "plan.json")

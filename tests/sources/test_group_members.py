"""The file of --group-members: its three forms, who is what in it, and each mistake by file and line."""

import pytest

from preflight import Denied, Group, Groups, Unknown
from preflight.errors import UsageError
from preflight.sources.group_members import read_group_members, with_members
from preflight.testing import HERE, judge
from tests.conftest import HEAP, USER, bind, policies, roles

HEAP_EMAIL = HEAP.partition(":")[2]
JSON = f"""{{
  "Data@acme.example": [
    "ana@acme.example", "{HEAP_EMAIL}",
    "etl@acme.example", "group:others@acme.example"
  ],
  "etl@acme.example": [],
  "empty@acme.example": []
}}"""
TOML = f"""
"Data@acme.example" = ["ana@acme.example", "{HEAP_EMAIL}", "etl@acme.example", "group:others@acme.example"]

"etl@acme.example" = []
"empty@acme.example" = []
"""
CSV = f"""group,member
# our groups
Data@acme.example, ana@acme.example
Data@acme.example,{HEAP_EMAIL}

data@acme.example,etl@acme.example
group:data@acme.example,group:others@acme.example
etl@acme.example,
empty@acme.example,
"""


@pytest.fixture
def read(tmp_path):
    def reading(text: str | bytes, name: str = "groups.csv") -> Groups:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_group_members(path)

    return reading


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [(JSON, "groups.json", 2), (TOML, "groups.toml", 2), (CSV, "GROUPS.CSV", 3), ("\ufeff" + CSV, "groups.csv", 3)],
    ids=["JSON", "TOML", "CSV", "CSV as a spreadsheet writes it"],
)
def test_the_same_in_each_form(text, name, line, read):
    found = read(text, name).groups
    assert list(found) == ["data@acme.example", "etl@acme.example", "empty@acme.example"]
    data = found["data@acme.example"]
    assert isinstance(data, Group)
    assert data.members == ("user:ana@acme.example", HEAP, "group:etl@acme.example", "group:others@acme.example")
    assert data.completeness.complete
    assert data.provenance.resource.endswith(f"{name}:{line}")
    assert found["etl@acme.example"].members == ()


@pytest.mark.parametrize(
    ("text", "name", "where", "says"),
    [
        pytest.param('{"a@b.example": ["c"\n', "x.json", "x.json:", "Expecting", id="JSON, cut short"),
        pytest.param('["a@b.example"]', "x.json", "x.json:1", "not an object of groups", id="JSON, a list"),
        pytest.param("[]", "x.json", "x.json:1", "not an object of groups", id="JSON, an empty list"),
        pytest.param('{\n"a@b.example": "c@b.example"}', "x.json", "x.json:2", "are not a list", id="JSON, no list"),
        pytest.param('{\n"a@b.example": [1]}', "x.json", "x.json:2", "are not a list", id="JSON, a number"),
        pytest.param('{"a@b.example": [\n"c@b.example",\n"nobody"]}', "x.json", "x.json:3", "'nobody' is not a member",
                     id="JSON, no e-mail"),
        pytest.param('{"a@b.example": [],\n"A@b.example": []}', "x.json", "x.json:2", "is there twice",
                     id="JSON, a group twice"),
        pytest.param('{"team": []}', "x.json", "x.json:1", "'team' is not a group's e-mail", id="JSON, a name"),
        pytest.param("[" * 100_000, "x.json", "x.json", "can't be read", id="JSON, nested deep"),
        pytest.param('"a@b.example" = [\n', "x.toml", "x.toml", "TOML", id="TOML, cut short"),
        pytest.param('x = 1\na@b.example = []', "x.toml", "x.toml:2", "quote each e-mail", id="TOML, not quoted"),
        pytest.param("a@b.example\n", "x.csv", "x.csv:1", "1 value instead", id="CSV, one value"),
        pytest.param("group,member\na@b.example,b@b.example,c@b.example", "x.csv", "x.csv:2", "3 values", id="three"),
        pytest.param("a@b.example,domain:b.example", "x.csv", "x.csv:1", "'domain:b.example' is not", id="a domain"),
        pytest.param("a@b.example,group:", "x.csv", "x.csv:1", "'group:' is not a member", id="CSV, no name"),
        pytest.param('a@b.example,"b', "x.csv", "x.csv:1", "CSV", id="CSV, an open quote"),
        pytest.param(b"\xff\xfe\x00", "x.csv", "x.csv", "not text in UTF-8", id="binary"),
        pytest.param(CSV, "x.txt", "x.txt", "must end in .json, .toml or .csv", id="another ending"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(text, name, where, says, read):
    with pytest.raises(UsageError) as caught:
        read(text, name)
    assert where in caught.value.message
    assert says in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"none\.csv: No such file"):
        read_group_members(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param(f"data@acme.example,{HEAP_EMAIL.upper()}", "pass", id="a member"),
        pytest.param(f"data@acme.example,etl@acme.example\netl@acme.example,{HEAP_EMAIL}", "pass", id="nested"),
        pytest.param("data@acme.example,ana@acme.example", "fail", id="not a member"),
        pytest.param("data@acme.example,", "fail", id="nobody is"),
        pytest.param("data@acme.example,group:etl@acme.example", "unknown", id="nested in one that isn't told"),
        pytest.param(f"other@acme.example,{HEAP_EMAIL}", "unknown", id="another group"),
        pytest.param(f"data@acme.example,user:{HEAP_EMAIL}", "fail", id="written as a user"),
    ],
)
def test_a_grant_through_a_group_is_decided_by_it(text, status, read):
    facts = {"allow_policies": policies(bind(USER, "group:data@acme.example")), "roles": roles(), "groups": read(text)}
    verdict = judge("jobs-create", **facts)
    assert verdict.status == status
    if status == "pass":
        assert any(evidence.resource.endswith("groups.csv:1") for evidence in verdict.evidence)


def test_the_file_wins_over_what_was_asked_and_leaves_the_rest(read):
    told = read("data@acme.example,")
    asked = Groups(
        groups={
            "data@acme.example": Group(provenance=HERE, email="data@acme.example", checked={HEAP: True}),
            "etl@acme.example": Group(provenance=HERE, email="etl@acme.example", checked={HEAP: True}),
        }
    )
    both = with_members(asked, told).groups
    assert both["data@acme.example"] == told.groups["data@acme.example"]
    assert both["etl@acme.example"] == asked.groups["etl@acme.example"]
    assert with_members(Unknown(Denied("x")), told) == told

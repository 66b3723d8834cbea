"""The audit in each of its formats: whole, as committed; and that no name from outside becomes more than a name."""

import csv
import io
import json

import click
import jsonschema
import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from preflight.access.audit import State
from preflight.facts.capabilities import CAPABILITIES
from preflight.facts.deny import DenyRule
from preflight.facts.policy import PossibleBinding
from preflight.facts.seen import Completeness, Incomplete, Unknown, Unresolved
from preflight.renderers import audit_csv, audit_markdown, audit_path, audit_table, audit_wire
from preflight.renderers.audit_words import gaps
from preflight.renderers.visible import visible
from preflight.testing import HERE, policies
from tests.access.audits import audited, dataset, denying_by, rich
from tests.renderers.audits import hostile_audit
from tests.renderers.test_markdown import nodes, outside_code

GFM = MarkdownIt("gfm-like")
SCHEMA = json.loads(audit_wire.schema())
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def paths(made):
    return [row for row in made.rows if not row.member.startswith("deleted:")]


def every_format(made):
    """Each text that the command can print."""
    rows = made.rows
    return {
        "terminal": audit_table.render(made),
        "narrow": audit_table.render(made, width=60),
        "wide": audit_table.render(made, width=140),
        "markdown": audit_markdown.render(made),
        "csv": audit_csv.render(made),
        "json": audit_wire.render(made),
        "path": audit_path.render(made, rows, CAPABILITIES),
        "path in ascii": audit_path.render(made, rows, CAPABILITIES, box=False),
        "path in markdown": audit_path.markdown(made, rows, CAPABILITIES),
        "path in json": audit_wire.render(made, rows=rows, proofs=[c.id for c in CAPABILITIES]),
    }


@pytest.mark.parametrize(
    ("file", "render"),
    [
        ("audit.txt", lambda made: audit_table.render(made, width=110)),
        ("audit-60.txt", lambda made: audit_table.render(made, width=60)),
        ("audit-colour.txt", lambda made: audit_table.render(made, width=110, colour=True)),
        ("audit-flagged.txt", lambda made: audit_table.render(made, width=110, only_flagged=True)),
        ("audit.md", audit_markdown.render),
        ("audit.csv", audit_csv.render),
        ("audit.json", audit_wire.render),
        ("audit-path.txt", lambda made: audit_path.render(made, paths(made), CAPABILITIES, width=100)),
        ("audit-path.md", lambda made: audit_path.markdown(made, paths(made)[:3], CAPABILITIES[:3])),
        ("audit-path.json", lambda made: audit_wire.render(made, rows=made.rows[:2], proofs=["read-data"])),
    ],
)
def test_each_format_is_as_committed(file, render, golden):
    golden(file, render(rich()))


def test_colours_change_nothing_but_colours():
    made = rich()
    for width in (60, 110):
        coloured = audit_table.render(made, width=width, colour=True)
        assert coloured != click.unstyle(coloured)
        assert [line.rstrip() for line in click.unstyle(coloured).splitlines()] == (
            audit_table.render(made, width=width).splitlines()
        )


@pytest.mark.parametrize("proofs", [[], [c.id for c in CAPABILITIES]])
def test_json_fits_its_schema_and_says_what_the_cells_are(proofs):
    made = rich()
    document = json.loads(audit_wire.render(made, proofs=proofs))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    words = {State.GRANTED: "granted", State.UNKNOWN: "unknown", State.NOT_GRANTED: "not_granted"}
    for row, said in zip(made.rows, document["rows"], strict=True):
        assert said["member"] == row.member
        assert [flag["kind"] for flag in said["flags"]] == [flag.kind.value for flag in row.flags]
        for capability, cell in zip(CAPABILITIES, row.cells, strict=True):
            assert said["cells"][capability.id]["state"] == words[cell.state]
            assert said["cells"][capability.id]["unknown_datasets_count"] == len(cell.open_datasets)
            assert bool(said["cells"][capability.id]["proofs"]) == bool(proofs)
    assert document["complete"] is not made.blind


def test_every_format_shows_a_project_without_any_members():
    for text in every_format(audited(rich().access.facts.allow.__class__(policies={}))).values():
        assert text.endswith("\n")


def test_hostile_names_hide_nothing_and_every_format_can_be_written(hostile):
    for form, text in every_format(hostile_audit(hostile)).items():
        assert text.encode("utf-8")
        assert text.endswith("\n"), form
        assert [c for c in text if not c.isprintable() and c != "\n"] == [], form


def test_in_colour_there_are_no_escapes_but_colours(hostile):
    made = hostile_audit(hostile)
    for text in (
        audit_table.render(made, colour=True),
        audit_path.render(made, made.rows, CAPABILITIES, colour=True),
    ):
        assert [c for c in click.unstyle(text) if not c.isprintable() and c != "\n"] == []


def test_hostile_names_are_data_in_json(hostile):
    made = hostile_audit(hostile)
    document = json.loads(audit_wire.render(made))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert len(document["rows"]) == len(made.rows)


def test_hostile_names_add_nothing_to_markdown(hostile):
    made = hostile_audit(hostile)
    assert len(made.rows) > 5
    for text in (audit_markdown.render(made), audit_path.markdown(made, made.rows, CAPABILITIES)):
        found = nodes(text)
        assert set(found) <= {
            *("heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close", "hr", "fence"),
            *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "strong_open"),
            *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "strong_close"),
            *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
        }
        told = outside_code(text)
        assert not [c for c in "@#<>[]`*_~|\\$" if c in told], told
    tokens = GFM.parse(audit_markdown.render(made))
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == len(made.rows) * (len(CAPABILITIES) + 2)
    first = ["".join(child.content for child in cell.children or ()) for cell in cells[:: len(CAPABILITIES) + 2]]
    assert [text.strip() for text in first] == [visible(row.member).strip() for row in made.rows]


def test_no_cell_of_the_csv_is_a_formula(hostile):
    made = hostile_audit(hostile)
    lines = list(csv.reader(io.StringIO(audit_csv.render(made)), strict=True))
    assert {len(line) for line in lines} == {len(CAPABILITIES) + 4}
    assert [line[0] for line in lines[: len(made.rows) + 1]] == ["record", *["member"] * len(made.rows)]
    for line in lines:
        assert not [cell for cell in line if cell.startswith(FORMULA)]
    for row, line in zip(made.rows, lines[1:], strict=False):
        assert line[1] in {visible(row.member), f"'{visible(row.member)}"}


@pytest.mark.parametrize("member", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=cmd|"/c calc"!A1'])
def test_a_member_that_looks_like_a_formula_is_shown_as_text(member):
    from preflight.testing import bind, policies

    text = audit_csv.render(audited(policies(bind("roles/owner", member))))
    (line,) = [line for line in csv.reader(io.StringIO(text)) if line[0] == "member"]
    assert line[1] == f"'{visible(member)}"


def test_thousands_of_open_datasets_are_counted_and_not_all_repeated():
    from preflight.facts.dataset import AccessEntry
    from preflight.testing import bind, policies
    from tests.access.audits import ANA, dataset

    lists = [dataset(f"d{n:03}", AccessEntry(role="READER", group="team@acme.example")) for n in range(150)]
    document = json.loads(audit_wire.render(audited(policies(bind("roles/bigquery.user", ANA)), *lists)))
    (row,) = [row for row in document["rows"] if row["member"] == ANA]
    assert row["cells"]["read-data"]["unknown_datasets_count"] == 150
    assert row["cells"]["read-data"]["unknown_datasets"] == [f"d{n:03}" for n in range(100)]


def test_what_a_plan_leaves_open_is_told_by_where_it_is():
    why = Unknown(Unresolved("var.who has no value", "Give it a value."), HERE)
    own = policies().policies[HERE.resource]
    grants = tuple(PossibleBinding(why=why, role="roles/viewer", members=(f"user:{name}@a.example",)) for name in "ab")
    made = audited(
        replace(policies(), policies={HERE.resource: replace(own, possible=grants)}),
        replace(dataset("sales"), access_completeness=Completeness(Incomplete("not all is declared"))),
        deny=denying_by(DenyRule(("user:a@a.example",), ("bigquery.googleapis.com/jobs.create",), doubt=why)),
    )
    assert [said for said, _ in gaps(made, weighing=True)] == [
        f"Whether grants on {HERE.resource} stand can't be told (var.who has no value).",
        "The access list of sales was not read whole (not all is declared).",
        f"Whether a rule of {HERE.resource}/d stands can't be told (var.who has no value).",
    ]

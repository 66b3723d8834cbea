"""An answer about access in each of its formats: whole, as committed; names from outside stay names."""

import json

import click
import jsonschema
import pytest

from preflight.access.decision import Answer
from preflight.renderers import access_tree, access_wire
from tests.renderers.audits import decisions, hostile_decisions
from tests.renderers.test_markdown import nodes, outside_code

SCHEMA = json.loads(access_wire.schema())
CASES = ("granted", "dataset", "denied", "nothing", "unknown")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("suffix", "render"),
    [
        (".txt", lambda one: access_tree.render([one], width=100)),
        ("-60.txt", lambda one: access_tree.render([one], width=60, box=False)),
        ("-colour.txt", lambda one: access_tree.render([one], width=100, colour=True)),
        (".md", lambda one: access_tree.markdown([one])),
        (".json", access_wire.render),
    ],
)
def test_each_format_is_as_committed(case, suffix, render, golden):
    golden(f"access-{case}{suffix}", render(decisions()[case]))


def test_the_cases_are_of_each_kind():
    made = decisions()
    assert set(made) == set(CASES)
    answers = {name: one.answer for name, one in made.items()}
    assert answers == {
        "granted": Answer.GRANTED,
        "dataset": Answer.GRANTED,
        "denied": Answer.NOT_GRANTED,
        "nothing": Answer.NOT_GRANTED,
        "unknown": Answer.UNKNOWN,
    }
    assert made["granted"].changes_at
    assert made["granted"].assumptions
    assert made["denied"].denied
    assert len(made["unknown"].missing) == 4


@pytest.mark.parametrize("case", CASES)
def test_json_fits_its_schema(case):
    document = json.loads(access_wire.render(decisions()[case]))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("case", CASES)
def test_colours_change_nothing_but_colours(case):
    one = decisions()[case]
    assert click.unstyle(access_tree.render([one], colour=True)) == access_tree.render([one])


def test_hostile_names_hide_nothing(hostile):
    made = hostile_decisions(hostile)
    for text in (
        access_tree.render(made),
        access_tree.render(made, width=40, box=False),
        click.unstyle(access_tree.render(made, colour=True)),
        access_tree.markdown(made),
        *map(access_wire.render, made),
    ):
        assert text.encode("utf-8")
        assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_hostile_names_forge_no_line_of_the_tree(hostile):
    """All but the answers hang on the tree: no name begins a line of its own."""
    for one in hostile_decisions(hostile):
        text = access_tree.render([one], width=10_000)
        first, *rest = text.splitlines()
        assert first.startswith(access_tree.HEADLINES[one.answer])
        assert all(line.startswith(("├", "└", "│", " ")) for line in rest)


def test_hostile_names_are_data_in_json(hostile):
    for one in hostile_decisions(hostile):
        document = json.loads(access_wire.render(one))
        jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
        assert len(document["proof"]["grants"]) == len(one.links)


def test_hostile_names_add_nothing_to_markdown(hostile):
    text = access_tree.markdown(hostile_decisions(hostile))
    assert set(nodes(text)) == {"paragraph_open", "paragraph_close", "inline", "strong_open", "strong_close", "fence"}
    assert not [c for c in "@#<>[]`*_~|\\$" if c in outside_code(text)]

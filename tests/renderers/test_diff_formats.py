"""A comparison in each of its formats: whole, as committed; and that no name from outside becomes more than a name."""

import json
from datetime import timedelta
from typing import Any

import click
import jsonschema
import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from preflight.comparison.changes import Change, Kind
from preflight.comparison.facts import FactChanges
from preflight.comparison.sides import Comparison, Look, Names, compare
from preflight.comparison.verdicts import Judged, VerdictChange
from preflight.facts.project import Billing
from preflight.facts.seen import Completeness, Denied, Unknown
from preflight.renderers import diff_markdown, diff_terminal, diff_wire
from preflight.report import Severity, Status
from preflight.testing import FOLDER, HERE, MOMENT, bind, dataset, deny, policies, snapshot, unreadable
from tests.conftest import EDITOR, HEAP, USER
from tests.renderers.test_markdown import nodes, outside_code

SCHEMA = json.loads(diff_wire.schema())


def judged(rule: str, status: str, message: str, **more: Any) -> Judged:
    given = {"title": f"What {rule} wants", "severity": Severity.REQUIRED, **more}
    return Judged(rule=rule, status=Status(status), message=message, **given)


def look(file: str, *verdicts: Judged, **more: Any) -> Look:
    given: dict[str, Any] = {
        "kind": "bundle",
        "project": "acme-analytics",
        "principal": HEAP,
        "profile": "heap",
        "location": "EU",
        "dataset": "heap_production",
        "source": "live",
        "moment": MOMENT,
        **more,
    }
    return Look(file=file, judged=verdicts, **given)


def rich() -> Comparison:
    """One in which everything occurs."""
    from preflight.facts.dataset import Datasets

    folder = (bind("roles/viewer", "user:eve@acme.example"),)
    before = snapshot(
        billing=Billing(provenance=HERE, enabled=True, account="billingAccounts/1"),
        allow_policies=policies(bind(USER, HEAP), bind(EDITOR, HEAP), folder=folder),
        deny_policies=deny(),
        datasets=Datasets.of(dataset("heap_production"), dataset("finance")),
    )
    after = snapshot(
        billing=Billing(provenance=HERE, enabled=False, account="billingAccounts/1"),
        allow_policies=policies(
            bind(EDITOR, HEAP, only_if="request.time < timestamp('2027-01-01T00:00:00Z')"), folder=unreadable(FOLDER)
        ),
        deny_policies=deny("bigquery.jobs.create"),
        datasets=Datasets.of(
            dataset("heap_production", location="US"),
            completeness=Completeness(Denied("bigquery.datasets.get", "projects/acme-analytics")),
        ),
        groups=Unknown(Denied("x.y.get")),
    )
    return compare(
        look(
            "monday.zip",
            judged("billing-enabled", "pass", "billing is enabled"),
            judged("vendor-role", "pass", "it has BigQuery User"),
            judged("dataset-name", "warn", "a name that is odd"),
            judged("dataset-expiration", "warn", "tables expire after 7 days", severity=Severity.IMPORTANT),
            judged("dataset-writable", "pass", "it can write"),
            snapshot=before,
        ),
        look(
            "tuesday.zip",
            judged("billing-enabled", "fail", "billing is off"),
            judged("vendor-role", "unknown", "the folder's policy could not be read", reason="denied"),
            judged("dataset-name", "pass", "a name that is fine"),
            judged("dataset-expiration", "warn", "tables expire after 3 days", severity=Severity.IMPORTANT),
            judged("dataset-writable", "skip", "billing-enabled failed", because="billing-enabled"),
            judged("vendor-lookalike", "pass", "nobody"),
            snapshot=after,
            location="US",
            moment=MOMENT + timedelta(days=1),
        ),
    )


def alike() -> Comparison:
    one = look("one.json", judged("billing-enabled", "pass", "billing is enabled"), kind="report")
    return compare(one, replace(one, file="two.json"))


def hostile_diff(name: str) -> Comparison:
    """One with a name wherever text from outside can stand."""
    fail = Judged(rule=name, title=name, severity=Severity.REQUIRED, status=Status.FAIL, message=name, reason=name)
    ok = replace(fail, status=Status.PASS, message=name)
    changes = tuple(
        Change(fact=name, kind=kind, about=name, what=name, name=name, before=name, after=name,
               reason=Denied(name, name) if kind in {Kind.HIDDEN, Kind.SHOWN} else None)
        for kind in Kind
    )  # fmt: skip
    seen = look(name, ok, project=name, principal=name, source=name, profile=name, location=name, dataset=name)
    verdicts = (
        VerdictChange(rule=name, title=name, severity=Severity.REQUIRED, before=ok, after=fail),
        VerdictChange(rule=name, title=name, severity=Severity.REQUIRED, before=fail, after=replace(fail, message="")),
        VerdictChange(rule=name, title=name, severity=Severity.REQUIRED, before=None, after=fail),
        VerdictChange(rule=name, title=name, severity=Severity.REQUIRED, before=fail, after=None),
    )
    return Comparison(
        before=seen,
        after=seen,
        names=Names(alike=False, why_not="names are replaced in the first of the two only"),
        asked=changes[2:3],
        verdicts=verdicts,
        facts=FactChanges(changes, ("datasets",)),
    )


@pytest.mark.parametrize(
    ("file", "render"),
    [
        ("diff.txt", lambda made: diff_terminal.render(made, width=110)),
        ("diff-60.txt", lambda made: diff_terminal.render(made, width=60)),
        ("diff-colour.txt", lambda made: diff_terminal.render(made, width=110, colour=True)),
        ("diff.md", diff_markdown.render),
        ("diff.json", diff_wire.render),
    ],
)
def test_each_format_is_as_committed(file, render, golden):
    golden(file, render(rich()))


def test_nothing_changed_is_said():
    assert diff_terminal.render(alike()).endswith("NO CHANGE: no verdict got worse.\n")
    assert diff_markdown.render(alike()).startswith("## NO CHANGE: what changed in `acme-analytics`")


def test_that_a_dataset_may_have_two_names_is_said():
    made = rich()
    other = replace(made.after, redacted=True, dataset="other")
    both = replace(made, before=replace(made.before, redacted=True), after=other)
    assert "its name in one and a pseudonym in the other" in " ".join(diff_terminal.render(both).split())


def test_colours_change_nothing_but_colours():
    coloured = diff_terminal.render(rich(), width=110, colour=True)
    plain = diff_terminal.render(rich(), width=110)
    assert click.unstyle(coloured) == plain != coloured


@pytest.mark.parametrize("made", [rich, alike])
def test_json_fits_its_schema(made):
    document = json.loads(diff_wire.render(made()))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert document["exit_code"] == made().worse


def test_hostile_names_hide_nothing_and_are_data(hostile):
    made = hostile_diff(hostile)
    for text in (
        diff_terminal.render(made),
        click.unstyle(diff_terminal.render(made, colour=True)),
        diff_markdown.render(made),
        diff_wire.render(made),
    ):
        assert text.encode("utf-8")
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
    document = json.loads(diff_wire.render(made))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_hostile_names_add_nothing_to_markdown(hostile):
    text = diff_markdown.render(hostile_diff(hostile))
    harmless = nodes(diff_markdown.render(hostile_diff("plain")))
    assert not nodes(text) - harmless
    assert not [c for c in "@#<>[]`*_~|\\$" if c in outside_code(text)]
    tokens = MarkdownIt("gfm-like").parse(text)
    assert sum(token.type == "td_open" for token in tokens) == 2 * 4 + 4 * 4


def test_ten_thousand_changes_are_not_all_printed():
    change = Change(fact="datasets", kind=Kind.VANISHED, about="dataset x", what="dataset")
    many = replace(rich(), facts=FactChanges(tuple(replace(change, about=f"dataset {n}") for n in range(10_000)), ()))
    for text in (diff_terminal.render(many), diff_markdown.render(many)):
        assert len(text.splitlines()) < 600
        assert "and 9,500 more" in text
    blind = replace(change, kind=Kind.HIDDEN, reason=Denied("bigquery.datasets.get"))
    many = replace(rich(), facts=FactChanges(tuple(replace(blind, about=f"dataset {n}") for n in range(10_000)), ()))
    assert "and 9,990 more (access denied: bigquery.datasets.get)" in " ".join(diff_terminal.render(many).split())

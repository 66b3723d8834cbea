"""IAM conditions in three values: what is true, what is false, and what nobody could tell from here."""

import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.access.conditions import LONGEST, alike_at, moments_of, place_of, value_of
from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.organization import Tags
from preflight.facts.seen import NotCollected, Unknown
from preflight.testing import HERE

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # a Tuesday
UNSEEN = Unknown(NotCollected())
TAGS = Tags(provenance=HERE, tags={"12/env": "12/env/prod"}, ids={"tagKeys/1": "tagValues/2"})
PROJECT = place_of("bigquery.jobs.create", "acme", None)
DATASET = place_of("bigquery.tables.create", "acme", "sales")
TABLE = place_of("bigquery.tables.getData", "acme", "sales")
ANY_DATASET = place_of("bigquery.datasets.get", "acme", None)
ANY_TABLE = place_of("bigquery.tables.getData", "acme", None)
LEVELS = "'x' in request.auth.access_levels"
PAST = "request.time < timestamp('2026-11-24T00:00:00Z')"


def holds(expression, place=PROJECT, moment=NOW, tags=UNSEEN):
    return value_of(expression, place, moment, tags).holds


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("request.time < timestamp('2027-01-01T00:00:00Z')", True, id="not expired"),
        pytest.param("request.time < timestamp('2026-11-24T12:30:00Z')", False, id="expires now"),
        pytest.param("request.time <= timestamp('2026-11-24T12:30:00Z')", True, id="until now"),
        pytest.param("request.time > timestamp('2026-11-24T14:00:00+02:00')", True, id="another zone"),
        pytest.param("request.time < timestamp('2026-11-24T00:00:00Z') + duration('13h')", True, id="a duration"),
        pytest.param("request.time.getHours('Europe/Berlin') == 13", True, id="hours in a zone"),
        pytest.param("request.time.getDayOfWeek('UTC') == 2", True, id="the weekday, Sunday is 0"),
        pytest.param("request.time.getFullYear() > 2025", True, id="the year"),
        pytest.param("resource.name == 'projects/acme'", True, id="the name"),
        pytest.param("resource.name.startsWith('projects/ac')", True, id="the name's beginning"),
        pytest.param("resource.name.endsWith('/other')", False, id="the name's end"),
        pytest.param("resource.name in ['projects/acme', 'projects/b']", True, id="one of several names"),
        pytest.param("resource.type == 'cloudresourcemanager.googleapis.com/Project'", True, id="the type"),
        pytest.param("resource.service == 'bigquery.googleapis.com'", False, id="the service"),
        pytest.param("!(resource.type == 'x') && (true || false)", True, id="operators"),
        pytest.param("resource.type == 'x' ? false : true", True, id="a choice"),
        pytest.param("resource.name.matches('^projects/[a-z]+$')", True, id="a pattern"),
        pytest.param(LEVELS, None, id="access levels"),
        pytest.param(f"{LEVELS} || true", True, id="or true"),
        pytest.param(f"true || {LEVELS}", True, id="true or"),
        pytest.param(f"{LEVELS} || false", None, id="or false"),
        pytest.param(f"{LEVELS} && false", False, id="and false"),
        pytest.param(f"false && {LEVELS}", False, id="false and"),
        pytest.param(f"{LEVELS} && true", None, id="and true"),
        pytest.param(f"!({LEVELS})", None, id="not"),
        pytest.param(f"{LEVELS} ? true : true", None, id="a choice by what isn't seen"),
        pytest.param("destination.ip == '10.0.0.1' || destination.port == 443", None, id="the destination"),
        pytest.param("api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/x'])", None,
                     id="an API attribute"),
        pytest.param("resource.name.extract('projects/{p}') == 'acme'", None, id="extract"),
        pytest.param("resource.matchTag('12/env', 'prod')", None, id="a tag, unseen"),
        pytest.param("has(resource.name)", None, id="a macro that IAM has not"),
        pytest.param("size(resource) == 0", None, id="the resource itself"),
        pytest.param("request.time < timestamp('some day')", None, id="no moment"),
        pytest.param("1 / 0 == 1", None, id="an error"),
        pytest.param("request.time", None, id="no boolean"),
        pytest.param("'true'", None, id="a text"),
        pytest.param("", None, id="nothing"),
        pytest.param("(", None, id="no expression"),
        pytest.param("next.year(resource)", None, id="an attribute of next year"),
        pytest.param("\ud800 == 'x'", None, id="no text"),
        pytest.param("true\x00", None, id="a zero byte"),
        pytest.param(HIDDEN, None, id="kept back by the API"),
    ],
)  # fmt: skip
def test_on_the_project(expression, expected):
    assert holds(expression) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("resource.matchTag('12/env', 'prod')", True),
        ("resource.matchTag('12/env', 'dev')", False),
        ("resource.matchTag('12/other', '')", False),
        ("resource.hasTagKey('12/env')", True),
        ("resource.hasTagKey('12/other')", False),
        ("resource.matchTagId('tagKeys/1', 'tagValues/2')", True),
        ("resource.hasTagKeyId('tagKeys/9')", False),
        ("!resource.matchTag('12/env', 'dev')", True),
    ],
)
def test_tags_that_were_read(expression, expected):
    assert holds(expression, tags=TAGS) is expected
    assert holds(expression) is None
    # A dataset may have tags of its own, which nobody read.
    assert holds(expression, place=DATASET, tags=TAGS) is None


def test_tags_read_by_name_alone_say_nothing_of_ids():
    named = Tags(provenance=HERE, tags={"12/env": "12/env/prod"})
    assert holds("resource.matchTagId('tagKeys/1', 'tagValues/2')", tags=named) is None
    assert holds("resource.matchTag('12/env', 'prod')", tags=named) is True


@pytest.mark.parametrize(
    ("expression", "dataset", "table", "any_dataset", "any_table"),
    [
        ("resource.type == 'bigquery.googleapis.com/Table'", False, True, False, True),
        ("resource.type == 'bigquery.googleapis.com/Dataset'", True, False, True, False),
        ("resource.service == 'bigquery.googleapis.com'", True, True, True, True),
        ("resource.name.startsWith('projects/acme/datasets/sales')", True, True, None, None),
        ("resource.name.startsWith('projects/acme/')", True, True, True, True),
        ("resource.name.startsWith('projects/acme/datasets/other')", False, False, None, None),
        ("resource.name.startsWith('projects/other')", False, False, False, False),
        ("resource.name.startsWith('projects/acme/datasets/sales/tables/pub')", False, None, None, None),
        ("resource.name != 'projects/acme/datasets/sales/tables/secret'", True, None, None, None),
        ("resource.name.endsWith('/sales')", True, None, None, None),
        ("resource.name.contains('secret')", False, None, None, None),
        ("!resource.name.matches('tables/secret.*')", True, None, None, None),
        ("resource.name.contains('secret') || resource.type != ''", True, None, None, None),
        ("resource.name < 'projects/acme/datasets/sales/tables/m'", True, None, None, None),
        ("resource.name == 'projects/acme/datasets/'", False, False, False, False),
        ("resource.name == 'projects/acme/datasets/' + 'sales'", True, None, None, None),
        (f"{PAST} + duration('1h') && resource.name == 'projects/acme/datasets/x'", False, False, False, False),
    ],
)
def test_below_the_place_every_name_has_to_agree(expression, dataset, table, any_dataset, any_table):
    found = [holds(expression, place=place) for place in (DATASET, TABLE, ANY_DATASET, ANY_TABLE)]
    assert found == [dataset, table, any_dataset, any_table]


def test_what_is_open_says_which_condition_and_why():
    value = value_of("x" * (LONGEST + 1), PROJECT, NOW, UNSEEN)
    assert value.holds is None
    assert f"{LONGEST + 1} characters" in value.why
    assert len(value.why) < 600
    assert LEVELS in value_of(LEVELS, PROJECT, NOW, UNSEEN).why
    assert "did not show it" in value_of(HIDDEN, PROJECT, NOW, UNSEEN).why
    assert "operators" in value_of(" || ".join(["true"] * 200), PROJECT, NOW, UNSEEN).why


def test_forty_operands_that_are_not_known_cost_nothing():
    operands = [f"resource.matchTag('12/k{number}', 'v')" for number in range(40)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert holds(" || ".join(operands)) is None
    assert holds(" || ".join([*operands, "true"])) is True
    assert holds(" && ".join([*operands, "false"])) is False
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize("text", ["(" * 2000 + "true" + ")" * 2000, "!" * 4000 + "true", "[" * 4000, "a." * 2000])
def test_nesting_without_end_is_not_read(text):
    assert holds(text) is None


def test_the_moments_at_which_it_changes():
    start = datetime(2027, 1, 1, tzinfo=UTC)
    assert moments_of("request.time < timestamp('2027-01-01T00:00:00Z')") == ((start,), False)
    both = moments_of('request.time < timestamp("2027-01-01T00:00:00Z") + duration("36h")')[0]
    assert start + timedelta(hours=36) in both
    assert moments_of("request.time.getHours('UTC') < 18") == ((), True)
    assert moments_of("request.time < timestamp('9999-12-31T23:59:59Z') + duration('48h')")[0]
    assert moments_of("resource.name == 'timestamp(\"x\")'") == ((), False)


def test_an_evaluator_is_loaded_only_where_there_is_a_condition():
    script = "import sys, preflight.access.effective; sys.exit('cel_expr_python' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


words = st.sampled_from(
    ["true", "false", LEVELS, "resource.matchTag('12/env', 'prod')", "resource.name == 'projects/acme'"]
)
expressions = st.recursive(
    words,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} || {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} && {two[1]})"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=8,
)
KNOWN = {"true": True, "false": False, "resource.name == 'projects/acme'": True}


def kleene(expression: str) -> bool | None:
    """The same by Kleene's tables, on the text itself."""
    names = {"yes": True, "no": False, "open": None}
    text = expression.replace(LEVELS, "open").replace("resource.matchTag('12/env', 'prod')", "open")
    text = text.replace("resource.name == 'projects/acme'", "yes").replace("true", "yes").replace("false", "no")

    def of(part: str) -> bool | None:
        if part in names:
            return names[part]
        if part.startswith("!("):
            inner = of(part[2:-1])
            return None if inner is None else not inner
        depth, body = 0, part[1:-1]
        for place, letter in enumerate(body):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if depth == 0 and body[place : place + 4] in {" || ", " && "}:
                left, right = of(body[:place]), of(body[place + 4 :])
                decides = body[place : place + 4] == " || "
                if decides in {left, right}:
                    return decides
                return None if None in {left, right} else not decides
        raise AssertionError(part)

    return of(text)


@given(expressions)
def test_operators_are_kleenes(expression):
    assert holds(expression) is kleene(expression)


LOOKING = [
    *("resource.name == 'projects/acme/datasets/sales'", "resource.name.startsWith('projects/acme/datasets/sales')"),
    *("resource.name.startsWith('projects/acme/datasets/sa') && request.time < timestamp('2027-01-01T00:00:00Z')",
      "!resource.name.startsWith(\"projects/acme/datasets/sales/tables/a\")"),
    *("resource.name < 'projects/acme/datasets/sales'", "'projects/acme/datasets/m' >= resource.name"),
    *("resource.name.endsWith('es')", "resource.name.contains('al')", "resource.name.matches('.*s.*')"),
    *("resource.name in ['projects/acme/datasets/sales', 'projects/acme/datasets/finance']", "resource.name == 'x'"),
    *("resource.name.startsWith('projects/acme/datasets/' + 'fin')", "size(resource.name) > 28"),
    *("resource.name.extract('projects/acme/datasets/{rest}') == 'tmp'",
      "resource.name == 'projects/acme/datasets/s\\x61les'"),
    *("['m'].exists(one, resource.name.startsWith('projects/acme/datasets/s') || one < resource.name)",
      "resource.type == 'bigquery.googleapis.com/Table'"),
]  # fmt: skip
NAMES = ["s", "sa", "sales", "sales_eu", "finance", "tmp", "m", "a", "zz"]


@pytest.mark.parametrize("expression", LOOKING)
@pytest.mark.parametrize("permission", ["bigquery.tables.getData", "bigquery.datasets.update"])
def test_places_that_are_alike_give_the_same_value(expression, permission):
    values = {}
    for name in NAMES:
        place = place_of(permission, "acme", name)
        values.setdefault(alike_at(expression, place), set()).add(holds(expression, place))
    assert all(len(found) == 1 for found in values.values()), values


def test_most_places_are_alike_to_a_condition_on_a_name():
    places = [place_of("bigquery.tables.getData", "acme", f"dataset_{n}") for n in range(1000)]
    for expression in LOOKING[:4]:
        assert len({alike_at(expression, place) for place in places}) == 1
    assert len({alike_at("resource.name.endsWith('1')", place) for place in places}) == 1000

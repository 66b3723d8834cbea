"""Conditions: what is true, what is false, and what can't be told."""

from datetime import UTC, datetime

import pytest

from preflight.emulator.conditions import Circumstances, UnevaluableError, holds

NOW = Circumstances(
    time=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),  # a Sunday
    name="projects/acme-analytics",
    type="cloudresourcemanager.googleapis.com/Project",
    service="cloudresourcemanager.googleapis.com",
    tags={"1000/env": "prod"},
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("request.time < timestamp('2027-01-01T00:00:00Z')", True),
        ('request.time < timestamp("2026-03-01T12:30:00Z")', False),
        ("request.time <= timestamp('2026-03-01T13:30:00+01:00')", True),
        (
            "request.time > timestamp('2026-01-01T00:00:00.000Z') && request.time < timestamp('2026-02-01T00:00:00Z')",
            False,
        ),
        ("request.time < timestamp('2026-03-01T00:00:00Z') + duration('13h')", True),
        ("request.time - timestamp('2026-03-01T00:00:00Z') > duration('12h30m1s')", False),
        ("request.time.getHours() >= 9 && request.time.getHours() <= 17", True),
        ("request.time.getHours('Asia/Tokyo') == 21", True),
        ("request.time.getDayOfWeek() == 0", True),
        ("request.time.getFullYear() == 2026 && request.time.getMonth() == 2", True),
        ("resource.name == 'projects/acme-analytics'", True),
        ("resource.name.startsWith('projects/acme') && !resource.name.endsWith('x')", True),
        ("resource.type != 'bigquery.googleapis.com/Dataset'", True),
        ("resource.service in ['bigquery.googleapis.com']", False),
        ("resource.matchTag('1000/env', 'prod')", True),
        ("resource.matchTag('1000/env', 'dev')", False),
        ("resource.hasTagKey('1000/team')", False),
        ("(false || true) && true", True),
        ("true || false && false", True),
        # One side that decides outweighs the other's error, whichever comes first.
        ("false && request.auth.claims.x == 'y'", False),
        ("api.getAttribute('a', []) == 'b' || true", True),
        ("resource.name.matches('^projects/acme-[a-z]+$')", True),
        (r"resource.name == 'projects/\'x'", False),
    ],
)
def test_known(expression, expected):
    assert holds(expression, NOW) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "request.time",
        "request.time <",
        "request.time < timestamp('tomorrow')",
        "request.time < timestamp('2027-01-01T00:00:00')",
        "request.time < '2027'",
        "'accessPolicies/1' in request.auth.access_levels",
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/x'])",
        "true && destination.ip == '1.2.3.4'",
        "resource.matchTagId('tagKeys/1', 'tagValues/2')",
        "resource.labels.env == 'x'",
        "request.time.getHours('Mars/Olympus') == 1",
        "resource.name.matches('(')",
        "1 + 'x' == 2",
        "not a condition at all",
        "true true",
        "has(resource.x) ? true : false",
        "duration('') < duration('1h')",
        "§",
    ],
)
def test_unknown(expression):
    with pytest.raises(UnevaluableError):
        holds(expression, NOW)

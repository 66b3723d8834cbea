"""What is told of two snapshots: each field of each fact is either compared or is none of the things that change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from preflight.comparison.changes import Kind
from preflight.comparison.facts import COMPARED, TITLES, compared
from preflight.facts import (
    caller,
    dataset,
    deny,
    groups,
    iam_resources,
    organization,
    policy,
    project,
    second_opinion,
    tables,
)
from preflight.facts.seen import Completeness, Denied, NotCollected, Provenance, TimedOut, Unknown
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.testing import snapshot

HERE = Provenance("test", "projects/acme", datetime(2026, 1, 2, tzinfo=UTC))
DENIED = Unknown(Denied("x.y.get", "projects/acme"), HERE)
GAP = Completeness(Denied("x.y.list", "projects/acme"))
IF = policy.Condition("request.time < timestamp('2027-01-01T00:00:00Z')", "for a time")
UNNAMED = policy.Condition("resource.matchTag('1/env', 'prod')")
BINDING = policy.Binding("roles/viewer", ("user:a@acme.example",), IF)
POSSIBLE = policy.PossibleBinding(why=DENIED, role="roles/editor", members=("user:b@acme.example",), condition=IF)
ENTRY = dataset.AccessEntry(role="READER", user="a@acme.example", condition=IF)
DENY = deny.DenyRule(("principalSet://goog/public:all",), ("bigquery.googleapis.com/jobs.create",),
                     ("principal://goog/subject/a@acme.example",), ("x.googleapis.com/y.get",), IF)  # fmt: skip

FULL = snapshot(
    project=project.Project(provenance=HERE, id="acme", number="1", name="Acme", state="ACTIVE", parent="folders/2"),
    billing=project.Billing(provenance=HERE, enabled=True, account="billingAccounts/1"),
    services=project.Services(
        services={"b": project.Service(provenance=HERE, name="b", state=project.ServiceState.ENABLED)}
    ),
    ancestry=project.Ancestry(resources=("folders/2", "organizations/3")),
    allow_policies=policy.AllowPolicies(
        policies={
            "projects/acme": policy.AllowPolicy(
                provenance=HERE,
                resource="projects/acme",
                bindings=(BINDING,),
                by_role={"roles/owner": GAP},
                possible=(POSSIBLE,),
                places=((BINDING, HERE),),
            )
        }
    ),
    roles=policy.Roles(
        roles={"r": policy.Role(provenance=HERE, name="r", title="R", permissions=frozenset({"x.y.get"}))}
    ),
    deny_policies=deny.DenyPolicies(
        attached={
            "folders/2": deny.AttachedDenyPolicies(
                provenance=HERE,
                resource="folders/2",
                policies={"g": deny.DenyPolicy(provenance=HERE, name="g", rules=(DENY,))},
            )
        }
    ),
    groups=groups.Groups(
        groups={
            "g@acme.example": groups.Group(
                provenance=HERE,
                email="g@acme.example",
                members=("user:a@acme.example",),
                checked={"user:a@acme.example": True},
            )
        }
    ),
    tags=organization.Tags(provenance=HERE, tags={"1/env": "1/env/prod"}, ids={"tagKeys/1": "tagValues/2"}),
    organization=organization.Organization(
        provenance=HERE, name="organizations/3", domain="acme.example", directory_customer_id="C01"
    ),
    org_policies=organization.OrgPolicies(
        policies={
            "c": organization.OrgPolicy(
                provenance=HERE,
                constraint="c",
                rules=(organization.PolicyRule(allowed=("a",), denied=("b",), enforce=True, condition=UNNAMED,
                                               parameters={"p": ("v",)}),),
            )
        }
    ),
    datasets=dataset.Datasets(
        provenance=HERE,
        datasets={
            "d": dataset.Dataset(
                provenance=HERE,
                id="d",
                location="EU",
                access=(ENTRY,),
                access_places=((ENTRY, HERE),),
                settings=dataset.DatasetSettings(table_expiration_ms=1, partition_expiration_ms=2, kms_key="k"),
            )
        },
        absent={"gone": HERE},
    ),
    caller_identity=caller.CallerIdentity(provenance=HERE, email="a@acme.example"),
    caller_permissions=caller.CallerPermissions(
        provenance=HERE, resource="projects/acme", asked=frozenset({"a", "b"}), granted=frozenset({"a"})
    ),
    second_opinions=second_opinion.SecondOpinions(
        principal="user:v@acme.example",
        answers={
            "p": second_opinion.SecondOpinion(
                provenance=HERE, permission="p", resource="projects/acme",
                answer=second_opinion.Troubleshot.GRANTED, shown=("x",),
            )
        },
    ),
    tables=tables.Tables(
        datasets={"d": tables.TableList(provenance=HERE, dataset="d", tables={"a": "TABLE", "b": "VIEW"})}
    ),
    iam_resources=iam_resources.IamResources(
        resources={
            "projects/acme": (
                iam_resources.IamResource(address="a.b", provenance=HERE, manner="binding", role="r", condition="c"),
            )
        }
    ),
)  # fmt: skip
"""A snapshot in which every kind of fact says something."""

NO_CHANGE = {
    # How and where something was read, and what says the same again.
    *("provenance", "places", "access_places", "api_answered", "absent.*", "source", "started_at", "finished_at"),
    *("AllowPolicy.resource", "AttachedDenyPolicies.resource", "Dataset.id", "DenyPolicy.name", "Group.email"),
    *(
        "TableList.dataset",
        "Tables.absent",
        "OrgPolicy.constraint",
        "Role.name",
        "Service.name",
        "SecondOpinion.permission",
        "SecondOpinion.shown",
    ),
    # Who or what was asked about: that makes the two not comparable.
    *("CallerPermissions.resource", "CallerPermissions.asked", "SecondOpinion.resource", "SecondOpinions.principal"),
    "SecondOpinion.at",
}


def changed_once(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Each way in which one text, number or answer in a value may be another, with where that is."""
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            own = f"{type(value).__name__}.{name}"
            if not {name, own} & NO_CHANGE and not isinstance(value, Provenance):
                for place, other in changed_once(getattr(value, name), own):
                    yield place, replace(value, **{name: other})
    elif isinstance(value, dict):
        for key, item in value.items():
            for place, other in changed_once(item, where):
                yield place, {**value, key: other}
        yield f"{where} without any", {}
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            for place, other in changed_once(item, where):
                yield place, (*value[:at], other, *value[at + 1 :])
        yield f"{where} without any", ()
    elif isinstance(value, frozenset):
        yield where, frozenset()
    elif isinstance(value, bool):
        yield where, not value
    elif isinstance(value, project.ServiceState):
        yield where, project.ServiceState.DISABLED
    elif isinstance(value, second_opinion.Troubleshot):
        yield where, second_opinion.Troubleshot.NOT_GRANTED
    elif isinstance(value, int):
        yield where, value + 1
    elif isinstance(value, str) and value:  # of some, just one is there
        yield where, "policy" if value == "binding" else f"{value}x"


ASKED_FOR = {"Services.services", "Roles.roles", "Groups.groups", "OrgPolicies.policies", "SecondOpinions.answers",
             "Tables.datasets"}  # fmt: skip
"""What is in these was asked for by name: that it isn't there is no change."""
CASES = [
    (place, other)
    for place, other in changed_once(FULL)
    if place.removesuffix(" without any") not in {*ASKED_FOR, "Group.checked"} or not place.endswith("any")
]


@pytest.mark.parametrize(("place", "other"), CASES, ids=[f"{at} {place}" for at, (place, _) in enumerate(CASES)])
def test_whatever_is_another_is_told(place: str, other: Snapshot):
    assert compared(FULL, other).changes, place
    assert compared(other, FULL).changes, place


def test_the_cases_are_many():
    assert len({place for place, _ in CASES}) > 50


@pytest.mark.parametrize("kind", FIELD_OF)
def test_every_kind_of_fact_is_compared_and_has_a_name(kind):
    assert kind in COMPARED
    assert FIELD_OF[kind] in TITLES
    assert not isinstance(getattr(FULL, FIELD_OF[kind]), Unknown)


def test_the_same_read_later_is_no_change():
    later = msgspec.json.encode(FULL).replace(b"2026-01-02T", b"2026-02-03T")
    other = msgspec.json.decode(later, type=Snapshot)
    assert other != FULL
    assert compared(FULL, other).changes == ()


@pytest.mark.parametrize("kind", FIELD_OF)
def test_what_is_not_seen_any_longer_is_told_as_such(kind):
    field = FIELD_OF[kind]
    blind = replace(FULL, **{field: DENIED})
    (change,) = compared(FULL, blind).changes
    assert (change.fact, change.kind, change.what) == (field, Kind.HIDDEN, TITLES[field])
    assert change.reason == DENIED.reason
    (change,) = compared(blind, FULL).changes
    assert change.kind is Kind.SHOWN
    assert compared(blind, blind).changes == ()
    (change,) = compared(blind, replace(FULL, **{field: Unknown(TimedOut("api", 3))})).changes
    assert (change.kind, change.after) == (Kind.CHANGED, "api did not answer within 3 s")


@pytest.mark.parametrize("kind", FIELD_OF)
def test_what_nobody_asked_for_is_no_change(kind):
    field = FIELD_OF[kind]
    without = replace(FULL, **{field: Unknown(NotCollected("no"))})
    assert compared(FULL, without) == compared(without, FULL)
    assert compared(FULL, without).changes == ()
    assert compared(FULL, without).not_in_both == (field,)


def test_a_list_that_may_lack_something_says_nothing_of_what_is_gone():
    datasets = FULL.datasets
    assert isinstance(datasets, dataset.Datasets)
    other = replace(FULL, datasets=replace(datasets, datasets={}, completeness=GAP))
    told = {(change.kind, change.about, change.what) for change in compared(FULL, other).changes}
    assert told == {
        (Kind.HIDDEN, "dataset d", "dataset"),
        (Kind.HIDDEN, "the project", "whether that is every dataset"),
    }
    back = {change.kind for change in compared(other, FULL).changes}
    assert back == {Kind.SHOWN}


def test_a_timeout_that_took_longer_is_the_same():
    one, other = (replace(FULL, billing=Unknown(TimedOut("api", seconds))) for seconds in (1.0, 2.0))
    assert compared(one, other).changes == ()

"""A snapshot as a whole: it keeps all it knows through JSON, and tells everything that wasn't seen."""

import typing
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight import (
    AccessEntry,
    AllowPolicies,
    AllowPolicy,
    Ancestry,
    Billing,
    CallerIdentity,
    CallerPermissions,
    Completeness,
    Condition,
    Dataset,
    Datasets,
    Denied,
    EffectiveAccess,
    Gap,
    Incomplete,
    NotCollected,
    Project,
    Provenance,
    Reason,
    Role,
    Roles,
    Service,
    Services,
    ServiceState,
    Snapshot,
    TimedOut,
    Unknown,
)
from preflight.facts.snapshot import FIELD_OF
from tests.conftest import bind

CALL = Provenance("x.y.get", "projects/acme", datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC))
REFUSED = Unknown(Denied("x.y.get", "projects/acme", quota_project=True), CALL)
GAP = Completeness(Incomplete("a page is missing"))

RICH = Snapshot(
    source="live",
    project=Project(provenance=CALL, id="acme", number="12", name="Acmé 東京", state="ACTIVE", parent="folders/7"),
    billing=Billing(provenance=CALL, enabled=False, account=None),
    services=Services(services={"a": Service(provenance=CALL, name="a", state=ServiceState.DISABLED), "b": REFUSED}),
    ancestry=Ancestry(resources=("folders/7", "organizations/9"), completeness=GAP),
    allow_policies=AllowPolicies(
        policies={
            "projects/acme": AllowPolicy(
                provenance=CALL,
                resource="projects/acme",
                bindings=(bind("roles/x", "user:a@b.example", "allUsers"), bind("roles/y", only_if="a < b")),
                completeness=GAP,
            ),
            "folders/7": REFUSED,
        },
        completeness=GAP,
    ),
    roles=Roles(
        roles={
            "roles/x": Role(provenance=CALL, name="roles/x", permissions=frozenset("abc"), deleted=True),
            "y": REFUSED,
        }
    ),
    datasets=Datasets(
        provenance=CALL,
        datasets={
            "full": Dataset(
                provenance=CALL,
                id="full",
                location="EU",
                access=(AccessEntry(role="OWNER", user="a@b.example", condition=Condition("x", "t")), AccessEntry()),
            ),
            "listed": Dataset(provenance=CALL, id="listed", location="US"),
            "closed": Dataset(provenance=CALL, id="closed", location="US", access=REFUSED),
            "unseen": REFUSED,
        },
        completeness=GAP,
    ),
    caller_identity=CallerIdentity(provenance=CALL, email="a@b.example"),
    caller_permissions=CallerPermissions(
        provenance=CALL, resource="projects/acme", asked=frozenset("ab"), granted=frozenset("a")
    ),
    started_at=datetime(2026, 1, 2, tzinfo=UTC),
    finished_at=datetime(2026, 1, 3, tzinfo=UTC),
)
BLIND = msgspec.structs.replace(RICH, **dict.fromkeys(FIELD_OF.values(), REFUSED))


def again(snapshot: Snapshot) -> Snapshot:
    return msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)


@pytest.mark.parametrize("snapshot", [RICH, BLIND, Snapshot(source="plan")], ids=["rich", "blind", "empty"])
def test_json_keeps_all_of_it(snapshot):
    kept = again(snapshot)
    assert kept == snapshot
    assert kept.gaps() == snapshot.gaps()


SECONDS = {"seconds": st.floats(0, 3600)}
reasons: st.SearchStrategy[Reason] = st.one_of(
    *(st.builds(kind, **SECONDS if kind is TimedOut else {}) for kind in typing.get_args(Reason))
)


@given(reasons, st.sampled_from(sorted(FIELD_OF.values())))
def test_json_keeps_every_reason(reason, field):
    snapshot = Snapshot(source="live", **{field: Unknown(reason, CALL)})
    assert again(snapshot) == snapshot


@pytest.mark.parametrize(
    "text",
    [
        '{"source": "live", "billing": {"fact": "project"}}',
        '{"source": "live", "billing": {"fact": "billing", "enabled": "yes"}}',
        '{"source": "live", "billing": {"fact": "unknown", "reason": {"kind": "moon"}}}',
        '{"source": "live", "billing": []}',
        "{}",
    ],
    ids=["another fact", "another type", "another reason", "a list", "nothing"],
)
def test_what_is_no_snapshot_is_refused(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Snapshot)


def test_everything_that_was_not_seen_is_told_with_where():
    told = {(gap.fact, gap.about, gap.reason.kind) for gap in RICH.gaps()}
    assert told == {
        ("services", "b", "denied"),
        ("ancestry", "", "incomplete"),
        ("allow_policies", "", "incomplete"),
        ("allow_policies", "projects/acme", "incomplete"),
        ("allow_policies", "folders/7", "denied"),
        ("roles", "y", "denied"),
        ("datasets", "", "incomplete"),
        ("datasets", "closed", "denied"),
        ("datasets", "unseen", "denied"),
    }
    assert Gap("services", "b", REFUSED.reason, CALL) in RICH.gaps()
    assert len(RICH.gaps()) == len(told)


def test_what_nobody_asked_for_is_no_gap():
    assert Snapshot(source="live").gaps() == ()
    assert Snapshot(source="plan", billing=Unknown(NotCollected("a plan doesn't hold it"))).gaps() == ()


def test_a_blind_snapshot_has_a_gap_a_fact():
    assert [gap.fact for gap in BLIND.gaps()] == list(FIELD_OF.values())


def test_each_kind_of_fact_has_a_field():
    assert [BLIND.fact(kind) for kind in FIELD_OF] == list(BLIND.facts())
    assert RICH.fact(Billing) == RICH.billing
    with pytest.raises(KeyError):
        RICH.fact(EffectiveAccess)


def test_of_a_dataset_it_is_told_whether_it_is_absent_or_unseen():
    seen = RICH.datasets
    assert seen.get("full").location == "EU"
    assert seen.get("unseen") is REFUSED
    assert seen.get("nowhere").reason == GAP.gap
    whole = Datasets.of(seen.get("full"))
    assert whole.get("nowhere") is None
    assert "nowhere is not" in whole.seen_absent("nowhere").detail


@pytest.mark.parametrize(
    ("entry", "member", "role"),
    [
        (AccessEntry(role="READER", user="a@b.example"), "user:a@b.example", "roles/bigquery.dataViewer"),
        (AccessEntry(role="WRITER", user="a@p.iam.gserviceaccount.com"), "serviceAccount:a@p.iam.gserviceaccount.com",
         "roles/bigquery.dataEditor"),
        (AccessEntry(role="OWNER", group="g@b.example"), "group:g@b.example", "roles/bigquery.dataOwner"),
        (AccessEntry(role="roles/x", domain="b.example"), "domain:b.example", "roles/x"),
        (AccessEntry(role="OWNER", special_group="projectOwners"), "projectOwners", "roles/bigquery.dataOwner"),
        (AccessEntry(role="roles/x", iam_member="deleted:user:a@b?uid=1"), "deleted:user:a@b?uid=1", "roles/x"),
        (AccessEntry(authorized="view a.b.c"), "", ""),
    ],
    ids=["a user", "a service account", "a group", "a domain", "a special group", "an IAM member", "a view"],
)  # fmt: skip
def test_entries_of_an_access_list_in_the_words_of_iam(entry, member, role):
    assert (entry.member, entry.role_name) == (member, role)


@pytest.mark.parametrize(
    ("email", "member"),
    [
        ("a@b.example", "user:a@b.example"),
        ("a@p.iam.gserviceaccount.com", "serviceAccount:a@p.iam.gserviceaccount.com"),
        ("A@P.IAM.GSERVICEACCOUNT.COM", "serviceAccount:A@P.IAM.GSERVICEACCOUNT.COM"),
        ("a@notgserviceaccount.com", "user:a@notgserviceaccount.com"),
    ],
)
def test_the_caller_in_the_words_of_iam(email, member):
    assert CallerIdentity(provenance=CALL, email=email).member == member


def test_of_the_callers_permissions_what_was_not_asked_is_not_known():
    held = RICH.caller_permissions
    assert [held.holds(name) for name in "abc"] == [True, False, None]


def test_a_role_that_is_gone_gives_nothing():
    alive = Role(provenance=CALL, name="x", permissions=frozenset("a"))
    assert alive.granted == {"a"}
    assert RICH.roles.roles["roles/x"].granted == frozenset()
    assert TimedOut("x").kind == "timeout"

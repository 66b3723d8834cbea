"""Answers as facts, also odd ones: what is no answer of the API is unreadable, and never an empty fact."""

import pytest
from google.cloud.billing_v1.types import ProjectBillingInfo
from google.cloud.iam_admin_v1.types import Role
from google.cloud.resourcemanager_v3.types import Folder, Project
from google.cloud.service_usage_v1.types import Service
from google.iam.v1.policy_pb2 import Binding, Policy

from preflight.facts.dataset import AccessEntry
from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.policy import Condition
from preflight.facts.seen import Provenance
from preflight.sources.live import answers
from preflight.sources.live.datasets import access_entry
from preflight.sources.live.guard import UnreadableError

SEEN = Provenance("test", "projects/acme")


def test_a_role_name_that_hides_a_condition_is_no_plain_grant():
    binding = Binding(role="roles/bigquery.user_withcond_a1b2c3d4", members=["user:a@x.example"])
    (found,) = answers.policy(Policy(bindings=[binding]), SEEN).bindings
    assert found.role == "roles/bigquery.user"
    assert found.condition == Condition(HIDDEN)


def test_a_condition_without_an_expression_is_still_one():
    binding = Binding(role="roles/viewer", condition={"title": "odd"})
    (found,) = answers.policy(Policy(bindings=[binding]), SEEN).bindings
    assert found.condition == Condition(answers.HIDDEN, "odd")


def test_a_binding_without_members_is_kept():
    (found,) = answers.policy(Policy(bindings=[Binding(role="roles/viewer")]), SEEN).bindings
    assert (found.role, found.members, found.condition) == ("roles/viewer", (), None)


def test_an_empty_policy_has_an_etag():
    assert answers.policy(Policy(etag=b"\0 \1"), SEEN).bindings == ()


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (answers.project, Project()),
        (answers.project, Project(name="projects/1")),
        (answers.project, Project(name="projects/x", project_id="x")),
        (answers.project, Project(name="projects/1", project_id="x", parent="billingAccounts/1")),
        (answers.folder_parent, Folder(name="folders/1")),
        (answers.folder_parent, Folder(name="folders/1", parent="folders/../x")),
        (answers.policy, Policy()),
        (answers.service, Service(name="projects/1/services/x")),
        (answers.billing, ProjectBillingInfo()),
        (answers.role, Role()),
    ],
)
def test_an_empty_message_is_no_answer(read, answer):
    with pytest.raises(UnreadableError):
        read(answer, SEEN)


def test_a_disabled_role_grants_nothing():
    role = Role(name="roles/x", included_permissions=["a.b.c"], stage=Role.RoleLaunchStage.DISABLED)
    assert answers.role(role, SEEN).granted == frozenset()
    assert answers.role(Role(name="roles/x", included_permissions=["a.b.c"], stage=99), SEEN).granted == {"a.b.c"}


def test_only_what_was_asked_counts_as_granted():
    answer = type("Answer", (), {"permissions": ["a.b.c", "x.y.z"]})
    found = answers.permissions(frozenset({"a.b.c", "d.e.f"}), answer, SEEN)
    assert found.granted == {"a.b.c"}
    assert found.holds("x.y.z") is None


@pytest.mark.parametrize(
    ("raw", "entry"),
    [
        ({"role": "READER", "groupByEmail": "g@x.example"}, AccessEntry(role="READER", group="g@x.example")),
        ({"role": "WRITER", "domain": "x.example"}, AccessEntry(role="WRITER", domain="x.example")),
        ({"role": "OWNER", "iamMember": "allUsers"}, AccessEntry(role="OWNER", iam_member="allUsers")),
        (
            {"role": "roles/bigquery.dataEditor_withcond_0a", "userByEmail": "u@x.example"},
            AccessEntry(role="roles/bigquery.dataEditor", user="u@x.example", condition=Condition(HIDDEN)),
        ),
        (
            {"role": "READER", "userByEmail": "u@x.example", "condition": {"expression": "false", "title": "t"}},
            AccessEntry(role="READER", user="u@x.example", condition=Condition("false", "t")),
        ),
        (
            {"dataset": {"dataset": {"projectId": "p", "datasetId": "d"}, "targetTypes": ["VIEWS"]}},
            AccessEntry(authorized="dataset p.d"),
        ),
        (
            {"routine": {"projectId": "p", "datasetId": "d", "routineId": "r"}},
            AccessEntry(authorized="routine p.d.r"),
        ),
    ],
)
def test_entries_of_an_access_list(raw, entry):
    assert access_entry(raw) == entry


def test_a_member_of_an_unknown_kind_may_be_anyone():
    from preflight.access.effective import may_cover

    entry = access_entry({"role": "WRITER", "newKind": "x"})
    assert may_cover(entry.member, "serviceAccount:a@b.iam.gserviceaccount.com")

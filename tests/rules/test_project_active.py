"""project-active: a case for each answer, named by what its reader has in front of them."""

import shlex

import pytest

from preflight import ApiDisabled, Denied, NotCollected, NotFound, Project, QuotaExceeded, TimedOut, Unknown
from preflight.testing import HERE, judge, target

GET = "resourcemanager.projects.get"
ACME = "projects/acme-analytics"


def project(state: str) -> Project:
    return Project(provenance=HERE, id="acme-analytics", number="123456789012", state=state, parent=None)


@pytest.mark.parametrize(
    ("fact", "status", "says"),
    [
        pytest.param(project("ACTIVE"), "pass", "acme-analytics is active (number 123456789012)", id="active"),
        pytest.param(project("DELETE_REQUESTED"), "fail", "is being deleted", id="shut down"),
        pytest.param(project("SUSPENDED"), "fail", "in state SUSPENDED", id="a state of next year"),
        pytest.param(project("STATE_UNSPECIFIED"), "unknown", "does not tell", id="an answer without a state"),
        pytest.param(Unknown(Denied(GET, ACME), HERE), "unknown", "does not tell which", id="refused"),
        pytest.param(Unknown(NotFound(ACME), HERE), "unknown", "does not tell which", id="not found, or not visible"),
        pytest.param(
            Unknown(Denied("serviceusage.services.use", "projects/payer", quota_project=True), HERE),
            "unknown",
            "the quota project projects/payer may not be used",
            id="the quota project is refused, not this one",
        ),
        pytest.param(
            Unknown(ApiDisabled("cloudresourcemanager.googleapis.com", "projects/42", quota_project=True), HERE),
            "unknown",
            "is not enabled in projects/42, the quota project",
            id="the API is off in the quota project",
        ),
        pytest.param(Unknown(TimedOut(GET, 60), HERE), "unknown", "did not answer within 60 s", id="no answer in time"),
        pytest.param(Unknown(QuotaExceeded(GET), HERE), "unknown", "rate limit", id="429"),
        pytest.param(Unknown(NotCollected()), "unknown", "not collected", id="nobody asked"),
    ],
)
def test_each_answer(fact, status, says):
    verdict = judge("project-active", project=fact)
    assert verdict.status == status
    assert says in verdict.message
    if status == "unknown" and isinstance(fact, Unknown):
        assert verdict.reason == fact.reason


@pytest.mark.parametrize("reason", [Denied(GET, ACME), NotFound(ACME)], ids=["refused", "not found"])
def test_what_google_does_not_tell_is_never_called_missing(reason):
    verdict = judge("project-active", project=Unknown(reason, HERE))
    said = " ".join(remedy.summary for remedy in verdict.remedies)
    assert reason.settle() in said, "what would settle it, if the ID is right"
    assert "ID" in said, "and what to look at, if it is wrong"


@pytest.mark.parametrize(
    ("given", "filtered"),
    [("acme-analytics", "projectId=acme-analytics"), ("123456789012", "projectNumber=123456789012")],
)
def test_the_list_of_projects_is_searched_for_what_was_given(given, filtered):
    verdict = judge("project-active", project=Unknown(Denied(GET), HERE), target=target(project=given))
    commands = [shlex.split(command) for remedy in verdict.remedies for command in remedy.commands]
    assert commands == [["gcloud", "projects", "list", f"--filter={filtered}"]]


def test_undeleting_is_the_remedy_for_a_project_that_is_being_deleted():
    remedy = judge("project-active", project=project("DELETE_REQUESTED")).remedies[0]
    assert remedy.commands == ("gcloud projects undelete acme-analytics",)

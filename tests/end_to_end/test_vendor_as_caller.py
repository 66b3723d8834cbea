"""Whose answer is it: testIamPermissions speaks for the caller, so it counts only if the caller is the vendor."""

from typing import Any

import pytest
from msgspec.structs import replace

from preflight.emulator import Caller, World
from preflight.emulator.world import Binding
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR, Preflight, Serve

TEST = "cloudresourcemanager.projects.testIamPermissions"
POLICY = "cloudresourcemanager.projects.getIamPolicy"


def sources(finding: dict[str, Any]) -> set[str]:
    return {evidence["source"] for evidence in finding["evidence"]}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize(("name", "verdict"), [("ready", "pass"), ("blind", "pass"), ("broken", "fail")])
def test_the_vendors_own_account_is_asked_itself(
    name: str, verdict: str, transport: str, serve: Serve, preflight: Preflight
):
    cloud = serve(World.demo(name))
    result = preflight(*RUN, "--transport", transport, *JSON, environ=cloud.environ(VENDOR))
    finding = result.finding("jobs-create")
    assert finding["verdict"] == verdict
    assert sources(finding) == {TEST}
    assert VENDOR in finding["message"]
    # It can't read the policy, and its own answer is about the permission: the role stays unknown.
    assert result.verdicts["vendor-role"] == "unknown"


@pytest.mark.parametrize("name", World.demos())
def test_anyone_elses_permissions_never_count(name: str, serve: Serve, preflight: Preflight):
    cloud = serve(World.demo(name))
    for options in ((), ("--principal", "heap-sql@elsewhere.iam.gserviceaccount.com")):
        finding = preflight(*RUN, *options, *JSON, environ=cloud.environ(ADMIN)).finding("jobs-create")
        assert TEST not in sources(finding)
        assert "itself" not in finding["message"]


def test_an_owners_permissions_are_not_taken_for_the_vendors(serve: Serve, preflight: Preflight):
    world = World.demo("broken")
    owner = Binding(role="roles/owner", members=(f"user:{ADMIN}",))
    (project,) = world.projects
    cloud = serve(replace(world, projects=(replace(project, bindings=(*project.bindings, owner)),)))
    result = preflight(*RUN, *JSON, environ=cloud.environ(ADMIN))
    assert result.verdicts["jobs-create"] == "fail"
    assert POLICY in sources(result.finding("jobs-create"))
    # Asked about itself, the owner gets its own answer.
    own = preflight(*RUN, "--principal", ADMIN, *JSON, environ=cloud.environ(ADMIN)).finding("jobs-create")
    assert own["verdict"] == "pass"
    assert sources(own) == {TEST}


def test_an_address_in_other_letters_is_the_same_account(serve: Serve, preflight: Preflight):
    cloud = serve(World.demo("blind"))
    result = preflight(*RUN, "--principal", f"serviceAccount:{VENDOR.title()}", *JSON, environ=cloud.environ(VENDOR))
    assert sources(result.finding("jobs-create")) == {TEST}


def test_a_token_that_does_not_say_whose_it_is_is_not_taken_for_the_vendors(serve: Serve, preflight: Preflight):
    shy = Caller(email=VENDOR, kind="service_account", email_scope=False)
    cloud = serve(World.demo("blind").with_callers(shy))
    finding = preflight(*RUN, *JSON, environ=cloud.environ(VENDOR)).finding("jobs-create")
    assert finding["verdict"] == "unknown"
    assert TEST not in sources(finding)


def test_where_its_own_answer_is_refused_it_is_computed(serve: Serve, preflight: Preflight):
    world = World.demo("ready")
    viewer = Binding(role="roles/iam.securityReviewer", members=(f"serviceAccount:{VENDOR}",))
    (project,) = world.projects
    project = replace(project, bindings=(*project.bindings, viewer), withheld=(TEST,))
    cloud = serve(replace(world, projects=(project,)))
    finding = preflight(*RUN, *JSON, environ=cloud.environ(VENDOR)).finding("jobs-create")
    assert finding["verdict"] == "pass"
    assert POLICY in sources(finding)
    assert TEST not in sources(finding)

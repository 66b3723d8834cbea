"""`preflight permissions --custom-role`: who is given just what it prints sees all that the rules need."""

import shutil
import subprocess

import pytest
from msgspec.structs import replace

from preflight.emulator import World
from preflight.emulator.world import Binding, Group, Role
from tests.end_to_end.conftest import ADMIN, JSON, RUN, VENDOR, Preflight, Serve
from tests.end_to_end.made_up import DESTINATION, EDITOR, HEAP, OWN, PROJECT, USER, bind, cloud, dataset, denial

SHOWN = "group:team@acme.example"


def everything_to_see() -> World:
    """A world in which each kind of policy, role and dataset is there to be read."""
    return cloud(
        bind(USER, HEAP),
        bind(f"{PROJECT}/roles/runner", HEAP),
        bind(EDITOR, SHOWN, only_if="resource.matchTag('1000/env', 'prod')"),
        folder=(bind("organizations/1000/roles/writer", HEAP),),
        datasets=(dataset(OWN, {"role": "WRITER", "userByEmail": VENDOR}),),
        groups=(Group(email="team@acme.example", viewers=(f"user:{ADMIN}",)),),
        deny={"folders/2000": denial("bigquery.googleapis.com/datasets.delete")},
        roles=(Role(name="runner", permissions=("bigquery.jobs.create",)),),
        tags={"1000/env": "dev"},
    )


def role_of(text: str, name: str) -> Role:
    """The role that `gcloud iam roles create --file` makes of a file: its keys at the left, its list below."""
    plain = [line for line in text.splitlines() if not line.startswith("#")]
    keys = dict(line.split(": ", 1) for line in plain if ": " in line)
    assert plain[len(keys)] == "includedPermissions:"
    held = plain[len(keys) + 1 :]
    assert held
    assert all(line.startswith("- ") for line in held)
    assert set(keys) == {"title", "description", "stage"}
    return Role(
        name=name,
        title=keys["title"],
        description=keys["description"],
        stage=keys["stage"],
        permissions=tuple(line.removeprefix("- ") for line in held),
    )


def given(world: World, role: Role, level: str, *above: Binding) -> World:
    """The world, where the admin has this role alone: of the organization, or of the project."""
    (organization,), (project,) = world.organizations, world.projects
    writer = Role(name="writer", permissions=("bigquery.tables.create",))
    place = "organizations/1000" if level == "organization" else PROJECT
    grant = bind(f"{place}/roles/{role.name}", f"user:{ADMIN}")
    made = {level: (role,), "project" if level == "organization" else "organization": ()}
    granted = {name: (grant,) if roles else () for name, roles in made.items()}
    return replace(
        world,
        roles=(),
        organizations=(
            replace(
                organization,
                roles=(writer, *made["organization"]),
                bindings=(*organization.bindings, *granted["organization"], *above),
            ),
        ),
        projects=(
            replace(
                project,
                roles=(*project.roles, *made["project"]),
                bindings=(*project.bindings, *granted["project"]),
            ),
        ),
    )


def seen(world: World, serve: Serve, preflight: Preflight) -> dict[str, str]:
    stand_in = serve(world)
    result = preflight(*RUN, "--unread-deny", "unknown", *DESTINATION, *JSON, environ=stand_in.environ())
    return {name: verdict for name, verdict in result.verdicts.items() if verdict == "unknown"} | {
        "auditor-access": result.verdicts["auditor-access"]
    }


def test_the_organizations_role_shows_all(serve: Serve, preflight: Preflight):
    printed = preflight("permissions", "--custom-role", "auditor").out
    role = role_of(printed, "auditor")
    assert seen(given(everything_to_see(), role, "organization"), serve, preflight) == {"auditor-access": "pass"}


def test_the_projects_role_shows_all_with_the_roles_that_it_names_for_the_rest(serve: Serve, preflight: Preflight):
    printed = preflight("permissions", "--custom-role", "auditor", "--level", "project").out
    role = role_of(printed, "auditor")
    named = [line.partition(": ")[2] for line in printed.splitlines() if line.startswith("#   ")]
    above = tuple(bind(name, f"user:{ADMIN}") for name in dict.fromkeys(named))
    assert above
    assert seen(given(everything_to_see(), role, "project", *above), serve, preflight) == {"auditor-access": "pass"}
    # Without those it can't see what is above the project, and says so.
    assert seen(given(everything_to_see(), role, "project"), serve, preflight)["auditor-access"] == "warn"


def test_one_permission_less_and_something_is_unseen(serve: Serve, preflight: Preflight):
    role = role_of(preflight("permissions", "--custom-role", "auditor").out, "auditor")
    for permission in role.permissions:
        left = tuple(name for name in role.permissions if name != permission)
        world = given(everything_to_see(), replace(role, permissions=left), "organization")
        assert seen(world, serve, preflight)["auditor-access"] == "warn", f"{permission} is printed, and not needed"


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")
@pytest.mark.parametrize("level", ["organization", "project"])
def test_the_same_as_terraform(level: str, preflight: Preflight):
    options = ("permissions", "--custom-role", "auditor", "--level", level)
    text = preflight(*options, "--format", "terraform").out
    formatted = subprocess.run(["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=True)
    assert formatted.stdout == text
    listed = [line.strip().strip(',"') for line in text.splitlines() if line.startswith('    "')]
    assert tuple(listed) == role_of(preflight(*options).out, "auditor").permissions

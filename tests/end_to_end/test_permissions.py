"""What may be on the wire, and that `preflight permissions` names just what is needed: no more, no less."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from preflight.emulator import Caller, World
from preflight.emulator.policy import deny_form
from preflight.emulator.world import (
    Binding,
    Condition,
    Dataset,
    DenyPolicy,
    DenyRule,
    Folder,
    Group,
    Organization,
    Project,
    Role,
)
from preflight.engine import load_rules, needed_facts
from preflight.facts.methods import (
    ALLOWED,
    QUOTA_PROJECT_PERMISSION,
    QUOTA_PROJECT_ROLE,
    READS,
    TOKEN_INFO,
    methods_for,
)
from preflight.facts.project import Fact
from preflight.facts.snapshot import Gap
from preflight.profile import load_profile
from preflight.rulebook import select
from preflight.sources.live import LiveSettings, LiveSource
from preflight.target import parse_target
from tests.end_to_end.conftest import ADMIN, JSON, ROOT, RUN, VENDOR, Preflight, Serve

ROLES = ROOT.parent / "shared" / "data" / "roles"
needs_role_data = pytest.mark.skipif(
    not ROLES.is_dir(),
    reason=f"the role data is absent: there is no {ROLES}; it stands beside the checkout as ../shared/data/roles",
)
AUDITOR = "auditor@acme.example"
MEMBER = f"user:{AUDITOR}"
DESTINATION = ("--location", "EU", "--dataset", "heap_production")
UNRELATED = "bigquery.googleapis.com/datasets.delete"
IN_PRODUCTION = "resource.matchTag('1000/env', 'prod')"
CALLED = methods_for(needed_facts(select(load_rules(), ())))
"""By a run without options: what is judged on request only asks for more."""
LEVELS = ("project", "folder", "organization")
Held = dict[str, list[str]]
"""By level: project, folder, organization."""


def denial(*principals: str, permission: str, condition: str = "") -> DenyPolicy:
    rule = DenyRule(
        denied_principals=principals,
        denied_permissions=(permission,),
        condition=Condition(expression=condition) if condition else None,
    )
    return DenyPolicy(name="denial", rules=(rule,))


def world(held: Held, *, org_role_bound: bool = True, denied: dict[str, str] | None = None) -> World:
    """A project in a folder in an organization. The auditor holds these permissions, the vendor's account custom
    roles of the project and of the organization, and the destination is there. Each level has a deny policy, of
    which one names a group and one looks at a tag; `denied` on a level is denied to the auditor there."""
    auditors = f"principal://goog/subject/{AUDITOR}"
    deny = {
        level: (
            *((denial(auditors, permission=(denied or {})[level]),) if level in (denied or {}) else ()),
            replace(usual, name="usual"),
        )
        for level, usual in {
            "project": denial("principalSet://goog/group/team@acme.example", permission=UNRELATED),
            "folder": denial("principalSet://goog/public:all", permission=UNRELATED, condition=IN_PRODUCTION),
            "organization": denial("principalSet://goog/public:all", permission=UNRELATED),
        }.items()
    }
    vendor = f"serviceAccount:{VENDOR}"
    writes = ("bigquery.tables.create", "bigquery.tables.get", "bigquery.tables.getData")
    organization = Organization(
        id="1000",
        display_name="acme.example",
        tags={"1000/env": "prod"},
        deny=deny["organization"],
        roles=(
            Role(name="auditor", permissions=tuple(held["organization"])),
            Role(name="folderAuditor", permissions=tuple(held["folder"])),
            Role(name="runner", permissions=("bigquery.jobs.create", "bigquery.datasets.create")),
        ),
        bindings=(
            Binding(role="organizations/1000/roles/auditor", members=(MEMBER,)),
            *((Binding(role="organizations/1000/roles/runner", members=(vendor,)),) if org_role_bound else ()),
        ),
    )
    folder = Folder(
        id="2000",
        parent="organizations/1000",
        deny=deny["folder"],
        bindings=(Binding(role="organizations/1000/roles/folderAuditor", members=(MEMBER,)),),
    )
    project = Project(
        id="acme-analytics",
        number="3000",
        parent="folders/2000",
        roles=(
            Role(name="auditor", permissions=tuple(held["project"])),
            Role(name="writer", permissions=(*writes, "bigquery.tables.update", "bigquery.tables.updateData")),
        ),
        bindings=(
            Binding(role="projects/acme-analytics/roles/auditor", members=(MEMBER,)),
            Binding(role="projects/acme-analytics/roles/writer", members=(vendor,)),
            Binding(role="roles/bigquery.jobUser", members=(vendor,)),
            Binding(
                role="roles/browser", members=("user:ana@acme.example",), condition=Condition(expression=IN_PRODUCTION)
            ),
        ),
        deny=deny["project"],
        datasets=(
            Dataset(id="heap_production", location="EU", access=({"role": "OWNER", "specialGroup": "projectOwners"},)),
        ),
    )
    team = Group(email="team@acme.example", members=("user:ana@acme.example",), viewers=(MEMBER,))
    return World(
        callers=(Caller(email=AUDITOR),),
        groups=(team,),
        organizations=(organization,),
        folders=(folder,),
        projects=(project,),
    )


def permissions_of(preflight: Preflight, *options: str) -> dict[str, Any]:
    result = preflight("permissions", "--format", "json", *options)
    assert (result.code, result.err) == (0, "")
    return result.report


def held_as_printed(printed: dict[str, Any]) -> Held:
    return {level: list(needs["permissions"]) for level, needs in printed["levels"].items()}


def gaps(cloud: Any, *only: str) -> list[Gap]:
    """What the facts of these rules lack, whose credentials they are apart."""
    return gaps_in(cloud, needed_facts(select(load_rules(), only)))


def gaps_in(cloud: Any, facts: frozenset[type[Fact]]) -> list[Gap]:
    profile = load_profile("heap")
    target = parse_target(profile, "acme-analytics", None, "EU", "heap_production")
    source = LiveSource(LiveSettings.from_environ(cloud.environ(AUDITOR), timeout=20), profile, target)
    snapshot = source.collect(facts)
    return [gap for gap in snapshot.gaps() if gap.fact != "caller_identity"]


def printed_names() -> list[tuple[str, str]]:
    """Each level and permission that the table of methods names; the tests check that these are what is printed."""
    return sorted({(level, method.permission) for method in CALLED for level in method.levels})


def test_holding_just_what_is_printed_leaves_no_gap(preflight: Preflight, serve: Serve):
    printed = permissions_of(preflight)
    cloud = serve(world(held_as_printed(printed)))
    assert gaps(cloud) == []
    result = preflight(*RUN, *DESTINATION, *JSON, environ=cloud.environ(AUDITOR))
    assert "unknown" not in result.verdicts.values(), result.out
    assert result.verdicts["auditor-access"] == "pass"
    # The world is one in which every listed method is called, and none that isn't.
    assert cloud.methods == set(printed["methods"])


def test_what_is_printed_is_what_is_tried_below(preflight: Preflight):
    printed = held_as_printed(permissions_of(preflight))
    assert sorted((level, name) for level, names in printed.items() for name in names) == printed_names()
    assert len(printed_names()) == 19


@pytest.mark.parametrize(("level", "permission"), printed_names())
def test_each_printed_permission_is_needed_at_its_level(
    level: str, permission: str, preflight: Preflight, serve: Serve
):
    held = held_as_printed(permissions_of(preflight))
    held[level].remove(permission)
    cloud = serve(world(held, denied=denied_where_inherited(held, level, permission)))
    found = gaps(cloud)
    assert found, f"{permission} on the {level} is printed, and nothing is amiss without it"
    assert {gap.reason.kind for gap in found} == {"denied"}
    assert {getattr(gap.reason, "permission", "") for gap in found} == {permission}
    options: tuple[str, ...] = ()
    if permission.startswith("iam.denypolicies."):
        # Most auditors can't read them: by itself that is a note.
        finding = preflight(*RUN, *DESTINATION, *JSON, environ=cloud.environ(AUDITOR)).finding("auditor-access")
        assert finding["verdict"] == "pass"
        assert "deny policies could not be read, and none is assumed" in finding["message"]
        options = ("--unread-deny", "unknown")
    result = preflight(*RUN, *DESTINATION, *options, *JSON, environ=cloud.environ(AUDITOR))
    finding = result.finding("auditor-access")
    assert finding["verdict"] == "warn", finding
    assert any("add-iam-policy-binding" in command for one in finding["remedies"] for command in one["commands"])


def denied_where_inherited(held: Held, level: str, permission: str) -> dict[str, str]:
    """What is held above a level is inherited: a denial on the level itself takes it away."""
    above = [name for other in LEVELS[LEVELS.index(level) + 1 :] for name in held[other]]
    return {level: deny_form(permission)} if permission in above else {}


def needed_by_any() -> list[tuple[str, str]]:
    """Each level and permission of the whole table of methods, whether or not a rule asks for it yet."""
    return sorted({(level, method.permission) for method in ALLOWED for level in method.levels})


def held_for_all() -> Held:
    return {level: [name for at, name in needed_by_any() if at == level] for level in LEVELS}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_all_facts_are_seen_by_who_holds_just_what_their_methods_need(transport: str, serve: Serve):
    cloud = serve(world(held_for_all()))
    environ = cloud.environ(AUDITOR) | {"PREFLIGHT_TRANSPORT": transport}
    profile = load_profile("heap")
    target = parse_target(profile, "acme-analytics", None, "EU", "heap_production")
    snapshot = LiveSource(LiveSettings.from_environ(environ, timeout=20), profile, target).collect(frozenset(READS))
    assert snapshot.gaps() == ()
    assert cloud.methods == {method.id for method in ALLOWED}


def test_a_role_of_the_project_needs_no_permission_on_the_organization(preflight: Preflight, serve: Serve):
    held = held_as_printed(permissions_of(preflight))
    held["organization"].remove("iam.roles.get")
    assert gaps(serve(world(held, org_role_bound=False))) == []
    held["project"].remove("iam.roles.get")
    (gap,) = gaps(serve(world(held, org_role_bound=False)))
    assert gap.about == "projects/acme-analytics/roles/writer"


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("billing-enabled", {"project": ["resourcemanager.projects.get"]}),
        ("project-active", {"project": ["resourcemanager.projects.get"]}),
        ("dataset-name", {}),
        ("dataset-location", {"project": ["bigquery.datasets.get"]}),
        ("synced-views", {"project": ["bigquery.datasets.get", "bigquery.tables.list"]}),
    ],
)
def test_a_selection_needs_just_what_is_printed_for_it(only: str, expected: Held, preflight: Preflight, serve: Serve):
    printed = permissions_of(preflight, "--rule", only)
    held = held_as_printed(printed)
    assert {level: names for level, names in held.items() if names} == expected
    cloud = serve(world(held))
    assert gaps(cloud, only) == []
    assert cloud.methods == set(printed["methods"])
    for level, names in expected.items():
        for name in names:
            without = {**held, level: [other for other in held[level] if other != name]}
            assert gaps(serve(world(without)), only), f"{name} is printed for {only}, and nothing is amiss without it"


@needs_role_data
def test_every_role_that_is_named_holds_what_it_is_named_for(preflight: Preflight):
    held = {name: set(names) for name, names in json.loads((ROLES / "role_permissions.json").read_bytes()).items()}
    gone = json.loads((ROLES / "role_names.json").read_bytes())["described_but_no_longer_listed"]
    for method in ALLOWED:
        assert bool(method.permission) == bool(method.role) == bool(method.levels), method.id
        assert not (method.permission and method.beyond)
        if method.permission:
            assert method.permission in held[method.role], f"{method.role} lacks {method.permission}"
            assert method.role not in gone
    assert QUOTA_PROJECT_PERMISSION in held[QUOTA_PROJECT_ROLE]
    for options in ((), *(("--rule", rule.id) for rule in load_rules())):
        for level, needs in permissions_of(preflight, *options)["levels"].items():
            lacking = [role for role in needs["single_roles"] if not held[role].issuperset(needs["permissions"])]
            assert not lacking, f"{options}: {lacking} don't hold all that is needed on the {level}"
            assert bool(needs["permissions"]) == bool(needs["single_roles"])
            narrow = set().union(*(held[role] for role in needs["narrow_roles"]))
            assert narrow.issuperset(needs["permissions"])


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("name", World.demos())
def test_only_allowed_methods_are_ever_on_the_wire(name: str, transport: str, preflight: Preflight, serve: Serve):
    cloud = serve(World.demo(name))
    for caller in (ADMIN, VENDOR):
        environ = cloud.environ(caller)
        for project in ("acme-analytics", "421700000001", "acme-elsewhere"):
            for options in ((), DESTINATION, ("--principal", "group-of-one@acme.example")):
                chosen = ("--project", project, "--transport", transport, *options)
                result = preflight("run", *chosen, *JSON, environ=environ)
                assert result.code in {0, 1, 3}, result
    exchanges = cloud.emulator.exchanges
    assert len(exchanges) > 100
    assert cloud.methods <= {method.id for method in ALLOWED}
    sent = {exchange.path for exchange in exchanges if exchange.transport == "rest"}
    assert {path.split(" ")[0] for path in sent} <= {"GET", "POST"}
    posts = {path for path in sent if path.startswith("POST ")}
    assert {path.rpartition(":")[2] for path in posts} <= {"getIamPolicy", "testIamPermissions", "troubleshoot"}
    transports = {exchange.transport for exchange in exchanges if exchange.method.startswith("cloudresourcemanager.")}
    assert transports == {transport}


def test_a_folder_and_custom_roles_bring_no_other_methods(preflight: Preflight, serve: Serve):
    held = held_as_printed(permissions_of(preflight))
    for transport in ("grpc", "rest"):
        cloud = serve(world(held))
        preflight(*RUN, *DESTINATION, "--transport", transport, *JSON, environ=cloud.environ(AUDITOR))
        assert cloud.methods == {method.id for method in CALLED}


def test_the_caller_of_a_token_without_an_email_is_the_only_thing_unknown(preflight: Preflight, serve: Serve):
    held = held_as_printed(permissions_of(preflight))
    shy = replace(world(held), callers=(Caller(email=AUDITOR, email_scope=False),))
    cloud = serve(shy)
    assert gaps(cloud) == []
    result = preflight(*RUN, *DESTINATION, *JSON, environ=cloud.environ(AUDITOR))
    assert "unknown" not in result.verdicts.values()
    assert TOKEN_INFO.id in cloud.methods

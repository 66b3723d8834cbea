"""What the report says to run, run: each command is carried out on the made-up cloud, and the next run finds it
mended."""

import re
import shlex
from typing import Any

from msgspec.structs import replace

from preflight.emulator import World
from preflight.emulator.world import Billing, Binding, Role
from tests.end_to_end.conftest import ADMIN, JSON, RUN, Preflight, Result, Serve
from tests.end_to_end.made_up import DESTINATION, EDITOR, HEAP, OWN, USER, bind, cloud, dataset

KINDS = {"projects": "projects", "resource-manager folders": "folders", "organizations": "organizations"}


def carried_out(command: str, world: World) -> World:
    """The world after one command. Raises AssertionError for a command that is none of those expected."""
    (project,) = world.projects
    match shlex.split(command):
        case [
            "gcloud",
            *kind,
            ("add-iam-policy-binding" | "remove-iam-policy-binding") as verb,
            name,
            member,
            role,
            how,
        ]:
            member, role = member.removeprefix("--member="), role.removeprefix("--role=")
            change = granted if verb.startswith("add") else taken
            kind_of = KINDS[" ".join(kind)]
            nodes: tuple[Any, ...] = getattr(world, kind_of)
            assert any(node.id == name for node in nodes), name
            changed = tuple(
                replace(node, bindings=change(node.bindings, member, role, how)) if node.id == name else node
                for node in nodes
            )
            return replace(world, **{kind_of: changed})
        case ["gcloud", "services", "enable", *apis, "--project=acme-analytics" | "--project=3000"]:
            return replace(world, projects=(replace(project, services=(*project.services, *apis)),))
        case ["gcloud", "billing", "accounts", "list", "--filter=open=true"]:
            return world
        case ["gcloud", "billing", "projects", "link", "acme-analytics", "--billing-account=ACCOUNT_ID"]:
            linked = Billing(account="billingAccounts/01A2B3-C4D5E6-F70819", enabled=True)
            return replace(world, projects=(replace(project, billing=linked),))
        case ["gcloud", "projects", "undelete", "acme-analytics"]:
            return replace(world, projects=(replace(project, state="ACTIVE", delete_time=""),))
        case ["bq", "--project_id=acme-analytics", _, "query", "--use_legacy_sql=false", statement]:
            datasets = tuple(stated(statement, found) for found in project.datasets)
            return replace(world, projects=(replace(project, datasets=datasets),))
        case ["bq", "update", "--dataset", "--default_table_expiration=0", name]:
            datasets = tuple(
                replace(found, more={}) if name == f"acme-analytics:{found.id}" else found for found in project.datasets
            )
            return replace(world, projects=(replace(project, datasets=datasets),))
        case words:
            raise AssertionError(words)


def granted(bindings: tuple[Binding, ...], member: str, role: str, how: str) -> tuple[Binding, ...]:
    assert how == "--condition=None"
    return (*bindings, bind(role, member))


def taken(bindings: tuple[Binding, ...], member: str, role: str, how: str) -> tuple[Binding, ...]:
    def hit(binding: Binding) -> bool:
        return binding.role == role and member in binding.members and (how == "--all" or binding.condition is None)

    assert any(map(hit, bindings)), f"gcloud would say that there is no such binding: {role} {member}"
    return tuple(
        replace(binding, members=tuple(one for one in binding.members if one != member)) if hit(binding) else binding
        for binding in bindings
    )


def stated(statement: str, found: Any) -> Any:
    said = re.fullmatch(r'(GRANT|REVOKE) `(.+)` ON SCHEMA `acme-analytics`\.`(\w+)` (?:TO|FROM) "(.+)"', statement)
    assert said, statement
    verb, role, name, member = said.groups()
    if name != found.id:
        return found
    if verb == "GRANT":
        return replace(found, access=(*found.access, {"role": role, "iamMember": member}))
    special = member.removeprefix("specialGroup:")
    left = tuple(entry for entry in found.access if special not in {entry.get("specialGroup"), entry.get("iamMember")})
    assert len(left) < len(found.access), statement
    return replace(found, access=left)


def commands(result: Result, *rules: str) -> list[str]:
    """What the report says to run for these rules, or all, each once; alternatives, which begin with "Or", left out."""
    findings = [
        f for f in result.report["findings"] if f["verdict"] in {"fail", "warn"} and (not rules or f["rule"] in rules)
    ]
    remedies = [remedy for finding in findings for remedy in finding["remedies"]]
    said = [one for remedy in remedies if not remedy["summary"].startswith("Or ") for one in remedy["commands"]]
    return list(dict.fromkeys(said))


def run_on(world: World, serve: Serve, preflight: Preflight, *options: str) -> Result:
    return preflight(*RUN, *DESTINATION, *options, *JSON, environ=serve(world).environ())


def test_a_project_that_is_far_from_ready_is_ready_after_all_was_run(serve: Serve, preflight: Preflight):
    world = cloud(
        bind(USER, "serviceAccount:heap-sql@heap-204112.iam.gserviceaccount.com", "user:ana@acme.example"),
        datasets=(
            dataset(
                OWN, {"role": "READER", "specialGroup": "allAuthenticatedUsers"}, defaultTableExpirationMs="3600000"
            ),
        ),
        state="DELETE_REQUESTED",
    )
    (project,) = world.projects
    services = tuple(api for api in project.services if api != "bigquery.googleapis.com")
    world = replace(world, projects=(replace(project, services=services, billing=Billing()),))
    runs = []
    while (result := run_on(world, serve, preflight)).code:
        runs.append(set(result.verdicts.values()))
        told = commands(result)
        assert told, result.verdicts
        assert len(runs) < 5, "it never ends"
        for command in told:
            world = carried_out(command, world)
    # What hangs on a rule that fails is judged once that is mended: the project, its API, the rest.
    assert len(runs) == 3
    skipped = {rule for rule, verdict in result.verdicts.items() if verdict != "pass"}
    # Only Terraform tells which resources manage a grant, and nothing was synced yet.
    assert skipped == {"iam-resources-conflict", "synced-datasets", "synced-views"}
    (project,) = world.projects
    assert bind(USER, "user:ana@acme.example") in project.bindings, "others keep what they have"


def test_more_than_is_needed_is_taken_away_and_the_vendor_can_still_do_its_work(serve: Serve, preflight: Preflight):
    ana = "user:ana@acme.example"
    world = cloud(
        bind("roles/owner", HEAP, ana), folder=(bind(EDITOR, HEAP, ana),), datasets=(dataset(OWN), dataset("sales"))
    )
    first = run_on(world, serve, preflight)
    assert first.verdicts["vendor-least-privilege"] == "warn"
    for command in commands(first, "vendor-least-privilege"):
        world = carried_out(command, world)
    after = run_on(world, serve, preflight, "--cross-check")
    assert after.code == 0
    for rule in ("vendor-role", "vendor-least-privilege", "jobs-create", "dataset-writable", "second-opinion"):
        assert after.verdicts[rule] == "pass", after.finding(rule)
    held = [one for node in (*world.projects, *world.folders) for one in node.bindings if HEAP in one.members]
    assert held == [bind(USER, HEAP)]
    assert bind("roles/owner", ana) in world.projects[0].bindings
    assert bind(EDITOR, ana) in world.folders[0].bindings


def test_an_auditor_that_sees_little_sees_all_after_it_was_given_sight(serve: Serve, preflight: Preflight):
    world = replace(
        cloud(bind(USER, HEAP), bind("roles/browser", f"user:{ADMIN}"), datasets=(dataset(OWN),)),
        roles=(Role(name="roles/made.upAuditor"),),
    )
    runs = []
    while (result := run_on(world, serve, preflight, "--unread-deny", "unknown")).verdicts["auditor-access"] != "pass":
        told = commands(result, "auditor-access")
        runs.append(told)
        assert told, result.finding("auditor-access")
        assert len(runs) < 6, "it never ends"
        for command in told:
            world = carried_out(command, world)
    # It sees level by level: what lies above can be asked about only when it is known what that is.
    assert len(runs) > 1
    assert "unknown" not in result.verdicts.values()
    assert all(f"--member=user:{ADMIN}" in command for told in runs for command in told)
    assert bind(USER, HEAP) in world.projects[0].bindings

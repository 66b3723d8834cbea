"""The kit for authors of rules: judge one rule on facts that you state, in one line; worlds for whole runs.

The pytest plugin `preflight.testing_plugin` adds the fixtures `preflight_world` and `preflight_run` to it.
"""

import json
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.deny_rules import v2_name
from preflight.engine import DERIVATIONS, Evaluation, check_rule, load_rules
from preflight.facts.dataset import AccessEntry, Dataset, DatasetSettings
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.groups import Group, Groups
from preflight.facts.organization import KNOWN_CONSTRAINTS, OrgPolicies, OrgPolicy, PolicyRule
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition, Role, Roles
from preflight.facts.project import Fact
from preflight.facts.seen import COMPLETE, Completeness, Denied, Provenance, Reason, Unknown
from preflight.facts.snapshot import FIELD_OF, Snapshot, Target
from preflight.facts.tables import TableList, Tables
from preflight.profile import Profile, load_profile
from preflight.report import Verdict
from preflight.rulebook import Rule, select

if TYPE_CHECKING:
    from preflight.emulator import World

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When all that a test states was seen, and so the moment for which conditions are evaluated: a Friday."""

HERE = Provenance("test", "projects/acme-analytics", MOMENT)
"""A provenance for facts that a test states."""

FOLDER, ORGANIZATION = "folders/77", "organizations/9"
"""What `policies` calls the project's ancestors."""


def target(**changes: Any) -> Target:
    """A target to connect: `acme-analytics` and the Heap profile's principal, with these changes."""
    return replace(Target("acme-analytics", load_profile("heap").principal), **changes)


def snapshot(**facts: Fact | Unknown) -> Snapshot:
    """A snapshot of these facts by their names in it (`billing=`, `allow_policies=`), taken at MOMENT; all others
    weren't collected."""
    return Snapshot(source="test", started_at=MOMENT, finished_at=MOMENT, **facts)  # type: ignore[arg-type]  # msgspec checks nothing here, and need not


def judge(rule: str | Rule, **given: Any) -> Verdict:
    """The verdict of one rule, by its id or as declared, on the facts given; prerequisites don't count.

    Facts are named as the rule's parameters or as in the snapshot; a derived fact may be given as such, or is
    derived from those that are. `profile` is the Heap profile and `target` is `target()` unless given.
    Raises TypeError for a name that is neither.
    """
    declared = select(load_rules(), (rule,))[0] if isinstance(rule, str) else check_rule(rule)
    chosen_target = given.pop("target", None) or target()
    profile = given.pop("profile", None) or load_profile("heap")
    if not isinstance(profile, Profile):
        raise TypeError("profile must be a Profile")
    kind_of = {field: kind for kind, field in FIELD_OF.items()} | {p.name: p.kind for p in declared.parameters}
    stated: dict[str, Any] = {}
    derived: dict[type[Any], Any] = {}
    for name, fact in given.items():
        if name not in kind_of:
            raise TypeError(f"{declared.id} has no parameter '{name}'; known: {', '.join(sorted(kind_of))}")
        kind = kind_of[name]
        if kind in DERIVATIONS:
            derived[kind] = fact
        else:
            stated[FIELD_OF[kind]] = fact
    evaluation = Evaluation.of(snapshot(**stated), chosen_target, profile, [declared])
    evaluation.values.update(derived)
    return evaluation.find(declared).verdict


def at(resource: str) -> Provenance:
    """`HERE`, about another resource."""
    return replace(HERE, resource=resource)


def bind(role: str, *members: str, only_if: str = "") -> Binding:
    """One role for these members, under a condition if `only_if` is one."""
    return Binding(role, members, Condition(only_if) if only_if else None)


def policies(
    *bindings: Binding,
    folder: tuple[Binding, ...] | Unknown | None = None,
    organization: tuple[Binding, ...] | Unknown | None = None,
) -> AllowPolicies:
    """The policies of `acme-analytics` with these bindings, and of what it lies in.

    `folder` and `organization` are bindings, `()` for a policy without any, `unreadable(FOLDER)` for one that the
    caller may not read; left out, the project isn't in one.
    """
    stated = {HERE.resource: bindings, FOLDER: folder, ORGANIZATION: organization}
    return AllowPolicies(
        policies={
            name: found
            if isinstance(found, Unknown)
            else AllowPolicy(provenance=at(name), resource=name, bindings=found)
            for name, found in stated.items()
            if found is not None
        }
    )


def deny(
    *permissions: str,
    to: tuple[str, ...] = ("principalSet://goog/public:all",),
    but: tuple[str, ...] = (),
    on: str = HERE.resource,
    only_if: str = "",
) -> DenyPolicies:
    """One deny policy, `guard`, on the project or `on` what is above it; without permissions: it is known that there
    is none.

    `to` and `but` are the denied principals and the exceptions, in the form of deny policies; a permission may be
    written in either form.
    """
    rule = DenyRule(
        denied_principals=to,
        denied_permissions=tuple(p if "/" in p else v2_name(p) for p in permissions),
        exception_principals=but,
        condition=Condition(only_if) if only_if else None,
    )
    guard: dict[str, DenyPolicy | Unknown] = {}
    if permissions:
        guard["guard"] = DenyPolicy(provenance=at(on), name="guard", rules=(rule,))
    return DenyPolicies(attached={on: AttachedDenyPolicies(provenance=at(on), resource=on, policies=guard)})


def groups(members: dict[str, tuple[str, ...]]) -> Groups:
    """Groups and all their direct members, by e-mail: `groups({"data@acme.example": (VENDOR,)})`."""
    return Groups(
        groups={
            email.casefold(): Group(provenance=at(f"group:{email}"), email=email, members=found)
            for email, found in members.items()
        }
    )


def org_policy(
    constraint: str,
    *,
    allowed: tuple[str, ...] = (),
    denied: tuple[str, ...] = (),
    enforce: bool | None = None,
    only_if: str = "",
    **parameters: tuple[str, ...],
) -> OrgPolicy:
    """What one constraint comes to on the project, by one rule; a managed one has `enforce` and its parameters."""
    condition = Condition(only_if) if only_if else None
    rule = PolicyRule(allowed=allowed, denied=denied, enforce=enforce, parameters=parameters, condition=condition)
    return OrgPolicy(provenance=HERE, constraint=constraint, rules=(rule,))


def org_policies(*policies: OrgPolicy) -> OrgPolicies:
    """These organization policies; of the other constraints that the tool knows nothing is set."""
    unset = {name: OrgPolicy(provenance=HERE, constraint=name, rules=()) for name in KNOWN_CONSTRAINTS}
    return OrgPolicies(policies={**unset, **{policy.constraint: policy for policy in policies}})


def dataset(name: str, *access: AccessEntry, location: str = "EU", **settings: Any) -> Dataset:
    """A dataset with these entries in its access list; `kms_key=` and the like are its settings."""
    return Dataset(provenance=HERE, id=name, location=location, access=access, settings=DatasetSettings(**settings))


def tables(listed: dict[str, dict[str, str] | Unknown], *absent: str, gap: Reason | None = None) -> Tables:
    """What is in datasets: `tables({"heap": {"users": "VIEW", "users_raw": "TABLE"}}, "heap_migrated")`, where the
    second one doesn't exist. `gap` is why there may be more in each."""
    complete = Completeness(gap, HERE) if gap else COMPLETE
    return Tables(
        datasets={
            name: found
            if isinstance(found, Unknown)
            else TableList(
                provenance=at(f"{HERE.resource}/datasets/{name}/tables"),
                dataset=name,
                tables=found,
                completeness=complete,
            )
            for name, found in listed.items()
        },
        absent=absent,
    )


def unreadable(resource: str) -> Unknown:
    """The policy of a project, folder or organization that the caller may not read."""
    return Unknown(Denied(f"resourcemanager.{resource.partition('/')[0]}.getIamPolicy", resource), at(resource))


def roles(*custom: Role, **unread: Unknown) -> Roles:
    """Google's predefined roles with the permissions that they have, and these custom ones.

    `owner=Unknown(…)` is a predefined role that could not be read; in its name two underscores are a dot:
    `bigquery__user`.
    """
    missing = {f"roles/{name.replace('__', '.')}": why for name, why in unread.items()}
    return Roles(roles={**_predefined(), **{role.name: role for role in custom}, **missing})


def custom_role(name: str, *permissions: str, deleted: bool = False, disabled: bool = False) -> Role:
    """A role of these permissions; a full name: `projects/acme-analytics/roles/runner`."""
    held = frozenset(permissions)
    return Role(provenance=at(name), name=name, permissions=held, deleted=deleted, disabled=disabled)


@cache
def _predefined() -> dict[str, Role]:
    from preflight.facts.catalogue import role_catalogue

    catalogue = role_catalogue()
    return {
        name: custom_role(name, *(p for at, p in enumerate(catalogue.permissions) if int(bits, 16) >> at & 1))
        for name, bits in catalogue.roles.items()
    }


def world(source: "str | Path | World") -> "World":
    """A world for the stand-in: a demo world's name, TOML text, or the path of a file or folder.

    A str with a line break is taken for text, another for a name. Raises preflight.emulator.WorldError that names
    the file and the key.
    """
    from preflight.emulator import World, WorldError

    if isinstance(source, World):
        return source
    if isinstance(source, Path):
        return World.load(source)
    if "\n" not in source:
        return World.demo(source)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.toml"
        path.write_text(source, encoding="utf-8")
        try:
            return World.load(path)
        except WorldError as error:
            raise WorldError(str(error).replace(str(path), "world")) from None


def first_caller(found: "World") -> str:
    """Who calls unless a test says otherwise: the first of the world's callers whose token is good, or whoever a
    policy names first. Raises ValueError if there is nobody."""
    from preflight.emulator.directory import Directory

    for caller in (*found.callers, *Directory(found).callers.values()):
        if not caller.expired:
            return caller.email
    raise ValueError("nobody can call in this world: add [[callers]]")


class Run(Struct, frozen=True):
    """How a run of the command line ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report. Raises AssertionError with what was said instead, if there is none."""
        try:
            found: dict[str, Any] = json.loads(self.stdout)
        except json.JSONDecodeError:
            raise AssertionError(f"no report; exit code {self.exit_code}: {self.stderr or self.stdout}") from None
        return found

    def finding(self, rule: str) -> dict[str, Any]:
        """One rule's finding. Raises AssertionError with the rules that were run, if it isn't among them."""
        findings = {finding["rule"]: finding for finding in self.report["findings"]}
        if rule not in findings:
            raise AssertionError(f"'{rule}' was not run; these were: {', '.join(findings)}")
        found: dict[str, Any] = findings[rule]
        return found

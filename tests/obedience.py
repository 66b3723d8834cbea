"""Does what remedies say, on facts instead of a cloud: each command and each Terraform line that they may hold."""

import json
import re
import shlex
from typing import Any

from msgspec.structs import replace

from preflight import (
    AccessEntry,
    AllowPolicies,
    AllowPolicy,
    AttachedDenyPolicies,
    Dataset,
    Datasets,
    DenyPolicies,
    DenyPolicy,
    OrgPolicies,
    OrgPolicy,
    Remedy,
    Role,
    Roles,
)
from preflight.testing import at, bind

Facts = dict[str, Any]


def obeyed(remedies: tuple[Remedy, ...], facts: Facts) -> Facts:
    """The facts after all that these remedies say was done; what is only words is left alone."""
    for remedy in remedies:
        for command in remedy.commands:
            facts = obeyed_command(command, facts)
        if remedy.terraform and "exception_principals" in remedy.terraform:
            facts = _excepted(remedy, facts)
        if remedy.terraform and "google_org_policy_policy" in remedy.terraform:
            facts = _allowed(remedy.terraform, facts)
    return facts


def obeyed_command(command: str, facts: Facts) -> Facts:
    """The facts after one command was run. Raises AssertionError for a command that is none of those expected."""
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
            place = {"projects": "projects", "resource-manager folders": "folders", "organizations": "organizations"}
            member, role = member.removeprefix("--member="), role.removeprefix("--role=")
            resource = f"{place[' '.join(kind)]}/{name}"
            change = _added if verb.startswith("add") else _removed
            return {**facts, "allow_policies": change(facts["allow_policies"], resource, member, role, how)}
        case ["gcloud", "iam", "roles", "create", role_id, project, title, permissions, "--stage=GA"]:
            assert title.startswith("--title=")
            name = f"projects/{project.removeprefix('--project=')}/roles/{role_id}"
            held = frozenset(permissions.removeprefix("--permissions=").split(","))
            made = Role(provenance=at(name), name=name, permissions=held)
            return {**facts, "roles": Roles(roles={**facts["roles"].roles, name: made})}
        case ["gcloud", "org-policies", "describe", _, "--project=acme-analytics", "--effective"]:
            return facts
        case ["bq", "--project_id=acme-analytics", "--location=EU", "query", "--use_legacy_sql=false", statement]:
            return {**facts, "datasets": _stated(statement, facts["datasets"])}
        case ["bq", "update", "--dataset", *options, name]:
            return {**facts, "datasets": _updated(name, options, facts["datasets"])}
        case words:
            raise AssertionError(words)


def _added(policies: AllowPolicies, resource: str, member: str, role: str, how: str) -> AllowPolicies:
    assert how == "--condition=None"
    old = policies.policies[resource]
    assert isinstance(old, AllowPolicy)
    new = replace(old, bindings=(*old.bindings, bind(role, member)))
    return replace(policies, policies={**policies.policies, resource: new})


def _removed(policies: AllowPolicies, resource: str, member: str, role: str, how: str) -> AllowPolicies:
    old = policies.policies[resource]
    assert isinstance(old, AllowPolicy)
    assert how in {"--all", "--condition=None"}
    left = []
    found = False
    for binding in old.bindings:
        hit = binding.role == role and member in binding.members and (how == "--all" or binding.condition is None)
        found |= hit
        members = tuple(m for m in binding.members if m != member) if hit else binding.members
        left.append(replace(binding, members=members))
    assert found, f"gcloud would say that there is no such binding: {role} {member} on {resource}"
    return replace(policies, policies={**policies.policies, resource: replace(old, bindings=tuple(left))})


def _stated(statement: str, datasets: Datasets) -> Datasets:
    said = re.fullmatch(r'(GRANT|REVOKE) `(.+)` ON SCHEMA `acme-analytics`\.`(\w+)` (?:TO|FROM) "(.+)"', statement)
    assert said, statement
    found = datasets.datasets[said[3]]
    assert isinstance(found, Dataset)
    assert isinstance(found.access, tuple)
    member = said[4].removeprefix("specialGroup:")
    if said[1] == "GRANT":
        entries = (*found.access, AccessEntry(role=said[2], iam_member=member))
    else:
        entries = tuple(e for e in found.access if (e.role_name, e.member) != (said[2], member))
        assert len(entries) < len(found.access), statement
    return replace(datasets, datasets={**datasets.datasets, said[3]: replace(found, access=entries)})


def _updated(name: str, options: list[str], datasets: Datasets) -> Datasets:
    project, _, dataset_id = name.partition(":")
    found = datasets.datasets[dataset_id]
    assert project == "acme-analytics"
    assert isinstance(found, Dataset)
    settings: Any = found.settings
    for option in options:
        key, _, value = option.partition("=")
        if key == "--default_kms_key":
            settings = replace(settings, kms_key=value)
        else:
            field = {
                "--default_table_expiration": "table_expiration_ms",
                "--default_partition_expiration": "partition_expiration_ms",
            }[key]
            assert value == "0", "0 takes it away"
            settings = replace(settings, **{field: None})
    return replace(datasets, datasets={**datasets.datasets, dataset_id: replace(found, settings=settings)})


def _excepted(remedy: Remedy, facts: Facts) -> Facts:
    said = re.search(r"deny policy (\S+) on (\S+) denies", remedy.summary)
    assert said
    assert remedy.terraform
    listed = json.loads(remedy.terraform.partition(" = ")[2])
    denials: DenyPolicies = facts["deny_policies"]
    attached = denials.attached[said[2]]
    assert isinstance(attached, AttachedDenyPolicies)
    policy = attached.policies[said[1]]
    assert isinstance(policy, DenyPolicy)
    rules = tuple(replace(rule, exception_principals=tuple(listed)) for rule in policy.rules)
    mended = replace(attached, policies={**attached.policies, said[1]: replace(policy, rules=rules)})
    return {**facts, "deny_policies": replace(denials, attached={**denials.attached, said[2]: mended})}


def _allowed(terraform: str, facts: Facts) -> Facts:
    (constraint,) = re.findall(r"/policies/([\w.]+)\"", terraform)
    policies: OrgPolicies = facts["org_policies"]
    policy = policies.policies[constraint]
    assert isinstance(policy, OrgPolicy)
    if "inherit_from_parent = true" in terraform:
        (more,) = re.findall(r"allowed_values = (\[.*\])", terraform)
        rules = tuple(replace(rule, allowed=(*rule.allowed, *json.loads(more))) for rule in policy.rules)
    else:
        lists = {name: tuple(json.loads(values)) for name, values in re.findall(r"(\w+) += (\[.*\])", terraform)}
        rules = tuple(replace(rule, parameters=lists) for rule in policy.rules)
    return {
        **facts,
        "org_policies": OrgPolicies(policies={**policies.policies, constraint: replace(policy, rules=rules)}),
    }

"""Does what remedies say, on facts instead of a cloud: each command that they may hold, and the Terraform.

It reads what is printed, word by word, so that what is tested is what a user would run. A command that it doesn't
know is an error.
"""

import json
import re
import shlex
from typing import Any, Literal

from msgspec.structs import replace

from preflight import (
    AccessEntry,
    AllowPolicies,
    AllowPolicy,
    AttachedDenyPolicies,
    Billing,
    Dataset,
    Datasets,
    DatasetSettings,
    DenyPolicies,
    DenyPolicy,
    DenyRule,
    OrgPolicies,
    OrgPolicy,
    PolicyRule,
    Remedy,
    Role,
    Roles,
    Service,
    Services,
    ServiceState,
)
from preflight.testing import HERE, at, bind

Facts = dict[str, Any]
Way = Literal["commands", "terraform"]


def obeyed(remedies: tuple[Remedy, ...], facts: Facts, way: Way = "commands") -> Facts:
    """The facts after all that these remedies say was done; what is only words is left alone.

    By commands, a remedy without any that changes something is done as its Terraform says; by Terraform, one without
    any is done by its commands. What is to be taken away no resource of ours can say: those commands are run as well.
    """
    for remedy in remedies:
        by_commands = facts
        for command in remedy.commands:
            by_commands = obeyed_command(command, by_commands)
        if remedy.terraform and (way == "terraform" or by_commands == facts):
            facts = obeyed_terraform(remedy, facts)
            for command in remedy.commands:
                if "remove-iam-policy-binding" in command or "REVOKE" in command:
                    facts = obeyed_command(command, facts)
        else:
            facts = by_commands
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
            return _with_role(name, permissions.removeprefix("--permissions=").split(","), facts)
        case ["gcloud", "org-policies", "describe", _, "--project=acme-analytics", "--effective"]:
            return facts
        case ["gcloud", "billing", "accounts", "list", "--filter=open=true"]:
            return facts
        case ["gcloud", "billing", "projects", "link", "acme-analytics", "--billing-account=ACCOUNT_ID"]:
            return {**facts, "billing": Billing(provenance=HERE, enabled=True, account="billingAccounts/1")}
        case ["gcloud", "services", "enable", *apis, "--project=acme-analytics"]:
            return _with_services(apis, facts)
        case ["gcloud", "projects", "undelete", "acme-analytics"]:
            return {**facts, "project": replace(facts["project"], state="ACTIVE")}
        case ["bq", "--project_id=acme-analytics", place, "query", "--use_legacy_sql=false", statement]:
            return {**facts, "datasets": _stated(statement, place.removeprefix("--location="), facts["datasets"])}
        case ["bq", "--project_id=acme-analytics", place, "mk", "--dataset", key, name]:
            settings = DatasetSettings(kms_key=key.removeprefix("--default_kms_key="))
            where = place.removeprefix("--location=")
            return _with_dataset(name.removeprefix("acme-analytics:"), where, settings, facts)
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


def _with_role(name: str, permissions: list[str], facts: Facts) -> Facts:
    made = Role(provenance=at(name), name=name, permissions=frozenset(permissions))
    return {**facts, "roles": Roles(roles={**facts["roles"].roles, name: made})}


def _with_services(apis: list[str], facts: Facts) -> Facts:
    on = {api: Service(provenance=HERE, name=api, state=ServiceState.ENABLED) for api in apis}
    return {**facts, "services": Services(services={**facts["services"].services, **on})}


def _with_dataset(name: str, location: str, settings: DatasetSettings, facts: Facts) -> Facts:
    datasets: Datasets = facts["datasets"]
    assert name not in datasets.datasets, f"bq would say that {name} is there already"
    # What BigQuery gives a new dataset by itself, beside whoever made it.
    owners = AccessEntry(role="OWNER", special_group="projectOwners")
    made = Dataset(provenance=HERE, id=name, location=location, access=(owners,), settings=settings)
    return {**facts, "datasets": replace(datasets, datasets={**datasets.datasets, name: made})}


def _stated(statement: str, location: str, datasets: Datasets) -> Datasets:
    said = re.fullmatch(r'(GRANT|REVOKE) `(.+)` ON SCHEMA `acme-analytics`\.`(\w+)` (?:TO|FROM) "(.+)"', statement)
    assert said, statement
    found = datasets.datasets[said[3]]
    assert isinstance(found, Dataset)
    assert isinstance(found.access, tuple)
    assert found.location == location, "BigQuery would not find the dataset"
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


def obeyed_terraform(remedy: Remedy, facts: Facts) -> Facts:
    """The facts after the Terraform of a remedy was applied: whole resources, or attributes for one that is there.
    Raises AssertionError for a kind that is none of those expected."""
    text = remedy.terraform or ""
    resources = re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    labels = [(kind, label) for kind, label, _ in resources]
    assert len(labels) == len(set(labels)), f"Terraform refuses two resources of one name: {labels}"
    if not resources:
        return _attributes(remedy, facts)
    for kind, _, body in resources:
        facts = _resource(kind, body, facts)
    return facts


def _resource(kind: str, body: str, facts: Facts) -> Facts:
    said = dict(re.findall(r"^  (\w+) += (.+)$", body, re.MULTILINE))
    text = {name: json.loads(value) for name, value in said.items() if value.startswith(('"', "["))}
    assert text.get("project", "acme-analytics") == "acme-analytics"
    match kind:
        case "google_project_iam_member":
            role = text.get("role") or f"projects/acme-analytics/roles/{said['role'].split('.')[1]}"
            assert said["role"].startswith(('"', "google_project_iam_custom_role."))
            on = "projects/acme-analytics"
            new = _added(facts["allow_policies"], on, text["member"], role, "--condition=None")
            return {**facts, "allow_policies": new}
        case "google_project_iam_custom_role":
            return _with_role(f"projects/acme-analytics/roles/{text['role_id']}", text["permissions"], facts)
        case "google_bigquery_dataset_iam_member":
            datasets: Datasets = facts["datasets"]
            found: Any = datasets.datasets[text["dataset_id"]]
            statement = f'GRANT `{text["role"]}` ON SCHEMA `acme-analytics`.`{found.id}` TO "{text["member"]}"'
            return {**facts, "datasets": _stated(statement, found.location, datasets)}
        case "google_bigquery_dataset":
            (key,) = re.findall(r'kms_key_name = "(.+)"', body)
            return _with_dataset(text["dataset_id"], text["location"], DatasetSettings(kms_key=key), facts)
        case "google_project_service":
            return _with_services([text["service"]], facts)
        case "google_org_policy_policy":
            return _with_org_policy(text["name"], body, facts)
    raise AssertionError(kind)


def _with_org_policy(name: str, body: str, facts: Facts) -> Facts:
    """A policy of the project's own; one that inherits adds its values to those that hold (Org Policy v2)."""
    constraint = name.removeprefix("projects/acme-analytics/policies/")
    listed = re.findall(r"^ {8}(\w+) += (\[.*\])$", body, re.MULTILINE)
    lists = {key: tuple(json.loads(values)) for key, values in listed}
    policies: OrgPolicies = facts["org_policies"]
    old = policies.policies[constraint]
    assert isinstance(old, OrgPolicy)
    if 'enforce = "TRUE"' in body:
        rules: tuple[PolicyRule, ...] = (PolicyRule(enforce=True, parameters=lists),)
    else:
        assert set(lists) <= {"allowed_values", "denied_values"}
        everything = 'allow_all = "TRUE"' in body
        assert everything != bool(lists)
        own = PolicyRule(
            allow_all=everything, allowed=lists.get("allowed_values", ()), denied=lists.get("denied_values", ())
        )
        rules = (*old.rules, own) if "inherit_from_parent = true" in body else (own,)
    return {**facts, "org_policies": OrgPolicies(policies={**policies.policies, constraint: replace(old, rules=rules)})}


def _attributes(remedy: Remedy, facts: Facts) -> Facts:
    """Lines that go into a resource that is there: which one, the summary tells."""
    text = remedy.terraform or ""
    if text.startswith("exception_principals = "):
        return _excepted(remedy.summary, json.loads(text.partition(" = ")[2]), facts)
    if text.startswith("billing_account = "):
        return {**facts, "billing": Billing(provenance=HERE, enabled=True, account="billingAccounts/1")}
    (name,) = [name for name in facts["datasets"].datasets if re.search(rf"\b{name}\b", remedy.summary)]
    options = []
    for line in text.splitlines():
        key, _, value = (word.strip() for word in line.partition("="))
        match key:
            case "default_table_expiration_ms" | "default_partition_expiration_ms":
                assert value == "null"
                options.append(f"--{key.removesuffix('_ms')}=0")
            case "kms_key_name":
                options.append(f"--default_kms_key={json.loads(value)}")
            case _:
                assert line in {"default_encryption_configuration {", "}"}, line
    assert options
    return {**facts, "datasets": _updated(f"acme-analytics:{name}", options, facts["datasets"])}


def _excepted(summary: str, listed: list[str], facts: Facts) -> Facts:
    said = re.search(r"deny policy (\S+) on (\S+) denies (.+) to (.+): add (\S+) to that rule's", summary)
    assert said
    name, resource, what, whom, member = said.groups()
    denials: DenyPolicies = facts["deny_policies"]
    attached = denials.attached[resource]
    assert isinstance(attached, AttachedDenyPolicies)
    policy = attached.policies[name]
    assert isinstance(policy, DenyPolicy)

    def meant(rule: DenyRule) -> bool:
        return (", ".join(rule.denied_permissions), ", ".join(rule.denied_principals)) == (what, whom)

    assert any(map(meant, policy.rules))
    rules = tuple(
        replace(rule, exception_principals=(*rule.exception_principals, member)) if meant(rule) else rule
        for rule in policy.rules
    )
    assert any(list(rule.exception_principals) == listed for rule in rules)
    mended = replace(attached, policies={**attached.policies, name: replace(policy, rules=rules)})
    return {**facts, "deny_policies": replace(denials, attached={**denials.attached, resource: mended})}

"""What the Google provider documents about attributes: which equal an argument, or are built from arguments.

A small table, from the "Attributes Reference" and "Argument Reference" of each resource's page at
registry.terraform.io/providers/hashicorp/google. What isn't here is only known after apply.
"""

import json
from typing import Any, Protocol

from preflight.sources.terraform.hcl.values import RefusedError, UnsettledError, settled, to_text, unlazy, unsettled_in
from preflight.sources.terraform.resources import Unsettled


class Known(Protocol):
    """What the table asks of a resource's instance."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def data(self) -> bool:
        """Whether it is a data source."""

    @property
    def address(self) -> str:
        """Its address."""

    def argument(self, name: str) -> Any:
        """An argument's value; None where it isn't given."""

    def project(self) -> Any:
        """The provider's project."""

    def blocks(self, name: str) -> list[Any]:
        """The values of its nested blocks of a type."""


_PROJECT = {"project": "{project}"}
_IAM = {"role": "{role}", "member": "{member}"}

RESOURCES: dict[str, dict[str, str]] = {
    "google_project": {
        "project_id": "{project_id}",
        "id": "projects/{project_id}",
        "name": "{name}",
        "billing_account": "{billing_account}",
        "org_id": "{org_id}",
    },
    "google_service_account": {
        **_PROJECT,
        "account_id": "{account_id}",
        "email": "{email}",
        "member": "serviceAccount:{email}",
        "name": "projects/{project}/serviceAccounts/{email}",
        "id": "projects/{project}/serviceAccounts/{email}",
    },
    "google_bigquery_dataset": {
        **_PROJECT,
        "dataset_id": "{dataset_id}",
        "id": "projects/{project}/datasets/{dataset_id}",
        "location": "{location}",
        "friendly_name": "{friendly_name}",
    },
    "google_bigquery_table": {**_PROJECT, "dataset_id": "{dataset_id}", "table_id": "{table_id}"},
    "google_project_service": {**_PROJECT, "service": "{service}", "id": "{project}/{service}"},
    "google_project_iam_member": {**_PROJECT, **_IAM},
    "google_project_iam_binding": {**_PROJECT, "role": "{role}"},
    "google_project_iam_policy": _PROJECT,
    "google_bigquery_dataset_iam_member": {**_PROJECT, **_IAM, "dataset_id": "{dataset_id}"},
    "google_bigquery_dataset_iam_binding": {**_PROJECT, "role": "{role}", "dataset_id": "{dataset_id}"},
    "google_bigquery_dataset_access": {**_PROJECT, "dataset_id": "{dataset_id}"},
    "google_project_iam_custom_role": {
        **_PROJECT,
        "role_id": "{role_id}",
        "name": "projects/{project}/roles/{role_id}",
        "id": "projects/{project}/roles/{role_id}",
        "title": "{title}",
    },
    "google_organization_iam_custom_role": {
        "org_id": "{org_id}",
        "role_id": "{role_id}",
        "name": "organizations/{org_id}/roles/{role_id}",
        "id": "organizations/{org_id}/roles/{role_id}",
    },
    "google_folder": {"display_name": "{display_name}", "parent": "{parent}"},
    "terraform_data": {"input": "{input}", "triggers_replace": "{triggers_replace}"},
    "null_resource": {"triggers": "{triggers}"},
}
DATA: dict[str, dict[str, str]] = {
    "google_project": {"project_id": "{project_id}", "id": "projects/{project_id}"},
    "google_client_config": {"project": "{project}"},
    "google_service_account": {
        "account_id": "{account_id}",
        "email": "{email}",
        "member": "serviceAccount:{email}",
    },
    "google_bigquery_dataset": {**_PROJECT, "dataset_id": "{dataset_id}"},
    "google_iam_policy": {"policy_data": "{policy_data}"},
}


def attribute(of: Known, name: str) -> Any:
    """The value of an attribute that the table knows, perhaps unsettled; None for others.

    Raises UnsettledError or RefusedError where what it is built from is unsettled or no text.
    """
    rule = (DATA if of.data else RESOURCES).get(of.type, {}).get(name)
    if rule is None:
        return None
    if rule.startswith("{") and rule.find("}") == len(rule) - 1:
        return _part(of, rule[1:-1])
    parts: list[str] = []
    for piece in rule.split("{"):
        inner, found, after = piece.partition("}")
        if not found:
            parts.append(piece)
            continue
        part = _part(of, inner)
        if part is None:
            return None
        parts += [to_text(part), after]
    return "".join(parts)


def _part(of: Known, name: str) -> Any:
    """An argument, or one of the few things that are more; None where it isn't given."""
    given = of.argument(name)
    if given is not None:
        return given
    if name == "email":
        return _email(of)
    if name == "policy_data" and of.data:
        return policy_data(of)
    if name == "project" or (of.data and of.type == "google_project" and name == "project_id"):
        return of.project()
    if name == "location" and of.type == "google_bigquery_dataset":
        return "US"  # the provider's default
    return None


def _email(of: Known) -> Any:
    """`ACCOUNT@PROJECT.iam.gserviceaccount.com`; a data source may be given the address, or more, as account."""
    account = settled(of.argument("account_id"))
    if account is None:
        return None
    if of.data and ("@" in to_text(account) or "/" in to_text(account)):
        text = to_text(account).rpartition("/")[2]
        return text if "@" in text else None
    project = settled(_part(of, "project"))
    if project is None:
        return None
    if ":" in to_text(project):
        raise UnsettledError(Unsettled(f"{of.address}.email: the project belongs to a domain", "a plan"))
    return f"{to_text(account)}@{to_text(project)}.iam.gserviceaccount.com"


def policy_data(of: Known) -> str:
    """The JSON that `google_iam_policy` makes of its bindings: the same policy, if not letter for letter."""
    policy: dict[str, Any] = {}
    audited = [_audited(one) for one in of.blocks("audit_config")]
    bindings = [_binding(one) for one in of.blocks("binding")]
    if audited:
        policy["auditConfigs"] = audited
    policy["bindings"] = sorted(bindings, key=lambda one: str(one["role"]))
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


def _whole(value: Any) -> dict[str, Any]:
    if unknown := unsettled_in(value):
        raise UnsettledError(unknown)
    plain = unlazy(value)
    if not isinstance(plain, dict):
        raise RefusedError("it is no block")
    return plain


def _binding(value: Any) -> dict[str, Any]:
    block = _whole(value)
    binding: dict[str, Any] = {}
    condition = block.get("condition")
    if isinstance(condition, list) and condition and isinstance(condition[0], dict):
        binding["condition"] = {
            key: to_text(condition[0][key])
            for key in ("description", "expression", "title")
            if condition[0].get(key) is not None
        }
    binding["members"] = sorted({to_text(member) for member in block.get("members") or ()})
    return {**binding, "role": to_text(block.get("role"))}


def _audited(value: Any) -> dict[str, Any]:
    block = _whole(value)
    configs: list[dict[str, Any]] = []
    for one in block.get("audit_log_configs") or ():
        exempted = sorted({to_text(member) for member in one.get("exempted_members") or ()})
        config: dict[str, Any] = {"exemptedMembers": exempted} if exempted else {}
        configs.append({**config, "logType": to_text(one.get("log_type"))})
    return {"auditLogConfigs": configs, "service": to_text(block.get("service"))}

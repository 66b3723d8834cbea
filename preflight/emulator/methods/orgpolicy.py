"""Org Policy v2: what a constraint comes to on a project, by its own policy and those above it."""

import re
from typing import Any

from preflight.emulator import errors
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method
from preflight.emulator.world import Node

SERVICE = "orgpolicy.googleapis.com"
_NAME = re.compile(r"(projects/[^/]+)/policies/([a-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+)")


def _get_effective(ask: Ask) -> Json:
    name = ask.text("name")
    match = _NAME.fullmatch(name)
    if match is None:
        raise errors.invalid(f"The name {name!r} is not projects/*/policies/*.")
    node = ask.directory.node(match[1])
    if node is None or not ask.may(node):
        raise errors.permission_denied(
            f"Permission '{ask.method.permission}' denied on resource '//{SERVICE}/{name}' (or it may not exist)."
        )
    rules = effective_rules(ask.directory.chain(node), match[2])
    return {"name": f"{node.name}/policies/{match[2]}", "spec": {"rules": rules}}


def effective_rules(chain: list[Node], constraint: str) -> list[dict[str, Any]]:
    """The rules that hold on the nearest of `chain`: its own, with those above it where it inherits, else the next
    one's; Google's default where nothing is set (Org Policy v2, `PolicySpec.inheritFromParent` and `.reset`)."""
    for place, node in enumerate(chain):
        policy = node.org_policies.get(constraint)
        if policy is None:
            continue
        if policy.reset:
            break
        own = [dict(rule) for rule in policy.rules]
        if policy.inherit_from_parent and any(constraint in above.org_policies for above in chain[place + 1 :]):
            return _merged([*effective_rules(chain[place + 1 :], constraint), *own])
        return own
    return [{"enforce": False}] if _is_boolean(constraint) else [{"allowAll": True}]


def _is_boolean(constraint: str) -> bool:
    """Managed constraints are enforced or not; those served here that are older hold lists."""
    return ".managed." in constraint


def _merged(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Values of rules without a condition become those of one rule; what allows or denies all stays as it is."""
    values: dict[str, list[str]] = {}
    others = []
    for rule in rules:
        if rule.keys() != {"values"}:
            others.append(rule)
            continue
        for key, listed in rule["values"].items():
            kept = values.setdefault(key, [])
            kept += [value for value in listed if value not in kept]
    return ([{"values": values}] if values else []) + others


METHODS = (Method("orgpolicy.projects.policies.getEffectivePolicy", SERVICE, "orgpolicy.policy.get", _get_effective),)

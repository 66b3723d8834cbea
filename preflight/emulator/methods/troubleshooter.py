"""Policy Troubleshooter v3: the stand-in's own decision about one principal, with what its caller may see of why."""

from datetime import datetime
from typing import Any

from preflight.emulator import conditions, errors
from preflight.emulator.conditions import Circumstances
from preflight.emulator.errors import Json
from preflight.emulator.methods.call import Ask, Method, without_empty
from preflight.emulator.methods.denypolicies import deny_body, expr
from preflight.emulator.methods.resourcemanager import policy_body
from preflight.emulator.policy import deny_form, deny_matches
from preflight.emulator.world import Binding, Caller, Condition, DenyPolicy, DenyRule, Node, Organization, Project

SERVICE = "policytroubleshooter.googleapis.com"
_HOST = "//cloudresourcemanager.googleapis.com/"
_ALLOW, _DENY = "ALLOW_ACCESS_STATE_", "DENY_ACCESS_STATE_"
_YES, _NO, _CONDITIONAL, _INFO = "yes", "no", "UNKNOWN_CONDITIONAL", "UNKNOWN_INFO"
_MEMBERSHIP = {_YES: "MEMBERSHIP_MATCHED", _NO: "MEMBERSHIP_NOT_MATCHED", _INFO: "MEMBERSHIP_UNKNOWN_INFO"}
_INCLUDED = {
    _YES: "ROLE_PERMISSION_INCLUDED",
    _NO: "ROLE_PERMISSION_NOT_INCLUDED",
    _INFO: "ROLE_PERMISSION_UNKNOWN_INFO",
}
_MATCHED = {_YES: "PERMISSION_PATTERN_MATCHED", _NO: "PERMISSION_PATTERN_NOT_MATCHED"}
_HIGH, _NORMAL = "HEURISTIC_RELEVANCE_HIGH", "HEURISTIC_RELEVANCE_NORMAL"


def _troubleshoot(ask: Ask) -> Json:
    asked = ask.params.get("accessTuple")
    if not isinstance(asked, dict):
        raise errors.invalid("The access tuple is missing.")
    principal, resource, permission = (
        str(asked.get(key, "")) for key in ("principal", "fullResourceName", "permission")
    )
    if "@" not in principal or ":" in principal:
        raise errors.invalid(f"Invalid principal: {principal}.")
    if not resource.startswith(_HOST):
        raise errors.invalid(f"The stand-in knows projects, folders and organizations alone, not {resource}.")
    node = ask.directory.node(resource.removeprefix(_HOST))
    case = _Case(ask, ask.directory.principal(principal), permission, asked.get("conditionContext") or {}, node)
    allow, allow_body = case.allow()
    deny, deny_body_ = case.deny()
    return {
        "overallAccessState": _overall(allow, deny),
        "accessTuple": asked | {"permissionFqdn": deny_form(permission)},
        "allowPolicyExplanation": allow_body,
        "denyPolicyExplanation": deny_body_,
    }


def _overall(allow: str, deny: str) -> str:
    """Deny wins, and without a grant there is no access, whatever else is not known."""
    if deny == _YES or allow == _NO:
        return "CANNOT_ACCESS"
    if allow == _YES and deny == _NO:
        return "CAN_ACCESS"
    return _INFO if _INFO in {allow, deny} else _CONDITIONAL


def _any(states: list[str]) -> str:
    """Of several, one that is true decides; then what is not known; none is no."""
    return next((state for state in (_YES, _INFO, _CONDITIONAL) if state in states), _NO)


def _all(states: list[str]) -> str:
    """One that is false decides; then what is not known."""
    return next((state for state in (_NO, _INFO, _CONDITIONAL) if state in states), _YES)


class _Case:
    """One question."""

    def __init__(self, ask: Ask, who: Caller, permission: str, context: dict[str, Any], node: Node | None) -> None:
        self._ask = ask
        self._who = who
        self._permission = permission
        self._chain = ask.directory.chain(node) if node else []
        self._circumstances = self._told(context, node)

    def _told(self, context: dict[str, Any], node: Node | None) -> Circumstances:
        """What the conditions may look at: what the asker said, and the tags, which Google fetches itself."""
        resource, request = context.get("resource") or {}, context.get("request") or {}
        moment = str(request.get("receiveTime", ""))
        return Circumstances(
            time=datetime.fromisoformat(moment) if moment else None,
            name=str(resource.get("name", "")),
            type=str(resource.get("type", "")),
            service=str(resource.get("service", "")),
            tags=self._ask.access.tags(node) if node else {},
        )

    def allow(self) -> tuple[str, Json]:
        """The allow policies of the resource and those above it."""
        if not self._chain:
            return _INFO, {"allowAccessState": _ALLOW + _INFO, "relevance": _HIGH}
        explained = [self._allow_policy(place) for place in self._chain]
        state = _any([state for state, _ in explained])
        body = {"allowAccessState": _allow(state), "explainedPolicies": [one for _, one in explained]}
        return state, body | {"relevance": _HIGH}

    def _allow_policy(self, place: Node) -> tuple[str, Json]:
        where = _HOST + place.name
        kind = place.name.partition("/")[0]
        if not self._ask.access.holds(self._ask.caller, f"resourcemanager.{kind}.getIamPolicy", place):
            return _INFO, {"allowAccessState": _ALLOW + _INFO, "fullResourceName": where, "relevance": _HIGH}
        explained = [self._binding(binding, place) for binding in place.bindings]
        state = _any([state for state, _ in explained])
        body = {
            "allowAccessState": _allow(state),
            "fullResourceName": where,
            "bindingExplanations": [one for _, one in explained],
            "relevance": _relevance(state),
            "policy": policy_body(place, with_conditions=True),
        }
        return state, without_empty(body)

    def _binding(self, binding: Binding, place: Node) -> tuple[str, Json]:
        included = self._included(binding, place)
        members = {member: self._is_member(member) for member in binding.members}
        member = _any(list(members.values()))
        state = _all([included, member, self._condition(binding.condition, _CONDITIONAL)])
        body: Json = {
            "allowAccessState": _allow(state),
            "role": binding.role,
            "rolePermission": _INCLUDED[included],
            "rolePermissionRelevance": _relevance(included),
            "combinedMembership": _membership(member),
            "memberships": {name: _membership(one) for name, one in members.items()},
            "relevance": _relevance(state),
            "condition": expr(binding.condition),
        }
        return state, without_empty(body)

    def _included(self, binding: Binding, place: Node) -> str:
        """Whether the role holds the permission; a custom role is shown only to who may read it."""
        owner = self._ask.directory.node(binding.role.partition("/roles/")[0])
        if isinstance(owner, Project | Organization) and not self._ask.access.holds(
            self._ask.caller, "iam.roles.get", owner
        ):
            return _INFO
        role = self._ask.directory.usable_role(binding, place)
        return _YES if role is not None and self._permission in role.permissions else _NO

    def _is_member(self, member: str) -> str:
        """Whether the member stands for the principal; of a group only who sees it is told."""
        for prefix in ("group:", "principalSet://goog/group/"):
            group = self._ask.directory.groups.get(member.removeprefix(prefix).lower())
            if member.startswith(prefix) and not (group and self._ask.access.sees_group(self._ask.caller, group)):
                return _INFO
        return _YES if self._ask.access.is_member(member, self._who) else _NO

    def _condition(self, condition: Condition | None, unknown: str) -> str:
        if condition is None:
            return _YES
        try:
            return _YES if conditions.holds(condition.expression, self._circumstances) else _NO
        except conditions.UnevaluableError:
            return unknown

    def deny(self) -> tuple[str, Json]:
        """The deny policies of the resource and those above it."""
        if not self._chain:
            return _INFO, {"denyAccessState": _DENY + _INFO, "relevance": _HIGH, "permissionDeniable": True}
        explained = [self._deny_resource(place) for place in self._chain]
        state = _any([state for state, _ in explained])
        body = {"denyAccessState": _deny(state), "explainedResources": [one for _, one in explained if one]}
        return state, without_empty(body) | {"relevance": _relevance(state), "permissionDeniable": True}

    def _deny_resource(self, place: Node) -> tuple[str, Json]:
        """One that the asker may not look at is told of; one without deny policies is left out."""
        where = _HOST + place.name
        may = all(
            self._ask.access.holds(self._ask.caller, f"iam.denypolicies.{verb}", place) for verb in ("list", "get")
        )
        if not may:
            return _INFO, {"denyAccessState": _DENY + _INFO, "fullResourceName": where, "relevance": _HIGH}
        explained = [self._deny_policy(place, policy) for policy in place.deny]
        state = _any([state for state, _ in explained])
        body = {
            "denyAccessState": _deny(state),
            "fullResourceName": where,
            "explainedPolicies": [one for _, one in explained],
            "relevance": _relevance(state),
        }
        return state, body if explained else {}

    def _deny_policy(self, place: Node, policy: DenyPolicy) -> tuple[str, Json]:
        explained = [self._deny_rule(rule) for rule in policy.rules]
        state = _any([state for state, _ in explained])
        body = {
            "denyAccessState": _deny(state),
            "policy": deny_body(place, policy),
            "ruleExplanations": [one for _, one in explained],
            "relevance": _relevance(state),
        }
        return state, without_empty(body)

    def _deny_rule(self, rule: DenyRule) -> tuple[str, Json]:
        form = deny_form(self._permission)
        denied, excepted = (
            {pattern: _YES if deny_matches(pattern, form) else _NO for pattern in patterns}
            for patterns in (rule.denied_permissions, rule.exception_permissions)
        )
        principals, spared = (
            {member: self._is_member(member) for member in members}
            for members in (rule.denied_principals, rule.exception_principals)
        )
        combined = [_any(list(part.values())) for part in (denied, principals, excepted, spared)]
        # A condition that can't be evaluated lets the rule act (Google's documentation of deny policies).
        acts = self._condition(rule.condition, _YES)
        state = _all([combined[0], combined[1], _not(combined[2]), _not(combined[3]), acts])
        body = {
            "denyAccessState": _deny(state),
            "combinedDeniedPermission": _pattern(combined[0]),
            "combinedDeniedPrincipal": _membership(combined[1]),
            "combinedExceptionPermission": _pattern(combined[2]),
            "combinedExceptionPrincipal": _membership(combined[3]),
            "deniedPermissions": {name: _pattern(one) for name, one in denied.items()},
            "deniedPrincipals": {name: _membership(one) for name, one in principals.items()},
            "exceptionPermissions": {name: _pattern(one) for name, one in excepted.items()},
            "exceptionPrincipals": {name: _membership(one) for name, one in spared.items()},
            "relevance": _relevance(state),
            "condition": expr(rule.condition),
        }
        return state, without_empty(body)


def _not(state: str) -> str:
    return {_YES: _NO, _NO: _YES}.get(state, state)


def _allow(state: str) -> str:
    return _ALLOW + {_YES: "GRANTED", _NO: "NOT_GRANTED"}.get(state, state)


def _deny(state: str) -> str:
    return _DENY + {_YES: "DENIED", _NO: "NOT_DENIED"}.get(state, state)


def _relevance(state: str) -> str:
    return _NORMAL if state == _NO else _HIGH


def _membership(state: str) -> Json:
    return {"membership": _MEMBERSHIP[state], "relevance": _relevance(state)}


def _pattern(state: str) -> Json:
    return {"permissionMatchingState": _MATCHED[state], "relevance": _relevance(state)}


METHODS = (Method("policytroubleshooter.iam.troubleshoot", SERVICE, "", _troubleshoot),)

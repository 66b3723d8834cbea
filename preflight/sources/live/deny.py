"""Deny policies: those of the project and of each resource above it, as these become known.

`policies.list` names them without their rules, so each is then read by itself (IAM v2).
"""

import re
from typing import Any

from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.methods import DENY_GET, DENY_LIST
from preflight.facts.policy import Condition
from preflight.facts.seen import Completeness, Incomplete, Provenance, Unknown
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

PAGE = 1000
MOST_PAGES = 10
"""Google allows 500 deny policies on a resource."""
_NAME = re.compile(r"policies/[^/]+/denypolicies/([a-z0-9][a-z0-9.-]*)")


class DenyReader:
    """Reads the deny policies of one resource after the other."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._attached: dict[str, AttachedDenyPolicies | Unknown] = {}

    def read(self, resource: str) -> None:
        """Asks which deny policies are attached to a resource, and for each; once."""
        if resource not in self._attached:
            self._attached[resource] = Unknown(Incomplete("it is being read"))
            self._list(resource, "", {}, 1)

    def _list(self, resource: str, token: str, found: dict[str, DenyPolicy | Unknown], page: int) -> None:
        request = {"parent": _parent(resource), "page_size": PAGE, "page_token": token}

        def fetch(client: Any, seconds: float) -> Any:
            return next(iter(client.list_policies(request=request, retry=None, timeout=seconds).pages))

        def told(answer: tuple[Provenance, tuple[str, ...], str] | Unknown) -> None:
            if isinstance(answer, Unknown):
                self._keep(resource, answer, found)
                return
            seen, names, following = answer
            self._attached[resource] = AttachedDenyPolicies(provenance=seen, resource=resource, policies=found)
            for name in names:
                self._get(resource, name, found)
            if following and (following == token or page >= MOST_PAGES):
                endless = Incomplete(f"the list of deny policies did not end after {page} pages")
                self._keep(resource, Unknown(endless, seen), found)
            elif following:
                self._list(resource, following, found, page + 1)

        self._calls.start(Call(DENY_LIST, f"{resource}/denypolicies", resource, "deny", fetch, _names, told))

    def _keep(self, resource: str, failure: Unknown, found: dict[str, DenyPolicy | Unknown]) -> None:
        """A page that failed: of the first nothing is known, after it there is a gap."""
        if not found:
            self._attached[resource] = failure
            return
        seen = failure.provenance or Provenance(DENY_LIST.id, resource)
        gap = Completeness(failure.reason, failure.provenance)
        self._attached[resource] = AttachedDenyPolicies(
            provenance=seen, resource=resource, policies=found, completeness=gap
        )

    def _get(self, resource: str, name: str, found: dict[str, DenyPolicy | Unknown]) -> None:
        if name in found:
            return
        found[name] = Unknown(Incomplete("it is being read"))
        request = {"name": f"{_parent(resource)}/{name}"}

        def told(policy: DenyPolicy | Unknown) -> None:
            found[name] = policy

        self._calls.start(
            Call(
                DENY_GET,
                f"{resource}/denypolicies/{name}",
                resource,
                "deny",
                lambda client, seconds: client.get_policy(request=request, retry=None, timeout=seconds),
                deny_policy,
                told,
            )
        )

    def policies(self, ancestors: tuple[str, ...], gap: Completeness) -> DenyPolicies:
        """What was read or refused, nearest first."""
        near = [resource for resource in self._attached if resource.startswith("projects/")]
        order = [*near, *(resource for resource in ancestors if resource in self._attached)]
        return DenyPolicies(attached={name: self._attached[name] for name in order}, completeness=gap)

    def rules(self) -> tuple[DenyRule, ...]:
        """The rules that were read so far."""
        attached = [one for one in self._attached.values() if isinstance(one, AttachedDenyPolicies)]
        policies = [policy for one in attached for policy in one.policies.values()]
        return tuple(rule for policy in policies if isinstance(policy, DenyPolicy) for rule in policy.rules)


def _parent(resource: str) -> str:
    """The attachment point: the full resource name with its slashes written as `%2F`, over gRPC too."""
    return f"policies/cloudresourcemanager.googleapis.com%2F{resource.replace('/', '%2F')}/denypolicies"


def _names(answer: Any, seen: Provenance) -> tuple[Provenance, tuple[str, ...], str]:
    """IAM v2 `ListPoliciesResponse`. A resource without deny policies answers with an empty one."""
    names = []
    for policy in answer.policies:
        match = _NAME.fullmatch(policy.name)
        if not match:
            raise UnreadableError("it lists what is no deny policy")
        names.append(match[1])
    return seen, tuple(names), answer.next_page_token


def deny_policy(answer: Any, seen: Provenance) -> DenyPolicy:
    """IAM v2 `Policy`. A rule of another kind than deny makes it unreadable: what it does is not known."""
    if not answer.name:
        raise UnreadableError("it is no deny policy")
    rules = tuple(_rule(rule) for rule in answer.rules)
    return DenyPolicy(provenance=seen, name=seen.resource.rpartition("/")[2], rules=rules)


def _rule(rule: Any) -> DenyRule:
    whole = type(rule).pb(rule)
    if not whole.HasField("deny_rule"):
        raise UnreadableError("it has a rule of a kind that this version doesn't know")
    raw = whole.deny_rule
    condition = None
    if raw.HasField("denial_condition"):
        condition = Condition(raw.denial_condition.expression or HIDDEN, raw.denial_condition.title)
    return DenyRule(
        denied_principals=tuple(raw.denied_principals),
        denied_permissions=tuple(raw.denied_permissions),
        exception_principals=tuple(raw.exception_principals),
        exception_permissions=tuple(raw.exception_permissions),
        condition=condition,
    )

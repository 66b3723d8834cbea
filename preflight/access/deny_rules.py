"""Deny rules: which of them are about a permission and a principal, and whether they act."""

from collections.abc import Callable

from preflight.access.decision import Denial
from preflight.access.formula import Formula, OpenFact, both, either, negated
from preflight.access.members import Members
from preflight.facts.deny import DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.policy import Condition
from preflight.facts.seen import Unknown


class DenyRules:
    """All deny rules on the project and above."""

    def __init__(self, policies: DenyPolicies | Unknown, own: str) -> None:
        """`own` is the project as a resource, for what is said of deny policies that nobody asked for."""
        self.blind: list[OpenFact] = []
        """Deny policies that could not be read: they may hold rules that are not here."""
        self._rules: list[tuple[str, DenyPolicy, DenyRule]] = []
        if isinstance(policies, Unknown):
            self.blind.append(OpenFact("deny policy", own, policies))
            return
        for resource, attached in policies.attached.items():
            if isinstance(attached, Unknown):
                self.blind.append(OpenFact("deny policy", resource, attached))
                continue
            if attached.completeness.gap:
                where = attached.completeness.provenance or attached.provenance
                self.blind.append(OpenFact("deny policy", resource, Unknown(attached.completeness.gap, where)))
            for name, policy in attached.policies.items():
                if isinstance(policy, Unknown):
                    self.blind.append(OpenFact("deny policy", f"{resource}/{name}", policy))
                else:
                    self._rules += [(resource, policy, rule) for rule in policy.rules]
        if policies.completeness.gap:
            gap = Unknown(policies.completeness.gap, policies.completeness.provenance)
            self.blind.append(OpenFact("deny ancestors", "", gap))

    def about(
        self,
        principal: str,
        permission: str,
        members: Members,
        condition: Callable[[Condition], Formula],
    ) -> list[Denial]:
        """The rules about this permission and principal, each with whether it acts."""
        found = []
        for resource, policy, rule in self._rules:
            if not denies(rule, permission):
                continue
            formula = both(
                either(*(members.covers(member, principal) for member in rule.denied_principals)),
                negated(either(*(members.covers(member, principal) for member in rule.exception_principals))),
                condition(rule.condition) if rule.condition else True,
            )
            found.append(Denial(resource, policy.name, rule, policy.shows(rule), formula))
        return found


def denies(rule: DenyRule, permission: str) -> bool:
    """Whether the rule's permissions hold this one, and its exceptions don't."""
    named = v2_name(permission)
    return any(_fits(pattern, named) for pattern in rule.denied_permissions) and not any(
        _fits(pattern, named) for pattern in rule.exception_permissions
    )


def v2_name(permission: str) -> str:
    """`bigquery.jobs.create` as deny policies write it: `bigquery.googleapis.com/jobs.create`.

    The service's host stands before the slash; Resource Manager's has another name than its permissions
    (Google's "Permissions supported in deny policies").
    """
    service, _, rest = permission.partition(".")
    host = "cloudresourcemanager" if service == "resourcemanager" else service
    return f"{host}.googleapis.com/{rest}"


def _fits(pattern: str, named: str) -> bool:
    """Exact, or a permission group: `SERVICE/*.*`, `SERVICE/RESOURCE.*`, `SERVICE/*.VERB`."""
    if pattern == named:
        return True
    host, _, rest = pattern.partition("/")
    named_host, _, named_rest = named.partition("/")
    resource, _, verb = rest.rpartition(".")
    named_resource, _, named_verb = named_rest.rpartition(".")
    return host == named_host and resource in {"*", named_resource} and verb in {"*", named_verb}

"""Deny rules: which of them are about a permission and a principal, and whether they act."""

from msgspec import Struct

from preflight.access.decision import Denial
from preflight.access.formula import Formula, OpenFact, both, either, negated
from preflight.access.members import Members
from preflight.access.reach import Reach
from preflight.facts.deny import ANY_PERMISSION, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.seen import Unknown


class AttachedRule(Struct, frozen=True):
    """A deny rule with the policy that it is in."""

    resource: str
    """What the policy is attached to."""
    policy: DenyPolicy
    rule: DenyRule
    denied: Reach[None]
    excepted: Reach[None]

    @property
    def stands(self) -> Formula:
        """Whether there is such a rule."""
        if self.rule.doubt is None:
            return True
        return OpenFact("deny policy", f"{self.resource}/{self.policy.name}", self.rule.doubt)

    def names(self, principal: str) -> Formula:
        """Whether it is about the principal: one of those whom it denies, and not one of its exceptions."""
        denied = either(*(covers for _, covers, _ in self.denied.all(principal)))
        if denied is False:
            return False
        return both(denied, negated(either(*(covers for _, covers, _ in self.excepted.all(principal)))))

    def denial(self, formula: Formula) -> Denial:
        """It as part of a proof; `formula` says whether it acts."""
        return Denial(self.resource, self.policy.name, self.rule, self.policy.shows(self.rule), formula)


class DenyRules:
    """All deny rules on the project and above."""

    def __init__(self, policies: DenyPolicies | Unknown, own: str, members: Members) -> None:
        """`own` is the project as a resource, for what is said of deny policies that nobody asked for."""
        self.blind: list[OpenFact] = []
        """Deny policies that could not be read: they may hold rules that are not here."""
        self._rules: list[AttachedRule] = []
        self._about: dict[str, tuple[AttachedRule, ...]] = {}
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
                    self._rules += [_attached(resource, policy, rule, members) for rule in policy.rules]
        if policies.completeness.gap:
            gap = Unknown(policies.completeness.gap, policies.completeness.provenance)
            self.blind.append(OpenFact("deny ancestors", "", gap))

    def about(self, permission: str) -> tuple[AttachedRule, ...]:
        """The rules whose permissions hold this one."""
        found = self._about.get(permission)
        if found is None:
            found = self._about[permission] = tuple(r for r in self._rules if denies(r.rule, permission))
        return found


def _attached(resource: str, policy: DenyPolicy, rule: DenyRule, members: Members) -> AttachedRule:
    denied, excepted = (
        Reach(members, ((member, None) for member in named))
        for named in (rule.denied_principals, rule.exception_principals)
    )
    return AttachedRule(resource, policy, rule, denied, excepted)


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
    if pattern in {named, ANY_PERMISSION}:
        return True
    host, _, rest = pattern.partition("/")
    named_host, _, named_rest = named.partition("/")
    resource, _, verb = rest.rpartition(".")
    named_resource, _, named_verb = named_rest.rpartition(".")
    return host == named_host and resource in {"*", named_resource} and verb in {"*", named_verb}

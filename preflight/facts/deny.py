"""Deny policies, as IAM v2 states them: they are looked at before any grant, and win."""

from msgspec import Struct

from preflight.facts.policy import Condition
from preflight.facts.project import Fact, Observed
from preflight.facts.seen import COMPLETE, Completeness, Evidence, Unknown

ANY_PERMISSION = "(not known)"
"""Stands for permissions that aren't known, in a rule that is in doubt."""


class DenyRule(Struct, frozen=True):
    """One rule. Principals and permissions are in IAM's v2 form."""

    denied_principals: tuple[str, ...]
    """`principal://goog/subject/…`, `principalSet://goog/group/…`, `principalSet://goog/public:all` …"""
    denied_permissions: tuple[str, ...]
    """`bigquery.googleapis.com/jobs.create`; wildcards `…/*.*`, `…/jobs.*`, `…/*.create` occur."""
    exception_principals: tuple[str, ...] = ()
    exception_permissions: tuple[str, ...] = ()
    condition: Condition | None = None
    """May look at resource tags only; the rule acts while it is true, and where it can't be evaluated."""
    doubt: Unknown | None = None
    """Not None: whether there is such a rule, or just what it says, isn't known. What is given is then the most that
    it may be."""


class DenyPolicy(Observed, frozen=True, kw_only=True, tag="deny_policy"):
    """One deny policy (IAM v2 `policies.get`)."""

    name: str
    """Its ID on the resource it is attached to."""
    rules: tuple[DenyRule, ...]

    def shows(self, rule: DenyRule) -> Evidence:
        """The rule as evidence."""
        condition = f", only if {rule.condition.expression}" if rule.condition else ""
        who, what = ", ".join(rule.denied_principals), ", ".join(rule.denied_permissions)
        return self.provenance.saw(f"deny policy {self.name} denies {what} to {who}{condition}")


class AttachedDenyPolicies(Observed, frozen=True, kw_only=True, tag="attached_deny_policies"):
    """The deny policies attached to one resource (IAM v2 `policies.list`, whose answer has no rules, then `get`)."""

    resource: str
    """`projects/ID`, `folders/N` or `organizations/N`."""
    policies: dict[str, DenyPolicy | Unknown]
    """By name."""
    completeness: Completeness = COMPLETE


class DenyPolicies(Fact, frozen=True, kw_only=True, tag="deny_policies"):
    """The deny policies of the project and of all its ancestors, nearest first, by resource."""

    attached: dict[str, AttachedDenyPolicies | Unknown]
    completeness: Completeness = COMPLETE
    """A gap: not all ancestors are known, so that their deny policies are not here either."""

"""The organisation above a project, what its policies demand, and the tags that conditions look at."""

from msgspec import Struct, field

from preflight.facts.policy import Condition
from preflight.facts.project import Fact, Observed
from preflight.facts.seen import Evidence, NotCollected, Unknown

KNOWN_CONSTRAINTS = (
    "iam.allowedPolicyMemberDomains",
    "iam.managed.allowedPolicyMembers",
    "gcp.resourceLocations",
    "gcp.restrictServiceUsage",
    "gcp.restrictNonCmekServices",
)
"""The constraints that can stand in a vendor's way (Google's reference of organisation policy constraints): whom
policies may name, the old and the managed one; where data may lie; which APIs may be used; what must be encrypted
with a customer's own key."""


class Organization(Observed, frozen=True, kw_only=True, tag="organization"):
    """Resource Manager v3 `organizations.get`."""

    name: str
    """`organizations/N`."""
    domain: str
    """The primary domain of its directory: `displayName`."""
    directory_customer_id: str
    """`C0…`: the directory that domain-restricted sharing and `cloudIdentityCustomerId` speak of."""


class PolicyRule(Struct, frozen=True):
    """One rule of an organisation policy's `spec`."""

    allow_all: bool = False
    deny_all: bool = False
    allowed: tuple[str, ...] = ()
    """Values as written: `in:eu-locations`, `is:C0…`, `under:organizations/1`, or bare."""
    denied: tuple[str, ...] = ()
    enforce: bool | None = None
    """Boolean and managed constraints; None for a list."""
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of managed constraints: lists by name, such as `allowedMemberSubjects`."""
    condition: Condition | None = None
    """May look at resource tags only."""

    @property
    def said(self) -> str:
        """What the rule says, in words."""
        words = []
        if self.allow_all:
            words.append("all values are allowed")
        if self.deny_all:
            words.append("all values are denied")
        if self.allowed:
            words.append(f"allowed: {', '.join(self.allowed)}")
        if self.denied:
            words.append(f"denied: {', '.join(self.denied)}")
        if self.enforce is not None:
            words.append("enforced" if self.enforce else "not enforced")
        words += [f"{name}: {', '.join(values)}" for name, values in self.parameters.items()]
        condition = f", only if {self.condition.expression}" if self.condition else ""
        return f"{', '.join(words) or 'an empty rule'}{condition}"


class OrgPolicy(Observed, frozen=True, kw_only=True, tag="org_policy"):
    """What one constraint comes to on the project (Org Policy v2 `getEffectivePolicy`)."""

    constraint: str
    """Without `constraints/`: `gcp.resourceLocations`."""
    rules: tuple[PolicyRule, ...]
    """Empty: nothing is set, and Google's default holds."""

    def shows(self) -> Evidence:
        """What it demands, as evidence."""
        rules = "; ".join(rule.said for rule in self.rules) or "nothing is set"
        return self.provenance.saw(f"{self.constraint}: {rules}")


class OrgPolicies(Fact, frozen=True, kw_only=True, tag="org_policies"):
    """The effective policies of the constraints that this tool knows, by constraint."""

    policies: dict[str, OrgPolicy | Unknown]

    def of(self, constraint: str) -> OrgPolicy | Unknown:
        """What a constraint comes to; Unknown also where nobody asked."""
        return self.policies.get(constraint, Unknown(NotCollected(f"{constraint} was not asked about")))


class Tags(Observed, frozen=True, kw_only=True, tag="tags"):
    """The tags that the project has or inherits (Resource Manager v3 `effectiveTags.list`)."""

    tags: dict[str, str]
    """Namespaced key (`123/env`) to namespaced value (`123/env/prod`)."""
    ids: dict[str, str] = field(default_factory=dict)
    """The same by permanent IDs: `tagKeys/1` to `tagValues/2`."""

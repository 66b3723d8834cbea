"""Allow policies and roles, as Google's IAM states them."""

from msgspec import Struct, field

from preflight.facts.project import Fact, Observed
from preflight.facts.seen import COMPLETE, Completeness, Evidence, Provenance, Unknown


class Condition(Struct, frozen=True):
    """A CEL expression that a grant hangs on."""

    expression: str
    title: str = ""


class Binding(Struct, frozen=True):
    """One role for some members; with a condition, only while that holds."""

    role: str
    """`roles/x`, `projects/P/roles/x` or `organizations/O/roles/x`."""
    members: tuple[str, ...]
    """As written in the policy: `user:…`, `serviceAccount:…`, `group:…`, `deleted:…`, `principalSet://…`."""
    condition: Condition | None = None


class PossibleBinding(Struct, frozen=True, kw_only=True):
    """A grant of which it isn't known whether it stands, with what is known of it."""

    why: Unknown
    """Why it isn't known, and where that was seen."""
    role: str = ""
    """Empty: it may be any."""
    members: tuple[str, ...] = ()
    """Empty: it may be anybody."""
    condition: Condition | None = None


class AllowPolicy(Observed, frozen=True, kw_only=True, tag="allow_policy"):
    """The allow policy set on one resource (Resource Manager v3 `getIamPolicy`, policy version 3)."""

    resource: str
    """`projects/ID`, `folders/N` or `organizations/N`."""
    bindings: tuple[Binding, ...]
    """Those that surely stand."""
    completeness: Completeness = COMPLETE
    """A gap: there may be bindings that are neither here nor among the possible ones."""
    by_role: dict[str, Completeness] = field(default_factory=dict)
    """Of roles about which more is known than of the whole: whether all of their bindings are here."""
    possible: tuple[PossibleBinding, ...] = ()
    """Grants that may stand: what may be taken away by something else, or hangs on what isn't known."""
    places: tuple[tuple[Binding, Provenance], ...] = ()
    """Where single bindings were seen, for a policy that is put together from several places."""

    def completeness_of(self, role: str) -> Completeness:
        """Whether all bindings of this role are here."""
        return self.by_role.get(role, self.completeness)

    def shows(self, binding: Binding, member: str) -> Evidence:
        """The binding as evidence, with the member in it that matched."""
        condition = f", only if {binding.condition.expression}" if binding.condition else ""
        return self.place_of(binding).saw(f"{binding.role} is granted to {member}{condition}")

    def place_of(self, binding: Binding) -> Provenance:
        """Where a binding was seen."""
        return next((place for one, place in self.places if one == binding), self.provenance)


class AllowPolicies(Fact, frozen=True, kw_only=True, tag="allow_policies"):
    """The allow policies of the project and of all its ancestors, nearest first, by resource."""

    policies: dict[str, AllowPolicy | Unknown]
    completeness: Completeness = COMPLETE
    """A gap: not all ancestors are known, so that their policies are not here either."""


class Role(Observed, frozen=True, kw_only=True, tag="role"):
    """IAM v1 `roles.get`."""

    name: str
    title: str = ""
    permissions: frozenset[str]
    deleted: bool = False
    """A deleted role grants nothing."""
    disabled: bool = False
    """Launch stage DISABLED: grants nothing either (Google's documentation of custom roles)."""

    @property
    def gone(self) -> bool:
        """Whether a binding of this role gives nothing at all."""
        return self.deleted or self.disabled

    @property
    def granted(self) -> frozenset[str]:
        """The permissions that a binding of this role gives."""
        return frozenset() if self.gone else self.permissions


class Roles(Fact, frozen=True, kw_only=True, tag="roles"):
    """The roles that matter for the principal: those bound to members that are, or may be, the principal."""

    roles: dict[str, Role | Unknown]

"""What the vendor's principal holds on the project: the rules' view of `ProjectAccess`."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from preflight.access.bindings import remembered
from preflight.access.decision import Answer, Decision, Grant, Link
from preflight.access.formula import OpenFact
from preflight.access.likeness import Lookalike, likeness
from preflight.access.members import Home, Members, canonical, names_of
from preflight.access.project_access import UNSEEN, AccessFacts, ProjectAccess
from preflight.facts.dataset import Dataset
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Roles
from preflight.facts.project import Fact, Project
from preflight.facts.seen import Completeness, Evidence, Incomplete, Unknown
from preflight.facts.snapshot import Snapshot, Target

__all__ = ["Answer", "Decision", "EffectiveAccess", "Grant", "OpenFact", "access_from", "effective_access", "may_cover"]


_NO_SNAPSHOT = Snapshot(source="")


class EffectiveAccess(Fact, frozen=True, kw_only=True, tag="effective_access"):
    """What the principal holds on the project and its datasets, by all policies that bear on it."""

    principal: str
    project: str
    access: ProjectAccess
    """Answers for any principal."""
    lookalikes: tuple[Lookalike, ...]

    def holds_role(self, role: str) -> Decision:
        """Whether a binding gives the principal this very role; a role that was deleted or disabled gives nothing."""
        return self.access.holds_role(self.principal, role)

    def holds(self, permission: str) -> Decision:
        """Whether the principal holds the permission on the project, by whatever role."""
        return self.access.decide(self.principal, permission)

    def holds_on(self, dataset: Dataset, permission: str) -> Decision:
        """Whether the principal holds the permission in the dataset: by its access list or the project's roles."""
        return self.access.decide(self.principal, permission, dataset)

    def has_role(self, role: str) -> bool:
        """Whether `holds_role` says granted; without a proof, for those who ask about what could be."""
        return self.access.answer_of_role(self.principal, role) is Answer.GRANTED

    def has(self, permission: str, dataset: Dataset | None = None) -> bool:
        """The same for `holds`, and `holds_on`."""
        return self.access.answer(self.principal, permission, dataset) is Answer.GRANTED

    def denied_to_some(self, permission: str) -> bool:
        """Whether a deny rule is about the permission, so that not all have it to whom it is given."""
        return bool(self.access.deny.about(permission))

    @property
    def links(self) -> tuple[Link, ...]:
        """What each of `grants` comes to now, by role."""
        return self.access.links_of(self.principal)

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Every binding on the project and above whose member is the principal, or may be."""
        return self.access.grants_of(self.principal)

    def roles_held(self) -> tuple[str, ...]:
        """The roles that the principal surely has now, on the project or an ancestor."""
        held = (grant.role for grant in self.grants)
        return tuple(role for role in dict.fromkeys(held) if self.holds_role(role).answer is Answer.GRANTED)

    def is_named_by(self, member: str) -> bool:
        """Whether a member names the principal itself, and not a group or set that it may be in."""
        return canonical(member) in names_of(self.principal)

    def permissions_of(self, role: str) -> frozenset[str] | None:
        """All permissions that the role gives, as far as is known; None where nothing is."""
        return self.access.roles.permissions(role)

    def knows_all_of(self, role: str) -> bool:
        """Whether `permissions_of` tells all: of a predefined role that wasn't read, the catalogue has some alone."""
        return self.access.roles.read(role)

    @property
    def unseen(self) -> tuple[OpenFact, ...]:
        """The policies that could not be read, or not whole, and grants that may stand: there may be more."""
        bindings = self.access.bindings
        return (*bindings.blind, *bindings.possible.concerning(self.principal))

    @property
    def read(self) -> tuple[Evidence, ...]:
        """The policies that were read."""
        return tuple(self.access.bindings.read)

    @property
    def moment(self) -> datetime:
        """The moment for which all of it holds."""
        return self.access.facts.moment

    def after(self, *, removed: Iterable[Grant] = (), granted: Iterable[str] = ()) -> "EffectiveAccess":
        """What it would hold once these bindings were taken from it, and these roles given to it on the project: so
        a change can be judged before anybody makes it."""
        gone = {(grant.resource, grant.role, grant.member) for grant in removed}
        given = tuple(Binding(role, (self.principal,)) for role in granted)
        facts = self.access.facts
        policies: dict[str, AllowPolicy | Unknown] = {}
        for resource, policy in facts.allow.policies.items():
            added = given if resource == self.access.own else ()
            if isinstance(policy, Unknown) or not (added or any(place == resource for place, _, _ in gone)):
                policies[resource] = policy
                continue
            left = tuple(
                replace(binding, members=tuple(m for m in binding.members if (resource, binding.role, m) not in gone))
                for binding in policy.bindings
            )
            policies[resource] = replace(policy, bindings=left + added)
        changed = replace(facts, allow=replace(facts.allow, policies=policies))
        return replace(self, access=ProjectAccess(changed, self.principal))


def effective_access(
    target: Target,
    allow_policies: AllowPolicies,
    roles: Roles | Unknown,
    deny_policies: DenyPolicies | Unknown = UNSEEN,
    groups: Groups | Unknown = UNSEEN,
    tags: Tags | Unknown = UNSEEN,
    project: Project | Unknown = UNSEEN,
    snapshot: Snapshot = _NO_SNAPSHOT,
) -> EffectiveAccess:
    """Derives what the principal holds from what was read, for the moment at which the snapshot was complete."""
    facts = AccessFacts(
        project=target.project,
        number=None if isinstance(project, Unknown) else project.number,
        allow=allow_policies,
        roles=roles,
        deny=deny_policies,
        groups=groups,
        tags=tags,
        moment=snapshot.finished_at or datetime.now(UTC),
        unread_deny_blocks=target.unread_deny_blocks,
    )
    return EffectiveAccess(
        principal=target.principal,
        project=target.project,
        access=ProjectAccess(facts, target.principal),
        lookalikes=tuple(_lookalikes(allow_policies, target.principal)),
    )


def access_from(snapshot: Snapshot, target: Target) -> EffectiveAccess | Unknown:
    """The same from a whole snapshot; Unknown where not even a policy was asked for."""
    if isinstance(snapshot.allow_policies, Unknown):
        return snapshot.allow_policies
    return effective_access(
        target,
        snapshot.allow_policies,
        snapshot.roles,
        snapshot.deny_policies,
        snapshot.groups,
        snapshot.tags,
        snapshot.project,
        snapshot,
    )


def may_cover(member: str, principal: str) -> bool:
    """Whether a member is the principal or might be, whatever the groups and the project: the roles of such grants
    are worth reading."""
    if canonical(member) in names_of(principal):
        return True
    return _NOWHERE.covers(member, principal) is not False


_NOWHERE = Members(Home("", None, (), Completeness(Incomplete("no project"))), UNSEEN, lambda _, role, member: True)


def _lookalikes(allow_policies: AllowPolicies, principal: str) -> Iterator[Lookalike]:
    for policy in allow_policies.policies.values():
        if isinstance(policy, AllowPolicy):
            yield from remembered(policy, ("lookalikes", principal), partial(_lookalikes_in, policy, principal))


def _lookalikes_in(policy: AllowPolicy, principal: str) -> tuple[Lookalike, ...]:
    named = (*(one.members for one in policy.bindings), *(one.members for one in policy.possible))
    alike = {
        member: how
        for members in named
        for member in members
        if (how := likeness(member, principal)) and canonical(member) not in names_of(principal)
    }
    if not alike:
        return ()
    perhaps = (
        Lookalike(
            member,
            alike[member],
            (one.why.provenance or policy.provenance).saw(f"{one.role} may be granted to {member}"),
            policy.resource,
            one.role,
            one.condition is not None,
        )
        for one in policy.possible
        for member in one.members
        if member in alike and one.role
    )
    sure = (
        Lookalike(
            member,
            alike[member],
            policy.shows(binding, member),
            policy.resource,
            binding.role,
            binding.condition is not None,
        )
        for binding in policy.bindings
        for member in dict.fromkeys(binding.members)
        if member in alike
    )
    return (*sure, *perhaps)

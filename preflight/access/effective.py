"""What the principal holds on the project: every grant that counts or might, and three-valued answers from them.

Allow = union over the project and its ancestors of the bindings whose member is the principal, whose role holds
the permission and whose condition is true. Here a condition and a group's members are not evaluated: such a
grant is open, and makes an answer unknown where nothing else decides it.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from preflight.access.members import likeness, matches
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.policy import AllowPolicies, AllowPolicy, Role, Roles
from preflight.facts.project import Fact
from preflight.facts.seen import Evidence, NotCollected, Reason, Unknown, Unresolved
from preflight.facts.snapshot import Target


class Answer(StrEnum):
    """Whether the principal holds something."""

    GRANTED = "granted"
    NOT_GRANTED = "not granted"
    UNKNOWN = "unknown"


class Decision(Struct, frozen=True):
    """An answer with what it rests on."""

    answer: Answer
    evidence: tuple[Evidence, ...]
    """The grants that decide it, the policies that hold none, or the grants that are open."""
    missing: tuple[Unknown, ...] = ()
    """With unknown: what would settle it."""

    @property
    def reason(self) -> Reason:
        """The first thing that is missing; what was denied comes before what is merely unresolved."""
        reasons = [unknown.reason for unknown in self.missing]
        return next((r for r in reasons if not isinstance(r, Unresolved)), reasons[0])


class Grant(Struct, frozen=True):
    """A binding, or an entry of a dataset's access list, that covers the principal or may."""

    resource: str
    role: str
    member: str
    evidence: Evidence
    open: Unresolved | None = None
    """Why it may not count: a condition, a group. None: it counts."""


class Lookalike(Struct, frozen=True):
    """A member that resembles the principal and isn't it."""

    member: str
    how: str
    evidence: Evidence


class EffectiveAccess(Fact, frozen=True, kw_only=True, tag="effective_access"):
    """What the principal holds on the project, by its own policy and its ancestors'."""

    principal: str
    project: str
    grants: tuple[Grant, ...]
    blind: tuple[Unknown, ...]
    """Policies that could not be read: they may hold grants that are not here."""
    read: tuple[Evidence, ...]
    """The policies that were read."""
    roles: dict[str, Role | Unknown]
    lookalikes: tuple[Lookalike, ...]

    def holds_role(self, role: str) -> Decision:
        """Whether a binding gives the principal this very role; a role that was deleted or disabled gives nothing."""
        known = self.roles.get(role)
        if isinstance(known, Role) and known.gone:
            return self._decide([], self.blind)
        return self._decide([(grant, True) for grant in self.grants if grant.role == role], self.blind)

    def holds(self, permission: str) -> Decision:
        """Whether the principal holds the permission on the project, by whatever role."""
        return self._decide(self._giving(self.grants, permission), self.blind)

    def holds_on(self, dataset: Dataset, permission: str) -> Decision:
        """Whether the principal holds the permission in the dataset: by its access list or the project's roles."""
        if isinstance(dataset.access, Unknown):
            return self._decide(self._giving(self.grants, permission), (*self.blind, dataset.access))
        entries = tuple(grant for entry in dataset.access for grant in self._entry(dataset, entry))
        read = dataset.provenance.saw(
            f"the whole access list of {dataset.id}: {_counted(len(dataset.access), 'entry', 'entries')}"
        )
        return self._decide(self._giving((*self.grants, *entries), permission), self.blind, (read,))

    def roles_held(self) -> tuple[str, ...]:
        """The roles that the principal surely has, on the project or an ancestor."""
        return tuple(dict.fromkeys(grant.role for grant in self.grants if grant.open is None))

    def _giving(self, grants: Iterable[Grant], permission: str) -> list[tuple[Grant, bool | Unknown]]:
        """The grants whose role holds the permission, or may, with which of the two."""
        found: list[tuple[Grant, bool | Unknown]] = []
        for grant in grants:
            role = self.roles.get(grant.role, Unknown(NotCollected(f"{grant.role} was not read")))
            if isinstance(role, Unknown):
                found.append((grant, role))
            elif permission in role.granted:
                found.append((grant, True))
        return found

    def _decide(
        self,
        grants: list[tuple[Grant, bool | Unknown]],
        blind: tuple[Unknown, ...],
        also_read: tuple[Evidence, ...] = (),
    ) -> Decision:
        sure = tuple(grant.evidence for grant, holds in grants if holds is True and grant.open is None)
        if sure:
            return Decision(Answer.GRANTED, sure)
        missing: list[Unknown] = []
        for grant, holds in grants:
            if isinstance(holds, Unknown):
                missing.append(holds)
            if grant.open is not None:
                missing.append(Unknown(grant.open))
        missing += blind
        shown = (*(grant.evidence for grant, _ in grants), *self.read, *also_read)
        if missing:
            return Decision(
                Answer.UNKNOWN,
                (*shown, *(e for u in missing for e in u.seen())),
                tuple(dict.fromkeys(missing)),
            )
        return Decision(Answer.NOT_GRANTED, shown)

    def _entry(self, dataset: Dataset, entry: AccessEntry) -> Iterable[Grant]:
        if entry.authorized or not entry.member:
            return
        covers = (
            self._special_group(entry.special_group) if entry.special_group else matches(entry.member, self.principal)
        )
        if covers is False:
            return
        opens = covers if isinstance(covers, Unresolved) else None
        if entry.condition is not None:
            opens = conditional(entry.condition.expression)
        evidence = dataset.provenance.saw(f"{entry.role or entry.role_name} is given to {entry.member} in {dataset.id}")
        yield Grant(dataset.id, entry.role_name, entry.member, evidence, opens)

    def _special_group(self, group: str) -> bool | Unresolved:
        """BigQuery's special groups stand for the holders of a basic role on the dataset's project."""
        if group in {"allAuthenticatedUsers", "allUsers"}:
            return True
        basic = {
            "projectOwners": "roles/owner",
            "projectWriters": "roles/editor",
            "projectReaders": "roles/viewer",
        }
        if group not in basic:
            return Unresolved(f"{group} may include the principal")
        held = self.holds_role(basic[group])
        direct = any(
            g.role == basic[group] and g.resource == f"projects/{self.project}" and g.open is None for g in self.grants
        )
        if direct:
            return True
        if held.answer is Answer.NOT_GRANTED:
            return False
        # Whether the group also stands for those who inherit the role is nowhere documented: assumed open.
        return Unresolved(f"{group} stands for the holders of {basic[group]}, which may include the principal")


def conditional(expression: str) -> Unresolved:
    """Why a conditional grant is open."""
    return Unresolved(
        f"the grant holds only while its condition does: {expression}",
        "Read the condition, or grant the role without one.",
    )


def may_cover(member: str, principal: str) -> bool:
    """Whether a member is the principal or might be: the roles of such grants are worth reading."""
    return matches(member, principal) is not False


def effective_access(target: Target, allow_policies: AllowPolicies, roles: Roles | Unknown) -> EffectiveAccess:
    """Derives what the principal holds from the policies and roles that were read."""
    grants: list[Grant] = []
    lookalikes: list[Lookalike] = []
    blind: list[Unknown] = []
    read: list[Evidence] = []
    for resource, policy in allow_policies.policies.items():
        if isinstance(policy, Unknown):
            blind.append(policy)
            continue
        if policy.completeness.gap:
            blind.append(Unknown(policy.completeness.gap, policy.completeness.provenance or policy.provenance))
        read.append(
            policy.provenance.saw(
                f"the whole policy of {resource}: {_counted(len(policy.bindings), 'binding', 'bindings')}"
            )
        )
        _sort_members(policy, target.principal, grants, lookalikes)
    if allow_policies.completeness.gap:
        blind.append(Unknown(allow_policies.completeness.gap, allow_policies.completeness.provenance))
    own = f"projects/{target.project}"
    if own not in allow_policies.policies:
        blind.append(Unknown(NotCollected(f"the policy of {own} was not read")))
    known_roles = roles.roles if isinstance(roles, Roles) else {grant.role: roles for grant in grants}
    return EffectiveAccess(
        principal=target.principal,
        project=target.project,
        grants=tuple(grants),
        blind=tuple(blind),
        read=tuple(read),
        roles=dict(known_roles),
        lookalikes=tuple(lookalikes),
    )


def _sort_members(policy: AllowPolicy, principal: str, grants: list[Grant], lookalikes: list[Lookalike]) -> None:
    for binding in policy.bindings:
        for member in dict.fromkeys(binding.members):
            covers = matches(member, principal)
            if covers is False:
                if how := likeness(member, principal):
                    lookalikes.append(Lookalike(member, how, policy.shows(binding, member)))
                continue
            opens = covers if isinstance(covers, Unresolved) else None
            if binding.condition is not None:
                opens = conditional(binding.condition.expression)
            grants.append(Grant(policy.resource, binding.role, member, policy.shows(binding, member), opens))


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"

"""Snapshots of projects from what was kept of an export, each fact known or Unknown with its reason.

What an export doesn't hold is absent in the cloud only where the export surely would hold it: it has a line of that
content for something at or above the resource, and nothing of it was unreadable. Exports have no IAM_POLICY line for
a resource without bindings, and none for a dataset that isn't there.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy
from preflight.facts.groups import Groups
from preflight.facts.iam_resources import IamResources
from preflight.facts.organization import Organization, OrgPolicies, Tags
from preflight.facts.policy import AllowPolicies, AllowPolicy, Role, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Service, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import COMPLETE, Completeness, Incomplete, NotCollected, Unknown, Unresolved
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.facts.tables import Tables
from preflight.sources.assets import constraints, contents
from preflight.sources.assets.holdings import Holdings, Kept, Scope, project_id
from preflight.sources.assets.projects import Named, chain_of, parent_of
from preflight.sources.assets.wire import ABSENT, UnreadableContentError, bindings_of

T = TypeVar("T")
_EXPORT = "Export it too: gcloud asset export --organization=ORGANIZATION_ID --content-type={} …"
_NOT_HERE = {
    CallerIdentity: Unknown(NotCollected("an export tells nothing of who runs the tool")),
    CallerPermissions: Unknown(NotCollected("an export tells nothing of who runs the tool")),
    Groups: Unknown(NotCollected("an export tells nothing of who is in a group")),
    SecondOpinions: Unknown(NotCollected("an export holds no answers of Policy Troubleshooter")),
    Tables: Unknown(NotCollected("which tables there are is not read from exports")),
    IamResources: Unknown(NotCollected("an export doesn't tell what manages a grant")),
}


class Snapshots:
    """Makes a snapshot of one project after another. What several have above them is decoded once."""

    def __init__(
        self,
        held: Holdings,
        apis: tuple[str, ...],
        wanted: frozenset[type[Fact]],
        started: datetime,
        finished: datetime,
    ) -> None:
        self._held = held
        self._apis = apis
        self._wanted = wanted
        self._times = (started, finished)
        self._shared: dict[tuple[str, str], Any] = {}

    def of(self, named: Named) -> Snapshot:
        """The snapshot of one project."""
        one = _One(self._held, named, self._apis, self._shared)
        tell: dict[type[Fact], Callable[[], Any]] = {
            Project: one.project,
            Billing: one.billing,
            Services: one.services,
            Ancestry: lambda: Ancestry(resources=one.above, completeness=one.gap),
            AllowPolicies: one.allow_policies,
            Roles: one.roles,
            DenyPolicies: one.deny_policies,
            Tags: one.tags,
            Organization: one.organization,
            OrgPolicies: one.org_policies,
            Datasets: one.datasets,
        }
        facts = {FIELD_OF[kind]: make() for kind, make in tell.items() if kind in self._wanted}
        for kind, why in _NOT_HERE.items():
            if kind in self._wanted:
                facts[FIELD_OF[kind]] = why
        return Snapshot(source="assets", **facts, started_at=self._times[0], finished_at=self._times[1])


class _One:
    """One project in the making."""

    def __init__(self, held: Holdings, named: Named, apis: tuple[str, ...], shared: dict[tuple[str, str], Any]) -> None:
        self._held = held
        self._named = named
        self._apis = apis
        self._shared = shared
        self._scopes = [held.scopes[scope] for scope in named.scopes if scope in held.scopes]
        self._own = f"projects/{named.id}"
        self._resource = self._own_resource()
        self.above, self.gap = self._chain()

    def _own_resource(self) -> Kept | None:
        found = [kept for scope in self._scopes for kept in scope.all("resource").values()]
        mine = [kept for kept in found if project_id(kept.line) == self._named.id]
        return next(iter(mine or found), None)

    def _chain(self) -> tuple[tuple[str, ...], Completeness]:
        for scope, held in zip(self._named.scopes, self._scopes, strict=False):
            for kept in (self._resource, held.one("policy"), held.one("org policy")):
                if kept is not None:
                    above, gap = chain_of(scope, kept, self._held)
                    if above or gap.complete:
                        return above, gap
        untold = Incomplete(f"{self._held.files} doesn't tell what {self._own} is in")
        return (), Completeness(untold, self._held.whole())

    def _one(self, kind: Any) -> Kept | None:
        return next((kept for scope in self._scopes if (kept := scope.one(kind))), None)

    def _malformed(self, kept: Kept, why: str) -> Unknown:
        told = f"line {kept.number} of {kept.file} can't be read: {why}"
        return Unknown(Incomplete(told, "Make the export again, and run again."), self._held.where(kept))

    def _read(self, kept: Kept, make: Callable[[], T]) -> "T | Unknown":
        if kept.conflict:
            both = f"lines {kept.conflict} and {kept.number} of {self._held.files} tell different things of the same"
            return Unknown(Unresolved(both, "Make the export again, at one moment."), self._held.where(kept))
        try:
            return make()
        except UnreadableContentError as error:
            return self._malformed(kept, str(error))

    def _missing(self, what: str, content: str = "resource") -> Unknown:
        """Nothing of a kind is there; what was unreadable may have been it."""
        damage = self._held.damage
        if damage.gap:
            return Unknown(damage.gap, damage.provenance)
        return Unknown(Incomplete(f"{self._held.files} {what}", _EXPORT.format(content)), self._held.whole())

    def project(self) -> Project | Unknown:
        """Its RESOURCE line."""
        kept = self._resource
        if kept is None:
            return self._missing(f"has no RESOURCE line of {self._own}")
        name = kept.line.name.rpartition("/")[2]
        number = name if name.isdigit() else ""
        return self._read(
            kept,
            lambda: contents.project(kept.line.resource, number, parent_of(kept.line), self._held.where(kept)),
        )

    def billing(self) -> Billing | Unknown:
        """A ProjectBillingInfo line."""
        kept = self._one("billing")
        if kept is None:
            why = f"{self._held.files} has no cloudbilling.googleapis.com/ProjectBillingInfo line of {self._own}"
            return Unknown(NotCollected(why, "Look at it with: gcloud billing projects describe PROJECT_ID"))
        return self._read(kept, lambda: contents.billing(kept.line.resource, self._held.where(kept)))

    def services(self) -> Services:
        """The APIs that the profile asks about."""
        return Services(services={api: self._service(api) for api in self._apis})

    def _service(self, api: str) -> Service | Unknown:
        if self._named.ambiguous:
            return Unknown(self._named.ambiguous, self._held.whole())
        kept = next((one for scope in self._scopes if (one := scope.all("service").get(api))), None)
        if kept is not None:
            return self._read(kept, lambda: contents.service(kept.line.resource, api, self._held.where(kept)))
        # Whether exports leave out what is off is nowhere documented; and a folder can turn it on for what is in it.
        why = f"{self._held.files} has no serviceusage.googleapis.com/Service line of {api} in {self._own}"
        how = f"See whether it is listed by: gcloud services list --enabled --project={self._named.id}"
        return Unknown(
            self._held.damage.gap or Incomplete(why, how), self._held.damage.provenance or self._held.whole()
        )

    def _covers_datasets(self) -> bool:
        """Whether the project's datasets, if it has any, would be there: the same export has the project itself, and
        datasets in the same organization."""
        outermost = self.above[-1:] or tuple(self._named.scopes)
        listed = {file for scope in self._scopes for file in scope.listed}
        return any((file, root) in self._held.with_datasets for file in listed for root in outermost)

    def allow_policies(self) -> AllowPolicies | Unknown:
        """The project's own and those above it."""
        own = self._own_policy()
        policies: dict[str, AllowPolicy | Unknown] = {self._own: own}
        for place, resource in enumerate(self.above):
            policies[resource] = self._shared_of("policy", resource, self._policy_above, self.above[place + 1 :])
        gap = self.gap if self.gap.gap else self._held.damage
        return AllowPolicies(policies=policies, completeness=gap)

    def _own_policy(self) -> AllowPolicy | Unknown:
        if self._named.ambiguous:
            return Unknown(self._named.ambiguous, self._held.whole())
        kept = self._one("policy")
        if kept is None and "Project" not in self._held.policies_of:
            # A project without bindings is rare, an export of just the organizations' and folders' policies isn't.
            return self._missing("has no IAM_POLICY line of any project", "iam-policy")
        return self._policy(self._own, kept, self._resource, self.above)

    def _policy_above(self, resource: str, above: tuple[str, ...]) -> AllowPolicy | Unknown:
        scope = self._held.scopes.get(resource, _EMPTY)
        return self._policy(resource, scope.one("policy"), scope.one("resource"), above)

    def _policy(
        self, resource: str, kept: Kept | None, itself: Kept | None, above: tuple[str, ...]
    ) -> AllowPolicy | Unknown:
        if kept is not None:
            return self._read(
                kept,
                lambda: AllowPolicy(
                    provenance=self._held.where(kept), resource=resource, bindings=bindings_of(kept.line.iam_policy)
                ),
            )
        if itself is None:
            return self._missing(f"has neither a RESOURCE nor an IAM_POLICY line of {resource}", "iam-policy")
        if self._held.damage.gap or not self._any_above("policy", above):
            return self._missing(f"has no IAM_POLICY line of {resource} or of what it is in", "iam-policy")
        return AllowPolicy(provenance=self._held.where(itself), resource=resource, bindings=())

    def _any_above(self, kind: Any, above: tuple[str, ...]) -> bool:
        return any(kind in self._held.scopes.get(resource, _EMPTY).kept for resource in above)

    def _shared_of(self, kind: str, resource: str, make: Callable[..., T], *more: Any) -> T:
        key = (kind, resource)
        if key not in self._shared:
            self._shared[key] = make(resource, *more)
        found: T = self._shared[key]
        return found

    def roles(self) -> Roles:
        """The custom roles of the project and its organization; predefined ones are in no export."""
        above = self._shared_of("roles", self.above[-1] if self.above else "", self._roles_above)
        mine = {name: kept for scope in self._scopes for name, kept in scope.all("role").items()}
        if not mine:
            return above
        return Roles(roles={**above.roles, **self._decoded_roles(mine)})

    def _roles_above(self, organization: str) -> Roles:
        return Roles(roles=self._decoded_roles(self._held.scopes.get(organization, _EMPTY).all("role")))

    def _decoded_roles(self, kept: dict[str, Kept]) -> dict[str, Role | Unknown]:
        return {name: self._role(name, one) for name, one in kept.items()}

    def _role(self, name: str, kept: Kept) -> Role | Unknown:
        return self._read(kept, lambda: contents.role(kept.line.resource, name, self._held.where(kept)))

    def deny_policies(self) -> DenyPolicies | Unknown:
        """Those of the project and above; where the export has none at all, whether there are any isn't known."""
        own = AttachedDenyPolicies(
            provenance=self._held.whole(),
            resource=self._own,
            policies={
                name: self._deny(name, kept)
                for scope in self._scopes
                for name, kept in scope.all("deny policy").items()
            },
        )
        nothing = not own.policies and not self._any_above("deny policy", self.above)
        if nothing or self._named.ambiguous:
            why = f"{self._held.files} has no iam.googleapis.com/PolicyV2 line of {self._own} or of what it is in"
            return Unknown(self._named.ambiguous or NotCollected(why, _EXPORT.format("resource")), self._held.whole())
        attached: dict[str, AttachedDenyPolicies | Unknown] = {self._own: own}
        for place, resource in enumerate(self.above):
            further = self.above[place:]
            attached[resource] = self._shared_of("deny", resource, self._denied_above, further)
        return DenyPolicies(attached=attached, completeness=self.gap if self.gap.gap else self._held.damage)

    def _denied_above(self, resource: str, and_above: tuple[str, ...]) -> AttachedDenyPolicies | Unknown:
        if not self._any_above("deny policy", and_above):
            why = f"{self._held.files} has no iam.googleapis.com/PolicyV2 line of {resource} or of what it is in"
            return Unknown(NotCollected(why, _EXPORT.format("resource")), self._held.whole())
        kept = self._held.scopes.get(resource, _EMPTY).all("deny policy")
        policies = {name: self._deny(name, one) for name, one in kept.items()}
        return AttachedDenyPolicies(provenance=self._held.whole(), resource=resource, policies=policies)

    def _deny(self, name: str, kept: Kept) -> DenyPolicy | Unknown:
        return self._read(kept, lambda: contents.deny_policy(kept.line.resource, name, self._held.where(kept)))

    def tags(self) -> Tags | Unknown:
        """Effective tags, if its line has them: exports don't, search results do."""
        kept = self._resource
        if kept is None or kept.line.effective_tags is ABSENT:
            return Unknown(NotCollected("an export doesn't tell which tags a project has"))
        return self._read(kept, lambda: contents.tags(kept.line.effective_tags, self._held.where(kept)))

    def organization(self) -> Organization | Unknown:
        """The outermost of what it is in."""
        if not self.above or not self.above[-1].startswith("organizations/"):
            gap = self.gap.gap or Incomplete(f"{self._own} is in no organization, as far as {self._held.files} tells")
            return Unknown(gap, self.gap.provenance or self._held.whole())
        return self._shared_of("organization", self.above[-1], self._organization)

    def _organization(self, name: str) -> Organization | Unknown:
        kept = self._held.scopes.get(name, _EMPTY).one("resource")
        if kept is None:
            return self._missing(f"has no RESOURCE line of {name}")
        return self._read(kept, lambda: contents.organization(kept.line.resource, name, self._held.where(kept)))

    def org_policies(self) -> OrgPolicies | Unknown:
        """What the known constraints come to."""
        if self._named.ambiguous:
            return Unknown(self._named.ambiguous, self._held.whole())
        own = constraints.LevelPolicies()
        for scope in self._scopes:
            level = constraints.level_of(scope, self._held, self._read)
            own.policies.update(level.policies)
            own.old, own.new = own.old or level.old, own.new or level.new
            own.unreadable = own.unreadable or level.unreadable
        above = ((name, self._shared_of("constraints", name, self._level_above)) for name in self.above)
        return constraints.effective(((self._own, own), *above), self._held, self.gap)

    def _level_above(self, resource: str) -> constraints.LevelPolicies:
        return constraints.level_of(self._held.scopes.get(resource, _EMPTY), self._held, self._read)

    def datasets(self) -> Datasets | Unknown:
        """All of the project's datasets; whether these are all depends on what the export covers."""
        kept = {name: one for scope in self._scopes for name, one in scope.all("dataset").items()}
        policies = {name: one for scope in self._scopes for name, one in scope.all("dataset policy").items()}
        covered = self._covers_datasets() and not self._held.damage.gap
        if not kept and not policies and not covered:
            return self._missing(f"has no bigquery.googleapis.com/Dataset lines that cover {self._own}")
        datasets: dict[str, Dataset | Unknown] = {
            name: self._dataset(name, one, policies.get(name)) for name, one in kept.items()
        }
        for name, one in policies.items():
            if name not in kept:
                why = f"{self._held.files} has no RESOURCE line of the dataset {name}"
                datasets[name] = Unknown(Incomplete(why, _EXPORT.format("resource")), self._held.where(one))
        completeness = COMPLETE
        if not covered:
            missing = self._missing(f"has no bigquery.googleapis.com/Dataset lines that cover {self._own}")
            completeness = Completeness(missing.reason, missing.provenance)
        return Datasets(provenance=self._held.whole(), datasets=datasets, completeness=completeness)

    def _dataset(self, name: str, kept: Kept, policy: Kept | None) -> Dataset | Unknown:
        where = self._held.where(kept)
        access: tuple[AccessEntry, ...] | Unknown | None = None
        if policy is not None:
            content = policy.line.iam_policy
            access = self._read(policy, lambda: contents.entries_of(bindings_of(content)))
            # Where its access list stands is told as well.
            where = replace(where, resource=f"{where.resource} and {policy.file}:{policy.number}")
        return self._read(kept, lambda: contents.dataset(kept.line.resource, name, access, where))


_EMPTY = Scope()

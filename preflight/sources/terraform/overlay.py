"""Facts as they are, with a plan's changes applied: what the project will be like.

Only what the plan changes counts; what it leaves as it is the facts tell better. Where the plan contradicts them it is
stale (see `stale`), and the facts win. What isn't known to concern this project may concern it, and is unknown.
"""

from typing import Any

from msgspec.structs import replace

from preflight.facts.caller import CallerPermissions
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy
from preflight.facts.iam_resources import IamResources
from preflight.facts.organization import OrgPolicies, OrgPolicy
from preflight.facts.policy import AllowPolicies, AllowPolicy, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import Completeness, Incomplete, NotCollected, Provenance, Unknown, Unresolved
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.sources.set_policies import merged
from preflight.sources.terraform.kinds import BILLING, DATASET, PROJECT
from preflight.sources.terraform.resources import Change, Declared, Unsettled
from preflight.sources.terraform.semantics import deny, managed, project
from preflight.sources.terraform.semantics.access_lists import ON_LISTS, Lists, Name, access_list, base_now, base_of
from preflight.sources.terraform.semantics.datasets import dataset, settings
from preflight.sources.terraform.semantics.home import Home, home_of
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.org_policies import set_on
from preflight.sources.terraform.semantics.policies import policy_after
from preflight.sources.terraform.semantics.roles import roles
from preflight.sources.terraform.semantics.services import services_after
from preflight.sources.terraform.semantics.values import first_unsettled


def after(now: Snapshot, declared: Declared, name: str, wanted: frozenset[type[Fact]]) -> Snapshot:
    """The wanted facts about a project, named by its ID, once the plan is applied to it."""
    overlay = _Overlay(now, declared, name)
    make: dict[type[Fact], Any] = {
        Project: overlay.project,
        Billing: overlay.billing,
        Services: overlay.services,
        Ancestry: overlay.ancestry,
        AllowPolicies: overlay.allow_policies,
        Roles: overlay.roles,
        DenyPolicies: overlay.deny_policies,
        OrgPolicies: overlay.org_policies,
        Datasets: overlay.datasets,
        IamResources: overlay.iam_resources,
    }
    facts = {FIELD_OF[kind]: made() for kind, made in make.items() if kind in wanted}
    if overlay.changes:
        facts |= {FIELD_OF[kind]: _GOOGLES for kind in (CallerPermissions, SecondOpinions) if kind in wanted}
    return replace(now, **facts)


_GOOGLES = Unknown(NotCollected("Google answers for the project as it is, not as the plan leaves it"))
"""What Google itself says of permissions; by the policies it is worked out for what will be."""


class _Overlay:
    def __init__(self, now: Snapshot, declared: Declared, name: str) -> None:
        self._now = now
        self._all = World(declared, name)
        self._changes = World.of_changes(declared, name)
        home = home_of(self._all, name)
        told = now.project.number if isinstance(now.project, Project) else None
        self._home = Home(home.id, home.number or told or None)
        self._item = project.declared(self._changes, self._home)
        self._moves = self._moved()

    @property
    def changes(self) -> bool:
        """Whether the plan changes anything that matters."""
        return bool(self._changes.declared.resources or self._changes.declared.omissions)

    def _moved(self) -> Unknown | None:
        """Why it isn't known what the project will be in; None: it stays where it is."""
        item = self._item
        if not isinstance(item, Item) or item.gone or item.resource.change is not Change.UPDATE:
            return None
        before = item.resource.before or {}
        if all(before.get(key) == item.values.get(key) for key in ("folder_id", "org_id")):
            return None
        why = Unresolved(
            f"{item.address} moves the project, and what it then inherits is not known", "Apply it, then ask Google."
        )
        return Unknown(why, item.seen())

    def project(self) -> Project | Unknown:
        """Made, deleted, or as it is."""
        if self._item is None:
            return self._now.project
        found = project.project(self._changes, self._home)
        now = self._now.project
        if isinstance(found, Unknown):
            return found
        if isinstance(now, Project):
            parent = found.parent if self._moves else now.parent
            changed = found.state != "ACTIVE" or parent != now.parent
            return replace(now, state=found.state, parent=parent, provenance=found.provenance) if changed else now
        return found if found.state != "ACTIVE" or project.is_new(self._item) else now

    def billing(self) -> Billing | Unknown:
        """Linked anew, unlinked, or as it is."""
        now = self._now.billing
        if self._item is None and not any(self._changes.of(BILLING)) and not self._changes.omission((PROJECT, BILLING)):
            return now
        found = project.billing(self._changes, self._home)
        account = project.account_linked(self._changes, self._home)
        if isinstance(now, Billing) and account == now.account:
            return now
        return found

    def services(self) -> Services | Unknown:
        """The profile's APIs."""
        now = self._now.services
        return now if isinstance(now, Unknown) else services_after(self._changes, self._home, now)

    def ancestry(self) -> Ancestry | Unknown:
        """Unknown if the plan moves the project."""
        return self._moves or self._now.ancestry

    def allow_policies(self) -> AllowPolicies | Unknown:
        """The project's policy and those above it."""
        now = self._now.allow_policies
        own = self._home.own
        policies = {own: now} if isinstance(now, Unknown) else now.policies
        kept = {own: policies.get(own, self._not_read(own))} if self._moves else policies
        found: dict[str, AllowPolicy | Unknown] = {
            name: policy_after(self._changes, policy, name, self._home) for name, policy in kept.items()
        }
        if self._moves:
            return AllowPolicies(policies=found, completeness=Completeness(self._moves.reason, self._moves.provenance))
        if isinstance(now, Unknown):
            same = found[own] == now
            return now if same else AllowPolicies(policies=found, completeness=Completeness(now.reason, now.provenance))
        return replace(now, policies=found)

    def _not_read(self, resource: str) -> Unknown:
        return Unknown(Incomplete(f"the policy of {resource} was not read"))

    def roles(self) -> Roles | Unknown:
        """Custom roles that the plan makes, changes or deletes, beside those that were read."""
        changed = roles(self._changes, self._home).roles
        now = self._now.roles
        if isinstance(now, Unknown):
            return now
        return Roles(roles={**now.roles, **changed}) if changed else now

    def deny_policies(self) -> DenyPolicies | Unknown:
        """Those that are there, without those that go and with those that come."""
        now = self._now.deny_policies
        above = () if isinstance(self._now.ancestry, Unknown) else self._now.ancestry.resources
        if isinstance(now, DenyPolicies):
            above = tuple(name for name in now.attached if name != self._home.own)
        attached: dict[str, AttachedDenyPolicies | Unknown] = {} if isinstance(now, Unknown) else {**now.attached}
        changed = False
        for resource in (self._home.own, *above):
            come, gone = deny.changed_on(self._changes, resource, self._home)
            if not come and not gone:
                continue
            changed = True
            there = attached.get(resource, now if isinstance(now, Unknown) else self._not_read(resource))
            attached[resource] = self._attached(there, resource, come, gone)
        if not changed:
            return now
        if isinstance(now, Unknown):
            return DenyPolicies(attached=attached, completeness=Completeness(now.reason, now.provenance))
        return replace(now, attached=attached)

    def _attached(
        self, there: AttachedDenyPolicies | Unknown, resource: str, come: dict[str, DenyPolicy], gone: set[str]
    ) -> AttachedDenyPolicies:
        if isinstance(there, Unknown):
            gap = Completeness(there.reason, there.provenance)
            return AttachedDenyPolicies(
                provenance=self._changes.root, resource=resource, policies={**come}, completeness=gap
            )
        left = {name: policy for name, policy in there.policies.items() if name.rpartition("/")[2] not in gone}
        return replace(there, policies={**left, **come})

    def org_policies(self) -> OrgPolicies | Unknown:
        """What the plan sets on the project itself, and unknown what it changes above it."""
        now = self._now.org_policies
        if isinstance(now, Unknown):
            return now
        found: dict[str, OrgPolicy | Unknown] = {}
        own = set_on(self._changes, self._home.own, self._home)
        above = () if isinstance(self._now.ancestry, Unknown) else self._now.ancestry.resources
        higher = [set_on(self._changes, resource, self._home) for resource in above]
        for constraint, policy in now.policies.items():
            ours = own.get(constraint)
            if isinstance(ours, Unknown):
                found[constraint] = ours
            elif ours is not None and not ours.inherits:
                found[constraint] = merged(constraint, [ours])
            elif ours is not None or any(constraint in level for level in higher):
                where = ours.seen if ours else self._changes.root
                why = f"the plan changes what {constraint} is inherited from, and what it then comes to is not known"
                found[constraint] = Unknown(Unresolved(why, "Apply it, then ask Google."), where)
            else:
                found[constraint] = policy
        return OrgPolicies(policies=found)

    def iam_resources(self) -> IamResources:
        """All of the plan's, also those that it leaves as they are."""
        return managed.iam_resources(self._all, self._home, self._now.ancestry)

    def datasets(self) -> Datasets | Unknown:
        """Those that are there, with what comes, goes and changes."""
        now = self._now.datasets
        known: dict[str, Dataset | Unknown] = {} if isinstance(now, Unknown) else {**now.datasets}
        absent: dict[str, Provenance] = {} if isinstance(now, Unknown) else {**now.absent}
        lists = Lists(self._changes, self._home)
        unsure: Unknown | None = self._changes.omission((DATASET, *ON_LISTS))
        touched = False
        made: set[str] = set()
        for item in sorted(self._changes.of(DATASET), key=lambda one: not one.gone):
            name = Name.of(item)
            concerned = name.is_in(self._home, item)
            if concerned is False:
                continue
            touched = True
            doubt = first_unsettled((name.dataset, concerned))
            if isinstance(name.dataset, Unsettled):
                unsure = unsure or item.unknown(name.dataset)
            elif doubt is not None:
                known[name.dataset] = item.unknown(doubt)
            elif item.gone:
                known.pop(name.dataset, None)
                absent[name.dataset] = item.seen()
            else:
                absent.pop(name.dataset, None)
                made.add(name.dataset)
                known[name.dataset] = self._declared(lists, item, name.dataset, known.get(name.dataset))
        for name_, there in known.items():
            if name_ not in made and isinstance(there, Dataset) and (lists.of(name_) or unsure):
                known[name_] = self._with_list(lists, there, None)
        if isinstance(now, Unknown):
            gap = Completeness(now.reason, now.provenance)
            if not touched:
                return now
            return Datasets(provenance=self._changes.root, datasets=known, completeness=gap, absent=absent)
        gap = Completeness(unsure.reason, unsure.provenance) if unsure else now.completeness
        return replace(now, datasets=known, absent=absent, completeness=gap)

    def _declared(self, lists: Lists, item: Item, name: str, there: Dataset | Unknown | None) -> Dataset | Unknown:
        """A dataset that is made or changed."""
        if item.resource.change is not Change.UPDATE or not isinstance(there, Dataset):
            return dataset(self._changes, lists, item, name)
        return self._with_list(lists, replace(there, settings=settings(item)), item)

    def _with_list(self, lists: Lists, there: Dataset, item: Item | None) -> Dataset:
        """A dataset whose list is as it is, but for what the plan changes in it."""
        base = base_now(there)
        claims = lists.of(there.id)
        if item is not None and (own := base_of(item)).claims and not own.claims[0].existing:
            base, claims = own, [*base.claims, *claims]
        why = there.access if isinstance(there.access, Unknown) else None
        gap = there.access_completeness
        otherwise = why or Unknown(gap.gap or Incomplete("the list was not read whole"), gap.provenance)
        found = access_list(base, claims, self._changes, otherwise)
        return replace(there, access=found.entries, access_completeness=found.completeness, access_places=found.places)

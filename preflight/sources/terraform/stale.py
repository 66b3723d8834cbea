"""Where a plan contradicts the facts as they are: since it was made, something else has changed them."""

from collections.abc import Iterator

from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.policy import AllowPolicies, AllowPolicy
from preflight.facts.project import Project, Service, Services, ServiceState
from preflight.facts.snapshot import Snapshot
from preflight.sources.terraform.kinds import DATASET, SERVICE
from preflight.sources.terraform.resources import Change, Declared, Resource
from preflight.sources.terraform.semantics.access_lists import Name
from preflight.sources.terraform.semantics.home import Home, about, home_of
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.policies import claims_on
from preflight.sources.terraform.semantics.values import text

Triple = tuple[str, str, str]


def stale(now: Snapshot, declared: Declared, name: str) -> tuple[str, ...]:
    """What of the plan isn't so any more, in sentences; by what was read, so that nothing is said of what wasn't."""
    was = Declared(
        root=declared.root,
        resources=tuple(
            _before(one) for one in declared.resources if one.before is not None and one.maybe is None and not one.data
        ),
    )
    world = World(was, name)
    home = home_of(World(declared, name), name)
    if isinstance(now.project, Project) and home.number is None:
        home = Home(home.id, now.project.number or None)
    return tuple(dict.fromkeys((*_grants(now, world, home), *_apis(now, world, home), *_datasets(now, declared, home))))


def _before(resource: Resource) -> Resource:
    """The resource as the plan saw it."""
    return Resource(
        address=resource.address,
        type=resource.type,
        values=resource.before or {},
        change=Change.NO_OP,
        place=resource.place,
        providers_project=resource.providers_project,
    )


def _grants(now: Snapshot, world: World, home: Home) -> Iterator[str]:
    policies = now.allow_policies.policies if isinstance(now.allow_policies, AllowPolicies) else {}
    for resource, policy in policies.items():
        if not isinstance(policy, AllowPolicy) or not policy.completeness.complete:
            continue
        # Members compare without case, and are told as they are written.
        there = {
            (b.role, m.casefold(), b.condition.expression if b.condition else "")
            for b in policy.bindings
            for m in b.members
        }
        shown = {member.casefold(): member for binding in policy.bindings for member in binding.members}
        for claim in claims_on(world, resource, home):
            if claim.doubt is not None or claim.open is not None or not all(one.is_whole for one in claim.given):
                continue
            shown |= {one.member.casefold(): one.member for one in claim.given}
            was: set[Triple] = {(one.role, one.member.casefold(), one.key[1]) for one in claim.given}
            own = {one for one in there if claim.completes is None or (one[0], one[2]) == claim.completes}
            for role, member, _ in sorted(was - there):
                yield f"{claim.item.address} gave {role} to {shown[member]} on {resource}, which is not there now"
            if claim.manner != "member":
                for role, member, _ in sorted(own - was):
                    yield f"{shown[member]} has {role} on {resource}, which {claim.item.address} did not list"


def _apis(now: Snapshot, world: World, home: Home) -> Iterator[str]:
    known = now.services.services if isinstance(now.services, Services) else {}
    for item in world.of(SERVICE):
        api = text(item.values, "service")
        state = known.get(api) if isinstance(api, str) and about(item, home) is True else None
        if isinstance(state, Service) and state.state is ServiceState.DISABLED:
            yield f"{item.address} had turned {api} on, which is off now"


def _datasets(now: Snapshot, declared: Declared, home: Home) -> Iterator[str]:
    if not isinstance(now.datasets, Datasets):
        return
    for resource in declared.resources:
        if resource.type != DATASET or resource.data or resource.maybe is not None:
            continue
        values = resource.before if resource.before is not None else resource.values
        item = Item(resource, values)
        name = Name.of(item)
        if not isinstance(name.dataset, str) or name.is_in(home, item) is not True:
            continue
        there = now.datasets.get(name.dataset)
        location = text(values, "location")
        if resource.change is Change.CREATE and resource.before is None:
            if isinstance(there, Dataset):
                yield f"{resource.address} makes the dataset {name.dataset}, which is there already"
        elif there is None:
            yield f"{resource.address} had made the dataset {name.dataset}, which is not there now"
        elif isinstance(there, Dataset) and isinstance(location, str) and not _same(location, there.location):
            yield f"{resource.address} had the dataset {name.dataset} in {location}; it is in {there.location}"


def _same(one: str, other: str) -> bool:
    """Locations compare without case."""
    return one.casefold() == other.casefold()

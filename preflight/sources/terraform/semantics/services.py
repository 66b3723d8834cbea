"""APIs that are turned on and off, from `google_project_service` and the old `google_project_services`."""

from preflight.facts.project import Service, Services, ServiceState
from preflight.facts.seen import Unknown, Unresolved
from preflight.sources.terraform.kinds import SERVICE, SERVICES
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.home import Home, about
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import first_unsettled, text, texts, truth

State = ServiceState | Unsettled | None
"""None: it leaves it as it is."""


def services(world: World, home: Home, apis: tuple[str, ...]) -> Services:
    """The state of each of these APIs."""
    return Services(
        services={
            api: service(world, home, api) or world.undeclared((SERVICE, SERVICES), f"{api} in {home.own}")
            for api in apis
        }
    )


def services_after(world: World, home: Home, now: Services) -> Services:
    """The same once these changes are applied to what is there."""
    found: dict[str, Service | Unknown] = {}
    for api, state in now.services.items():
        after = service(world, home, api) or world.omission((SERVICE, SERVICES))
        on = isinstance(state, Service) and state.state is ServiceState.ENABLED
        if isinstance(after, Unknown) and on and not turned_off(world, home, api):
            after = None  # it is on already, whatever may turn it on
        found[api] = after or state
    return Services(services=found)


def turned_off(world: World, home: Home, api: str) -> bool:
    """Whether anything may turn the API off."""
    for item in world.of(SERVICE, SERVICES):
        if about(item, home) is not False and (item.gone or item.resource.type == SERVICES):
            return _state(item, api) is not None
    return world.omission((SERVICE, SERVICES)) is not None


def service(world: World, home: Home, api: str) -> Service | Unknown | None:
    """What the resources do with one API; None: nothing."""
    said: list[tuple[Item, State]] = []
    for item in world.of(SERVICE, SERVICES):
        concerned = about(item, home)
        state = _state(item, api) if concerned is not False else None
        if state is not None:
            said.append((item, concerned if isinstance(concerned, Unsettled) else state))
    on = [item for item, state in said if state is ServiceState.ENABLED]
    off = [item for item, state in said if state is ServiceState.DISABLED]
    if on and off:
        why = f"{on[0].address} turns {api} on, and {off[0].address} turns it off: which comes last can't be told"
        return Unknown(Unresolved(why, "Apply it twice, or plan again after it."), off[0].seen())
    for item, state in said:
        if isinstance(state, Unsettled) and not on:
            return item.unknown(state)
    for item in (*on, *off):
        return Service(
            provenance=item.seen("service"), name=api, state=ServiceState.ENABLED if on else ServiceState.DISABLED
        )
    return None


def _state(item: Item, api: str) -> State:
    """What one resource does with the API."""
    if item.resource.type == SERVICES:
        return _of_list(item, api)
    name = text(item.values, "service")
    if isinstance(name, Unsettled):
        return None if item.gone else name
    if name != api:
        return None
    return ServiceState.ENABLED if not item.gone else _after(item)


def _of_list(item: Item, api: str) -> State:
    """All APIs of the project at once: what isn't listed is turned off."""
    names = texts(item.values, "services")
    if isinstance(names, Unsettled):
        return names
    if item.gone:
        return _after(item) if api in names else None
    if api in names:
        return ServiceState.ENABLED
    return first_unsettled(names) or (None if item.left else ServiceState.DISABLED)


def _after(item: Item) -> State:
    """What is left of an API whose resource is deleted: the provider turns it off if `disable_on_destroy` says so.
    Its default has changed over the years, and a plan tells it."""
    disabled = truth(item.values, "disable_on_destroy")
    if disabled is None:
        return Unsettled(
            f"whether {item.address} turns its API off when it is deleted isn't told", "disable_on_destroy"
        )
    if isinstance(disabled, Unsettled):
        return disabled
    return ServiceState.DISABLED if disabled else ServiceState.ENABLED

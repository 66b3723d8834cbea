"""Which project is meant, by its ID and number, and whether a resource is about it."""

from msgspec import Struct

from preflight.sources.terraform.kinds import PROJECT
from preflight.sources.terraform.resources import Unsettled, Value
from preflight.sources.terraform.semantics.items import Item, World
from preflight.sources.terraform.semantics.values import Values, text


class Home(Struct, frozen=True):
    """The project in question."""

    id: str | None
    number: str | None

    @property
    def own(self) -> str:
        """As a resource."""
        return f"projects/{self.id or self.number}"

    def is_it(self, value: Value) -> bool | Unsettled:
        """Whether a project as it is named somewhere is this one: by ID or number, `projects/` before it or not."""
        if isinstance(value, Unsettled):
            return value
        if not isinstance(value, str) or not value:
            return Unsettled("no project is named")
        name = value.removeprefix("projects/")
        if name in {self.id, self.number}:
            return True
        if (self.number if name.isdigit() else self.id) is None:
            return Unsettled(f"whether the project {name} is {self.id or self.number} can't be told from here")
        return False


def home_of(world: World, project: str) -> Home:
    """The project by the ID or number that was asked for, and by what is declared of it."""
    by_number = project.isdigit()
    pairs = [(one.values.get("project_id"), one.values.get("number")) for one in world.of(PROJECT)]
    pairs += [(one.values.get("project_id"), one.values.get("number")) for one in world.data(PROJECT)]
    for name, number in pairs:
        told = str(number) if isinstance(number, str | int) and not isinstance(number, bool) else ""
        if by_number and told == project and isinstance(name, str) and name:
            return Home(name, project)
        if name == project and told:
            return Home(project, told)
    return Home(None, project) if by_number else Home(project, None)


def project_named(item: Item) -> Value:
    """The project that a resource names, else its provider's; Unsettled where neither does."""
    return project_in(item.values, item.resource.providers_project, item.address)


def project_in(values: Values, providers: Value, address: str) -> Value:
    """The same by its arguments."""
    named = text(values, "project")
    if named is not None:
        return named
    if providers is not None:
        return providers
    return Unsettled(f"{address} names no project, and neither does its provider", "name the project in it")


def about(item: Item, home: Home) -> bool | Unsettled:
    """Whether a resource is about this project: no, surely, or perhaps (and why). One that may not exist at all is
    about it perhaps."""
    found = home.is_it(project_named(item))
    return found if found is False else doubted(item, found)


def doubted(item: Item, found: bool | Unsettled) -> bool | Unsettled:
    """The same, with whether there is such a resource at all."""
    if found is True and item.resource.maybe is not None:
        return item.resource.maybe
    return found

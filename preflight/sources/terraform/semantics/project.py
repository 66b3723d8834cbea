"""The project itself, its billing and its place in the hierarchy, from `google_project` and its like."""

from collections.abc import Iterator

from preflight.facts.project import Ancestry, Billing, Project
from preflight.facts.seen import Completeness, Incomplete, Provenance, Unknown, Unresolved
from preflight.sources.terraform.kinds import BILLING, FOLDER, PROJECT
from preflight.sources.terraform.resources import Change, Unsettled
from preflight.sources.terraform.semantics.home import Home, about, doubted
from preflight.sources.terraform.semantics.items import Item, World, seen_at
from preflight.sources.terraform.semantics.values import first_unsettled, text, truth

_DEEPEST = 16
"""Google allows ten levels of folders."""


def project(world: World, home: Home) -> Project | Unknown:
    """The project by its own resource, or by a data source that was read."""
    found = declared(world, home)
    if found is None:
        return _by_data(world, home) or world.undeclared((PROJECT,), home.own)
    if isinstance(found, Unknown):
        return found
    if found.gone and _stays(found) is None:
        why = Unsettled(f"{found.address} is deleted, and its deletion_policy refuses that: applying it would fail")
        return found.unknown(why)
    number = text(found.values, "number")
    name = text(found.values, "name")
    return Project(
        provenance=found.seen("project_id"),
        id=home.id or "",
        number=number if isinstance(number, str) else home.number or "",
        name=name if isinstance(name, str) else "",
        state="DELETE_REQUESTED" if found.gone and not _stays(found) else "ACTIVE",
        parent=_known_parent(found),
    )


def _stays(item: Item) -> bool | None:
    """Whether a project whose resource is deleted stays in the cloud; None: the deletion is refused.

    The provider's documentation of `google_project`: `deletion_policy` (before it `skip_delete`).
    """
    policy = text(item.values, "deletion_policy")
    if policy == "PREVENT":
        return None
    return policy == "ABANDON" or truth(item.values, "skip_delete") is True


def declared(world: World, home: Home) -> Item | Unknown | None:
    """The item of the project; Unknown where it may be it; None: there is none."""
    perhaps: Unknown | None = None
    gone: Item | None = None
    for item in world.of(PROJECT):
        found = doubted(item, home.is_it(item.values.get("project_id")))
        if isinstance(found, Unsettled):
            perhaps = perhaps or item.unknown(found)
        elif found and item.gone:
            gone = item
        elif found:
            return item
    return gone or perhaps


def _by_data(world: World, home: Home) -> Project | None:
    for resource in world.data(PROJECT):
        number = text(resource.values, "number")
        if home.is_it(resource.values.get("project_id")) is True and isinstance(number, str):
            name = text(resource.values, "name")
            item = Item(resource, resource.values)
            return Project(
                provenance=seen_at(resource, "project_id"),
                id=home.id or "",
                number=number,
                name=name if isinstance(name, str) else "",
                state="ACTIVE",  # the provider finds no project that is being deleted
                parent=_known_parent(item),
            )
    return None


def _known_parent(item: Item) -> str | Unknown | None:
    found = _parent(item)
    return item.unknown(found) if isinstance(found, Unsettled) else found


def _parent(item: Item) -> str | Unsettled | None:
    """What a project is in; None: nothing."""
    folder, organization = text(item.values, "folder_id"), text(item.values, "org_id")
    if isinstance(folder, str):
        return f"folders/{folder.removeprefix('folders/')}"
    unsettled = first_unsettled((folder, organization))
    if unsettled is not None:
        return unsettled
    return f"organizations/{organization}" if organization else None


def ancestry(world: World, home: Home) -> Ancestry | Unknown:
    """The project's folders and organization, as far as they are declared."""
    found = declared(world, home)
    if isinstance(found, Unknown):
        return found
    if found is None:
        return world.undeclared((PROJECT,), f"what {home.own} is in")
    parent = _parent(found)
    chain: list[str] = []
    while parent is not None:
        if isinstance(parent, Unsettled):
            gap = found.unknown(parent)
            return Ancestry(resources=tuple(chain), completeness=Completeness(gap.reason, gap.provenance))
        chain.append(parent)
        if parent.startswith("organizations/"):
            return Ancestry(resources=tuple(chain))
        above = next(_folders(world, parent), None) if len(chain) < _DEEPEST else None
        if above is None:
            why = f"{world.declared.root} doesn't declare what {parent} is in"
            settle = f"See: gcloud resource-manager folders describe {parent.removeprefix('folders/')}"
            return Ancestry(resources=tuple(chain), completeness=Completeness(Incomplete(why, settle), world.root))
        parent = above
    return Ancestry(resources=tuple(chain))


def _folders(world: World, name: str) -> Iterator[str | Unsettled]:
    """What the folder of this name is in, if it is declared."""
    for item in world.of(FOLDER):
        if item.stands and text(item.values, "name") == name:
            parent = text(item.values, "parent")
            if isinstance(parent, str) and not parent.startswith(("folders/", "organizations/")):
                parent = f"folders/{parent}" if parent.isdigit() else Unsettled(f"{item.address} has an odd parent")
            if parent is not None:
                yield parent


def billing(world: World, home: Home) -> Billing | Unknown:
    """Which account is linked. Whether that is open no resource tells."""
    linked = [*_linked(world, home)]
    if not linked:
        return world.undeclared((PROJECT, BILLING), f"which billing account {home.own} is linked to")
    for item, account, doubt in linked:
        if isinstance(account, Unsettled):
            return item.unknown(account)
        if doubt is not None:
            return item.unknown(doubt)
    named = dict.fromkeys(account for _, account, _ in linked if isinstance(account, str))
    if len(named) > 1:
        why = f"{' and '.join(item.address for item, _, _ in linked)} link different billing accounts"
        return Unknown(Unresolved(why, "Let one of them do it."), linked[0][0].seen())
    item = next((item for item, account, _ in linked if account), linked[0][0])
    where: Provenance = item.seen("billing_account")
    if not named:
        return Billing(provenance=where, enabled=False, account=None)
    account = next(iter(named))
    why = f"{account} is linked; whether that account is open Terraform doesn't tell"
    return Unknown(Incomplete(why, "See: gcloud billing projects describe PROJECT_ID"), where)


def account_linked(world: World, home: Home) -> str | None:
    """The one account that is surely linked; None: none, or it isn't known."""
    found = {account for _, account, doubt in _linked(world, home) if doubt is None}
    one = found.pop() if len(found) == 1 else None
    return one if isinstance(one, str) else None


def is_new(item: Item | Unknown | None) -> bool:
    """Whether the plan makes the project."""
    made = {Change.CREATE, Change.REPLACE}
    return isinstance(item, Item) and not item.gone and item.resource.change in made


def _linked(world: World, home: Home) -> Iterator[tuple[Item, str | Unsettled | None, Unsettled | None]]:
    found = declared(world, home)
    if isinstance(found, Item) and not found.gone:
        yield found, _account(found), None
    for item in world.of(BILLING):
        concerned = about(item, home)
        if concerned is not False and item.stands:
            yield item, _account(item), concerned if isinstance(concerned, Unsettled) else None


def _account(item: Item) -> str | Unsettled | None:
    account = text(item.values, "billing_account")
    if account is None or isinstance(account, Unsettled):
        return account
    return f"billingAccounts/{account.removeprefix('billingAccounts/')}"

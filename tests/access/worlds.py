"""Worlds in plain data: what Google would know of one project, and what an auditor sees of it.

A `View` with nothing missing is a world as it truly is; `hidden` puts blindfolds on. In a view, None stands for what
could not be read, and a key that isn't there for what was never asked about. Nothing here is the product's.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tests.access.clauses import Clause


class Grant(NamedTuple):
    """A binding of an allow policy."""

    role: str
    members: tuple[str, ...]
    condition: Clause | None = None


class AllowList(NamedTuple):
    """One resource's allow policy, as far as it was seen."""

    grants: tuple[Grant, ...] = ()
    complete: bool = True


class Denial(NamedTuple):
    """A rule of a deny policy."""

    principals: tuple[str, ...]
    permissions: tuple[str, ...]
    except_principals: tuple[str, ...] = ()
    except_permissions: tuple[str, ...] = ()
    condition: Clause | None = None


class DenyList(NamedTuple):
    """One resource's deny policies by name, as far as they were seen."""

    policies: Mapping[str, tuple[Denial, ...] | None]
    complete: bool = True


class Role(NamedTuple):
    permissions: frozenset[str]
    deleted: bool = False
    disabled: bool = False


class Team(NamedTuple):
    """A Google group: its direct members, and whose membership was asked one by one."""

    members: tuple[str, ...]
    checked: Mapping[str, bool] = {}
    complete: bool = True


class Entry(NamedTuple):
    """One entry of a dataset's access list; `kind` is a field of the API: `user`, `group`, `domain`,
    `special_group`, `iam_member`, `authorized`."""

    kind: str
    value: str
    role: str = ""
    condition: Clause | None = None


class Tags(NamedTuple):
    """The project's tags by namespaced name, and by permanent ID."""

    names: Mapping[str, str]
    ids: Mapping[str, str] = {}


class View(NamedTuple):
    """All that decides access to one project."""

    project: str
    number: str | None
    moment: datetime
    chain: tuple[str, ...]
    """The project, its folders and the organization, nearest first."""
    allow: Mapping[str, AllowList | None]
    roles: Mapping[str, Role | None] | None = {}
    deny: Mapping[str, DenyList | None] | None = {}
    groups: Mapping[str, Team | None] | None = {}
    """By e-mail in lower case."""
    tags: Tags | None = Tags({})
    datasets: Mapping[str, tuple[Entry, ...] | None] = {}
    chain_complete: bool = True
    deny_complete: bool = True
    unread_deny_blocks: bool = False


class Question(NamedTuple):
    """Does the principal hold a permission, on the project or on a dataset? With `role`: does a binding give it?"""

    principal: str
    permission: str = ""
    dataset: str | None = None
    role: str = ""


class Blindfold(NamedTuple):
    """Something that was not seen: which, and of what."""

    kind: str
    about: str = ""


def hidden(world: View, blindfolds: Iterable[Blindfold]) -> View:
    """What is seen of a world with these blindfolds on."""
    view = world
    # What hides a part of something comes before what hides all of it.
    for blindfold in sorted(blindfolds, key=lambda b: (ORDER.index(b.kind), b.about)):
        view = _without(view, blindfold)
    return view


ORDER = (
    "half policy",
    "policy",
    "absent policy",
    "ancestors",
    "absent role",
    "role",
    "roles",
    "absent roles",
    "half group",
    "checked group",
    "absent group",
    "group",
    "groups",
    "tags",
    "number",
    "half deny",
    "deny policy",
    "deny resource",
    "deny ancestors",
    "deny",
    "dataset",
)


def _without(view: View, blindfold: Blindfold) -> View:
    kind, about = blindfold
    match kind:
        case "half policy":
            policy = view.allow[about]
            assert policy is not None
            return view._replace(allow={**view.allow, about: AllowList(_half(policy.grants), complete=False)})
        case "policy":
            return view._replace(allow={**view.allow, about: None})
        case "absent policy":
            return view._replace(allow={r: policy for r, policy in view.allow.items() if r != about})
        case "ancestors":
            return view._replace(chain=view.chain[: int(about)], chain_complete=False)
        case "tags":
            return view._replace(tags=None)
        case "number":
            return view._replace(number=None)
        case "dataset":
            return view._replace(datasets={**view.datasets, about: None})
        case "role" | "absent role" | "roles" | "absent roles":
            return view._replace(roles=_fewer(view.roles, kind, about))
        case "deny" | "deny resource" | "deny policy" | "half deny" | "deny ancestors":
            return _denied_less(view, kind, about)
    if kind in {"half group", "checked group"}:
        assert view.groups is not None
        team = view.groups[about]
        assert team is not None
        less = Team(_half(team.members), complete=False) if kind == "half group" else team._replace(members=())
        # Who was asked about one by one is known; nothing is known of the others.
        return view._replace(groups={**view.groups, about: less._replace(complete=False)})
    return view._replace(groups=_fewer(view.groups, kind, about))


def _fewer(facts: Mapping[str, Any] | None, kind: str, about: str) -> dict[str, Any] | None:
    """Facts less one, or less all; what was refused stays refused where what is left was never asked about."""
    if facts is None or kind in {"roles", "groups"}:
        return None
    if not about:
        return {key: None for key, value in facts.items() if value is None}
    kept = {key: value for key, value in facts.items() if key != about}
    return kept if kind.startswith("absent") else {**kept, about: None}


def _denied_less(view: View, kind: str, about: str) -> View:
    deny = view.deny
    assert deny is not None
    if kind == "deny":
        return view._replace(deny=None)
    if kind == "deny resource":
        return view._replace(deny={**deny, about: None})
    if kind == "deny ancestors":
        return view._replace(deny={r: deny[r] for r in list(deny)[: int(about)]}, deny_complete=False)
    resource, _, name = about.rpartition("/") if kind == "deny policy" else (about, "", "")
    attached = deny[resource]
    assert attached is not None
    if kind == "deny policy":
        attached = attached._replace(policies={**attached.policies, name: None})
    else:
        attached = DenyList({name: attached.policies[name] for name in _half(tuple(attached.policies))}, complete=False)
    return view._replace(deny={**deny, resource: attached})


def _half(things: tuple[Any, ...]) -> tuple[Any, ...]:
    return things[: len(things) // 2]

"""The vendor's account holds no more than it needs."""

from collections.abc import Iterable
from typing import NamedTuple

from preflight import (
    AccessEntry,
    Answer,
    Dataset,
    Datasets,
    EffectiveAccess,
    Evidence,
    Link,
    Maybe,
    Profile,
    Reason,
    Remedy,
    Severity,
    Target,
    Unknown,
    Unresolved,
    Verdict,
    console_on,
    dataset_page,
    grant_on_dataset,
    grant_role,
    passed,
    remove_binding,
    revoke_on_dataset,
    rule,
    skipped,
    unknown,
    warned,
)


@rule(
    title="The vendor's account holds no more than it needs",
    why="What the vendor's account may do beyond its work, whoever gets hold of its key may do as well.",
    severity=Severity.RECOMMENDED,
    requirements=("H6", "H7"),
    since="0.1",
    order=57,
)
def holds_no_more(access: EffectiveAccess, datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Compares every role of the account, on the project and above, with what the profile asks for, and its entries
    in datasets other than the vendor's, as far as their access lists were read. The change that it suggests is worked
    through first: whatever the vendor needs and has now, it still has afterwards."""
    judged = _judged(access, profile)
    links = [link for link, _ in judged]
    sure = [(link, more) for link, more in judged if link.formula is True and more]
    elsewhere = _entries_elsewhere(access, datasets, profile, target)
    if sure or elsewhere:
        said = [f"{link.grant.role} on {link.grant.resource}{_such_as(more or frozenset())}" for link, more in sure]
        said += [f"{entry.role} in {dataset.id}, which is not the vendor's" for dataset, entry in elsewhere]
        return warned(
            f"{target.principal} holds more than it needs: {'; '.join(dict.fromkeys(said))}",
            *_unique(link.evidence for link, _ in sure),
            *(dataset.shows(entry, f"{entry.role} is given to {entry.member}") for dataset, entry in elsewhere),
            remedy=_remedies([link for link, _ in sure], elsewhere, access, datasets, profile, target),
        )
    open_ = [fact.unknown.reason for fact in access.unseen]
    open_ += [_open_reason(link, more) for link, more in judged if more is None or (link.formula is not True and more)]
    if open_:
        return unknown(
            f"nothing beyond its need in what could be read; not all could: {open_[0].describe()}",
            open_[0],
            *_unique(link.evidence for link in links),
            *(evidence for fact in access.unseen for evidence in fact.unknown.seen()),
        )
    if not links:
        return skipped(f"{target.principal} holds nothing on the project or above")
    unread = _unread(datasets, profile, target)
    note = f"; the access lists of {unread} other {'dataset' if unread == 1 else 'datasets'} were not read"
    return passed(
        f"{target.principal} holds what it needs, and no more{note if unread else ''}",
        *_unique(link.evidence for link in links),
    )


def _judged(access: EffectiveAccess, profile: Profile) -> list[tuple[Link, frozenset[str] | None]]:
    """Each grant that gives the account a role, or may, with what that role is beyond the need."""
    links = [link for link in access.links if link.formula is not False]
    if not links:
        return []
    roles, asked = _need(access, profile)
    beyond = {
        role: frozenset[str]() if role in roles else _beyond(role, asked, access)
        for role in dict.fromkeys(link.grant.role for link in links)
    }
    return [(link, beyond[link.grant.role]) for link in links]


def _need(access: EffectiveAccess, profile: Profile) -> tuple[tuple[str, ...], frozenset[str]]:
    """The roles that the account needs, and the permissions: of the preferred role, else of the minimum. Beside the
    preferred role, the roles of the minimum are more than what was asked for: they reach into every dataset."""
    grant = profile.grant
    roles: tuple[str, ...] = (grant.role,)
    if access.holds_role(grant.role).answer is not Answer.GRANTED:
        roles += grant.minimum_roles
    permissions = (*grant.minimum_permissions, *grant.broad_permissions, *profile.dataset.create_permissions)
    return roles, frozenset(permissions).union(*(access.permissions_of(role) or () for role in roles))


def _beyond(role: str, asked: frozenset[str], access: EffectiveAccess) -> frozenset[str] | None:
    """What a role gives beyond the permissions that were asked for; None where its permissions aren't known."""
    held = access.permissions_of(role)
    if held is None or (held <= asked and not access.knows_all_of(role)):
        return None  # no more is known of it, and it may hold more
    return held - asked


def _such_as(more: frozenset[str]) -> str:
    """The most telling of the permissions: who may change a policy may give themselves all the rest."""
    first = sorted(more, key=lambda name: (not name.endswith("setIamPolicy"), name))[:2]
    rest = len(more) - len(first)
    return f" ({', '.join(first)}{f' and {rest} more' if rest else ''})"


def _open_reason(link: Link, more: frozenset[str] | None) -> Reason:
    if more is None:
        return Unresolved(
            f"what {link.grant.role} holds is not known, or not all", f"Look up what {link.grant.role} holds."
        )
    return Unresolved(
        f"{link.grant.role} is granted to {link.grant.member} on {link.grant.resource}, and whether that gives it to "
        "the account can't be told"
    )


def _entries_elsewhere(
    access: EffectiveAccess, datasets: Maybe[Datasets], profile: Profile, target: Target
) -> list[tuple[Dataset, AccessEntry]]:
    """Entries that name the account in datasets that aren't the vendor's. Without a destination named, any dataset
    may be: nothing is said then."""
    if target.dataset is None or isinstance(datasets, Unknown):
        return []
    own = profile.dataset.companions(target.dataset)
    return [
        (dataset, entry)
        for name, dataset in datasets.datasets.items()
        if name not in own and isinstance(dataset, Dataset) and not isinstance(dataset.access, Unknown)
        for entry in dataset.access
        if not entry.authorized and entry.role_name and access.is_named_by(entry.member)
    ]


def _unread(datasets: Maybe[Datasets], profile: Profile, target: Target) -> int:
    """How many datasets other than the vendor's may name the account unseen: live, only the vendor's own are read."""
    if isinstance(datasets, Unknown):
        return 0
    own = profile.dataset.companions(target.dataset) if target.dataset else ()
    others = [found for name, found in datasets.datasets.items() if name not in own]
    return sum(
        not isinstance(found, Dataset) or isinstance(found.access, Unknown) or not found.access_completeness.complete
        for found in others
    )


def _remedies(
    links: list[Link],
    elsewhere: list[tuple[Dataset, AccessEntry]],
    access: EffectiveAccess,
    datasets: Maybe[Datasets],
    profile: Profile,
    target: Target,
) -> tuple[Remedy, ...]:
    there, unseen = _there(datasets, profile, target)
    direct = [link for link in links if access.is_named_by(link.grant.member)]
    change = _removal(direct, access, there, unseen, profile)
    if change.granted:
        # Beside the preferred role, what was needed for want of it is too much as well.
        then = _judged(access.after(granted=change.granted), profile)
        links = [link for link, more in then if link.formula is True and more]
        direct = [link for link in links if access.is_named_by(link.grant.member)]
        change = _removal(direct, access, there, unseen, profile)
    found = [_in_order(change, profile, target)] if change.going else []
    kept = dict.fromkeys(f"{x.grant.role} on {x.grant.resource}" for x in direct if x not in change.going)
    if kept:
        why = f", as {' and '.join(unseen)} could not be read" if unseen else ""
        found.append(Remedy(f"The vendor may need {' and '.join(kept)} for want of a narrower grant{why}."))
    for member in dict.fromkeys(link.grant.member for link in links if link not in direct):
        roles = dict.fromkeys(f"{x.grant.role} on {x.grant.resource}" for x in links if x.grant.member == member)
        has = " and ".join(roles)
        found.append(Remedy(f"Take the account out of {member}, which has {has}, or take those away from it."))
    if elsewhere:
        found.append(
            Remedy(
                summary="Take the account out of the access lists of datasets that are not the vendor's.",
                commands=tuple(dict.fromkeys(revoke_on_dataset(target.project, *found) for found in elsewhere)),
                console_url=dataset_page(target.project, elsewhere[0][0].id),
            )
        )
    return tuple(found)


class _Change(NamedTuple):
    """What goes, and what is granted before: the preferred role, and the write role in datasets."""

    going: list[Link]
    granted: tuple[str, ...] = ()
    shut: tuple[Dataset, ...] = ()


def _removal(
    links: list[Link], access: EffectiveAccess, there: list[Dataset], unseen: list[str], profile: Profile
) -> _Change:
    """As many of the grants as can go without the vendor losing what it needs and has, one after the other."""
    before = _needs(access, there, unseen, profile)

    def without(going: list[Link]) -> _Change | None:
        removed = [link.grant for link in going]
        granted: tuple[str, ...] = ()
        after = access.after(removed=removed)
        lost = before - _needs(after, there, unseen, profile)
        if any(isinstance(need, str) for need in lost):
            granted = (profile.grant.role,)
            after = access.after(removed=removed, granted=granted)
            lost = before - _needs(after, there, unseen, profile)
        shut = tuple(d for d in there if any(need == (d.id, p) for need in lost for p in _writes(profile)))
        opened = [_with_entry(dataset, profile, access) if dataset in shut else dataset for dataset in there]
        return _Change(going, granted, shut) if before <= _needs(after, opened, unseen, profile) else None

    change = _Change([])
    for link in links:
        change = without([*change.going, link]) or change
    return change


def _in_order(change: _Change, profile: Profile, target: Target) -> Remedy:
    going, granted, shut = change
    write_role = profile.dataset.write_role
    first = [grant_role(target.project, target.principal, role) for role in granted]
    first += [grant_on_dataset(target.project, dataset, target.principal, write_role, "") for dataset in shut]
    taken: dict[tuple[str, str, str], bool] = {}
    for link in going:
        key = (link.grant.resource, link.grant.member, link.grant.role)
        taken[key] = taken.get(key, False) or link.grant.condition is not None
    above = sorted({resource for resource, _, _ in taken if not resource.startswith("projects/")})
    told = [
        *([f"grant {' and '.join(granted)} first"] if granted else []),
        *([f"let the account write to {' and '.join(dataset.id for dataset in shut)}"] if shut else []),
        f"take {' and '.join(f'{role} on {resource}' for resource, _, role in taken)} away",
    ]
    summary = ", then ".join(told)
    wide = f" What is on {' and '.join(above)} acts on every project below it." if above else ""
    return Remedy(
        summary=f"{summary[0].upper()}{summary[1:]}; the vendor keeps what it needs.{wide}",
        commands=(
            *(command for grant in first for command in grant.commands),
            *(remove_binding(*key, conditional=conditional) for key, conditional in taken.items()),
        ),
        # What is taken away is a resource of theirs to delete, under a name that only they know.
        terraform="\n\n".join(grant.terraform for grant in first if grant.terraform) or None,
        console_url=console_on("iam-admin/iam", going[0].grant.resource),
    )


def _needs(
    access: EffectiveAccess, there: list[Dataset], unseen: list[str], profile: Profile
) -> set[str | tuple[str, str]]:
    """What the vendor needs and surely has: its role, permissions on the project, and those in each dataset; in one
    that wasn't seen, by the project's roles."""
    grant = profile.grant
    permissions = dict.fromkeys((*grant.minimum_permissions, *profile.dataset.create_permissions))
    held: set[str | tuple[str, str]] = {permission for permission in permissions if access.has(permission)}
    minimum = all(access.has_role(role) for role in grant.minimum_roles)
    minimum = minimum and bool(grant.minimum_roles) and set(grant.minimum_permissions) <= held
    if access.has_role(grant.role) or minimum:
        held.add("the role")
    held |= {
        (dataset.id, permission)
        for dataset in there
        for permission in _writes(profile)
        if access.has(permission, dataset)
    }
    if unseen:
        held |= {("", permission) for permission in _writes(profile) if access.has(permission)}
    return held


def _writes(profile: Profile) -> tuple[str, ...]:
    return profile.dataset.write_permissions


def _there(datasets: Maybe[Datasets], profile: Profile, target: Target) -> tuple[list[Dataset], list[str]]:
    """The vendor's datasets that are there, and the names of those of which that can't be told."""
    if target.dataset is None:
        return [], []
    names = profile.dataset.companions(target.dataset)
    found = {name: datasets if isinstance(datasets, Unknown) else datasets.get(name) for name in names}
    unread = [name for name, one in found.items() if isinstance(one, Unknown)]
    return [one for one in found.values() if isinstance(one, Dataset)], unread


def _with_entry(dataset: Dataset, profile: Profile, access: EffectiveAccess) -> Dataset:
    entries = () if isinstance(dataset.access, Unknown) else dataset.access
    given = AccessEntry(role=profile.dataset.write_role, iam_member=access.principal)
    return Dataset(
        provenance=dataset.provenance,
        id=dataset.id,
        location=dataset.location,
        access=(*entries, given),
        access_completeness=dataset.access_completeness,
    )


def _unique(groups: Iterable[tuple[Evidence, ...]]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for group in groups for evidence in group))

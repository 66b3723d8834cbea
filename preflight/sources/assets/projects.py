"""Which projects an export holds, by which names its lines speak of them, and what they are in."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from preflight.facts.seen import COMPLETE, Completeness, Incomplete, Unresolved
from preflight.sources.assets.holdings import Holdings, Kept, OddLineError, Scope, ancestors_of, project_id
from preflight.sources.assets.lines import AssetLines
from preflight.sources.assets.wire import ABSENT, Line, Resource, UnreadableContentError, decode_line, decoded

_RM = "//cloudresourcemanager.googleapis.com/"
_DEEPEST = 16
"""Google allows ten levels of folders."""


class Named(Struct, frozen=True):
    """A project with all the names by which lines speak of it."""

    id: str
    """Its ID; its number where only that is known."""
    scopes: tuple[str, ...]
    """`projects/NUMBER`, `projects/ID`: as far as there are lines by these names."""
    ambiguous: Unresolved | None = None
    """Why what goes by the number can't be told to be this project's."""


def projects_of(holdings: Holdings) -> tuple[Named, ...]:
    """All projects of which something was kept, in the order in which the file names them first."""
    scopes_of: dict[str, list[str]] = {}
    doubtful: dict[str, Unresolved] = {}
    anonymous: list[str] = []
    for scope, held in holdings.scopes.items():
        if not scope.startswith("projects/"):
            continue
        name = scope.removeprefix("projects/")
        told = [project_id(kept.line) for kept in held.all("resource").values()]
        ids = [one for one in told if one] or ([] if name.isdigit() else [name])
        for one in ids:
            scopes_of.setdefault(one, []).append(scope)
            if len(ids) > 1:
                both = " and ".join(sorted(ids))
                doubtful[one] = _doubt(f"in {holdings.files} the number {name} stands for {both}")
        if not ids:
            anonymous.append(scope)
    found = []
    for project, scopes in scopes_of.items():
        numbers = [scope for scope in scopes if scope.removeprefix("projects/").isdigit()]
        if len(numbers) > 1:
            said = " and ".join(scope.removeprefix("projects/") for scope in numbers)
            doubtful[project] = _doubt(f"in {holdings.files} {project} has the numbers {said}")
        found.append(Named(project, tuple(dict.fromkeys(scopes)), doubtful.get(project)))
    found += [Named(scope.removeprefix("projects/"), (scope,)) for scope in anonymous]
    return tuple(found)


def _doubt(why: str) -> Unresolved:
    return Unresolved(why, "Make the export again, at one moment and of one organization.")


def chain_of(scope: str, kept: Kept, held: Holdings) -> tuple[tuple[str, ...], Completeness]:
    """What a resource is in, nearest first, and whether that is all of it.

    An ancestry path starts with the asset itself and ends with the root (Cloud Asset v1 `Asset.ancestors`): one that
    has the project alone is that of a project that is in nothing.
    """
    told = ancestors_of(kept.line)
    above = told[1:] if told and (told[0] == scope or told[0].startswith("projects/")) else told
    parent = parent_of(kept.line)
    at = f"line {kept.number} of {kept.file}"
    if parent and above and parent != above[0]:
        why = f"{at} names the parent {parent} and the ancestor {above[0]}"
        return above, Completeness(Incomplete(why), held.where(kept))
    if above and not above[-1].startswith("organizations/"):
        why = f"{at} tells that {scope} is in {above[-1]}, and not what that is in"
        return above, Completeness(Incomplete(why), held.where(kept))
    if above or (told and not parent):
        return above, COMPLETE
    if not parent:
        return (), Completeness(
            Incomplete(f"{at} doesn't tell what {scope} is in: it has no ancestors"), held.where(kept)
        )
    return _climbed(parent, held)


def _climbed(parent: str, held: Holdings) -> tuple[tuple[str, ...], Completeness]:
    found: list[str] = []
    while parent not in found and len(found) < _DEEPEST:
        found.append(parent)
        if parent.startswith("organizations/"):
            return tuple(found), COMPLETE
        kept = held.scopes.get(parent, Scope()).one("resource")
        above = ancestors_of(kept.line) if kept else ()
        if above[:1] == (parent,) and above[-1].startswith("organizations/"):
            return (*found, *above[1:]), COMPLETE
        further = parent_of(kept.line) if kept else ""
        if not further:
            gap = Incomplete(f"{held.files} doesn't tell what {parent} is in")
            return tuple(found), Completeness(gap, held.whole())
        parent = further
    gap = Incomplete(f"the folders above the project do not end: {parent} comes again")
    return tuple(found), Completeness(gap, held.whole())


class _Parent(Struct):
    parent: str | dict[str, str] | None = None


def parent_of(line: Line) -> str:
    """`folders/N` or `organizations/N`; empty where the line names no parent."""
    if line.resource is ABSENT:
        return ""
    try:
        resource = decoded(line.resource, Resource)
        if resource.parent:
            return str(resource.parent).removeprefix(_RM)
        parent = decoded(resource.data, _Parent).parent if resource.data is not ABSENT else None
    except UnreadableContentError:
        return ""
    if isinstance(parent, dict):  # Resource Manager v1
        kind, name = parent.get("type", ""), parent.get("id", "")
        return f"{kind}s/{name}" if kind and name else ""
    return parent or ""


_NEEDLES = (b"googleapis.com/Project", b"googleapis.com/Folder", b"\\")
"""What lines of projects and folders hold, however they are written: a backslash may spell any letter."""


class Whereabouts(Struct):
    """One project in an export: the scopes to keep lines of, before they are read."""

    scopes: set[str]
    """Empty: it isn't there."""
    ids: list[str]
    """All project IDs of the exports, for who mistyped one."""


def look_for(paths: Iterable[Path], project: str) -> Whereabouts:
    """Finds a project by its ID or number, and what it is in. A pass over the files that decodes next to nothing."""
    found, ids = set[str](), dict[str, None]()
    parents: dict[str, str] = {}
    for text in (text for path in paths for text in AssetLines(path).mentioning(*_NEEDLES)):
        try:
            line = decode_line(text)
            line.settle()
            kind = line.asset_type.removeprefix("cloudresourcemanager.googleapis.com/")
            scope = line.name.removeprefix(_RM)
            if kind == "Folder":
                parents[scope] = parent_of(line) or parents.get(scope, "")
            if kind != "Project":
                continue
            told = project_id(line) if line.resource is not ABSENT else ""
            ids.update(dict.fromkeys([told] if told else []))
            if project in {told, scope.removeprefix("projects/")}:
                found |= {scope, *ancestors_of(line), *([f"projects/{told}"] if told else [])}
                found |= {above} if (above := parent_of(line)) else set()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OddLineError):
            continue  # what is wrong with a line is told when it is read
    if found and project.isdigit():
        found.add(f"projects/{project}")
    _with_parents(found, parents)
    return Whereabouts(found, list(ids))


def _with_parents(found: set[str], parents: dict[str, str]) -> None:
    new: Iterable[str] = tuple(found)
    while new:
        new = {above for scope in new if (above := parents.get(scope, ""))} - found
        found.update(new)

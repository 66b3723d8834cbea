"""An access path in words: its answer in a sentence, each way and barrier in a few words, and all of it as a list."""

from collections.abc import Iterator

from preflight.facts.access_path import AccessPath, Barrier, Level, Way
from preflight.renderers import words
from preflight.renderers.html.markup import Markup, element, markup

ANSWERS = {True: "granted", False: "not granted", None: "can't be told"}
_KINDS = {"organizations": "organization", "folders": "folder", "projects": "project"}
_PRINCIPALS = {"serviceAccount": "service account", "user": "user", "group": "group"}


def is_role(wanted: str) -> bool:
    """Whether what is wanted is a role, not a permission."""
    return "/" in wanted


def kind_and_name(resource: str) -> tuple[str, str]:
    """What kind of level it is, and its name without that."""
    _, found, dataset = resource.partition("/datasets/")
    if found:
        return "dataset", dataset
    kind, _, name = resource.partition("/")
    return (_KINDS[kind], name) if kind in _KINDS else ("", resource)


def principal_and_name(principal: str) -> tuple[str, str]:
    """What kind of principal it is, and its name without that."""
    kind, _, name = principal.partition(":")
    return (_PRINCIPALS[kind], name) if kind in _PRINCIPALS else ("principal", principal)


def sentence(path: AccessPath) -> str:
    """The answer."""
    verb = {True: "holds", False: "does not hold", None: "may hold"}[path.granted]
    until = f", until {words.when(path.changes_at)}" if path.changes_at else ""
    return f"{path.principal} {verb} {listed(path.wanted)} on {path.resource}{until}"


def caption(path: AccessPath) -> Markup:
    """What the picture is about."""
    kind, name = kind_and_name(path.resource)
    wanted = (markup(", " if number else None, element("code", one)) for number, one in enumerate(path.wanted))
    return markup(wanted, f" on {kind} " if kind else " on ", element("code", name), f": {ANSWERS[path.granted]}")


def listed(names: tuple[str, ...], most: int = 6) -> str:
    """The names, or the first of them and how many more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def shown(path: AccessPath) -> Iterator[tuple[Level, list[Way]]]:
    """The levels that bear on the answer, from the top, each with what stands there."""
    levels = [*path.levels]
    known = {level.resource for level in levels}
    levels += [Level(name, True) for name in dict.fromkeys(way.resource for way in path.ways) if name not in known]
    for level in levels:
        ways = [way for way in path.ways if way.resource == level.resource]
        if ways or path.granted is not True:
            yield level, ways


def nothing_at(level: Level, path: AccessPath) -> str:
    """What is to be said of a level where nothing stands."""
    if not level.read:
        return "not read in full"
    return "nothing here gives it" if path.granted is False else "nothing certain here"


def condition_of(way: Way) -> str:
    """Its condition by name, and what it comes to."""
    value = {True: "is true", False: "is false", None: "can't be told"}[way.holds]
    return f"condition {way.title or way.condition}: {value}" if way.condition else ""


def member_of(way: Way, path: AccessPath) -> str:
    """To whom it is granted, if not to the principal itself."""
    if way.member == path.principal:
        return ""
    return f"to {way.member}" + ("" if way.covers else ", which may include it")


def barrier_of(barrier: Barrier) -> str:
    """Who denies it, and where."""
    verb = "denied" if barrier.acts else "perhaps denied"
    return f"{verb} by deny policy {barrier.policy} on {barrier.resource}"


def in_words(path: AccessPath) -> Markup:
    """The path as a list in lists: the same as the picture, for those who can't see it or want the exact names."""
    return element(
        "ul",
        element("li", f"{sentence(path)}.", element("ul", _levels(path), _barriers(path), _open(path))),
        class_="tree",
    )


def _levels(path: AccessPath) -> Iterator[Markup]:
    for level, ways in shown(path):
        if not ways:
            yield element("li", element("code", level.resource), f": {nothing_at(level, path)}")
            continue
        yield element("li", "on ", element("code", level.resource), element("ul", (_way(way, path) for way in ways)))
    if path.more_ways:
        yield element("li", f"and {path.more_ways:,} more, which are not shown")


def _way(way: Way, path: AccessPath) -> Markup:
    parts = [element("li", "granted to ", element("code", way.member), _covers(way, path))]
    if way.role_holds is None:
        parts.append(element("li", "whether the role holds it is not known"))
    if way.condition:
        titled = f" {way.title}" if way.title else ""
        value = {True: "is true", False: "is false", None: "can't be told from here"}[way.holds]
        parts.append(element("li", f"its condition{titled} {value}: ", element("code", way.condition)))
    gives = {True: "gives it", False: "does not give it now", None: "may give it"}[way.gives]
    return element("li", element("code", way.role), f" {gives}", element("ul", parts))


def _covers(way: Way, path: AccessPath) -> str:
    if way.member == path.principal:
        return ", itself"
    return ", which it is or belongs to" if way.covers else ", which may include it"


def _barriers(path: AccessPath) -> Iterator[Markup]:
    for barrier in path.barriers:
        only = [", if ", element("code", barrier.condition)] if barrier.condition else []
        yield element("li", barrier_of(barrier), *only)


def _open(path: AccessPath) -> Iterator[Markup]:
    for point in path.open:
        yield element("li", f"not known: {point.why}. {point.settle}")

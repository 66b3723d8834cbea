"""After the first sync, what is to be queried are views, and each has the table that it reads."""

from typing import NamedTuple

from preflight import (
    Evidence,
    Incomplete,
    Profile,
    Remedy,
    Severity,
    Synced,
    TableList,
    Target,
    Verdict,
    dataset_page,
    failed,
    passed,
    rule,
    shell,
    skipped,
    unknown,
)

_MOST_NAMED = 5
"""So many of a kind are named in the message; the evidence names all."""


class _Wrong(NamedTuple):
    """What is wrong in one dataset in one way."""

    where: TableList
    said: str
    names: tuple[str, ...] = ()

    def brief(self) -> str:
        rest = len(self.names) - _MOST_NAMED
        return self._with(self.names[:_MOST_NAMED], f" and {rest:,} more" if rest > 0 else "")

    def seen(self) -> Evidence:
        return self.where.provenance.saw(self._with(self.names, ""))

    def _with(self, names: tuple[str, ...], more: str) -> str:
        return f"{self.said} in {self.where.dataset}" + (f": {', '.join(names)}{more}" if names else "")


@rule(
    title="The synced views have their tables",
    why="A view whose table is gone breaks in every query, and whoever reads a table that stands in place of a view "
    "reads duplicates.",
    severity=Severity.IMPORTANT,
    requirements=("H8", "H9"),
    since="0.2",
    after=("project-active", "bigquery-api-enabled"),
    order=92,
)
def views_have_their_tables(synced: Synced, profile: Profile, target: Target) -> Verdict:
    """In the destination each view, but for those that the profile excepts, has a table of its name with the
    profile's ending, and what has such a table beside it is a view. In a companion, what is named as a view of the
    destination is a view. Each of the datasets holds a view at all. A table without a view is nothing wrong. Whose a
    view is can't be seen: one that is not the vendor's fails as well if it has no such table. Before the first sync
    the rule is skipped."""
    if synced.moot or synced.before:
        return skipped(synced.moot or synced.before)
    if synced.sign is None and synced.gap is not None:
        reason = synced.gap.reason
        return unknown(f"whether anything was synced can't be told: {reason.describe()}", reason, *synced.gap.seen())
    own = synced.parts[0]
    if own.tables is None:
        return skipped(f"{own.name} isn't there, or has only just been made: there are no views in it")
    lists = [part.tables for part in synced.parts if isinstance(part.tables, TableList)]
    wrong = [_Wrong(listed, "no view") for listed in lists if _surely_none(listed)]
    unclear: list[str] = []
    if isinstance(own.tables, TableList):
        found, unclear = _in_destination(own.tables, profile)
        wrong += found
        views = set(own.tables.views())
        for listed in lists[1:]:
            tables = tuple(name for name in listed.tables if name in views and listed.is_view(name) is False)
            wrong += [_Wrong(listed, "tables in place of views", tables)] if tables else []
    if wrong:
        return failed(
            "; ".join(one.brief() for one in wrong),
            *(one.seen() for one in wrong),
            remedy=_mend([one.where.dataset for one in wrong], profile, target),
        )
    # What is amiss was seen; that nothing is takes all of it.
    gap = next((part.gap for part in synced.parts if part.gap is not None), None)
    if gap is not None:
        return unknown(f"not all of it could be read: {gap.reason.describe()}", gap.reason, *gap.seen())
    counts = [f"{sum(1 for _ in listed.views()):,} in {listed.dataset}" for listed in lists]
    seen = [listed.provenance.saw(f"views: {count}") for listed, count in zip(lists, counts, strict=True)]
    if unclear:
        reason_ = Incomplete(f"of a kind that this version doesn't know: {', '.join(unclear)}", "Update preflight.")
        return unknown(f"whether these are views can't be told: {', '.join(unclear)}", reason_, *seen)
    if any(part.dataset is None for part in synced.parts):
        return passed(f"views: {', '.join(counts)}, with their tables; the other dataset isn't there", *seen)
    query = profile.sync.query.replace("<dataset>", own.name) if profile.sync else ""
    return passed(f"views: {', '.join(counts)}, with their tables. {query}".rstrip(), *seen)


def _surely_none(listed: TableList) -> bool:
    return listed.completeness.complete and all(listed.is_view(name) is False for name in listed.tables)


def _in_destination(own: TableList, profile: Profile) -> tuple[list[_Wrong], list[str]]:
    """What is wrong, and which names are of a kind that can't be judged."""
    if profile.sync is None:
        return [], []
    ending = profile.sync.raw_suffix
    bare, no_views, no_tables, unclear = [], [], [], []
    for name in own.tables:
        if name.endswith(ending):
            continue
        is_view, table = own.is_view(name), name + ending
        behind = table in own.tables
        if is_view is None or (is_view and own.is_view(table) is None):
            unclear.append(name)
        elif not is_view and (behind or name in profile.sync.unbacked_views):
            no_views.append(name)
        elif is_view and behind and not own.is_table(table):
            no_tables.append(table)
        elif is_view and not behind and name not in profile.sync.unbacked_views and own.completeness.complete:
            bare.append(name)
    groups = {
        f"views without their {ending} table": bare,
        "tables in place of views": no_views,
        "no tables behind views": no_tables,
    }
    return [_Wrong(own, said, tuple(names)) for said, names in groups.items() if names], unclear


def _mend(datasets: list[str], profile: Profile, target: Target) -> tuple[Remedy, ...]:
    project, first = target.project, datasets[0]
    show = tuple(shell("bq", "ls", "--max_results=10000", f"{project}:{name}") for name in dict.fromkeys(datasets))
    return (
        Remedy(
            "If the first sync is still under way, run again when it is done. What is yours, and not the vendor's, put "
            "into a dataset of your own.",
            show,
            console_url=dataset_page(project, first),
        ),
        Remedy(f"Else ask {profile.support.name} ({profile.support.email}) to sync anew. Delete nothing before."),
    )

"""Several projects on a page: few of them in full, one after another; or a fleet, a line each."""

from collections.abc import Iterator, Sequence

from preflight.renderers import fleet, words
from preflight.renderers.fleet import Row
from preflight.renderers.html.finding import Where, badge
from preflight.renderers.html.markup import Content, Markup, element, markup
from preflight.renderers.html.page import page
from preflight.renderers.html.report import about, question, render, sections, verdict, warned
from preflight.report import Report, Status

_IN_TROUBLE = (Status.FAIL, Status.UNKNOWN)
_COLUMNS = ("Result", "Project", "Fails", "Unknown", "Warns", "Passes", "First in the way")
_MOST_OPEN = 50
"""A longer list of projects that nothing is wrong with is closed."""


class Pages:
    """A document that tells each report in full, for few of them; with only one of them it is that report's page."""

    def __init__(self, warnings: Sequence[str] = ()) -> None:
        """`warnings` are sentences about all of it, which may come until the end."""
        self._warnings = warnings
        self._reports: list[Report] = []

    def add(self, report: Report) -> str:
        """Nothing yet: the page begins with what all of them come to."""
        self._reports.append(report)
        return ""

    def end(self, rows: list[Row]) -> str:
        """The page."""
        match self._reports:
            case []:
                return page(
                    "preflight: nothing to judge",
                    _head("Nothing to judge", "No project was judged."),
                    warned(self._warnings),
                )
            case [report]:
                return render(report, self._warnings)
        return page(_title(rows, self._reports[0]), _header(rows, self._reports[0]), self._parts(rows))

    def _parts(self, rows: list[Row]) -> Iterator[Markup]:
        named = {id(row): f"project-{number}" for number, row in enumerate(rows, start=1)}
        yield _section("At a glance", _table("All projects", fleet.worst_first(rows), named))
        for row, report in zip(rows, self._reports, strict=True):
            name = named[id(row)]
            where = Where(depth=2, prefix=f"{name}-")
            inside = [verdict(report), about(report), *sections(report, where)]
            yield element("section", element("h2", question(report), id=name), inside, class_="project")
        yield from warned(self._warnings)


def fleet_page(rows: list[Row], first: Report, source: str) -> str:
    """The fleet on a page, what is wrong first. `first` is any of the reports: it tells what all have in common."""
    return page(_title(rows, first), _header(rows, first, source), _fleet(rows))


def _fleet(rows: list[Row]) -> Iterator[Markup]:
    if reasons := fleet.in_the_way(rows):
        items = (element("li", element("code", rule), f": {count:,}") for rule, count in reasons)
        yield _section("First in the way", element("ul", items))
    ordered = fleet.worst_first(rows)
    trouble = [row for row in ordered if row.status in _IN_TROUBLE]
    fine = [row for row in ordered if row.status not in _IN_TROUBLE]
    if trouble:
        yield _section("What is in the way", _table("What is in the way", trouble))
    if fine:
        summary = element("summary", f"{len(fine):,} {'project' if len(fine) == 1 else 'projects'}")
        listed = element(
            "details", summary, _table("Nothing in the way", fine), class_="plain", open=len(fine) <= _MOST_OPEN
        )
        yield _section("Nothing in the way", listed)


def _title(rows: list[Row], first: Report) -> str:
    return f"{len(rows):,} project{'s' * (len(rows) != 1)} for {first.vendor}"


def _header(rows: list[Row], first: Report, source: str = "") -> Markup:
    facts = ", ".join(part for part in (first.source, source, words.when(first.started_at)) if part)
    pairs = (
        ("Account", element("code", first.target.principal)),
        ("Profile", f"{first.profile} {first.profile_version}"),
        ("Facts", facts),
    )
    told = element("dl", (element("div", element("dt", k), element("dd", v)) for k, v in pairs), class_="about")
    return _head(_title(rows, first), fleet.totals(rows), told)


def _head(title: str, lead: str, more: Content = None) -> Markup:
    return markup(
        element("p", "preflight report", class_="eyebrow"),
        element("h1", title),
        element("p", lead, class_="lead"),
        more,
    )


def _section(title: str, content: Content) -> Markup:
    return element("section", element("div", element("h2", title), class_="head", data_tools=True), content)


def _table(name: str, rows: list[Row], named: dict[int, str] | None = None) -> Markup:
    head = element("tr", (element("th", column, scope="col") for column in _COLUMNS))
    body = (_row(row, (named or {}).get(id(row))) for row in rows)
    table = element("table", element("thead", head), element("tbody", body), class_="projects")
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=name)


def _row(row: Row, name: str | None) -> Markup:
    project = element("code", row.project)
    return element(
        "tr",
        element("td", badge(row.status)),
        element("th", element("a", project, href=f"#{name}") if name else project, scope="row"),
        (element("td", f"{count:,}", class_="number") for count in row.counts[:4]),
        element("td", (element("code", row.rule), f" {row.message}") if row.rule else None, class_="why"),
    )

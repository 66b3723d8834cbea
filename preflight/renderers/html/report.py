"""The report on one project as a page: the verdict at a glance, what to do, and what all of it rests on."""

from collections.abc import Iterator, Sequence

from preflight.facts.snapshot import UNKNOWN_PROJECT
from preflight.renderers import words
from preflight.renderers.html.finding import Where, badge, block, icon, in_full, in_short
from preflight.renderers.html.markup import Content, Markup, element, markup, preformatted
from preflight.renderers.html.page import page
from preflight.report import Report, Status

_ORDER = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIP)
_NAMES = {
    Status.FAIL: "fail",
    Status.UNKNOWN: "unknown",
    Status.WARN: "warn",
    Status.PASS: "pass",
    Status.SKIP: "don't apply",
}


def render(report: Report, warnings: Sequence[str] = ()) -> str:
    """The report as a file of HTML. `warnings` are sentences about all that was read, beside the report."""
    title = f"{words.answer(report)}: {words.project(report)} for {report.vendor}"
    where = Where(depth=1)
    header = markup(
        element("p", "preflight report", class_="eyebrow"),
        element("h1", question(report)),
        verdict(report),
        about(report),
    )
    return page(title, header, [sections(report, where), warned(warnings), handover(report, where)])


def question(report: Report) -> Markup:
    """What the report answers."""
    project = element("code", report.target.project) if report.target.project != UNKNOWN_PROJECT else "this project"
    if report.repository:
        return markup("Does this repository break the connection of ", report.vendor, " to ", project, "?")
    return markup("Is ", project, " ready for ", report.vendor, "?")


def verdict(report: Report) -> Markup:
    """The answer, in a word, a sentence, and numbers."""
    counts = words.counts(report)
    return element(
        "div",
        element("div", icon(report.status), class_="sign"),
        element(
            "div",
            element("p", words.answer(report), class_="answer"),
            element("p", f"{counts[:1].upper()}{counts[1:]}. {words.next_step(report)}", class_="lead"),
            element("ul", _counts(report), class_="counts"),
            (element("p", element("b", "Warning: "), notice, class_="notice") for notice in words.notices(report)),
        ),
        class_=f"verdict {report.status.value}",
        role="group",
        aria_label="The verdict",
    )


def _counts(report: Report) -> Iterator[Markup]:
    for status in _ORDER:
        if number := report.count(status):
            yield element("li", icon(status), element("b", f"{number:,}"), f" {_NAMES[status]}", class_=status.value)


def about(report: Report) -> Markup:
    """What was judged, for whom, and by what."""
    target = report.target
    told: list[tuple[str, Content]] = [
        ("Project", _named(words.project(report), report.project_number)),
        ("Account", element("code", target.principal)),
        ("Location", element("code", target.location) if target.location else None),
        ("Dataset", element("code", target.dataset) if target.dataset else None),
        ("Profile", f"{report.profile} {report.profile_version}"),
        ("Facts", f"{words.source(report)}, {words.when(report.started_at)}"),
    ]
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in told if value)
    return element("dl", pairs, class_="about")


def _named(project: str, number: str | None) -> Markup:
    return markup(element("code", project), element("span", f" {number}", class_="dim") if number else None)


def warned(warnings: Sequence[str]) -> Iterator[Markup]:
    """Sentences about all that was read, if there are any."""
    if warnings:
        yield _section("Warnings", element("ul", (element("li", warning) for warning in warnings)), Where(depth=1))


def handover(report: Report, where: Where) -> Iterator[Markup]:
    """What to send to the vendor; or, while it is too early for that, what is missing."""
    if not report.hands_over or report.handover is None:
        return
    said = element("p", words.send_to(report))
    if not report.is_ready:
        missing = element("ul", (element("li", one) for one in words.missing(report)))
        yield _section("What is missing", markup(said, missing), where)
        return
    open_point = element("p", text) if (text := words.still_open(report)) else None
    text_to_send = block(preformatted(report.handover.text), "the text")
    yield _section("What to send", markup(said, text_to_send, open_point), where)


def sections(report: Report, where: Where) -> Iterator[Markup]:
    """All below the verdict."""
    found = report.by_urgency()
    told = words.Told()
    wrong = [finding for finding in found if words.wants_explaining(finding)]
    yield _overview(report, where)
    if wrong:
        yield _section("What to do", (in_full(finding, told, _deeper(where)) for finding in wrong), where)
    for status, title in ((Status.PASS, "What passes"), (Status.SKIP, "What does not apply")):
        if some := [finding for finding in found if finding.status is status]:
            yield _section(title, (in_short(finding, where) for finding in some), where)
    yield from _left_out(report, where)


def _deeper(where: Where) -> Where:
    return Where(where.depth + 1, where.prefix)


def _section(title: str, content: Content, where: Where, tools: bool = False) -> Markup:
    head = element("div", where.heading(title), class_="head", data_tools=tools)
    return element("section", head, content)


def _overview(report: Report, where: Where) -> Markup:
    found = report.by_urgency()
    if not found:
        return _section("At a glance", element("p", "No rule was judged."), where)
    account = report.target.principal  # which the page's head names in full
    rows = (
        element(
            "tr",
            element("td", badge(finding.status)),
            element(
                "th", element("a", element("code", finding.rule), href=f"#{where.name(finding.rule)}"), scope="row"
            ),
            element("td", element("span", words.shortened(finding.verdict.message, account), class_="found")),
            class_=finding.status.value,
        )
        for finding in found
    )
    head = element("tr", (element("th", name, scope="col") for name in ("Result", "Rule", "Found")))
    table = element("table", element("thead", head), element("tbody", rows), class_="glance")
    return _section("At a glance", table, where, tools=True)


def _left_out(report: Report, where: Where) -> Iterator[Markup]:
    items = [
        element("li", element("code", rule), ": nobody asked for this rule, and it could stand in the way")
        for rule in report.unasked
    ]
    items += [
        element("li", element("code", finding.rule), ": ", finding.verdict.message)
        for finding in report.findings
        if finding.ignored is not None
    ]
    if report.only_new:
        items.append(element("li", "the exit code counts only what the plan makes worse"))
    if report.allow_unknown:
        items.append(element("li", "the exit code lets what is unknown pass"))
    if items:
        yield _section("What was left out", element("ul", items), where)

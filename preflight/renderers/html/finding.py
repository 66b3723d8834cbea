"""One finding on the page: what was found, why, what to do, and what it rests on."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from msgspec import Struct

from preflight.facts.seen import Evidence
from preflight.renderers import words
from preflight.renderers.html.access_picture import figure
from preflight.renderers.html.markup import NEWLINE, Content, Markup, element, markup, preformatted
from preflight.renderers.visible import visible
from preflight.report import Finding, Remedy, Status

_CONSOLE = "https://console.cloud.google.com/"
MOST_EVIDENCE = MOST_REMEDIES = 100
MOST_COMMANDS = 200
"""Of a finding, of a finding, and of a remedy; the others are in the JSON report."""
_OPEN_REMEDIES = 5
_OPEN_EVIDENCE = 4
_PICTURES = 3


class Where(Struct, frozen=True):
    """Where on the page something is: how deep, and what the IDs there begin with."""

    depth: int = 2
    """The level of the headings above it."""
    prefix: str = ""

    def heading(self, *content: Content, below: int = 1, **attributes: str | None) -> Markup:
        """A heading."""
        return element(f"h{self.depth + below}", *content, **attributes)

    def name(self, rule: str) -> str:
        """The ID of a rule's finding."""
        return self.prefix + (re.sub(r"[^A-Za-z0-9_-]", "-", rule) or "-")


def badge(status: Status) -> Markup:
    """A verdict by word, form and colour."""
    return element("span", icon(status), status.value, class_=f"badge {status.value}")


def icon(status: Status) -> Markup:
    """The sign of a verdict."""
    return element("svg", element("use", href=f"#sign:{status.value}"), width=16, height=16, aria_hidden="true")


def in_full(finding: Finding, told: words.Told, where: Where) -> Markup:
    """A finding that somebody has to do something about."""
    verdict = finding.verdict
    name = where.name(finding.rule)
    return element(
        "article",
        where.heading(badge(finding.status), element("code", finding.rule), id=name),
        element("p", verdict.message, class_="lead"),
        _facts(finding),
        _pictures(finding, name),
        _remedies(finding, told, where),
        _seen(finding),
        _how(finding),
        class_=f"finding {finding.status.value}",
        aria_labelledby=name,
    )


def in_short(finding: Finding, where: Where) -> Markup:
    """A finding that is as it should be, or doesn't apply: closed until somebody wants to see."""
    name = where.name(finding.rule)
    summary = element(
        "summary", badge(finding.status), element("code", finding.rule), " ",
        element("span", finding.verdict.message, class_="said"),
    )  # fmt: skip
    inside = [_facts(finding), _pictures(finding, name), _evidence(finding.verdict.evidence), _how(finding)]
    return element("details", summary, element("div", inside, class_="inside"), id=name, class_="finding short")


def _facts(finding: Finding) -> Markup:
    return element("dl", _told_of(finding), class_="facts")


def _told_of(finding: Finding) -> Iterator[Markup]:
    if finding.before is not None and finding.before is not finding.status:
        turn = markup(badge(finding.before), " → ", badge(finding.status))
        yield _fact("Before the plan", turn, ", which makes it worse" if finding.worse else "")
    elif finding.before is not None:
        yield _fact("Before the plan", "the same")
    weight = ", ".join([finding.severity.value, *finding.requirements])
    yield _fact("Wanted", finding.title, element("span", f" ({weight})", class_="dim"))
    if finding.why:
        yield _fact("Why it matters", finding.why)
    reason = finding.verdict.reason
    if reason is not None:
        yield _fact("Not known because", reason.describe())
        yield _fact("What settles it", reason.settle())
    if finding.ignored is not None:
        yield _fact("Ignored", finding.ignored.reason, " (", element("code", finding.ignored.place), ")")


def _fact(name: str, *content: Content) -> Markup:
    return element("div", element("dt", name), element("dd", *content))


def _pictures(finding: Finding, name: str) -> Iterator[Markup]:
    access = finding.verdict.access
    for number, path in enumerate(access[:_PICTURES]):
        yield figure(path, f"{name}-path-{number}")
    if len(access) > _PICTURES:
        yield element("p", f"{len(access) - _PICTURES} more like these are not drawn.", class_="dim")


def _remedies(finding: Finding, told: words.Told, where: Where) -> Iterator[Markup]:
    remedies = finding.verdict.remedies
    if finding.verdict.reason is not None:  # that is said above
        settle = finding.verdict.reason.settle()
        remedies = tuple(one for one in remedies if one != Remedy(summary=settle))
    if not remedies:
        return
    yield where.heading("To settle it" if finding.status is Status.UNKNOWN else "To fix it", below=2)
    items = [element("li", _remedy(remedy, finding, told, where)) for remedy in remedies[:MOST_REMEDIES]]
    yield element("ol" if len(items) > 1 else "ul", items[:_OPEN_REMEDIES], class_="remedies")
    more = items[_OPEN_REMEDIES:]
    if len(remedies) > MOST_REMEDIES:
        more.append(element("li", f"{len(remedies) - MOST_REMEDIES:,} more are in the JSON report.", class_="dim"))
    if more:
        summary = element("summary", f"{len(remedies) - _OPEN_REMEDIES:,} more to do")
        listed = element("ol", more, class_="remedies", start=_OPEN_REMEDIES + 1)
        yield element("details", summary, listed, class_="plain")


def _remedy(remedy: Remedy, finding: Finding, told: words.Told, where: Where) -> Iterator[Markup]:
    if first := told.before(remedy, finding.rule):
        link = element("a", element("code", first), href=f"#{where.name(first)}")
        yield element("p", remedy.summary, " How: see ", link, ".")
        return
    yield element("p", remedy.summary)
    if remedy.commands:
        yield block([_command(command) for command in remedy.commands[:MOST_COMMANDS]], "the commands")
        if len(remedy.commands) > MOST_COMMANDS:
            more = len(remedy.commands) - MOST_COMMANDS
            yield element("p", f"{more:,} more commands are in the JSON report.", class_="dim")
    if remedy.terraform:
        text = block(preformatted(remedy.terraform), "the Terraform")
        yield (
            element("details", element("summary", "In Terraform"), text, class_="plain") if remedy.commands else text
        )
    if remedy.console_url:
        yield element("p", _link(remedy.console_url))


def _command(command: str) -> Markup:
    """A command on a line of its own, which is broken between its words: a browser would break at every hyphen."""
    words_of_it = [(word, preformatted(word)) for word in visible(command).split(" ")]
    shown = (element("span", word, class_="word") if "-" in text else word for text, word in words_of_it)
    spaced = (markup(" " if number else None, word) for number, word in enumerate(shown))
    return element("span", spaced, NEWLINE, class_="line")


def block(text: Content, name: str) -> Markup:
    """What is to be copied, with a button that does it; `name` is what is called so."""
    return element(
        "div",
        element("pre", element("code", text)),
        class_="block",
        data_copy=name,
    )


def _link(url: str) -> Markup:
    if not url.startswith(_CONSOLE):  # a reader shouldn't be led anywhere by a label that we wrote
        return markup("Page: ", element("code", url))
    safe = quote(visible(url), safe=":/?#@!$*&+,=%")
    return element("a", "Open in the Google Cloud console", href=safe, rel="noopener noreferrer external")


def _seen(finding: Finding) -> Markup | None:
    evidence = finding.verdict.evidence
    if not evidence:
        return None
    summary = element("summary", f"What this rests on ({len(evidence):,})")
    return element("details", summary, _evidence(evidence), class_="plain", open=len(evidence) <= _OPEN_EVIDENCE)


def _how(finding: Finding) -> Markup | None:
    if not finding.how:
        return None
    said = element("p", " ".join(finding.how.split()), class_="how")
    return element("details", element("summary", "How it is judged"), said, class_="plain")


def _evidence(evidence: tuple[Evidence, ...]) -> Markup | None:
    if not evidence:
        return None
    items = [element("li", _observation(one)) for one in evidence[:MOST_EVIDENCE]]
    if len(evidence) > MOST_EVIDENCE:
        items.append(element("li", f"{len(evidence) - MOST_EVIDENCE:,} more are in the JSON report.", class_="dim"))
    return element("ul", items, class_="evidence")


def _observation(evidence: Evidence) -> Iterator[Markup]:
    yield element("span", evidence.detail)
    where = [element("code", part) for part in (evidence.source, evidence.resource) if part]
    moment = evidence.observed_at
    if moment is not None:
        where.append(element("time", words.when(moment), datetime=words.utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")))
    apart = (markup(" · " if number else None, part) for number, part in enumerate(where))
    yield element("span", apart, class_="source")

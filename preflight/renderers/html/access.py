"""An answer about access as a page: the answer, its picture, and the whole proof."""

from collections.abc import Iterable

from preflight.access.decision import Answer, Decision
from preflight.access.path import path_of
from preflight.renderers.access_tree import HEADLINES, Node, headline, tree
from preflight.renderers.html.access_picture import figure
from preflight.renderers.html.finding import icon
from preflight.renderers.html.markup import Markup, element, markup
from preflight.renderers.html.page import page
from preflight.report import Status

_STATUSES = {Answer.GRANTED: Status.PASS, Answer.NOT_GRANTED: Status.FAIL, Answer.UNKNOWN: Status.UNKNOWN}


def render(decision: Decision) -> str:
    """The answer as a file of HTML."""
    status, answer = _STATUSES[decision.answer], HEADLINES[decision.answer]
    said = headline(decision).removeprefix(f"{answer}: ")
    header = markup(
        element("p", "preflight access", class_="eyebrow"),
        element("h1", "Who can do what: ", element("code", decision.permission)),
        element(
            "div",
            element("div", icon(status), class_="sign"),
            element("div", element("p", answer, class_="answer"), element("p", f"{said}.", class_="lead")),
            class_=f"verdict {status.value}",
            role="group",
            aria_label="The answer",
        ),
    )
    picture = element("div", figure(path_of(decision), "path"), class_="finding card")
    proof = element("div", _nodes(tree(decision)), class_="finding card")
    main = [
        element("section", element("h2", "The way there"), picture),
        element("section", element("h2", "What it rests on"), proof),
    ]
    return page(f"{answer}: {decision.permission}", header, main)


def _nodes(nodes: Iterable[Node]) -> Markup:
    items = (element("li", node.text, _nodes(node.children) if node.children else None) for node in nodes)
    return element("ul", items, class_="tree")

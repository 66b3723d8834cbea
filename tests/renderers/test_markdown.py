"""Markdown is read by a parser that no one here wrote: nothing from outside may become anything but text and code."""

import re
from collections import Counter

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from preflight.renderers.markdown import code, fenced, prose, render
from preflight.renderers.visible import visible

GFM = MarkdownIt("gfm-like")  # tables, strikethrough, and bare addresses as links
INERT = {"text", "code_inline"}


def inline(markdown: str) -> list[Token]:
    (block,) = [token for token in GFM.parse(markdown) if token.type == "inline"]
    return block.children or []


def nodes(markdown: str) -> Counter[str]:
    """How many nodes of each kind the parser sees, text apart."""
    found: Counter[str] = Counter()
    for token in GFM.parse(markdown):
        found[token.type] += 1
        found.update(child.type for child in token.children or () if child.type not in INERT)
    return found


def outside_code(markdown: str) -> str:
    """What GitHub and others search for mentions and references: all text that isn't code."""
    return " ".join(
        child.content for token in GFM.parse(markdown) for child in token.children or () if child.type == "text"
    )


def test_prose_is_text_and_code_alone_and_says_all_of_it(hostile):
    if not hostile.split():
        assert prose(hostile) == ""
        return
    children = inline(prose(hostile))
    assert {child.type for child in children} <= INERT
    assert "".join(child.content for child in children) == " ".join(visible(hostile).split())
    assert [token.type for token in GFM.parse(prose(hostile))] == ["paragraph_open", "inline", "paragraph_close"]


def test_a_code_span_says_all_of_it(hostile):
    (child,) = [child for child in inline(f"x {code(hostile)} y") if child.type == "code_inline"]
    assert child.content.strip(" ") == visible(hostile).strip(" ")


def test_a_fence_holds_whatever_is_in_it(hostile):
    (token,) = GFM.parse(fenced("hcl", visible(hostile, keep="\n")))
    assert token.type == "fence"
    assert token.content == visible(hostile, keep="\n") + "\n"


def test_a_cell_of_the_table_holds_whatever_is_in_it(hostile, hostile_report):
    tokens = GFM.parse(render(hostile_report))
    kinds = Counter(token.type for token in tokens)
    assert (kinds["tr_open"], kinds["td_open"], kinds["th_open"]) == (6, 15, 3)
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    for found in cells[2::3]:
        assert "".join(child.content for child in found.children or ()) == " ".join(visible(hostile).split())


def test_hostile_names_add_no_node(hostile_report, harmless_report):
    assert nodes(render(hostile_report)) - nodes(render(harmless_report)) == Counter()


def test_hostile_names_lead_nowhere(hostile_report):
    for token in GFM.parse(render(hostile_report)):
        for child in token.children or ():
            if child.type == "link_open":
                assert str(child.attrs["href"]).startswith("https://console.cloud.google.com/")


def test_hostile_names_mention_no_one_and_refer_to_nothing(hostile_report):
    text = outside_code(render(hostile_report))
    assert not re.search(r"[@#<>\[\]`*_~|\\$]|://|www\.|\bGH-\d|:[a-z+]\w*:|\b[0-9a-f]{7,40}\b", text), text


def test_lines_start_with_nothing_from_outside(hostile_report):
    """Bots read commands such as `/close` at the start of a line, in code too: there they stand in fences alone."""
    markdown = render(hostile_report)
    fences = [token.map for token in GFM.parse(markdown) if token.type == "fence" and token.map]
    for number, line in enumerate(markdown.splitlines()):
        if not any(first <= number < last for first, last in fences):
            assert not line.startswith(("/", "@", "    ", "+", "=", "1.", "\t")), line


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("the BigQuery API is off", "the BigQuery API is off"),
        ("it has roles/bigquery.user, which does.", "it has `roles/bigquery.user`, which does."),
        ("(acme-analytics) isn't read-only: 7 days", "(acme-analytics) isn't read-only: 7 days"),
        ("ask support@heap.io", "ask `support@heap.io`"),
        ("commit 1234567, see GH-12", "commit `1234567`, see `GH-12`"),
        ("call f(x)", "call `f(x)`"),
        ("12. first", "`12`. first"),
        ("in Zürich or 東京", "in Zürich or 東京"),
    ],
)
def test_plain_words_stay_plain_and_names_become_code(text, markdown):
    assert prose(text) == markdown


def test_a_page_elsewhere_is_no_link(make_report, make_finding, reports):
    from preflight.report import Remedy, failed

    seen = reports["broken"].findings[0].verdict.evidence[0]
    verdict = failed("x", seen, remedy=Remedy("y", console_url="https://console.cloud.google.com.evil.example/"))
    assert "](" not in render(make_report(make_finding("some-rule", "t", verdict)))

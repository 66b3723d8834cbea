import sys
import unicodedata

import pytest

from preflight.renderers.visible import is_hidden, is_plain, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\nb\r\tc", r"a\nb\r\tc", id="line breaks and tabs"),
        pytest.param("\x1b[31m\x00\x7f", r"\x1b[31m\x00\x7f", id="a terminal's escape sequence"),
        pytest.param("\x9b2J", r"\x9b2J", id="the same in one character"),
        pytest.param("a\u202eb\u2066c", r"a\u202eb\u2066c", id="direction"),
        pytest.param("a\u200bb\u200dc\ufeff", r"a\u200bb\u200dc\ufeff", id="zero width"),
        pytest.param("\U000e0041\ue000\U0010ffff", r"\U000e0041\ue000\U0010ffff", id="tags, private, unassigned"),
        pytest.param("a\u00a0b\u2003c\u2028d", r"a\xa0b\u2003c\u2028d", id="blanks that are no space"),
        pytest.param("\u3164\u2800\u115f\uffa0", r"\u3164\u2800\u115f\uffa0", id="letters and symbols drawn as blank"),
        pytest.param("\udcff", r"\udcff", id="half of a character"),
        pytest.param("e\u0301", "e\u0301", id="an accent"),
        pytest.param("e\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\\u0301", id="a stack of accents"),
        pytest.param("\u0301e", "\\u0301e", id="an accent on nothing"),
        pytest.param("Zürich 東京 दिल्ली עברית Ελλάδα 🙂", "Zürich 東京 दिल्ली עברית Ελλάδα 🙂", id="scripts stay"),
        pytest.param('it\'s "plain" \\ text', 'it\'s "plain" \\ text', id="punctuation stays"),
        pytest.param(" ::error::x", r" :\x3aerror:\x3ax", id="a command to GitHub's runner"),
        pytest.param(":::", r":\x3a\x3a", id="colons"),
        pytest.param("a: b:c # d ## e #[f] g[##]", "a: b:c # d ## e #[f] g[##]", id="what is no command"),
        pytest.param("a ##[add-mask]x", r"a #\x23[add-mask]x", id="an old command"),
        pytest.param("##vso[a]b ##teamcity[c]", r"#\x23vso[a]b #\x23teamcity[c]", id="commands to others"),
        pytest.param(":\u200b:", r":\u200b:", id="what only looks like one"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_hides_is_spelled_out_and_what_shows_stays(text, shown):
    assert visible(text) == shown


def test_what_is_kept_stays():
    assert visible("a\n\tb\r\x1b", keep="\n\t") == "a\n\tb\\r\\x1b"
    assert visible("a::b ##[c]", keep=":") == r"a::b #\x23[c]"


def test_of_all_characters_none_that_is_shown_controls_or_separates():
    shown = {c for code in range(sys.maxunicode + 1) if visible(c := chr(code)) == c}
    assert {unicodedata.category(c)[0] for c in shown} <= set("LMNPSZ")
    assert {c for c in shown if unicodedata.category(c).startswith("Z")} == {" "}
    assert {c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "BN")} == set()


def test_a_glance_overlooks_nothing():
    """Of all characters, those that pass at a glance are neither hidden nor marks that could be stacked."""
    passed = [c for c in map(chr, range(sys.maxunicode + 1)) if is_plain(c)]
    assert len(passed) > 600
    assert [c for c in passed if is_hidden(c) or unicodedata.category(c) in {"Mn", "Me"}] == []

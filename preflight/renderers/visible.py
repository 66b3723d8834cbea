r"""Text from outside, made harmless to look at: what a reader could not see is spelled out.

A name may hold a terminal's escape sequence, a line break, or a character that turns the direction of the text
around it, so that what is read differs from what is there. Here each such character becomes its escape (`\n`,
`\x1b`, `\u202e`), and letters of every script stay as they are.

The log of a CI is read by its runner too. GitHub's obeys a line whose first characters that are no blank are `::`, and
`##[name]` anywhere in a line (https://github.com/actions/runner, src/Runner.Common/ActionCommand.cs); that of Azure
obeys `##vso[…]`, TeamCity `##teamcity[…]`. Where a long line is broken is up to who prints it, so neither may stand
anywhere: the second character becomes its escape.
"""

import re
import unicodedata

# Drawn as nothing or as a blank, although Unicode counts them as letters, marks or symbols. Those which it counts
# as controls, formats or separators `str.isprintable` knows already.
_BLANKS = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x2800, 0x2800),  # Braille blank
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0x1D159, 0x1D159),  # musical null note head
    (0xE0100, 0xE01EF),  # more variation selectors
)
_BLANK = frozenset(chr(code) for first, last in _BLANKS for code in range(first, last + 1))
# Latin letters and the punctuation of typesetting: nearly all text, and none of it hides or is a mark.
_PLAIN = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e]*")
_MOST_MARKS = 3
"""Marks on one letter: no written language stacks more, and a tall stack covers the lines around it."""

_OBEYED = re.compile(r"(?<=:):|(?<=#)#(?=\w*\[)")

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str, *, keep: str = "") -> str:
    """The text on one line, with nothing hidden in it and nothing that a CI's runner obeys; the characters in `keep`
    stay as they are."""
    return unobeyed(_unhidden(text, keep), keep=keep)


def unobeyed(text: str, *, keep: str = "") -> str:
    """The text without commands to a CI's runner."""
    return _OBEYED.sub(lambda found: found[0] if found[0] in keep else escaped(found[0]), text)


def _unhidden(text: str, keep: str) -> str:
    if is_plain(text):
        return text
    shown = []
    marks = _MOST_MARKS  # a mark that comes first would sit on what we write before it
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        hide = marks > _MOST_MARKS or is_hidden(character)
        shown.append(escaped(character) if hide and character not in keep else character)
    return "".join(shown)


def is_plain(text: str) -> bool:
    """True if at a glance there is nothing hidden in it; False: it has to be looked at closely."""
    return _PLAIN.fullmatch(text) is not None


def is_hidden(character: str) -> bool:
    """True if a reader can't see this character, or can't tell it from a plain space."""
    return not character.isprintable() or character in _BLANK


def escaped(character: str) -> str:
    """The character's escape, as Python and most languages write it."""
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

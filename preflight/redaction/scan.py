"""The last look at the bytes that are to leave: for every name that was replaced, and for tokens and keys.

The patterns are our own: detect-secrets was tried, is slow, and misses these.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from preflight.errors import RedactionError
from preflight.facts.tables import KINDS
from preflight.redaction.fields import WAYS
from preflight.report import Severity, Status

_SECRETS = (
    ("a Google access token", re.compile(rb"ya29\.[\w-]{10,}")),
    ("a Google refresh token", re.compile(rb"(?<![\w/])1//[\w-]{20,}")),
    ("a Google API key", re.compile(rb"AIza[\w-]{20,}")),
    ("an OAuth client secret", re.compile(rb"GOCSPX-[\w-]{10,}")),
    ("a private key", re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("a signed token (JWT)", re.compile(rb"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
)
_SHORTEST = 4
"""Shorter names are in everything."""
_TOKEN = re.compile(r"[\w-]+")
_PLAIN = re.compile(r"[a-z]{1,20}|\d{1,5}")
"""What may be a word, or a count, in our own sentences, too: it is looked for where names stand only."""
_STANDING = re.compile(r"[\"/:@'=]([a-z0-9]+)(?=[\"/?'])")
_AS_VALUE = re.compile(r"[\"/:@'=]([a-z0-9]+)(?=[/?']|\"(?!:))")
"""The same, but for the keys of JSON, which are names among facts alone."""
_FACTS = "snapshot.json"


def refuse_secrets(parts: Iterable[bytes]) -> None:
    """Raises RedactionError if a token or key is in the parts."""
    texts = list(parts)
    for what, pattern in _SECRETS:
        if any(pattern.search(text) for text in texts):
            raise RedactionError(
                f"What was to be written holds {what}, so nothing was.",
                "Look for it in the names of the project, its datasets and policies.",
            )


def refuse_names(parts: Mapping[str, bytes], names: Iterable[str], kept: Iterable[str] = ()) -> None:
    """Raises RedactionError if a name that was replaced is in a part, by the file's name. In JSON an ordinary word
    counts only where a name stands. What is `kept` may be the name of something else, too."""
    own = _own_words().union(*(_TOKEN.findall(text.casefold()) for text in kept))
    wanted = {name.casefold() for name in names if len(name) >= _SHORTEST} - own
    plain = {name for name in wanted if _PLAIN.fullmatch(name)}
    tokens = {name for name in wanted if _TOKEN.fullmatch(name)} - plain
    phrases = wanted - plain - tokens
    for file, part in parts.items():
        text = part.decode("utf-8").casefold()
        left = tokens.intersection(_TOKEN.findall(text)) or {name for name in phrases if name in text}
        if not left and file.endswith(".json"):
            left = plain.intersection((_STANDING if file == _FACTS else _AS_VALUE).findall(text))
        if left:
            raise RedactionError(
                f"A name that was to be replaced is still in {file} ({len(left)} in all), so nothing was written.",
                "Report this as a defect; --redact none writes it with all names in it.",
            )


@cache
def _own_words() -> frozenset[str]:
    """The words of the format itself: fields and kinds of facts."""
    found = {name for kind in WAYS for name in kind.__struct_fields__}
    found |= {str(kind.__struct_config__.tag) for kind in WAYS if kind.__struct_config__.tag}
    found |= {word.value for words in (Status, Severity) for word in words} | {word.casefold() for word in KINDS}
    found |= {"projects", "folders", "organizations", "datasets", "user", "group", "unknown", "live"}
    return frozenset(found | {"preflight", "bigquery", "reason", "none", "default", "strict"})

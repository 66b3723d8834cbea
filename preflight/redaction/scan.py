"""The last look at the bytes that are to leave: for every name that was replaced, and for tokens and keys.

The patterns are our own: detect-secrets was tried, is slow, and misses these.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from preflight.errors import RedactionError
from preflight.facts.dataset import BASIC_DATASET_ROLES
from preflight.facts.organization import KNOWN_CONSTRAINTS
from preflight.facts.project import ServiceState
from preflight.facts.second_opinion import Troubleshot
from preflight.facts.tables import KINDS
from preflight.redaction.fields import WAYS
from preflight.redaction.pseudonyms import COLLECTIONS
from preflight.report import Severity, Status

_SECRETS = (
    ("a Google access token", b"ya29.", re.compile(rb"ya29\.[\w-]{10,}")),
    ("a Google refresh token", b"1//", re.compile(rb"(?<![\w/])1//[\w-]{20,}")),
    ("a Google API key", b"AIza", re.compile(rb"AIza[\w-]{20,}")),
    ("an OAuth client secret", b"GOCSPX-", re.compile(rb"GOCSPX-[\w-]{10,}")),
    ("a private key", b"PRIVATE KEY", re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("a signed token (JWT)", b"eyJ", re.compile(rb"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
)
_SHORTEST = 4
"""Shorter names are in everything."""
_TOKEN = re.compile(r"[\w-]+")
_PLAIN = re.compile(r"[a-z]{1,20}|\d{1,5}")
"""What may be a word, or a count, in our own sentences, too: it is looked for where names stand, and among facts only:
reports are made of these."""
_STANDING = re.compile(r"[\"/:@'=]([a-z0-9]+)(?=[\"/?'])")
_PROSE = re.compile(r"\w+(?: \w+)+")
"""Words, as in a title: they may be in our own sentences as well."""
_WHOLE = re.compile(r"\"([^\"\\]*)\"")
_ADDRESS = re.compile(r"[\w.@+%'-]+")
_GOOGLES = re.compile(
    r"(?<![\w/])roles/[\w.]+|https://[a-z.]*google\.com/[a-z/-]*|you@example\.com|\"method\": \"[\w.]+\"|google_\w+"
)
"""Names that are Google's, whatever is called alike."""
_FACTS = frozenset({"snapshot.json", "trace.json"})


def refuse_secrets(parts: Iterable[bytes]) -> None:
    """Raises RedactionError if a token or key is in the parts."""
    texts = list(parts)
    for what, start, pattern in _SECRETS:
        if any(start in text and pattern.search(text) for text in texts):
            raise RedactionError(
                f"What was to be written holds {what}, so nothing was.",
                "Look for it in the names of the project, its datasets and policies.",
            )


def refuse_names(parts: Mapping[str, bytes], names: Iterable[str], kept: Iterable[str] = ()) -> None:
    """Raises RedactionError if a name that was replaced is in a part, by the file's name. An ordinary word counts only
    where a name stands. What is `kept` may be the name of something else, too."""
    stay = {token for text in kept for token in _TOKEN.findall(text.casefold())}
    wanted = {name.casefold() for name in names if len(name) >= _SHORTEST} - stay
    plain = {name for name in wanted if _PLAIN.fullmatch(name)}
    tokens = {name for name in wanted if _TOKEN.fullmatch(name)} - plain
    prose = {name for name in wanted if _PROSE.fullmatch(name)} - plain
    addresses = {name for name in wanted if _ADDRESS.fullmatch(name)} - plain - tokens
    phrases = wanted - plain - tokens - prose - addresses
    for file, part in parts.items():
        # No name goes over the end of a line, and of thousands of lines most are alike.
        lines = dict.fromkeys(part.decode("utf-8").casefold().split("\n"))
        text = _GOOGLES.sub("", "\n".join(lines))
        left = tokens.intersection(_TOKEN.findall(text)) | {name for name in phrases if name in text}
        if addresses:
            left |= addresses & _addresses_in(text)
        if file in _FACTS:
            left |= plain.intersection(_STANDING.findall(text))
            if prose:
                left |= prose.intersection(_WHOLE.findall(text))
        left = left and left - _own_words()
        if left:
            raise RedactionError(
                f"A name that was to be replaced is still in {file} ({len(left)} in all), so nothing was written.",
                "Report this as a defect; --redact none writes it with all names in it.",
            )


def _addresses_in(text: str) -> set[str]:
    """What is written like an e-mail or a domain; of each all that it ends with."""
    found: set[str] = set()
    for whole in set(_ADDRESS.findall(text)):
        one = whole.strip(".")
        while one and one not in found:
            found.add(one)
            cut = min((at for at in (one.find("."), one.find("@")) if at >= 0), default=len(one))
            one = one[cut + 1 :]
    return found


@cache
def _own_words() -> frozenset[str]:
    """The words of the format itself, and of what a report says: looked up only where one of them is a name, too."""
    from preflight.engine import load_rules
    from preflight.renderers.json_report import schema

    found = {name for kind in WAYS for name in kind.__struct_fields__}
    found |= {str(kind.__struct_config__.tag) for kind in WAYS if kind.__struct_config__.tag}
    texts = [schema(), *(text for rule in load_rules() for text in (rule.id, rule.title, rule.why, rule.how))]
    texts += [word.value for words in (Status, Severity, ServiceState, Troubleshot) for word in words]
    texts += [*KINDS, *KNOWN_CONSTRAINTS, *BASIC_DATASET_ROLES, *COLLECTIONS, _OTHERS]
    return frozenset(found).union(*(_TOKEN.findall(text.casefold()) for text in texts))


_OTHERS = """
    live none default strict active delete_requested bigquery preflight projectwriters projectowners projectreaders
    specialgroup allauthenticatedusers allusers credentials option expression test allowedmembersubjects
    allowedprincipalsets milliseconds calls attempts outcome method dataset_id key_project kms_key_name
    default_encryption_configuration default_table_expiration_ms default_partition_expiration_ms
"""
"""Of values, of calls and of the commands in remedies."""

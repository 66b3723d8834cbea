"""Conditions without names: what a text in them stands for stays only where it is kept, or a time.

The rest is replaced by the same pseudonyms as everywhere. Where that changes what the condition comes to, anywhere
that matters, it is folded: to its value, where that is the same everywhere.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from preflight.access.conditions import (
    Place,
    alike_at,
    compared_with,
    looks_at_resource,
    moments_of,
    place_of,
    value_of,
)
from preflight.errors import RedactionError
from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.organization import Tags
from preflight.facts.policy import Condition
from preflight.facts.seen import Unknown
from preflight.redaction.pseudonyms import Pseudonyms

_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_TIMED = re.compile(
    r"""(?:timestamp|duration|getFullYear|getMonth|getDate|getDayOf\w+|getHours|getMinutes|getSeconds)\(\s*$"""
)
_STARTS = re.compile(r"resource\.name\.startsWith\(\s*(\"[^\"\\]*\"|'[^'\\]*')\s*\)")
_UNTELLABLE = "'x' in request.auth.access_levels"
"""A condition that can't be told from outside."""
_VALUES = {True: "true", False: "false", None: _UNTELLABLE}
_WORD = re.compile(r"[\w.-]+")
_MEMBER = re.compile(r"(?:[a-zA-Z]+:)*[^@\s:/]+@[\w.-]+")
_NAME = re.compile(r"[^\W\d]\w*")
_LANGUAGE = frozenset(
    re.findall(
        r"\w+",
        """
        resource name type service request time auth access_levels claims path host method query api destination origin
        ip port in true false null size has all exists exists_one map filter timestamp duration int uint double string
        bool bytes startsWith endsWith contains matches extract getAttribute hasOnly matchTag matchTagId hasTagKey
        hasTagKeyId getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds
        getMilliseconds principal subject email r
        """,
    )
)
"""Words of CEL, and of IAM's attributes: another one in an expression may be anybody's name."""
_KEPT_WORDS = frozenset(
    {"Dataset", "Table", "Project", "cloudresourcemanager.googleapis.com", "bigquery.googleapis.com"}
)
_MOST_STARTS = 200
_AFTER = timedelta(seconds=1)


def _strange(expression: str) -> bool:
    """Whether there is something in it, beside its texts, that may be a name: a comment, or a word of no language."""
    bare = _STRING.sub(" ", expression)
    return "//" in bare or "'" in bare or '"' in bare or not _LANGUAGE.issuperset(_NAME.findall(bare))


class ConditionsRewriting:
    """Replaces the names in the conditions of one snapshot."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        project: str,
        permissions: tuple[str, ...],
        datasets: Iterable[str],
        tags: tuple[Tags | Unknown, Tags | Unknown],
        moment: datetime,
    ) -> None:
        """`permissions` are those that the vendor is asked about, `tags` the project's as they are and as they are
        called, `moment` is when it is judged."""
        self._pseudonyms = pseudonyms
        self._project = project
        self._permissions = permissions
        self._datasets = tuple(datasets)
        self._sorted = sorted(self._datasets)
        self._known = frozenset(self._datasets)
        self._prefix = f"projects/{project}/datasets/"
        self._tags = tags
        self._moment = moment
        self.done: dict[str, str] = {}
        """What each expression was, and is now."""
        self.folded = 0
        """How many were folded to their value."""

    def learnt(self, condition: Condition) -> Condition:
        """Just learns the names in it."""
        if condition.expression not in {"", HIDDEN} and not _strange(condition.expression):
            _STRING.sub(self._literal, condition.expression)
        self._pseudonyms.word(condition.title)
        return condition

    def rewritten(self, condition: Condition) -> Condition:
        """The condition with pseudonyms. Raises RedactionError where that can't be done without changing it."""
        expression = condition.expression
        if expression not in self.done:
            self.done[expression] = self._expression(expression)
        return replace(condition, expression=self.done[expression], title=self._pseudonyms.word(condition.title))

    def _expression(self, expression: str) -> str:
        if expression in {"", HIDDEN}:
            return expression
        pairs: list[tuple[bool | None, bool | None]] = []
        if not _strange(expression):
            renamed = _STRING.sub(self._literal, self._starts(expression))
            pairs = list(self._values(expression, renamed))
            if all(before is after for before, after in pairs):
                return renamed
        self.folded += 1
        values = {before for before, _ in pairs or self._values(expression, _UNTELLABLE)}
        if len(values) == 1:
            return _VALUES[values.pop()]
        by_place = self._by_place(expression)
        if all(before is after for before, after in self._values(expression, by_place)):
            return by_place
        raise RedactionError(
            "A condition cannot be cleaned of names without changing what it comes to.",
            "Use --redact none, and look at what you attach.",
        )

    def _by_place(self, expression: str) -> str:
        """What it comes to now, told for each dataset by name: where it looks for a part of names, say."""
        found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        for old, new in self._places(expression):
            value = value_of(expression, old, self._moment, self._tags[0]).holds
            if old.type.endswith("/Dataset") and not old.below:
                found[value].append(f'resource.name == "{new.name}"')
            elif old.below and not old.name.endswith("/datasets/"):
                found[value].append(f'resource.name.startsWith("{new.name}")')
            elif not old.below:
                found[value].append(f'resource.type == "{new.type}"')
        holds = " || ".join(dict.fromkeys(found[True])) or "false"
        open_ = " || ".join(dict.fromkeys(found[None]))
        return f"{holds} || (({open_}) && {_UNTELLABLE})" if open_ else holds

    def _literal(self, match: re.Match[str]) -> str:
        quote, text = match[0][0], match[0][1:-1]
        if _TIMED.search(match.string[: match.start()]) or text in _KEPT_WORDS or "\\" in text:
            return match[0] if "\\" not in text else f"{quote}{self._pseudonyms.word(text)}{quote}"
        if "@" in text and _MEMBER.fullmatch(text):
            return f"{quote}{self._pseudonyms.member(text)}{quote}"
        if "/" not in text and not _WORD.fullmatch(text):
            return f"{quote}{self._pseudonyms.word(text)}{quote}"
        return f"{quote}{self._pseudonyms.path(text)}{quote}"

    def _starts(self, expression: str) -> str:
        """How a dataset's name starts says nothing of its pseudonym: the ones that are meant are named one by one."""
        prefix = self._prefix

        def named(match: re.Match[str]) -> str:
            text = match[1][1:-1]
            start = text.removeprefix(prefix)
            if start == text or not start or "/" in start:
                return match[0]
            meant = [name for name in self._starting(start) if name != start][:_MOST_STARTS]
            tests = [match[0], *(f'resource.name.startsWith("{prefix}{name}")' for name in meant)]
            return f"({' || '.join(tests)})" if meant else match[0]

        return _STARTS.sub(named, expression)

    def _starting(self, start: str) -> list[str]:
        """The datasets whose names start so."""
        low = bisect_left(self._sorted, start)
        return self._sorted[low : bisect_left(self._sorted, f"{start}\U0010ffff", low)]

    def _told_apart(self, expression: str) -> Iterable[str]:
        """The datasets that an expression may tell from others, and one of those others."""
        texts = compared_with(expression)
        if texts is None:
            return self._datasets
        found: dict[str, None] = {}
        for text in texts:
            if text.startswith(self._prefix):
                start = text.removeprefix(self._prefix)
                found |= dict.fromkeys(self._starting(start) if start else ())
                # Those which the text is about, or something in.
                found |= dict.fromkeys(name for name in self._beginning(start) if name in self._known)
        other = next((name for name in self._datasets if name not in found), None)
        return found if other is None else (*found, other)

    def _beginning(self, text: str) -> Iterator[str]:
        return (text[:end] for end in range(1, len(text) + 1))

    def _values(self, before: str, after: str) -> Iterator[tuple[bool | None, bool | None]]:
        """What both come to, wherever that matters."""
        moments = [self._moment]
        for stated in moments_of(before)[0]:
            moments += [stated - _AFTER, stated, stated + _AFTER]
        for old, new in self._places(before):
            for moment in moments:
                yield (
                    value_of(before, old, moment, self._tags[0]).holds,
                    value_of(after, new, moment, self._tags[1]).holds,
                )

    def _places(self, expression: str) -> Iterator[tuple[Place, Place]]:
        names = (None, *self._told_apart(expression)) if looks_at_resource(expression) else (None,)
        seen: set[object] = set()
        for permission in self._permissions:
            for name in names:
                old = place_of(permission, self._project, name)
                alike = (old.type, old.below, alike_at(expression, old))
                if alike not in seen:
                    seen.add(alike)
                    renamed = None if name is None else self._pseudonyms.dataset(name)
                    yield old, place_of(permission, self._project, renamed)

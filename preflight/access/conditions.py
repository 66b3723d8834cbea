"""IAM conditions in three values: true, false, or not to be told from here.

Google's own CEL evaluates them (the package cel-expr-python; it is loaded only where a condition exists). CEL's
`&&` and `||` take an operand that fails for the one that the other operand decides without (`a || error` is true if
a is), so what isn't known is left to fail: that is three-valued logic as it is wanted here. The attributes are those
of Google's "IAM Conditions attribute reference"; one that can't be seen from outside has no value.
"""

import re
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.organization import Tags
from preflight.facts.seen import Unknown, Unresolved

LONGEST = 4096
"""Longer expressions are not read."""
MOST_OPERATORS = 120
"""IAM itself takes 12 logical operators in one expression (Google's documentation of quotas)."""

_CLOUD = "cloudresourcemanager.googleapis.com"
_BIGQUERY = "bigquery.googleapis.com"


class Place(Struct, frozen=True):
    """The resource on which a permission is checked, as conditions see it."""

    name: str
    """`projects/ID`, `projects/ID/datasets/NAME`; with `below`, what comes before the unknown rest of it."""
    type: str
    service: str
    below: bool = False
    """Some resource whose name starts so: a table of a dataset, a dataset of the project."""


def place_of(permission: str, project: str, dataset: str | None) -> Place:
    """Where BigQuery and Resource Manager check a permission that is asked about on a project or a dataset.

    Tables' permissions are checked on a table, but for those that make or list them: on the dataset; datasets'
    own on the dataset, but for making one: on the project (BigQuery's documentation of its permissions).
    """
    root = f"projects/{project}"
    if permission.startswith("bigquery.tables.") and permission not in _ON_THE_DATASET:
        name = f"{root}/datasets/{dataset}/tables/" if dataset else f"{root}/datasets/"
        return Place(name, f"{_BIGQUERY}/Table", _BIGQUERY, below=True)
    if dataset:
        return Place(f"{root}/datasets/{dataset}", f"{_BIGQUERY}/Dataset", _BIGQUERY)
    if permission in _ON_THE_DATASET or (permission.startswith("bigquery.datasets.") and permission != _MAKE):
        return Place(f"{root}/datasets/", f"{_BIGQUERY}/Dataset", _BIGQUERY, below=True)
    return Place(root, f"{_CLOUD}/Project", _CLOUD)


_MAKE = "bigquery.datasets.create"
_ON_THE_DATASET = frozenset({"bigquery.tables.create", "bigquery.tables.list"})


class ConditionValue(Struct, frozen=True):
    """What a condition comes to, and when that changes."""

    holds: bool | None
    """None: not to be told from here."""
    why: str = ""
    """With None: why not."""
    moments: tuple[datetime, ...] = ()
    """When, as far as the expression names moments, its value may change. Ascending, in UTC."""
    recurring: bool = False
    """It looks at the hour, the weekday and the like: it changes over and over."""

    @property
    def unknown(self) -> Unknown:
        """Why it is not known, as the reason of an open fact."""
        return Unknown(Unresolved(self.why, "Read the condition, or grant the role without one."))


def value_of(expression: str, place: Place, moment: datetime, tags: Tags | Unknown) -> ConditionValue:
    """Evaluates a condition at a place and moment. `tags` are the project's; they count on the project itself only,
    since a dataset or table may have tags of its own, which aren't read."""
    said = f"the grant holds only while its condition does: {shortened(expression)}"
    if refusal := _refusal(expression):
        return ConditionValue(None, f"{said} ({refusal})")
    moments, recurring = moments_of(expression)
    seen = None if place.type != f"{_CLOUD}/Project" or isinstance(tags, Unknown) else tags
    found = {_evaluated(expression, name, place, moment, seen) for name in _names(expression, place)}
    if found in ({True}, {False}):
        return ConditionValue(found.pop(), "", moments, recurring)
    return ConditionValue(None, said, moments, recurring)


def looks_at_resource(expression: str) -> bool:
    """Whether an expression may have another value at another resource."""
    return "resource" in expression


def alike_at(expression: str, place: Place) -> Hashable:
    """Places of one type for which this is the same give an expression the same value: of thousands it has to be
    evaluated at one of each. An expression that only compares the name with texts of its own, or with how they
    begin, can't tell names apart that have the same of them at their beginning, and aren't at the beginning of one."""
    stated = compared_with(expression)
    if stated is None or any(text.startswith(place.name) for text in stated):
        return place.name
    return tuple(place.name.startswith(text) for text in stated)


@lru_cache(maxsize=4096)
def compared_with(expression: str) -> tuple[str, ...] | None:
    """The texts in an expression that does no more than compare; None for one that may do more."""
    rest = _STRING.sub('""', expression)
    if "\\" in expression or _SEARCHES.search(rest) or _ORDER.search(_TIME.sub("", rest)):
        return None
    return tuple(dict.fromkeys(text[1:-1] for text in _STRING.findall(expression)))


def shortened(expression: str) -> str:
    """An expression as a message quotes it: a very long one is cut."""
    return expression if len(expression) <= 300 else f"{expression[:300]} …"


def _refusal(expression: str) -> str:
    if expression == HIDDEN:
        return "the API did not show it"
    if len(expression) > LONGEST:
        return f"{len(expression)} characters are more than this tool reads"
    if len(_OPERATOR.findall(_STRING.sub('""', expression))) > MOST_OPERATORS:
        return "it has more operators than this tool reads"
    return ""


_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_OPERATOR = re.compile(r"&&|\|\||[<>=!]=|[<>!?\[({+*/%-]|\bin\b")
_TIMESTAMP = re.compile(r"timestamp\(\s*(?:\"([^\"\\]*)\"|'([^'\\]*)')\s*\)")
_DURATION = re.compile(r"duration\(\s*[\"']((?:\d+(?:\.\d+)?(?:h|ms|m|s))+)[\"']\s*\)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CALENDAR = re.compile(r"\.get(?:FullYear|Month|Date|DayOf\w+|Hours|Minutes|Seconds|Milliseconds)\(")
_TIME = re.compile(r"request\.time\s*[<>]=?\s*timestamp\(|\)\s*[<>]=?\s*request\.time")
_ORDER = re.compile(r"[<>]")
_NAME = re.compile(r"\bresource\s*\.\s*name\b")
_SEARCHES = re.compile(r"\.\s*(?:endsWith|contains|matches|extract)\s*\(|\bsize\s*\(|\+(?!\s*duration\()")


@lru_cache(maxsize=4096)
def moments_of(expression: str) -> tuple[tuple[datetime, ...], bool]:
    """The moments at which an expression may change its value, and whether it also does so over and over."""
    stated = [found for match in _TIMESTAMP.finditer(expression) if (found := _moment(match[1] or match[2] or ""))]
    spans = [timedelta(seconds=sum(float(n) * _SECONDS[u] for n, u in _PART.findall(d)))
             for d in _DURATION.findall(expression)]  # fmt: skip
    moments: set[datetime] = set(stated)
    for moment in stated:
        for span in spans:
            for sign in (1, -1):
                try:
                    moments.add(moment + sign * span)
                except OverflowError:
                    continue  # beyond the calendar nothing changes
    return tuple(sorted(moments)), bool(_CALENDAR.search(expression))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _names(expression: str, place: Place) -> tuple[str, ...]:
    """The names on which to try it: one, or where any name below the place must give the same, such as tell apart
    all that comparisons with the expression's own literals can tell."""
    if not place.below or not _NAME.search(expression):
        return (place.name,)
    literals = {text[1:-1] for text in _STRING.findall(expression)}
    below = {text for text in literals if text.startswith(place.name) and text != place.name}
    # `~` sorts after all that a name may hold, `!` before.
    return (f"{place.name}!", f"{place.name}~", *sorted(below), *(f"{text}~" for text in sorted(below)))


def _evaluated(expression: str, name: str, place: Place, moment: datetime, tags: Tags | None) -> bool | None:
    if place.below and _NAME.search(expression) and _SEARCHES.search(expression):
        return None  # what it looks for may be in some of the names, and trying can't tell
    program = _program(expression, None if tags is None else _Tagged.of(tags))
    if program is None:
        return None
    data: dict[str, Any] = {
        "request.time": moment,
        "resource.name": name,
        "resource.type": place.type,
        "resource.service": place.service,
        "resource": True,  # a receiver for the functions on tags, with nothing in it
    }
    try:
        value = program.eval(data=data).value()
    except (RuntimeError, TypeError, ValueError):  # text that no CEL string can hold
        return None
    return value if isinstance(value, bool) else None


class _Tagged(Struct, frozen=True):
    """Tags as a key for the cache."""

    tags: tuple[tuple[str, str], ...]
    ids: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, tags: Tags) -> "_Tagged":
        return cls(tuple(sorted(tags.tags.items())), tuple(sorted(tags.ids.items())))


@lru_cache(maxsize=4096)
def _program(expression: str, tags: _Tagged | None) -> Any:
    """The compiled expression; None for one that doesn't parse or isn't what IAM's CEL allows."""
    try:
        return _environment(tags).compile(expression)
    except (RuntimeError, TypeError, ValueError):  # it raises these for what it can't compile
        return None


@lru_cache(maxsize=64)
def _environment(tags: _Tagged | None) -> Any:
    """The attributes and functions that IAM documents. Declared without a value: what can't be seen from here."""
    from cel_expr_python import cel

    kinds = cel.Type
    unseen = ("request.auth.access_levels", "request.path", "request.host", "request.method", "request.query",
              "destination.ip", "destination.port", "origin.ip", "origin.port")  # fmt: skip

    def declared(name: str, result: Any, *parameters: Any, impl: Callable[..., Any] = _unseen) -> Any:
        overload = cel.Overload(f"iam_{name}", result, list(parameters), is_member=True, impl=impl)
        return cel.FunctionDecl(name, [overload])

    on_tags = _tag_functions(tags)
    tagged = [
        declared(name, kinds.BOOL, kinds.BOOL, *[kinds.STRING] * arity, impl=on_tags.get(name, _unseen))
        for name, arity in _TAG_FUNCTIONS
    ]
    return cel.NewEnv(
        variables={
            "request.time": kinds.TIMESTAMP,
            "resource.name": kinds.STRING,
            "resource.type": kinds.STRING,
            "resource.service": kinds.STRING,
            "resource": kinds.BOOL,
            "api": kinds.BOOL,
            **dict.fromkeys(unseen, kinds.DYN),
        },
        functions=[
            *tagged,
            declared("getAttribute", kinds.DYN, kinds.BOOL, kinds.STRING, kinds.DYN),
            declared("hasOnly", kinds.BOOL, kinds.DYN, kinds.DYN),
            declared("extract", kinds.STRING, kinds.STRING, kinds.STRING),
        ],
    )


_TAG_FUNCTIONS = (("matchTag", 2), ("matchTagId", 2), ("hasTagKey", 1), ("hasTagKeyId", 1))


def _unseen(*_arguments: Any) -> Any:
    raise LookupError("not to be seen from outside")


def _tag_functions(tagged: _Tagged | None) -> dict[str, Callable[..., bool]]:
    """IAM's functions on tags: by namespaced key and the value's short name, or both by permanent ID. Of what a
    source doesn't tell there is none."""
    if tagged is None:
        return {}
    tags, ids = dict(tagged.tags), dict(tagged.ids)
    found: dict[str, Callable[..., bool]] = {
        "matchTag": lambda _, key, value: key in tags and tags[key].rpartition("/")[2] == value,
        "hasTagKey": lambda _, key: key in tags,
    }
    if ids or not tags:
        found["matchTagId"] = lambda _, key, value: ids.get(key) == value
        found["hasTagKeyId"] = lambda _, key: key in ids
    return found

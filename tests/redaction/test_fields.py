"""Nothing leaves by being forgotten: of each text in a snapshot it is said what it is."""

import types
import typing
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from preflight.errors import RedactionError
from preflight.facts.policy import Condition
from preflight.facts.seen import Provenance
from preflight.facts.snapshot import Snapshot
from preflight.redaction.fields import WAYS, Rewriting
from preflight.redaction.pseudonyms import Kept, Pseudonyms

PSEUDONYMS = Pseudonyms(
    b"key", Kept("acme-analytics", "1", ("user:v@v.example",), frozenset(), frozenset(), frozenset())
)


def types_in(annotation: Any) -> typing.Iterator[type[Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from types_in(inner)


def reachable() -> set[type[Struct]]:
    """Every type that a snapshot may hold."""
    found: set[type[Struct]] = set()
    left: list[type[Struct]] = [Snapshot]
    while left:
        kind = left.pop()
        if kind not in found:
            found.add(kind)
            for field in msgspec.structs.fields(kind):
                left += types_in(field.type)
    return found


def holds_text(annotation: Any) -> bool:
    if annotation is str or typing.get_origin(annotation) is typing.Literal:
        return True
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        return any(map(holds_text, typing.get_args(annotation)))
    return False


@pytest.mark.parametrize("kind", sorted(reachable() - {Condition}, key=str))
def test_each_text_is_listed(kind):
    texts = {field.name for field in msgspec.structs.fields(kind) if holds_text(field.type)}
    values = {
        f"{field.name}.values"
        for field in msgspec.structs.fields(kind)
        if typing.get_origin(field.type) is dict and holds_text(typing.get_args(field.type)[1])
    }
    assert set(WAYS.get(kind, {})) == texts | values


def test_the_conditions_are_cleaned_apart():
    assert Condition in reachable()
    assert set(Condition.__struct_fields__) == {"expression", "title"}


def test_a_text_of_no_known_kind_is_refused():
    class New(Struct, frozen=True):
        secret: str
        where: Provenance

    with pytest.raises(RedactionError, match="no known kind"):
        Rewriting(PSEUDONYMS, lambda one: one).rewritten(New("acme's", Provenance("a", "b")))

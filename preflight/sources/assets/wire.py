"""An export's lines as Google writes them: only what is needed of each, and of irrelevant ones next to nothing.

Fields: Cloud Asset v1 `Asset`. Exported files have its names in snake case, the API's own answers in camel case.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from preflight.facts.hidden_conditions import HIDDEN, shown_role
from preflight.facts.policy import Binding, Condition

T = TypeVar("T")
ABSENT = Raw()


class Line(Struct, gc=False):
    """One asset. Its contents stay undecoded until somebody wants them."""

    name: str = ""
    asset_type: str = ""
    resource: Raw = ABSENT
    iam_policy: Raw = ABSENT
    org_policy: Raw = ABSENT
    ancestors: Raw = ABSENT
    update_time: str = ""
    effective_tags: Raw = ABSENT
    ancestry_path: str = ""
    assetType: str = ""  # noqa: N815  as the API writes it
    iamPolicy: Raw = ABSENT  # noqa: N815
    orgPolicy: Raw = ABSENT  # noqa: N815
    updateTime: str = ""  # noqa: N815
    effectiveTags: Raw = ABSENT  # noqa: N815

    def settle(self) -> None:
        """Takes the API's spelling for the file's."""
        self.asset_type = self.asset_type or self.assetType
        self.update_time = self.update_time or self.updateTime
        self.iam_policy = self.iamPolicy if self.iam_policy is ABSENT else self.iam_policy
        self.org_policy = self.orgPolicy if self.org_policy is ABSENT else self.org_policy
        self.effective_tags = self.effectiveTags if self.effective_tags is ABSENT else self.effective_tags


decode_line = msgspec.json.Decoder(Line).decode
_NULL = b"null"


def given(content: Raw) -> bool:
    """Whether there is such content at all."""
    return content is not ABSENT and bytes(content) != _NULL


class UnreadableContentError(Exception):
    """A line's content is not what Google documents; the message says how."""


def decoded(content: Raw | bytes, kind: Any) -> Any:
    """The content as this type. Raises UnreadableContentError."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableContentError(str(error) or type(error).__name__) from None


class Resource(Struct):
    """Cloud Asset v1 `Resource`."""

    data: Raw = ABSENT
    parent: str | None = None
    location: str | None = None


class _ResourceOf(Struct, Generic[T]):
    """A `Resource` with its data."""

    data: T
    parent: str | None = None
    location: str | None = None


def data_of(resource: Raw, kind: Any) -> Any:
    """A resource's own data as this type."""
    try:
        return _decoder(kind)(resource).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return decoded(decoded(resource, Resource).data, kind)  # which says what is wrong with the data itself


@cache
def _decoder(kind: type[T]) -> Callable[[Raw], _ResourceOf[T]]:
    return msgspec.json.Decoder(_ResourceOf[kind]).decode  # type: ignore[valid-type]


class _Policy(Struct):
    bindings: tuple[Binding, ...] = ()


class _LooseCondition(Struct):
    expression: str | None = None
    title: str | None = None


class _LooseBinding(Struct):
    role: str
    members: tuple[str, ...] = ()
    condition: _LooseCondition | None = None


class _LoosePolicy(Struct):
    bindings: tuple[_LooseBinding, ...] = ()


_decode_policy = msgspec.json.Decoder(_Policy).decode


def bindings_of(content: Raw) -> tuple[Binding, ...]:
    """IAM v1 `Policy`: its bindings. Raises UnreadableContentError.

    A condition without an expression, and one that a role's name says was kept back (`_withcond_…`, in policies read
    as version 0 or 1), is a hidden one: it is not to be told whether such a grant holds.
    """
    if b"_with" not in bytes(content):
        try:
            return _decode_policy(content).bindings
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return tuple(_binding(raw) for raw in decoded(content, _LoosePolicy).bindings)


def _binding(raw: _LooseBinding) -> Binding:
    role, hidden = shown_role(raw.role)
    condition = Condition(HIDDEN) if hidden else None
    if raw.condition is not None:
        condition = Condition(raw.condition.expression or HIDDEN, raw.condition.title or "")
    return Binding(role, raw.members, condition)

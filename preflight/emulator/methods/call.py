"""What a method's handler gets, and what the table of methods holds."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from preflight.emulator import errors
from preflight.emulator.directory import Directory
from preflight.emulator.errors import Json
from preflight.emulator.policy import Access
from preflight.emulator.world import Caller, Dataset, Node

Item = TypeVar("Item")


class Method(msgspec.Struct, frozen=True):
    """One API method: its id in Google's discovery documents, its host, what its caller needs, what it does.

    `permission` is empty where the caller needs none. `handle` returns the JSON body or raises `ApiError`.
    """

    id: str
    service: str
    permission: str
    handle: Callable[["Ask"], Json]


class Ask(msgspec.Struct, frozen=True):
    """One call that has passed authentication: `params` has the JSON names of the request's fields."""

    method: Method
    caller: Caller
    params: dict[str, Any]
    directory: Directory
    access: Access

    def text(self, name: str) -> str:
        """A text parameter; empty if absent. Refuses what is no text."""
        value = self.params.get(name, "")
        if not isinstance(value, str):
            raise errors.invalid(f"Invalid value at '{name}': expected a string.")
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A count of items a page; absent and 0 mean the default, more than `most` means `most`."""
        try:
            value = int(self.params.get(name) or default)
        except (TypeError, ValueError):
            raise errors.invalid(f"Invalid value at '{name}' (TYPE_INT32).") from None
        if value < 0:
            raise errors.invalid(f"Invalid value at '{name}': must not be negative.")
        return min(value, most)

    def flag(self, name: str) -> bool:
        """A boolean parameter, as JSON or as query text."""
        return str(self.params.get(name, "")).lower() == "true"

    def may(self, node: Node | None, dataset: Dataset | None = None, permission: str | None = None) -> bool:
        """Whether the caller holds what the method needs on `node`, and the answer is not withheld there."""
        if node is None or self.method.id in node.withheld:
            return False
        needed = self.method.permission if permission is None else permission
        return not needed or self.access.holds(self.caller, needed, node, dataset)


def page(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """One page and the token of the next, which is empty on the last. Refuses tokens it never gave."""
    start = 0
    if token:
        try:
            prefix, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
            start = int(offset)
        except ValueError:
            raise errors.invalid("The page token is invalid.") from None
        if prefix != "page" or not 0 < start < len(items):
            raise errors.invalid("The page token is invalid.")
    end = start + size
    following = base64.urlsafe_b64encode(f"page:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], following


def etag(*parts: object) -> str:
    """A stable etag in base64 (the field is bytes in protobuf) of what the parts say."""
    return base64.b64encode(hashlib.sha256(repr(parts).encode()).digest()[:12]).decode()


def without_empty(body: Json) -> Json:
    """Google's JSON leaves out empty texts, lists and maps; false and 0 stay where a body sets them."""
    return {key: value for key, value in body.items() if value not in ("", [], {}, (), None)}

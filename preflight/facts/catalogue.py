"""Which predefined roles hold the permissions that this tool asks about, as of a date.

The file beside this is made by scripts/make_role_catalogue.py; a live `roles.get` always wins over it.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct


class Catalogue(Struct, frozen=True):
    """A dated list of predefined roles, cut down to some permissions."""

    date: str
    source: str
    permissions: tuple[str, ...]
    roles: dict[str, str]
    """For each role a hexadecimal number whose bit N says that it holds the Nth permission."""

    def holds(self, role: str, permission: str) -> bool | None:
        """Whether the role held the permission on that date; None for a role or permission that isn't listed."""
        held = self.permissions_of(role)
        return None if held is None or permission not in self.bits else permission in held

    def permissions_of(self, role: str) -> frozenset[str] | None:
        """Which of the listed permissions the role held on that date; None for a role that isn't listed."""
        held = self.roles.get(role)
        return None if held is None else _permissions(self.permissions, held)

    @property
    def bits(self) -> dict[str, int]:
        """The place of each permission in the roles' numbers."""
        return _bits(self.permissions)

    def holding(self, permissions: Iterable[str]) -> tuple[str, ...]:
        """The roles that hold all of these. Raises ValueError for a permission that the catalogue leaves out."""
        mask = sum(1 << self.permissions.index(permission) for permission in set(permissions))
        return tuple(role for role, held in self.roles.items() if int(held, 16) & mask == mask)


@cache
def _bits(permissions: tuple[str, ...]) -> dict[str, int]:
    return {permission: bit for bit, permission in enumerate(permissions)}


@cache
def _permissions(permissions: tuple[str, ...], held: str) -> frozenset[str]:
    """Few of the numbers differ."""
    mask = int(held, 16)
    return frozenset(permission for bit, permission in enumerate(permissions) if mask >> bit & 1)


@cache
def role_catalogue() -> Catalogue:
    """The catalogue that ships with this version."""
    return msgspec.json.decode(Path(__file__).with_name("role_catalogue.json").read_bytes(), type=Catalogue)

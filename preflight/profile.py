"""What a vendor needs of a customer's project: the schema of `rules/profiles/*.toml`, and how one is read."""

import re
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from preflight.errors import ProfileError, UsageError, nearest
from preflight.plugins import builtin_folder, plugin_folders

DEFAULT_PROFILE = "heap"
"""The profile that judges where none is named."""


class LocationClass(StrEnum):
    """What the vendor says of a location."""

    SUPPORTED = "supported"
    CONFIRM = "confirm"
    """Probably fine: ask the vendor to confirm before connecting."""
    CONTACT_FIRST = "contact-first"
    """Not supported without the vendor's support being asked first."""


Some = Annotated[tuple[str, ...], Meta(min_length=1)]
"""A list that must not be empty: a rule could say nothing of it."""


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every table of a profile: an unknown key is an error."""


class Support(_Strict, frozen=True, kw_only=True):
    """Whom the customer asks."""

    name: str
    email: str


class Grant(_Strict, frozen=True, kw_only=True):
    """What the vendor's principal must hold on the project."""

    role: str
    """The preferred role."""
    minimum_roles: tuple[str, ...]
    """Or these roles together with `minimum_permissions`."""
    minimum_permissions: tuple[str, ...]
    """Permissions wanted beside `minimum_roles`, by whatever role."""
    broad_permissions: tuple[str, ...]
    """With just these, by whatever role, the connection works, but the grant is more than was asked for."""


class DatasetNeeds(_Strict, frozen=True, kw_only=True):
    """How the vendor uses datasets."""

    default_name: str
    """What the dataset is called if the customer names none, in words."""
    companion_suffixes: tuple[str, ...] = ()
    """For each dataset the vendor keeps others, named with these endings."""
    create_permissions: Some
    """Needed on the project where a dataset doesn't exist yet."""
    write_permissions: Some
    """Needed on each of the datasets that exists already."""
    write_role: str
    """A role that holds these, to be granted on such a dataset."""

    def companions(self, dataset: str) -> tuple[str, ...]:
        """The dataset and those that the vendor keeps beside it."""
        return (dataset, *(dataset + suffix for suffix in self.companion_suffixes))


class Sync(_Strict, frozen=True, kw_only=True):
    """What the vendor's syncs leave in the destination: views, most of them with a table of their own."""

    raw_suffix: Annotated[str, Meta(min_length=1)]
    """The table behind a view is named as the view, with this ending."""
    unbacked_views: tuple[str, ...] = ()
    """The views that have no such table."""
    query: str = ""
    """What to query, in words; `<dataset>` stands for the destination."""


class LocationGroup(_Strict, frozen=True, kw_only=True):
    """Some locations of which the vendor says the same."""

    status: LocationClass
    names: tuple[str, ...]
    note: str = ""

    def holds(self, location: str) -> bool:
        """Whether the location is one of these; locations compare without case."""
        return location.casefold() in {name.casefold() for name in self.names}


HANDOVER_VALUES = ("project", "location", "dataset", "principal")
"""What a hand-over may hold of the run, each written `{so}`."""
PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Handover(_Strict, frozen=True, kw_only=True):
    """What the vendor is to be told once all is ready."""

    to: str
    """To whom, as the end of "Send this to"."""
    text: str
    """What to send; `{project}`, `{location}`, `{dataset}` and `{principal}` stand for the run's own."""

    def __post_init__(self) -> None:
        for name in PLACEHOLDER.findall(self.text):
            if name not in HANDOVER_VALUES:
                raise ValueError(f"there is no {{{name}}} to fill in; known: {', '.join(HANDOVER_VALUES)}")


class Requirement(_Strict, frozen=True, kw_only=True):
    """One item of the vendor's statement, which rules name by its id."""

    id: str
    text: str


class Profile(_Strict, frozen=True, kw_only=True):
    """A vendor's needs. Everything particular to the vendor is here; rules hold none of it."""

    name: str
    version: str
    vendor: str
    """The product's name as users know it."""
    source: str
    """The document that this profile follows."""
    principal: str
    """The vendor's principal, in the form of IAM policies."""
    apis: Some
    """The APIs that must be enabled, such as `bigquery.googleapis.com`."""
    support: Support
    grant: Grant
    dataset: DatasetNeeds
    sync: Sync | None = None
    """None: what a sync leaves is not judged."""
    directory_customer_id: str = ""
    """The customer ID (`C…`) of the directory that the vendor's principal belongs to, which domain-restricted sharing
    compares; empty: the vendor doesn't publish it."""
    locations: tuple[LocationGroup, ...]
    requirements: tuple[Requirement, ...] = ()
    handover: Handover | None = None
    """None: the vendor needs to be told nothing."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """All permissions that the vendor's principal is asked about, each once."""
        needs = (
            *self.grant.minimum_permissions,
            *self.grant.broad_permissions,
            *self.dataset.create_permissions,
            *self.dataset.write_permissions,
        )
        return tuple(dict.fromkeys(needs))

    def location_group(self, location: str) -> LocationGroup | None:
        """What the vendor says of this location; None if it isn't listed."""
        return next((group for group in self.locations if group.holds(location)), None)

    def __post_init__(self) -> None:
        if parse_principal(self.principal) != self.principal:
            raise ValueError(f"the principal '{self.principal}' lacks its kind: user: or serviceAccount: before it")
        if self.directory_customer_id and not _CUSTOMER_ID.fullmatch(self.directory_customer_id):
            raise ValueError(
                f"the directory_customer_id '{self.directory_customer_id}' is not one: it is a C and then letters and "
                "digits, as gcloud organizations list shows it"
            )


_CUSTOMER_ID = re.compile(r"C[0-9A-Za-z]+")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")


def parse_principal(text: str) -> str:
    """A principal in the form of IAM policies, from that form or a bare e-mail.

    Raises ValueError for anything but one user or service account: only these can be a vendor's principal.
    """
    kind, colon, email = text.strip().rpartition(":")
    if not colon:
        kind = "serviceAccount" if email.casefold().endswith(".gserviceaccount.com") else "user"
    if kind not in {"user", "serviceAccount"} or not _EMAIL.fullmatch(email):
        raise ValueError(
            f"'{text}' is not a principal: give an e-mail, user:NAME@DOMAIN or "
            "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com"
        )
    return f"{kind}:{email}"


def decode_profile(text: str, where: str) -> Profile:
    """Reads a profile from TOML text; `where` is the file's name for messages.

    Raises ProfileError that names the file and the line (syntax) or the key (schema).
    """
    try:
        return msgspec.convert(tomllib.loads(text), Profile)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where}: {error}", "Correct the TOML syntax there.") from None
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        key = path.rstrip("`").lstrip(".") or "top level"
        raise ProfileError(f"{where}: {key}: {what}", _key_hint(what)) from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise ProfileError(f"{where}: it goes beyond what can be read.", "Correct the TOML syntax there.") from None


def _key_hint(what: str) -> str:
    unknown_key = re.search(r"unknown field `(.*)`", what)
    if not unknown_key:
        return "See the built-in profile for the form: preflight profiles show heap"
    tables = (Profile, Support, Grant, DatasetNeeds, Sync, LocationGroup, Requirement, Handover)
    return nearest(unknown_key[1], sorted({name for table in tables for name in table.__struct_fields__}))


@cache
def profile_files() -> dict[str, Path]:
    """The built-in profiles' files by name, and those that installed packages add (`preflight.profiles`).

    Raises ProfileError for a name that two of them have.
    """
    folders = [
        builtin_folder() / "profiles",
        *(package.folder for package in plugin_folders("preflight.profiles")),
    ]
    found: dict[str, Path] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        if path.stem in found:
            raise ProfileError(
                f"Two profiles are named '{path.stem}': {found[path.stem]} and {path}.",
                "Rename one of the files, or uninstall the package that brings it.",
            )
        found[path.stem] = path
    return found


def is_built_in(name: str) -> bool:
    """Whether a profile comes with this tool, so that its name says enough of it."""
    found = None if name.endswith(".toml") else profile_files().get(name)
    return found is not None and found.parent == builtin_folder() / "profiles"


def load_profile(name: str) -> Profile:
    """The profile of this name, or in the TOML file of this path (a name that ends in `.toml`).

    Raises UsageError for an unknown name, ProfileError for a file that can't be used.
    """
    return decode_profile(profile_text(name), name)


def profile_text(name: str) -> str:
    """The TOML text of a profile, by name or path. Raises as `load_profile`."""
    if name.endswith(".toml"):
        path = Path(name)
    elif name in profile_files():
        path = profile_files()[name]
    else:
        raise UsageError(f"There is no profile '{name}'.", nearest(name, list(profile_files())))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: {getattr(error, 'strerror', None) or error}", "Check the path.") from None

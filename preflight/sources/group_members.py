"""Who is in which group, from a file: for groups whose members no API shows to the caller.

JSON or TOML that maps each group's e-mail to a list of members, or CSV with a line `group,member` each:

    {"data@acme.example": ["ana@acme.example", "loader@acme.iam.gserviceaccount.com", "group:etl@acme.example"]}

A member that is a group in the same file, or is written `group:…`, is a nested group. What is written there is all
that is in the group.
"""

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from preflight.errors import UsageError
from preflight.facts.groups import Group, Groups
from preflight.facts.seen import Provenance, Unknown

SOURCE = "--group-members"
_EMAIL = re.compile(r"[^@\s,:\"']+@[^@\s,:\"']+\.[^@\s,:\"']+")
_KINDS = ("user", "serviceAccount", "group")
_FORM = (
    "Give JSON or TOML that maps each group's e-mail to a list of its members' e-mails, or CSV with lines of "
    "group,member."
)


class _Line(Struct, frozen=True):
    """One member of one group as written, and where."""

    group: str
    member: str | None
    """None: the group is named, and nobody in it."""
    number: int


def read_group_members(path: Path) -> Groups:
    """The groups in a file. Raises UsageError that names the file and, where it can, the line."""
    readers = {".json": _from_json, ".toml": _from_toml, ".csv": _from_csv}
    reader = readers.get(path.suffix.casefold())
    if reader is None:
        raise UsageError(f"{path}: its name must end in .json, .toml or .csv.", _FORM)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not text in UTF-8.", _FORM) from None
    return _groups(list(reader(path, text)), path)


def with_members(groups: Groups | Unknown, told: Groups) -> Groups:
    """What a file tells, and for other groups what else is known."""
    if isinstance(groups, Unknown):
        return told  # the very same for each of many projects, so that what is worked out of it can be kept
    return Groups(groups={**groups.groups, **told.groups})


def _groups(lines: list[_Line], path: Path) -> Groups:
    named = {_group_name(line, path) for line in lines}
    members: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    for line in lines:
        name = _group_name(line, path)
        found = members.setdefault(name, [])
        first.setdefault(name, line.number)
        if line.member is not None:
            found.append(_member(line, named, path))
    return Groups(
        groups={
            name: Group(
                provenance=Provenance(SOURCE, f"{path}:{first[name]}"), email=name, members=tuple(dict.fromkeys(found))
            )
            for name, found in members.items()
        }
    )


def _group_name(line: _Line, path: Path) -> str:
    email = line.group.strip().removeprefix("group:")
    if not _EMAIL.fullmatch(email):
        raise UsageError(f"{path}:{line.number}: {line.group!r} is not a group's e-mail.", _FORM)
    return email.casefold()


def _member(line: _Line, groups: set[str], path: Path) -> str:
    written = (line.member or "").strip()
    kind, colon, email = written.rpartition(":")
    if not _EMAIL.fullmatch(email) or (colon and kind not in _KINDS):
        raise UsageError(
            f"{path}:{line.number}: {line.member!r} is not a member: an e-mail, user:…, serviceAccount:… or group:….",
            _FORM,
        )
    if colon:
        return written
    if email.casefold() in groups:
        return f"group:{email}"
    return f"{'serviceAccount' if email.casefold().endswith('.gserviceaccount.com') else 'user'}:{email}"


def _from_json(path: Path, text: str) -> Iterator[_Line]:
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.msg}.", "Correct the JSON there.") from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{path}: it can't be read: {error}.", _FORM) from None
    if not text.lstrip().startswith("{") or not all(isinstance(pair, tuple) for pair in pairs):
        raise UsageError(f"{path}:1: it is not an object of groups.", _FORM)
    yield from _from_pairs(path, text, pairs)


def _from_toml(path: Path, text: str) -> Iterator[_Line]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        where = f":{at[1]}" if at else ""
        raise UsageError(f"{path}{where}: {error}.", "Correct the TOML there; quote each e-mail.") from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{path}: it can't be read: {error}.", _FORM) from None
    yield from _from_pairs(path, text, list(found.items()))


def _from_pairs(path: Path, text: str, pairs: list[tuple[str, Any]]) -> Iterator[_Line]:
    seen: set[str] = set()
    at = 0
    for group, members in pairs:
        at = _found(text, group, at)
        number = text.count("\n", 0, at) + 1
        if group.strip().casefold() in seen:
            raise UsageError(f"{path}:{number}: {group} is there twice.", "Keep one list of its members.")
        seen.add(group.strip().casefold())
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise UsageError(f"{path}:{number}: the members of {group} are not a list of e-mails.", _FORM)
        yield _Line(group, None, number)
        for member in members:
            at = _found(text, member, at)
            yield _Line(group, member, text.count("\n", 0, at) + 1)


def _found(text: str, word: str, after: int) -> int:
    """Where a word stands in the text; where it stood before, if it is written in another way."""
    return max(text.find(word, after), after)


def _from_csv(path: Path, text: str) -> Iterator[_Line]:
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if rows.line_num == 1 and [cell.casefold() for cell in cells] == ["group", "member"]:
                continue
            if len(cells) != 2:
                found = f"{len(cells)} value{'s' * (len(cells) != 1)}"
                raise UsageError(f"{path}:{rows.line_num}: {found} instead of group,member.", _FORM)
            yield _Line(cells[0], cells[1] or None, rows.line_num)
    except csv.Error as error:
        raise UsageError(f"{path}:{rows.line_num}: {error}.", "Correct the CSV there.") from None

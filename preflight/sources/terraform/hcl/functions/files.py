"""Functions that read files: inside the repository only. Paths count from the folder that Terraform runs in."""

import os
import posixpath
import re
from pathlib import Path

from preflight.sources.terraform.hcl.functions.encoding import HASHES, hashed
from preflight.sources.terraform.hcl.functions.registry import Registry
from preflight.sources.terraform.hcl.kinds import BOOL, STRING, Type
from preflight.sources.terraform.hcl.repository import MissingError, Repository, UnreadableError
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.syntax import Expr, Source
from preflight.sources.terraform.hcl.values import RefusedError, UnsettledError, as_set, to_text
from preflight.sources.terraform.resources import Unsettled

FILES = Registry()
_add = FILES.add


def _path(scope: Scope, path: str) -> tuple[Repository, Path]:
    """The repository, outside of which nothing is read, and where in it or not the path is."""
    if scope.surroundings is None:
        raise UnsettledError(Unsettled("a template that reads a file"))
    if path.startswith("~"):
        raise UnsettledError(Unsettled(f"{path} is in somebody's home folder"))
    return scope.surroundings.repository, scope.surroundings.folder / path


def _read(scope: Scope, path: object) -> bytes:
    named = to_text(path)
    repository, full = _path(scope, named)
    try:
        data = repository.read(full)
    except MissingError:
        raise RefusedError(f'there is no file "{named}"') from None
    except UnreadableError as error:
        raise UnsettledError(Unsettled(f'the file "{named}" was not read: {error}')) from None
    scope.budget.spend(len(data) >> 6)
    return data


def read_text(scope: Scope, path: object) -> str:
    """A file's text. Raises RefusedError where there is none, UnsettledError where it may not be read."""
    try:
        return _read(scope, path).decode()
    except UnicodeDecodeError:
        raise RefusedError("the file is no text in UTF-8") from None


@_add("file", 1, returns=STRING, scoped=True)
def _file(scope: Scope, path: object) -> object:
    return read_text(scope, path)


@_add("filebase64", 1, returns=STRING, scoped=True)
def _filebase64(scope: Scope, path: object) -> object:
    from base64 import b64encode

    return b64encode(_read(scope, path)).decode()


def _file_hash(algorithm: str) -> object:
    def run(scope: Scope, path: object) -> object:
        return hashed(algorithm, _read(scope, path))

    return run


for _name in HASHES:
    _add(f"file{_name}", 1, returns=STRING, scoped=True)(_file_hash(_name))  # type: ignore[arg-type]


@_add("fileexists", 1, returns=BOOL, scoped=True)
def _fileexists(scope: Scope, path: object) -> object:
    named = to_text(path)
    repository, full = _path(scope, named)
    try:
        real = repository.inside(full)
    except MissingError:
        return False
    except UnreadableError as error:
        raise UnsettledError(Unsettled(f'whether there is a file "{named}" was not looked up: {error}')) from None
    if Path(real).is_dir():
        raise RefusedError(f"{named} is a folder")
    return True


@_add("fileset", 2, returns=Type("set", STRING), scoped=True)
def _fileset(scope: Scope, folder: object, pattern: object) -> object:
    named, wanted = to_text(folder), to_text(pattern)
    repository, full = _path(scope, named)
    matcher = glob(wanted)
    try:
        start = repository.inside(full)
    except MissingError:
        return as_set(())
    except UnreadableError as error:
        raise UnsettledError(Unsettled(f'the folder "{named}" was not read: {error}')) from None
    deep = "**" in wanted or "/" in wanted
    found: list[str] = []
    for where, folders, files in os.walk(start):
        scope.budget.room(len(folders) + len(files))
        inner = os.path.relpath(where, start).replace(os.sep, "/")
        for name in files:
            path = name if inner == "." else f"{inner}/{name}"
            if matcher.fullmatch(path):
                found.append(path)
        if len(found) > scope.budget.limits.elements:
            raise UnsettledError(Unsettled(f"more than {scope.budget.limits.elements} files match, the limit here"))
        if not deep:
            break
    return as_set(found)


def glob(wanted: str) -> re.Pattern[str]:
    """A pattern of `fileset()`: `*`, `**`, `?`, `{a,b}`. Raises UnsettledError for others."""
    if any(letter in wanted for letter in "[]\\") or len(wanted) > 200 or wanted.count("*") > 8:
        raise UnsettledError(Unsettled("a pattern of fileset() that is not read here"))
    parts: list[str] = []
    depth = 0
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|\{|\}|,|[^*?{},]+", posixpath.normpath(wanted)):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth -= 1
        parts.append(
            {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}.get(piece)
            or ("|" if piece == "," and depth else re.escape(piece))
        )
        if depth < 0:
            break
    if depth:
        raise RefusedError("the pattern's braces do not match")
    return re.compile("".join(parts), re.DOTALL)


@_add("basename", 1, returns=STRING)
def _basename(path: object) -> object:
    text = to_text(path)
    return (posixpath.basename(text.rstrip("/")) or "/") if text else "."


@_add("dirname", 1, returns=STRING)
def _dirname(path: object) -> object:
    text = to_text(path)
    return posixpath.normpath(posixpath.dirname(text) or ("/" if text.startswith("/") else "."))


@_add("pathexpand", 1, returns=STRING)
def _pathexpand(path: object) -> object:
    text = to_text(path)
    if text.startswith("~"):
        raise UnsettledError(Unsettled(f"{text} hangs on who runs Terraform"))
    return text


def template_of(text: str, scope: Scope) -> tuple[Expr, Source]:
    """A template file's text as an expression. Raises UnsettledError where it doesn't parse."""
    from preflight.sources.terraform.hcl.parsing import parse_template

    return parse_template(text, scope.source, scope.budget.limits)

"""One folder's files as a module: its blocks by name, overrides merged, what could not be read beside them."""

from collections.abc import Callable, Iterable

from preflight.sources.terraform.hcl.json_files import parse_json_file
from preflight.sources.terraform.hcl.parsing import Entry, File, parse_file
from preflight.sources.terraform.hcl.repository import Repository, UnreadableError
from preflight.sources.terraform.hcl.syntax import Attribute, Block, Body, Source, literal_text
from preflight.sources.terraform.resources import Omission, Place

Key = tuple[str, ...]

_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1}
_TWINS = {".tofu": ".tf", ".tofu.json": ".tf.json"}
_CORRECT = "correct the syntax"


class Folder:
    """A module's source: which blocks there are; each is converted when it is first asked for."""

    def __init__(self, path: str, shown: str) -> None:
        self.path = path
        self.place = Place(shown)
        self.blocks: dict[Key, list[Entry[Block]]] = {}
        """Resources, data sources, module calls, variables and outputs, by kind and labels; overrides come last."""
        self.locals: dict[str, Entry[Attribute]] = {}
        self.providers: list[Entry[Block]] = []
        self.problems: list[Omission] = []
        self.types: set[str] = set()
        """The types of its resources."""
        self.size = 0
        self._merged: dict[Key, Block] = {}
        self._locals: dict[str, Attribute] = {}
        self._providers: dict[tuple[str, str], Block] | None = None

    def take(self, file: File, *, override: bool = False) -> None:
        """Adds what a file declares; an override is merged into what is there."""
        self.size += len(file.source.data)
        self.problems += _broken(file)
        for entry in file.blocks:
            if entry.type == "provider" and entry.labels:
                self.providers.append(entry)
            if len(entry.labels) != _LABELS.get(entry.type):
                continue
            key = (entry.type, *entry.labels)
            known = self.blocks.get(key)
            if known and not override:
                why = f"{'.'.join(key)} is declared twice, first in {known[0].place}: Terraform refuses that"
                self.problems.append(Omission(why, "remove one of the two", entry.place, self._types_of(entry)))
            elif override and not known:
                why = f"{'.'.join(key)} is overridden here and declared nowhere: Terraform refuses that"
                self.problems.append(Omission(why, "declare it", entry.place, self._types_of(entry)))
            else:
                self.blocks.setdefault(key, []).append(entry)
                if entry.type == "resource":
                    self.types.add(entry.labels[0])
        for local in file.locals:
            if override or local.labels[0] not in self.locals:
                self.locals[local.labels[0]] = local

    def _types_of(self, entry: Entry[Block]) -> frozenset[str] | None:
        return frozenset({entry.labels[0]}) if entry.type == "resource" else None

    def block(self, *key: str) -> Block | None:
        """A block by kind and labels, with its overrides merged; None if there is none."""
        if key not in self._merged:
            entries = self.blocks.get(key)
            if not entries:
                return None
            block = entries[0].load()
            for entry in entries[1:]:
                block = overridden(block, entry.load())
            self._merged[key] = block
        return self._merged[key]

    def local(self, name: str) -> Attribute | None:
        """A local value's attribute; None if there is none."""
        if name not in self._locals:
            if name not in self.locals:
                return None
            self._locals[name] = self.locals[name].load()
        return self._locals[name]

    def provider(self, name: str, alias: str) -> Block | None:
        """A provider's configuration by its name and alias (empty: the default one)."""
        if self._providers is None:
            self._providers = {}
            for entry in self.providers:
                block = entry.load()
                found = (block.labels[0], literal_text(block.body.expr("alias")) or "")
                known = self._providers.get(found)
                self._providers[found] = overridden(known, block) if known else block
        return self._providers.get((name, alias))

    def keys(self, kind: str) -> list[Key]:
        """The labels of all blocks of a kind, in the order of the files."""
        return [key[1:] for key in self.blocks if key[0] == kind]


def overridden(block: Block, by: Block) -> Block:
    """A block with an override merged into it: arguments one by one, nested blocks by all of their type."""
    replaced = {
        one.type if one.type != "dynamic" else one.labels[0]
        for one in by.body.blocks
        if one.labels or one.type != "dynamic"
    }
    replaced.discard("lifecycle")
    kept = [
        one
        for one in block.body.blocks
        if one.type not in replaced and not (one.type == "dynamic" and one.labels and one.labels[0] in replaced)
    ]
    body = Body({**block.body.attributes, **by.body.attributes}, (*kept, *by.body.blocks))
    return Block(block.type, block.labels, body, block.source, block.at, block.broken or by.broken)


def read_folder(repository: Repository, path: str) -> Folder:
    """The module in a folder. What can't be read is among its problems; never raises."""
    shown = repository.shown(path)
    folder = Folder(path, shown)
    try:
        names = repository.names(path)
    except UnreadableError as error:
        folder.problems.append(Omission(f"the folder {shown} was not read: {error}", "make it readable", folder.place))
        return folder
    plain, overrides = configuration_files(names)
    if len(plain) + len(overrides) > repository.limits.files:
        why = f"the folder {shown} has more than {repository.limits.files} files, the limit here"
        folder.problems.append(Omission(why, "a plan", folder.place))
        return folder
    _take(folder, repository, plain, override=False)
    _take(folder, repository, overrides, override=True)
    return folder


def _take(folder: Folder, repository: Repository, names: Iterable[str], *, override: bool) -> None:
    for name in names:
        found = _file(repository, f"{folder.path}/{name}")
        if isinstance(found, File):
            folder.take(found, override=override)
        else:
            folder.problems.append(found)


def _file(repository: Repository, path: str) -> File | Omission:
    shown = repository.shown(path)
    try:
        source = Source(shown, without_mark(repository.read(path)))
    except UnreadableError as error:
        return Omission(f"{shown} was not read: {error}", "make it readable", Place(shown))
    parse: Callable[..., File] = parse_json_file if path.endswith(".json") else parse_file
    return parse(source, repository.limits)


def _broken(file: File) -> list[Omission]:
    return [Omission(f"{file.source.file}: {file.why}", _CORRECT, file.broken)] if file.broken else []


def problems_in(repository: Repository, path: str) -> list[Omission]:
    """What is wrong with a file by itself: it can't be read or parsed."""
    found = _file(repository, path)
    return _broken(found) if isinstance(found, File) else [found]


def without_mark(data: bytes) -> bytes:
    """The bytes without a byte order mark."""
    return data.removeprefix(b"\xef\xbb\xbf")


def configuration_files(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """A folder's files that Terraform reads, in its order: the plain ones, and the overrides that follow them.

    A `.tofu` file hides the `.tf` file of the same name, as in OpenTofu.
    """
    found = {name for name in names if _suffix(name) and not _ignored(name)}
    for name in list(found):
        suffix = _suffix(name)
        if suffix in _TWINS:
            found.discard(name.removesuffix(suffix) + _TWINS[suffix])
    plain: list[str] = []
    overrides: list[str] = []
    for name in sorted(found):
        stem = name.removesuffix(_suffix(name))
        (overrides if stem == "override" or stem.endswith("_override") else plain).append(name)
    return plain, overrides


def _suffix(name: str) -> str:
    return next((one for one in (".tf", ".tofu", ".tf.json", ".tofu.json") if name.endswith(one)), "")


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#"))

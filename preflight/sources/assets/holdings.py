"""What a pass over exports keeps: the lines that matter, undecoded, by the resource that they belong to.

Asset types and the forms of names: Google's "Supported asset types" of Cloud Asset Inventory.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from preflight.facts.seen import COMPLETE, Completeness, Incomplete, Provenance
from preflight.sources.assets.lines import END, LONGEST_LINE, AssetLines, Fault
from preflight.sources.assets.wire import ABSENT, Line, UnreadableContentError, data_of, decode_line, given

SOURCE = "cloud asset export"
Kind: TypeAlias = Literal[
    "resource",
    "policy",
    "org policy",
    "constraint",
    "deny policy",
    "role",
    "dataset",
    "dataset policy",
    "service",
    "billing",
]
_RM = "//cloudresourcemanager.googleapis.com/"
_MOST_FAULTS = 1000
"""More are not counted."""
_CONTAINERS = {"Project": "projects/", "Folder": "folders/", "Organization": "organizations/"}


class Kept(Struct, gc=False):
    """One line that matters."""

    file: Path
    number: int
    line: Line
    conflict: int = 0
    """Another line, of this file or another, that says something else of the same, and which is newer isn't told."""


class Scope(Struct):
    """What was kept of one project, folder or organization: by kind, then by name."""

    kept: dict[Kind, dict[str, Kept]] = field(default_factory=dict)
    listed: set[Path] = field(default_factory=set)
    """The files that have a RESOURCE line of it: an export that lists it lists also what is in it."""

    def one(self, kind: Kind) -> Kept | None:
        """The line of a kind of which a resource has one."""
        return next(iter(self.kept[kind].values()), None) if kind in self.kept else None

    def all(self, kind: Kind) -> dict[str, Kept]:
        """All lines of a kind, by name."""
        return self.kept.get(kind, {})


class Holdings:
    """The lines of exports by `projects/…`, `folders/…`, `organizations/…` as they are named there."""

    def __init__(
        self, paths: tuple[Path, ...], apis: frozenset[str], wanted: Callable[[str], bool] | None = None
    ) -> None:
        """`apis` are those whose state matters. `wanted` says which resources to keep lines of; None: all."""
        self.files = " and ".join(map(str, paths))
        """The files in words."""
        self.scopes: dict[str, Scope] = {}
        self.damage: Completeness = COMPLETE
        """A gap where something could not be read: it may have been anything."""
        self.warnings: list[str] = []
        """What a user has to know about the files, in sentences."""
        self.with_datasets: set[tuple[Path, str]] = set()
        """The file and the outermost resource of each dataset, also of those that are not kept: what each export
        covers. An export has one scope; what several of them cover together can't be told."""
        self.policies_of: set[str] = set()
        """The kinds of containers of which there are IAM_POLICY lines."""
        self.lines = 0
        self._paths = paths
        self._file = paths[0]
        self._next = 1
        self._apis = tuple(f"/services/{api}" for api in apis)
        self._wanted = wanted
        self._repeated = 0
        self._tails: set[bytes] | None = set()
        self._read = {
            **{f"cloudresourcemanager.googleapis.com/{kind}": self._container for kind in _CONTAINERS},
            "bigquery.googleapis.com/Dataset": self._dataset,
            "serviceusage.googleapis.com/Service": self._service,
            "iam.googleapis.com/Role": self._role,
            "iam.googleapis.com/PolicyV2": self._deny_policy,
            "orgpolicy.googleapis.com/Policy": self._constraint,
            "cloudbilling.googleapis.com/ProjectBillingInfo": self._billing,
        }

    def where(self, kept: Kept) -> Provenance:
        """A line as provenance: `FILE:LINE`, and when the asset was changed last. When Google looked, no line tells."""
        updated = kept.line.update_time
        return Provenance(f"{SOURCE}, as of {updated}" if updated else SOURCE, f"{kept.file}:{kept.number}")

    def whole(self) -> Provenance:
        """All that was read as provenance."""
        return Provenance(SOURCE, self.files)

    def read(self) -> None:
        """One pass over the files. Raises UsageError for a file that is no export."""
        faults: list[Fault] = []
        for path in self._paths:
            self._file = path
            self._tails = set()
            lines = AssetLines(path)
            with lines.opened() as numbered:
                found = self._pass(lines, numbered)
            # What is wrong with the file explains what is wrong with its last line.
            faults += [replace(one, line=self._next) if one.line == END else one for one in lines.faults]
            faults += found
        self._tell(faults)

    def _pass(self, lines: AssetLines, numbered: Iterable[tuple[int, bytes]]) -> list[Fault]:
        handler = self._read.get
        faults: list[Fault] = []
        number, text = 0, b"\n"
        for number, text in numbered:
            try:
                line = decode_line(text)
                handle = handler(line.asset_type)
                if handle is not None:
                    handle(number, line)
                elif not (line.name and line.asset_type):
                    self._other_spelling(number, line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OddLineError) as error:
                if lines.skip(text):
                    faults.append(Fault(lines.path, number, f"it is longer than {LONGEST_LINE >> 20} MB"))
                elif not text.isspace():
                    faults.append(Fault(lines.path, number, str(error) or type(error).__name__))
                del faults[_MOST_FAULTS:]
        self.lines += number
        self._next = number + text.endswith(b"\n")
        return faults

    def _other_spelling(self, number: int, line: Line) -> None:
        line.settle()
        if not (line.name and line.asset_type):
            raise OddLineError("it is JSON, and no asset")
        handle = self._read.get(line.asset_type)
        if handle is not None:
            handle(number, line)

    def _tell(self, faults: list[Fault]) -> None:
        if faults:
            first = faults[0]
            more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
            at = f"line {first.line} of {first.file}" if first.line else str(first.file)
            why = f"{at} can't be read ({first.why}){more}: it may hold anything"
            gap = Incomplete(why, "Make the export again, whole and of JSON lines, and run again.")
            where = f"{first.file}:{first.line}" if first.line else str(first.file)
            self.damage = Completeness(gap, Provenance(SOURCE, where))
            self.warnings.append(f"{at} can't be read: {first.why}{more}. What isn't seen counts as unknown.")
        if self._repeated:
            how = "line repeats" if self._repeated == 1 else "lines repeat"
            self.warnings.append(
                f"{self._repeated} {how} a resource that another line tells: the newest counts; where none is newer "
                "and they differ, neither."
            )

    # One function a kind of asset. Each is called for each such line, so that they do little.

    def _keep(self, scope: str, kind: Kind, name: str, number: int, line: Line) -> None:
        found = self.scopes.get(scope)
        if found is None:
            found = self.scopes[scope] = Scope()
        slot = found.kept.setdefault(kind, {})
        kept = Kept(self._file, number, line)
        before = slot.get(name)
        if before is not None:
            self._repeated += 1
            kept = _newer(before, kept, kind)
        slot[name] = kept

    def _wants(self, scope: str) -> bool:
        return self._wanted is None or self._wanted(scope)

    def _container(self, number: int, line: Line) -> None:
        kind = line.asset_type.rpartition("/")[2]
        if not line.name.startswith(_RM):
            raise OddLineError(f"a {kind.lower()} is named {line.name[:200]!r}")
        scope = line.name[len(_RM) :]
        if "/" not in scope:
            scope = _CONTAINERS[kind] + scope
        line.settle()
        if given(line.iam_policy):
            self.policies_of.add(kind)
        if not self._wants(scope):
            return
        ancestors_of(line)  # what is wrong with them is told while the line's number is at hand
        if given(line.resource):
            self._keep(scope, "resource", self._own_name(scope, line), number, line)
            self.scopes[scope].listed.add(self._file)
        if given(line.iam_policy):
            self._keep(scope, "policy", scope, number, line)
        if given(line.org_policy):
            self._keep(scope, "org policy", scope, number, line)

    def _own_name(self, scope: str, line: Line) -> str:
        """Two projects of one number are kept apart: nothing that goes by the number belongs to either for sure."""
        before = self.scopes[scope].one("resource") if scope in self.scopes else None
        if before is None or not scope.startswith("projects/"):
            return scope
        was, now = (project_id(one) for one in (before.line, line))
        return scope if was == now else f"{scope} {now}"

    def _dataset(self, number: int, line: Line) -> None:
        _, _, _, project_word, project, word, name = _parts(line.name, 7)
        if project_word != "projects" or word != "datasets":
            raise OddLineError(f"a dataset is named {line.name[:200]!r}")
        line.settle()
        scope = f"projects/{project}"
        if given(line.resource):
            self._covers_datasets(line)
            if self._wants(scope):
                self._keep(scope, "dataset", name, number, line)
        if given(line.iam_policy) and self._wants(scope):
            self._keep(scope, "dataset policy", name, number, line)

    def _service(self, number: int, line: Line) -> None:
        """`//serviceusage.googleapis.com/projects/1/services/bigquery.googleapis.com`."""
        if line.name.endswith(self._apis):
            _, _, _, word, project, _, name = _parts(line.name, 7)
            scope = f"projects/{project}"
            if word == "projects" and self._wants(scope):  # folders and organizations have services as well
                self._keep(scope, "service", name, number, line)

    def _covers_datasets(self, line: Line) -> None:
        if self._tails is None:
            return  # the one root that matters is among them
        tail = bytes(line.ancestors)[-40:]  # longer than any name in it: decoding each would take longer
        if tail not in self._tails or not tail:
            root = ancestors_of(line)[-1:]
            self.with_datasets.update((self._file, name) for name in root)
            self._tails.add(tail)
            if self._wanted is not None and root and self._wanted(root[0]):
                self._tails = None

    def _role(self, number: int, line: Line) -> None:
        _, _, _, kind, owner, _, name = _parts(line.name, 7, odd=("",) * 7)
        scope = f"{kind}/{owner}"  # a predefined role has no owner: the catalogue has those
        if kind in {"projects", "organizations"} and given(line.resource) and self._wants(scope):
            self._keep(scope, "role", f"{scope}/roles/{name}", number, line)

    def _deny_policy(self, number: int, line: Line) -> None:
        """`//iam.googleapis.com/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F1/denypolicies/NAME`."""
        _, _, after = line.name.partition("/policies/")
        attached, _, name = after.partition("/denypolicies/")
        scope = attached.replace("%2F", "/").replace("%2f", "/").removeprefix("cloudresourcemanager.googleapis.com/")
        if name and given(line.resource) and self._wants(scope):
            self._keep(scope, "deny policy", name, number, line)

    def _constraint(self, number: int, line: Line) -> None:
        """`//orgpolicy.googleapis.com/projects/1/policies/gcp.resourceLocations`."""
        _, _, _, kind, owner, _, name = _parts(line.name, 7)
        if given(line.resource) and self._wants(f"{kind}/{owner}"):
            self._keep(f"{kind}/{owner}", "constraint", name, number, line)

    def _billing(self, number: int, line: Line) -> None:
        """`//cloudbilling.googleapis.com/projects/ID/billingInfo`."""
        _, _, _, _, project, _ = _parts(line.name, 6)
        if given(line.resource) and self._wants(f"projects/{project}"):
            self._keep(f"projects/{project}", "billing", project, number, line)


def _newer(before: Kept, now: Kept, kind: Kind) -> Kept:
    """Of two lines about the same the one that counts: the newer; where none is, the later, marked if they differ."""
    content = _CONTENT_OF.get(kind, "resource")
    if bytes(getattr(before.line, content)) == bytes(getattr(now.line, content)):
        return before if before.conflict else now
    was, is_ = _moment(before.line.update_time), _moment(now.line.update_time)
    if was is None or is_ is None or was == is_:
        now.conflict = before.number
        return now
    return before if was > is_ else now


_CONTENT_OF: dict[Kind, str] = {"policy": "iam_policy", "dataset policy": "iam_policy", "org policy": "org_policy"}


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class OddLineError(Exception):
    """A line that is not in the documented form; the message says how."""


def _parts(name: str, count: int, odd: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The parts of `//SERVICE/projects/P/KIND/NAME`, the two empty ones in front among them."""
    parts = tuple(name.split("/"))
    if len(parts) != count:
        if odd is not None:
            return odd
        raise OddLineError(f"an asset is named {name[:200]!r}")
    return parts


def project_id(line: Line) -> str:
    """The ID that a project's line tells; empty where it tells none."""
    try:
        return str(data_of(line.resource, _ProjectId).projectId)
    except UnreadableContentError:
        return ""


class _ProjectId(Struct):
    projectId: str = ""  # noqa: N815  as Google writes it


def ancestors_of(line: Line) -> tuple[str, ...]:
    """`projects/N`, `folders/N` …, `organizations/N`, as the line has them; empty where it has none."""
    if line.ancestors is not ABSENT:
        try:
            found = msgspec.json.decode(line.ancestors, type=tuple[str, ...] | None)
        except msgspec.MsgspecError:
            raise OddLineError("its ancestors are no list of names") from None
        return found or ()
    return _from_path(line.ancestry_path)


def _from_path(path: str) -> tuple[str, ...]:
    """`organization/1/folder/2/project/p`, as Terraform's converter writes it, the outermost first."""
    words = path.split("/")
    if len(words) < 2 or len(words) % 2:
        return ()
    pairs = zip(words[::2], words[1::2], strict=True)
    return tuple(f"{kind.removesuffix('s')}s/{name}" for kind, name in pairs)[::-1]

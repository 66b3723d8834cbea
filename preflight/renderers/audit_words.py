"""The words of the audit that a person reads in more than one format."""

from collections.abc import Iterator

from preflight.access.audit import Audit, Cell, Row, State
from preflight.access.audit_flags import MEANINGS, Flag, FlagKind
from preflight.access.audit_gaps import OpenPoint
from preflight.renderers.words import utc

LEGEND = (
    "yes: granted on the whole project; to DATE: until then; N datasets: by the own lists of so many, +?: perhaps of "
    "more; ?: can't be told from what was seen; blank: known not to be granted"
)
_MOST_NAMES = 5
"""So many things of one kind are named, the rest counted."""

_KINDS = {
    "policy": ("The policy of {} was not read whole", "The policies of {} were not read whole"),
    "ancestors": ("Not all folders above the project are known", ""),
    "datasets": ("Not all datasets could be listed", ""),
    "dataset access": ("The access list of {} was not read whole", "The access lists of {} were not read whole"),
    "role": ("What {} holds is not known", "What {} hold is not known"),
    "group": ("Who is in {} is not known", "Who is in {} is not known"),
    "condition": ("Whether this condition holds can't be told: {}", "Whether these conditions hold can't be told: {}"),
    "member": ("Whom {} stands for can't be told from here", "Whom {} stand for can't be told from here"),
    "binding": ("Whether a grant on {} stands can't be told", "Whether grants on {} stand can't be told"),
    "basic role": (
        "Whether {} stands for those too who inherit the role from a folder or the organization is not documented",
        "Whether {} stand for those too who inherit the role from a folder or the organization is not documented",
    ),
    "deny policy": ("The deny policies of {} were not read", "The deny policies of {} were not read"),
    "deny rule": ("Whether a rule of {} stands can't be told", "Whether rules of {} stand can't be told"),
    "deny ancestors": ("The deny policies of folders that are not known were not read", ""),
    "organization": ("The organization's domain is not known, so nobody is flagged as outside it", ""),
}


def cell_text(cell: Cell) -> str:
    """What a cell says, in a word or two."""
    if cell.state is State.NOT_GRANTED:
        return ""
    if cell.state is State.UNKNOWN:
        return "?"
    if cell.datasets:
        count = len(cell.datasets)
        return f"{count} dataset{'' if count == 1 else 's'}{'+?' if cell.more else ''}"
    return f"to {utc(cell.until):%Y-%m-%d}" if cell.until else "yes"


def flagged(audit: Audit) -> Iterator[tuple[FlagKind, str, list[tuple[Row, Flag]]]]:
    """The flags that somebody has, each with what it means and whom it is about."""
    for kind in FlagKind:
        found = [(row, flag) for row in audit.rows for flag in row.flags if flag.kind is kind]
        if found:
            yield kind, MEANINGS[kind], found


def gaps(audit: Audit, *, weighing: bool) -> Iterator[tuple[str, str]]:
    """What was not seen, alike things together: a sentence with why not, and what would settle it."""
    by_kind: dict[tuple[str, str], list[OpenPoint]] = {}
    for point in audit.open_points:
        if point.weighs == weighing:
            why = "" if point.kind in {"group", "condition", "member", "basic role"} else _why(point)
            by_kind.setdefault((point.kind, why), []).append(point)
    for (kind, why), points in by_kind.items():
        one, many = _KINDS.get(kind, (f"{kind} {{}} was not seen", f"{kind} {{}} were not seen"))
        said = (one if len(points) == 1 else many).format(_names(points))
        yield f"{said}{f' ({why})' if why else ''}.", points[0].unknown.reason.settle()


def _why(point: OpenPoint) -> str:
    # Alike refusals differ only in the resource, which is named already.
    return point.unknown.reason.describe().removesuffix(f" on {point.about}")


def _names(points: list[OpenPoint]) -> str:
    # Of grants that may stand, alike but for their numbers, the resource is named.
    about = (point.about.partition("#")[0] if point.kind == "binding" else point.about for point in points)
    names = [*dict.fromkeys(about)]
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def summary(audit: Audit, shown: int) -> str:
    """The table in one sentence."""
    count = len(audit.rows)
    members = f"{count} member{'' if count == 1 else 's'}" if count else "Nobody"
    said = f"{members} named in the policies that were read"
    if shown != count:
        said += f", {shown} of them shown"
    flags = [f"{len(rows)} {kind.value}" for kind, _, rows in flagged(audit)]
    said += f"; flagged: {', '.join(flags)}." if flags else "; nothing is flagged."
    if audit.blind:
        said += " Something that matters could not be seen: what is blank or absent here may be there all the same."
    return said


def rows_shown(audit: Audit, *, only_flagged: bool) -> tuple[Row, ...]:
    """The rows to show."""
    return tuple(row for row in audit.rows if row.flags) if only_flagged else audit.rows

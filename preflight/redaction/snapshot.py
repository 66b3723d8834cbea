"""A snapshot with pseudonyms, judged before it goes anywhere: by no rule may it be another than the one it was."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from preflight.engine import evaluate
from preflight.errors import RedactionError
from preflight.facts.dataset import Datasets
from preflight.facts.organization import Tags
from preflight.facts.project import Project
from preflight.facts.seen import Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.redaction.conditions import ConditionsRewriting
from preflight.redaction.fields import Rewriting
from preflight.redaction.pseudonyms import Kept, Pseudonyms
from preflight.report import Report
from preflight.rulebook import Rule

Level = Literal["none", "default", "strict"]


class Redacted(Struct, frozen=True):
    """A snapshot that may leave."""

    snapshot: Snapshot
    legend: dict[str, str]
    """What each pseudonym in it stands for: this stays."""
    folded: int
    """How many conditions were folded to their value."""
    conditions: dict[str, str]
    """What each condition was, and is now."""
    pseudonyms: Pseudonyms
    """For what goes beside it."""


def redacted(snapshot: Snapshot, target: Target, profile: Profile, key: bytes, *, strict: bool = False) -> Redacted:
    """The snapshot with pseudonyms made with the key; `strict`: of the names of files, too. Raises RedactionError for
    what it doesn't know how to clean."""
    project = snapshot.project
    kept = Kept(
        project=target.project,
        number=project.number if isinstance(project, Project) else None,
        principals=tuple(dict.fromkeys((target.principal, profile.principal))),
        emails=frozenset({profile.support.email}),
        datasets=frozenset(profile.dataset.companions(target.dataset) if target.dataset else ()),
        customers=frozenset({profile.directory_customer_id} - {""}),
    )
    pseudonyms = Pseudonyms(key, kept, files=strict)
    tags: Tags | Unknown = snapshot.tags

    def conditions() -> ConditionsRewriting:
        return ConditionsRewriting(
            pseudonyms,
            target.project,
            profile.permissions,
            _datasets(snapshot, kept.datasets),
            (tags, Rewriting(pseudonyms, lambda one: one).rewritten(tags)),
            snapshot.finished_at or datetime.now(UTC),
        )

    # First to learn all the names; then free texts can be cleaned of every one of them.
    pseudonyms.learning = True
    Rewriting(pseudonyms, conditions().learnt).rewritten(snapshot)
    pseudonyms.learning = False
    final = conditions()
    made: Snapshot = Rewriting(pseudonyms, final.rewritten).rewritten(snapshot)
    return Redacted(made, pseudonyms.legend, final.folded, final.done, pseudonyms)


def stays(target: Target, profile: Profile) -> tuple[str, ...]:
    """What is said of the run itself, and may be the name of something else, too."""
    return (target.project, target.principal, target.location or "", profile.name, profile.vendor)


def _datasets(snapshot: Snapshot, named: Iterable[str]) -> tuple[str, ...]:
    known = snapshot.datasets.datasets if isinstance(snapshot.datasets, Datasets) else ()
    return tuple(dict.fromkeys((*named, *known)))


def cleaned(
    rules: tuple[Rule, ...],
    snapshot: Snapshot,
    target: Target,
    profile: Profile,
    report: Report,
    key: bytes,
    level: Level,
) -> tuple[Redacted, Report]:
    """The snapshot with pseudonyms made with the key, and the report on it, which comes to the same as `report`, the
    one before. Raises RedactionError where it doesn't."""
    clean = redacted(snapshot, target, profile, key, strict=level == "strict")
    after = judged(rules, clean.snapshot, target, profile, report)
    refuse_changes(report, after)
    return clean, after


def refuse_changes(before: Report, after: Report) -> None:
    """Raises RedactionError if the two don't come to the same by every rule."""
    if changed := list(_changed(before, after)):
        raise RedactionError(
            f"With pseudonyms {', '.join(changed)} would come to something else, so nothing was written.",
            "Report this as a defect; --redact none writes it with all names in it.",
        )


def _changed(before: Report, after: Report) -> Iterator[str]:
    for one, other in zip(before.findings, after.findings, strict=True):
        reasons = [verdict.reason.kind if verdict.reason else "" for verdict in (one.verdict, other.verdict)]
        if (one.rule, one.status, one.because, reasons[0]) != (other.rule, other.status, other.because, reasons[1]):
            yield one.rule


def judged(rules: tuple[Rule, ...], snapshot: Snapshot, target: Target, profile: Profile, like: Report) -> Report:
    """The report on the redacted snapshot, in all else like the one before."""
    report = evaluate(rules, snapshot, target, profile, allow_unknown=like.allow_unknown)
    # Somebody's own words and the name of their file say why it is ignored: that it is, is enough.
    ignored = {finding.rule: finding.ignored for finding in like.findings if finding.ignored is not None}
    findings = tuple(
        finding.ignoring("why is not told here", "a configuration", in_source=ignored[finding.rule].in_source)
        if finding.rule in ignored and finding.is_trouble
        else finding
        for finding in report.findings
    )
    return replace(report, unasked=like.unasked, findings=findings)

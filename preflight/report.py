"""What rules answer and what a run reports: verdicts, findings, the report."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from preflight.errors import ExitCode
from preflight.facts.access_path import AccessPath
from preflight.facts.seen import Evidence, Reason
from preflight.facts.snapshot import Target


class Status(StrEnum):
    """The five answers of a rule."""

    PASS = "pass"
    WARN = "warn"
    """Works, but should be changed."""
    FAIL = "fail"
    UNKNOWN = "unknown"
    """Could not be determined: never health, never failure."""
    SKIP = "skip"
    """Not applicable."""


class Severity(StrEnum):
    """How much a rule weighs in the report's verdict."""

    REQUIRED = "required"
    """Its fail and its unknown both stand in the way of ready."""
    IMPORTANT = "important"
    """Its fail does; its unknown is an open point."""
    RECOMMENDED = "recommended"
    """At most warns."""


class Remedy(Struct, frozen=True):
    """What to do: in words, and ready to run."""

    summary: str
    commands: tuple[str, ...] = ()
    """Shell commands, ready to paste: every name in them is quoted."""
    terraform: str | None = None
    console_url: str | None = None


class Verdict(Struct, frozen=True):
    """A rule's answer. Build it with `passed`, `warned`, `failed`, `unknown` or `skipped`."""

    status: Status
    message: str
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    reason: Reason | None = None
    """Only with unknown: why."""
    access: tuple[AccessPath, ...] = ()
    """What of it is about access: the grants and denials that lead to the answer, for a picture."""


def passed(message: str, *evidence: Evidence, access: tuple[AccessPath, ...] = ()) -> Verdict:
    """As required. Raises ValueError without evidence: nobody may pass unseen."""
    _want(evidence, "a pass", "evidence")
    return Verdict(Status.PASS, message, evidence, access=access)


def warned(
    message: str, *evidence: Evidence, remedy: Remedy | tuple[Remedy, ...], access: tuple[AccessPath, ...] = ()
) -> Verdict:
    """Works, but should be changed."""
    return Verdict(Status.WARN, message, evidence, _remedies(remedy), access=access)


def failed(
    message: str, *evidence: Evidence, remedy: Remedy | tuple[Remedy, ...], access: tuple[AccessPath, ...] = ()
) -> Verdict:
    """Not as required. Raises ValueError without evidence or remedy."""
    _want(evidence, "a fail", "evidence")
    _want(_remedies(remedy), "a fail", "a remedy")
    return Verdict(Status.FAIL, message, evidence, _remedies(remedy), access=access)


def unknown(
    message: str,
    reason: Reason,
    *evidence: Evidence,
    remedy: Remedy | tuple[Remedy, ...] = (),
    access: tuple[AccessPath, ...] = (),
) -> Verdict:
    """Could not be determined. What would settle the reason is its first remedy; `remedy` adds others, each once."""
    remedies = (Remedy(summary=reason.settle()), *_remedies(remedy))
    once = tuple(found for place, found in enumerate(remedies) if found not in remedies[:place])
    return Verdict(Status.UNKNOWN, message, evidence, once, reason, access)


def skipped(message: str) -> Verdict:
    """Not applicable, and why."""
    return Verdict(Status.SKIP, message)


def _remedies(remedy: Remedy | tuple[Remedy, ...]) -> tuple[Remedy, ...]:
    return (remedy,) if isinstance(remedy, Remedy) else remedy


def _want(given: tuple[object, ...], what: str, of: str) -> None:
    if not given:
        raise ValueError(f"{what} needs {of}")


_URGENCY = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIP)
"""What is wrong first."""


class Ignored(Struct, frozen=True):
    """Why a finding does not count."""

    verdict: Verdict
    """What was found all the same."""
    reason: str
    place: str
    """Where it is said that it is to be ignored: `file:line`."""
    in_source: bool
    """By a comment there, not by a configuration."""


class Left(Struct, frozen=True):
    """Why a rule is left out for good."""

    reason: str
    place: str
    """Where a configuration says so: `file:line`."""


class Finding(Struct, frozen=True, kw_only=True):
    """A verdict with what the engine knows of its rule."""

    rule: str
    title: str
    severity: Severity
    requirements: tuple[str, ...]
    verdict: Verdict
    because: str | None = None
    """Only with skip: the prerequisite rule that failed."""
    ignored: Ignored | None = None
    """Only with skip: somebody wants it left out of account."""
    why: str = ""
    """What goes wrong where the rule fails, in its author's words."""
    how: str = ""
    """How the rule judges, in its author's words."""
    before: Status | None = None
    """What it was before the change that is judged; None where no change is."""

    @property
    def worse(self) -> bool:
        """Whether the change made it worse."""
        return self.before is not None and _URGENCY.index(self.status) < _URGENCY.index(self.before)

    @property
    def status(self) -> Status:
        """The verdict's status."""
        return self.verdict.status

    @property
    def is_trouble(self) -> bool:
        """Whether somebody may want it ignored."""
        return self.status in {Status.FAIL, Status.WARN, Status.UNKNOWN}

    def ignoring(self, reason: str, place: str, *, in_source: bool) -> "Finding":
        """The finding as one that does not count."""
        said = f"ignored ({place}): {reason}; it was {self.status.value}: {self.verdict.message}"
        return replace(self, verdict=skipped(said), ignored=Ignored(self.verdict, reason, place, in_source))

    @property
    def blocks(self) -> bool:
        """True if this finding alone makes the project not ready."""
        return self.status is Status.FAIL and self.severity is not Severity.RECOMMENDED

    @property
    def blinds(self) -> bool:
        """True if this finding alone makes it impossible to call the project ready."""
        return self.status is Status.UNKNOWN and self.severity is Severity.REQUIRED


class Open(Struct, frozen=True):
    """Something that the vendor is to be told and that isn't known yet."""

    what: str
    option: str
    """The option that tells it."""


class HandOver(Struct, frozen=True):
    """What to send the vendor once all is ready, filled in."""

    to: str
    text: str
    open: tuple[Open, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """One run on one project."""

    target: Target
    project_number: str | None
    profile: str
    profile_version: str
    vendor: str
    source: str
    """`live`, `snapshot`, `plan`, `terraform` or `assets`."""
    origin: str = ""
    """Of a snapshot: where its facts had come from."""
    started_at: datetime
    finished_at: datetime
    findings: tuple[Finding, ...]
    """In the order in which rules are defined; renderers sort."""
    allow_unknown: bool = False
    repository: bool = False
    """Whether a repository breaks the connection is asked, not whether the project is ready for it."""
    plan: str | None = None
    """The plan that was laid over the facts."""
    stale: tuple[str, ...] = ()
    """What that plan says is there, and isn't, in sentences: what is there counts."""
    only_new: bool = False
    """The exit code counts just what the plan makes worse."""
    unasked: tuple[str, ...] = ()
    """The rules that could stand in the way of ready, and that nobody wanted judged this time."""
    handover: HandOver | None = None
    """What the vendor is to be told; see `hands_over` before it is."""

    @property
    def hands_over(self) -> bool:
        """Whether this report can say that the vendor may be told: of the project as it is, by all rules."""
        planned = self.plan is not None or {self.source, self.origin} & {"plan", "terraform"}
        return self.handover is not None and not (planned or self.repository or self.unasked)

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands in the way, and nothing that matters is unknown."""
        return self.status in {Status.PASS, Status.WARN} and self.exit_code is ExitCode.READY

    @property
    def missing(self) -> tuple[Finding, ...]:
        """What stands in the way of ready."""
        return tuple(finding for finding in self.by_urgency() if finding.blocks or finding.blinds)

    @property
    def status(self) -> Status:
        """Fail if a required or important rule fails, else unknown if a required rule is, else warn, else pass."""
        if any(f.blocks for f in self.findings):
            return Status.FAIL
        if any(f.blinds for f in self.findings):
            return Status.UNKNOWN
        if any(f.status is Status.WARN for f in self.findings):
            return Status.WARN
        return Status.PASS

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that this report asks for; an internal error outranks all."""
        if any(f.verdict.reason is not None and f.verdict.reason.kind == "internal" for f in self.findings):
            return ExitCode.INTERNAL
        counted = [f for f in self.findings if self.counts(f)]
        if any(f.blocks for f in counted):
            return ExitCode.NOT_READY
        if any(f.blinds for f in counted) and not self.allow_unknown:
            return ExitCode.CANNOT_TELL
        return ExitCode.READY

    def counts(self, finding: Finding) -> bool:
        """Whether the exit code heeds a finding."""
        return finding.worse or not self.only_new

    def since(self, before: "Report", plan: str, *, only_new: bool, stale: tuple[str, ...] = ()) -> "Report":
        """This report of what a plan leads to, each finding with what it was before."""
        was = {finding.rule: finding.status for finding in before.findings}
        return replace(
            self,
            findings=tuple(replace(finding, before=was.get(finding.rule)) for finding in self.findings),
            plan=plan,
            stale=stale,
            only_new=only_new,
        )

    def leaving_out(self, left_out: Mapping[str, Left]) -> "Report":
        """This report without what a configuration leaves out, by the rules' ids."""
        if not left_out:
            return self
        findings = tuple(
            finding.ignoring(why.reason, why.place, in_source=False)
            if (why := left_out.get(finding.rule)) and finding.is_trouble
            else finding
            for finding in self.findings
        )
        return replace(self, findings=findings)

    def count(self, status: Status) -> int:
        """How many findings have this status."""
        return sum(f.status is status for f in self.findings)

    def by_urgency(self) -> tuple[Finding, ...]:
        """The findings, what is wrong first; within a status as defined."""
        return tuple(sorted(self.findings, key=lambda f: _URGENCY.index(f.status)))

"""The JSON report: what other programs read. Names and meanings stay; new fields may come with a new minor version.

These models are a contract of their own: the internal ones may change without it, and are converted at the edge.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from preflight import report as internal
from preflight.facts import seen
from preflight.facts.snapshot import UNKNOWN_PROJECT
from preflight.renderers.words import utc
from preflight.version import __version__

SCHEMA_VERSION: Final = "1.0"
SCHEMA_ID = f"urn:preflight:report:{SCHEMA_VERSION}"

Count = Annotated[int, Field(ge=0)]
Answer = Literal["pass", "warn", "fail", "unknown", "skip"]
# Bytes of a command line that are no UTF-8 arrive as lone surrogates, which no JSON can hold: they are spelled out.
Text = Annotated[str, BeforeValidator(lambda text: str(text).encode("utf-8", "backslashreplace").decode("utf-8"))]


class Model(BaseModel):
    """Base of all that is published."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


class Tool(Model):
    """The program that wrote the report."""

    name: Literal["preflight"] = "preflight"
    """Always `preflight`."""
    version: Text
    """Its version."""


class Project(Model):
    """The Google Cloud project that was judged."""

    id: Text | None
    """Its ID; null where it is not known."""
    number: Text | None
    """Its number; null where it could not be read."""


class Profile(Model):
    """What the vendor needs, as a set of requirements."""

    name: Text
    """The profile's name, such as `heap`."""
    version: Text
    """The profile's version."""


class Target(Model):
    """Where the vendor is to write, as far as it was told."""

    location: Text | None
    """The BigQuery location; null: not told."""
    dataset: Text | None
    """The dataset; null: not told."""


class Source(Model):
    """Where the facts come from."""

    kind: Literal["live", "snapshot", "plan", "terraform", "assets"]
    """The live APIs, a saved snapshot or bundle, a Terraform plan, Terraform files, or a Cloud Asset export."""
    origin: Text | None
    """snapshot: where its facts had come from, `live` as a rule; otherwise null."""
    plan: Text | None
    """The Terraform plan whose changes were laid over those facts; null: none was."""
    stale: tuple[Text, ...]
    """What that plan says is there, and isn't: it is out of date, and what is there counts. Empty: nothing."""


class Summary(Model):
    """How many rules gave which answer."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    passed: Count = Field(alias="pass")
    """As required."""
    warn: Count
    """Works, but should be changed."""
    fail: Count
    """Not as required."""
    unknown: Count
    """Could not be determined."""
    skip: Count
    """Not applicable."""


class Reason(Model):
    """Why something is unknown. Fields that a kind does not have are null."""

    kind: Literal[
        "denied",
        "api_disabled",
        "vpc_service_controls",
        "not_found",
        "quota",
        "timeout",
        "unavailable",
        "unauthenticated",
        "malformed",
        "incomplete",
        "not_collected",
        "unresolved",
        "internal",
    ]
    """The kind of reason, for programs."""
    message: Text
    """Why, for people."""
    settle: Text
    """What would settle it, for people."""
    permission: Text | None = None
    """denied: the permission that the caller lacks."""
    resource: Text | None = None
    """denied, not_found: on or of what."""
    quota_project: bool | None = None
    """denied, api_disabled: whether it is the project that is charged for the call, not the one asked about."""
    api: Text | None = None
    """The API that is disabled or did not answer as it should."""
    identifier: Text | None = None
    """vpc_service_controls: the unique identifier by which the refusal can be looked up."""
    project: Text | None = None
    """api_disabled: the project in which the API is off, as Google names it."""
    seconds: float | None = None
    """timeout: how long it was waited for."""
    detail: Text | None = None
    """What more is known."""


class Evidence(Model):
    """One observation that a finding rests on."""

    source: Text
    """The API method or the kind of file that said so."""
    observed_at: AwareDatetime | None
    """When, in UTC; null where no moment applies."""
    resource: Text
    """The API resource, or `file:line`."""
    detail: Text
    """What was seen there: text from outside, not escaped for any format."""


class Remedy(Model):
    """What to do about a finding."""

    summary: Text
    """In words."""
    commands: tuple[Text, ...]
    """Shell commands, ready to run; may be empty."""
    terraform: Text | None
    """The same in Terraform's language."""
    console_url: Text | None
    """The page of the console where it is done."""


class Ignored(Model):
    """Why a finding does not count, and what was found all the same."""

    verdict: Answer
    """The answer that is not counted."""
    message: Text
    """What was found."""
    reason: Text
    """Why it is ignored, in the words of those who want that."""
    place: Text
    """Where they say so: `file:line`."""


class Finding(Model):
    """One rule's answer."""

    rule: Text
    """The rule's id, which never changes."""
    verdict: Answer
    """The answer: as required, works but should be changed, not as required, not determined, not applicable."""
    severity: Literal["required", "important", "recommended"]
    """How much the rule weighs: of a required rule both fail and unknown stand in the way, of an important one fail."""
    title: Text
    """What the rule wants, as a statement of the good state."""
    message: Text
    """What was found."""
    requirements: tuple[Text, ...]
    """The vendor's requirements that the rule comes from."""
    reason: Reason | None
    """With unknown: why. Otherwise null."""
    because: Text | None
    """With skip: the id of the prerequisite rule that failed, if that is why. Otherwise null."""
    ignored: Ignored | None
    """With skip: somebody wants it left out of account. Otherwise null."""
    evidence: tuple[Evidence, ...]
    """What the answer rests on; never empty for pass and fail."""
    remedies: tuple[Remedy, ...]
    """What to do; never empty for fail and unknown."""
    before: Answer | None
    """The answer before the change that is judged; null where no change is."""


class OpenPoint(Model):
    """Something that the vendor is to be told and that isn't known yet."""

    what: Text
    """`location`, for instance."""
    option: Text
    """The option that tells it."""


class Handover(Model):
    """What the vendor is to be told, once all is ready."""

    ready: bool
    """Whether it may be told now."""
    to: Text
    """Whom to tell it."""
    text: Text | None
    """What to send; null while it isn't ready."""
    open: tuple[OpenPoint, ...]
    """What in it isn't known yet."""
    missing: tuple[Text, ...]
    """The rules that stand in the way, by their ids."""


class Report(Model):
    """The report of one run on one project."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    """The version of this schema. A higher minor version adds fields; a higher major one may change them."""
    tool: Tool
    """The program that wrote the report."""
    verdict: Literal["pass", "warn", "fail", "unknown"]
    """`fail` if a required or important rule fails, else `unknown` if a required rule is, else `warn` if any warns."""
    exit_code: Literal[0, 1, 3, 4]
    """0 ready, 1 not ready, 3 can't tell, 4 internal error."""
    project: Project
    """The project that was judged."""
    profile: Profile
    """The set of requirements."""
    vendor: Text
    """The vendor's name."""
    principal: Text
    """The vendor's principal, in the form of IAM policies: `serviceAccount:…` or `user:…`."""
    target: Target
    """Where the vendor is to write."""
    source: Source
    """Where the facts come from."""
    started_at: AwareDatetime
    """When the first fact was asked for, in UTC."""
    finished_at: AwareDatetime
    """When the last fact was read, in UTC."""
    summary: Summary
    """How many rules gave which answer."""
    unasked: tuple[Text, ...]
    """The rules that could stand in the way, and that were left out of this run: `pass` doesn't mean ready if any."""
    handover: Handover | None
    """What the vendor is to be told; null where this run can't say that it may be, or the profile holds none."""
    findings: tuple[Finding, ...]
    """One for each rule: what is wrong first."""


def from_report(report: internal.Report) -> Report:
    """The report in the form that is published."""
    target = report.target
    return Report(
        tool=Tool(version=__version__),
        verdict=report.status.value,
        exit_code=report.exit_code.value,
        project=Project(id=None if target.project == UNKNOWN_PROJECT else target.project, number=report.project_number),
        profile=Profile(name=report.profile, version=report.profile_version),
        vendor=report.vendor,
        principal=target.principal,
        target=Target(location=target.location, dataset=target.dataset),
        source=Source(kind=report.source, origin=report.origin or None, plan=report.plan, stale=report.stale),
        started_at=utc(report.started_at),
        finished_at=utc(report.finished_at),
        summary=Summary(
            passed=report.count(internal.Status.PASS),
            warn=report.count(internal.Status.WARN),
            fail=report.count(internal.Status.FAIL),
            unknown=report.count(internal.Status.UNKNOWN),
            skip=report.count(internal.Status.SKIP),
        ),
        unasked=report.unasked,
        handover=_handover(report),
        findings=tuple(_finding(finding) for finding in report.by_urgency()),
    )


def _handover(report: internal.Report) -> Handover | None:
    told = report.handover
    if told is None or not report.hands_over:
        return None
    return Handover(
        ready=report.is_ready,
        to=told.to,
        text=told.text if report.is_ready else None,
        open=tuple(OpenPoint(what=one.what, option=one.option) for one in told.open),
        missing=tuple(finding.rule for finding in report.missing),
    )


def _finding(finding: internal.Finding) -> Finding:
    verdict = finding.verdict
    return Finding(
        rule=finding.rule,
        verdict=verdict.status.value,
        severity=finding.severity.value,
        title=finding.title,
        message=verdict.message,
        requirements=finding.requirements,
        reason=None if verdict.reason is None else reason_of(verdict.reason),
        because=finding.because,
        ignored=None if finding.ignored is None else _ignored(finding.ignored),
        before=None if finding.before is None else finding.before.value,
        evidence=tuple(evidence_of(evidence) for evidence in verdict.evidence),
        remedies=tuple(
            Remedy(summary=r.summary, commands=r.commands, terraform=r.terraform, console_url=r.console_url)
            for r in verdict.remedies
        ),
    )


def _ignored(ignored: internal.Ignored) -> Ignored:
    found = ignored.verdict
    return Ignored(verdict=found.status.value, message=found.message, reason=ignored.reason, place=ignored.place)


def reason_of(reason: seen.Reason) -> Reason:
    """A reason in the form that is published."""
    own = {name: getattr(reason, name) for name in reason.__struct_fields__}
    own.pop("settled_by", None)  # it is what settle() says
    told = {name: value for name, value in own.items() if value or isinstance(value, bool)}
    return Reason(kind=reason.kind, message=reason.describe(), settle=reason.settle(), **told)


def evidence_of(evidence: seen.Evidence) -> Evidence:
    """An observation in the form that is published."""
    moment = evidence.observed_at
    return Evidence(
        source=evidence.source,
        observed_at=None if moment is None else utc(moment),
        resource=evidence.resource,
        detail=evidence.detail,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    described = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **described}

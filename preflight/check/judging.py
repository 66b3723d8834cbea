"""One project judged by what a repository declares of it.

Rules answer `unknown` for what they can't see. Here that has two meanings: nothing is said of it in the repository,
which is none of the repository's business and is skipped; or it is declared, and can't be resolved. To tell them
apart, what was left unknown is judged once more as if all silence were absence: what is unknown even then is truly so.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from preflight.access.effective import EffectiveAccess, access_from
from preflight.check.tasks import Task
from preflight.configuration.model import Part
from preflight.engine import evaluate
from preflight.facts.seen import Evidence, Internal, Provenance, Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.renderers.places import place_of
from preflight.report import Finding, Remedy, Report, Status, Verdict, skipped
from preflight.rulebook import Rule
from preflight.sources.terraform.owned import SOURCE, closed, silent, without_groups

_CONFIGURED = "configuration"
"""What evidence calls the source of what the configuration says."""
_NOWHERE = Provenance("nothing is declared", "")


def judged(rules: tuple[Rule, ...], snapshot: Snapshot, task: Task, *, allow_unknown: bool = False) -> Report:
    """The report on one project."""
    target, project = task.target, task.target.project
    own = closed(snapshot, task.owned, project)
    report = evaluate(rules, own, target, task.profile, allow_unknown=allow_unknown)
    sure: dict[str, Verdict] = {}
    open_ = {finding.rule for finding in report.findings if finding.status is Status.UNKNOWN}
    if open_:
        silenced = closed(own, {part: _NOWHERE for part in Part if part not in task.owned}, project)
        if Part.IAM not in task.owned:
            silenced = without_groups(silenced, target.principal)
        # Without prerequisites: one that fails for an absence that was only supposed must hide nothing.
        alone = tuple(replace(rule, after=()) for rule in rules if rule.id in open_)
        sure = {found.rule: found.verdict for found in evaluate(alone, silenced, target, task.profile).findings}
    told = [_told_apart(finding, sure) for finding in report.findings]
    grants = _grants(own, target) if any(finding.status is Status.FAIL for finding in told) else ()
    about_access = {rule.id for rule in rules if any(one.kind is EffectiveAccess for one in rule.parameters)}
    findings = tuple(
        _placed(_with_grants(finding, grants) if finding.rule in about_access else finding, task.told)
        for finding in told
    )
    return replace(report, findings=findings, repository=True)


def _grants(snapshot: Snapshot, target: Target) -> tuple[Evidence, ...]:
    """What is declared of the principal's grants: where a role is wanting, these are the lines to look at."""
    access = access_from(snapshot, target)
    if isinstance(access, Unknown):
        return ()
    return tuple(dict.fromkeys(grant.evidence for grant in access.access.grants_of(target.principal)))


def _with_grants(finding: Finding, grants: tuple[Evidence, ...]) -> Finding:
    verdict = finding.verdict
    if finding.status is not Status.FAIL or any(
        one.source not in {_CONFIGURED, SOURCE} and place_of(one) for one in verdict.evidence
    ):
        return finding
    return replace(finding, verdict=replace(verdict, evidence=(*grants, *verdict.evidence)))


def _told_apart(finding: Finding, sure: Mapping[str, Verdict]) -> Finding:
    reason = finding.verdict.reason
    if finding.status is not Status.UNKNOWN or reason is None or isinstance(reason, Internal):
        return finding
    settled = sure[finding.rule]
    if settled.status is Status.UNKNOWN and settled.reason is not None and not silent(settled.reason):
        # What was only supposed is no evidence.
        seen = tuple(one for one in settled.evidence if one.source != _NOWHERE.source)
        return replace(finding, verdict=replace(settled, evidence=seen))
    return replace(finding, verdict=skipped(f"{reason.describe()}; `preflight run` judges it"))


def _placed(finding: Finding, told: Mapping[str, str]) -> Finding:
    """The finding with the configuration's lines in place of options that nobody gave, behind those of Terraform."""
    evidence = [
        Evidence(_CONFIGURED, told[one.resource], one.observed_at, one.detail)
        if one.source == "option" and one.resource in told
        else one
        for one in finding.verdict.evidence
    ]
    evidence.sort(key=lambda one: one.source in {_CONFIGURED, SOURCE})
    remedies = tuple(_in_terraform(remedy) for remedy in finding.verdict.remedies)
    return replace(finding, verdict=replace(finding.verdict, evidence=tuple(evidence), remedies=remedies))


def _in_terraform(remedy: Remedy) -> Remedy:
    """The remedy for this repository: what a command changes, the next apply would change back."""
    return replace(remedy, commands=(), console_url=None) if remedy.terraform else remedy

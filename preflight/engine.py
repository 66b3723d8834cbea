"""Selection -> needed facts -> evaluation -> report. Pure, but for loading the rules' files."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.effective import EffectiveAccess, effective_access
from preflight.errors import RuleError
from preflight.facts.caller import CallerIdentity
from preflight.facts.project import Fact
from preflight.facts.seen import Internal, NotCollected, Unknown
from preflight.facts.snapshot import FIELD_OF, OFFLINE, UNKNOWN_PROJECT, Gap, Snapshot, Target
from preflight.facts.synced import Synced, first_sync
from preflight.plugins import builtin_folder
from preflight.profile import PLACEHOLDER, Profile
from preflight.report import Finding, HandOver, Open, Report, Severity, Status, Verdict, skipped, unknown
from preflight.rulebook import Parameter, Rule, in_order, parameters_of, plugin_rules, rules_in


class Unseen(Fact, frozen=True, kw_only=True, tag="unseen"):
    """Everything that the selected rules needed and that could not be seen. Derived, and asks for nothing itself."""

    gaps: tuple[Gap, ...]
    asked: int
    """How many kinds of facts were asked for at all, who the caller is apart."""


def unseen(snapshot: Snapshot) -> Unseen:
    """Derives what was not seen. A file has no caller who could be denied something."""
    if snapshot.source in OFFLINE:
        return Unseen(gaps=(), asked=0)
    facts = (snapshot.fact(kind) for kind in FIELD_OF if kind is not CallerIdentity)
    asked = sum(not (isinstance(fact, Unknown) and isinstance(fact.reason, NotCollected)) for fact in facts)
    return Unseen(gaps=snapshot.gaps(), asked=asked)


DERIVATIONS: dict[type[Fact], Callable[..., Fact]] = {
    EffectiveAccess: effective_access,
    Synced: first_sync,
    Unseen: unseen,
}
"""Facts that are computed from other facts, once a run: a function whose parameters are what it needs."""

_GIVEN: tuple[type[Any], ...] = (Target, Profile)


class Source(Protocol):
    """What turns the outside world into a Snapshot: live APIs, a file, Terraform."""

    def collect(self, wanted: frozenset[type[Fact]]) -> Snapshot:
        """Reads the wanted kinds of facts; all others are Unknown, not collected."""
        ...


@cache
def load_rules(rules_dir: Path | None = None) -> tuple[Rule, ...]:
    """All rules in their order, their parameters checked: built-in, of plugins, and of a folder that was named.

    Raises RuleError that names the rule's file and what to change.
    """
    found = [*rules_in(builtin_folder(), "preflight.rules"), *plugin_rules()]
    if rules_dir is not None:
        found += rules_in(rules_dir, "preflight_local_rules")
    return in_order([check_rule(rule) for rule in found])


def check_rule(rule: Rule) -> Rule:
    """The rule with its parameters known. Raises RuleError for one that asks for what is no kind of fact."""
    kinds = (*FIELD_OF, *DERIVATIONS, *_GIVEN)
    return replace(rule, parameters=parameters_of(rule.judge, f"rule '{rule.id}'", kinds))


@cache
def _derivation_parameters(kind: type[Fact]) -> tuple[Parameter, ...]:
    kinds: tuple[type[Any], ...] = (*FIELD_OF, *DERIVATIONS, *_GIVEN, Snapshot)
    return parameters_of(DERIVATIONS[kind], f"the derivation of {kind.__name__}", kinds)


def needed_facts(rules: Iterable[Rule]) -> frozenset[type[Fact]]:
    """The kinds of facts that a source has to read for these rules."""
    needed: set[type[Fact]] = set()

    def ask(kind: type[Any]) -> None:
        if kind in FIELD_OF:
            needed.add(kind)
        elif kind in DERIVATIONS:
            for parameter in _derivation_parameters(kind):
                ask(parameter.kind)

    for rule in rules:
        for parameter in rule.parameters:
            ask(parameter.kind)
    return frozenset(needed)


class Evaluation(Struct):
    """One evaluation of rules on a snapshot; remembers what was derived and found."""

    snapshot: Snapshot
    rules: dict[str, Rule]
    values: dict[type[Any], Any]
    """By the types of parameters: what is given, and each fact that was asked for."""
    findings: dict[str, Finding] = {}

    @classmethod
    def of(cls, snapshot: Snapshot, target: Target, profile: Profile, rules: Iterable[Rule]) -> "Evaluation":
        """One that begins."""
        given: dict[type[Any], Any] = {Target: target, Profile: profile, Snapshot: snapshot}
        return cls(snapshot, {rule.id: rule for rule in rules}, given, {})

    def value(self, kind: type[Any]) -> Any:
        """The value of a parameter's type: a fact, a derived fact, the target or the profile; or Unknown."""
        found = self.values.get(kind)
        if found is None:
            found = self.values[kind] = self.snapshot.fact(kind) if kind in FIELD_OF else self._derive(kind)
        return found

    def _derive(self, kind: type[Fact]) -> Any:
        arguments, missing = self._arguments(_derivation_parameters(kind))
        return missing if missing is not None else DERIVATIONS[kind](**arguments)

    def _arguments(self, parameters: tuple[Parameter, ...]) -> tuple[dict[str, Any], Unknown | None]:
        arguments = {}
        for parameter in parameters:
            value = self.value(parameter.kind)
            if not parameter.maybe and isinstance(value, Unknown):
                return {}, value
            arguments[parameter.name] = value
        return arguments, None

    def find(self, rule: Rule) -> Finding:
        """The rule's finding; its prerequisites are judged before it."""
        if rule.id not in self.findings:
            blocker = self._failed_prerequisite(rule)
            verdict = skipped(f"{blocker} failed: mend that first") if blocker else self._judge(rule)
            self.findings[rule.id] = Finding(
                rule=rule.id,
                title=rule.title,
                severity=rule.severity,
                requirements=rule.requirements,
                verdict=verdict,
                because=blocker,
                why=rule.why,
                how=rule.how,
            )
        return self.findings[rule.id]

    def _failed_prerequisite(self, rule: Rule) -> str | None:
        for name in rule.after:
            if name in self.rules and name != rule.id:
                before = self.find(self.rules[name])
                if before.status is Status.FAIL:
                    return before.rule
                if before.because:
                    return before.because
        return None

    def _judge(self, rule: Rule) -> Verdict:
        try:
            arguments, missing = self._arguments(rule.parameters)
            if missing is not None:
                return unknown(missing.reason.describe(), missing.reason, *missing.seen())
            verdict = rule.judge(**arguments)
            if not isinstance(verdict, Verdict):
                raise RuleError(f"{rule.id} returned {type(verdict).__name__}, not a Verdict.")
        except (Exception, SystemExit) as error:  # one rule's defect must not take the other rules' answers away
            import logging  # only here: most runs log nothing

            logging.getLogger(__name__).debug("rule %s raised", rule.id, exc_info=True)
            reason = Internal(f"rule {rule.id} raised {type(error).__name__}")
            return unknown(reason.describe(), reason)
        if verdict.status is Status.FAIL and rule.severity is Severity.RECOMMENDED:
            return replace(verdict, status=Status.WARN)
        return verdict


def evaluate(
    rules: tuple[Rule, ...],
    snapshot: Snapshot,
    target: Target,
    profile: Profile,
    *,
    allow_unknown: bool = False,
) -> Report:
    """Judges the snapshot by the rules."""
    now = datetime.now(UTC)
    evaluation = Evaluation.of(snapshot, target, profile, rules)
    findings = tuple(evaluation.find(rule) for rule in rules)
    project = snapshot.project
    return Report(
        target=target,
        project_number=None if isinstance(project, Unknown) else project.number or None,
        profile=profile.name,
        profile_version=profile.version,
        vendor=profile.vendor,
        source=snapshot.source,
        started_at=snapshot.started_at or now,
        finished_at=snapshot.finished_at or now,
        findings=findings,
        allow_unknown=allow_unknown,
        handover=hand_over(profile, target),
    )


def hand_over(profile: Profile, target: Target) -> HandOver | None:
    """What the vendor is to be told, filled in as far as the target tells it."""
    if profile.handover is None:
        return None
    known = {
        "project": None if target.project == UNKNOWN_PROJECT else target.project,
        "location": target.location,
        "dataset": target.dataset or f"the default ({profile.dataset.default_name})",
        "principal": target.principal,
    }
    wanted = dict.fromkeys(PLACEHOLDER.findall(profile.handover.text))
    text = PLACEHOLDER.sub(lambda match: known[match[1]] or "(not known yet)", profile.handover.text.strip())
    missing = tuple(Open(name, f"--{name}") for name in wanted if not known[name])
    return HandOver(profile.handover.to, text, missing)

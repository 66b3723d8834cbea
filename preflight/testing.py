"""The kit for authors of rules: judge one rule on facts that you state, in one line."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from preflight.engine import DERIVATIONS, Evaluation, check_rule, load_rules
from preflight.facts.project import Fact
from preflight.facts.seen import Provenance, Unknown
from preflight.facts.snapshot import FIELD_OF, Snapshot, Target
from preflight.profile import Profile, load_profile
from preflight.report import Verdict
from preflight.rulebook import Rule, select

HERE = Provenance("test", "projects/acme-analytics", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
"""A provenance for facts that a test states."""


def target(**changes: str | None) -> Target:
    """A target to connect: `acme-analytics` and the Heap profile's principal, with these changes."""
    return replace(Target("acme-analytics", load_profile("heap").principal), **changes)


def snapshot(**facts: Fact | Unknown) -> Snapshot:
    """A snapshot of these facts by their names in it (`billing=`, `allow_policies=`); all others weren't collected."""
    return Snapshot(source="test", **facts)  # type: ignore[arg-type]  # msgspec checks nothing here, and need not


def judge(rule: str | Rule, **given: Any) -> Verdict:
    """The verdict of one rule, by its id or as declared, on the facts given; prerequisites don't count.

    Facts are named as the rule's parameters or as in the snapshot; a derived fact may be given as such, or is
    derived from those that are. `profile` is the Heap profile and `target` is `target()` unless given.
    Raises TypeError for a name that is neither.
    """
    declared = select(load_rules(), (rule,))[0] if isinstance(rule, str) else check_rule(rule)
    chosen_target = given.pop("target", None) or target()
    profile = given.pop("profile", None) or load_profile("heap")
    if not isinstance(profile, Profile):
        raise TypeError("profile must be a Profile")
    kind_of = {field: kind for kind, field in FIELD_OF.items()} | {p.name: p.kind for p in declared.parameters}
    stated: dict[str, Any] = {}
    derived: dict[type[Any], Any] = {}
    for name, fact in given.items():
        if name not in kind_of:
            raise TypeError(f"{declared.id} has no parameter '{name}'; known: {', '.join(sorted(kind_of))}")
        kind = kind_of[name]
        if kind in DERIVATIONS:
            derived[kind] = fact
        else:
            stated[FIELD_OF[kind]] = fact
    evaluation = Evaluation(snapshot(**stated), chosen_target, profile, {declared.id: declared}, derived, {})
    return evaluation.find(declared).verdict

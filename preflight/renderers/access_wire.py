"""An answer about access as JSON: what other programs read. Names stay; a new minor version may add fields."""

import json
from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import AwareDatetime, Field

from preflight.access import decision as internal
from preflight.access.decision import Answer, Decision, Link
from preflight.access.formula import OpenFact
from preflight.facts.policy import Condition as InternalCondition
from preflight.renderers.access_tree import LIMITS
from preflight.renderers.json_report import document
from preflight.renderers.wire import Evidence, Model, Reason, Text, Tool, evidence_of, reason_of
from preflight.renderers.words import utc
from preflight.version import __version__

SCHEMA_VERSION: Final = "1.0"
SCHEMA_ID = f"urn:preflight:access:{SCHEMA_VERSION}"

AnswerWord = Literal["granted", "not_granted", "unknown"]
WORDS: dict[Answer, AnswerWord] = {
    Answer.GRANTED: "granted",
    Answer.NOT_GRANTED: "not_granted",
    Answer.UNKNOWN: "unknown",
}
EXIT_CODES: dict[Answer, Literal[0, 1, 3]] = {Answer.GRANTED: 0, Answer.NOT_GRANTED: 1, Answer.UNKNOWN: 3}


class Condition(Model):
    """A condition that a grant or a denial hangs on."""

    expression: Text
    """The expression, in CEL."""
    title: Text
    """Its title; may be empty."""
    value: bool | None
    """What it comes to at the moment in question; null: that can't be told, or it wasn't worked out by itself."""
    moments: tuple[AwareDatetime, ...]
    """When its value may change, as far as it names moments. Ascending, in UTC."""
    recurring: bool
    """Whether it looks at the hour, the weekday and the like."""


class Grant(Model):
    """A binding, or an entry of a dataset's access list, that gives the permission, or may, or nearly does."""

    effect: Literal["grants", "may_grant", "near_miss"]
    """`near_miss`: its condition is false."""
    resource: Text
    """Where it is: `projects/ID`, `folders/N`, `organizations/N`, or a dataset's name."""
    role: Text
    """The role that is granted."""
    member: Text
    """The member, as written there."""
    condition: Condition | None
    """What it hangs on, if on anything."""
    evidence: tuple[Evidence, ...]
    """What shows the grant, the membership in a group, and what the role holds."""


class Denial(Model):
    """A deny rule about the permission and the principal."""

    effect: Literal["denies", "may_deny"]
    """Whether it surely acts."""
    resource: Text
    """What its policy is attached to."""
    policy: Text
    """The policy's ID."""
    denied_principals: tuple[Text, ...]
    """To whom it denies."""
    denied_permissions: tuple[Text, ...]
    """What it denies."""
    exception_principals: tuple[Text, ...]
    """To whom it doesn't."""
    exception_permissions: tuple[Text, ...]
    """What it doesn't."""
    condition: Text | None
    """The expression of its condition."""
    evidence: Evidence
    """What shows the rule."""


class Missing(Model):
    """One fact that isn't known and on which the answer hangs."""

    kind: Text
    """What it is: `policy`, `group`, `role`, `condition` …"""
    about: Text
    """Of what; empty for the ancestors."""
    reason: Reason
    """Why it isn't known, and what would settle it."""


class Proof(Model):
    """One question with its answer and what that rests on."""

    principal: Text
    """Whose access it is."""
    permission: Text
    """To what."""
    resource: Text
    """On what: the project, or a dataset of it."""
    moment: AwareDatetime | None
    """For when it holds: conditions look at the time."""
    answer: AnswerWord
    """The answer."""
    changes_at: AwareDatetime | None
    """When the answer changes by itself; null: never, as far as is known."""
    recurring: bool
    """Whether it changes with the hour, the weekday and the like."""
    grants: tuple[Grant, ...]
    """Every grant whose role holds the permission, or may."""
    denials: tuple[Denial, ...]
    """Every deny rule that acts, or may."""
    missing: tuple[Missing, ...]
    """With unknown: the smallest set of facts that would settle it."""
    assumptions: tuple[Evidence, ...]
    """What was not seen and is taken for absent."""
    read: tuple[Evidence, ...]
    """The policies and lists that were read in full."""


class AccessDocument(Model):
    """The answer to one question about access."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    """The version of this schema. A higher minor version adds fields; a higher major one may change them."""
    tool: Tool
    """The program that wrote it."""
    exit_code: Literal[0, 1, 3]
    """0 granted, 1 not granted, 3 unknown."""
    proof: Proof
    """The question, its answer, and what that rests on."""
    limits: tuple[Text, ...] = Field(min_length=1)
    """What no answer of this tool can take into account."""


def render(decision: Decision) -> str:
    """The answer as indented JSON."""
    return document(
        AccessDocument(
            tool=Tool(version=__version__),
            exit_code=EXIT_CODES[decision.answer],
            proof=proof_of(decision),
            limits=LIMITS,
        )
    )


def schema() -> str:
    """The JSON Schema, as it is published."""
    described = AccessDocument.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **described}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def proof_of(decision: Decision) -> Proof:
    """A decision in the form that is published."""
    return Proof(
        principal=decision.principal,
        permission=decision.permission,
        resource=decision.resource,
        moment=None if decision.moment is None else utc(decision.moment),
        answer=WORDS[decision.answer],
        changes_at=None if decision.changes_at is None else utc(decision.changes_at),
        recurring=decision.recurring,
        grants=tuple(map(_grant, decision.links)),
        denials=tuple(_denial(denial) for denial in decision.denials if denial.formula is not False),
        missing=tuple(missing_of(decision.missing)),
        assumptions=tuple(map(evidence_of, decision.assumptions)),
        read=tuple(map(evidence_of, decision.read)),
    )


def missing_of(facts: Iterable[OpenFact]) -> Iterable[Missing]:
    """Open facts in the form that is published."""
    return (Missing(kind=f.kind, about=f.about, reason=reason_of(f.unknown.reason)) for f in facts)


def _grant(link: Link) -> Grant:
    effects: dict[Any, Literal["grants", "near_miss"]] = {True: "grants", False: "near_miss"}
    return Grant(
        effect=effects.get(link.formula, "may_grant") if isinstance(link.formula, bool) else "may_grant",
        resource=link.grant.resource,
        role=link.grant.role,
        member=link.grant.member,
        condition=_condition(link),
        evidence=tuple(map(evidence_of, link.evidence)),
    )


def _condition(link: Link) -> Condition | None:
    stated: InternalCondition | None = link.grant.condition
    if stated is None:
        return None
    value = link.condition
    return Condition(
        expression=stated.expression,
        title=stated.title,
        value=None if value is None else value.holds,
        moments=() if value is None else value.moments,
        recurring=value is not None and value.recurring,
    )


def _denial(denial: internal.Denial) -> Denial:
    rule = denial.rule
    return Denial(
        effect="denies" if denial.formula is True else "may_deny",
        resource=denial.resource,
        policy=denial.policy,
        denied_principals=rule.denied_principals,
        denied_permissions=rule.denied_permissions,
        exception_principals=rule.exception_principals,
        exception_permissions=rule.exception_permissions,
        condition=rule.condition.expression if rule.condition else None,
        evidence=evidence_of(denial.evidence),
    )

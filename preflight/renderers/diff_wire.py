"""A comparison as JSON: what other programs read. Names stay; a new minor version may add fields."""

import json
from typing import Final, Literal

from pydantic import AwareDatetime

from preflight.comparison import sides
from preflight.comparison.changes import Change
from preflight.comparison.verdicts import Judged, VerdictChange
from preflight.renderers.json_report import document
from preflight.renderers.wire import Answer, Model, Reason, Text, Tool, reason_of
from preflight.renderers.words import utc
from preflight.version import __version__

SCHEMA_VERSION: Final = "1.0"
SCHEMA_ID = f"urn:preflight:diff:{SCHEMA_VERSION}"


class Look(Model):
    """One of the two files."""

    file: Text
    """As it was named."""
    kind: Literal["report", "snapshot", "bundle"]
    """What is in it: a report holds verdicts, a snapshot facts, a bundle both as a rule."""
    source: Text
    """Where its facts come from: `live` as a rule."""
    observed_at: AwareDatetime | None
    """When the last of them was read, in UTC."""
    redacted: bool
    """Whether names in it are pseudonyms."""
    verdict: Answer
    """What its verdicts come to."""


class JudgedAs(Model):
    """A rule's answer."""

    verdict: Answer
    """The answer."""
    message: Text
    """What was found."""
    reason: Text | None
    """With unknown: the kind of its reason."""
    because: Text | None
    """With skip: the rule that failed, where that is why."""


class Verdict(Model):
    """A rule that answers otherwise, or the same for another reason, or that one of the two alone has judged."""

    rule: Text
    """The rule's id."""
    title: Text
    """What the rule wants."""
    severity: Literal["required", "important", "recommended"]
    """How much the rule weighs."""
    worse: bool
    """Whether it got worse: it fails, can't be told or warns now, and was less urgent before."""
    better: bool
    """Whether what was wrong is less so now, or not at all."""
    before: JudgedAs | None
    """What it was; null: not judged."""
    after: JudgedAs | None
    """What it is; null: not judged."""


class Fact(Model):
    """A fact that changed, or that just one of the two could see."""

    fact: Text
    """The kind of fact, by its name in a snapshot; `asked`: what was asked."""
    change: Literal["appeared", "vanished", "changed", "hidden", "shown"]
    """hidden: it was seen before, and isn't any longer; shown: it wasn't seen before, and now is."""
    about: Text
    """What it is about, such as `projects/acme` or `dataset heap`."""
    what: Text
    """What of that, such as `grant` or `location`."""
    name: Text | None
    """Which one, of what there may be several of."""
    before: Text | None
    """What it was, in words; null: nothing, or not known."""
    after: Text | None
    """What it is, in words; null: nothing, or not known."""
    reason: Reason | None
    """With hidden: why it isn't seen. With shown: why it wasn't."""


class Diff(Model):
    """Two looks at one project, and what changed from the first to the second."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    """Of this form."""
    tool: Tool
    """The program that wrote it."""
    project: Text | None
    """The project's ID; null where it isn't known."""
    principal: Text
    """The vendor's principal."""
    exit_code: int
    """1 where a verdict got worse, else 0."""
    before: Look
    """The first file."""
    after: Look
    """The second file."""
    names_compared: bool
    """Whether the names in the two mean the same: not so where they are replaced in one of them, or with two keys."""
    facts_compared: bool
    """Whether both hold facts."""
    asked: tuple[Fact, ...]
    """What the two were asked that isn't the same."""
    verdicts: tuple[Verdict, ...]
    """What got worse first."""
    facts: tuple[Fact, ...]
    """The facts that changed."""
    not_compared: tuple[Text, ...]
    """The kinds of facts that just one of the two was asked for."""


def render(made: sides.Comparison) -> str:
    """The comparison as indented JSON."""
    return document(
        Diff(
            tool=Tool(version=__version__),
            project=made.after.project or made.before.project,
            principal=made.after.principal,
            exit_code=int(made.worse),
            before=_look(made.before),
            after=_look(made.after),
            names_compared=made.names.alike,
            facts_compared=made.facts is not None,
            asked=tuple(map(_fact, made.asked)),
            verdicts=tuple(map(_verdict, made.verdicts)),
            facts=tuple(map(_fact, made.facts.changes if made.facts else ())),
            not_compared=made.facts.not_in_both if made.facts else (),
        )
    )


def _look(look: sides.Look) -> Look:
    return Look(
        file=look.file,
        kind=look.kind,
        source=look.source,
        observed_at=None if look.moment is None else utc(look.moment),
        redacted=look.redacted,
        verdict=look.status.value,
    )


def _verdict(change: VerdictChange) -> Verdict:
    return Verdict(
        rule=change.rule,
        title=change.title,
        severity=change.severity.value,
        worse=change.worse,
        better=change.better,
        before=_judged(change.before),
        after=_judged(change.after),
    )


def _judged(judged: Judged | None) -> JudgedAs | None:
    if judged is None:
        return None
    return JudgedAs(
        verdict=judged.status.value,
        message=judged.message,
        reason=judged.reason or None,
        because=judged.because or None,
    )


def _fact(change: Change) -> Fact:
    return Fact(
        fact=change.fact,
        change=change.kind.value,
        about=change.about,
        what=change.what,
        name=change.name or None,
        before=change.before,
        after=change.after,
        reason=None if change.reason is None else reason_of(change.reason),
    )


def schema() -> str:
    """The JSON Schema of the comparison, as it is published."""
    described = Diff.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **described}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

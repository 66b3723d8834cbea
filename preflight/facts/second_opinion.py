"""What Google itself answers to the questions that this tool computes."""

from datetime import datetime
from enum import StrEnum

from preflight.facts.project import Fact, Observed
from preflight.facts.seen import Unknown


class Troubleshot(StrEnum):
    """Policy Troubleshooter v3's overall access state."""

    GRANTED = "granted"
    NOT_GRANTED = "not granted"
    UNKNOWN = "unknown"
    """Google could not tell either, for what its caller may see."""


class SecondOpinion(Observed, frozen=True, kw_only=True, tag="second_opinion"):
    """One answer of Policy Troubleshooter (v3 `iam.troubleshoot`)."""

    permission: str
    resource: str
    """`projects/ID`, or `projects/ID/datasets/NAME`."""
    answer: Troubleshot
    shown: tuple[str, ...] = ()
    """The bindings and deny rules that it names, in words."""
    at: datetime | None = None


class SecondOpinions(Fact, frozen=True, kw_only=True, tag="second_opinions"):
    """The answers about the vendor's principal on the project, by permission."""

    principal: str
    answers: dict[str, SecondOpinion | Unknown]

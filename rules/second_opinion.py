"""Google's own answer to the same questions is the same."""

from preflight import (
    Answer,
    CallerIdentity,
    CallerPermissions,
    Datasets,
    Decision,
    EffectiveAccess,
    Evidence,
    Maybe,
    NotCollected,
    Profile,
    Remedy,
    SecondOpinion,
    SecondOpinions,
    Severity,
    Target,
    Troubleshot,
    Unknown,
    Unresolved,
    Verdict,
    passed,
    rule,
    skipped,
    unknown,
    warned,
)

GOOGLE_IS_BLIND = Unresolved(
    "Google can't tell either, for what the caller may see", "Give the caller sight of what its answers name."
)


@rule(
    title="Google's own answers are the same",
    why="What this tool computes from the policies is checked against Google's Policy Troubleshooter: where the two "
    "differ, one of them saw what the other didn't.",
    severity=Severity.RECOMMENDED,
    since="0.1",
    on_request=True,
    order=890,
)
def google_agrees(
    opinions: Maybe[SecondOpinions],
    access: EffectiveAccess,
    datasets: Maybe[Datasets],
    identity: Maybe[CallerIdentity],
    permissions: Maybe[CallerPermissions],
    profile: Profile,
    target: Target,
) -> Verdict:
    """Asks about each permission that the profile needs, and shows both answers. An answer that Google can't give
    either is shown, and is no disagreement. Where the tool runs as the vendor's account itself, testIamPermissions
    is asked as well."""
    own = _own(identity, permissions, target)
    if isinstance(opinions, Unknown) and own is None:
        if isinstance(opinions.reason, NotCollected):
            return skipped("this source can't ask Google for a second opinion")
        return unknown(opinions.reason.describe(), opinions.reason, *opinions.seen())
    theirs: list[SecondOpinion] = [] if own is None else _as_opinions(own, profile)
    silent: list[Unknown] = []
    if isinstance(opinions, SecondOpinions):
        theirs += [answer for answer in opinions.answers.values() if isinstance(answer, SecondOpinion)]
        silent += [answer for answer in opinions.answers.values() if isinstance(answer, Unknown)]
    pairs = [(opinion, _computed(opinion, access, datasets)) for opinion in theirs]
    shown = tuple(dict.fromkeys(_shown(opinion) for opinion in theirs))
    differing = [(opinion, ours) for opinion, ours in pairs if _differ(opinion, ours)]
    if differing:
        return warned(
            "; ".join(
                f"{opinion.permission} on {opinion.resource} is {opinion.answer} for Google, and {ours.answer} by what "
                "was read"
                for opinion, ours in differing
                if ours
            ),
            *(evidence for opinion, ours in differing if ours for evidence in (_shown(opinion), *ours.evidence)),
            remedy=Remedy(
                "Read both proofs. If Google names a policy that is not among those read, give the caller sight of "
                "it; otherwise report the difference as a defect of this tool."
            ),
        )
    answered = [opinion for opinion in theirs if opinion.answer is not Troubleshot.UNKNOWN]
    if not answered:
        reason = silent[0].reason if silent else GOOGLE_IS_BLIND
        failures = (evidence for gap in silent for evidence in gap.seen())
        return unknown(f"Google gave no second opinion: {reason.describe()}", reason, *shown, *failures)
    alone = [(opinion, ours) for opinion, ours in pairs if opinion in answered and not _told(ours)]
    if len(alone) == len(answered):
        ours = next((ours for _, ours in alone if ours), None)
        return unknown(
            "there is nothing to compare: Google answers what can't be told here: "
            + ", ".join(f"{opinion.permission} is {opinion.answer}" for opinion, _ in alone),
            Unresolved("of the dataset nothing is known here") if ours is None else ours.reason,
            *shown,
        )
    count = len(answered) - len(alone)
    beyond = f"; it also answers what can't be told here: {', '.join(o.permission for o, _ in alone)}" if alone else ""
    rest = len(theirs) + len(silent) - len(answered)
    without = f"; {rest} it can't answer" if rest else ""
    return passed(
        f"Google gives the same answer{'s' * (count > 1)} to {count} question{'s' * (count > 1)}{beyond}{without}",
        *shown,
    )


def _told(ours: Decision | None) -> bool:
    return ours is not None and ours.answer is not Answer.UNKNOWN


def _own(
    identity: Maybe[CallerIdentity], permissions: Maybe[CallerPermissions], target: Target
) -> CallerPermissions | None:
    """TestIamPermissions speaks for the caller: it counts only if that is the vendor's account."""
    if isinstance(identity, Unknown) or isinstance(permissions, Unknown):
        return None
    return permissions if identity.member.casefold() == target.principal.casefold() else None


def _as_opinions(own: CallerPermissions, profile: Profile) -> list[SecondOpinion]:
    """What the profile needs; the caller was asked about what the tool itself needs as well."""
    return [
        SecondOpinion(
            provenance=own.provenance,
            permission=permission,
            resource=own.resource,
            answer=Troubleshot.GRANTED if permission in own.granted else Troubleshot.NOT_GRANTED,
        )
        for permission in sorted(own.asked.intersection(profile.permissions))
    ]


def _computed(opinion: SecondOpinion, access: EffectiveAccess, datasets: Maybe[Datasets]) -> Decision | None:
    """The tool's own answer; None about a dataset that it doesn't know."""
    _, _, name = opinion.resource.partition("/datasets/")
    if not name:
        return access.holds(opinion.permission)
    found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
    return None if found is None or isinstance(found, Unknown) else access.holds_on(found, opinion.permission)


def _differ(opinion: SecondOpinion, ours: Decision | None) -> bool:
    if ours is None or not _told(ours) or opinion.answer is Troubleshot.UNKNOWN:
        return False
    return ours.answer.value != opinion.answer.value


def _shown(opinion: SecondOpinion) -> Evidence:
    why = f": {'; '.join(opinion.shown)}" if opinion.shown else ""
    return opinion.provenance.saw(f"{opinion.permission} on {opinion.resource} is {opinion.answer}{why}")

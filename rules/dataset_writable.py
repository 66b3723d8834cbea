"""The vendor's account can write to the dataset that is there, or make the one that isn't."""

from preflight import (
    Answer,
    Dataset,
    Datasets,
    Decision,
    EffectiveAccess,
    Evidence,
    Maybe,
    Profile,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    because,
    failed,
    grant_on_dataset,
    grant_role,
    make_exceptions,
    open_points,
    passed,
    paths,
    rule,
    settling,
    unknown,
)


@rule(
    title="The vendor's account can write to its datasets",
    why="BigQuery User may make a dataset and then owns it, but may not write to one that someone else made: "
    "with a destination that exists already, the first sync fails.",
    severity=Severity.REQUIRED,
    requirements=("H6", "H7", "H8"),
    since="0.1",
    after=("project-active", "bigquery-api-enabled"),
    order=80,
)
def can_write(access: Maybe[EffectiveAccess], datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Looks at the destination and the vendor's companion dataset: each that exists must be writable, by its own
    access list or the project's roles; for each that doesn't, the account must be able to make datasets."""
    if isinstance(access, Unknown):
        return unknown(
            access.reason.describe(),
            access.reason,
            *access.seen(),
            remedy=_create_grant(profile, target, settling=True),
        )
    if target.dataset is None:
        return _may_create(access, profile, target, ())
    here: list[Dataset] = []
    unseen: list[Unknown] = []
    absent: list[str] = []
    for name in profile.dataset.companions(target.dataset):
        found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
        if found is None:
            absent.append(name)
        elif isinstance(found, Unknown):
            unseen.append(found)
        else:
            here.append(found)
    verdicts = [_writable(access, dataset, profile, target) for dataset in here]
    if absent:
        absence = () if isinstance(datasets, Unknown) else tuple(datasets.seen_absent(name) for name in absent)
        verdicts.append(_may_create(access, profile, target, absence))
    verdicts += [_not_seen(access, gap, profile, target) for gap in dict.fromkeys(unseen)]
    return _worst(verdicts)


def _writable(access: EffectiveAccess, dataset: Dataset, profile: Profile, target: Target) -> Verdict:
    needs = {name: access.holds_on(dataset, name) for name in profile.dataset.write_permissions}
    grant = _write_grant(dataset, profile, target)
    remedies = (*([grant] if _wants_grant(needs) else []), *make_exceptions(needs.values()))
    lacking = [name for name, decision in needs.items() if decision.answer is Answer.NOT_GRANTED]
    evidence, ways = _evidence(needs), paths(*needs.values())
    if lacking:
        made = "" if _why(needs) else ". The right to make datasets doesn't help with one that someone else made"
        return failed(
            f"{dataset.id} exists, and {target.principal} can't write to it: it lacks {', '.join(lacking)} there"
            f"{_why(needs)}{made}",
            *evidence,
            remedy=remedies,
            access=ways,
        )
    open_ = [decision for decision in needs.values() if decision.answer is Answer.UNKNOWN]
    if open_:
        return unknown(
            f"whether {target.principal} can write to {dataset.id} can't be told: {open_points(*open_)}",
            open_[0].reason,
            *evidence,
            remedy=(*settling(open_, open_[0].reason), *remedies),
            access=ways,
        )
    return passed(f"{dataset.id} exists, and {target.principal} can write to it", *evidence, access=ways)


def _may_create(access: EffectiveAccess, profile: Profile, target: Target, absence: tuple[Evidence, ...]) -> Verdict:
    needs = {name: access.holds(name) for name in profile.dataset.create_permissions}
    exceptions = make_exceptions(needs.values())
    lacking = [name for name, decision in needs.items() if decision.answer is Answer.NOT_GRANTED]
    evidence, ways = (*absence, *_evidence(needs)), paths(*needs.values())
    if lacking:
        return failed(
            f"{target.principal} can't make datasets in {target.project}: it lacks {', '.join(lacking)}{_why(needs)}",
            *evidence,
            remedy=(*([_create_grant(profile, target)] if _wants_grant(needs) else []), *exceptions),
            access=ways,
        )
    open_ = [decision for decision in needs.values() if decision.answer is Answer.UNKNOWN]
    if open_:
        or_grant = [_create_grant(profile, target, settling=True)] if _wants_grant(needs) else []
        return unknown(
            f"whether {target.principal} can make datasets can't be told: {open_points(*open_)}",
            open_[0].reason,
            *evidence,
            remedy=(*settling(open_, open_[0].reason), *or_grant, *exceptions),
            access=ways,
        )
    named = "its datasets" if absence else "a new dataset (name an existing one with --dataset to have it judged)"
    return passed(f"{target.principal} can make {named}", *evidence, access=ways)


def _wants_grant(needs: dict[str, Decision]) -> bool:
    """Whether a permission is not surely given, a deny rule or no."""
    return any(all(link.formula is not True for link in decision.links) for decision in needs.values())


def _why(needs: dict[str, Decision]) -> str:
    """What takes permissions away that are given: deny rules, conditions that don't hold."""
    said = dict.fromkeys(because(d) for d in needs.values() if d.answer is Answer.NOT_GRANTED)
    return "".join(f"; {why}" for why in said if why)


def _not_seen(access: EffectiveAccess, gap: Unknown, profile: Profile, target: Target) -> Verdict:
    """A dataset that may or may not exist: fine only if the account can both make datasets and write to all."""
    needs = {
        name: access.holds(name) for name in (*profile.dataset.create_permissions, *profile.dataset.write_permissions)
    }
    if all(decision.answer is Answer.GRANTED for decision in needs.values()):
        return passed(
            f"{target.principal} can make datasets in {target.project}, and write to all that are there",
            *_evidence(needs),
            access=paths(*needs.values()),
        )
    return unknown(
        f"whether {target.dataset} or its companion exists could not be read: {gap.reason.describe()}",
        gap.reason,
        *gap.seen(),
    )


def _worst(verdicts: list[Verdict]) -> Verdict:
    """All in one: the worst decides, and what the others say is told as well."""
    order = ["fail", "unknown", "pass"]
    worst = min(verdicts, key=lambda verdict: order.index(verdict.status))
    same = [verdict for verdict in verdicts if verdict.status is worst.status]
    return Verdict(
        worst.status,
        "; ".join(dict.fromkeys(verdict.message for verdict in same)),
        tuple(dict.fromkeys(evidence for verdict in same for evidence in verdict.evidence)),
        tuple(dict.fromkeys(remedy for verdict in same for remedy in verdict.remedies)),
        worst.reason,
        tuple(dict.fromkeys(way for verdict in same for way in verdict.access)),
    )


def _evidence(needs: dict[str, Decision]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for decision in needs.values() for evidence in decision.evidence))


def _create_grant(profile: Profile, target: Target, *, settling: bool = False) -> Remedy:
    return grant_role(target.project, target.principal, profile.grant.role, settling=settling)


def _write_grant(dataset: Dataset, profile: Profile, target: Target) -> Remedy:
    summary = f"Let the account write to {dataset.id}, or name a dataset that doesn't exist yet."
    return grant_on_dataset(target.project, dataset, target.principal, profile.dataset.write_role, summary)

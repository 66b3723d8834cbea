"""What the vendor's account holds does not end soon, and not every evening."""

from datetime import timedelta

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
    grant_on_dataset,
    grant_role,
    passed,
    rule,
    said_at,
    settling,
    skipped,
    unknown,
    warned,
)

SOON = timedelta(days=30)


@rule(
    title="The vendor's grant does not end soon",
    why="A grant on a condition ends by itself: the vendor's syncs then fail from one hour to the next, and nobody "
    "changed anything.",
    severity=Severity.RECOMMENDED,
    requirements=("H6", "H7"),
    since="0.1",
    order=55,
)
def lasts(access: EffectiveAccess, datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Looks at the role and the permissions that the profile needs and that the account holds now: whether one of
    them ends within 30 days, or holds only at certain hours or days, by the conditions of the grants."""
    on_project = _needed(access, profile)
    on_datasets = {
        dataset: [access.holds_on(dataset, name) for name in profile.dataset.write_permissions]
        for dataset in _there(datasets, profile, target)
    }
    everything = [*on_project, *(decision for decisions in on_datasets.values() for decision in decisions)]
    ending = {decision: said for decision in everything if (said := _ends(decision))}
    if ending:
        remedies: list[Remedy] = []
        if any(decision in ending for decision in on_project):
            remedies.append(grant_role(target.project, target.principal, profile.grant.role))
        for dataset, decisions in on_datasets.items():
            if any(decision in ending for decision in decisions):
                summary = f"Let the account write to {dataset.id} without a condition."
                role = profile.dataset.write_role
                remedies.append(grant_on_dataset(target.project, dataset, target.principal, role, summary))
        return warned(
            "; ".join(
                f"{' and '.join(dict.fromkeys(d.permission for d, other in ending.items() if other == said))} {said}"
                for said in dict.fromkeys(ending.values())
            ),
            *_evidence(list(ending)),
            remedy=tuple(remedies),
        )
    held = [decision for decision in everything if decision.answer is Answer.GRANTED]
    open_ = [decision for decision in everything if decision.answer is Answer.UNKNOWN]
    if open_:
        reason = open_[0].reason
        return unknown(
            f"how long {target.principal} holds {open_[0].permission} can't be told: {reason.describe()}",
            reason,
            *_evidence(open_),
            remedy=settling(open_, reason),
        )
    if not held:
        return skipped(f"{target.principal} holds nothing that could end")
    return passed("nothing that the vendor needs ends within 30 days", *_evidence(held))


def _needed(access: EffectiveAccess, profile: Profile) -> list[Decision]:
    preferred = access.holds_role(profile.grant.role)
    roles = [preferred]
    if preferred.answer is not Answer.GRANTED:
        roles = [access.holds_role(role) for role in profile.grant.minimum_roles]
    permissions = dict.fromkeys((*profile.grant.minimum_permissions, *profile.dataset.create_permissions))
    return [*roles, *(access.holds(permission) for permission in permissions)]


def _there(datasets: Maybe[Datasets], profile: Profile, target: Target) -> list[Dataset]:
    if target.dataset is None or isinstance(datasets, Unknown):
        return []
    found = (datasets.get(name) for name in profile.dataset.companions(target.dataset))
    return [dataset for dataset in found if isinstance(dataset, Dataset)]


def _ends(decision: Decision) -> str:
    """What is said of one that ends soon or recurs; empty for one that lasts."""
    if decision.answer is not Answer.GRANTED or decision.moment is None:
        return ""
    where = decision.resource
    if decision.changes_at is not None and decision.changes_at - decision.moment <= SOON:
        return f"on {where}: held until {said_at(decision.changes_at)}"
    steady = any(link.formula is True and not (link.condition and link.condition.recurring) for link in decision.links)
    if decision.recurring and not steady:
        return f"on {where}: held only at certain hours or days"
    return ""


def _evidence(decisions: list[Decision]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for decision in decisions for evidence in decision.evidence))

"""Which of the resources manage which grants."""

from preflight.facts.iam_resources import IamResource, IamResources
from preflight.facts.project import Ancestry
from preflight.facts.seen import COMPLETE, Completeness, Unknown
from preflight.sources.terraform.kinds import DATASET_IAM, POLICY_IAM
from preflight.sources.terraform.semantics.access_lists import Lists
from preflight.sources.terraform.semantics.grants import Claim
from preflight.sources.terraform.semantics.home import Home
from preflight.sources.terraform.semantics.items import World
from preflight.sources.terraform.semantics.policies import claims_on


def iam_resources(world: World, home: Home, ancestry: Ancestry | Unknown) -> IamResources:
    """Those on the project, on what it is known to be in, and on its datasets, as far as they surely are there."""
    above = () if isinstance(ancestry, Unknown) else ancestry.resources
    found = {name: _managing(claims_on(world, name, home)) for name in (home.own, *above)}
    lists = Lists(world, home)
    for dataset in lists.names:
        found[f"{home.own}/datasets/{dataset}"] = _managing(lists.of(dataset))
    omitted = world.omission((*POLICY_IAM, *DATASET_IAM))
    return IamResources(
        resources={name: managing for name, managing in found.items() if managing},
        completeness=Completeness(omitted.reason, omitted.provenance) if omitted else COMPLETE,
    )


def _managing(claims: list[Claim]) -> tuple[IamResource, ...]:
    found: dict[tuple[str, str, str], IamResource] = {}
    for claim in claims:
        if not claim.item.stands or claim.doubt is not None:
            continue
        one = claim.given[0] if claim.given else None
        role, condition = claim.completes or (one.key if one and claim.manner == "member" else ("", ""))
        found[claim.item.address, role, condition] = IamResource(
            address=claim.item.address, provenance=claim.seen, manner=claim.manner, role=role, condition=condition
        )
    return tuple(found.values())

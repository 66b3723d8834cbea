"""Organization policies as one level sets them, and what several levels come to together.

Google's "Hierarchy evaluation": the policy of the nearest level that sets one replaces those above it, but that of a
list constraint with `inheritFromParent`, whose values are added to what comes from above.
"""

from msgspec import Struct

from preflight.facts.organization import OrgPolicy, PolicyRule
from preflight.facts.seen import Provenance, Unknown, Unresolved


class SetPolicy(Struct, frozen=True):
    """What one level sets for one constraint."""

    rules: tuple[PolicyRule, ...]
    inherits: bool
    seen: Provenance


def merged(constraint: str, sets: list[SetPolicy]) -> OrgPolicy | Unknown:
    """The nearest one's, and with it the values of those it inherits from."""
    if len(sets) == 1:
        return OrgPolicy(provenance=sets[0].seen, constraint=constraint, rules=sets[0].rules)
    rules = [rule for one in sets for rule in one.rules]
    if any(rule.condition or rule.allow_all or rule.deny_all for rule in rules):
        # How Google puts these together is not documented in full.
        why = f"{constraint} is inherited, and one of its rules has a condition or is about all values"
        settle = f"Ask Google: gcloud org-policies describe {constraint} --effective --project=PROJECT_ID"
        return Unknown(Unresolved(why, settle), sets[0].seen)
    together = PolicyRule(
        allowed=tuple(dict.fromkeys(value for rule in rules for value in rule.allowed)),
        denied=tuple(dict.fromkeys(value for rule in rules for value in rule.denied)),
        enforce=next((rule.enforce for rule in rules if rule.enforce is not None), None),
        parameters=next((rule.parameters for rule in rules if rule.parameters), {}),
    )
    return OrgPolicy(provenance=sets[0].seen, constraint=constraint, rules=(together,))

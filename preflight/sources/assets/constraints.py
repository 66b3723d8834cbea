"""Organisation policies: what each level sets, and what that comes to on a project.

Google's "Hierarchy evaluation": the policy of the nearest level that sets one replaces those above it, but that of a
list constraint with `inheritFromParent`, whose values are added to what comes from above; a reset brings Google's
default back. Old exports tell policies in Resource Manager's v1 form, newer ones as Org Policy v2 resources.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Raw, Struct, field

from preflight.facts.organization import KNOWN_CONSTRAINTS, OrgPolicies, OrgPolicy, PolicyRule
from preflight.facts.policy import Condition
from preflight.facts.seen import Completeness, Incomplete, NotCollected, Provenance, Unknown
from preflight.sources.assets.holdings import Holdings, Kept, Scope
from preflight.sources.assets.wire import data_of, decoded
from preflight.sources.set_policies import SetPolicy, merged

_SETTLE = (
    "Export these too: gcloud asset export --organization=ORGANIZATION_ID --content-type=org-policy …, and "
    "--content-type=resource --asset-types=orgpolicy.googleapis.com/Policy …"
)


class _ListPolicy(Struct):
    allowed_values: tuple[str, ...] = ()
    denied_values: tuple[str, ...] = ()
    all_values: str | int = ""
    inherit_from_parent: bool = False
    allowedValues: tuple[str, ...] = ()  # noqa: N815  as the API writes it
    deniedValues: tuple[str, ...] = ()  # noqa: N815
    allValues: str | int = ""  # noqa: N815
    inheritFromParent: bool = False  # noqa: N815


class _BooleanPolicy(Struct):
    enforced: bool = False


class _PolicyV1(Struct):
    constraint: str
    list_policy: _ListPolicy | None = None
    boolean_policy: _BooleanPolicy | None = None
    listPolicy: _ListPolicy | None = None  # noqa: N815
    booleanPolicy: _BooleanPolicy | None = None  # noqa: N815

    def set(self, seen: Provenance) -> SetPolicy:
        """Resource Manager v1 `OrgPolicy`; without a list and a boolean it restores the default."""
        listed, boolean = self.list_policy or self.listPolicy, self.boolean_policy or self.booleanPolicy
        if boolean is not None:
            return SetPolicy((PolicyRule(enforce=boolean.enforced),), False, seen)
        if listed is None:
            return SetPolicy((), False, seen)
        every = listed.all_values or listed.allValues  # an enum: ALLOW is 1, DENY 2
        rule = PolicyRule(
            allow_all=every in {"ALLOW", 1},
            deny_all=every in {"DENY", 2},
            allowed=listed.allowed_values or listed.allowedValues,
            denied=listed.denied_values or listed.deniedValues,
        )
        return SetPolicy((rule,), listed.inherit_from_parent or listed.inheritFromParent, seen)


class _Values(Struct, rename="camel"):
    allowed_values: tuple[str, ...] = ()
    denied_values: tuple[str, ...] = ()


class _Expression(Struct):
    expression: str = ""
    title: str = ""


class _RuleV2(Struct, rename="camel"):
    values: _Values | None = None
    allow_all: bool | str | None = None
    deny_all: bool | str | None = None
    enforce: bool | str | None = None
    condition: _Expression | None = None
    parameters: dict[str, Any] | str | None = None

    def fact(self) -> PolicyRule:
        """Org Policy v2 `PolicyRule`."""
        values = self.values or _Values()
        return PolicyRule(
            allow_all=_true(self.allow_all) is True,
            deny_all=_true(self.deny_all) is True,
            allowed=values.allowed_values,
            denied=values.denied_values,
            enforce=_true(self.enforce),
            parameters=_parameters(self.parameters),
            condition=Condition(self.condition.expression, self.condition.title) if self.condition else None,
        )


def _true(value: bool | str | None) -> bool | None:
    return value if isinstance(value, bool | None) else value.casefold() == "true"


def _parameters(given: dict[str, Any] | str | None) -> dict[str, tuple[str, ...]]:
    whole = decoded(given.encode(), dict[str, Any]) if isinstance(given, str) and given else given or {}
    return {
        name: tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)
        for name, value in dict(whole).items()
    }


class _Spec(Struct, rename="camel"):
    rules: tuple[_RuleV2, ...] = ()
    inherit_from_parent: bool = False
    reset: bool = False


class _PolicyV2(Struct):
    spec: _Spec | None = None


class LevelPolicies(Struct):
    """What one resource sets, by constraint without `constraints/`."""

    policies: dict[str, SetPolicy | Unknown] = field(default_factory=dict)
    old: bool = False
    """There is a line in the old form: it would show any constraint but managed ones."""
    new: bool = False
    """There is a line in the new form."""
    unreadable: Unknown | None = None
    """A line that may set anything."""


def level_of(scope: Scope, held: Holdings, read: Callable[[Kept, Callable[[], Any]], Any]) -> LevelPolicies:
    """What a resource sets. `read` makes Unknown of what can't be read."""
    level = LevelPolicies()
    if kept := scope.one("org policy"):
        level.old = True
        found = read(kept, partial(_v1, kept, held))
        if isinstance(found, Unknown):
            level.unreadable = found
        else:
            level.policies |= found
    for constraint, kept in scope.all("constraint").items():
        level.new = True
        one = read(kept, partial(_v2, kept.line.resource, held.where(kept)))
        if one is not None:
            level.policies[constraint] = one
    return level


def _v1(kept: Kept, held: Holdings) -> dict[str, SetPolicy]:
    seen = held.where(kept)
    told = decoded(kept.line.org_policy, tuple[_PolicyV1, ...])
    return {policy.constraint.removeprefix("constraints/"): policy.set(seen) for policy in told}


def _v2(resource: Raw, seen: Provenance) -> SetPolicy | None:
    """None: nothing is in force, as of a policy that is only tried out (`dryRunSpec`)."""
    spec = data_of(resource, _PolicyV2).spec
    if spec is None:
        return None
    rules = () if spec.reset else tuple(rule.fact() for rule in spec.rules)
    return SetPolicy(rules, spec.inherit_from_parent and not spec.reset, seen)


def effective(levels: tuple[tuple[str, LevelPolicies], ...], held: Holdings, gap: Completeness) -> OrgPolicies:
    """What the known constraints come to on a project, from its own level to the outermost."""
    return OrgPolicies(policies={name: _effective(name, levels, held, gap) for name in KNOWN_CONSTRAINTS})


def _effective(
    constraint: str,
    levels: tuple[tuple[str, LevelPolicies], ...],
    held: Holdings,
    gap: Completeness,
) -> OrgPolicy | Unknown:
    sets: list[SetPolicy] = []
    for place, (_, level) in enumerate(levels):
        found = level.policies.get(constraint) or level.unreadable
        if isinstance(found, Unknown):
            return found
        if found is not None and place and held.damage.gap:
            break  # what could not be read may be nearer
        if found is not None:
            sets.append(found)
            if not found.inherits:
                return merged(constraint, sets)
    if gap.gap or held.damage.gap:
        worst = gap if gap.gap else held.damage
        return Unknown(worst.gap or Incomplete(""), worst.provenance)
    outermost, top = levels[-1]
    shows = top.new or (top.old and ".managed." not in constraint)
    if not shows:
        why = f"{held.files} has no organization policies of {outermost}: what isn't set there can't be told"
        return Unknown(NotCollected(why, _SETTLE), held.whole())
    if sets:
        return merged(constraint, sets)
    return OrgPolicy(provenance=held.whole(), constraint=constraint, rules=())

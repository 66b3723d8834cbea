"""Doing what a remedy says makes the rule pass, by its commands and by its Terraform, and takes nothing away that
somebody needs: for every rule, on generated snapshots."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from preflight import AllowPolicy, Dataset, OrgPolicy, Remedy, Verdict, allows, location_matches
from preflight.facts.locations import LOCATIONS
from preflight.testing import judge
from tests.conftest import HEAP
from tests.obedience import Facts, Way, obeyed
from tests.rules.snapshots import LOOKALIKES, Case, cases

MENDED = (
    "project-active",
    "billing-enabled",
    "bigquery-api-enabled",
    "service-allowed",
    "vendor-role",
    "vendor-lookalike",
    "vendor-sharing-allowed",
    "jobs-create",
    "grant-expires",
    "vendor-least-privilege",
    "location-allowed",
    "dataset-writable",
    "dataset-encryption",
    "dataset-expiration",
    "dataset-public",
)
NEEDS = ("vendor-role", "jobs-create", "dataset-writable")
WAYS: tuple[Way, ...] = ("commands", "terraform")
EXAMPLES = 3000 if os.environ.get("PREFLIGHT_ORACLE") == "all" else 150


def doable(remedy: Remedy) -> bool:
    """Not only words, and commands that show something."""
    return bool(remedy.terraform or [command for command in remedy.commands if " describe " not in command])


def choices(verdict: Verdict) -> list[tuple[Remedy, ...]]:
    """What may be done: all that isn't an alternative, or one of the alternatives, which begin with "Or"."""
    others: list[tuple[Remedy, ...]] = [
        (remedy,) for remedy in verdict.remedies if remedy.summary.startswith("Or ") and doable(remedy)
    ]
    main = tuple(remedy for remedy in verdict.remedies if not remedy.summary.startswith("Or "))
    needed = [remedy for remedy in main if not remedy.summary.startswith("Choose a name")]
    return [main, *others] if needed and all(map(doable, needed)) else others


def verdict_on(rule: str, case: Case, facts: Facts) -> Verdict:
    return judge(rule, **facts, target=case.target, profile=case.profile)


def grants(facts: Facts) -> Counter[tuple[str, str, str, str]]:
    """Who has which role where, on which condition."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for resource, policy in facts["allow_policies"].policies.items():
        for binding in policy.bindings if isinstance(policy, AllowPolicy) else ():
            condition = binding.condition.expression if binding.condition else ""
            found.update((resource, binding.role, member, condition) for member in binding.members)
    for name, dataset in facts["datasets"].datasets.items():
        for entry in dataset.access if isinstance(dataset, Dataset) and isinstance(dataset.access, tuple) else ():
            found[name, entry.role_name, entry.member, entry.condition.expression if entry.condition else ""] += 1
    return found


def lost(before: Facts, after: Facts) -> set[str]:
    """The members that have less than before."""
    return {member for _, _, member, _ in grants(before) - grants(after)}


def is_the_vendor(member: str) -> bool:
    return member.casefold() == HEAP.casefold()


MAY_LOSE: dict[str, Callable[[str], bool]] = {
    "vendor-least-privilege": is_the_vendor,
    "vendor-lookalike": lambda member: member in LOOKALIKES,
    "dataset-public": lambda member: member in {"allUsers", "allAuthenticatedUsers"},
}


def test_doing_it_passes_and_takes_nothing_away():
    met: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(cases)
    def holds(case: Case) -> None:
        before = {need: verdict_on(need, case, case.facts).status for need in NEEDS}
        for rule in MENDED:
            verdict = verdict_on(rule, case, case.facts)
            for choice, way in product(choices(verdict), WAYS):
                after = obeyed(choice, case.facts, way)
                if after != case.facts:
                    met[rule] += 1
                    mended(rule, case, after, before, f"{rule}: {verdict.message}\ndone by {way}: {choice}")

    holds()
    for rule in MENDED:
        assert met[rule], f"{met}: nothing of {rule} was mended"


def mended(rule: str, case: Case, after: Facts, before: Mapping[str, str], done: str) -> None:
    """Asserts that the rule passes now, and that nobody has lost what they need."""
    named = case
    if rule == "dataset-encryption" and case.target.dataset is None:
        named = replace(case, target=replace(case.target, dataset="DATASET"))
    now = verdict_on(rule, named, after)
    fine = {"pass"} | ({"unknown"} if case.blind else set())
    if rule == "vendor-least-privilege":
        # Whoever had nothing but what went has nothing that could be too much; and of what can't be seen to be
        # needed nothing is taken.
        fine |= {"skip"} | ({"warn"} if case.blind else set())
    assert now.status in fine, f"{done}\n{now.message}"
    gone = lost(case.facts, after)
    assert all(map(MAY_LOSE.get(rule, lambda _: False), gone)), f"{done}\nlost: {gone}"
    for need, status in before.items():
        if status in {"pass", "warn"}:
            then = verdict_on(need, case, after)
            assert then.status in {"pass", "warn"}, f"{done}\n{need}: {then.message}"


def test_after_the_least_privilege_is_made_nothing_but_the_need_is_left():
    met: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(cases)
    def holds(case: Case) -> None:
        verdict = verdict_on("vendor-least-privilege", case, case.facts)
        after = obeyed(verdict.remedies, case.facts)
        if after == case.facts or not all(map(doable, verdict.remedies)) or case.blind:
            return
        for role, beyond in beyond_the_need(after, case).items():
            assert not beyond, f"{role}: {sorted(beyond)[:5]}"
            met[role] += 1

    holds()
    assert met, "nothing was left to look at"


def beyond_the_need(facts: Facts, case: Case) -> dict[str, frozenset[str]]:
    """The roles that name the vendor without a condition, and what each gives beyond the profile's need: worked out
    from the bindings alone. Without the role asked for, the minimum is the need."""
    profile = case.profile
    permissions = {name: role.permissions for name, role in facts["roles"].roles.items() if not role.deleted}
    bound = [
        (binding.role, binding.condition)
        for policy in facts["allow_policies"].policies.values()
        for binding in policy.bindings
        if any(map(is_the_vendor, binding.members))
    ]
    asked = {*profile.grant.minimum_permissions, *profile.dataset.create_permissions, *permissions[profile.grant.role]}
    if all(role != profile.grant.role for role, _ in bound):
        asked |= {name for role in profile.grant.minimum_roles for name in permissions[role]}
    return {role: permissions.get(role, frozenset()) - asked for role, condition in bound if condition is None}


@settings(max_examples=EXAMPLES)
@given(cases)
def test_an_organization_policy_allows_what_it_allowed_and_the_others_stay(case: Case):
    verdict = verdict_on("location-allowed", case, case.facts)
    for way in WAYS:
        after = obeyed(verdict.remedies, case.facts, way)["org_policies"].policies
        for constraint, old in case.facts["org_policies"].policies.items():
            new = after[constraint]
            if constraint != "gcp.resourceLocations":
                assert new == old
                continue
            assert isinstance(old, OrgPolicy)
            for location in LOCATIONS:

                def covers(value: str, location: str = location) -> bool | None:
                    return location_matches(value, location)

                assert not allows(old, covers) or allows(new, covers), location


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")
def test_all_terraform_is_formatted(tmp_path: Path):
    texts: set[str] = set()

    @settings(max_examples=EXAMPLES)
    @given(cases)
    def gather(case: Case) -> None:
        for rule in MENDED:
            texts.update(remedy.terraform for remedy in verdict_on(rule, case, case.facts).remedies if remedy.terraform)

    gather()
    assert len(texts) > 20
    for number, text in enumerate(sorted(texts)):
        (tmp_path / f"{number}.tf").write_text(f"{text}\n", encoding="utf-8")
    done: Any = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")

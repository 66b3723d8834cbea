"""The organization lets policies name the vendor's account."""

from collections.abc import Callable

from preflight import (
    Answer,
    EffectiveAccess,
    Evidence,
    Maybe,
    Organization,
    OrgPolicies,
    OrgPolicy,
    PolicyRule,
    Profile,
    Project,
    Remedy,
    Severity,
    Target,
    Unknown,
    Unresolved,
    Verdict,
    allows,
    failed,
    hcl_list,
    let_value,
    org_policy_block,
    org_policy_page,
    passed,
    rule,
    show_org_policy,
    skipped,
    unclear,
    unknown,
)

DOMAINS, MEMBERS = "iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"
SUBJECTS, SETS = "allowedMemberSubjects", "allowedPrincipalSets"


@rule(
    title="The organization lets policies name the vendor's account",
    why="Organizations made since May 2024 restrict by default whom policies may name. There the grant to the vendor "
    "is refused, with an error that names a constraint and not what to do.",
    severity=Severity.IMPORTANT,
    requirements=("H6", "H7"),
    since="0.1",
    order=45,
)
def may_be_named(
    org_policies: Maybe[OrgPolicies],
    organization: Maybe[Organization],
    access: Maybe[EffectiveAccess],
    project: Maybe[Project],
    profile: Profile,
    target: Target,
) -> Verdict:
    """Compares the two constraints on policies' members, the old one by directory and the managed one by member, with
    the vendor's account and the directory that the profile says it belongs to. They act on new grants only, so with
    the role in place it passes."""
    if isinstance(project, Project) and project.parent is None:
        return skipped("the project is in no organization, so that no organization policy acts on it")
    had, there = _granted_already(access, profile)
    if there:
        return passed(f"{target.principal} has {had} already, and these constraints act on new grants only", *there)
    customer = _directory_of(target.principal, organization, profile)
    refusing: list[tuple[OrgPolicy, Remedy]] = []
    open_: list[Unknown] = []
    evidence: list[Evidence] = []
    for constraint in (DOMAINS, MEMBERS):
        policy = org_policies if isinstance(org_policies, Unknown) else org_policies.of(constraint)
        if isinstance(policy, Unknown):
            open_.append(policy)
            evidence += policy.seen()
            continue
        evidence.append(policy.shows())
        answer = _judged(policy, target.principal, customer, organization)
        if answer is False:
            refusing.append((policy, _mend(policy, customer, organization, profile, target)))
        elif answer is None:
            open_.append(Unknown(_why_open(policy, target.principal, customer, profile)))
    if refusing:
        return failed(
            f"{' and '.join(policy.constraint for policy, _ in refusing)} would refuse a grant to {target.principal}",
            *(policy.shows() for policy, _ in refusing),
            remedy=(*(remedy for _, remedy in refusing), *(Remedy(gap.reason.settle()) for gap in open_)),
        )
    if open_:
        return unknown(
            f"whether policies may name {target.principal} can't be told: "
            + "; ".join(gap.reason.describe() for gap in open_),
            open_[0].reason,
            *evidence,
            remedy=tuple(Remedy(gap.reason.settle()) for gap in open_[1:]),
        )
    return passed(f"policies may name {target.principal}", *evidence)


def _granted_already(access: Maybe[EffectiveAccess], profile: Profile) -> tuple[str, tuple[Evidence, ...]]:
    """What the account surely has of what would be granted to it, wherever and by whatever member, and the evidence;
    nothing where a grant is still to be made."""
    if isinstance(access, Unknown):
        return "", ()
    grant = profile.grant
    for roles, permissions in (((grant.role,), ()), (grant.minimum_roles, grant.minimum_permissions)):
        decisions = [*map(access.holds_role, roles), *map(access.holds, permissions)]
        if decisions and all(decision.answer is Answer.GRANTED for decision in decisions):
            had = " and ".join(decision.permission for decision in decisions)
            return had, tuple(dict.fromkeys(evidence for decision in decisions for evidence in decision.evidence))
    return "", ()


def _directory_of(principal: str, organization: Maybe[Organization], profile: Profile) -> str:
    """The customer ID of the directory that the account belongs to; empty: not known."""
    if principal.casefold() == profile.principal.casefold():
        return profile.directory_customer_id
    kind, _, email = principal.partition(":")
    if isinstance(organization, Organization) and kind == "user":
        domain = email.rpartition("@")[2]
        return organization.directory_customer_id if domain.casefold() == organization.domain.casefold() else ""
    return ""


def _judged(policy: OrgPolicy, principal: str, customer: str, organization: Maybe[Organization]) -> bool | None:
    def covers(value: str) -> bool | None:
        return _covers(value, customer, organization)

    if policy.constraint == DOMAINS:
        return allows(policy, covers)
    answers = {_enforced(rule, principal, covers) for rule in policy.rules}
    conditional = [rule for rule in policy.rules if rule.condition]
    if len(conditional) == len(policy.rules):
        answers.add(True)  # none may act
    if not conditional:
        return False if False in answers else (None if None in answers else True)
    return answers.pop() if len(answers) == 1 else None


def _enforced(rule: PolicyRule, principal: str, covers: Callable[[str], bool | None]) -> bool | None:
    if not rule.enforce:
        return True
    if principal.casefold() in {subject.casefold() for subject in rule.parameters.get(SUBJECTS, ())}:
        return True
    found = {covers(value) for value in rule.parameters.get(SETS, ())}
    return True if True in found else (None if None in found else False)


def _covers(value: str, customer: str, organization: Maybe[Organization]) -> bool | None:
    """Whether a value stands for the directory: its customer ID, or the principals of an organization."""
    written = value.strip().removeprefix("is:")
    if written[:1] in {"C", "c"} and written.isalnum():
        return written.casefold() == customer.casefold() if customer else None
    if isinstance(organization, Organization) and written.endswith(f"/{organization.name}") and customer:
        return customer.casefold() == organization.directory_customer_id.casefold()
    return None


def _why_open(policy: OrgPolicy, principal: str, customer: str, profile: Profile) -> Unresolved:
    contact = f"{profile.support.name} ({profile.support.email})"
    if any(rule.condition for rule in policy.rules):
        return Unresolved(
            f"{policy.constraint} hangs on tags: {', '.join(unclear(policy, lambda _: True))}",
            "See in the console which of its rules acts on the project.",
        )
    if customer:
        return Unresolved(
            f"{policy.constraint} restricts whom policies may name, and whether its values cover {principal} "
            "can't be told from here",
            f"Ask {contact} in which organization the account {principal} is, and compare it with the policy's values.",
        )
    return Unresolved(
        f"{policy.constraint} restricts whom policies may name, and the directory that {principal} belongs to is "
        "not known",
        f"Ask {contact} for the directory customer ID (C and then letters and digits) of the organization that "
        f"{principal} belongs to, compare it with the policy's values, and write it into a profile of your own as "
        "directory_customer_id.",
    )


def _mend(
    policy: OrgPolicy, customer: str, organization: Maybe[Organization], profile: Profile, target: Target
) -> Remedy:
    if policy.constraint == DOMAINS and not customer:
        return Remedy(
            summary=f"{_why_open(policy, target.principal, customer, profile).settle()} Then let someone who "
            f"administers organization policies (roles/orgpolicy.policyAdmin) allow it for {DOMAINS} on the project.",
            commands=(show_org_policy(target.project, DOMAINS),),
            console_url=org_policy_page(target.project, DOMAINS),
        )
    if policy.constraint == DOMAINS:
        return let_value(target.project, policy, customer, lambda value: _covers(value, customer, organization))
    rule = next(rule for rule in policy.rules if rule.enforce)
    lists = {**rule.parameters, SUBJECTS: (*rule.parameters.get(SUBJECTS, ()), target.principal)}
    width = max(map(len, lists))
    return Remedy(
        summary=f"Let someone who administers organization policies (roles/orgpolicy.policyAdmin) add "
        f"{target.principal} to {SUBJECTS} of {MEMBERS} on the project.",
        commands=(show_org_policy(target.project, MEMBERS),),
        terraform=org_policy_block(
            target.project,
            MEMBERS,
            [
                "    rules {",
                '      enforce = "TRUE"',
                "      parameters = jsonencode({",
                *(f"        {name.ljust(width)} = {hcl_list(values)}" for name, values in lists.items()),
                "      })",
                "    }",
            ],
        ),
        console_url=org_policy_page(target.project, MEMBERS),
    )

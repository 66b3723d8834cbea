"""Building blocks of remedies: shell-safe commands, Terraform, the console's addresses."""

import json
import shlex
from collections.abc import Iterable
from urllib.parse import quote

from preflight.access.decision import Decision, Denial
from preflight.access.org_policies import Match, denies
from preflight.access.wording import denied
from preflight.facts.dataset import AccessEntry, Dataset
from preflight.facts.organization import OrgPolicy
from preflight.facts.seen import Reason
from preflight.report import Remedy

CONSOLE = "https://console.cloud.google.com"

_GCLOUD = {
    "projects": ("projects",),
    "folders": ("resource-manager", "folders"),
    "organizations": ("organizations",),
}
_IN_CONSOLE = {"projects": "project", "folders": "folder", "organizations": "organizationId"}
MOST_SETTLED = 5
"""So many open facts get a remedy each; with more of them, the first few are a start."""


def shell(*words: str) -> str:
    """A command line of these words, each quoted where a shell would read it otherwise."""
    return shlex.join(words)


def hcl(text: str) -> str:
    """A Terraform string literal; `${` and `%{` in it are kept as text."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def hcl_list(texts: Iterable[str]) -> str:
    """A Terraform list of string literals, on one line."""
    return f"[{', '.join(hcl(text) for text in texts)}]"


def hcl_block(kind: str, label: str, **attributes: str) -> str:
    """A Terraform resource as `terraform fmt` writes it. The attributes' values are expressions: `hcl(…)`, a number,
    `null`."""
    width = max(map(len, attributes))
    lines = (f"  {name.ljust(width)} = {value}\n" for name, value in attributes.items())
    return f'resource "{kind}" "{label_of(label)}" {{\n{"".join(lines)}}}'


def label_of(text: str) -> str:
    """The text as the name of a Terraform resource: letters, digits and underscores."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)


def console(page: str, project: str) -> str:
    """The console's address of a page (`iam-admin/iam`), opened for the project."""
    return f"{CONSOLE}/{page}?project={quote(project, safe='')}"


def console_on(page: str, resource: str) -> str:
    """The console's address of a page, opened for `projects/ID`, `folders/N` or `organizations/N`."""
    kind, _, name = resource.partition("/")
    return f"{CONSOLE}/{page}?{_IN_CONSOLE.get(kind, 'project')}={quote(name, safe='')}"


def on_resource(resource: str) -> tuple[str, ...]:
    """The words of gcloud for a kind of resource: `("gcloud", "resource-manager", "folders")` for a folder."""
    return ("gcloud", *_GCLOUD.get(resource.partition("/")[0], ("projects",)))


def grant_role(project: str, member: str, role: str, *, settling: bool = False) -> Remedy:
    """Grants one role on the project to one member: as gcloud, Terraform and the console's page.

    The Terraform is a `google_project_iam_member`, which adds and takes nothing away. `settling` words it for a
    verdict that is unknown: the grant may be there already.
    """
    summary = f"Grant {role} to the vendor's account on the project; it takes a minute or two to act."
    if settling:
        summary = f"Or grant {role} to the vendor's account on the project: it does no harm if it was there already."
    return Remedy(
        summary=summary,
        commands=(add_binding(f"projects/{project}", member, role),),
        terraform=project_member(project, member, hcl(role), role.removeprefix("roles/")),
        console_url=console("iam-admin/iam", project),
    )


def project_member(project: str, member: str, role: str, label: str) -> str:
    """The Terraform that gives one role on the project to one member; the role is an expression: `hcl(…)`, or a
    reference to another resource."""
    return hcl_block(
        "google_project_iam_member", f"vendor_{label}", project=hcl(project), role=role, member=hcl(member)
    )


def grant_by_custom_role(
    project: str, member: str, vendor: tuple[str, str], permissions: Iterable[str], summary: str
) -> Remedy:
    """Makes a custom role of just these permissions on the project, and grants it to one member. `vendor` is the
    profile's name, for the role's ID, and the vendor's, for its title."""
    name, title = vendor
    role_id = f"{label_of(name)}Minimum"
    command, resource = make_role(project, role_id, f"{title}: the minimum", permissions)
    made = f"google_project_iam_custom_role.{role_id}.name"
    return Remedy(
        summary=summary,
        commands=(command, add_binding(f"projects/{project}", member, f"projects/{project}/roles/{role_id}")),
        terraform=f"{resource}\n\n{project_member(project, member, made, role_id)}",
        console_url=console("iam-admin/roles", project),
    )


def grant_on_dataset(project: str, dataset: Dataset, member: str, role: str, summary: str) -> Remedy:
    """Grants one role in one dataset to one member, and takes nothing away."""
    # The DCL statement is the one command that adds a grant to a dataset without rewriting its whole access list.
    statement = f'GRANT `{role}` ON SCHEMA `{project}`.`{dataset.id}` TO "{member}"'
    return Remedy(
        summary=summary,
        commands=(query(project, dataset, statement),),
        terraform=hcl_block(
            "google_bigquery_dataset_iam_member",
            f"vendor_{dataset.id}",
            project=hcl(project),
            dataset_id=hcl(dataset.id),
            role=hcl(role),
            member=hcl(member),
        ),
        console_url=dataset_page(project, dataset.id),
    )


def dataset_page(project: str, dataset_id: str) -> str:
    """The console's address of a dataset."""
    return console("bigquery", project) + f"&p={quote(project, safe='')}&d={quote(dataset_id, safe='')}&page=dataset"


def revoke_on_dataset(project: str, dataset: Dataset, entry: AccessEntry) -> str:
    """The command that takes one entry out of a dataset's access list."""
    # The forms of BigQuery's data control language ("REVOKE statement", user_list).
    member = f"specialGroup:{entry.member}" if entry.special_group else entry.member
    return query(project, dataset, f'REVOKE `{entry.role_name}` ON SCHEMA `{project}`.`{dataset.id}` FROM "{member}"')


def query(project: str, dataset: Dataset, statement: str) -> str:
    """The command that runs one SQL statement where the dataset is."""
    where = (f"--project_id={project}", f"--location={dataset.location}")
    return shell("bq", *where, "query", "--use_legacy_sql=false", statement)


def add_binding(resource: str, member: str, role: str) -> str:
    """The command that grants a role, without a condition."""
    words = on_resource(resource)
    name = resource.partition("/")[2]
    return shell(*words, "add-iam-policy-binding", name, f"--member={member}", f"--role={role}", "--condition=None")


def remove_binding(resource: str, member: str, role: str, *, conditional: bool = False) -> str:
    """The command that takes a role away; `conditional`: with it all that the member has of the role there, since a
    condition would have to be repeated to the letter, its description included."""
    words = on_resource(resource)
    name = resource.partition("/")[2]
    which = "--all" if conditional else "--condition=None"
    return shell(*words, "remove-iam-policy-binding", name, f"--member={member}", f"--role={role}", which)


def make_role(project: str, role_id: str, title: str, permissions: Iterable[str]) -> tuple[str, str]:
    """A custom role of a project: the command that makes it, and the same as Terraform."""
    held = sorted(permissions)
    command = shell(
        *("gcloud", "iam", "roles", "create", role_id, f"--project={project}"),
        *(f"--title={title}", f"--permissions={','.join(held)}", "--stage=GA"),
    )
    terraform = hcl_block(
        "google_project_iam_custom_role",
        role_id,
        project=hcl(project),
        role_id=hcl(role_id),
        title=hcl(title),
        permissions=hcl_list(held),
    )
    return command, terraform


def let_value(project: str, policy: OrgPolicy, value: str, matches: Match) -> Remedy:
    """Lets one more value be by a list constraint, on this project alone."""
    constraint = policy.constraint
    who = "Let someone who administers organization policies (roles/orgpolicy.policyAdmin)"
    beside = not denies(policy, matches)
    terraform = _org_policy(project, constraint, (value,), (), inherit=True)
    if beside:
        summary = (
            f"{who} allow {value} for {constraint} on the project, beside what is inherited. If the project has a "
            "policy of its own, add it there."
        )
    else:
        # What is denied above wins over what is allowed below: only a policy that inherits nothing lets it be.
        summary = (
            f"{who} take {value} out of what {constraint} denies on the project, by a policy of its own that inherits "
            "nothing and says all else as it is now."
        )
        terraform = _without(project, policy, value, matches)
    return Remedy(
        summary=summary,
        commands=(show_org_policy(project, constraint),),
        terraform=terraform or None,
        console_url=org_policy_page(project, constraint),
    )


def _without(project: str, policy: OrgPolicy, value: str, matches: Match) -> str:
    """The effective policy without what denies the value; nothing where rules on conditions are among it."""
    if any(rule.condition for rule in policy.rules):
        return ""
    allowed = list(dict.fromkeys(one for rule in policy.rules for one in rule.allowed))
    if any(rule.allow_all for rule in policy.rules):
        allowed = []  # whatever is listed beside it, all else is allowed too
    if (allowed or any(rule.deny_all for rule in policy.rules)) and not any(matches(one) for one in allowed):
        allowed.append(value)
    denied = dict.fromkeys(one for rule in policy.rules for one in rule.denied if not matches(one))
    return _org_policy(project, policy.constraint, tuple(allowed), tuple(denied), inherit=False)


def _org_policy(
    project: str, constraint: str, allowed: tuple[str, ...], denied: tuple[str, ...], *, inherit: bool
) -> str:
    lists = {"allowed_values": allowed, "denied_values": denied}
    width = max((len(name) for name, listed in lists.items() if listed), default=0)
    rule = ['      allow_all = "TRUE"']
    if width:
        rule = [
            "      values {",
            *(f"        {name.ljust(width)} = {hcl_list(listed)}" for name, listed in lists.items() if listed),
            "      }",
        ]
    return org_policy_block(project, constraint, [*(["    inherit_from_parent = true", ""] if inherit else []),
                                                  "    rules {", *rule, "    }"])  # fmt: skip


def org_policy_block(project: str, constraint: str, spec: Iterable[str]) -> str:
    """The Terraform of a constraint's policy on the project; `spec` are the lines of its specification."""
    lines = [
        f'resource "google_org_policy_policy" "{label_of(constraint)}" {{',
        f"  name   = {hcl(f'projects/{project}/policies/{constraint}')}",
        f"  parent = {hcl(f'projects/{project}')}",
        "",
        "  spec {",
        *spec,
        "  }",
        "}",
    ]
    return "\n".join(lines)


def show_org_policy(project: str, constraint: str) -> str:
    """The command that shows what a constraint comes to on the project."""
    return shell("gcloud", "org-policies", "describe", constraint, f"--project={project}", "--effective")


def org_policy_page(project: str, constraint: str) -> str:
    """The console's address of a constraint, opened for the project."""
    return console(f"iam-admin/orgpolicies/{constraint.replace('.', '-')}", project)


def in_deny_rules(principal: str) -> str:
    """A principal as deny policies write it (Google's "Principal identifiers for deny policies")."""
    kind, _, email = principal.partition(":")
    if kind == "serviceAccount":
        return f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"
    return f"principal://goog/subject/{email}"


def make_exceptions(decisions: Iterable[Decision]) -> tuple[Remedy, ...]:
    """For each deny rule that takes something away, or may: how to except the principal from it.

    gcloud replaces a deny policy by a whole file; the console edits one rule of it.
    """
    remedies = {
        denied(denial): _make_exception(denial, decision.principal)
        for decision in decisions
        for denial in decision.denials
        if denial.formula is not False
    }
    return tuple(remedies.values())


def _make_exception(denial: Denial, principal: str) -> Remedy:
    member = in_deny_rules(principal)
    return Remedy(
        summary=f"Make the account an exception, since {denied(denial)}: add {member} to that rule's exception "
        "principals (in the console's tab Deny; it takes roles/iam.denyAdmin on the organization).",
        terraform=f"exception_principals = {hcl_list([*denial.rule.exception_principals, member])}",
        console_url=console_on("iam-admin/iam", denial.resource),
    )


def settling(decisions: Iterable[Decision], told: Reason) -> tuple[Remedy, ...]:
    """One remedy for each fact that would settle these answers, but for `told`, whose remedy the verdict has."""
    facts = {fact.key: fact for decision in decisions for fact in decision.missing}
    summaries = dict.fromkeys(fact.unknown.reason.settle() for fact in facts.values())
    summaries.pop(told.settle(), None)
    return tuple(Remedy(summary) for summary in list(summaries)[: MOST_SETTLED - 1])

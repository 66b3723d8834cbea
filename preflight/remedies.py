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
        terraform=hcl_block(
            "google_project_iam_member",
            f"vendor_{role.removeprefix('roles/')}",
            project=hcl(project),
            role=hcl(role),
            member=hcl(member),
        ),
        console_url=console("iam-admin/iam", project),
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
        console_url=console("bigquery", project) + f"&p={project}&d={dataset.id}&page=dataset",
    )


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
    page, command = org_policy_page(project, constraint), show_org_policy(project, constraint)
    who = "Let someone who administers organization policies (roles/orgpolicy.policyAdmin)"
    if denies(policy, matches):
        return Remedy(
            summary=f"{who} take {value} out of what {constraint} denies on the project.",
            commands=(command,),
            console_url=page,
        )
    return Remedy(
        summary=f"{who} allow {value} for {constraint} on the project, beside what is inherited. If the project has a "
        "policy of its own, add it there.",
        commands=(command,),
        terraform=(
            f'resource "google_org_policy_policy" "{label_of(constraint)}" {{\n'
            f"  name   = {hcl(f'projects/{project}/policies/{constraint}')}\n"
            f"  parent = {hcl(f'projects/{project}')}\n\n"
            "  spec {\n"
            "    inherit_from_parent = true\n\n"
            "    rules {\n"
            "      values {\n"
            f"        allowed_values = {hcl_list([value])}\n"
            "      }\n"
            "    }\n"
            "  }\n"
            "}"
        ),
        console_url=page,
    )


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
    """For each deny policy that takes something away, or may: how to except the principal from it.

    gcloud replaces a deny policy by a whole file; the console edits one rule of it.
    """
    rules: dict[tuple[str, str], list[Denial]] = {}
    principal = ""
    for decision in decisions:
        principal = principal or decision.principal
        for denial in decision.denials:
            if denial.formula is not False:
                rules.setdefault((denial.resource, denial.policy), []).append(denial)
    member = in_deny_rules(principal)
    return tuple(
        Remedy(
            summary=f"Make the account an exception, since {' and '.join(dict.fromkeys(map(denied, denials)))}: add "
            f"{member} to that rule's exception principals (in the console's tab Deny; it takes roles/iam.denyAdmin on "
            f"the organization).",
            terraform=f"exception_principals = {hcl_list([*denials[0].rule.exception_principals, member])}",
            console_url=console_on("iam-admin/iam", resource),
        )
        for (resource, _), denials in rules.items()
    )


def settling(decisions: Iterable[Decision], told: Reason) -> tuple[Remedy, ...]:
    """One remedy for each fact that would settle these answers, but for `told`, whose remedy the verdict has."""
    facts = {fact.key: fact for decision in decisions for fact in decision.missing}
    summaries = dict.fromkeys(fact.unknown.reason.settle() for fact in facts.values())
    summaries.pop(told.settle(), None)
    return tuple(Remedy(summary) for summary in list(summaries)[: MOST_SETTLED - 1])

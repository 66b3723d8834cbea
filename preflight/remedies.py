"""Building blocks of remedies: shell-safe commands, Terraform, the console's addresses."""

import json
import shlex
from urllib.parse import quote

from preflight.report import Remedy

CONSOLE = "https://console.cloud.google.com"


def shell(*words: str) -> str:
    """A command line of these words, each quoted where a shell would read it otherwise."""
    return shlex.join(words)


def hcl(text: str) -> str:
    """A Terraform string literal; `${` and `%{` in it are kept as text."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def console(page: str, project: str) -> str:
    """The console's address of a page (`iam-admin/iam`), opened for the project."""
    return f"{CONSOLE}/{page}?project={quote(project, safe='')}"


def grant_role(project: str, member: str, role: str, *, settling: bool = False) -> Remedy:
    """Grants one role on the project to one member: as gcloud, Terraform and the console's page.

    The Terraform is a `google_project_iam_member`, which adds and takes nothing away. `settling` words it for a
    verdict that is unknown: the grant may be there already.
    """
    summary = f"Grant {role} to the vendor's account on the project; it takes a minute or two to act."
    if settling:
        summary = f"Or grant {role} to the vendor's account on the project: it does no harm if it was there already."
    label = "".join(c if c.isalnum() else "_" for c in role.removeprefix("roles/"))
    return Remedy(
        summary=summary,
        commands=(
            shell(
                "gcloud",
                "projects",
                "add-iam-policy-binding",
                project,
                f"--member={member}",
                f"--role={role}",
                "--condition=None",
            ),
        ),
        terraform=(
            f'resource "google_project_iam_member" "vendor_{label}" {{\n'
            f"  project = {hcl(project)}\n"
            f"  role    = {hcl(role)}\n"
            f"  member  = {hcl(member)}\n"
            "}"
        ),
        console_url=console("iam-admin/iam", project),
    )

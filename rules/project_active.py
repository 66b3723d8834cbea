"""The project exists, and is not about to be deleted."""

from preflight import (
    Denied,
    Malformed,
    Maybe,
    NotFound,
    Project,
    Remedy,
    Severity,
    Target,
    Unknown,
    Verdict,
    console,
    failed,
    passed,
    rule,
    shell,
    unknown,
)


@rule(
    title="The project exists and is active",
    why="The vendor connects to one project by its ID. A project that is being deleted refuses every call.",
    severity=Severity.REQUIRED,
    requirements=("H1",),
    since="0.1",
    after=(),
    order=10,
)
def project_is_active(project: Maybe[Project], target: Target) -> Verdict:
    """Reads the project's state. Google answers alike for a project that doesn't exist and one that the caller
    may not see, so neither is ever called missing."""
    if isinstance(project, Unknown):
        reason = project.reason
        if not isinstance(reason, Denied | NotFound) or getattr(reason, "quota_project", False):
            return unknown(reason.describe(), reason, *project.seen())
        key = "projectNumber" if target.project.isdigit() else "projectId"
        return unknown(
            f"{target.project} does not exist, or the caller may not see it: Google does not tell which",
            reason,
            *project.seen(),
            remedy=Remedy(
                summary="Or the ID is wrong: check it against the projects that the caller sees. A project's name is "
                "not its ID.",
                commands=(shell("gcloud", "projects", "list", f"--filter={key}={target.project}"),),
            ),
        )
    if project.state == "ACTIVE":
        number = f" (number {project.number})" if project.number else ""
        return passed(f"{project.id} is active{number}", project.seen("state"))
    if project.state == "DELETE_REQUESTED":
        return failed(
            f"{project.id} is being deleted: it was shut down, and goes for good 30 days after that",
            project.seen("state"),
            remedy=Remedy(
                summary="Restore the project, or connect another one.",
                commands=(shell("gcloud", "projects", "undelete", project.id),),
                console_url="https://console.cloud.google.com/cloud-resource-manager?pendingDeletion=true",
            ),
        )
    if project.state == "STATE_UNSPECIFIED":
        reason = Malformed(project.provenance.source, "it does not tell the project's state")
        return unknown(reason.describe(), reason, project.seen("state"))
    return failed(
        f"{project.id} is in state {project.state}, not ACTIVE",
        project.seen("state"),
        remedy=Remedy(
            summary="See what happened to the project, or connect another one.",
            commands=(shell("gcloud", "projects", "describe", project.id),),
            console_url=console("home/dashboard", project.id),
        ),
    )

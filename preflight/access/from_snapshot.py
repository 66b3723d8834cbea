"""From what was seen to answers about anybody: the way in for `preflight audit` and `preflight access`."""

from datetime import UTC, datetime

from preflight.access.audit import Audit, audit
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.policy import AllowPolicies
from preflight.facts.project import Project
from preflight.facts.seen import Unknown
from preflight.facts.snapshot import Snapshot, Target


def project_access(snapshot: Snapshot, target: Target, moment: datetime | None = None) -> ProjectAccess:
    """Access to the target's project, for a moment or else for when the snapshot was complete."""
    allow = snapshot.allow_policies
    if isinstance(allow, Unknown):
        allow = AllowPolicies(policies={f"projects/{target.project}": allow})
    return ProjectAccess(
        AccessFacts(
            project=target.project,
            number=snapshot.project.number if isinstance(snapshot.project, Project) else None,
            allow=allow,
            roles=snapshot.roles,
            deny=snapshot.deny_policies,
            groups=snapshot.groups,
            tags=snapshot.tags,
            moment=moment or snapshot.finished_at or datetime.now(UTC),
            unread_deny_blocks=target.unread_deny_blocks,
        )
    )


def audit_of(snapshot: Snapshot, target: Target) -> Audit:
    """The permissions audit of the target's project."""
    return audit(project_access(snapshot, target), snapshot.datasets, snapshot.organization)

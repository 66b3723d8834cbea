"""Who runs the tool, and what they may do. Never to be taken for the vendor's account."""

from preflight.facts.project import Observed


class CallerIdentity(Observed, frozen=True, kw_only=True, tag="caller_identity"):
    """Whose credentials run the tool: from the service account's credentials, or OAuth2 `tokeninfo`."""

    email: str

    @property
    def member(self) -> str:
        """In the form of IAM policies: `user:…` or `serviceAccount:…`."""
        kind = "serviceAccount" if self.email.casefold().endswith(".gserviceaccount.com") else "user"
        return f"{kind}:{self.email}"


class CallerPermissions(Observed, frozen=True, kw_only=True, tag="caller_permissions"):
    """Resource Manager v3 `projects.testIamPermissions`: it answers for the caller, and only for the caller."""

    resource: str
    asked: frozenset[str]
    granted: frozenset[str]

    def holds(self, permission: str) -> bool | None:
        """Whether the caller holds it; None if it was not asked about."""
        return permission in self.granted if permission in self.asked else None

"""What Terraform's resources mean for a project: facts, each known or Unknown with its reason, from HCL and plans."""

from preflight.sources.terraform.semantics.policy_documents import policy_document
from preflight.sources.terraform.semantics.snapshot import projects_in, snapshot_of

__all__ = ["policy_document", "projects_in", "snapshot_of"]

"""A Terraform plan as a source."""

from pathlib import Path

from preflight.facts.snapshot import Target
from preflight.profile import Profile
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.source import TerraformSource


def plan_source(path: Path, profile: Profile, target: Target) -> TerraformSource:
    """One project's facts from a plan in JSON. Collecting raises UsageError for a file that is none."""
    nothing = "It names no project at all."
    return TerraformSource("plan", path, profile, target, lambda: read_plan(path), nothing)

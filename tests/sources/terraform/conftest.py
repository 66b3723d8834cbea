"""Plans as Terraform prints them, made of what a test states."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.profile import load_profile
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.semantics import snapshot_of

ACME = "acme-analytics"


def change(
    address: str,
    after: dict[str, Any] | None = None,
    *actions: str,
    before: dict[str, Any] | None = None,
    unknown: Any = None,
    secret: Any = None,
    before_secret: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """One element of `resource_changes`; the type is in the address."""
    names = [part for part in address.split(".") if part.startswith("google_")]
    return {
        "address": address,
        "mode": "data" if "data." in address else "managed",
        "type": names[0] if names else "null_resource",
        "change": {
            "actions": list(actions or ("create",)),
            "before": before,
            "after": after,
            "after_unknown": unknown if unknown is not None else {},
            "before_sensitive": before_secret if before_secret is not None else {},
            "after_sensitive": secret if secret is not None else {},
        },
        **more,
    }


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole plan of these changes."""
    return {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": list(changes)} | more


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes a plan's file."""

    def write(content: dict[str, Any] | str | bytes, name: str = "plan.json") -> Path:
        path = tmp_path / name
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def facts(written: Callable[..., Path]) -> Callable[..., Snapshot]:
    """All facts about a project from a plan of these changes."""

    def read(*changes: dict[str, Any], project: str = ACME, **more: Any) -> Snapshot:
        declared = read_plan(written(plan(*changes, **more)))
        apis = tuple(load_profile("heap").apis)
        return snapshot_of(declared, project, apis, frozenset(FIELD_OF), "plan")[0]

    return read

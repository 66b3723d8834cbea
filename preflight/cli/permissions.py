"""`preflight permissions`: what the tool may call, and what the caller needs for it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from preflight.cli.layout import paragraph, table
from preflight.cli.options import choice_of_rules
from preflight.engine import load_rules, needed_facts
from preflight.facts.catalogue import role_catalogue
from preflight.facts.credential_methods import CREDENTIAL_CALLS
from preflight.facts.methods import ALLOWED, QUOTA_PROJECT_PERMISSION, QUOTA_PROJECT_ROLE, ApiMethod, methods_for
from preflight.rulebook import select

LEVELS = {
    "project": "On the project",
    "folder": "On each folder above it",
    "organization": "On the organization",
}


@click.command(name="permissions", help=__doc__)
@choice_of_rules
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(only: tuple[str, ...], skip: tuple[str, ...], rules_dir: Path | None, profile_name: str, form: str) -> None:
    """Show what the tool may call, and what the caller needs for it, for a choice of rules."""
    del profile_name  # the facts that rules ask for don't differ by vendor; taken so that a run's options fit here
    rules = select(load_rules(rules_dir), only, skip)
    methods = methods_for(needed_facts(rules))
    facts = permissions_of(methods)
    click.echo(json.dumps(facts, indent=2) if form == "json" else _text(facts, methods))


def permissions_of(methods: Iterable[ApiMethod]) -> dict[str, Any]:
    """The permissions by level, the roles that hold them, the APIs and the methods: ready for JSON."""
    called = tuple(methods)
    catalogue = role_catalogue()
    levels = {}
    for level in LEVELS:
        needed = sorted({m.permission for m in called if level in m.levels})
        narrow = sorted({m.role for m in called if level in m.levels})
        holding = sorted((r for r in catalogue.holding(needed) if not _internal(r)), key=_plainest) if needed else []
        levels[level] = {"permissions": needed, "narrow_roles": narrow, "single_roles": holding}
    return {
        "levels": levels,
        "quota_project": {
            "permissions": [QUOTA_PROJECT_PERMISSION],
            "narrow_roles": [QUOTA_PROJECT_ROLE],
            "apis": sorted({m.api for m in called if m.api != "oauth2.googleapis.com"}),
        },
        "beyond_permissions": {m.id: m.beyond for m in called if m.beyond},
        "methods": [m.id for m in called],
        "allowed_methods": [m.id for m in ALLOWED],
        "credential_calls": [m.id for m in CREDENTIAL_CALLS],
        "roles_as_of": catalogue.date,
    }


def _internal(role: str) -> bool:
    """Roles that Google gives to its own service agents are not for people."""
    return role.casefold().endswith("serviceagent")


KNOWN_ROLES = ("roles/browser", "roles/viewer", "roles/iam.securityReviewer", "roles/iam.securityAuditor")
"""Roles that auditors usually have: where one of them holds what is needed, it is named first."""


def _plainest(role: str) -> tuple[int, str]:
    return KNOWN_ROLES.index(role) if role in KNOWN_ROLES else len(KNOWN_ROLES), role


def _worth_naming(needs: dict[str, Any]) -> list[str]:
    """Of the roles that hold all: the narrow one where there is just one, and the usual ones. The JSON has all."""
    narrow = needs["narrow_roles"] if len(needs["narrow_roles"]) == 1 else []
    return list(dict.fromkeys([*narrow, *(role for role in needs["single_roles"] if role in KNOWN_ROLES)]))


def _text(facts: dict[str, Any], methods: tuple[ApiMethod, ...]) -> str:
    parts = []
    for level, headline in LEVELS.items():
        needs = facts["levels"][level]
        if not needs["permissions"]:
            continue
        rows = [(m.permission, m.role, m.why) for m in methods if level in m.levels]
        parts.append(
            f"{headline}\n\n"
            + table(list(dict.fromkeys(rows)), ("permission", "narrow role", "tells"))
            + "\n\n"
            + paragraph(
                f"One role that holds all of these: {', '.join(_worth_naming(needs)) or 'none'}"
                f" (as of {facts['roles_as_of']})"
            )
        )
    quota = facts["quota_project"]
    parts.append(
        "On the quota project, with a user's credentials\n\n"
        + paragraph(f"{QUOTA_PROJECT_PERMISSION} ({QUOTA_PROJECT_ROLE}), and these APIs enabled there:")
        + "\n  "
        + "\n  ".join(quota["apis"])
    )
    if facts["beyond_permissions"]:
        parts.append(
            "What no permission of Google Cloud gives\n\n"
            + table(list(facts["beyond_permissions"].items()), ("method", "the caller needs"))
        )
    rows = [(m.id, f"{m.verb} {m.path}", "yes" if m in methods else "") for m in ALLOWED]
    parts.append(
        paragraph("The only methods that the tool ever calls. All of them only read; its transport refuses any other.")
        + "\n\n"
        + table(rows, ("method", "request", "for these rules"))
    )
    rows = [(m.id, f"{m.verb} {m.api}{m.path}".strip(), m.why) for m in CREDENTIAL_CALLS]
    parts.append(
        paragraph("What credentials may call to get a token, on connections of their own")
        + "\n\n"
        + table(rows, ("call", "request", "gets"))
    )
    return "\n\n\n".join(parts)

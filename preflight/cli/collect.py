"""`preflight collect`: read what the rules need to know of a project, and write it to a bundle without a verdict."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight.cli.options import LEVELS, choice_of_reading, choice_of_rules
from preflight.cli.request import Request, selection
from preflight.cli.source import choice_of_source

if TYPE_CHECKING:
    from preflight.redaction.snapshot import Level


@click.command(name="collect")
@click.option("--project", metavar="ID", required=True, help="The project's ID (a number is resolved).")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE.zip", required=True, help="The bundle to write."
)
@click.option(
    "--redact",
    type=click.Choice(LEVELS),
    default="default",
    show_default=True,
    help="Which names are replaced by pseudonyms.",
)
@click.option("--location", metavar="LOC", help="Where the vendor is to keep its data: EU, US, or a region.")
@click.option("--dataset", metavar="NAME", help="The destination dataset's name.")
@click.option("--principal", metavar="MEMBER", help="About this user or service account, not the profile's.")
@choice_of_rules
@choice_of_reading
@choice_of_source
@click.option("-v", "--verbose", is_flag=True, help="Show each call on stderr: its outcome, time and tries.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    project: str,
    output: Path,
    redact: "Level",
    location: str | None,
    dataset: str | None,
    principal: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    rules_dir: Path | None,
    profile_name: str,
    unread_deny: str,
    group_members: Path | None,
    timeout: float,
    quota_project: str | None,
    impersonate: str | None,
    transport: str | None,
    verbose: bool,
) -> int:
    """Read what the rules need to know of a project, and write it to a bundle, without judging it here.

    For somebody else to judge: preflight run --snapshot FILE.zip
    """
    from preflight.cli.bundling import material_of, named_bundle, write_bundle
    from preflight.cli.judging import collect, judged

    request = Request(
        project=project,
        profile=profile_name,
        principal=principal,
        location=location,
        dataset=dataset,
        only=only,
        skip=skip,
        rules_dir=rules_dir,
        quota_project=quota_project,
        impersonate=impersonate,
        transport=transport,
        timeout=timeout,
        verbose=verbose,
        unread_deny=unread_deny,
        group_members=group_members,
    )
    chosen = selection(request)
    with named_bundle(output, "--output") as file:
        found = collect(request, chosen, os.environ)
        # It is judged all the same: with pseudonyms it must come to the same.
        material = material_of(request, chosen, found, judged(request, chosen, found))
        write_bundle(file, material, redact, os.environ, with_report=False)
    return 0

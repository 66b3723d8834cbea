"""`preflight audit`: who can do what in a project's BigQuery, and what stands out."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import click
from msgspec import Struct

from preflight.access.audit import Audit, Row, State
from preflight.access.audit_flags import FlagKind
from preflight.access.from_snapshot import audit_of
from preflight.cli import screen
from preflight.cli.declared import choice_of_declared, sources_of
from preflight.cli.options import InOrder, choice_of_reading, in_order
from preflight.cli.source import LiveOptions, Sources, choice_of_assets, choice_of_source
from preflight.errors import ExitCode, UsageError
from preflight.facts.caller import CallerPermissions
from preflight.facts.capabilities import CAPABILITIES, Capability
from preflight.facts.dataset import Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import AllowPolicies, Roles
from preflight.facts.project import Ancestry, Fact, Project
from preflight.named_files import NamedFiles
from preflight.profile import load_profile
from preflight.target import parse_target

# Not groups: the live APIs tell of single principals whether they are in one, not who is in it.
WANTED: frozenset[type[Fact]] = frozenset(
    {Project, Ancestry, AllowPolicies, Roles, DenyPolicies, Tags, Organization, Datasets, CallerPermissions}
)
FORMATS = ("terminal", "json", "markdown", "csv")
ANY = "any"

_EPILOG = """\b
Exit codes:
  0  done
  1  a flag that --fail-on names was raised
  2  wrong usage, configuration or credentials
  3  something that matters was not seen
     (0 with --allow-unknown)
"""


class Chosen(Struct, frozen=True):
    """What `--path` asks for."""

    rows: tuple[Row, ...]
    capabilities: tuple[Capability, ...]


@click.command(name="audit", cls=InOrder, epilog=_EPILOG)
@click.option("--project", metavar="ID", help="The project's ID (a number is resolved).")
@choice_of_assets
@choice_of_declared
@choice_of_reading
@choice_of_source
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="terminal",
    show_default=True,
    help="How the audit is shown.",
)
@click.option(
    "--path",
    "asked",
    metavar="MEMBER[:CAPABILITY]",
    help="Show the proof of a row, or of one cell: run-jobs, create-datasets, read-data, write-data, change-access.",
)
@click.option("--only-flagged", is_flag=True, help="Show only rows that have a flag.")
@click.option(
    "--fail-on",
    type=click.Choice([ANY, *(kind.value for kind in FlagKind)]),
    multiple=True,
    metavar="FLAG",
    help=f"Exit 1 if somebody has this flag (repeatable): {ANY}, {', '.join(FlagKind)}.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file, not to stdout.")
@click.option("--allow-unknown", is_flag=True, help="Exit 0 even if something that matters could not be seen.")
@click.option("-v", "--verbose", is_flag=True, help="Show each call on stderr: its outcome, time and tries.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    project: str | None,
    assets: tuple[Path, ...],
    plan: Path | None,
    over: bool,
    terraform: Path | None,
    variables: tuple[str, ...],
    var_files: tuple[Path, ...],
    group_members: Path | None,
    unread_deny: str,
    timeout: float,
    quota_project: str | None,
    impersonate: str | None,
    transport: str | None,
    form: str,
    asked: str | None,
    only_flagged: bool,
    fail_on: tuple[str, ...],
    output: Path | None,
    allow_unknown: bool,
    verbose: bool,
) -> int:
    """Show who can do what in a project's BigQuery, with what stands out and what could not be seen.

    A row is a member that a policy of the project, of what it lies in, or of a dataset names. A cell is granted,
    unknown (?), or blank, which means that it is known not to be granted.

    Reads with your Google credentials, or a Cloud Asset export with --assets; with --plan or --terraform it tells
    who could do what once that is applied.
    """
    if asked is not None and form == "csv":
        raise UsageError("--path shows proofs, which CSV can't hold.", "Choose another --format.")
    live = LiveOptions(
        timeout=timeout,
        quota_project=quota_project,
        impersonate=impersonate,
        transport=transport,
        verbose=verbose,
        whole=True,
    )
    chosen = sources_of(
        live,
        assets,
        plan,
        terraform,
        in_order(variables=variables, var_files=var_files),
        over=over,
        group_members=group_members,
        unread_deny=unread_deny,
    )
    with NamedFiles([] if output is None else [(form, output)], "--output") as files:
        made = collect_audit(project, chosen, os.environ)
        text = rendered(made, form, asked=asked, only_flagged=only_flagged, to_file=output is not None)
        files.write(form, text)
        for path in files.finish():
            click.echo(f"Audit: {path}", err=True)
    if output is None:
        click.echo(text, color=screen.colour(), nl=False)
    return exit_code(made, fail_on, allow_unknown=allow_unknown)


def collect_audit(project: str | None, sources: Sources, environ: Mapping[str, str]) -> Audit:
    """Reads all that the audit looks at, and works it out. Without a project it is the only one of the export."""
    profile = load_profile("heap")  # a source asks for one; nothing of the vendor's is looked at here
    chosen = project or sources.project()
    if chosen is None:
        raise UsageError("Which project?", "Name it with --project ID, or an export with --assets FILE.")
    snapshot, target = sources.collect(profile, parse_target(profile, chosen), WANTED, environ)
    return audit_of(snapshot, target)


def exit_code(made: Audit, fail_on: tuple[str, ...], *, allow_unknown: bool) -> ExitCode:
    """The documented exit code."""
    raised = {flag.kind.value for row in made.rows for flag in row.flags}
    if raised and (ANY in fail_on or raised & set(fail_on)):
        return ExitCode.NOT_READY
    return ExitCode.CANNOT_TELL if made.blind and not allow_unknown else ExitCode.READY


def rendered(
    made: Audit, form: str, *, asked: str | None = None, only_flagged: bool = False, to_file: bool = False
) -> str:
    """The audit, or the proofs that are asked for, in a format. Raises UsageError for a member that isn't there."""
    chosen = None if asked is None else chosen_path(made, asked)
    if form == "json":
        from preflight.renderers import audit_wire

        if chosen is None:
            return audit_wire.render(made, only_flagged=only_flagged)
        return audit_wire.render(made, rows=chosen.rows, proofs=[c.id for c in chosen.capabilities])
    if chosen is not None:
        return _proofs(made, chosen, form, to_file=to_file)
    if form == "markdown":
        from preflight.renderers import audit_markdown

        return audit_markdown.render(made, only_flagged=only_flagged)
    if form == "csv":
        from preflight.renderers import audit_csv

        return audit_csv.render(made, only_flagged=only_flagged)
    from preflight.renderers import audit_table

    colour = screen.colour() and not to_file
    return audit_table.render(made, only_flagged=only_flagged, colour=colour, width=screen.width())


def _proofs(made: Audit, chosen: Chosen, form: str, *, to_file: bool) -> str:
    from preflight.renderers import audit_path

    if form == "markdown":
        return audit_path.markdown(made, chosen.rows, chosen.capabilities)
    return audit_path.render(
        made,
        chosen.rows,
        chosen.capabilities,
        colour=screen.colour() and not to_file,
        width=screen.width(),
        box=to_file or screen.draws_boxes(),
    )


def chosen_path(made: Audit, asked: str) -> Chosen:
    """The rows and capabilities that `--path` names: a capability alone if one is given, else those in question."""
    member, colon, last = asked.rpartition(":")
    capability = next((one for one in CAPABILITIES if colon and one.id == last), None)
    name = (member if capability else asked).strip().casefold()
    rows = [row for row in made.rows if name in {row.member.casefold(), row.principal.casefold()}]
    rows = rows or [row for row in made.rows if _email(row) == name]
    if not rows:
        known = {row.member: row.member for row in made.rows} | {_email(row): row.member for row in made.rows}
        close = list(dict.fromkeys(known[one] for one in get_close_matches(name, [k for k in known if k], n=3)))
        hint = f"Did you mean {' or '.join(close)}?" if close else "See: preflight audit without --path."
        raise UsageError(f"No policy names {member if capability else asked}.", hint)
    if capability:
        return Chosen(tuple(rows), (capability,))
    told = [one for one in CAPABILITIES if any(made.cell(row, one).state is not State.NOT_GRANTED for row in rows)]
    return Chosen(tuple(rows), tuple(told))


def _email(row: Row) -> str:
    """The e-mail or name alone, of deleted accounts too."""
    return row.principal.rpartition(":")[2].partition("?")[0].casefold()

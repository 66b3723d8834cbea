"""`preflight access`: one question about access, with the proof drawn as a tree."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import click
from msgspec import Struct
from msgspec.structs import replace

from preflight.access.decision import Answer, Decision
from preflight.access.from_snapshot import project_access
from preflight.cli import screen
from preflight.cli.declared import choice_of_declared, sources_of
from preflight.cli.options import InOrder, choice_of_reading, in_order
from preflight.cli.screen import warn
from preflight.cli.source import LiveOptions, Sources, choice_of_assets, choice_of_source
from preflight.errors import ExitCode, UsageError, close_to, nearest
from preflight.facts.caller import CallerPermissions
from preflight.facts.capabilities import AUDITED_PERMISSIONS
from preflight.facts.catalogue import role_catalogue
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.deny import DenyPolicies
from preflight.facts.groups import Groups
from preflight.facts.organization import Tags
from preflight.facts.policy import AllowPolicies, Role, Roles
from preflight.facts.project import Ancestry, Fact, Project
from preflight.facts.seen import Provenance, Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import load_profile, parse_principal
from preflight.target import parse_target

WANTED: frozenset[type[Fact]] = frozenset({Project, Ancestry, AllowPolicies, Roles, DenyPolicies, Groups, Tags})
IN_DATASETS: frozenset[type[Fact]] = frozenset({Datasets, CallerPermissions})
EXIT_CODES = {
    Answer.GRANTED: ExitCode.READY,
    Answer.NOT_GRANTED: ExitCode.NOT_READY,
    Answer.UNKNOWN: ExitCode.CANNOT_TELL,
}
_PERMISSION = re.compile(r"[a-z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9_-]*){2,}")
_RESOURCE = re.compile(r"projects/([^/]+)(?:/datasets/([^/]+))?")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_GROUP = re.compile(r"group:[^@\s:]+@[^@\s:]+")

_EPILOG = """\b
Examples:
  preflight access heap-sql@heap-204122.iam.gserviceaccount.com bigquery.jobs.create --project acme-analytics
  preflight access user:ana@acme.example bigquery.tables.getData --project acme-analytics --resource finance
  preflight access ana@acme.example bigquery.tables.getData --resource projects/acme-analytics/datasets/finance

\b
Exit codes:
  0  granted
  1  not granted
  2  wrong usage, configuration or credentials
  3  unknown: it can't be told from what was seen
"""


class Question(Struct, frozen=True, kw_only=True):
    """One question, as the arguments say."""

    principal: str
    permission: str
    project: str
    dataset: str | None = None
    moment: datetime | None = None


@click.command(name="access", cls=InOrder, epilog=_EPILOG)
@click.argument("principal")
@click.argument("permission")
@click.option("--project", metavar="ID", help="The project's ID (a number is resolved).")
@click.option("--resource", metavar="R", help="projects/ID, projects/ID/datasets/NAME, or a dataset's name.")
@click.option("--at", metavar="TIME", help="For this moment, such as 2027-01-31T12:00:00Z.  [default: now]")
@choice_of_assets
@choice_of_declared
@choice_of_reading
@choice_of_source
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "markdown", "html"]),
    default="terminal",
    show_default=True,
    help="How the answer is shown.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show each call on stderr: its outcome, time and tries.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def command(
    principal: str,
    permission: str,
    project: str | None,
    resource: str | None,
    at: str | None,
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
    verbose: bool,
) -> int:
    """Answer whether PRINCIPAL holds PERMISSION on a project or one of its datasets: granted, not granted or unknown.

    PRINCIPAL is user:E-MAIL, serviceAccount:E-MAIL, group:E-MAIL or an e-mail alone. The proof names each binding,
    the member in it that matched, the role, and the condition with its value; for unknown, what is missing and how
    to get it.
    """
    live = LiveOptions(
        timeout=timeout,
        quota_project=quota_project,
        impersonate=impersonate,
        transport=transport,
        verbose=verbose,
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
    question = parse_question(principal, permission, project, resource, at, otherwise=chosen.project)
    decision = answer(question, chosen, os.environ)
    click.echo(rendered(decision, form), color=screen.colour(), nl=False)
    return EXIT_CODES[decision.answer]


def answer(question: Question, sources: Sources, environ: Mapping[str, str]) -> Decision:
    """Reads what bears on the question, and decides it."""
    profile = load_profile("heap")
    # Groups are looked at if a role of theirs holds what is asked; a profile says what that is.
    profile = replace(profile, grant=replace(profile.grant, broad_permissions=(question.permission,)))
    target = replace(parse_target(profile, question.project), principal=question.principal, dataset=question.dataset)
    wanted = WANTED | IN_DATASETS if question.dataset else WANTED
    snapshot, found = sources.collect(profile, target, wanted, environ)
    decision = decided(question, snapshot, found)
    if decision.answer is not Answer.GRANTED:
        warn(_doubts(question.permission, snapshot.roles))
    return decision


def _doubts(permission: str, roles: Roles | Unknown) -> Iterator[str]:
    """Nobody holds a permission that doesn't exist: where none of the known ones has this name, that is said."""
    read = () if isinstance(roles, Unknown) else roles.roles.values()
    held = (role.permissions for role in read if isinstance(role, Role))
    known = tuple(dict.fromkeys([*AUDITED_PERMISSIONS, *role_catalogue().permissions, *chain.from_iterable(held)]))
    if permission not in known:
        meant = close_to(permission, known)
        hint = f"Did you mean '{meant}'?" if meant else "See that it is spelt right."
        yield f"No role that was read holds {permission}, so it may not exist. {hint}"


def decided(question: Question, snapshot: Snapshot, target: Target) -> Decision:
    """The answer by what was seen. Raises UsageError for a dataset that surely isn't there."""
    access = project_access(snapshot, target, question.moment)
    dataset = None if question.dataset is None else _dataset(question.dataset, snapshot.datasets, access.own)
    return access.decide(question.principal, question.permission, dataset)


def _dataset(name: str, datasets: Datasets | Unknown, project: str) -> Dataset:
    found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
    if isinstance(found, Dataset):
        return found
    if found is None:
        known = [] if isinstance(datasets, Unknown) else list(datasets.datasets)
        raise UsageError(
            f"There is no dataset '{name}' in {project}.", nearest(name, known) if known else "It has no datasets."
        )
    # Whether it exists or not: its own list isn't known, and that is what matters here.
    return Dataset(provenance=found.provenance or Provenance("", name), id=name, location="", access=found)


def rendered(decision: Decision, form: str) -> str:
    """The answer in a format."""
    if form == "json":
        from preflight.renderers import access_wire

        return access_wire.render(decision)
    if form == "html":
        from preflight.renderers.html import access as access_page

        return access_page.render(decision)
    from preflight.renderers import access_tree

    if form == "markdown":
        return access_tree.markdown([decision])
    return access_tree.render([decision], colour=screen.colour(), width=screen.width(), box=screen.draws_boxes())


def parse_question(
    principal: str,
    permission: str,
    project: str | None,
    resource: str | None,
    at: str | None,
    *,
    otherwise: Callable[[], str | None] = lambda: None,
) -> Question:
    """The question that the arguments ask; of the project that `otherwise` tells, if they name none. Raises UsageError
    for one that can't be asked."""
    in_project, dataset = _parse_resource(resource)
    if project and in_project and project != in_project:
        raise UsageError(f"--project is {project}, but --resource is in {in_project}.", "Give one of them.")
    who, what, moment = _parse_principal(principal), _parse_permission(permission), _parse_moment(at)
    chosen = project or in_project or otherwise()
    if not chosen:
        raise UsageError("Which project?", "Name it with --project ID, or with --resource projects/ID/datasets/NAME.")
    return Question(principal=who, permission=what, project=chosen, dataset=dataset, moment=moment)


def _parse_principal(text: str) -> str:
    if _GROUP.fullmatch(text.strip()):
        return text.strip()
    try:
        return parse_principal(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is not a principal.",
            "Give user:NAME@DOMAIN, serviceAccount:NAME@PROJECT.iam.gserviceaccount.com, group:NAME@DOMAIN "
            "or an e-mail.",
        ) from None


def _parse_permission(text: str) -> str:
    if _PERMISSION.fullmatch(text):
        return text
    known = tuple(dict.fromkeys([*AUDITED_PERMISSIONS, *role_catalogue().permissions]))
    raise UsageError(f"'{text}' is not a permission: one looks like bigquery.jobs.create.", nearest(text, known))


def _parse_resource(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    if whole := _RESOURCE.fullmatch(text):
        if whole[2] is None or _DATASET.fullmatch(whole[2]):
            return whole[1], whole[2]
    elif _DATASET.fullmatch(text):
        return None, text
    raise UsageError(
        f"'{text}' is not a resource that can be asked about.",
        "Give projects/ID, projects/ID/datasets/NAME, or a dataset's name.",
    )


def _parse_moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at: '{text}' is not a time.", "Write it as 2027-01-31 or 2027-01-31T12:00:00Z.") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)

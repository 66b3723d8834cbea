"""Where facts come from: the options that say so, and the collecting. `run`, `audit` and `access` share them."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct
from msgspec.structs import replace

from preflight.cli.progress import Progress, show_calls
from preflight.cli.screen import warn
from preflight.errors import CredentialsError, UsageError
from preflight.facts.methods import TOKEN_INFO
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile
from preflight.renderers import words
from preflight.sources.group_members import read_group_members, with_members

if TYPE_CHECKING:
    from preflight.sources.assets import AssetsSource
    from preflight.sources.live import TracedCall
    from preflight.sources.terraform.source import TerraformSource

LIVE_ONLY = {
    "timeout": "--timeout",
    "quota_project": "--quota-project",
    "impersonate": "--impersonate-service-account",
    "transport": "--transport",
    "verbose": "--verbose",
    "cross_check": "--cross-check",
    "wait": "--wait",
}
"""Options that say how Google's APIs are asked, by the parameters' names."""
_TOLD_AS_IT_IS = frozenset({"--live", "--snapshot"})

Function = TypeVar("Function", bound=Callable[..., Any])


class LiveOptions(Struct, frozen=True, kw_only=True):
    """How Google's APIs are to be asked, as the options say."""

    timeout: float = 60.0
    quota_project: str | None = None
    impersonate: str | None = None
    transport: str | None = None
    verbose: bool = False
    whole: bool = False
    """Every role that a policy binds and every dataset's list, not only what matters for the one principal."""


class Sources(Struct, frozen=True, kw_only=True):
    """Where the facts about one project's access come from, as the options say."""

    live: LiveOptions = LiveOptions()
    assets: tuple[Path, ...] = ()
    """The Cloud Asset exports to read. Without any, and without what follows, Google's APIs are asked."""
    plan: Path | None = None
    """The Terraform plan in JSON to read."""
    over: bool = False
    """With a plan: its changes are laid over what Google's APIs tell."""
    terraform: Path | None = None
    """The root module whose files are to be read."""
    given: tuple[str | Path, ...] = ()
    """Values of its variables: `name=value`, and files of them."""
    group_members: Path | None = None
    unread_deny: str = "note"

    def project(self) -> str | None:
        """The project, where the export holds just one; None without an export. Raises UsageError where it holds
        more, or tells none."""
        if not self.assets:
            return None
        from preflight.sources.assets import only_project

        return only_project(self.assets)

    def collect(
        self, profile: Profile, target: Target, wanted: frozenset[type[Fact]], environ: Mapping[str, str] = os.environ
    ) -> tuple[Snapshot, Target]:
        """Reads the wanted facts, with what a file tells of groups; the target that comes back names the project by
        its ID.

        Raises UsageError for an option or a file that can't be used, CredentialsError where Google wants none of the
        credentials.
        """
        told = None if self.group_members is None else read_group_members(self.group_members)
        target = replace(target, unread_deny_blocks=self.unread_deny == "unknown")
        changes = Changes(self.plan) if self.over and self.plan is not None else None
        if self.assets:
            snapshot, target = collect_assets(self.assets, profile, target, wanted)
        elif self.plan is not None and changes is None:
            snapshot, target = collect_plan(self.plan, profile, target, wanted)
        elif self.terraform is not None:
            from preflight.sources.terraform.folder_source import folder_source

            snapshot, target = collected(folder_source(self.terraform, profile, target, self.given, environ), wanted)
        else:
            snapshot, target = collect_live(self.live, profile, target, wanted, environ)
        if changes is not None:
            snapshot = changes.applied_to(snapshot, target, wanted)
        if told is not None:
            snapshot = replace(snapshot, groups=with_members(snapshot.groups, told))
        return snapshot, target


def choice_of_assets(function: Function) -> Function:
    """`--assets`."""
    return click.option(
        "--assets",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Read a Cloud Asset export (JSON lines, plain or gzip; repeatable) and ask Google nothing.",
    )(function)


def choice_of_plan(function: Function) -> Function:
    """`--plan`, and with it `--live` and `--only-new`."""
    for option in (
        click.option(
            "--only-new", is_flag=True, help="With --live --plan: the exit code counts only what the plan makes worse."
        ),
        click.option("--live", is_flag=True, help="With --plan: lay its changes over what Google's APIs tell."),
        click.option(
            "--plan",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Read a Terraform plan (terraform show -json) and ask Google nothing: what it doesn't declare is "
            "unknown.",
        ),
    ):
        function = option(function)
    return function


def choice_of_source(function: Function) -> Function:
    """`--timeout`, `--quota-project`, `--impersonate-service-account`, `--transport`."""
    for option in (
        click.option(
            "--transport",
            type=click.Choice(["grpc", "rest"]),
            help="For proxies that pass no gRPC: rest.  [default: grpc]",
        ),
        click.option(
            "--impersonate-service-account",
            "impersonate",
            metavar="EMAIL",
            help="Ask as this service account. Several, separated by commas, are the way there: the last is asked as.",
        ),
        click.option(
            "--quota-project", metavar="ID", help="The project that pays for the calls (user credentials only)."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=1, max=3600),
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="For the whole run; what was not seen by then is unknown.",
        ),
    ):
        function = option(function)
    return function


def refuse_live_options(source: str) -> None:
    """Raises UsageError if an option about Google's APIs was given beside another source."""
    context = click.get_current_context()
    given = [
        option
        for name, option in LIVE_ONLY.items()
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(
            f"{given[0]} is about Google's APIs, and with {source} none is asked.", f"Leave out {' and '.join(given)}."
        )


def collected(source: "AssetsSource | TerraformSource", wanted: frozenset[type[Fact]]) -> tuple[Snapshot, Target]:
    """Reads the wanted facts of one project from files, and says on stderr what is odd about these."""
    snapshot = source.collect(wanted)
    warn(source.warnings)
    return snapshot, source.target


def collect_assets(
    paths: tuple[Path, ...], profile: Profile, target: Target, wanted: frozenset[type[Fact]]
) -> tuple[Snapshot, Target]:
    """Reads the wanted facts of one project from Cloud Asset exports; says on stderr what is odd about the files.

    Raises UsageError for a file that is no export, or doesn't hold the project.
    """
    from preflight.sources.assets import AssetsSource

    return collected(AssetsSource(paths, profile, target), wanted)


def collect_plan(
    path: Path, profile: Profile, target: Target, wanted: frozenset[type[Fact]]
) -> tuple[Snapshot, Target]:
    """Reads the wanted facts of one project from a Terraform plan, as they will be once it is applied.

    Raises UsageError for a file that is no plan in JSON; says on stderr where it declares nothing of the project.
    """
    from preflight.sources.terraform.plan_source import plan_source

    return collected(plan_source(path, profile, target), wanted)


class Changes:
    """A plan that is to be laid over facts. Raises UsageError for a file that is no plan in JSON."""

    stale: tuple[str, ...] = ()
    """After `applied_to`: what of the plan isn't so any more, in sentences."""

    def __init__(self, path: Path) -> None:
        from preflight.sources.terraform.plan import read_plan

        self._path = path
        self._declared = read_plan(path)

    def applied_to(self, now: Snapshot, target: Target, wanted: frozenset[type[Fact]]) -> Snapshot:
        """The facts once the changes are applied; says on stderr where the plan is out of date."""
        from preflight.sources.terraform.overlay import after
        from preflight.sources.terraform.stale import stale

        self.stale = stale(now, self._declared, target.project)
        if self.stale:
            warn([words.stale(self._path, self.stale)])
        return after(now, self._declared, target.project, wanted)


def collect_live(
    options: LiveOptions,
    profile: Profile,
    target: Target,
    wanted: frozenset[type[Fact]],
    environ: Mapping[str, str] = os.environ,
    meanwhile: Callable[[], None] | None = None,
    calls: "list[TracedCall] | None" = None,
) -> tuple[Snapshot, Target]:
    """Reads the wanted facts through Google's APIs; the target that comes back names the project by its ID. `calls`
    gets every call.

    Raises UsageError for an option that can't be used, CredentialsError where Google wants none of the credentials.
    """
    from preflight.sources.live import LiveSettings, LiveSource, Scope  # Google's clients load behind this
    from preflight.sources.live.settings import impersonation_chain

    settings = LiveSettings.from_environ(
        environ,
        quota_project=options.quota_project,
        timeout=options.timeout,
        transport=options.transport,
        impersonate=impersonation_chain(options.impersonate) if options.impersonate is not None else None,
    )
    scope = Scope(every_role=options.whole, every_dataset=options.whole)
    with Progress() as progress:
        source = LiveSource(settings, profile, target, on_wait=progress.tell, meanwhile=meanwhile, scope=scope)
        try:
            snapshot = source.collect(wanted)
        finally:
            if options.verbose:
                progress.clear()
                show_calls(source.started)
    if source.outage:
        click.echo("\n".join(source.outage), err=True)
    _refuse_dead_credentials(source.trace)
    if calls is not None:
        calls += source.started
    return snapshot, source.target


def _refuse_dead_credentials(trace: Iterable["TracedCall"]) -> None:
    """Where every call was refused for its credentials there is nothing to report on."""
    # tokeninfo is another host: that it can't be reached says nothing.
    if {call.outcome for call in trace if call.method != TOKEN_INFO.id} == {"unauthenticated"}:
        raise CredentialsError(
            "Google did not accept the credentials: the token is invalid, expired or revoked.",
            "Get new ones with: gcloud auth application-default login",
        )


def refuse_options_of_others(given: Mapping[str, bool], *, variables: bool) -> None:
    """Raises UsageError for an option that is about another source than the one that was given: about Google's APIs
    where none is asked, about Terraform's variables where no files of it are read."""
    for option in ("--snapshot", "--assets", "--plan", "--terraform"):
        if given.get(option) and not (option == "--plan" and given["--live"]):
            refuse_live_options(option)
    if variables and not given["--terraform"]:
        raise UsageError("--var and --var-file are about Terraform's files.", "Give --terraform DIR with them.")


def refuse_two_sources(given: Mapping[str, bool]) -> None:
    """Raises UsageError where more than one option for a source was given; a plan may be laid over what another tells
    of what is there."""
    sources = [name for name, is_given in given.items() if is_given]
    laid_over = "--plan" in sources and bool(_TOLD_AS_IT_IS & set(sources))
    if len(sources) > 1 + laid_over:
        raise UsageError(f"{sources[0]} and {sources[1]} are two sources.", "Leave one of them out.")

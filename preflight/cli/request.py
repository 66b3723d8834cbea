"""One run as the options say: what is to be judged, by what, and where the report goes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from preflight.engine import evaluate, load_rules, needed_facts
from preflight.facts.groups import Groups
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import DEFAULT_PROFILE, Profile, decode_profile, load_profile
from preflight.renderers import Format
from preflight.report import Left, Report
from preflight.rulebook import Rule, select, unasked
from preflight.sources.group_members import read_group_members, with_members
from preflight.target import parse_target

if TYPE_CHECKING:
    from preflight.bundle.reading import Stored
    from preflight.redaction.snapshot import Level


class Request(Struct, frozen=True, kw_only=True):
    """One run, as the options say."""

    project: str | None
    """None: every project of the exports."""
    assets: tuple[Path, ...] = ()
    """The Cloud Asset exports to read. Without any and without a plan Google's APIs are asked."""
    plan: Path | None = None
    """The Terraform plan in JSON to read."""
    live: bool = False
    """With a plan: its changes are laid over what Google's APIs tell."""
    only_new: bool = False
    """With both: the exit code counts just what the plan makes worse."""
    stored: "Stored | None" = None
    """The bundle or snapshot to judge again; with a plan: its changes are laid over that."""
    bundle: Path | None = None
    """The bundle to write."""
    redact: "Level | None" = None
    """Which names are replaced; None: as is usual for what is written."""
    own_profile: str | None = None
    """The text of a profile that came with a snapshot."""
    terraform: Path | None = None
    """The root module whose files are to be read."""
    given: tuple[str | Path, ...] = ()
    """Values of Terraform's variables: `name=value`, and files of them."""
    left_out: Mapping[str, Left] = {}
    """Rules that a configuration leaves out, each with its reason."""
    profile: str = DEFAULT_PROFILE
    principal: str | None = None
    location: str | None = None
    dataset: str | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rules_dir: Path | None = None
    quota_project: str | None = None
    impersonate: str | None = None
    transport: str | None = None
    timeout: float = 60.0
    allow_unknown: bool = False
    output_dir: Path | None = Path("reports")
    """None: no files."""
    format: Format = Format.TERMINAL
    reports: tuple[tuple[Format, Path], ...] = ()
    """What else is to be written, each to a file that was named."""
    wait: float | None = None
    """Seconds for which to look again while it isn't ready."""
    verbose: bool = False
    cross_check: bool = False
    unread_deny: str = "note"
    group_members: Path | None = None


CROSS_CHECK = "second-opinion"
"""The rule that `--cross-check` adds."""


class Selection(Struct, frozen=True):
    """What is to be judged by what, as the options say."""

    profile: Profile
    rules: tuple[Rule, ...]
    wanted: frozenset[type[Fact]]
    """The facts that the rules need."""
    told: Groups | None
    """Groups' members that a file tells."""
    unasked: tuple[str, ...]
    """The rules that could stand in the way of ready, and that the options leave out."""
    allow_unknown: bool

    def informed(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot, with what a file tells of groups."""
        if self.told is None or Groups not in self.wanted:
            return snapshot
        return replace(snapshot, groups=with_members(snapshot.groups, self.told))

    def judged(self, snapshot: Snapshot, target: Target) -> Report:
        """The report on a snapshot that is informed."""
        report = evaluate(self.rules, snapshot, target, self.profile, allow_unknown=self.allow_unknown)
        return replace(report, unasked=self.unasked)


def selection(request: Request) -> Selection:
    """Raises UsageError for an option that can't be used, RuleError and ProfileError for files that can't."""
    also = (CROSS_CHECK,) if request.cross_check else ()
    profile = (
        load_profile(request.profile)
        if request.own_profile is None
        else decode_profile(request.own_profile, "the bundle's profile")
    )
    every = load_rules(request.rules_dir)
    rules = select(every, request.only, request.skip, also)
    return Selection(
        profile,
        rules,
        needed_facts(rules),
        None if request.group_members is None else read_group_members(request.group_members),
        unasked(every, rules),
        request.allow_unknown,
    )


def target_of(request: Request, profile: Profile) -> Target:
    """What is to be connected. Raises UsageError for a malformed project or principal."""
    target = parse_target(profile, request.project, request.principal, request.location, request.dataset)
    return replace(target, unread_deny_blocks=request.unread_deny == "unknown")

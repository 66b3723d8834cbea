"""One run as the options say: what is to be judged, by what, and where the report goes."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from preflight.engine import load_rules, needed_facts
from preflight.facts.groups import Groups
from preflight.facts.project import Fact
from preflight.facts.snapshot import Snapshot, Target
from preflight.profile import Profile, load_profile
from preflight.renderers import Format
from preflight.rulebook import Rule, select
from preflight.sources.group_members import read_group_members, with_members
from preflight.target import parse_target


class Request(Struct, frozen=True, kw_only=True):
    """One run, as the options say."""

    project: str | None
    """None: every project of the exports."""
    assets: tuple[Path, ...] = ()
    """The Cloud Asset exports to read; none: Google's APIs are asked."""
    profile: str = "heap"
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
    told: Groups | None
    """Groups' members that a file tells."""

    @property
    def wanted(self) -> frozenset[type[Fact]]:
        """The facts that the rules need."""
        return needed_facts(self.rules)

    def informed(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot, with what a file tells of groups."""
        if self.told is None or Groups not in self.wanted:
            return snapshot
        return replace(snapshot, groups=with_members(snapshot.groups, self.told))


def selection(request: Request) -> Selection:
    """Raises UsageError for an option that can't be used, RuleError and ProfileError for files that can't."""
    also = (CROSS_CHECK,) if request.cross_check else ()
    return Selection(
        load_profile(request.profile),
        select(load_rules(request.rules_dir), request.only, request.skip, also),
        None if request.group_members is None else read_group_members(request.group_members),
    )


def target_of(request: Request, profile: Profile) -> Target:
    """What is to be connected. Raises UsageError for a malformed project or principal."""
    target = parse_target(profile, request.project, request.principal, request.location, request.dataset)
    return replace(target, unread_deny_blocks=request.unread_deny == "unknown")

"""All of it: what a repository declares, judged project by project."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from preflight.check.ignoring import Ignores
from preflight.check.judging import judged
from preflight.check.tasks import Settings, Task, appearing, shared
from preflight.configuration.files import find_configuration, read_configuration, repository_of
from preflight.engine import load_rules, needed_facts
from preflight.errors import UsageError
from preflight.profile import DEFAULT_PROFILE, Profile, load_profile, profile_files
from preflight.report import Left, Report
from preflight.rulebook import Rule, select, unasked
from preflight.sources.terraform.declarations import Declarations, Use, within
from preflight.sources.terraform.hcl.folder import problems_in
from preflight.sources.terraform.hcl.reading import Inputs
from preflight.sources.terraform.ignores import ignores_in
from preflight.sources.terraform.resources import Omission
from preflight.sources.terraform.roots import Survey, survey
from preflight.sources.terraform.semantics import snapshot_of

_MOST_TOLD = 10


class Options(Struct, frozen=True, kw_only=True):
    """One check, as the options say."""

    paths: tuple[Path, ...] = ()
    """None: where the run was started."""
    config: Path | None = None
    """None: it is looked for."""
    plans: tuple[Path, ...] = ()
    """Plans in JSON, in place of the files of Terraform."""
    given: tuple[str | Path, ...] = ()
    """`--var` and `--var-file`, in their order."""
    environment: Mapping[str, str] = {}
    profile: str | None = None
    """None: whatever the configuration says, or every profile there is."""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rules_dir: Path | None = None
    allow_unknown: bool = False


class Check:
    """One check of one repository. Raises UsageError, ConfigurationError, RuleError or ProfileError when it is made."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.warnings: list[str] = []
        """After `reports`: what a user has to know, in sentences."""
        self._mattering: tuple[str, ...] = ()
        """Files that may be about a connection, whether a root reaches them or not."""
        paths = tuple(path.absolute() for path in options.paths) or (Path.cwd(),)
        file = options.config or find_configuration(paths[0])
        base = _base(paths, None if file is None else file.parent)
        self.declarations = Declarations(base)
        """What was read."""
        repository = self.declarations.repository
        self.settings = None if file is None else Settings(read_configuration(file), repository)
        self._paths = tuple(os.path.realpath(path) for path in paths)
        rules = load_rules(options.rules_dir)
        self._ids = tuple(rule.id for rule in rules)
        named = tuple(self.settings.tasks(self._ids)) if self.settings else ()
        only = options.only or (self.settings.file.content.rules if self.settings else ())
        self._rules = select(rules, only, options.skip)
        self._unasked = unasked(rules, self._rules)
        self._named = tuple(task for task in named if options.profile in {None, task.profile.name})

    @property
    def place(self) -> str:
        """Where the repository as a whole is spoken of."""
        return self.settings.shown if self.settings else "."

    @property
    def nothing(self) -> str:
        """Why nothing was judged, where nothing was, in a sentence."""
        if self._named:
            return "Nothing to judge: these paths have to do with none of the projects in the configuration."
        return "Nothing to judge: no project is configured, and nothing is given to a vendor here."

    def reports(self) -> Generator[Report, None, None]:
        """The reports, project by project; none where nothing is to be judged."""
        started = datetime.now(UTC)
        profiles = () if self._named else self._profiles()
        if not self._read(profiles):
            return
        tasks = self._named
        if not tasks:
            tasks = tuple(self._appearing(profiles))
            self.warnings += shared(tasks, profiles)
        repository = self.declarations.repository
        ignores = Ignores(ignores_in(repository, self.declarations.folders), self._ids)
        selected = self._selected()
        chosen = [task for task in tasks if self._whole or selected.intersection(task.roots or selected)]
        for task in chosen:
            yield ignores.heeded(self._judged(task, self._rules, started), task.left_out)
        # A project that isn't judged now may need a comment as well.
        all_ = self._whole and self.options.profile is None
        self.warnings += ignores.problems(rule.id for rule in self._rules if all_)
        self.warnings += _told(self.declarations.omissions())
        self.warnings += _told(self._unreached(), "; no root that was read reaches this file")

    def _judged(self, task: Task, rules: tuple[Rule, ...], started: datetime) -> Report:
        project = task.target.project
        declared = self.declarations.about(project, task.roots, self.place)
        apis = tuple(dict.fromkeys(task.profile.apis))
        source = "plan" if self.options.plans else "terraform"
        snapshot, identity = snapshot_of(declared, project, apis, needed_facts(rules), source, started)
        if identity is not None:
            task = replace(task, target=replace(task.target, project=identity))
        report = judged(rules, snapshot, task, allow_unknown=self.options.allow_unknown)
        return replace(report, unasked=self._unasked)

    def _profiles(self) -> tuple[Profile, ...]:
        names = [self.options.profile] if self.options.profile else sorted(profile_files(), key=_by_default)
        return tuple(load_profile(name) for name in names)

    def _read(self, profiles: tuple[Profile, ...]) -> bool:
        """Reads what there is. False: none of the profiles' principals is anywhere, and nothing was read."""
        if self.options.plans:
            from preflight.sources.terraform.plan import read_plan  # only here: files are judged more often

            for path in self.options.plans:
                self.declarations.add(str(path), read_plan(path))
            return True
        uses = self.settings.uses(self.options.environment, self.options.given) if self.settings else ()
        if not uses or profiles:
            emails = {profile.principal.partition(":")[2] for profile in profiles}
            found = survey(self.declarations.repository, emails)
            self.warnings += found.problems
            self._mattering = found.mattering
            if profiles and not found.mentioned:
                return False
            uses = uses or self._found(found)
        for use in self._needed(uses):
            self.declarations.read(use)
        for task in self._named:
            for root in task.roots or ():
                if root not in self.declarations.roots:
                    self.declarations.read(Use(root, self._inputs()))
        return True

    def _needed(self, uses: tuple[Use, ...]) -> Iterator[Use]:
        """What some project may be declared in: all, unless each project names its roots. That is not for the paths to
        say: another root may take away what theirs grant."""
        named = [task.roots for task in self._named]
        wanted = {root for roots in named for root in roots or ()}
        return (use for use in uses if not (named and all(named)) or use.root in wanted)

    def _found(self, found: Survey) -> tuple[Use, ...]:
        return tuple(Use(root, self._inputs()) for root in found.roots)

    def _inputs(self) -> Inputs:
        return Inputs(given=self.options.given, environment=self.options.environment)

    def _appearing(self, profiles: tuple[Profile, ...]) -> Iterator[Task]:
        principals = [profile.principal for profile in profiles]
        left: dict[str, Left] = {}
        if self.settings is not None:
            skip = self.settings.file.content.skip
            left = {rule: Left(why, self.settings.place("skip", rule)) for rule, why in skip.items()}
        yield from appearing(self.declarations.mentions(principals, sorted(self._selected())), profiles, left)

    @property
    def _whole(self) -> bool:
        """Whether all of the repository is asked about."""
        whole = self.declarations.repository.root
        return bool(self.options.plans) or any(
            path == whole or whole.startswith(path.rstrip(os.sep) + os.sep) for path in self._paths
        )

    def _unreached(self) -> Iterator[Omission]:
        """What is wrong with files that no root reaches, among those that were asked about. Where a file doesn't parse
        it can't be told what it is part of."""
        reached = self.declarations.folders
        for path in self._mattering:
            folder = os.path.dirname(path)  # noqa: PTH120 - as the survey has its paths
            if folder not in reached and (self._whole or any(within(path, one) for one in self._paths)):
                yield from problems_in(self.declarations.repository, path)

    def _selected(self) -> frozenset[str]:
        """The roots that the paths have to do with."""
        declarations = self.declarations
        if self._whole:
            return frozenset(declarations.roots)
        return frozenset(
            root for root in declarations.roots if any(declarations.reaches(root, path) for path in self._paths)
        )


def _by_default(name: str) -> tuple[bool, str]:
    return name != DEFAULT_PROFILE, name


def _base(paths: tuple[Path, ...], configured: Path | None) -> Path:
    """The repository: the nearest `.git`, else the configuration's folder, else the paths' own."""
    found = {repository_of(path) for path in paths}
    if len(found) > 1:
        raise UsageError("These paths are in different repositories.", "Check one repository at a time.")
    repository = found.pop() or configured
    if repository is not None:
        return repository
    common = Path(os.path.commonpath(paths))
    return common if common.is_dir() else common.parent


def _told(omissions: Iterable[Omission], also: str = "") -> Iterator[str]:
    said = dict.fromkeys(f"{_omitted(one)}{also}" for one in omissions)
    for number, one in enumerate(said):
        if number == _MOST_TOLD:
            yield f"and {len(said) - _MOST_TOLD} more that could not be read"
            return
        yield one


def _omitted(one: Omission) -> str:
    where = "" if one.place.line == 0 and one.why.startswith(one.place.file) else f"{one.place.exact}: "
    settle = f" (to settle it: {one.settled_by})" if one.settled_by else ""
    return f"{where}{one.why.removeprefix(f'{one.place.file}: ')}{settle}"

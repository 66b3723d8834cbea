"""Which projects a repository makes ready for a vendor: those that its configuration names, else where the vendor's
principal is given something."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from preflight.configuration.files import ConfigurationFile
from preflight.configuration.model import Part, ProjectTable, RootTable
from preflight.errors import ConfigurationError, PreflightError, nearest
from preflight.facts.seen import Provenance
from preflight.facts.snapshot import UNKNOWN_PROJECT, Target
from preflight.profile import Profile, load_profile
from preflight.report import Left
from preflight.sources.terraform.declarations import Mention, Use
from preflight.sources.terraform.hcl.reading import Inputs
from preflight.sources.terraform.hcl.repository import Repository, UnreadableError
from preflight.sources.terraform.owned import SOURCE
from preflight.target import parse_target


class Task(Struct, frozen=True, kw_only=True):
    """One project to judge."""

    target: Target
    profile: Profile
    owned: Mapping[Part, Provenance] = {}
    roots: tuple[str, ...] | None = None
    """The roots that may declare it; None: all."""
    left_out: Mapping[str, Left] = {}
    """By the rule's id."""
    told: Mapping[str, str] = {}
    """Where the configuration says what else an option would: `file:line` by the option's name."""


class Settings(Struct, frozen=True):
    """A configuration in its repository."""

    file: ConfigurationFile
    repository: Repository

    @property
    def shown(self) -> str:
        """The file's path from the repository's root."""
        return self.repository.shown(self.file.path)

    def place(self, *keys: str | int) -> str:
        """Where a key stands."""
        return f"{self.shown}:{self.file.line(*keys)}"

    def error(self, keys: tuple[str | int, ...], what: str, hint: str) -> ConfigurationError:
        """What is wrong with a key, with its line."""
        return ConfigurationError(f"{self.place(*keys)}: {'.'.join(map(str, keys))}: {what}", hint)

    def folder(self, path: str, *keys: str | int) -> str:
        """The real path of a root's folder. Raises ConfigurationError if it isn't one of the repository's."""
        try:
            found = self.repository.inside(self.file.folder / path)
        except UnreadableError as error:
            raise self.error(keys, f"'{path}' can't be read: {error}.", "Name a folder of this repository.") from None
        if not Path(found).is_dir():
            raise self.error(keys, f"'{path}' is no folder.", "Name the folder of a root module.")
        return found

    def uses(self, environment: Mapping[str, str], given: tuple[str | Path, ...]) -> tuple[Use, ...]:
        """How the configured roots are applied. Raises ConfigurationError."""
        return tuple(self._use(number, root, environment, given) for number, root in enumerate(self.file.content.roots))

    def _use(self, number: int, root: RootTable, environment: Mapping[str, str], given: tuple[str | Path, ...]) -> Use:
        files = tuple(self.file.folder.absolute() / name for name in root.var_files)
        inputs = Inputs(given=(*files, *root.given, *given), environment=environment, workspace=root.workspace)
        return Use(self.folder(root.path, "roots", number, "path"), inputs)

    def tasks(self, rules: Iterable[str]) -> Iterator[Task]:
        """The projects that are named. `rules` are the ids that there are. Raises ConfigurationError."""
        known = tuple(rules)
        content = self.file.content
        for number, rule in enumerate(content.rules):
            self._known(rule, known, "rules", number)
        for rule in content.skip:
            self._known(rule, known, "skip", rule)
        for name, table in content.projects.items():
            yield self._task(name, table, known)

    def _known(self, rule: str, rules: tuple[str, ...], *keys: str | int) -> None:
        if rule not in rules:
            raise self.error(keys, f"there is no rule '{rule}'.", nearest(rule, rules))

    def _task(self, name: str, table: ProjectTable, rules: tuple[str, ...]) -> Task:
        keys = ("projects", name)
        try:
            # A profile's file is found from the configuration, wherever the run was started.
            path = str(self.file.folder / table.profile) if table.profile.endswith(".toml") else table.profile
            profile = load_profile(path)
        except PreflightError as error:
            raise self.error((*keys, "profile"), error.message, error.hint) from None
        for rule in table.skip:
            self._known(rule, rules, *keys, "skip", rule)
        left = {rule: Left(why, self.place("skip", rule)) for rule, why in self.file.content.skip.items()}
        left |= {rule: Left(why, self.place(*keys, "skip", rule)) for rule, why in table.skip.items()}
        return Task(
            target=parse_target(profile, name, table.principal, table.location, table.dataset),
            profile=profile,
            owned={part: Provenance(SOURCE, self.place(*keys, "owns")) for part in table.owns},
            roots=tuple(self.folder(root, *keys, "roots") for root in table.roots) or None,
            left_out=left,
            told={f"--{key}": self.place(*keys, key) for key in ("location", "dataset", "principal")},
        )


def appearing(mentions: Iterable[Mention], profiles: Iterable[Profile], left_out: Mapping[str, Left]) -> Iterator[Task]:
    """A task for each project in which a profile's principal is given something; one for all that can't be told.

    Of profiles with the same principal the first one judges.
    """
    by_principal: dict[str, Profile] = {}
    for profile in profiles:
        by_principal.setdefault(profile.principal, profile)
    for mention in mentions:
        profile = by_principal[mention.principal]
        target = Target(project=mention.project or UNKNOWN_PROJECT, principal=profile.principal)
        yield Task(target=target, profile=profile, left_out=left_out)


def shared(tasks: Iterable[Task], profiles: Iterable[Profile]) -> Iterator[str]:
    """What a user has to know of profiles that have a principal in common with one that judges, in sentences."""
    known = tuple(profiles)
    for judging in {task.profile.name: task.profile for task in tasks}.values():
        same = [one.name for one in known if one.principal == judging.principal and one.name != judging.name]
        if same:
            yield (
                f"judged by the profile {judging.name}; {' and '.join(same)} {'has' if len(same) == 1 else 'have'} the "
                "same account. Name the profile in preflight.toml, or with --profile"
            )

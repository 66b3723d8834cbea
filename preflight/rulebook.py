"""The @rule declaration, and how rules are found: a new file is a new rule."""

import importlib.util
import sys
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from preflight.errors import RuleError, UsageError, nearest
from preflight.facts.seen import Unknown
from preflight.plugins import plugin_folders
from preflight.report import Severity, Verdict

Judge = Callable[..., Verdict]


class Parameter(Struct, frozen=True):
    """One thing that a rule asks for: a kind of fact, the target, the profile or what wasn't seen."""

    name: str
    kind: type[Any]
    maybe: bool
    """The rule can say something even if this is Unknown."""


class Rule(Struct, frozen=True, kw_only=True):
    """A rule as declared: its words, and the pure function that judges."""

    id: str
    title: str
    why: str
    how: str
    """The function's docstring."""
    severity: Severity
    requirements: tuple[str, ...]
    since: str
    after: tuple[str, ...]
    """The rules whose failure makes this one moot: it is skipped then."""
    aliases: tuple[str, ...]
    order: int
    on_request: bool = False
    """Left out unless it is named: it costs calls that a plain run does without."""
    judge: Judge
    parameters: tuple[Parameter, ...] = ()


def rule(
    *,
    title: str,
    why: str,
    severity: Severity,
    since: str,
    requirements: tuple[str, ...] = (),
    after: tuple[str, ...] = ("project-active",),
    aliases: tuple[str, ...] = (),
    order: int = 500,
    on_request: bool = False,
) -> Callable[[Judge], Rule]:
    """Declares the function below as a rule; its file's name is its id.

    `title` states the good state; `why` says what goes wrong otherwise; `requirements` are the items of the
    vendor's statement; `after` names prerequisite rules; `aliases` are ids that the rule had before; `order`
    is its place in lists (smaller first); `on_request` leaves the rule out of a run that doesn't name it. The
    function's parameters are the facts it needs (`Maybe[...]` where it can do without), `Target` and `Profile`, each
    by its type; its docstring says how it judges.
    """

    def declare(judge: Judge) -> Rule:
        return Rule(
            id=judge.__module__.rpartition(".")[2].replace("_", "-"),
            title=title,
            why=why,
            how=(judge.__doc__ or "").strip(),
            severity=severity,
            requirements=requirements,
            since=since,
            after=after,
            aliases=aliases,
            order=order,
            on_request=on_request,
            judge=judge,
        )

    return declare


def parameters_of(function: Callable[..., Any], where: str, kinds: Iterable[type[Any]]) -> tuple[Parameter, ...]:
    """What a rule's or derivation's function asks for. Raises RuleError that names both sides of a mismatch."""
    try:
        hints = typing.get_type_hints(function)
    except (NameError, ImportError, AttributeError) as error:
        raise RuleError(f"{where}: {error}", "Import the type from preflight.") from None
    hints.pop("return", None)
    known = {kind.__name__: kind for kind in kinds}
    code = function.__code__
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        if name not in hints:
            raise RuleError(f"{where}: parameter '{name}' has no type.", "Say which fact it is by its type.")
    found = []
    for name, hint in hints.items():
        options = [option for option in typing.get_args(hint) or (hint,) if option is not Unknown]
        kind = options[0]
        is_kind = known.get(getattr(kind, "__name__", "")) is kind  # another class may have the same name
        if len(options) != 1 or not is_kind:
            asked = getattr(kind, "__name__", str(kind))
            raise RuleError(
                f"{where}: parameter '{name}' asks for {asked}, which is not a kind of fact.",
                nearest(asked, sorted(known)),
            )
        found.append(Parameter(name, kind, maybe=Unknown in typing.get_args(hint)))
    return tuple(found)


def rules_in(folder: Path, package: str) -> list[Rule]:
    """The rules in a folder, one a file; names that start with `_` are left out. Raises RuleError.

    The files are executed: name only a folder that you trust.
    """
    files = sorted(path for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return [_only_rule(_load(path, f"{package}.{path.stem}"), path) for path in files]


def _load(path: Path, name: str) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuleError(f"{path}: cannot be loaded as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a rule's file does, the user gets a sentence that names it
        del sys.modules[name]
        raise RuleError(f"{path}: {type(error).__name__}: {error}", "Correct the rule's file.") from error
    return module


def _only_rule(module: ModuleType, path: Path) -> Rule:
    found = [value for value in vars(module).values() if isinstance(value, Rule)]
    if len(found) != 1:
        raise RuleError(f"{path}: holds {len(found)} rules.", "Declare exactly one function with @rule in it.")
    declared = found[0]
    if declared.title.startswith("Ensure") or not declared.how:
        raise RuleError(
            f"{path}: the title must state the good state, and the function needs a docstring.",
            "See docs/writing-rules.md.",
        )
    return declared


def plugin_rules() -> list[Rule]:
    """The rules that installed packages add by the entry point group `preflight.rules`: each names a package
    whose modules are rules. Raises RuleError for one that can't be loaded."""
    found: list[Rule] = []
    for package in plugin_folders("preflight.rules"):
        found += rules_in(package.folder, package.name)
    return found


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules sorted by their order, an alias in `after` replaced by the id it stands for.

    Raises RuleError for a name used twice or an unknown or circular prerequisite.
    """
    ordered = tuple(sorted(rules, key=lambda r: (r.order, r.id)))
    ids = [name for r in ordered for name in (r.id, *r.aliases)]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise RuleError(f"Two rules are named '{twice[0]}'.", "Rename one of them, or drop the alias.")
    for r in ordered:
        for prerequisite in r.after:
            if prerequisite not in ids:
                raise RuleError(
                    f"Rule '{r.id}' comes after '{prerequisite}', which is not a rule.",
                    nearest(prerequisite, ids),
                )
    id_of = {name: r.id for r in ordered for name in (r.id, *r.aliases)}
    ordered = tuple(replace(r, after=tuple(id_of[name] for name in r.after)) for r in ordered)
    _refuse_circles({r.id: r.after for r in ordered})
    return ordered


def _refuse_circles(after: dict[str, tuple[str, ...]]) -> None:
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter({name: set(before) - {name} for name, before in after.items()}).prepare()
    except CycleError as error:
        raise RuleError(f"Rules wait for each other: {' -> '.join(error.args[1])}.", "Drop one `after`.") from None


def select(
    rules: tuple[Rule, ...], only: tuple[str, ...] = (), skip: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> tuple[Rule, ...]:
    """The rules to run: all but those on request, or `only` these; `also` adds some, and `skip` leaves some out. A
    name may be an alias.

    Raises UsageError for a name that no rule has.
    """
    names = {name: r.id for r in rules for name in (r.id, *r.aliases)}
    for name in (*only, *skip, *also):
        if name not in names:
            raise UsageError(f"There is no rule '{name}'.", nearest(name, list(names)))
    wanted = {names[name] for name in only} or {r.id for r in rules if not r.on_request}
    chosen = (wanted | {names[name] for name in also}) - {names[name] for name in skip}
    if not chosen:
        raise UsageError("No rule is left to run.", "Drop a --skip, or name a rule with --rule.")
    return tuple(r for r in rules if r.id in chosen)


def unasked(rules: Iterable[Rule], chosen: Iterable[Rule]) -> tuple[str, ...]:
    """The ids of the rules that were not chosen, and without which nobody can be called ready."""
    judged = {r.id for r in chosen}
    return tuple(
        r.id for r in rules if r.id not in judged and not r.on_request and r.severity is not Severity.RECOMMENDED
    )

"""From a request to its report: the facts of one project, from wherever the options say, and what the rules make of
them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from preflight.cli.request import Request, Selection, selection, target_of
from preflight.cli.source import Changes, LiveOptions, collect_assets, collect_live, collect_plan
from preflight.cli.terraform import collect_terraform
from preflight.facts.snapshot import Snapshot, Target
from preflight.report import Report

if TYPE_CHECKING:
    from preflight.sources.live import TracedCall


class Collected(Struct, frozen=True, kw_only=True):
    """What was read of one project."""

    snapshot: Snapshot
    target: Target
    """What is to be connected; it names the project by its ID."""
    calls: tuple["TracedCall", ...] = ()
    """Those to Google, in the order in which they were made."""
    changes: Changes | None = None
    """The plan that is to be laid over it."""


def judge(request: Request, environ: Mapping[str, str]) -> Report:
    """Reads the one project from wherever the options say, and judges it.

    Raises UsageError for an option that can't be used, CredentialsError where Google wants none of the credentials.
    """
    chosen = selection(request)
    return judged(request, chosen, collect(request, chosen, environ))


def collect(request: Request, chosen: Selection, environ: Mapping[str, str]) -> Collected:
    """Reads what the chosen rules need to know of the one project. Raises as `judge`."""
    target, profile, wanted = target_of(request, chosen.profile), chosen.profile, chosen.wanted
    over = request.plan if request.live or request.stored is not None else None
    changes = None if over is None else Changes(over)
    calls: tuple[TracedCall, ...] = ()
    if request.stored is not None:
        from preflight.sources.snapshot import stored_facts

        snapshot = stored_facts(request.stored.snapshot, wanted)
    elif request.assets:
        snapshot, target = collect_assets(request.assets, profile, target, wanted)
    elif request.plan is not None and changes is None:
        snapshot, target = collect_plan(request.plan, profile, target, wanted)
    elif request.terraform is not None:
        snapshot, target = collect_terraform(request, profile, target, wanted, environ)
    else:
        options = LiveOptions(
            timeout=request.timeout,
            quota_project=request.quota_project,
            impersonate=request.impersonate,
            transport=request.transport,
            verbose=request.verbose,
        )
        made: list[TracedCall] = []
        snapshot, target = collect_live(options, profile, target, wanted, environ, _load_renderers, made)
        calls = tuple(made)
    return Collected(snapshot=chosen.informed(snapshot), target=target, calls=calls, changes=changes)


def judged(request: Request, chosen: Selection, found: Collected) -> Report:
    """The report on what was read; with a plan beside it, on what that leads to."""
    report = _judged(request, chosen, found.snapshot, found.target)
    if found.changes is None:
        return report
    after = found.changes.applied_to(found.snapshot, found.target, chosen.wanted)
    then = _judged(request, chosen, chosen.informed(after), found.target)
    return then.since(report, str(request.plan), only_new=request.only_new, stale=found.changes.stale)


def _judged(request: Request, chosen: Selection, snapshot: Snapshot, target: Target) -> Report:
    report = chosen.judged(snapshot, target).leaving_out(request.left_out)
    return report if request.stored is None else replace(report, source="snapshot", origin=snapshot.source)


def _load_renderers() -> None:
    """Imports what the report will need while Google is still answering."""
    import preflight.renderers.json_report
    import preflight.renderers.markdown
    import preflight.renderers.terminal
    import preflight.report_files  # noqa: F401

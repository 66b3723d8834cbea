"""Options of `preflight run` that don't go together: told before anything is read."""

from pathlib import Path

from preflight.cli.request import Request
from preflight.cli.source import refuse_options_of_others, refuse_two_sources
from preflight.errors import UsageError
from preflight.renderers import Format


def refuse_what_does_not_go_together(request: Request, snapshot: Path | None) -> None:
    """Raises UsageError that names the options. `snapshot` is what is to be judged again."""
    given = {
        "--snapshot": snapshot is not None,
        "--terraform": request.terraform is not None,
        "--assets": bool(request.assets),
        "--live": request.live,
        "--plan": request.plan is not None,
    }
    refuse_two_sources(given)
    if request.only_new and not (request.plan is not None and (request.live or snapshot is not None)):
        raise UsageError("--only-new compares with and without a plan.", "Give --live and --plan FILE with it.")
    refuse_options_of_others(given, variables=bool(request.given))
    if request.plan is not None:
        _refuse_with_a_plan(request)
    if request.project is None and snapshot is None:
        _refuse_without_a_project(request)


def _refuse_with_a_plan(request: Request) -> None:
    if request.wait is not None:
        raise UsageError("--wait looks at what is there, and a plan isn't applied yet.", "Leave one of them out.")
    if request.bundle is not None:
        raise UsageError("A bundle holds what was seen, and a plan isn't applied yet.", "Leave --plan out.")
    if request.redact not in {None, "none"}:
        raise UsageError("--redact doesn't go with --plan.", "Leave one of them out.")
    if request.redact is None and Format.TICKET in {request.format, *(form for form, _ in request.reports)}:
        raise UsageError(
            "A ticket's text has pseudonyms, which don't go with --plan.",
            "To have it with all names in it: --redact none",
        )


def _refuse_without_a_project(request: Request) -> None:
    if request.plan is not None:
        raise UsageError("Which project of the plan?", "Name it with --project ID.")
    if not request.assets:
        raise UsageError("Which project?", "Name it with --project ID, or an export of many with --assets FILE.")
    if request.bundle is not None:
        raise UsageError("A bundle holds what was seen of one project.", "Name it with --project ID.")

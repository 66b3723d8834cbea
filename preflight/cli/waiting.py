"""`--wait`: after a fix, look again at what could change the verdict, until it is ready or the time is up.

IAM is eventually consistent: a grant takes minutes to spread, and may be seen by one look and not by the next (Google's
"Access change propagation"). So two looks in a row have to find the project ready.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from preflight.cli.judging import Collected, collect, judged
from preflight.cli.progress import Progress
from preflight.cli.request import Request, Selection
from preflight.engine import needed_facts
from preflight.errors import ExitCode
from preflight.facts.snapshot import FIELD_OF
from preflight.interrupts import Interrupted
from preflight.report import Report
from preflight.rulebook import Rule

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""Seconds between two looks: each pause is half as long again as the one before."""
ENOUGH = 2
"""So many looks in a row have to find it ready."""


class Waited(Struct, frozen=True):
    """How the waiting ended."""

    found: Collected
    report: Report
    interrupted: BaseException | None = None
    """The signal that ended it: to be raised once the report is written."""


def waited(
    request: Request,
    chosen: Selection,
    environ: Mapping[str, str],
    first: tuple[Collected, Report],
) -> Waited:
    """Looks again until the project is ready twice in a row, or `request.wait` seconds have passed.

    `first` is what the first look found. Only what the rules that stood in the way need is read again.
    """
    found, report = first
    ends = time.monotonic() + (request.wait or 0.0)
    looks, in_a_row = 1, int(_is_ready(report))
    stood = set(_in_the_way(report))
    pauses = _pauses()
    try:
        with Progress() as progress:
            if not in_a_row:
                _announce(report, request.wait or 0.0)
            while in_a_row < ENOUGH and (left := ends - time.monotonic()) > 0:
                _rest(min(next(pauses), left), f"{_what(report)}; look {looks + 1}", progress)
                again = tuple(rule for rule in chosen.rules if rule.id in stood) or chosen.rules
                found = _looked(request, chosen, environ, found, again)
                report = judged(request, chosen, found)
                looks += 1
                in_a_row = in_a_row + 1 if _is_ready(report) else 0
                stood |= set(_in_the_way(report))
    except (Interrupted, KeyboardInterrupt) as signal:
        return Waited(found, report, signal)
    if in_a_row < ENOUGH:
        click.echo(
            f"{_time(request.wait or 0.0)} have passed, in {looks} looks, and it is not ready: {_what(report)}.",
            err=True,
        )
    return Waited(found, report)


def _looked(
    request: Request, chosen: Selection, environ: Mapping[str, str], before: Collected, rules: tuple[Rule, ...]
) -> Collected:
    """What was known, with what these rules need read anew."""
    wanted = needed_facts(rules)
    once = replace(request, verbose=False)
    now = collect(once, replace(chosen, wanted=wanted), environ)
    fields: dict[str, Any] = {FIELD_OF[kind]: getattr(now.snapshot, FIELD_OF[kind]) for kind in wanted}
    snapshot = replace(before.snapshot, **fields, finished_at=now.snapshot.finished_at)
    return replace(now, snapshot=snapshot, calls=(*before.calls, *now.calls))


def _is_ready(report: Report) -> bool:
    return report.exit_code is ExitCode.READY and not any(_in_the_way(report))


def _in_the_way(report: Report) -> Iterator[str]:
    """The rules that fail or can't be told, and those that wait for them."""
    ids = {finding.rule for finding in report.findings if finding.blocks or finding.blinds}
    yield from (finding.rule for finding in report.findings if finding.rule in ids or finding.because in ids)


def _what(report: Report) -> str:
    names = [finding.rule for finding in report.findings if finding.blocks or finding.blinds]
    if not names:
        return "a second look that finds it ready"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _announce(report: Report, seconds: float) -> None:
    click.echo(
        f"Not ready: {_what(report)}. Looking again for up to {_time(seconds)}; what was granted a moment ago takes a "
        "few minutes to be seen.",
        err=True,
    )


def _time(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds > 60 else f"{seconds:g} seconds"


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _rest(seconds: float, what: str, progress: Progress) -> None:
    """Waits, and says for what and how long still."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        progress.tell(f"{what} in {left:.0f} s")
        time.sleep(min(left, 0.5))
    progress.clear()

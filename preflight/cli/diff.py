"""`preflight diff`: what changed between two reports, snapshots or bundles of one project."""

from pathlib import Path

import click

from preflight.bundle.contents import encoded
from preflight.bundle.reading import Stored
from preflight.bundle.reports import Read, ReadReport, read_look, report_in
from preflight.cli import screen
from preflight.cli.judging import judge
from preflight.cli.replay import again
from preflight.cli.request import Request
from preflight.comparison.sides import Comparison, Look, compare, differ
from preflight.comparison.verdicts import Judged
from preflight.errors import ExitCode, UsageError
from preflight.redaction.pseudonyms import pseudonyms_in
from preflight.renderers.visible import visible
from preflight.report import Finding

FORMATS = ("terminal", "json", "markdown")

_EPILOG = """\b
Exit codes:
  0  nothing got worse
  1  a verdict got worse
  2  the files can't be read, or can't be compared
"""


@click.command(name="diff", epilog=_EPILOG)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="terminal",
    show_default=True,
    help="How the comparison is shown.",
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
def command(before: Path, after: Path, form: str) -> int:
    """Show what changed from BEFORE to AFTER: verdicts, and facts.

    Each is a bundle, a snapshot or a JSON report of the same project. Facts of both are judged anew, by the rules of
    this version; beside a report, which holds none, a bundle's own report is looked at.
    """
    made = compared(before, after)
    click.echo(rendered(made, form), color=screen.colour(), nl=False)
    return ExitCode.NOT_READY if made.worse else ExitCode.READY


def compared(before: Path, after: Path) -> Comparison:
    """Raises BundleError for a file that can't be read, UsageError for two that have nothing to do with each other."""
    read = read_look(before), read_look(after)
    facts = all(one.stored is not None for one in read)
    old, new = (_look(path, one, facts=facts) for path, one in zip((before, after), read, strict=True))
    if why := differ(old, new):
        raise UsageError(f"The two can't be compared: {visible(why)}.", "Name two files on the same project.")
    return compare(old, new)


def rendered(made: Comparison, form: str) -> str:
    """The comparison in a format."""
    if form == "json":
        from preflight.renderers import diff_wire

        return diff_wire.render(made)
    if form == "markdown":
        from preflight.renderers import diff_markdown

        return diff_markdown.render(made)
    from preflight.renderers import diff_terminal

    return diff_terminal.render(made, colour=screen.colour(), width=screen.width())


def _look(path: Path, read: Read, *, facts: bool) -> Look:
    if read.stored is not None:
        return _of_facts(path, read.stored, facts=facts)
    if read.report is None:
        raise AssertionError("a file that holds nothing")
    found = pseudonyms_in(read.data.decode("utf-8", "replace"))
    report = read.report
    return Look(
        file=str(path),
        kind="report",
        project=report.project.id,
        principal=report.principal,
        profile=report.profile.name,
        location=report.target.location,
        dataset=report.target.dataset,
        source=report.source.kind,
        moment=report.finished_at,
        judged=_judged_in(report),
        redacted=bool(found),
        pseudonyms=found,
    )


def _of_facts(path: Path, stored: Stored, *, facts: bool) -> Look:
    snapshot = stored.snapshot
    asked = snapshot.asked
    redacted = snapshot.redaction != "none"
    # Which key a report's pseudonyms are of isn't told: then those in it are compared.
    told = snapshot.key_id is not None and facts
    return Look(
        file=str(path),
        kind="snapshot" if stored.manifest is None else "bundle",
        project=asked.project,
        principal=asked.principal,
        profile=asked.profile,
        location=asked.location,
        dataset=asked.dataset,
        source=snapshot.facts.source,
        moment=snapshot.facts.finished_at,
        judged=_judged(path, stored, facts=facts),
        snapshot=snapshot.facts,
        redacted=redacted,
        key_id=snapshot.key_id,
        pseudonyms=pseudonyms_in(encoded(snapshot).decode()) if redacted and not told else frozenset(),
    )


def _judged(path: Path, stored: Stored, *, facts: bool) -> tuple[Judged, ...]:
    if stored.report is not None and not facts:
        return _judged_in(report_in(stored.report, visible(f"{path}: report.json")))
    report = judge(again(Request(project=None, output_dir=None), stored, path), {})
    return tuple(map(_of_finding, report.findings))


def _of_finding(finding: Finding) -> Judged:
    verdict = finding.verdict
    return Judged(
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        status=verdict.status,
        message=verdict.message,
        reason="" if verdict.reason is None else verdict.reason.kind,
        because=finding.because or "",
    )


def _judged_in(report: ReadReport) -> tuple[Judged, ...]:
    return tuple(
        Judged(
            rule=one.rule,
            title=one.title,
            severity=one.severity,
            status=one.verdict,
            message=one.message,
            reason="" if one.reason is None else one.reason.kind,
            because=one.because or "",
        )
        for one in report.findings
    )

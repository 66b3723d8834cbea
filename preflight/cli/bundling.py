"""`--bundle` and `--redact`: what leaves, cleaned of names; and what is said of it before it is written."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from msgspec.structs import replace

from preflight import interrupts
from preflight.bundle.contents import Asked, Call
from preflight.bundle.writing import Bundle, Material, bundle
from preflight.cli.judging import Collected
from preflight.cli.request import Request, Selection
from preflight.named_files import NamedFiles
from preflight.profile import is_built_in, profile_text
from preflight.redaction import key
from preflight.redaction.scan import refuse_names, refuse_secrets
from preflight.redaction.snapshot import Level, cleaned, stays
from preflight.report import Report

KIND = "bundle"


def named_bundle(path: Path, option: str = "--bundle") -> NamedFiles[str]:
    """Opens the file of the bundle before the run. Raises OutputError where it can't be written."""
    return NamedFiles([(KIND, path)], option, "bundle")


def material_of(request: Request, chosen: Selection, found: Collected, report: Report) -> Material:
    """A run as it is to be bundled."""
    target = found.target
    return Material(
        asked=Asked(
            project=target.project,
            principal=target.principal,
            profile=chosen.profile.name,
            location=target.location,
            dataset=target.dataset,
            unread_deny_blocks=target.unread_deny_blocks,
            only=request.only,
            skip=request.skip,
            cross_check=request.cross_check,
        ),
        profile=chosen.profile,
        own_profile=_own_profile(request),
        rules=chosen.rules,
        snapshot=found.snapshot,
        target=target,
        report=report,
        calls=_calls(request, found),
        redaction="none" if request.stored is None else request.stored.snapshot.redaction,
        key_id=None if request.stored is None else request.stored.snapshot.key_id,
    )


def _own_profile(request: Request) -> str | None:
    if request.own_profile is not None:
        return request.own_profile
    return None if is_built_in(request.profile) else profile_text(request.profile)


def _calls(request: Request, found: Collected) -> tuple[Call, ...]:
    if request.stored is not None:
        return request.stored.trace.calls if request.stored.trace else ()
    return tuple(
        Call(
            method=call.method,
            resource=call.resource,
            outcome=call.outcome,
            milliseconds=call.milliseconds,
            attempts=call.attempts,
        )
        for call in found.calls
    )


def write_bundle(
    file: NamedFiles[str], material: Material, level: Level, environ: Mapping[str, str], *, with_report: bool = True
) -> None:
    """Makes the bundle, says on stderr what leaves, and writes it. Raises RedactionError or OutputError: then there is
    none."""
    folder = key.home(environ)
    clean = level != "none" and material.redaction == "none"
    made = bundle(material, level, key.key_in(folder) if clean else b"", with_report=with_report)
    for line in told(made, material, level):
        click.echo(line, err=True)
    if made.legend:
        legend = key.remember(folder, made.legend)
        click.echo(f"What stands for what: {legend} (keep it; turn an answer back with: preflight reveal)", err=True)
    file.write(KIND, made.data)
    with interrupts.held():
        (path,) = file.finish()
    click.echo(f"Bundle: {path} ({len(made.data):,} bytes)", err=True)


def told(made: Bundle, material: Material, level: Level) -> Iterator[str]:
    """What leaves, in a few lines."""
    files = ", ".join(entry.name for entry in made.entries)
    yield f"The bundle holds {files}."
    if material.redaction != "none":
        yield "Names were replaced in it before."
        return
    if level == "none":
        yield "Nothing is replaced in it: every member and name that was read is there in full."
        return
    counted = [f"{what} {count:,}" for what, count in sorted(made.replaced.items())]
    yield f"Replaced by pseudonyms: {', '.join(counted) or 'nothing'}."
    kept = [material.target.project, material.target.principal, *filter(None, [material.target.dataset])]
    yield f"Named as they are: {', '.join(kept)}."
    if made.folded:
        conditions = "condition stands" if made.folded == 1 else "conditions stand"
        yield f"{made.folded} {conditions} as a value, with nothing in it."


def without_names(
    chosen: Selection, found: Collected, report: Report, level: Level, environ: Mapping[str, str]
) -> Report:
    """The report with pseudonyms. Raises RedactionError if a verdict would be another."""
    return report if level == "none" else _cleaned(chosen, found, report, level, environ)[0]


def ticket_text(
    request: Request, chosen: Selection, found: Collected, report: Report, environ: Mapping[str, str]
) -> str:
    """The text for a ticket, with pseudonyms unless `--redact none` is given. Raises RedactionError where it must not
    leave."""
    from preflight.renderers import ticket

    level = request.redact or "default"
    replaced_before = request.stored is not None and request.stored.snapshot.redaction != "none"
    names: tuple[str, ...] = ()
    if level != "none" and not replaced_before:
        report, names = _cleaned(chosen, found, report, level, environ)
    text = ticket.render(report, pseudonyms=replaced_before or level != "none")
    refuse_secrets([text.encode()])
    refuse_names({"the ticket's text": text.encode()}, names, stays(found.target, chosen.profile))
    return text


def _cleaned(
    chosen: Selection, found: Collected, report: Report, level: Level, environ: Mapping[str, str]
) -> tuple[Report, tuple[str, ...]]:
    """The report with pseudonyms, and the names that must not be in it."""
    folder = key.home(environ)
    clean, after = cleaned(
        chosen.rules, found.snapshot, found.target, chosen.profile, report, key.key_in(folder), level
    )
    key.remember(folder, clean.legend)
    return replace(after, source=report.source, origin=report.origin), clean.pseudonyms.names

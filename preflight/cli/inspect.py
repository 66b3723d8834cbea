"""`preflight inspect`: what is in a bundle or snapshot, without judging it."""

from collections.abc import Iterator
from pathlib import Path

import click

from preflight.bundle.contents import StoredSnapshot, Trace
from preflight.bundle.reading import Stored, read_stored
from preflight.cli import layout
from preflight.facts.seen import NotCollected, Unknown
from preflight.facts.snapshot import FIELD_OF
from preflight.renderers.visible import visible
from preflight.renderers.words import when

_SLOWEST = 3


@click.command(name="inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
def command(file: Path) -> None:
    """List what is in FILE, a bundle or a snapshot: what was asked, which facts there are, how they were read.

    Its sizes and checksums are checked. To judge it: preflight run --snapshot FILE
    """
    click.echo("\n".join(told(read_stored(file))))


def told(stored: Stored) -> Iterator[str]:
    """What there is, in lines."""
    snapshot = stored.snapshot
    asked = snapshot.asked
    names = "names as they are" if snapshot.redaction == "none" else f"names replaced ({snapshot.redaction})"
    moment = snapshot.facts.finished_at
    yield f"Facts about {visible(asked.project)}, {names}, from {visible(snapshot.facts.source)}" + (
        f", {when(moment)}" if moment else ""
    )
    yield f"Written by preflight {visible(snapshot.tool.version)}, schema {visible(snapshot.schema_version)}"
    place = "".join(
        f", {name} {visible(value)}"
        for name, value in (("location", asked.location), ("dataset", asked.dataset))
        if value
    )
    yield f"Asked: {visible(asked.profile)} for {visible(asked.principal)}{place}"
    for name, rules in (("Only", asked.only), ("Without", asked.skip)):
        if rules:
            yield f"{name}: {visible(', '.join(rules))}"
    yield ""
    yield layout.table(list(_facts(snapshot)), ("fact", "known"))
    if stored.manifest is not None:
        yield ""
        rows = [(visible(one.name), f"{one.size:,}", one.sha256[:16]) for one in stored.manifest.files]
        yield layout.table(rows, ("file", "bytes", "SHA-256"))
    if stored.trace is not None:
        yield ""
        yield from _calls(stored.trace)


def _facts(snapshot: StoredSnapshot) -> Iterator[tuple[str, str]]:
    gaps = snapshot.facts.gaps()
    for field in FIELD_OF.values():
        value = getattr(snapshot.facts, field)
        inside = [gap for gap in gaps if gap.fact == field]
        if isinstance(value, Unknown):
            asked = not isinstance(value.reason, NotCollected)
            yield field, visible(f"no: {value.reason.describe()}") if asked else "not asked for"
        elif inside:
            yield field, visible(f"in part: {inside[0].about} {inside[0].reason.describe()}".replace("  ", " "))
        else:
            yield field, "yes"


def _calls(trace: Trace) -> Iterator[str]:
    failed = [call for call in trace.calls if call.outcome != "ok"]
    yield f"{len(trace.calls)} calls, {len(failed)} of them without an answer"
    for call in failed:
        yield f"  {visible(call.outcome)}: {visible(call.method)} {visible(call.resource)}"
    for call in sorted(trace.calls, key=lambda one: -one.milliseconds)[:_SLOWEST]:
        yield f"  {call.milliseconds:,} ms: {visible(call.method)} {visible(call.resource)}"

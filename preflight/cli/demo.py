"""`preflight demo`: the same as `run`, `audit` and `access`, on made-up projects in the embedded stand-in."""

from collections.abc import Mapping
from pathlib import Path

import click

from preflight.cli import screen
from preflight.cli.request import Request
from preflight.cli.run import carry_out
from preflight.errors import ExitCode, UsageError, nearest

CALLER = "admin@acme.example"
STORIES = {
    "ready": ("A project that is ready for the vendor", ExitCode.READY),
    "broken": ("A project in which several things are wrong", ExitCode.NOT_READY),
    "blind": ("A project that the caller can't fully see", ExitCode.CANNOT_TELL),
    "tangled": ("A project in which it is hard to see who can do what", ExitCode.NOT_READY),
}
ASKED = ("user:kim@partner.example", "bigquery.tables.getData", "finance")
"""The question about access that the tangled story ends with: principal, permission, dataset."""


@click.command(name="demo")
@click.argument("world", required=False)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the JSON and Markdown reports are written.",
)
@click.option("--no-files", is_flag=True, help="Write no files.")
def command(world: str | None, output_dir: Path, no_files: bool) -> int:
    """See it work on four made-up projects (or on one WORLD: ready, broken, blind, tangled).

    Google's APIs are stood in for by a server on this machine; no account is needed and nothing leaves it.
    With a WORLD it exits as `run` would; with all of them it exits 0.
    """
    if world is not None and world not in STORIES:
        raise UsageError(f"There is no world '{world}'.", nearest(world, list(STORIES)))
    folder = None if no_files else output_dir
    if world is not None:
        return _play(world, folder)
    surprises = [name for name in STORIES if _play(name, folder) != STORIES[name][1]]
    if surprises:
        click.echo(f"The demo did not end as it should: {', '.join(surprises)}.", err=True)
        return ExitCode.INTERNAL
    return ExitCode.READY


def _play(name: str, folder: Path | None) -> int:
    from preflight.emulator import Emulator, World

    story, _ = STORIES[name]
    typed = "preflight run --project acme-analytics --location EU --dataset heap_production"
    click.echo(f"\n{story}\n$ {typed}\n")
    request = Request(project="acme-analytics", location="EU", dataset="heap_production", output_dir=folder)
    with Emulator(World.demo(name)) as cloud:
        environ = cloud.environ(caller=CALLER)
        code = carry_out(request, environ)
        click.echo(f"(exit code {int(code)})")
        if name == "tangled":
            _audit(environ)
    return code


def _audit(environ: Mapping[str, str]) -> None:
    """Who can do what in that project, and one question about it."""
    from preflight.cli import access, audit
    from preflight.cli.source import LiveOptions, Sources

    click.echo("\n$ preflight audit --project acme-analytics\n")
    made = audit.collect_audit("acme-analytics", Sources(live=LiveOptions(whole=True)), environ)
    click.echo(audit.rendered(made, "terminal"), color=screen.colour(), nl=False)
    click.echo(f"(exit code {int(audit.exit_code(made, (), allow_unknown=False))})")
    principal, permission, dataset = ASKED
    click.echo(f"\n$ preflight access {principal} {permission} --project acme-analytics --resource {dataset}\n")
    question = access.parse_question(principal, permission, "acme-analytics", dataset, None)
    decision = access.answer(question, Sources(), environ)
    click.echo(access.rendered(decision, "terminal"), color=screen.colour(), nl=False)
    click.echo(f"(exit code {int(access.EXIT_CODES[decision.answer])})")

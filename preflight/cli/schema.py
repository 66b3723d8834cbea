"""`preflight schema`: the JSON Schemas that we publish."""

import click

from preflight.cli.layout import Group


@click.group(name="schema", cls=Group, help="Print a JSON Schema.")
def command() -> None:
    """The group of the commands about schemas."""


@command.command(name="report")
def report_schema() -> None:
    """Print the JSON Schema of the JSON report."""
    from preflight.renderers.json_report import schema

    click.echo(schema(), nl=False)


@command.command(name="audit")
def audit_schema() -> None:
    """Print the JSON Schema of the JSON audit."""
    from preflight.renderers.audit_wire import schema

    click.echo(schema(), nl=False)


@command.command(name="access")
def access_schema() -> None:
    """Print the JSON Schema of the JSON answer about access."""
    from preflight.renderers.access_wire import schema

    click.echo(schema(), nl=False)


@command.command(name="diff")
def diff_schema() -> None:
    """Print the JSON Schema of the JSON comparison."""
    from preflight.renderers.diff_wire import schema

    click.echo(schema(), nl=False)


@command.command(name="config")
def config_schema() -> None:
    """Print the JSON Schema of preflight.toml, for editors."""
    from preflight.configuration.model import json_schema

    click.echo(json_schema(), nl=False)


@command.command(name="bundle")
def bundle_schema() -> None:
    """Print the JSON Schema of a bundle's manifest.json."""
    from preflight.bundle.contents import Manifest, schema_text

    click.echo(schema_text(Manifest), nl=False)


@command.command(name="snapshot")
def snapshot_schema() -> None:
    """Print the JSON Schema of a bundle's snapshot.json."""
    from preflight.bundle.contents import StoredSnapshot, schema_text

    click.echo(schema_text(StoredSnapshot), nl=False)


@command.command(name="trace")
def trace_schema() -> None:
    """Print the JSON Schema of a bundle's trace.json."""
    from preflight.bundle.contents import Trace, schema_text

    click.echo(schema_text(Trace), nl=False)

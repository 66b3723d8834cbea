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

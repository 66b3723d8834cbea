"""`preflight profiles`: list the vendors' profiles, show one."""

import click

from preflight.cli.layout import Group, table
from preflight.profile import load_profile, profile_files, profile_text


@click.group(name="profiles", cls=Group, help="List the vendors' profiles, or show one.")
def command() -> None:
    """The group of the commands about profiles."""


@command.command(name="list")
def list_profiles() -> None:
    """List the profiles, one a line: name, version, vendor."""
    profiles = [load_profile(name) for name in profile_files()]
    rows = [(profile.name, profile.version, profile.vendor, profile.principal) for profile in profiles]
    click.echo(table(rows, ("profile", "version", "vendor", "principal")))


@command.command(name="show")
@click.argument("name")
def show_profile(name: str) -> None:
    """Show a profile as it stands in its file, after checking it."""
    load_profile(name)  # a broken profile is told as such
    click.echo(profile_text(name), nl=False)

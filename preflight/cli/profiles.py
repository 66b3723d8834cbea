"""`preflight profiles`: list the vendors' profiles, show one."""

import click

from preflight.profile import load_profile, profile_files, profile_text


@click.group(name="profiles", help="List the vendors' profiles, or show one.")
def command() -> None:
    """The group of the commands about profiles."""


@command.command(name="list")
def list_profiles() -> None:
    """List the profiles, one a line: name, version, vendor."""
    from tabulate import tabulate

    profiles = [load_profile(name) for name in profile_files()]
    rows = [(profile.name, profile.version, profile.vendor, profile.principal) for profile in profiles]
    click.echo(
        tabulate(
            rows,
            headers=("profile", "version", "vendor", "principal"),
            tablefmt="simple",
            disable_numparse=True,
        )
    )


@command.command(name="show")
@click.argument("name")
def show_profile(name: str) -> None:
    """Show a profile as it stands in its file, after checking it."""
    load_profile(name)  # a broken profile is told as such
    click.echo(profile_text(name), nl=False)

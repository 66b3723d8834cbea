"""`preflight completion`: completions of commands, options, rules, profiles and formats for a shell."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
WHERE = {
    "bash": "echo 'eval \"$(preflight completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(preflight completion zsh)\"' >> ~/.zshrc",
    "fish": "preflight completion fish > ~/.config/fish/completions/preflight.fish",
}


@click.command(
    name="completion",
    epilog="\b\nTo have them in every new shell:\n" + "\n".join(f"  {line}" for line in WHERE.values()),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completions for SHELL: bash, zsh or fish."""
    from preflight.cli import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completions for {shell}")
    click.echo(kind(cli, {}, "preflight", "_PREFLIGHT_COMPLETE").source())

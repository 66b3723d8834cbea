"""The command line. Thin: one module a command, loaded only when that command runs."""

import importlib
import os
import sys
from typing import Any

import click

from preflight.errors import ExitCode, PreflightError, nearest
from preflight.version import __version__

COMMANDS = {
    "run": "Check a project for a vendor and write the reports.",
    "demo": "See it work on three made-up projects; needs no Google account.",
    "rules": "List the rules, or show one.",
    "profiles": "List the vendors' profiles, or show one.",
    "permissions": "Show what the tool may call, and what the caller needs for it.",
    "schema": "Print a JSON Schema.",
}

_EPILOG = """\b
Examples:
  preflight run --project acme-analytics --location EU --dataset heap_production
  preflight run --project acme-analytics --format json --no-files
  preflight permissions
  preflight demo

\b
Exit codes of run:
  0  ready: nothing fails
  1  not ready: a required or important rule fails
  2  wrong usage, configuration or credentials
  3  can't tell: nothing fails, but something required could not be seen
  4  internal error
"""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads the command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"preflight.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest command's name for a typo."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command '{args[0]}'. {nearest(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="preflight", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def cli() -> None:
    """Tells whether a SaaS vendor can be connected to your BigQuery project, and what to change if not.

    It only reads: it never changes anything in your cloud.
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with the documented exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    code = _run(given)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forget_stdout()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments  # before parsing: what goes wrong there is told in full as well
    if debug:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    try:
        result = cli.main(args=arguments, prog_name="preflight", standalone_mode=False)
        return int(result) if isinstance(result, int) else ExitCode.READY
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        _tell_usage(error)
        return ExitCode.USAGE
    except PreflightError as error:
        if debug:
            raise
        tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget_stdout()
        return ExitCode.READY
    except Exception as error:  # the last line of defence: a user never meets a traceback unasked
        if debug:
            raise
        click.echo(
            f"Internal error: {type(error).__name__}. Run again with --debug and report what it prints.",
            err=True,
        )
        return ExitCode.INTERNAL


def tell(error: PreflightError) -> None:
    """Says on stderr what is wrong and what to do next, with nothing in it that could act on the terminal."""
    from preflight.renderers.visible import visible

    click.echo(f"Error: {visible(error.message)}", err=True)
    if error.hint:
        click.echo(visible(error.hint), err=True)


def _tell_usage(error: click.ClickException) -> None:
    from preflight.renderers.visible import visible

    context: Any = getattr(error, "ctx", None)
    click.echo(f"Error: {visible(error.format_message())}", err=True)
    path = context.command_path if context else "preflight"
    click.echo(f"See: {path} --help", err=True)


def forget_stdout() -> None:
    """The reader has gone: nothing more may be written there, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

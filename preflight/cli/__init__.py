"""The command line. Thin: one module a command, loaded only when that command runs."""

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from preflight import interrupts
from preflight.cli import layout
from preflight.errors import ExitCode, OutputError, PreflightError, nearest
from preflight.version import __version__

COMMANDS = {
    "run": "Check a project for a vendor and write the reports.",
    "check": "Judge an infrastructure repository: would it break the connection?",
    "audit": "Show who can do what in a project's BigQuery, and what stands out.",
    "access": "Answer one question about access, with the proof.",
    "collect": "Read a project without judging it: a bundle for somebody else to judge.",
    "inspect": "List what is in a bundle.",
    "diff": "Show what changed between two reports, snapshots or bundles.",
    "reveal": "Turn the pseudonyms in an answer back into names.",
    "demo": "See it work on made-up projects; needs no Google account.",
    "rules": "List the rules, or show one.",
    "profiles": "List the vendors' profiles, or show one.",
    "doctor": "Show what the tool sees of this machine, its network and credentials.",
    "permissions": "Show what the tool may call, and what the caller needs for it.",
    "config": "Show or write a repository's configuration.",
    "schema": "Print a JSON Schema.",
    "emulator": "Serve a made-up world in place of Google's APIs.",
    "world": "Write, check or list worlds for the emulator.",
    "completion": "Print the completions for a shell.",
}

_EPILOG = """\b
Examples:
  preflight run --project acme-analytics --location EU
  preflight run --project acme-analytics --format json
  preflight permissions
  preflight demo

\b
Exit codes of run:
  0  ready: nothing fails
  1  not ready: a required or important rule fails
  2  wrong usage, configuration or credentials
  3  can't tell: something required could not be seen
  4  internal error
"""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    context_class = layout.Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads the command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"preflight.cli.{cmd_name}").command
        command.context_class = layout.Context
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest command's name for a typo."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no command '{args[0]}'. {nearest(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click, with endings of our own."""
        with _own_endings():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click, with endings of our own."""
        with _own_endings():
            return super().invoke(ctx)


class _ReaderGoneError(Exception):
    """Nobody reads stdout any more."""


@contextlib.contextmanager
def _own_endings() -> Iterator[None]:
    """Click ends the process with 1, which here means "not ready", where the reader of stdout has gone; and no rule
    or plugin that was loaded chooses the exit code."""
    try:
        yield
    except BrokenPipeError:
        raise _ReaderGoneError from None
    except SystemExit as end:
        raise RuntimeError(f"something that was loaded called sys.exit({end.code!r})") from end


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="preflight", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and the log of calls.")
def cli() -> None:
    """Tells whether a SaaS vendor can be connected to your BigQuery project, and what to change if not.

    It only reads: it never changes anything in your cloud.
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with the documented exit code."""
    if arguments is None:
        interrupts.install()
        _take_what_there_is()
    code = _run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forget_stdout()
    except OSError as error:
        code = _tell_unwritten(error)
    sys.exit(code)


def _take_what_there_is() -> None:
    """Makes do with the streams that the process was given."""
    # With `>&-` Python has None there, and the next file that is opened gets the stream's place.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    else:
        unbothered = io.BufferedWriter(_Unbothered(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = io.TextIOWrapper(unbothered, sys.stderr.encoding, "backslashreplace", line_buffering=True)


_OBEYED = re.compile(rb"(?<![^\r\n])([^\w\r\n]*?:):|(##\w*)\[")
"""What a CI's runner takes for a command to it (see renderers/visible.py)."""


class _Unbothered(io.FileIO):
    """What is said on stderr decides no exit code: also if nobody can hear it there.

    Nor is it obeyed by a CI's runner. What we say there has nothing of that in it; a traceback or a log, which
    --debug shows, or a warning of some library may.
    """

    def write(self, data: Any, /) -> int:
        """Writes what it can."""
        rest = _OBEYED.sub(lambda found: found[1] + rb"\x3a" if found[1] else found[2] + rb"\x5b", data)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[super().write(rest) :]
        return len(data)


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments  # before parsing: what goes wrong there is told in full as well
    if debug:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    try:
        result = _called(arguments)
        return int(result) if isinstance(result, int) else ExitCode.READY
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        _tell_usage(error)
        return ExitCode.USAGE
    except PreflightError as error:
        if debug:
            _show_traceback()
        tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except (BrokenPipeError, _ReaderGoneError):
        forget_stdout()
        return ExitCode.READY
    except Exception as error:  # noqa: BLE001  the last line of defence: a user never meets a traceback unasked
        if isinstance(error, OSError) and _came_of_printing(error):
            return _tell_unwritten(error)
        if debug:
            _show_traceback()
        click.echo(
            f"Internal error: {type(error).__name__}. Run again with --debug and report what it prints.",
            err=True,
        )
        return ExitCode.INTERNAL


def _called(arguments: list[str]) -> Any:
    try:
        return cli.main(args=arguments, prog_name="preflight", standalone_mode=False)
    except BaseException:
        if interrupts.heard():  # whatever was made of it: pydantic, while it builds a model, makes an error of its own
            interrupts.end()
        raise


def _came_of_printing(error: OSError) -> bool:
    """Whether stdout took nothing, as on a full disk: all that is printed goes through click."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("click.")


def _tell_unwritten(error: OSError) -> ExitCode:
    forget_stdout()
    tell(unwritten(error))
    return ExitCode.USAGE


def tell(error: PreflightError) -> None:
    """Says on stderr what is wrong and what to do next, with nothing in it that could act on the terminal."""
    from preflight.renderers.visible import visible

    click.echo(layout.sentence(f"Error: {visible(error.message)}", sys.stderr), err=True)
    if error.hint:
        click.echo(layout.sentence(visible(error.hint), sys.stderr), err=True)


def unwritten(error: OSError) -> OutputError:
    """The error to tell where stdout took nothing."""
    why = (error.strerror or type(error).__name__).lower()
    return OutputError(f"The output could not be written to stdout: {why}.", "Check where it is redirected to.")


def _tell_usage(error: click.ClickException) -> None:
    from preflight.renderers.visible import visible

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)  # which is the help
        return
    context: Any = getattr(error, "ctx", None)
    said = " ".join(error.format_message().split())  # click lists some choices on lines of their own
    click.echo(layout.sentence(f"Error: {visible(said)}", sys.stderr), err=True)
    path = context.command_path if context else "preflight"
    click.echo(f"See: {path} --help", err=True)


def _show_traceback() -> None:
    import traceback  # only here: start-up stays light

    traceback.print_exc()


def forget_stdout() -> None:
    """Nobody reads there, or it is full: nothing more may be written to it, not even what is left at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""What a user can meet: one clear sentence, what to do next, and the exit code that goes with it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes of every command."""

    READY = 0
    NOT_READY = 1
    USAGE = 2
    CANNOT_TELL = 3
    INTERNAL = 4
    INTERRUPTED = 130


class PreflightError(Exception):
    """An error that is told to the user without a traceback.

    `message` is one sentence that says what is wrong; `hint` says what to do next, or is empty.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PreflightError):
    """An option, a name or a value that cannot be used."""


class ConfigurationError(PreflightError):
    """A `preflight.toml` that cannot be used; the message names file, line and key."""


class ProfileError(PreflightError):
    """A profile that cannot be read; the message names file, key and, where known, line."""


class RuleError(PreflightError):
    """A rule file that breaks the rules for rules; the message names the file and what to change."""


class CredentialsError(PreflightError):
    """No credentials, or credentials that Google refused."""


class BundleError(PreflightError):
    """A bundle, snapshot or report that cannot be read, or must not be trusted."""


class RedactionError(PreflightError):
    """What was to leave could not be cleaned of names, or would have come to another verdict: it was not written."""


class OutputError(PreflightError):
    """A report that could not be written; the verdict has been shown before."""


def nearest(name: str, choices: "list[str] | tuple[str, ...]") -> str:
    """The hint for a name that is not one of `choices`: the nearest one, and all of them."""
    close = close_to(name, choices)
    meant = f"Did you mean '{close}'? " if close else ""
    return f"{meant}Known: {', '.join(sorted(choices))}."


def close_to(name: str, choices: "list[str] | tuple[str, ...]") -> str | None:
    """The one of `choices` that was probably meant, if any is near."""
    from difflib import get_close_matches  # only when something is misspelt: start-up stays light

    close = get_close_matches(name, choices, n=1)
    return close[0] if close else None

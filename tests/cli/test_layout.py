"""What a narrow terminal shows: nothing that could have been wrapped runs over its edge; elsewhere nothing changes."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

import pytest

from preflight.cli import COMMANDS
from tests.end_to_end.conftest import command_line, whole_environ, whole_process

LONG = (  # names that have to stay whole, so that they can be copied
    "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com", "getIamPolicy", "/roles/{role}", "/{dataset}",
    "generateAccessToken",
)  # fmt: skip


def shown(*arguments, columns, **environ):
    """What a whole process prints on a terminal of so many columns, stderr too, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        command_line(*arguments),
        env={name: value for name, value in whole_environ({"TERM": "xterm", **environ}).items() if name != "COLUMNS"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk
    except OSError:  # how Linux tells that the other end was closed
        pass
    finally:
        os.close(ours)
    return told.decode().replace("\r\n", "\n"), process.wait(30)


def too_long(text, columns):
    """The lines that could have been wrapped: a name or a path alone on its line could not."""
    lines = [line for line in text.splitlines() if len(line) > columns and " " in line.strip()]
    return [line for line in lines if not any(name in line for name in LONG)]


HELP = [*((name, "--help") for name in COMMANDS), ("rules", "list", "--help"), ("world", "init", "--help")]


@pytest.mark.parametrize("arguments", [("--help",), *HELP], ids=" ".join)
def test_help_in_sixty_columns(arguments):
    text, code = shown(*arguments, columns=60)
    assert code == 0
    # The lines of a completion's epilog are there to be copied.
    assert [line for line in too_long(text, 60) if not line.lstrip().startswith(("echo ", "preflight "))] == []


def test_options_are_explained_beside_them_where_there_is_room():
    narrow, _ = shown("run", "--help", columns=60)
    wide, _ = shown("run", "--help", columns=140)
    assert "\n  --rules-dir DIRECTORY\n                       Also load" in narrow
    assert "\n  --rules-dir DIRECTORY           Also load" in wide


LISTS = [
    *(("rules", "list"), ("rules", "show", "vendor-role"), ("profiles", "list")),
    *(("permissions",), ("world", "list"), ("rules", "show", "vendor-least-privilege")),
]


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_lists_in_sixty_columns_say_the_same_as_elsewhere(arguments):
    text, code = shown(*arguments, columns=60)
    piped = whole_process(*arguments)
    assert (code, piped.code) == (0, 0)
    assert too_long(text, 60) == []
    words = {word for word in piped.out.split() if set(word) != {"-"}}
    assert words - set(text.split()) <= {"rule", "profile", "permission", "method", "call"}, "but for first headings"


@pytest.mark.parametrize("arguments", LISTS[:3], ids=" ".join)
def test_in_a_hundred_and_forty_columns_it_is_as_elsewhere(arguments):
    assert shown(*arguments, columns=140)[0] == whole_process(*arguments).out


def test_the_last_column_is_wrapped_where_that_is_enough():
    text, _ = shown("world", "list", columns=60)
    assert "broken   A project on which several things stand in Heap's\n         way\n" in text


@pytest.mark.parametrize("arguments", [(), ("rules",), ("world",), ("profiles",), ("schema",)], ids=" ".join)
def test_a_group_without_a_command_shows_its_help(arguments):
    told = whole_process(*arguments)
    assert (told.code, told.out) == (2, "")
    assert told.err == whole_process(*arguments, "--help").out
    assert "..." not in told.err.replace("[ARGS]...", "")


def test_errors_are_wrapped_at_words_and_commands_stay_whole():
    text, code = shown("run", "--project", "bad id", columns=60)
    assert code == 2
    assert too_long(text, 60) == []
    assert text.endswith("List yours with:\ngcloud projects list\n")
    text, _ = shown(
        "run", "--project", "acme-analytics", "--no-files", columns=30, NO_GCE_CHECK="true", HOME="/nowhere"
    )
    assert "Sign in with:\ngcloud auth application-default login,\nor set\n" in text
    assert "\n" not in whole_process("run", "--project", "bad id").err.splitlines()[1]

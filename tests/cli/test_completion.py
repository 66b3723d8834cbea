"""Completions: what each shell would offer, and in the shells that are here, what it does offer."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from preflight.cli import COMMANDS
from tests.end_to_end.conftest import command_line, whole_environ, whole_process


def offered(words, shell="bash"):
    parts = words.split(" ")
    environ = {"_PREFLIGHT_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(parts) - 1)}
    if shell == "fish":
        environ["COMP_CWORD"] = parts[-1]
    result = whole_process(environ=environ)
    assert (result.code, result.err) == (0, "")
    return result.out.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("preflight ", [f"plain,{name}" for name in COMMANDS]),
        ("preflight do", ["plain,doctor"]),
        ("preflight run --ru", ["plain,--rule", "plain,--rules-dir"]),
        ("preflight run --rule bil", ["plain,billing-enabled"]),
        (
            "preflight run --skip vendor",
            [
                "plain,vendor-role",
                "plain,vendor-lookalike",
                "plain,vendor-sharing-allowed",
                "plain,vendor-least-privilege",
            ],
        ),
        ("preflight run --profile he", ["plain,heap"]),
        ("preflight run --profile ./my", ["file,./my"]),
        ("preflight run --format ", ["plain,terminal", "plain,json", "plain,markdown"]),
        ("preflight run --report github-s", ["plain,github-sarif=", "plain,github-summary="]),
        ("preflight run --report=sarif=out", ["file,sarif=out"]),
        ("preflight run --imp", ["plain,--impersonate-service-account"]),
        ("preflight doctor --format j", ["plain,json"]),
        ("preflight completion z", ["plain,zsh"]),
        ("preflight nonsense --x", [""]),
    ],
)
def test_what_is_offered(words, expected):
    found = offered(words)
    assert found == expected if words != "preflight run --format " else set(expected) <= set(found)


def test_what_zsh_and_fish_are_offered():
    zsh = offered("preflight run --rule billing", "zsh")
    assert zsh[:2] == ["plain", "billing-enabled"]
    assert zsh[2].strip() not in {"", "_"}, "with the rule's title"
    assert any(line.startswith("plain,json") for line in offered("preflight run --format js", "fish"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script(shell):
    result = whole_process("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert f"_PREFLIGHT_COMPLETE={shell}_complete" in result.out


def test_another_shell():
    whole_process("completion", "tcsh").refuses("tcsh", "bash")


@pytest.fixture
def on_the_path(tmp_path):
    """A `preflight` command, and the environment that finds it."""
    command = tmp_path / "preflight"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m preflight "$@"\n')
    command.chmod(0o755)
    return whole_environ({"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})


ASKS = {
    # What a shell runs when somebody presses the tab key; bash calls the function that the script defined.
    "bash": """eval "$(preflight completion bash)"
COMP_WORDS=(preflight run --rule bil); COMP_CWORD=3
_preflight_completion preflight bil --rule; printf '%s\\n' "${COMPREPLY[@]}"
complete -p preflight""",
    "zsh": """autoload -U compinit && compinit -u -d "$HOME/.zcompdump"
eval "$(preflight completion zsh)"; print -l ${_comps[preflight]}""",
    "fish": """preflight completion fish | source
complete --do-complete "preflight run --rule bil" """,
}


@pytest.mark.parametrize(("shell", "word"), [("bash", "billing-enabled"), ("zsh", "_preflight"), ("fish", "billing")])
def test_in_the_shell_itself(shell, word, on_the_path):
    if shutil.which(shell) is None:
        pytest.skip(f"NOT TESTED: there is no {shell} here, so nobody saw its completions work")
    done = subprocess.run(
        [shell, "-c", ASKS[shell]], env=on_the_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert word in done.stdout
    if shell == "bash":
        assert "complete -o nosort -F _preflight_completion preflight" in done.stdout


def until(terminal, word, seconds=30.0):
    """What a terminal shows up to `word`, or as long as that takes."""
    shown, ends = "", time.monotonic() + seconds
    while word not in shown and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 1 << 16).decode()
    return shown


def test_the_tab_key_in_zsh(on_the_path):
    """Its completions work in a terminal alone, so this is one."""
    if shutil.which("zsh") is None:
        pytest.skip("NOT TESTED: there is no zsh here, so nobody saw its completions work")
    terminal, inside = pty.openpty()
    environ = {**on_the_path, "TERM": "dumb", "PS1": "READY> "}
    shell = subprocess.Popen(["zsh", "-f", "-i"], env=environ, stdin=inside, stdout=inside, stderr=inside)
    os.close(inside)
    try:
        assert "READY> " in until(terminal, "READY> ")
        for line in ASKS["zsh"].splitlines():
            os.write(terminal, f"{line}; print 'D'ONE\n".encode())
            assert "DONE" in until(terminal, "DONE")
        os.write(terminal, b"preflight run --rule bil\t")
        assert "preflight run --rule billing-enabled" in until(terminal, "billing-enabled")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def test_a_command_line_as_such_completes_nothing():
    done = subprocess.run(
        command_line("--version"), env=whole_environ(), capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.startswith("preflight ")

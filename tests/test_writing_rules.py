"""The guide for authors of rules, followed as written: its files, its commands in one shell, what they print."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "writing-rules.md"
MARK = "--- block ended with"


class Block(NamedTuple):
    """A block of the guide: its language, what else its first line says, and the file that it is, if it is one."""

    language: str
    info: str
    text: str
    file: str


def blocks() -> list[Block]:
    pattern = re.compile(r"(?:^`([^`\n]+)`:\n\n)?^```(\w*) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
    return [
        Block(language, info, text, file or "")
        for file, language, info, text in pattern.findall(GUIDE.read_text(encoding="utf-8"))
    ]


FILES = [block for block in blocks() if block.file]
SET_UP, *COMMANDS = [block for block in blocks() if block.language == "sh"]


def test_each_block_is_a_file_or_commands_or_what_they_print():
    assert [block for block in blocks() if not block.file and block.language not in {"sh", "text"}] == []
    assert len(blocks()) == GUIDE.read_text(encoding="utf-8").count("\n```") / 2
    assert "pip install ../preflight pytest" in SET_UP.text  # what `shell` below stands in for
    assert {block.file.partition("/")[0] for block in FILES} >= {"pyproject.toml", "acme_preflight", "tests"}


def expectations() -> list[tuple[Block, Block]]:
    """Each text block with the commands before it."""
    told = []
    last = SET_UP
    for block in blocks():
        if block.language == "sh":
            last = block
        elif block.language == "text":
            told.append((last, block))
    return told


class Session(NamedTuple):
    """One shell that ran all commands: for each block, its output and its exit code; and all that was on stderr."""

    said: dict[str, str]
    codes: dict[str, int]
    errors: str
    folder: Path


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A virtual environment of its own, as after the guide's first block, without the network: it sees what is
    installed here, and what is installed into it stays in it."""
    home = tmp_path_factory.mktemp("guide") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    here = sysconfig.get_path("purelib")
    Path(own, "here.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    command = home / "bin" / "preflight"
    command.write_text(f'#!/bin/sh\nexec "{python}" -m preflight "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    foreign = ("GOOGLE_", "PREFLIGHT_", "CLOUDSDK_", "BIGQUERY_", "GRPC_", "PIP_", "PYTEST_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(home),
        "HOME": str(home),
        "NO_COLOR": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as --no-build-isolation=0, and that is: no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CACHE_DIR": str(home / "cache"),
    }


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Session:
    folder = tmp_path_factory.mktemp("guide") / "acme-preflight"
    folder.mkdir()
    for block in FILES:
        (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / block.file).write_text(block.text, encoding="utf-8")
    script = "".join(f'{block.text}printf "\\n%s %d\\n" "{MARK}" "$?"\n' for block in COMMANDS)
    shell = subprocess.Popen(
        [shutil.which("bash") or "sh", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        out, errors = shell.communicate(timeout=150)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)  # a stand-in that the guide forgot
    parts = re.split(rf"^{MARK} (\d+)$", out, flags=re.MULTILINE)
    texts, codes = parts[:-1:2], parts[1::2]
    assert len(texts) == len(COMMANDS), out + errors
    names = [block.text for block in COMMANDS]
    return Session(
        dict(zip(names, texts, strict=True)),
        dict(zip(names, map(int, codes), strict=True)),
        errors,
        folder,
    )


def squeezed(text: str) -> str:
    """Columns are as wide as what else is in them."""
    return re.sub(" +", " ", text)


@pytest.mark.parametrize(
    ("commands", "expected"), [pytest.param(*pair, id=pair[1].text.splitlines()[-1][:40]) for pair in expectations()]
)
def test_the_commands_print_what_the_guide_says(session, commands, expected):
    told = session.said[commands.text]
    missing = [line for line in expected.text.splitlines() if squeezed(line) not in squeezed(told)]
    assert missing == [], told + session.errors
    assert expected.info == f"exit={session.codes[commands.text]}", told + session.errors


def test_no_command_complains(session):
    assert "rror" not in session.errors
    assert "not found" not in session.errors
    told = {block.text for block, _ in expectations()}
    assert {code for text, code in session.codes.items() if text not in told} == {0}, session.errors


def test_the_rules_are_found_by_their_entry_point_alone(session, environment):
    """The package is installed where the guide's reader works, and nowhere else."""
    done = subprocess.run(
        ["preflight", "rules", "list"],
        cwd=session.folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no-basic-role" in done.stdout
    here = [sys.executable, "-m", "preflight", "rules", "list"]
    outside = subprocess.run(here, cwd=session.folder.parent, capture_output=True, text=True, check=True)
    assert "no-basic-role" not in outside.stdout

"""A repository is written by others: nothing in it becomes a command to the runner of a CI, on stdout or stderr."""

import subprocess
import sys

import pytest

from preflight.renderers import Format
from tests.check.repos import changed, write
from tests.renderers.test_runner_commands import NAMES, obeyed

EVIL = "::error::forged ##[error]forged"
FILES = {
    **changed("main.tf", '"EU"', f'"{EVIL}"'),
    "::error::forged.tf": f"# preflight:ignore[{EVIL}] {EVIL}\nx = [\n",
    "##[error]forged.tf": f'module "m" {{\n  source = "{EVIL}"\n}}\n',
}


def whole(folder, *arguments):
    command = [sys.executable, "-m", "preflight", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.TICKET])
def test_in_no_format_and_on_no_stream(repository, form):
    done = whole(write(repository, FILES), "--format", form.value)
    assert done.returncode == 1, done
    assert "forged" in done.stdout
    assert "forged" in done.stderr
    assert obeyed(done.stdout, frozenset(NAMES) if form is Format.GITHUB else frozenset()) == []
    assert obeyed(done.stderr) == []


def test_not_in_a_traceback_either(repository):
    write(repository, {**FILES, "rules/evil.py": f'raise ValueError("\\n  {EVIL}")\n'})
    done = whole(repository, "--rules-dir", "rules", "--debug")
    assert "Traceback" in done.stderr
    assert r":\x3aerror" in done.stderr
    assert obeyed(done.stderr) == []

"""docs/formats.md: each block is run, or is what the CI service's own schema takes."""

import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest

from preflight.emulator import World
from preflight.renderers import Format
from tests.end_to_end.conftest import ROOT, Preflight, Serve
from tests.end_to_end.test_formats import export

__all__ = ["export"]

TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"\bpreflight run .*", "\n".join(block for _, block in BLOCKS))
CI_FILES = {".github/workflows/preflight.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}


def test_there_is_no_block_that_nothing_tries():
    assert {language for language, _ in BLOCKS} == {"sh", "yaml"}
    in_shells = sum(len(block.splitlines()) for language, block in BLOCKS if language == "sh")
    assert in_shells + len(CI_FILES) == len(COMMANDS), "each line of a shell's block is a command, each CI file has one"
    assert len(CI_FILES) == sum(language == "yaml" for language, _ in BLOCKS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_as_written(command, serve: Serve, preflight: Preflight, export: Path):
    words = shlex.split(command)
    assert words.pop(0) == "preflight"
    result = preflight(*words, environ=serve(World.demo("broken")).environ())
    assert result.code == 1, result
    named = [word.partition("=") for before, word in pairwise(words) if before == "--report"]
    assert named
    for form, _, file in named:
        text = Path(file).read_text(encoding="utf-8")
        match form:
            case "junit":
                assert ET.fromstring(text).tag == "testsuites"
            case "github-summary":
                assert text.startswith("## NOT READY")
            case "html":
                assert text.startswith("<!doctype html>")
            case _:
                assert json.loads(text)


def check(schema: str, file: Path) -> int:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(checker, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize(("name", "schema"), CI_FILES.items())
def test_a_ci_file_is_what_its_service_takes(name, schema, tmp_path):
    (block,) = [block for language, block in BLOCKS if language == "yaml" and block.startswith(f"# {name}\n")]
    file = tmp_path / "ci.yml"
    file.write_text(block, encoding="utf-8")
    assert check(schema, file) == 0
    file.write_text(block.replace("steps:", "stepps:").replace("script:", "skript:"), encoding="utf-8")
    assert check(schema, file) == 1, "the schema would tell"


def test_the_table_names_each_format():
    told = re.findall(r"^\| `([\w-]+)` \| [^|]+ \|$", TEXT, flags=re.MULTILINE)
    assert sorted(told) == sorted(form.value for form in Format)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target

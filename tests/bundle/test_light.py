"""What only looks at files loads nothing of Google's, and nothing that a replay doesn't need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle.conftest import GOOD
from tests.end_to_end.conftest import whole_environ

LOADED = """
import json, sys
from preflight.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    sys.stderr.write(json.dumps([end.code or 0, sorted(sys.modules)]))
"""
COMMANDS = {
    "replay": ("run", "--snapshot", "b.zip", "--no-files"),
    "replay as JSON": ("run", "--snapshot", "b.zip", "--no-files", "--format", "json"),
    "replay to a bundle": ("run", "--snapshot", "b.zip", "--no-files", "--bundle", "c.zip"),
    "diff": ("diff", "b.zip", "b.zip"),
    "inspect": ("inspect", "b.zip"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_client_of_googles_is_loaded(arguments: tuple[str, ...], tmp_path: Path):
    (tmp_path / "b.zip").write_bytes(GOOD)
    environ = whole_environ({"PREFLIGHT_HOME": str(tmp_path / "home")})
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code in {0, 1}
    heavy = ("google.auth", "google.cloud", "google.api_core", "grpc", "requests", "urllib3", "preflight.sources.live",
             "preflight.emulator", "http.client", "ssl")  # fmt: skip
    assert [name for name in modules if name in heavy or name.startswith(tuple(f"{one}." for one in heavy))] == []
    assert ("pydantic" in modules) == (arguments[-1] in {"json", "c.zip"})

"""Checkov beside us, in an environment of its own: made when it is first wanted, and kept in `.bench/`.

It runs with just its checks of BigQuery and of the IAM of projects, on Terraform alone, and downloads nothing.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.process import ROOT, clean_environ

PINNED = Path(__file__).with_name("checkov-requirements.txt")
CHECKS = (
    *("CKV_GCP_15", "CKV_GCP_80", "CKV_GCP_81", "CKV_GCP_100", "CKV_GCP_121"),  # of google_bigquery_*
    *("CKV_GCP_41", "CKV_GCP_42", "CKV_GCP_46", "CKV_GCP_49", "CKV_GCP_117"),  # of google_project_iam_*
)
ENVIRON = {name: value for name, value in clean_environ().items() if name != "PYTHONPATH"}
"""It is not to find our packages."""
FINDINGS = 1
"""Its exit code where a check fails."""


class Checkov:
    """An installed one."""

    def __init__(self, home: Path) -> None:
        self._program = home / "bin" / "checkov"

    def command(self, path: Path) -> list[str]:
        """The command that checks a file or folder."""
        kind = "--directory" if path.is_dir() else "--file"
        options = ("--framework", "terraform", "--skip-download", "--quiet", "--compact", "--check", ",".join(CHECKS))
        return [str(self._program), kind, str(path), *options]


def checkov(not_taken: Callable[[str], None]) -> Checkov | None:
    """Installs it if that is due. Where it can't be, says so and returns None."""
    pinned = hashlib.sha256(PINNED.read_bytes()).hexdigest()[:12]
    home = ROOT / ".bench" / f"checkov-{sys.version_info.major}.{sys.version_info.minor}-{pinned}"
    ready = home / "ready"
    if not ready.exists():
        print(f"      installing checkov in {home.relative_to(ROOT)}", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile")
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [str(home / "bin" / "python"), *install, "-r", str(PINNED)],
        ):
            made = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
            if made.returncode:
                told = (made.stderr.strip() or made.stdout.strip() or "no reason given").splitlines()[-1]
                not_taken(f"checkov could not be installed: {told}")
                return None
        ready.touch()
    return Checkov(home)

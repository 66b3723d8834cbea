"""A process of its own that may use only so much memory, and runs the command line on many files in turn.

python -m tests.bundle.bounded FOLDER MEGABYTES: each file in FOLDER/cases, beside FOLDER/good.zip; what came of it
goes to FOLDER/results.json.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

from preflight.cli import main


def commands(case: str) -> dict[str, tuple[str, ...]]:
    """All that reads what somebody sent."""
    return {
        "inspect": ("inspect", case),
        "run": ("run", "--snapshot", case, "--no-files"),
        "bundle": ("run", "--snapshot", case, "--bundle", "out.zip", "--output-dir", "reports"),
        "diff": ("diff", case, "good.zip"),
        "diff from": ("diff", "good.zip", case),
    }


def called(*arguments: str) -> tuple[int, str, str, float]:
    """The exit code, what is said, and the seconds of CPU."""
    out, err = io.StringIO(), io.StringIO()
    start = time.process_time()
    code = -1
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue(), time.process_time() - start


def run_all(folder: Path, megabytes: int) -> None:
    """Runs every command on every case."""
    os.chdir(folder)
    for arguments in commands("good.zip").values():
        called(*arguments)  # imports what there is to import
    Path("out.zip").unlink()
    shutil.rmtree("reports")
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    results = {
        case.name: {name: called(*arguments) for name, arguments in commands(f"cases/{case.name}").items()}
        for case in sorted(Path("cases").iterdir())
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Path("results.json").write_text(json.dumps({"results": results, "peak": peak}), encoding="utf-8")


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), int(sys.argv[2]))

"""Twenty runs at once into one folder, as a fleet's cron job has them: each leaves its own two files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema

from preflight.emulator import Emulator
from tests.end_to_end.conftest import command_line, whole_environ, whole_process
from tests.torture.worlds import ADMIN, RUN

RUNS = 20


def test_twenty_runs_at_once_leave_forty_whole_files(good: Emulator, tmp_path: Path, record_property: Any):
    folder = tmp_path / "reports"
    environ = whole_environ(good.environ(ADMIN))
    command = command_line(*RUN, "-q", "--output-dir", str(folder))
    processes = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(RUNS)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    failed = [
        (process.returncode, err) for process, (_, err) in zip(processes, said, strict=True) if process.returncode
    ]
    assert failed == []
    named = [Path(word) for _, err in said for word in err.removeprefix("Reports: ").split()]
    assert len(named) == len(set(named)) == 2 * RUNS, "each has names of its own"
    assert set(folder.iterdir()) == set(named), "and there is nothing else"
    schema = json.loads(whole_process("schema", "report").out)
    for path in named:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            jsonschema.validate(json.loads(text), schema)
            twin = path.with_suffix(".md").read_text(encoding="utf-8")
            assert json.loads(text)["verdict"] == "warn"  # by the role that it doesn't need
            assert twin.startswith("#")
            assert twin.endswith("\n")
    moments = {path.name.removeprefix("acme-analytics-")[:16] for path in named}
    record_property("torture: runs at once", f"{RUNS}, ending in {len(moments)} different seconds: {len(named)} files")
